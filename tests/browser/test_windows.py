"""Two windows on one production: each knows of the other, and neither overwrites what the other did."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser.driving import Served, Window, window
from playwright.sync_api import Browser, expect

ELSEWHERE = "This production is open in another window, too."


@pytest.fixture(scope="module")
def pair_of_module(browser: Browser, studio: Served) -> Iterator[tuple[Window, Window]]:
    with window(browser, studio) as first, window(browser, studio, context=first.page.context) as second:
        yield first, second


@pytest.fixture
def name(studio: Served) -> str:
    return studio.fresh()


@pytest.fixture
def pair(pair_of_module: tuple[Window, Window], name: str) -> Iterator[tuple[Window, Window]]:
    """Two tabs, both with the test's own production open; the first opened it first."""
    for each in pair_of_module:
        each.switch(name)
    yield pair_of_module
    for each in pair_of_module:
        each.check()


def told(desk: Window) -> None:
    expect(desk.timeline.get_by_role("status").filter(has_text=ELSEWHERE)).to_be_visible()


def not_told(desk: Window) -> None:
    expect(desk.timeline.get_by_role("status").filter(has_text=ELSEWHERE)).to_be_hidden()


def test_the_second_window_is_told_of_the_first_and_the_first_is_left_alone(pair: tuple[Window, Window]) -> None:
    first, second = pair
    told(second)
    not_told(first)


def test_an_edit_in_either_window_appears_in_the_other(pair: tuple[Window, Window], name: str) -> None:
    for here, there in (pair, pair[::-1]):
        before = here.length(1)
        here.page.bring_to_front()
        here.drag(1, 40)
        here.saved(name, lambda seconds: seconds[1] != before)
        there.until(lambda: there.length(1) == here.length(1), "the other window shows it")
        assert there.length(1) == there.studio.seconds(name)[1] != before
    assert pair[0].studio.edits(name) == ["tune", "tune"]


LONGER = """() => document.activeElement.dispatchEvent(
  new KeyboardEvent('keydown', { key: 'ArrowRight', shiftKey: true, bubbles: true }))"""


def test_of_two_edits_at_the_same_time_none_is_lost_unseen(pair: tuple[Window, Window], name: str) -> None:
    """Both are made before either page has heard of the other: one may be refused, told with a way to make it again."""
    edited = {pair[0]: 0, pair[1]: 3}
    before = pair[0].studio.seconds(name)
    for desk, index in edited.items():
        desk.slider(index).focus()
    for desk in pair:
        desk.page.evaluate(LONGER)
    for desk, index in edited.items():
        again = desk.notices.get_by_role("button", name="Make it again")
        desk.until(lambda: again.count() or desk.studio.seconds(name)[index] == before[index] + 1, "it is told or made")
        if again.count():
            again.click()
    after = [before[0] + 1, *before[1:3], before[3] + 1, *before[4:]]
    pair[0].saved(name, lambda seconds: seconds == after)
    for desk in pair:
        desk.until(lambda: [desk.length(index) for index in range(5)] == after, "both show it")


def test_when_the_first_window_is_closed_the_second_is_no_longer_told(
    browser: Browser, studio: Served, pair_of_module: tuple[Window, Window], name: str
) -> None:
    second = pair_of_module[1]
    with window(browser, studio, name):
        second.switch(name)
        told(second)
    not_told(second)
    second.check()
