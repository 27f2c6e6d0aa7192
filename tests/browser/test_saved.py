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
