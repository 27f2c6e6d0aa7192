"""The report of a batch: one page that needs no network, failures first; and the same as a table."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader

from luma_studio.batch.drawing import outline
from luma_studio.batch.runs import Outcome, Run, folder_of, outcome_of
from luma_studio.store import files
from luma_studio.timeline.duration import clock

HTML = "report.html"
CSV = "report.csv"
_TEMPLATE = "report.html.j2"
_WIDTH, _HEIGHT = 160, 28  # of a thumbnail, in its own units
_COLUMNS = (
    "run", "production", "status", "error", "seconds", "scenes", "clauses", "bought", "pauses", "findings", "loudness",
    "true_peak", "cost", "took", "notebook", "folder", "masters",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class About:
    """A batch as its report begins: its name, what one types to do it, when it was done last and for how long.

    ``began`` is in seconds since the epoch, ``seconds`` is how long it took.
    """

    name: str
    command: str
    began: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Row:
    """A run as the report shows it; ``links`` are file names and their addresses from where the report lies."""

    run: Run
    status: str
    error: str
    outcome: Outcome | None
    wave: str
    player: str
    links: tuple[tuple[str, str], ...]

    @property
    def length(self) -> str:
        """How long the master is."""
        result = self.outcome and self.outcome.result
        return clock(round(result.seconds * 1000), 1000) if result else ""


def write(folder: Path, about: About, runs: Sequence[Run], problems: Mapping[str, str]) -> Path:
    """Write both reports into a batch's folder; ``problems`` are why runs have no outcome, by their ids.

    One run after the other is read, drawn and let go of.
    """
    order = sorted(runs, key=lambda run: _RANKS[_status(folder, run, problems)])
    totals = _totals(folder, runs, problems)
    pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    pages.filters |= {"lasting": _lasting, "when": _when}
    template = pages.get_template(_TEMPLATE)
    page = folder / HTML
    rows = (_row(folder, run, problems) for run in order)
    with files.replacing(page) as file:
        for piece in template.generate(about=about, totals=totals, rows=rows, width=_WIDTH, height=_HEIGHT):
            file.write(piece.encode("utf-8", "replace"))
    _write_table(folder, runs, problems)
    return page


def _lasting(seconds: float) -> str:
    """Seconds as people read them."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _when(moment: float) -> str:
    """A moment, in seconds since the epoch, as the date and time it was here."""
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")


_RANKS = {"failed": 0, "not run": 1, "findings": 2, "good": 3}


def _status(folder: Path, run: Run, problems: Mapping[str, str]) -> str:
    outcome = outcome_of(folder, run.id)
    if run.id in problems or (outcome is not None and outcome.status == "failed"):
        return "failed"
    if outcome is None:
        return "not run"
    return "findings" if outcome.result and outcome.result.findings else "good"


def _row(folder: Path, run: Run, problems: Mapping[str, str]) -> Row:
    outcome = outcome_of(folder, run.id)
    error = problems.get(run.id) or (outcome.error if outcome else "")
    return Row(
        run,
        _status(folder, run, problems),
        error,
        outcome,
        _wave(outcome),
        _player(folder, outcome),
        _links(folder, outcome),
    )


def _wave(outcome: Outcome | None) -> str:
    """A thumbnail's outline as the data of an SVG path."""
    if outcome is None or outcome.result is None:
        return ""
    return outline(outcome.result.waveform, _WIDTH, _HEIGHT)


def _player(folder: Path, outcome: Outcome | None) -> str:
    """The address of the first master."""
    if outcome is None or outcome.result is None or not outcome.result.masters:
        return ""
    return _address(folder, folder_of(folder, outcome.result) / outcome.result.masters[0])


def _links(folder: Path, outcome: Outcome | None) -> tuple[tuple[str, str], ...]:
    if outcome is None:
        return ()
    executed = (("notebook", _address(folder, folder / "runs" / outcome.notebook)),)
    result = outcome.result
    if result is None:
        return executed
    names = (*result.masters, *result.beside, "audit.json")
    return executed + tuple((name, _address(folder, folder_of(folder, result) / name)) for name in names)


def _address(folder: Path, path: Path) -> str:
    """A file's address from where the report lies, so that both can be moved together."""
    return quote(os.path.relpath(path.resolve(), folder.resolve()).replace(os.sep, "/"))


@dataclass(frozen=True, slots=True)
class Totals:
    """Of all runs together: how many ended how, seconds of master, seconds they took, findings, US dollars."""

    runs: int
    good: int
    failed: int
    seconds: float
    took: float
    findings: int
    cost: Decimal

    @property
    def length(self) -> str:
        """How long all masters are together."""
        return clock(round(self.seconds * 1000), 1000)


def _totals(folder: Path, runs: Sequence[Run], problems: Mapping[str, str]) -> Totals:
    good = failed = findings = 0
    seconds, took, cost = 0.0, 0.0, Decimal(0)
    for run in runs:
        outcome = outcome_of(folder, run.id)
        status = _status(folder, run, problems)
        good += status in ("good", "findings")
        failed += status == "failed"
        took += 0.0 if outcome is None else outcome.seconds
        if outcome is not None and outcome.result is not None:
            seconds += outcome.result.seconds
            findings += outcome.result.findings
            cost += outcome.result.cost
    return Totals(len(runs), good, failed, seconds, took, findings, cost)


def _write_table(folder: Path, runs: Sequence[Run], problems: Mapping[str, str]) -> None:
    with files.replacing(folder / CSV) as file:
        text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")  # whose mark spreadsheets look for
        table = csv.DictWriter(text, _COLUMNS)
        table.writeheader()
        for run in runs:
            cells = _cells(_row(folder, run, problems))
            table.writerow({name: _plain(value) for name, value in cells.items()})
        text.detach()


def _cells(row: Row) -> dict[str, Any]:
    cells: dict[str, Any] = {"run": row.run.id, "production": row.run.label, "status": row.status, "error": row.error}
    if row.outcome is not None:
        cells |= {"took": round(row.outcome.seconds, 2), "notebook": row.outcome.notebook}
        if row.outcome.result is not None:
            found = row.outcome.result.model_dump(include=set(_COLUMNS) - set(cells))
            cells |= {**found, "masters": " ".join(row.outcome.result.masters)}
    return cells


def _plain(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value
