"""Hot takes in the page: who answers, what is missing, the steps live, the words edited before they are spoken."""

from __future__ import annotations

from typing import Any

import pytest
from browser.alone import Alone
from playwright.sync_api import Page, expect

WAITS = {"state": "waiting", "message": "", "took": None}
DONE = {"state": "done", "message": "", "took": 1.5}
SKIPPED = {"state": "skipped", "message": "", "took": None}
OTTO = {
    "id": "otto", "name": "Otto Quillfeather", "bio": "Balanced books.", "language": "en-GB", "colours": ["#24406b"],
    "pictured": False, "voice": "espeak", "heygen_voice": False,
}  # fmt: skip
STATE: dict[str, Any] = {
    "personas": [OTTO, {**OTTO, "id": "juno", "name": "Juno Marzipane", "bio": "Bakes."}], "problems": [],
    "mind": "openai:gpt-5.5", "no_mind": "", "no_transcriber": "No transcriber is chosen.", "kinds": [], "films": [],
    "takes": [], "work": None,
}  # fmt: skip
TAKE: dict[str, Any] = {
    "name": "otto-cats-1", "begun": 0, "persona": "otto", "kind": "hot_take", "pitch": "Cats.", "recording": "",
    "context": "", "heygen_voice": False, "film": "preview", "text": "Show me one owner.", "mind": "openai:gpt-5.5",
    "model": "gpt-5.5", "by_hand": False, "asked": 1000, "answered": 16, "latency": 2.0, "cost": "0",
    "steps": {"transcribe": SKIPPED, "write": DONE, "speak": WAITS, "film": WAITS}, "files": {},
}  # fmt: skip
QUOTE = [{"step": "write", "by": "openai:gpt-5.5", "cost": "0.03"}, {"step": "film", "by": "preview", "cost": "0"}]


@pytest.fixture
def alone(page: Page, modules: str) -> Alone:
    made = {"key": "sound", "name": "otto-cats-1"}
    return Alone(
        page, modules, "persona_studio", state=STATE, quote=QUOTE, make=made, edit={**TAKE, "text": "Show me two."}
    )


def work(status: str, error: str | None = None) -> dict[str, Any]:
    return {"kind": "hot take", "status": status, "stages": [], "scenes": {}, "left": None, "error": error}


def test_a_pitch_is_written_edited_and_only_then_spoken(alone: Alone) -> None:
    page = alone.page
    expect(alone.button("Write it")).to_have_attribute("aria-disabled", "true")
    page.get_by_text("Juno Marzipane").click()
    expect(page.get_by_text("Bakes.")).to_be_visible()
    page.get_by_text("Otto Quillfeather").click()
    page.get_by_role("textbox", name="Pitch").fill("Cats.")
    expect(page.get_by_text("Words: about 0.03 US dollars.")).to_be_visible()
    alone.button("Write it").click()
    (asked,) = alone.asked("make")
    assert (asked["until"], asked["brief"]["persona"], asked["brief"]["pitch"]) == ("write", "otto", "Cats.")
    alone.tell("hot_take", TAKE)
    alone.answer(state={**STATE, "takes": [TAKE], "work": work("done")})
    alone.tell("taking", work("done"))
    expect(page.get_by_text("Written by gpt-5.5 · 1,016 tokens · 2.0 s")).to_be_visible()
    page.locator(".luma-takes-words").fill("Show me two.")
    expect(page.get_by_text("changed by hand")).to_be_visible()
    alone.answer(hear_more={"sound": [0] * 100})
    alone.button("Speak").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    assert alone.asked("edit") == [{"name": "otto-cats-1", "text": "Show me two."}]
    assert alone.asked("make")[-1] == {"until": "speak", "name": "otto-cats-1"}
    page.wait_for_function("alone.asked.some((each) => each.verb === 'hear_more')")


def test_what_is_missing_is_said_before_anything_is_asked(alone: Alone) -> None:
    page = alone.page
    page.get_by_text("A recording").click()
    expect(page.get_by_text("No transcriber is chosen.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Pitch")).to_be_hidden()
    page.get_by_text("Its very words").click()
    expect(page.get_by_text("What would you have answered?")).to_be_visible()
    page.get_by_role("textbox", name="Its words").first.fill("Show me one owner.")
    alone.button("Speak it").click()
    (asked,) = alone.asked("make")
    assert (asked["until"], asked["brief"]["text"]) == ("speak", "Show me one owner.")


def test_a_step_that_failed_says_why_and_can_be_tried_again(alone: Alone) -> None:
    page = alone.page
    failed = {"state": "failed", "message": "ElevenLabs does not know the key.", "took": 1.0}
    alone.tell("hot_take", {**TAKE, "steps": {**TAKE["steps"], "speak": failed}})
    expect(page.get_by_text("ElevenLabs does not know the key.")).to_be_visible()
    expect(alone.button("Speak")).to_have_attribute("aria-disabled", "false")


def test_an_earlier_one_is_shown_again(alone: Alone) -> None:
    earlier = {**TAKE, "name": "otto-old-1", "text": "An older one."}
    alone.answer(state={**STATE, "takes": [earlier], "work": work("done")})
    alone.tell("taking", work("running"))
    alone.tell("taking", work("done"))
    alone.page.get_by_role("button", name="Otto Quillfeather written").click()
    expect(alone.page.locator(".luma-takes-words")).to_have_value("An older one.")
