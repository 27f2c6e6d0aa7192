"""OpenAI speech, and servers that speak its API."""

from __future__ import annotations

import asyncio

import pytest
from helpers.vendors import Fault, spoken

from luma_studio.errors import SettingError, VoiceError
from luma_studio.studio import Studio

NOVA = "openai:nova,model=tts-1"
SCRIPT = "Calm\nClose your eyes. (2 sec)\nBreathe in, and out.\nLet it go."


def spoken_by(studio: Studio, voice: str = NOVA):
    production = studio.production("calm", SCRIPT, voice=voice)
    asyncio.run(production.speak())
    return production


@pytest.mark.parametrize("form", ["wav", "flac", "mp3"])
def test_a_script_is_spoken_and_its_edges_are_heard(studio, vendors, form):
    production = spoken_by(studio, f"{NOVA},format={form}")
    for clause, take in zip(production.clauses, production.takes_in_use, strict=True):
        known = spoken(clause.text, 24000)
        said = (take.speech_end - take.speech_start) / 44100
        assert abs(said - (known.ends[-2] - known.starts[0]) / 24000) < 0.025  # the full stop is silent
    assert vendors.bought == {clause.text: 1 for clause in production.clauses}
    asyncio.run(production.speak())
    assert sum(vendors.bought.values()) == 3


def test_what_was_chosen_is_asked_for(studio, vendors):
    spoken_by(studio, "openai:alloy,model=gpt-4o-mini-tts,speed=0.9,instructions=calm")
    asked = vendors.requests[0].json
    assert asked == {
        "model": "gpt-4o-mini-tts",
        "voice": "alloy",
        "input": "Close your eyes.",
        "response_format": "wav",
        "speed": 0.9,
        "instructions": "calm",
    }


def test_sound_that_is_none_is_no_take(studio, vendors):
    vendors.misbehave(Fault(body=b"this is no sound"), when=lambda request: "Let it go." in request.texts)
    with pytest.raises(VoiceError, match=r"1 of 3 clauses .* What OpenAI sent is no sound"):
        spoken_by(studio)
    assert [take is not None for take in studio.production("calm").takes_in_use] == [True, True, False]


def test_clauses_and_samples_of_a_voice_that_costs_nothing_are_not_taken_for_each_other(
    vendors, workspace, monkeypatch
):
    monkeypatch.setenv("LUMA_PRICES", '{"openai:tts-1": 0}')
    with Studio(workspace) as studio:
        production = spoken_by(studio)
        for clause, take in zip(production.clauses, production.takes_in_use, strict=True):
            assert take.length == pytest.approx(len(spoken(clause.text, 44100).samples), abs=2)
        for text in ("Rest.", "Rest a little longer."):
            clip = asyncio.run(studio.hear(text, "en", NOVA))
            assert len(clip.samples) == len(spoken(text, 24000).samples)
        assert not list(studio.account("calm").store.joinpath("arrived").glob("*"))


def test_one_production_mixes_vendors_and_the_embedded_voice_by_speaker(studio, vendors):
    script = '[Scene 1 – Hello]\nDialogue (Woman): "Hello."\nDialogue (Man): "Good day."\nDialogue (VO): "They met."'
    speakers = {"Woman": "elevenlabs:21m00Tcm4TlvDq8ikWAM", "Man": NOVA}
    production = studio.production("meeting", script, speakers=speakers)
    quote = {each.voice: (each.clauses, each.cost) for each in production.quote().voices}
    assert set(quote) == {"elevenlabs:21m00Tcm4TlvDq8ikWAM", NOVA, "espeak"}
    assert quote["espeak"] == (1, 0)
    asyncio.run(production.speak())
    assert vendors.bought == {"Hello.": 1, "Good day.": 1}
    assert {entry.purchase.vendor for entry in studio.ledger.entries("meeting")} == {"ElevenLabs", "OpenAI"}


@pytest.mark.parametrize(
    "choice", ["openai", "openai:nova", "openai:nova,model=tts-1,format=midi", "openai:nova,model=tts-1,speed=9"]
)
def test_a_choice_that_cannot_be_is_refused(studio, choice):
    with pytest.raises(SettingError):
        studio.production("calm", SCRIPT, voice=choice)
