"""The pause timeline answers about the production that the page means, and about no other."""

from __future__ import annotations

import asyncio
import queue
from typing import Any

import pytest
from helpers.fakes import FakeVoice, give

from luma_studio.panels.pause_timeline import PauseTimeline
from luma_studio.panels.session import Session
from luma_studio.studio import Studio

ONE = {"fingerprints": ["x"]}
SCRIPT = "Breathe in. (2 sec)\nBreathe out.\n"


@pytest.fixture
def panel(workspace: Any) -> Any:
    with Studio(workspace) as studio, Session(studio) as session:
        studio.production("before", SCRIPT)
        studio.production("now", SCRIPT)
        session.open("now")
        yield PauseTimeline(session)


def answered(panel: PauseTimeline, verb: str, **given: Any) -> dict[str, Any]:
    sent: queue.Queue[dict[str, Any]] = queue.Queue()
    panel.send = lambda content, buffers=None: sent.put(content)  # type: ignore[method-assign]
    panel._asked(panel, {"ask": "1", "verb": verb, "with": given}, [])
    while True:
        message = sent.get(timeout=30)  # what takes its time is answered from a thread
        if message.get("re") == "1":
            return message


def test_an_edit_meant_for_another_production_changes_nothing(panel):
    answer = answered(panel, "tune", seconds={"0": 9.0}, by="a hand", production="before")
    assert "before is not open any more, so nothing was changed in it" in answer["error"]
    assert [panel.session.studio.production(name).pauses[0].seconds for name in ("before", "now")] == [2.0, 2.0]


def test_an_edit_of_the_open_production_is_made(panel):
    assert "error" not in answered(panel, "tune", seconds={"0": 9.0}, by="a hand", production="now")
    assert panel.session.production.pauses[0].seconds == 9.0


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("samples", {"fingerprints": ["x"]}),
        ("peaks", {"fingerprints": ["x"]}),
        ("takes", {"clause": 0}),
        ("measured", {}),
    ],
)
def test_a_look_at_a_production_that_was_left_is_answered_with_nothing(panel, verb, given):
    assert answered(panel, verb, production="before", **given)["value"] is None


def test_nothing_is_changed_where_no_production_is_open(panel):
    panel.session.leave()
    assert "now is not open any more" in answered(panel, "undo", production="now")["error"]


def test_a_locked_pause_is_protected_from_the_hand_and_can_be_freed(panel):
    answered(panel, "lock", clauses=[0], locked=True, production="now")
    refused = answered(panel, "tune", seconds={"0": 9.0, "1": 9.0}, by="a hand", production="now")
    assert refused["error"] == "It is locked. Press L to free it."
    assert [pause.seconds for pause in panel.session.production.pauses] == [2.0, 1.5]
    answered(panel, "lock", clauses=[0], locked=False, production="now")
    assert "error" not in answered(panel, "tune", seconds={"0": 9.0}, by="a hand", production="now")


@pytest.mark.parametrize("factor", [0, 0.009, -1, float("nan")])
def test_pauses_are_not_scaled_to_nothing(panel, factor):
    assert "1 % at least" in answered(panel, "scale", factor=factor, production="now")["error"]
    assert [pause.seconds for pause in panel.session.production.pauses] == [2.0, 1.5]


def test_scaling_answers_how_many_pauses_changed(panel):
    assert answered(panel, "scale", factor=2, production="now")["value"] == 2
    assert answered(panel, "scale", factor=1, production="now")["value"] == 0
    assert answered(panel, "scale", factor=2, source="agent", production="now")["value"] == 0
    answered(panel, "lock", clauses=[0, 1], locked=True, production="now")
    assert answered(panel, "scale", factor=2, production="now")["value"] == 0


def test_what_the_audit_measured_is_told_only_while_that_very_master_is_there(panel):
    production = panel.session.production
    give(panel.session.studio, FakeVoice())
    asyncio.run(production.speak())
    assert answered(panel, "measured", production="now")["value"] is None
    production.export("master.wav")
    measured = answered(panel, "measured", production="now")["value"]
    assert (measured["file"], len(measured["pauses"])) == ("master.wav", 2)
    production.pauses[0] = 4.0
    production.export("master.wav", audit=False)
    assert answered(panel, "measured", production="now")["value"] is None
