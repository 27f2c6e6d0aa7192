"""How a batch comes along, as one sees it: bars in a terminal, lines where there is none."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from luma_studio.batch import showing
from luma_studio.batch.runs import Run
from luma_studio.batch.showing import Step, shown, tell_workers

ONE, TWO = (Run(name, f"{name} [b]", Path("x.ipynb"), {}, "") for name in ("one", "two"))


def told(monkeypatch: pytest.MonkeyPatch, *steps: Step, terminal: bool) -> str:
    """What is written while these steps are told, without what moves a terminal's cursor."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100, soft_wrap=True, highlight=False, color_system=None)
    monkeypatch.setattr(showing, "_console", lambda: console)
    monkeypatch.setattr(showing.Progress, "update", _drawn(showing.Progress.update))
    with shown("evening", 2) as listen:
        for step in steps:
            listen(step)
    return file.getvalue()


def _drawn(update):
    """As it is, and drawn at once."""

    def updates(self, *arguments, **options):
        update(self, *arguments, **options)
        self.refresh()

    return updates


def test_a_terminal_shows_the_whole_and_each_run_that_is_under_way_and_a_line_stays_of_each_that_ended(monkeypatch):
    steps = [Step(ONE, "running", "began", 0, 1), Step(ONE, "running", "speak", 3, 4), Step(TWO, "failed", error="No")]
    text = told(monkeypatch, *steps, Step(ONE, "good"), terminal=True)
    assert "Starting workers" in text
    for part in ("evening", "0/2", "one [b]", "Starting", "3/4", "Speaking"):
        assert part in text
    assert "failed    two [b]: No\n" in text
    assert "good      one [b]\n" in text


def test_without_a_terminal_there_are_only_the_lines(monkeypatch):
    steps = [Step(ONE, "done before"), Step(TWO, "running", "speak", 3, 4), Step(TWO, "good")]
    assert told(monkeypatch, *steps, terminal=False) == "good      two [b]\n"


def test_it_says_how_many_runs_are_done_at_once_and_where_one_can_watch(capsys):
    tell_workers(2, "http://127.0.0.1:8787/status")
    tell_workers(0, "")
    assert capsys.readouterr().err.splitlines() == [
        "workers   2, to be watched at http://127.0.0.1:8787/status",
        "workers   none yet: the runs wait for one",
    ]
