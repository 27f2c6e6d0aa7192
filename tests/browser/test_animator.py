"""Stills that move, in the page: the prompts are seen and changed before anything is sent, and the clip is played."""

from __future__ import annotations

import re

import pytest
from browser.driving import Window
from PIL import Image
from playwright.sync_api import expect


@pytest.fixture
def desk(shared: Window) -> Window:
    photos = shared.studio.workspace / "photos"
    photos.mkdir(exist_ok=True)
    Image.linear_gradient("L").resize((300, 400)).convert("RGB").save(photos / "lake.png")
    shared.tab("Animate")
    return shared


def test_a_still_is_chosen_its_words_are_written_and_changed_and_the_clip_is_played(desk: Window) -> None:
    panel = desk.panel("Animator")
    panel.get_by_role("button", name="Choose a photo").click()
    desk.page.get_by_role("dialog", name="Choose a photo").get_by_role("button", name="lake.png").click()
    panel.get_by_label("What you want").fill("Mist over a lake")
    panel.get_by_role("button", name="Write it for me").click()
    expect(panel.get_by_text("Written by the rules.")).to_be_visible()
    expect(panel.get_by_label("Prompt", exact=True)).to_have_value(re.compile("^Mist over a lake\\."))
    panel.get_by_label("Not to be seen").fill("people")
    expect(panel.get_by_text("Free with the preview.")).to_be_visible()
    panel.get_by_role("button", name="Animate", exact=True).click()
    card = panel.get_by_role("listitem").filter(has_text="lake")
    card.get_by_role("button", name="Play lake, 5 seconds").click(timeout=90_000)
    desk.until(
        lambda: card.locator("video").evaluate("(video) => video.currentTime > 0.2 && video.duration > 4.9"),
        "the clip is played",
    )
