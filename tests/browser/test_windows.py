"""Two windows on one production: each knows of the other, and neither overwrites what was done or typed there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser.driving import SPOKEN, Served, Window, window
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


# What is typed

MINE, THEIRS = SPOKEN + "\nMine, सांस लें।", SPOKEN + "\nTheirs."
BLIND = "() => Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })"
SEEING = "() => { delete document.hidden; }"


def draft(desk: Window, name: str) -> str | None:
    path = desk.studio.folder / name / "draft.txt"
    return path.read_text(encoding="utf-8") if path.exists() else None


def left(desk: Window) -> set[str]:
    return {path.read_text(encoding="utf-8") for path in (desk.studio.folder / ".drafts").glob("*.txt")}


def test_a_window_that_rests_follows_what_is_typed_in_the_other(pair: tuple[Window, Window], name: str) -> None:
    for (here, there), text in zip((pair, pair[::-1]), (MINE, THEIRS), strict=True):
        here.editor.fill(text)
        there.until(lambda: there.editor.input_value() == text, "the other window shows it")
        expect(there.panel("Script").get_by_text("Not yet spoken")).to_be_visible()
    assert draft(pair[0], name) == THEIRS
    assert left(pair[0]).isdisjoint({MINE, THEIRS})


@pytest.mark.parametrize(("choice", "stays", "made_room"), [("Keep mine", MINE, THEIRS), ("Show theirs", THEIRS, MINE)])
def test_of_two_texts_typed_at_once_both_are_kept_until_one_is_chosen(
    pair: tuple[Window, Window], name: str, choice: str, stays: str, made_room: str
) -> None:
    first, second = pair
    second.page.evaluate(BLIND)
    first.editor.fill(THEIRS)
    first.until(lambda: draft(first, name) == THEIRS, "the first text is kept")
    second.editor.fill(MINE)
    offer = second.panel("Script").get_by_role("alert").filter(has_text="Another window typed into this script, too.")
    expect(offer).to_contain_text("“Theirs.”")
    second.until(lambda: MINE in left(second), "the second text is kept beside it")
    assert draft(second, name) == THEIRS
    assert second.editor.input_value() == MINE
    offer.get_by_role("button", name=choice).click()
    expect(offer).to_be_hidden()
    second.page.evaluate(SEEING)
    for desk in pair:
        desk.until(lambda: desk.editor.input_value() == stays, "both windows show what was chosen")
    first.until(lambda: draft(first, name) == stays, "it is kept")
    assert made_room in left(first)
    for path in (first.studio.folder / ".drafts").glob("*.txt"):
        path.unlink()


def test_when_the_first_window_is_closed_the_second_is_no_longer_told(
    browser: Browser, studio: Served, pair_of_module: tuple[Window, Window], name: str
) -> None:
    second = pair_of_module[1]
    with window(browser, studio, name):
        second.switch(name)
        told(second)
    not_told(second)
    second.check()
