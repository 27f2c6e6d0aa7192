"""The pause timeline is played by keys alone: each key of its help sheet does what the sheet says.

Below: what is typed, what is locked, and where the focus stays.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser.driving import Window
from playwright.sync_api import Locator, expect

Act = Callable[[Window], None]
ROWS: dict[str, Act] = {}
"""What tries the keys of one row of the sheet; the window has a fresh production, and its first pause has the focus."""


def row(keys: str) -> Callable[[Act], Act]:
    def keep(act: Act) -> Act:
        ROWS[keys] = act
        return act

    return keep


@pytest.fixture
def desk(shared: Window) -> Window:
    """The window with a production of the test's own, and the focus on its first pause."""
    shared.switch(shared.studio.fresh())
    shared.slider(0).focus()
    return shared


def is_playing(desk: Window) -> bool:
    return desk.timeline.locator(".luma-head .luma-button-primary").get_attribute("aria-label") == "Stop"


def plays(desk: Window, expected: bool = True) -> None:
    desk.until(lambda: is_playing(desk) == expected, "it plays" if expected else "it stops")


def at(desk: Window) -> float:
    """The playhead's position in seconds."""
    minutes, seconds = desk.position[0].split(":")
    return 60 * int(minutes) + float(seconds)


def has(desk: Window, index: int, seconds: float) -> None:
    """Wait until a pause has this length, in the page and saved."""
    name = desk.name
    desk.until(lambda: desk.length(index) == pytest.approx(seconds), f"the page shows {seconds} s")
    desk.saved(name, lambda saved: saved[index] == pytest.approx(seconds))


def width(desk: Window, index: int) -> float:
    """The part of the stage that a pause takes."""
    begin, end = desk.extent(index) or (0, 0)
    return end - begin


def in_sight(desk: Window, index: int) -> bool:
    extent = desk.extent(index)
    return extent is not None and extent[0] >= 0 and extent[1] <= 1


def select(desk: Window, index: int) -> None:
    desk.press("Home", *["j"] * index)
    desk.until(lambda: desk.selected == index, f"pause {index} is selected")


@row("Space")
def _(desk: Window) -> None:
    desk.press("Space")
    plays(desk)
    desk.until(lambda: at(desk) > 0.2, "it goes on")
    desk.press("Space")
    plays(desk, False)


@row("P")
def _(desk: Window) -> None:
    select(desk, 2)
    desk.press("p")
    plays(desk)
    before = at(desk)
    assert before > 5
    desk.until(lambda: at(desk) > before, "it goes on")


@row("A")
def _(desk: Window) -> None:
    select(desk, 4)
    desk.press("ArrowLeft")
    has(desk, 4, 0.9)
    plays(desk, False)
    desk.press("a")
    plays(desk)
    begin = at(desk)
    plays(desk, False)
    assert 1 < at(desk) - begin < 3  # a second before the pause to the end, which comes first


@row("R")
def _(desk: Window) -> None:
    desk.press("d")
    desk.press("Shift+ArrowLeft", "Shift+ArrowLeft")
    has(desk, 0, 0)
    desk.press("r")
    plays(desk)
    loop = desk.timeline.get_by_role("button", name="Loop")
    expect(loop).to_have_attribute("aria-pressed", "true")
    highest = 0.0

    def began_again() -> bool:
        nonlocal highest
        highest = max(highest, at(desk))
        return at(desk) < highest - 0.5

    desk.until(began_again, "it begins again")
    desk.press("r", "d")
    plays(desk, False)
    expect(loop).to_have_attribute("aria-pressed", "false")


@row("J K")
def _(desk: Window) -> None:
    for key, index in [("j", 1), ("]", 2), ("j", 3), ("k", 2), ("[", 1), ("k", 0), ("k", 0)]:
        desk.press(key)
        desk.until(lambda: desk.selected == index, f"{key} selects pause {index}")
        expect(desk.slider(index)).to_be_focused()


@row("← → ↓ ↑")
def _(desk: Window) -> None:
    length = 2.0
    for key, by in [("ArrowRight", 0.1), ("ArrowUp", 0.1), ("ArrowLeft", -0.1), ("ArrowDown", -0.1)]:
        for held, factor in [("", 1), ("Shift+", 10), ("Alt+", 0.1)]:
            desk.press(held + key)
            length += by * factor
            has(desk, 0, length)


@row("Enter")
def _(desk: Window) -> None:
    desk.press("Enter")
    expect(desk.timeline.get_by_label("Length of the pause in seconds")).to_be_focused()
    desk.page.keyboard.type("7.25")
    desk.press("Enter")
    has(desk, 0, 7.25)
    expect(desk.slider(0)).to_be_focused()


@row("L")
def _(desk: Window) -> None:
    name = desk.name
    for locked, told in [(True, "2 seconds, written, locked"), (False, "2 seconds, written")]:
        desk.press("l")
        expect(desk.slider(0)).to_have_attribute("aria-valuetext", told)
        assert desk.studio.state(name)["clauses"][0]["pause"]["locked"] is locked


@row("S")
def _(desk: Window) -> None:
    desk.press("s")
    shows_takes(desk, 2)
    takes = desk.studio.state(desk.name)["clauses"][0]["takes"]
    assert len({take["fingerprint"] for take in takes}) == 2


def shows_takes(desk: Window, count: int) -> None:
    expect(desk.timeline.get_by_role("button", name="Listen to take")).to_have_count(count)


def in_use(desk: Window) -> str:
    return str(desk.studio.state(desk.name)["clauses"][0]["take"])


@row("T")
def _(desk: Window) -> None:
    first = in_use(desk)
    desk.press("s")
    shows_takes(desk, 2)
    assert in_use(desk) != first
    desk.press("t")
    desk.until(lambda: in_use(desk) == first, "the first take is in use")
    expect(desk.timeline.get_by_role("button", name="Use take 2")).to_be_visible()


@row("1 … 9")
def _(desk: Window) -> None:
    desk.press("s")
    shows_takes(desk, 2)
    desk.listen()
    for count, key in enumerate("12", start=1):
        desk.press(key)
        desk.until(lambda: len(desk.heard) == count, f"take {key} is heard")
    assert len(set(desk.heard)) == 2  # they are not the same


@row("F")
def _(desk: Window) -> None:
    desk.press("f")
    expect(desk.page.get_by_role("dialog", name="Fit or scale pauses")).to_be_visible()
    desk.press("Escape")
    expect(desk.page.get_by_role("dialog")).to_have_count(0)


@row("Ctrl Z")
def _(desk: Window) -> None:
    desk.press("Shift+ArrowRight")
    has(desk, 0, 3)
    desk.press("Control+z")
    has(desk, 0, 2)


@row("Ctrl Shift Z")
def _(desk: Window) -> None:
    desk.press("Shift+ArrowRight")
    has(desk, 0, 3)
    for again in ("Control+Shift+z", "Control+y"):
        desk.press("Control+z")
        has(desk, 0, 2)
        desk.press(again)
        has(desk, 0, 3)


@row("Z X")
def _(desk: Window) -> None:
    before = width(desk, 0)
    desk.press("z")
    desk.until(lambda: width(desk, 0) > before * 1.2, "it is larger")
    desk.press("x")
    desk.until(lambda: width(desk, 0) == pytest.approx(before, abs=0.001), "it is as it was")


@row("C")
def _(desk: Window) -> None:
    select(desk, 3)
    desk.press("c")
    desk.until(lambda: width(desk, 3) == pytest.approx(0.8 * 4 / 6, rel=0.05), "four of six seconds, with some air")


@row("W")
def _(desk: Window) -> None:
    desk.press("z", "z", "z")
    desk.until(lambda: not in_sight(desk, 4), "the end is out of sight")
    desk.press("w")
    desk.until(lambda: in_sight(desk, 0) and in_sight(desk, 4), "all is in sight")


@row("G")
def _(desk: Window) -> None:
    desk.press("g")
    sheet = desk.page.get_by_role("dialog", name="Go to a time")
    expect(sheet.get_by_label("Go to")).to_be_focused()
    desk.page.keyboard.type("soon")
    desk.press("Enter")
    expect(sheet.get_by_role("status")).to_contain_text("“soon” cannot be read as a length.")
    sheet.get_by_label("Go to").fill("0:05")
    desk.press("Enter")
    expect(desk.page.get_by_role("dialog")).to_have_count(0)
    desk.until(lambda: desk.position[0] == "0:05.0", "it is there")


@row("Home End")
def _(desk: Window) -> None:
    desk.press("End")
    expect(desk.slider(4)).to_be_focused()
    desk.press("Home")
    expect(desk.slider(0)).to_be_focused()


@row("D")
def _(desk: Window) -> None:
    hear = desk.timeline.get_by_role("button", name="Listen on drop")
    desk.press("d")
    expect(hear).to_have_attribute("aria-pressed", "false")
    desk.press("ArrowRight")
    has(desk, 0, 2.1)
    assert not is_playing(desk)
    desk.press("d")
    expect(hear).to_have_attribute("aria-pressed", "true")
    desk.press("ArrowRight")
    plays(desk)


@row("?")
def _(desk: Window) -> None:
    desk.press("?")
    expect(desk.page.get_by_role("dialog", name="Keys")).to_be_visible()
    desk.press("Escape")
    expect(desk.page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("keys", ROWS)
def test_each_key_does_what_the_sheet_says(desk: Window, keys: str) -> None:
    ROWS[keys](desk)


def test_the_sheet_lists_no_key_that_is_not_tried_here(desk: Window) -> None:
    rows = desk.page.locator(".luma-keys dt").evaluate_all(
        "(all) => all.map((each) => [...each.children].map((key) => key.textContent).join(' '))"
    )
    assert len(rows) > 15
    assert sorted(rows) == sorted(ROWS)


def test_keys_do_nothing_while_one_types(desk: Window) -> None:
    name = desk.name
    before = desk.studio.state(name)
    letters = "parjk[]lstfzxcwgd? "
    fields = {
        desk.editor: f"{letters}12",
        desk.panel("Script").get_by_label("Name"): f"{letters}12",
        desk.timeline.get_by_label("Length of the pause in seconds"): letters,  # digits would be its length
        desk.panel("Audio players").get_by_label("Name"): f"{letters}12",
    }
    for field, typed in fields.items():
        field.focus()
        desk.page.keyboard.type(typed)
        desk.press("ArrowLeft", "ArrowRight", "Home", "End")
        expect(field).to_be_focused()
        assert desk.selected == 0
        assert not is_playing(desk)
        expect(desk.page.get_by_role("dialog")).to_have_count(0)
    assert desk.editor.input_value().startswith(letters)
    assert desk.studio.state(name) == before


def test_a_pause_is_a_slider_that_says_what_it_is(desk: Window) -> None:
    slider = desk.slider(1)
    expect(slider).to_have_role("slider")
    expect(slider).to_have_attribute("aria-label", "Pause after: Breathe in, slowly.")
    expect(slider).to_have_attribute("aria-valuenow", "4.5")
    expect(slider).to_have_attribute("aria-valuemin", "0")
    expect(slider).to_have_attribute("aria-valuetext", "4.5 seconds, written")
    select(desk, 1)
    desk.press("ArrowRight", "l")
    expect(slider).to_have_attribute("aria-valuetext", "4.6 seconds, tuned, locked")
    expect(slider).to_have_attribute("aria-valuenow", "4.6")


FOCUSED = """() => {
  const element = document.activeElement;
  const outlined = (each) => {
    const style = getComputedStyle(each);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  };
  const box = element.getBoundingClientRect();
  return {
    what: element.outerHTML.slice(0, 150),
    isBody: element === document.body,
    visible: box.width > 0 && box.height > 0,
    outlined: outlined(element) || outlined(element.closest('label') ?? element), // a box is outlined with its words
    slider: element.matches('.luma-slider'),
  };
}"""


def test_tab_reaches_the_timeline_and_shows_where_it_is(desk: Window) -> None:
    desk.panel("Productions").get_by_role("button").first.focus()
    seen = []
    for _ in range(80):
        desk.press("Tab")
        seen.append(desk.page.evaluate(FOCUSED))
        if seen[-1]["isBody"]:
            break
    unseen = [each["what"] for each in seen if not each["isBody"] and not (each["visible"] and each["outlined"])]
    assert unseen == []
    assert sum(each["slider"] for each in seen) == 1  # the others are reached by J and K


# What is typed


def type_length(desk: Window, typed: str) -> None:
    desk.slider(desk.selected).focus()
    desk.press("Enter")
    desk.page.keyboard.type(typed)
    desk.press("Enter")


def refusal(desk: Window) -> Locator:
    """The sentence beside the length of the selected pause."""
    return desk.timeline.get_by_role("alert")


@pytest.mark.parametrize(("typed", "seconds"), [("4,5", 4.5), ("0:30", 30), ("2 min", 120), ("५.२५", 5.25)])
def test_a_length_is_taken_as_it_is_typed(desk: Window, typed: str, seconds: float) -> None:
    type_length(desk, typed)
    has(desk, 0, seconds)
    expect(desk.slider(0)).to_be_focused()
    expect(refusal(desk)).to_have_count(0)


def test_what_is_no_length_is_refused_beside_the_field_and_the_pause_stays_as_it_was(desk: Window) -> None:
    field = desk.timeline.get_by_label("Length of the pause in seconds")
    for typed, told in {"5 apples": "“5 apples” cannot be read as a length.", "99999": "1:00:00 is the most."}.items():
        type_length(desk, typed)
        expect(refusal(desk)).to_contain_text(told)
        expect(field).to_be_focused()
        expect(field).to_have_value(typed)
        assert desk.length(0) == 2
    desk.press("Escape")
    expect(field).to_have_value("2")
    expect(refusal(desk)).to_have_count(0)
    expect(desk.slider(0)).to_be_focused()
    assert desk.studio.edits(desk.name) == []


def test_a_locked_pause_is_protected_from_the_hand_until_it_is_free(desk: Window) -> None:
    name = desk.name
    desk.press("l")
    expect(desk.slider(0)).to_have_attribute("aria-valuetext", "2 seconds, written, locked")

    def drag_and_look() -> None:
        box = desk.slider(0).bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"], box["y"] + box["height"] / 2
        desk.page.mouse.move(x, y)
        desk.page.mouse.down()
        desk.page.mouse.move(x + 30, y, steps=3)
        expect(desk.timeline.locator(".luma-tip")).to_have_text("It is locked. Press L to free it.")
        desk.page.mouse.up()

    for by_hand in (
        lambda: desk.press("ArrowRight"),
        lambda: desk.timeline.get_by_role("button", name="Longer by 0.1 s").click(),
        lambda: type_length(desk, "9"),
        drag_and_look,
    ):
        select(desk, 1)
        expect(refusal(desk)).to_have_count(0)
        select(desk, 0)
        by_hand()
        expect(refusal(desk)).to_have_text("It is locked. Press L to free it.")
        assert desk.length(0) == 2
    assert desk.studio.edits(name) == ["lock"]
    assert not is_playing(desk)
    desk.slider(0).focus()
    desk.press("l")
    expect(refusal(desk)).to_have_count(0)
    desk.press("ArrowRight")
    has(desk, 0, 2.1)


def sheet_of(desk: Window) -> Locator:
    desk.slider(desk.selected).focus()
    desk.press("f")
    return desk.page.get_by_role("dialog", name="Fit or scale pauses")


def test_pauses_are_scaled_to_one_percent_at_least_and_the_sheet_says_when_nothing_changed(desk: Window) -> None:
    sheet = sheet_of(desk)
    percent = sheet.get_by_label("To", exact=True)
    for typed, told in {"0": "from 1 to 10,000", "much": "from 1 to 10,000", "100": "Nothing changed"}.items():
        percent.fill(typed)
        desk.press("Enter")
        expect(sheet.get_by_role("status").filter(has_text=told)).to_be_visible()
    assert desk.studio.edits(desk.name) == []
    percent.fill("120,5 %")
    desk.press("Enter")
    expect(sheet).to_be_hidden()
    has(desk, 0, 2.41)


def test_a_total_is_fitted_as_scripts_write_times(desk: Window) -> None:
    sheet = sheet_of(desk)
    total = sheet.get_by_label("Total")
    for typed, told in {"": "Write how long it is to last", "soon": "'soon' is not a duration"}.items():
        total.fill(typed)
        desk.press("Enter")
        expect(sheet.get_by_role("status").filter(has_text=told)).to_be_visible()
        expect(sheet.get_by_text("samples")).to_have_count(0)
    total.fill("०:४०")
    desk.press("Enter")
    expect(sheet).to_be_hidden()
    desk.until(lambda: desk.position[1] == "0:40.0", "it lasts 40 seconds")


# What plays, and what is under the hand


def test_loop_looks_pressed_whenever_it_loops(desk: Window) -> None:
    loop = desk.timeline.get_by_role("button", name="Loop")
    desk.press("Space")
    plays(desk)
    loop.click()
    expect(loop).to_have_attribute("aria-pressed", "true")
    plays(desk)
    desk.slider(0).focus()
    desk.press("p")  # on and on, and no loop
    expect(loop).to_have_attribute("aria-pressed", "false")
    plays(desk)
    desk.press("r")
    expect(loop).to_have_attribute("aria-pressed", "true")
    desk.press("r")
    plays(desk, False)
    expect(loop).to_have_attribute("aria-pressed", "false")


def test_nothing_jumps_when_what_is_heard_takes_more_lines(desk: Window) -> None:
    desk.switch(desk.studio.fresh(f"Short. (1 sec)\n{'Many long words follow one another. ' * 9}(1 sec)\n"))
    inspector = desk.timeline.locator(".luma-inspector")

    def top() -> float:
        box, stage = inspector.bounding_box(), desk.stage.bounding_box()
        assert box is not None
        assert stage is not None
        return box["y"] - stage["y"]

    hint = top()
    caption = desk.timeline.locator(".luma-caption")
    for index, words in [(0, "Short."), (1, "Many long words")]:
        select(desk, index)
        desk.slider(index).focus()
        desk.press("Home" if index == 0 else "End")
        desk.press("Space")
        expect(caption).to_contain_text(words)
        assert top() == hint
        desk.press("Space")
        plays(desk, False)


def test_a_pause_of_nothing_has_a_grip_that_can_be_taken(desk: Window) -> None:
    type_length(desk, "0")
    has(desk, 0, 0)
    select(desk, 2)
    grip = "(slider) => getComputedStyle(slider, '::after').height"
    desk.until(lambda: desk.slider(0).evaluate(grip) == "26px", "it has a grip")
    assert desk.slider(2).evaluate(grip) != "26px"
    box, stage = desk.slider(0).bounding_box(), desk.stage.bounding_box()
    assert box is not None
    assert stage is not None
    x, y = box["x"], box["y"] + box["height"] / 2
    desk.page.mouse.move(x, y)
    desk.page.mouse.down()
    desk.page.mouse.move(x + 40, y, steps=4)
    desk.page.mouse.up()
    desk.saved(desk.name, lambda seconds: seconds[0] > 0)


# The focus


def test_undo_and_redo_keep_the_focus_at_their_ends(desk: Window) -> None:
    desk.press("ArrowRight")
    has(desk, 0, 2.1)
    undo, redo = (desk.timeline.get_by_role("button", name=name) for name in ("Undo", "Redo"))
    undo.click()
    has(desk, 0, 2)
    expect(undo).to_have_attribute("aria-disabled", "true")
    expect(undo).to_be_focused()
    desk.press("Enter")  # does nothing
    redo.focus()
    desk.press("Enter")
    has(desk, 0, 2.1)
    expect(redo).to_have_attribute("aria-disabled", "true")
    expect(redo).to_be_focused()
    desk.press("k", "ArrowRight")  # the keys of the timeline go on
    has(desk, 0, 2.2)


def test_speak_again_asks_once_while_it_is_on_its_way_and_keeps_the_focus(desk: Window) -> None:
    again = desk.timeline.get_by_role("button", name="Speak again")
    again.dblclick()
    shows_takes(desk, 2)
    expect(again).to_have_attribute("aria-disabled", "false")
    expect(again).to_be_focused()
    desk.slider(0).focus()
    desk.press("s", "s")
    shows_takes(desk, 3)
    expect(again).to_have_attribute("aria-disabled", "false")
    assert len(desk.studio.state(desk.name)["clauses"][0]["takes"]) == 3
    expect(desk.notices).to_have_count(0)
    desk.timeline.get_by_role("button", name="Use take 1").click()
    expect(desk.timeline.get_by_role("button", name="Use take 3")).to_be_visible()
    assert desk.page.evaluate("document.activeElement !== document.body")
