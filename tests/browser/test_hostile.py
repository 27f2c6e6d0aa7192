"""What a script, a name, a file or an error holds is shown as text; no verb leads elsewhere; no key leaks."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
from browser.driving import SECRETS, Window
from playwright.sync_api import FilePayload, expect

IMAGE = "<img src=x onerror=window.hacked=1>"
SCRIPT_TAG = "<script>window.hacked=1</script>"
LONG = "ab" * 5000
BIDI = "Right \u202eto left\u202c and \u2067isolated"

HOSTILE = "\n".join(
    [
        f"# {IMAGE}",
        f"Breathe in {SCRIPT_TAG} slowly. (1 sec)",
        f"{IMAGE} is a picture. (1 sec)",
        "",
        f"# {BIDI}",
        f"{BIDI}. (1 sec)",
        f"{LONG}. (1 sec)",
        "",
        f"# {LONG[:300]}",
        "The end.",
    ]
)

MADE = """() => ({
  hacked: window.hacked ?? null,
  made: [...document.querySelectorAll('img[src="x"], [onerror], .luma script')].map((each) => each.outerHTML),
})"""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Where a mark that turns text around stands in a line with other text. The editor shows the author's text as it is.
LEAKING = """(mark) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const leaks = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.includes(mark) || element.closest('script, style, .luma-script-backdrop')) continue;
    let each = element;
    const isOpen = ({ display, unicodeBidi }) => display.startsWith('inline') && unicodeBidi === 'normal';
    while (isOpen(getComputedStyle(each))) each = each.parentElement;
    if (getComputedStyle(each).display.startsWith('inline') || each.childNodes.length < 2) continue;
    leaks.push(element.outerHTML.slice(0, 200));
  }
  return leaks;
}"""


def is_text(desk: Window) -> None:
    """Nothing of what is hostile became an element or ran."""
    assert desk.page.evaluate(MADE) == {"hacked": None, "made": []}


@pytest.fixture
def desk(shared: Window) -> Window:
    return shared


def test_what_a_script_and_its_titles_hold_is_shown_as_text(desk: Window) -> None:
    name = desk.studio.fresh(HOSTILE, "master.mp3")
    desk.switch(name)
    for title in (IMAGE, "Right to left and isolated"):  # what turns text around is in no title
        expect(desk.panel("Script").get_by_role("navigation", name="Scenes")).to_contain_text(title)
        expect(desk.panel("Audio players").get_by_role("region", name="Scenes")).to_contain_text(title)
    desk.timeline.get_by_role("button", name="Fit or scale…").click()
    assert f"in {IMAGE}" in desk.page.get_by_role("combobox", name="Scene").inner_text()
    desk.press("Escape")
    desk.panel("Render status").get_by_role("button", name="Clauses and scenes").click()
    expect(desk.panel("Render status")).to_contain_text(IMAGE)
    for index in range(4):
        desk.slider(index).focus() if desk.slider(index).count() else desk.press("j")
        expect(desk.timeline.locator(".luma-clause").first).to_contain_text(
            desk.studio.state(name)["clauses"][index]["text"]
        )
    is_text(desk)
    assert desk.page.evaluate(LEAKING, "\u202e") == []


@pytest.mark.parametrize("width", [1280, 390])
def test_long_words_do_not_make_the_page_wider_than_the_window(desk: Window, width: int) -> None:
    desk.switch(desk.studio.fresh(HOSTILE, "master.mp3"))
    desk.page.set_viewport_size({"width": width, "height": 900})
    for tab in ("Library", "Health", "Narrate"):
        desk.tab(tab)
        desk.until(lambda: desk.page.evaluate(WIDER) <= 0, f"{tab} is as wide as the window", 3)
    desk.panel("Render status").get_by_role("button", name="Clauses and scenes").click()
    assert desk.page.evaluate(WIDER) <= 0
    desk.page.set_viewport_size({"width": 1280, "height": 900})


def test_names_are_shown_as_text_even_of_folders_that_somebody_else_made(desk: Window) -> None:
    folder = desk.studio.folder
    shutil.copytree(folder / desk.studio.fresh(), folder / IMAGE)
    safe = "&lt;b&gt; 'quoted' onclick=window.hacked=1"
    desk.studio.speak(safe)
    for file in ("&lt;i&gt; onerror=window.hacked=1.mp3", "'x' &amp; y.json"):
        (folder / safe / file).write_bytes(b"nothing")
    desk.open(safe)
    desk.panel("Productions").get_by_role("button", name="Productions", exact=True).click()
    entries = desk.panel("Productions").locator(".luma-productions-entry").filter(has_text=IMAGE)
    expect(entries.first).to_be_visible()
    entries.first.click()
    expect(desk.notices.filter(has_text="holds what a file name cannot have")).to_be_visible()
    desk.tab("Library")
    library = desk.panel("Audio library")
    expect(library).to_contain_text(IMAGE)
    expect(library).to_contain_text("&lt;i&gt; onerror=window.hacked=1.mp3")
    library.get_by_role("button", name=IMAGE, exact=True).click()
    desk.tab("Narrate")
    is_text(desk)
    shutil.rmtree(folder / IMAGE)


def test_errors_are_shown_as_text(desk: Window) -> None:
    desk.switch(desk.studio.fresh())
    desk.panel("Script").get_by_label("Name").fill(IMAGE)
    expect(desk.panel("Script")).to_contain_text(f"The name '{IMAGE}' holds what")
    players = desk.panel("Audio players")
    players.get_by_label("Name").fill(IMAGE)
    players.get_by_role("button", name="Export", exact=True).click()
    expect(players.get_by_role("alert").filter(has_text=IMAGE)).to_be_visible()
    desk.timeline.get_by_role("button", name="Fit or scale…").click()
    sheet = desk.page.get_by_role("dialog", name="Fit or scale pauses")
    sheet.get_by_label("Total").fill(IMAGE)
    sheet.get_by_role("button", name="Fit", exact=True).click()
    expect(sheet.get_by_role("status").filter(has_text=IMAGE)).to_be_visible()
    desk.press("Escape")
    desk.page.evaluate("(name) => { location.hash = `production=${encodeURIComponent(name)}`; }", SCRIPT_TAG)
    expect(desk.panel("Productions").get_by_role("alert").filter(has_text=SCRIPT_TAG)).to_be_visible()
    is_text(desk)


def test_a_file_with_a_hostile_name_is_opened_under_a_safe_one(desk: Window) -> None:
    desk.switch(desk.studio.fresh())
    file = FilePayload(name=f"{IMAGE}.txt", mimeType="text/plain", buffer=f"One\n{IMAGE} and {BIDI}.".encode())
    desk.panel("Script").get_by_label("Script file").set_input_files(file)
    name = desk.panel("Script").get_by_label("Name")
    desk.until(lambda: "img src=x" in name.input_value(), "it has a name of its own")
    assert not set(name.input_value()) & set('<>/\\:*?"|')
    assert IMAGE in desk.editor.input_value()
    is_text(desk)


# Questions that a page can ask, but ours does not

ASK = """async ([panel, verb, given]) => {
  const manager = window.jupyterapp.widgetManager;
  const models = await Promise.all(Object.values(manager._models));
  const model = models.find((each) => each.get('_anywidget_id')?.endsWith(panel));
  const id = `test:${Math.random()}`;
  return await new Promise((resolve) => {
    model.on('msg:custom', (message) => { if (message.re === id) resolve(message); });
    model.send({ ask: id, verb, with: given });
  });
}"""


def asked(desk: Window, verb: str, **given: Any) -> dict[str, Any]:
    """What Python answers the audio library."""
    answer: dict[str, Any] = desk.page.evaluate(ASK, [".AudioLibrary", verb, given])
    return answer


OUTSIDE = [
    "../outside",
    "..",
    ".",
    "",
    "/etc",
    "/etc/passwd",
    "calm/../../outside",
    "..\\outside",
    "C:\\outside",
    ".store",
    "a\x00b",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_the_library_is_led_nowhere_else(desk: Window, path: str) -> None:
    outside = desk.studio.workspace / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "master.mp3").write_bytes(b"private")
    name = desk.studio.fresh()
    part = {"start": 0, "size": 100}
    assert "value" in asked(desk, "files", production=name)
    asks: list[tuple[str, dict[str, Any]]] = [
        ("files", {"production": path}),
        ("part", {"production": path, "name": "master.mp3", **part}),
        ("part", {"production": name, "name": path, **part}),
        ("remove", {"production": path, "name": "master.mp3"}),
        ("remove", {"production": name, "name": path}),
        ("pack", {"production": path}),
    ]
    for verb, given in asks:
        answer = asked(desk, verb, **given)
        assert answer.get("kind") == "UnsafeNameError", (verb, given, answer)
    assert (outside / "master.mp3").read_bytes() == b"private"
    assert desk.studio.seconds(name)


def test_the_library_reads_and_removes_no_secret_of_a_production(desk: Window) -> None:
    name = desk.studio.fresh()
    assert asked(desk, "remove", production=name, name="production.json")["kind"] == "UnsafeNameError"
    assert asked(desk, "restore", key="../../outside")["kind"] == "StoreError"
    assert desk.studio.seconds(name)


def test_no_key_comes_to_the_page(desk: Window) -> None:
    """Every window of these tests looks for them in each frame and at its end in the page; here all panels are seen."""
    desk.switch(desk.studio.fresh())
    before = desk.frames
    for tab in ("Library", "Health", "Narrate"):
        desk.tab(tab)
    desk.tab("Health")
    desk.panel("Health").get_by_role("button", name="Check again").click()
    expect(desk.panel("Health").get_by_role("listitem").filter(has_text="espeak-ng")).to_contain_text("ready")
    desk.tab("Narrate")
    assert desk.frames > before
    everything = desk.page.content() + json.dumps(
        desk.page.evaluate("() => [document.cookie, {...localStorage}, {...sessionStorage}]")
    )
    assert not [name for name, secret in SECRETS.items() if secret in everything]
