"""The report of a batch, of runs that were never done: what it shows of hostile words, and what it costs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from luma_studio.batch import report
from luma_studio.batch.runs import Outcome, Run, outcome_of, outcome_path
from luma_studio.store import files

ABOUT = report.About("evening", "luma-studio batch 'a b.txt' --set speakers='{\"A\": \"hi\"}'", 1.8e9, 3723.4)
HOSTILE = "</li><script>alert(1)</script>\u202e 🙂 'x' \"y\" &amp; \ud800"


def runs(*labels: str) -> list[Run]:
    return [Run(f"{number:016x}", label, Path("own.ipynb"), {}, f"row {number}") for number, label in enumerate(labels)]


def end(folder: Path, run: Run, error: str = "") -> None:
    outcome = Outcome(
        run=run.id, label=run.label, parameters={}, notebook=f"{run.id}.ipynb", status="failed" if error else "good",
        error=error, began=1.8e9, seconds=61.0,
    )  # fmt: skip
    files.write(outcome_path(folder, run.id), outcome.model_dump_json().encode())


def test_hostile_names_and_errors_are_text_in_the_page_and_no_formulas_in_the_table(workspace):
    made = runs("=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "<b>bold</b>", "plain")
    for run in made[:-1]:
        end(workspace, run, '=HYPERLINK("x") ' + HOSTILE[:-1])
    report.write(workspace, ABOUT, made, {made[-1].id: HOSTILE})
    page = (workspace / report.HTML).read_text("utf-8")
    assert "<script" not in page
    assert "<b>bold" not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert page.count('dir="auto">') >= 12
    rows = list(csv.DictReader(io.StringIO((workspace / report.CSV).read_text("utf-8-sig"), newline="")))
    assert len(rows) == len(made)
    assert not [cell for row in rows for cell in row.values() if cell[:1] in tuple("=+-@\t\r")]
    assert rows[0]["production"] == "'=1+1"


def test_failures_come_first_then_what_was_not_run_then_the_rest_in_their_order(workspace):
    made = runs("good-1", "bad-1", "never", "good-2", "lost")
    end(workspace, made[0])
    end(workspace, made[1], "It failed.")
    end(workspace, made[3])
    report.write(workspace, ABOUT, made, {made[4].id: "5 workers died over it."})
    page = (workspace / report.HTML).read_text("utf-8")
    order = [page.index(f">{label}</h2>") for label in ("bad-1", "lost", "never", "good-1", "good-2")]
    assert order == sorted(order)
    assert "<b>2</b> of <b>5</b> good" in page
    assert "<b>2</b> failed" in page
    assert "<b>1</b> not run" in page
    assert "1 h 2 min" in page
    assert "1 min 1 s" in page
    assert "luma-studio batch &#39;a b.txt&#39;" in page


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"run": "x"}'])
def test_an_outcome_of_an_older_version_or_a_broken_one_is_a_run_that_is_done_again(workspace, data):
    (run,) = runs("one")
    files.write(outcome_path(workspace, run.id), data)
    assert outcome_of(workspace, run.id) is None


def test_one_run_after_the_other_is_read_and_written(workspace, monkeypatch):
    made = runs(*(f"run-{number}" for number in range(300)))
    for run in made:
        end(workspace, run)
    held: list[int] = []
    alive = 0
    row = report._row

    class Counted(report.Row):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def counted(*arguments):
        nonlocal alive
        alive += 1
        held.append(alive)
        found = row(*arguments)
        return Counted(*(getattr(found, name) for name in report.Row.__dataclass_fields__))

    monkeypatch.setattr(report, "_row", counted)
    report.write(workspace, ABOUT, made, {})
    assert len(held) == 600  # a page and a table
    assert max(held) <= 3
    assert json.loads(outcome_path(workspace, made[0].id).read_text())["label"] == "run-0"
