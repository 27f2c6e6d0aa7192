"""The pause timeline answers about the production that the page means, and about no other."""

from __future__ import annotations

from typing import Any

import pytest

from luma_studio.panels.pause_timeline import PauseTimeline
from luma_studio.panels.session import Session
from luma_studio.studio import Studio

ONE = {"fingerprints": ["x"]}
SCRIPT = "Breathe in. (2 sec)\nBreathe out.\n"


@pytest.fixture
def panel(workspace: Any) -> Any:
    studio = Studio(workspace)
    studio.production("before", SCRIPT)
    studio.production("now", SCRIPT)
    with Session(studio) as session:
        session.open("now")
        yield PauseTimeline(session)


def answered(panel: PauseTimeline, verb: str, **given: Any) -> dict[str, Any]:
    sent: list[dict[str, Any]] = []
    panel.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
    panel._asked(panel, {"ask": "1", "verb": verb, "with": given}, [])
    return next(message for message in sent if message.get("re") == "1")


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
