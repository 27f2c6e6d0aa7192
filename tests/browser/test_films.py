"""Films in the page: filmed with the preview, seen, chosen, tried again; a photo that is sent; the looks."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.alone import Alone
from browser.driving import Window
from browser.test_looks import OVERFLOWING, colour_of, colours, pictured
from PIL import Image
from playwright.sync_api import Locator, Page, expect

SHORT = "शुरुआत\nसाँस लें। (1 sec)\n\nवापसी\nनमस्ते।\n"
PLAYED = "(video) => !video.paused && video.currentTime > 0.2 && video.videoWidth === 720 && !video.error"


@pytest.fixture
def desk(shared: Window) -> Iterator[Window]:
    shared.tab("Film")
    yield shared
    shared.page.set_viewport_size({"width": 1280, "height": 900})
    shared.theme("light")
    shared.tab("Narrate")


def begun(desk: Window) -> Locator:
    """The panel, with a production of its own in it that is spoken."""
    name = desk.studio.fresh(SHORT)
    desk.tab("Narrate")
    desk.switch(name)
    desk.tab("Film")
    return desk.panel("Films")


def picture() -> bytes:
    out = io.BytesIO()
    Image.effect_mandelbrot((300, 400), (-2, -1.5, 1, 1.5), 50).convert("RGB").save(out, "PNG")
    return out.getvalue()


def test_a_photo_is_sent_the_scenes_are_filmed_played_and_kept_and_all_of_it_fits(desk: Window, tmp_path: Path) -> None:
    films = begun(desk)
    expect(films.get_by_role("heading", name="2 scenes to film")).to_be_visible()

    films.get_by_role("button", name="Photo:").click()
    dialog = desk.page.get_by_role("dialog", name="Choose a photo")
    chosen = dialog.get_by_label("Picture file")
    chosen.set_input_files({"name": "broken.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(dialog.get_by_role("alert")).to_contain_text("broken.png is no picture that can be read here")
    chosen.set_input_files({"name": "मीरा.png", "mimeType": "image/png", "buffer": picture()})
    expect(dialog).to_be_hidden()
    expect(films.get_by_role("button", name="Photo: मीरा.png")).to_be_visible()
    assert (desk.studio.workspace / "photos" / "मीरा.png").read_bytes() == picture()

    films.get_by_role("button", name="Film", exact=True).click()
    expect(films.get_by_role("heading", name="The film is there")).to_be_visible(timeout=90_000)
    card = films.get_by_role("listitem").filter(has_text="शुरुआत")
    expect(card.get_by_text("filmed", exact=True)).to_be_visible()
    card.get_by_role("button", name="Play शुरुआत").click()
    video = card.locator("video")
    desk.until(lambda: video.evaluate(PLAYED), "the scene is played")
    whole = films.get_by_role("region", name="The whole film")
    whole.get_by_role("button", name="Play the film").click()
    desk.until(lambda: whole.locator("video").evaluate(PLAYED), "the film is played")
    assert video.evaluate("(video) => video.paused")  # one at a time
    with desk.page.expect_download() as kept:
        whole.get_by_role("button", name="Download film.mp4").click()
    folder = desk.studio.folder / desk.name
    assert Path(kept.value.path()).read_bytes() == (folder / "film.mp4").read_bytes()
    whole.locator("video").evaluate("(video) => video.pause()")

    for theme, width in (("dark", 1280), ("light", 390), ("dark", 390)):
        desk.theme(theme)
        desk.page.set_viewport_size({"width": width, "height": 900})
        expect(films).to_have_attribute("data-theme", theme)
        found = colours(pictured(films, tmp_path / f"{theme} {width}.png"))
        assert colour_of(films, "card") in found
        assert films.evaluate(OVERFLOWING) == []


def test_a_video_that_is_out_of_sight_and_silent_lets_its_bytes_go(desk: Window) -> None:
    films = begun(desk)
    films.get_by_role("button", name="Film: वापसी").click()
    card = films.get_by_role("listitem").filter(has_text="वापसी")
    expect(card.get_by_text("filmed", exact=True)).to_be_visible(timeout=90_000)
    card.get_by_role("button", name="Play वापसी").click()
    desk.until(lambda: card.locator("video").evaluate(PLAYED), "the scene is played")
    card.locator("video").evaluate("(video) => video.pause()")
    desk.tab("Health")
    expect(card.locator("video")).to_have_count(0)
    desk.tab("Film")
    expect(card.get_by_role("button", name="Play वापसी")).to_be_visible()


# The panel without a studio


def scene(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"scene_{number}", "title": f"Scene {number}", "seconds": 9.0, "photo": "", "drawn": True, "still": False,
        "here": False, "changed": False, "cost": "0", "problem": "", "kept": {}, "result": None, **changes,
    }  # fmt: skip


def result(number: int, status: str, **more: Any) -> dict[str, Any]:
    return {
        "scene_id": f"scene_{number}",
        "status": status,
        "message": "",
        "video": "",
        "thumbnail": "",
        "fingerprint": "f",
        **more,
    }


def state(*scenes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    chosen = {
        "film": "preview", "assembly": "preview", "photo": "", "orientation": "portrait", "photo_fit": "cover",
        "background": "#101418", "captions": "burned", "crossfade": 0, "title_card": 0, "motion": "",
    }  # fmt: skip
    production = {
        "name": "calm", "clauses": 2, "unspoken": 0, "choices": {**chosen, **changes.pop("choices", {})}, "pictured": "",
        "problem": "", "scenes": list(scenes), "files": {},
        "quote": {"engine": "preview", "to_film": sum(not each["here"] for each in scenes), "cost": "0", "unknown": False, "changed": 0},
        "film": {"status": "", "file": "", "engine": "preview", "seconds": 0, "errors": [], "missing": [], "current": False},
        **changes,
    }  # fmt: skip
    return {"production": production, "engines": [], "assemblies": [], "works": []}


def test_after_a_failure_the_reason_stands_with_its_scene_and_that_one_is_tried_again(page: Page, modules: str) -> None:
    failed = result(2, "failed", message="The vendor could not see a face.")
    panel = Alone(page, modules, "films", state=state(scene(1, here=True), scene(2, result=failed)))
    expect(page.get_by_role("heading", name="1 scene could not be filmed")).to_be_visible()
    expect(page.get_by_text("The vendor could not see a face.")).to_be_visible()
    panel.button("Try again: Scene 2").dblclick()
    assert panel.asked("film") == [{"scenes": ["scene_2"], "force_upload": False}]
    expect(panel.button("Stop filming")).to_be_visible()


def test_progress_is_told_for_each_scene_and_for_the_whole_and_can_be_stopped(page: Page, modules: str) -> None:
    panel = Alone(page, modules, "films", state=state(scene(1), scene(2)))
    stages = [{"stage": "film", "done": 0, "total": 2, "subject": "scene_1", "share": 0.2}]
    scenes = {"scene_1": ["began", "half way", 0.4]}
    work = {
        "kind": "film",
        "status": "running",
        "error": None,
        "stages": stages,
        "left": 70,
        "clauses": [],
        "scenes": scenes,
    }
    panel.tell("work", work)
    expect(page.get_by_text("0 of 2 scenes · about a minute left").first).to_be_visible()
    expect(page.get_by_text("filming 40 %")).to_be_visible()
    expect(page.get_by_text("waiting", exact=True)).to_be_visible()
    expect(page.get_by_role("progressbar", name="Filming")).to_have_attribute("aria-valuenow", "20")
    expect(page.get_by_label("Frame", exact=True)).to_be_disabled()
    panel.button("Stop filming").click()
    assert panel.asked("stop") == [{}]


def test_what_a_vendor_still_makes_is_looked_at_again_by_the_page_itself(page: Page, modules: str) -> None:
    page.clock.install()
    panel = Alone(page, modules, "films", state=state(scene(1, result=result(1, "processing", message="It goes on."))))
    expect(page.get_by_role("heading", name="1 scene is still being made")).to_be_visible()
    assert panel.asked("look") == []
    page.clock.run_for(31_000)
    assert panel.asked("look") == [{}]


def test_a_choice_that_is_refused_says_why_and_shows_what_stands(page: Page, modules: str) -> None:
    panel = Alone(page, modules, "films", state=state(scene(1)))
    panel.answer(choose={"error": "crossfade cannot be 9.", "kind": "SettingError"})
    page.get_by_text("Background, crossfade, titles and more").click()
    page.get_by_label("Crossfade, seconds").fill("9")
    page.get_by_label("Crossfade, seconds").press("Tab")
    expect(page.get_by_text("crossfade cannot be 9.")).to_be_visible()
    expect(page.get_by_label("Crossfade, seconds")).to_have_value("0")


def test_what_two_engines_made_can_be_seen_side_by_side(page: Page, modules: str) -> None:
    kept = {engine: {"fingerprint": engine, "bytes": 10} for engine in ("preview", "heygen:avatar_iv")}
    panel = Alone(page, modules, "films", state=state(scene(1, here=True, kept=kept)))
    page.get_by_role("button", name=re.compile("side by side")).click()
    dialog = page.get_by_role("dialog", name="Side by side")
    assert dialog.locator("figcaption").all_text_contents() == ["The preview", "HeyGen"]
    dialog.get_by_role("button", name="Play Scene 1, HeyGen").click()
    assert panel.asked("kept_part")[0]["fingerprint"] == "heygen:avatar_iv"


def test_before_it_is_spoken_the_panel_says_so_and_offers_it(page: Page, modules: str) -> None:
    panel = Alone(page, modules, "films", state=state(unspoken=2, quote=None))
    expect(
        page.get_by_text("A film is cut from the master’s timeline, and nothing is spoken yet.").first
    ).to_be_visible()
    panel.button("Speak").click()
    assert panel.asked("speak") == [{}]
