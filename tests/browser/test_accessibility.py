"""Everybody can use the page: axe finds nothing grave, all has a name and a size, nothing moves where it should not.

The tests of the empty page stand first: while no other test has begun a production, the workspace is empty, too.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.driving import HINDI, SPOKEN, Window
from playwright.sync_api import expect

TABS = ("Narrate", "Film", "Animate", "Personas", "Library", "Health")
SHEETS = {"Fit or scale…": "Fit or scale pauses", "Keys": "Keys"}
CONTROLS = {"button", "textbox", "searchbox", "spinbutton", "slider", "checkbox", "combobox", "tab", "link", "option"}
SMALLEST = 24  # pixels, WCAG 2.5.8

looks = pytest.mark.parametrize("theme", ["light", "dark"])
widths = pytest.mark.parametrize("width", [1280, 390])


@pytest.fixture
def desk(shared: Window) -> Iterator[Window]:
    yield shared
    shared.page.emulate_media(reduced_motion="no-preference")
    shared.page.set_viewport_size({"width": 1280, "height": 900})
    shared.tab("Narrate")


def be(desk: Window, theme: str, width: int) -> None:
    desk.page.set_viewport_size({"width": width, "height": 900})
    desk.theme(theme)


@pytest.fixture(scope="module")
def full(window_of_module: Window) -> str:
    """A production in two languages, spoken and exported."""
    return window_of_module.studio.fresh(f"{SPOKEN}\n\n{HINDI}\n[Unread", "master.mp3", "master.wav")


def unfold(desk: Window, full: str) -> None:
    """Have all there is to see: a production, with every part of it unfolded."""
    desk.switch(full)
    voices = desk.panel("Script").locator("details")
    if voices.get_attribute("open") is None:
        voices.locator("summary").click()
    agents = desk.panel("Agents").get_by_role("button", name="Agents", exact=True)
    if agents.get_attribute("aria-expanded") == "false":
        agents.click()
        desk.panel("Agents").locator("summary").click()
    more = desk.panel("Render status").get_by_role("button", name="Clauses and scenes")
    if more.get_attribute("aria-expanded") == "false":
        more.click()


def show(desk: Window, tab: str) -> None:
    """Go to a tab, and wait until it shows what it has."""
    desk.tab(tab)
    if tab == "Health":
        expect(desk.panel("Health").get_by_role("listitem").filter(has_text="espeak-ng")).to_contain_text("ready")
    if tab == "Film" and "production=" in desk.page.url:
        expect(desk.panel("Films").get_by_role("listitem").first).to_be_visible()
    if tab == "Library":
        expect(desk.panel("Audio library").get_by_text("Looking …")).to_have_count(0)


AT_REST = """() => document.getAnimations().every(
  (each) => each.playState !== 'running' || each.effect.getComputedTiming().endTime === Infinity)"""


def finds_nothing(desk: Window, where: str, within: str | None = None) -> None:
    desk.until(lambda: desk.page.evaluate(AT_REST), "its transitions are over")
    violations = Axe().run(desk.page, within).response["violations"]
    grave = [
        f"{where}: {each['id']} ({each['impact']}): {node['html'][:200]} {node['failureSummary'][:300]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
    assert not grave, "\n".join(grave)


@widths
@looks
def test_axe_finds_nothing_grave_while_nothing_is_open(desk: Window, theme: str, width: int) -> None:
    be(desk, theme, width)
    for tab in TABS:
        show(desk, tab)
        finds_nothing(desk, tab)


@widths
@looks
def test_axe_finds_nothing_grave_in_a_production(desk: Window, full: str, theme: str, width: int) -> None:
    be(desk, theme, width)
    unfold(desk, full)
    for tab in TABS:
        show(desk, tab)
        finds_nothing(desk, tab)


@widths
@looks
def test_axe_finds_nothing_grave_in_what_opens_over_the_page(desk: Window, full: str, theme: str, width: int) -> None:
    be(desk, theme, width)
    unfold(desk, full)
    for opener, title in SHEETS.items():
        desk.timeline.get_by_role("button", name=opener).click()
        expect(desk.page.get_by_role("dialog", name=title)).to_be_visible()
        finds_nothing(desk, title, "dialog[open]")
        desk.press("Escape")
    desk.slider(0).focus()
    desk.press("g")
    finds_nothing(desk, "Go to a time", "dialog[open]")
    desk.press("Escape")
    show(desk, "Library")
    desk.panel("Audio library").get_by_role("button", name="Delete master.wav").click()
    expect(desk.notices.get_by_role("button", name="Undo")).to_be_visible()
    finds_nothing(desk, "a notice", "#luma-notices")
    desk.notices.get_by_role("button", name="Undo").click()


@widths
def test_each_control_has_a_name(desk: Window, full: str, width: int) -> None:
    be(desk, "light", width)
    unfold(desk, full)
    tree = desk.page.context.new_cdp_session(desk.page)
    for tab in TABS:
        show(desk, tab)
        nodes = tree.send("Accessibility.getFullAXTree")["nodes"]
        controls = [node for node in nodes if not node["ignored"] and node["role"]["value"] in CONTROLS]
        nameless = [node["role"]["value"] for node in controls if not node.get("name", {}).get("value", "").strip()]
        assert nameless == [], tab
        assert len(controls) > 5


SMALL = """(smallest) => [...document.querySelectorAll('button, input, select, textarea, summary, a[href], [role=tab]')]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && getComputedStyle(each).pointerEvents !== 'none')
  .map((each) => each.matches('input[type=checkbox], input[type=radio]') ? each.closest('label') ?? each : each)
  .map((each) => [each.outerHTML.slice(0, 120), each.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && Math.min(box.width, box.height) < smallest)
  .map(([what, box]) => `${what} is ${box.width} × ${box.height}`)"""


@widths
def test_what_is_pressed_is_large_enough(desk: Window, full: str, width: int) -> None:
    be(desk, "light", width)
    unfold(desk, full)
    for tab in TABS:
        show(desk, tab)
        assert desk.page.evaluate(SMALL, SMALLEST) == [], tab
    show(desk, "Narrate")
    for opener in SHEETS:
        desk.timeline.get_by_role("button", name=opener).click()
        assert desk.page.evaluate(SMALL, SMALLEST) == [], opener
        desk.press("Escape")


MOVING = """() => [...document.querySelectorAll('.luma, .luma *')]
  .filter((each) => [null, '::before', '::after'].some((part) => {
    const { transitionDuration, animationName, animationDuration } = getComputedStyle(each, part);
    const long = (times) => times.split(',').some((time) => parseFloat(time) > 0);
    return long(transitionDuration) || (animationName !== 'none' && long(animationDuration));
  }))
  .map((each) => each.className)"""


def test_nothing_moves_for_whom_it_should_not(desk: Window, full: str) -> None:
    unfold(desk, full)
    assert desk.page.evaluate(MOVING) != []
    desk.page.emulate_media(reduced_motion="reduce")
    for tab in TABS:
        show(desk, tab)
        assert desk.page.evaluate(MOVING) == []
        assert (
            desk.page.evaluate("() => document.getAnimations().filter((each) => each.playState === 'running').length")
            == 0
        )


def test_the_tabs_are_walked_with_the_arrow_keys(desk: Window) -> None:
    desk.page.get_by_role("tab", name="Narrate").focus()
    for tab in TABS[1:]:
        desk.press("ArrowRight", "Enter")
        expect(desk.page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        expect(desk.page.get_by_role("tab", name=tab)).to_be_focused()
