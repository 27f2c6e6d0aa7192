"""What is done is saved at once, and nothing that goes away takes it along: the page, its kernel, the server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.driving import SPOKEN, Served, Window, serving, window
from playwright.sync_api import Browser, expect

from luma_studio.server import find_notebook

GONE = (r"WebSocket", r"ERR_CONNECTION_REFUSED", r"status of 40[34]", r"/api/kernels/", r"Canceled", r"[Kk]ernel")
"""What the browser and Jupyter's client say of a kernel or a server that is not there any more."""


@pytest.fixture
def desk(shared: Window) -> Window:
    """A window with a production of the test's own."""
    shared.switch(shared.studio.fresh())
    return shared


def lost(desk: Window) -> None:
    """Wait until the page says that its kernel is gone."""
    expect(desk.page.get_by_role("alert").filter(has_text="The studio has lost its kernel.")).to_be_visible()


def drag_unheard(desk: Window) -> float:
    """Drag a pause while no kernel is there; what it has in the page then."""
    before = desk.length(3)
    desk.drag(3, 40)
    desk.until(lambda: desk.length(3) > before, "the page shows the edit")
    return desk.length(3)


def go_on(desk: Window) -> None:
    """Take up what the page offers."""
    with desk.page.expect_navigation(wait_until="commit"):
        desk.page.get_by_role("button", name="Go on").click()
    desk.ready()


def test_a_drag_is_saved_and_survives_a_reload_with_its_history(desk: Window) -> None:
    name = desk.name
    desk.drag(1, 50)
    dragged = desk.saved(name, lambda seconds: seconds[1] > 4.5)
    assert desk.studio.state(name)["clauses"][1]["pause"]["source"] == "tuned"
    desk.reload()
    desk.shows(name)
    assert [desk.length(index) for index in range(5)] == dragged
    desk.timeline.get_by_role("button", name="Undo").click()
    desk.saved(name, lambda seconds: seconds[1] == 4.5)
    desk.until(lambda: desk.length(1) == 4.5, "the page shows it")
    desk.timeline.get_by_role("button", name="Redo").click()
    desk.saved(name, lambda seconds: seconds == dragged)


def test_the_page_goes_on_after_its_kernel_was_killed_and_loses_no_edit(desk: Window) -> None:
    name = desk.name
    desk.drag(0, 50)
    before = desk.saved(name, lambda seconds: seconds[0] > 2)
    with desk.forgiving(*GONE):
        desk.studio.kill_kernel(desk.kernel)
        lost(desk)
        wanted = drag_unheard(desk)
        assert desk.studio.seconds(name) == before
        go_on(desk)
    desk.shows(name)
    desk.saved(name, lambda seconds: seconds == [*before[:3], wanted, *before[4:]])
    assert [desk.length(index) for index in range(5)] == desk.studio.seconds(name)
    assert desk.studio.edits(name) == ["tune", "tune"]


def test_a_draft_that_was_not_spoken_survives_a_reload(desk: Window) -> None:
    name = desk.name
    draft = SPOKEN.replace("And let it go.", "And let it go, अब छोड़ दें।")
    desk.editor.fill(draft)
    desk.until((desk.studio.folder / name / "draft.txt").exists, "the draft is kept")
    desk.reload()
    desk.shows(name)
    assert desk.editor.input_value() == draft
    expect(desk.panel("Script").get_by_text("Not yet spoken")).to_be_visible()
    assert desk.studio.state(name)["text"] == SPOKEN


def test_what_was_typed_the_moment_before_a_reload_is_there(desk: Window) -> None:
    name = desk.name
    desk.editor.fill(SPOKEN + "\nOne more line.")
    desk.reload()
    desk.shows(name)
    assert desk.editor.input_value() == SPOKEN + "\nOne more line."


# Texts that have no production yet

UNSPOKEN = "Evening\nBreathe in, and out, and rest. सांस लें।"


def type_unspoken(desk: Window, text: str) -> None:
    """Begin with an empty sheet, type, and wait until it is kept."""
    head = desk.panel("Productions").get_by_role("button", name="New script")
    head.click()
    desk.until(lambda: desk.name == "", "no production is open")
    if desk.editor.input_value():
        head.click()
    desk.until(lambda: desk.editor.input_value() == "", "the sheet is empty")
    desk.editor.fill(text)
    path = desk.studio.folder / ".draft.txt"
    desk.until(lambda: path.exists() and path.read_text(encoding="utf-8") == text, "it is kept")


def test_new_script_returns_to_the_text_that_has_no_production_yet(desk: Window) -> None:
    name = desk.name
    type_unspoken(desk, UNSPOKEN)
    desk.switch(name)
    expect(desk.notices).to_contain_text("The text you were typing is kept.")
    assert desk.editor.input_value() == SPOKEN
    desk.panel("Productions").get_by_role("button", name="New script").click()
    desk.until(lambda: desk.editor.input_value() == UNSPOKEN, "it is back")
    expect(desk.panel("Script").get_by_label("Name")).to_have_value("Evening")


def test_what_a_notice_offers_is_never_done_to_another_production(desk: Window) -> None:
    name = desk.name
    type_unspoken(desk, UNSPOKEN)
    desk.panel("Productions").get_by_role("button", name="New script").click()
    back = desk.notices.get_by_role("button", name="Bring it back")
    expect(back).to_be_visible()
    desk.switch(name)
    expect(back).to_have_count(0)
    assert desk.editor.input_value() == SPOKEN
    assert not (desk.studio.folder / name / "draft.txt").exists()


def test_a_text_that_made_room_is_found_later_and_taken_back(desk: Window) -> None:
    type_unspoken(desk, UNSPOKEN)
    script = desk.panel("Script")
    desk.panel("Productions").get_by_role("button", name="New script").click()
    expect(desk.editor).to_have_value("")
    expect(script.get_by_label("Name")).to_have_value("")
    desk.reload()
    script.get_by_role("list", name="Texts you left").get_by_role("button", name="Evening Breathe in").first.click()
    expect(desk.editor).to_have_value(UNSPOKEN)
    expect(script.get_by_label("Name")).to_have_value("Evening")
    desk.until((desk.studio.folder / ".draft.txt").exists, "it is the draft")


def test_a_name_says_what_speaking_will_do_and_keeps_it(desk: Window) -> None:
    name = desk.studio.fresh(SPOKEN + "\nA clause more.\nAnd another.")
    type_unspoken(desk, UNSPOKEN)
    script = desk.panel("Script")
    script.get_by_label("Name").fill(name)
    expect(script).to_contain_text("holds another script. Choose another name")
    expect(script.get_by_role("button", name="Speak", exact=True)).to_be_disabled()
    script.get_by_label("Name").fill("a/b")
    expect(script).to_contain_text("cannot have: “/”. Choose a short name")


WORDS_BOX = """(element) => {
  const words = document.createRange();
  words.selectNodeContents(element);
  return words.getBoundingClientRect().toJSON();
}"""


def test_a_name_written_from_the_right_stays_in_its_place(desk: Window) -> None:
    desk.studio.speak("الوصول")
    desk.switch("الوصول")
    head = desk.panel("Productions")
    mark, name = (head.locator(f".luma-productions-{each}").evaluate(WORDS_BOX) for each in ("wordmark", "name"))
    assert 0 < name["left"] - mark["right"] < 60


@pytest.fixture
def restarted(browser: Browser, tmp_path: Path) -> Iterator[Served]:
    """A studio of its own, with one notebook, to be stopped and started again."""
    shutil.copy(find_notebook(), tmp_path)
    with serving(tmp_path, find_notebook().name) as served:
        yield served


def test_the_page_goes_on_after_the_server_was_started_again_at_the_same_port(
    browser: Browser, restarted: Served
) -> None:
    restarted.speak("calm")
    with window(browser, restarted, "calm") as desk:
        desk.drag(0, 50)
        before = desk.saved("calm", lambda seconds: seconds[0] > 2)
        with desk.forgiving(*GONE):
            restarted.stop()
            lost(desk)
            wanted = drag_unheard(desk)
            restarted.start()
            desk.page.get_by_role("button", name="Go on").click()
            expect(desk.page.get_by_role("heading", name="This address does not open the studio")).to_be_visible()
            desk.open("calm")  # by the address that the new start printed, as that page says
        desk.saved("calm", lambda seconds: seconds == [*before[:3], wanted, *before[4:]])
        assert restarted.edits("calm") == ["tune", "tune"]
