"""Work as a page sees it: its present stage, and how long that will still take."""

from __future__ import annotations

from typing import Any

import pytest

from luma_studio.panels import work as module
from luma_studio.panels.work import Work
from luma_studio.progress import Event


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def heard(work: Work, clock: Clock, *steps: tuple[float, Event]) -> dict[str, Any]:
    """What a page is told after these events, each so many seconds after the one before."""
    for after, event in steps:
        clock.now += after
        work.heard(event)
    return work.state()


@pytest.fixture
def work() -> Work:
    return Work("export", lambda state: None)


FIRST = ((0, Event("encode", 0, 10)), (10, Event("encode", 10, 10)), (0, Event("write", 1, 1)))


def test_what_is_left_is_told_by_the_pace_of_the_present_stage(work, clock):
    state = heard(work, clock, (0, Event("encode", 0, 10)), (2, Event("encode", 4, 10)))
    assert state["left"] == pytest.approx(3)


def test_the_second_master_has_a_pace_of_its_own(work, clock):
    state = heard(work, clock, *FIRST, (0, Event("encode", 0, 10)), (2, Event("encode", 1, 10)))
    assert state["left"] == pytest.approx(18)


def test_a_stage_that_begins_again_at_once_has_a_pace_of_its_own(work, clock):
    steps = (0, Event("encode", 0, 10)), (100, Event("encode", 10, 10)), (0, Event("encode", 0, 4))
    assert heard(work, clock, *steps)["left"] is None
    assert heard(work, clock, (1, Event("encode", 1, 4)))["left"] == pytest.approx(3)


def test_what_was_there_already_is_not_taken_for_speed(work, clock):
    state = heard(work, clock, (0, Event("encode", 90, 100)), (5, Event("encode", 95, 100)))
    assert state["left"] == pytest.approx(5)


def test_the_present_stage_is_told_last(work, clock):
    state = heard(work, clock, *FIRST, (0, Event("encode", 1, 10)))
    assert [each["stage"] for each in state["stages"]] == ["write", "encode"]
    assert state["stages"][-1]["done"] == 1


def test_before_anything_was_heard_and_after_the_end_nothing_is_left(work, clock):
    assert work.state()["left"] is None
    heard(work, clock, (0, Event("encode", 0, 10)), (2, Event("encode", 4, 10)))
    work.end()
    assert work.state()["left"] is None


def test_scenes_that_are_under_way_count_by_their_share(clock):
    film = Work("film", lambda state: None)
    began = Event("film", 0, 4, "scene_1", "began", share=0.0)
    state = heard(film, clock, (0, began), (10, Event("film", 0, 4, "scene_1", "began", share=0.5, reason="half way")))
    assert state["scenes"] == {"scene_1": ["began", "half way", 0.5]}
    assert state["stages"][-1]["share"] == pytest.approx(0.125)
    assert state["left"] == pytest.approx(70)
    state = heard(film, clock, (10, Event("film", 1, 4, "scene_1", "done")))
    assert (state["stages"][-1]["share"], state["left"]) == (0.25, pytest.approx(60))
