"""What a benchmark finds, and how it is shown: a table on the terminal, Markdown for the README, JSON to keep."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

_WIDTH = 150  # columns where there is no terminal to ask
_HEADINGS = ("what", "measured", "target", "met", "beside it, in the same run")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``met`` is None where the table asks for nothing; ``beside`` is what it is compared with.

    ``figures`` are the numbers behind it: seconds, bytes, ratios, samples.
    """

    benchmark: str
    what: str
    measured: str
    target: str = ""
    met: bool | None = None
    beside: str = ""
    figures: Mapping[str, float | list[float]] = field(default_factory=dict)

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """The row as texts, in the order of the headings."""
        verdict = {None: "", True: "yes", False: "NO"}[self.met]
        return self.what, self.measured, self.target, verdict, self.beside


def machine() -> str:
    """What this was measured on, in a line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f} at this moment" if hasattr(os, "getloadavg") else ""
    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {cores} cores{load}"


def print_table(rows: Sequence[Row]) -> None:
    """Print the rows, and after them what falls short."""
    table = Table(*_HEADINGS, show_lines=True, highlight=False)
    for row in rows:
        table.add_row(*row.cells, style="bold red" if row.met is False else "")
    wide = Console()
    console = wide if wide.is_terminal else Console(width=_WIDTH)
    console.print(table)
    short = [row for row in rows if row.met is False]
    judged = sum(row.met is not None for row in rows)
    for row in short:
        console.print(f"Falls short: {row.what}: {row.measured}, not {row.target}.", highlight=False, soft_wrap=True)
    console.print(f"{judged - len(short)} of {judged} targets met.", highlight=False)


def print_markdown(rows: Sequence[Row]) -> None:
    """Print the rows as a Markdown table."""
    for cells in (_HEADINGS, ("---",) * len(_HEADINGS), *(row.cells for row in rows)):
        print("|", " | ".join(cell.replace("|", "\\|") for cell in cells), "|")


def write_json(rows: Sequence[Row], path: Path) -> None:
    """Keep the rows with all their figures."""
    report = {"machine": machine(), "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
