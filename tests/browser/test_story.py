"""A designer's story, from a script that is pasted to the files that are downloaded."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from browser.driving import HINDI, SPOKEN, Served, Window, in_thread, window
from playwright.sync_api import Browser, Download, Locator, expect

from luma_studio.audio import codec
from luma_studio.studio import Studio


@pytest.fixture
def desk(opened: Window) -> Window:
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return opened


@pytest.mark.parametrize(
    ("name", "script"), [("evening-calm", SPOKEN), ("शाम की शांति", HINDI)], ids=["English", "Hindi"]
)
def test_a_script_is_pasted_spoken_tuned_exported_and_downloaded(desk: Window, name: str, script: str) -> None:
    desk.listen()
    _paste(desk, script)
    _speak(desk, name)
    _drag_and_hear(desk, name)
    _play(desk)
    _lock_and_scale(desk, name)
    _undo_and_redo(desk, name)
    _fit(desk, name)
    _speak_again_and_compare(desk, name)
    _export(desk, name)
    _play_the_master(desk)
    _download(desk, name)
    _use_the_library(desk, name)
    _look_at_health(desk)


def _paste(desk: Window, script: str) -> None:
    desk.page.evaluate("(text) => navigator.clipboard.writeText(text)", script)
    desk.editor.focus()
    desk.press("Control+A")  # what a test before this one left there
    desk.press("Control+V")
    assert desk.editor.input_value() == script
    expect(desk.panel("Script").get_by_role("navigation", name="Scenes").get_by_role("button")).to_have_count(2)


def _speak(desk: Window, name: str) -> None:
    script = desk.panel("Script")
    script.get_by_label("Name").fill(name)
    script.get_by_role("button", name="Speak", exact=True).click()
    desk.shows(name)
    count = len(desk.studio.state(name)["clauses"])
    expect(desk.panel("Render status").get_by_role("heading", name=f"All {count} clauses are spoken")).to_be_visible()
    assert all(clause["take"] for clause in desk.studio.state(name)["clauses"])


def _drag_and_hear(desk: Window, name: str) -> None:
    before = desk.studio.seconds(name)[1]
    desk.drag(1, 40)
    desk.saved(name, lambda seconds: seconds[1] > before)
    desk.until(lambda: desk.length(1) == desk.studio.seconds(name)[1], "the page shows what was saved")
    expect(desk.slider(1)).to_have_attribute("aria-valuetext", f"{desk.length(1):g} seconds, tuned")
    expect(desk.timeline.get_by_role("button", name="Stop", exact=True)).to_be_visible()  # it listens on drop
    desk.until(lambda: desk.heard, "a take is heard")
    desk.timeline.get_by_role("button", name="Stop", exact=True).click()


def _play(desk: Window) -> None:
    desk.timeline.get_by_role("button", name="Play", exact=True).click()
    desk.timeline.get_by_role("button", name="Stop", exact=True).wait_for()
    at, _ = desk.position
    desk.until(lambda: desk.position[0] > at, "the position moves")
    desk.timeline.get_by_role("button", name="Stop", exact=True).click()
    desk.timeline.get_by_role("button", name="Play", exact=True).wait_for()


def _lock_and_scale(desk: Window, name: str) -> None:
    desk.timeline.get_by_role("button", name="Lock this pause").click()
    desk.until(lambda: desk.studio.edits(name)[-1] == "lock", "the lock is saved")
    before = desk.studio.seconds(name)
    dialog = _fit_sheet(desk)
    dialog.get_by_label("To", exact=True).fill("150")
    dialog.get_by_role("button", name="Scale").click()
    after = desk.saved(name, lambda seconds: seconds != before)
    assert after[1] == before[1]
    assert after[0] == pytest.approx(before[0] * 1.5)
    expect(dialog).to_be_hidden()


def _undo_and_redo(desk: Window, name: str) -> None:
    scaled = desk.studio.seconds(name)
    desk.timeline.get_by_role("button", name="Undo").click()
    before = desk.saved(name, lambda seconds: seconds != scaled)
    desk.until(lambda: desk.length(0) == before[0], "the page shows it")
    desk.timeline.get_by_role("button", name="Redo").click()
    desk.saved(name, lambda seconds: seconds == scaled)
    desk.until(lambda: desk.length(0) == scaled[0], "the page shows it")


def _fit(desk: Window, name: str) -> None:
    dialog = _fit_sheet(desk)
    dialog.get_by_label("Total").fill("1:00")
    dialog.get_by_role("button", name="Fit", exact=True).click()
    expect(dialog).to_be_hidden()
    desk.until(lambda: desk.position[1] == "1:00.0", "it lasts a minute")
    assert _samples(desk, name) == 60 * 44100


def _fit_sheet(desk: Window) -> Locator:
    desk.timeline.get_by_role("button", name="Fit or scale…").click()
    return desk.page.get_by_role("dialog", name="Fit or scale pauses")


def _samples(desk: Window, name: str) -> int:
    def length() -> int:
        with Studio(desk.studio.workspace) as studio:
            return studio.production(name).timeline.length

    return in_thread(length)


def _speak_again_and_compare(desk: Window, name: str) -> None:
    first = desk.studio.state(name)["clauses"][1]["take"]
    desk.timeline.get_by_role("button", name="Speak again").click()
    second = desk.until(lambda: (now := desk.studio.state(name)["clauses"][1]["take"]) != first and now, "another take")
    for number in (1, 2):
        before = len(desk.heard)
        desk.timeline.get_by_role("button", name=f"Listen to take {number}").click()
        desk.until(lambda: len(desk.heard) > before, f"take {number} is heard")
    desk.timeline.get_by_role("button", name="Use take 1").click()
    desk.until(lambda: desk.studio.state(name)["clauses"][1]["take"] == first, "the first take is in use")
    assert second in [take["fingerprint"] for take in desk.studio.state(name)["clauses"][1]["takes"]]
    assert _samples(desk, name) == 60 * 44100


def _export(desk: Window, name: str) -> None:
    players = desk.panel("Audio players")
    players.get_by_label("WAV").check()
    players.get_by_role("button", name="Export", exact=True).click()
    for file in ("master.mp3", "master.wav"):
        expect(players.get_by_role("button", name=f"Play {file}")).to_be_visible()
        assert codec.probe(desk.studio.folder / name / file).samples == 60 * 44100


def _play_the_master(desk: Window) -> None:
    player = desk.panel("Audio players").get_by_role("group", name="Player of master.mp3")
    player.get_by_role("button", name="Play master.mp3").click()
    player.get_by_role("button", name="Pause master.mp3").wait_for()
    slider = player.get_by_role("slider", name="Position in master.mp3")
    desk.until(lambda: float(slider.input_value()) > 0, "the master plays")
    player.get_by_role("button", name="Pause master.mp3").click()


def _download(desk: Window, name: str) -> None:
    players = desk.panel("Audio players")
    for file in ("master.mp3", "master.wav", "captions.srt", "captions.vtt"):
        with desk.page.expect_download() as download:
            players.get_by_role("button", name=f"Download {file}").click()
        kept = _kept(download.value)
        assert kept.name == file
        assert kept.read_bytes() == (desk.studio.folder / name / file).read_bytes()
        if file.startswith("master"):
            assert len(codec.read(kept)[0]) == 60 * 44100


def _kept(download: Download) -> Path:
    path = Path(download.suggested_filename)
    download.save_as(path)
    return path


def _use_the_library(desk: Window, name: str) -> None:
    desk.tab("Library")
    library = desk.panel("Audio library")
    there = {path.name for path in (desk.studio.folder / name).iterdir() if not path.name.startswith(".")}
    with desk.page.expect_download() as download:
        library.get_by_role("button", name=f"Download all files of {name} as a ZIP").click()
    with zipfile.ZipFile(_kept(download.value)) as packed:
        assert packed.testzip() is None
        assert set(packed.namelist()) == there - {"production.json"}
    master = desk.studio.folder / name / "master.wav"
    library.get_by_role("button", name="Delete master.wav").click()
    desk.until(lambda: not master.exists(), "it is deleted")
    expect(library.get_by_text("master.wav", exact=True)).to_have_count(0)
    desk.notices.get_by_role("button", name="Undo").click()
    desk.until(master.exists, "it is back")
    expect(library.get_by_text("master.wav", exact=True)).to_be_visible()


def _look_at_health(desk: Window) -> None:
    desk.tab("Health")
    engines = desk.panel("Health").get_by_role("listitem")
    for engine in ("espeak-ng", "LAME", "FFmpeg", "Workspace"):
        expect(engines.filter(has_text=engine)).to_contain_text("ready")


def test_the_narration_notebook_is_a_page_of_its_own(browser: Browser, studio: Served) -> None:
    with window(browser, studio, studio.fresh(), "narration_studio.ipynb") as desk:
        desk.drag(1, 40)
        desk.saved(desk.name, lambda seconds: seconds[1] > 4.5)
