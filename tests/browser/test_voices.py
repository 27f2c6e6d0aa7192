"""Voices of vendors in the script editor, by itself: what is free is told from what is bought, and names become ids."""

from __future__ import annotations

from typing import Any

import pytest
from browser.alone import Alone
from browser.driving import LISTENING
from playwright.sync_api import Page, expect

RACHEL, DREW = "elevenlabs:21m00Tcm4TlvDq8ikWAM", "elevenlabs:29vD33N1CtxCmqQRPOHJ"
MODEL = ",model=eleven_multilingual_v2"
CHOICES = {"speakers": {}, "language": None, "granularity": "sentence", "sentence_pause": 1.5, "comma_pause": 0.5}
OFFERS = [
    {
        "engine": "elevenlabs",
        "vendor": "ElevenLabs",
        "models": ["eleven_multilingual_v2"],
        "voices": [
            {"voice": RACHEL, "name": "Rachel", "about": "", "preview": "https://elsewhere.example/rachel.mp3"},
            {"voice": DREW, "name": "Drew", "about": "", "preview": ""},
        ],
    },
    {"problem": "OpenAI needs a key.", "vendor": "OpenAI", "lacks_key": True},
    {
        "engine": "persona",
        "vendor": "Personas",
        "models": [],
        "voices": [{"voice": "persona:asha", "name": "Asha", "about": "Kept a timetable.", "preview": ""}],
    },
]


def opened(page: Page, modules: str, voice: str, **answers: Any) -> Alone:
    """The editor with a voice chosen, and its choices shown."""
    state = {"name": None, "text": "", "draft": None, "standing": "", "mark": "", "works": []}
    state["choices"] = {"voice": voice, **CHOICES}
    sound = {"sound": [1000] * 441}
    told = {"about": {"variants": ["f3"], "examples": []}, "offers": OFFERS, "left": [], "state": state}
    editor = Alone(page, modules, "script_editor", **told, hear="one", preview="two", hear_more=sound, **answers)
    page.evaluate(LISTENING)
    page.get_by_text("Voice & reading").click()
    expect(page.get_by_label("Model")).to_be_visible()
    return editor


@pytest.fixture
def editor(page: Page, modules: str) -> Alone:
    return opened(page, modules, RACHEL + MODEL)


def test_a_ready_made_sample_is_listened_to_and_nothing_is_bought(editor: Alone) -> None:
    requests: list[str] = []
    editor.page.on("request", lambda request: requests.append(request.url))
    editor.button("Listen to a ready-made sample of this voice, free").click()
    editor.page.wait_for_function("heard.length === 1")
    assert editor.page.evaluate("heard") == [441]
    assert (editor.asked("preview"), editor.asked("hear")) == ([{"voice": RACHEL}], [])
    assert requests == []  # the page itself fetches nothing


def test_ones_own_words_are_bought_beside_it(editor: Alone) -> None:
    editor.button("Buy a sample of this voice, a few words, and hear it").click()
    editor.page.wait_for_function("heard.length === 1")
    assert [given["voice"] for given in editor.asked("hear")] == [RACHEL + MODEL]
    assert editor.asked("preview") == []


def test_a_voice_without_a_ready_made_sample_offers_none(editor: Alone) -> None:
    editor.page.get_by_label("Voice", exact=True).select_option(DREW)
    expect(editor.button("Buy a sample of this voice, a few words, and hear it")).to_be_visible()
    expect(editor.button("Listen to a ready-made sample of this voice, free")).to_have_count(0)


def test_a_name_that_is_typed_becomes_the_voice_it_names(page: Page, modules: str) -> None:
    editor = opened(page, modules, DREW + MODEL, written=RACHEL + MODEL)
    written = page.get_by_label("As written")
    written.fill(f" elevenlabs:Rachel{MODEL} ")
    written.press("Tab")
    expect(written).to_have_value(RACHEL + MODEL)
    expect(page.locator("summary").last).to_contain_text("Rachel · ElevenLabs · eleven_multilingual_v2")
    assert editor.asked("written") == [{"voice": f"elevenlabs:Rachel{MODEL}"}]


def test_a_name_that_nobody_has_is_told_and_the_voice_stays(page: Page, modules: str) -> None:
    nobody = "ElevenLabs has no voice 'Nobody'."
    opened(page, modules, RACHEL + MODEL, written={"error": nobody, "kind": "SettingError"})
    written = page.get_by_label("As written")
    written.fill("elevenlabs:Nobody")
    written.press("Tab")
    expect(page.get_by_role("alert").filter(has_text=nobody)).to_be_visible()
    expect(written).to_have_value(RACHEL + MODEL)


def test_a_persona_that_is_chosen_becomes_the_voice_it_speaks_with(page: Page, modules: str) -> None:
    editor = opened(page, modules, DREW + MODEL, written="espeak:hi+f3,rate=140")
    page.get_by_label("Spoken by").select_option("persona:asha")
    expect(page.get_by_label("Pace")).to_have_value("140")
    expect(page.get_by_label("Spoken by")).to_have_value("espeak")
    assert editor.asked("written") == [{"voice": "persona:asha"}]


def test_a_persona_without_a_voice_is_told_and_the_voice_stays(page: Page, modules: str) -> None:
    nobody = "There is no persona 'asha'."
    opened(page, modules, DREW + MODEL, written={"error": nobody, "kind": "PersonaError"})
    page.get_by_label("Spoken by").select_option("persona:asha")
    expect(page.get_by_role("alert").filter(has_text=nobody)).to_be_visible()
    expect(page.get_by_label("Spoken by")).to_have_value("elevenlabs")
