"""OpenAI speech, and servers that speak its API."""

from __future__ import annotations

import asyncio

import pytest
from helpers.vendors import Fault, Vendors, spoken

from luma_studio import wire
from luma_studio.errors import SettingError, VoiceError
from luma_studio.production import Production
from luma_studio.store.takes import Recipe
from luma_studio.studio import Studio
from luma_studio.voices import VoiceChoice

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


# A server of one's own


@pytest.mark.parametrize(
    ("address", "server"),
    [
        (None, None),
        ("", None),
        ("https://api.openai.com/v1", None),
        ("https://API.openai.com:443/v1/", None),
        ("https://eu.api.openai.com/v1", None),
        ("http://localhost:8000/v1", "localhost:8000/v1"),
        ("http://Localhost:8000/v1/", "localhost:8000/v1"),
        ("https://me:secret@speech.example/api", "speech.example/api"),
        ("http://speech.example:80", "speech.example"),
        ("https://api.openai.com.example/v1", "api.openai.com.example/v1"),
        ("https://notapi.openai.com/v1", "notapi.openai.com/v1"),
        ("http://[::1]:8000/v1", "[::1]:8000/v1"),
        ("http://[", "nowhere"),
    ],
)
def test_a_server_of_ones_own_is_in_the_identity_and_the_vendor_is_not(studio, monkeypatch, address, server):
    if address is not None:
        monkeypatch.setenv("OPENAI_BASE_URL", address)
    today = {"engine": "openai", "model": "tts-1", "voice": "nova", "format": "wav"}
    there = {} if server is None else {"server": server}
    assert studio.voice(VoiceChoice.parse(NOVA)).identity == {**today, **there}


def test_takes_that_were_bought_from_openai_are_found_as_before(studio):
    known = "98667361c6d7d637ecfb7df682a40279bca40946f8a8484b8a314e0e05f03595"
    assert Recipe(studio.voice(VoiceChoice.parse(NOVA)).identity, "en", "Let it go.").fingerprint == known


@pytest.fixture
def other(vendors: Vendors):
    """Another server with OpenAI's API."""
    with Vendors() as other:
        yield other


def in_use(production: Production) -> list[str]:
    return [take.fingerprint for take in production.takes_in_use]


def test_takes_stay_in_use_when_the_server_changes_and_speaking_buys_them_there_once(
    vendors, other, workspace, monkeypatch
):
    with Studio(workspace) as studio:
        first = in_use(spoken_by(studio))
    monkeypatch.setenv("OPENAI_BASE_URL", other.address("openai"))
    with Studio(workspace) as studio:
        production = studio.production("calm", SCRIPT, voice=NOVA)
        assert in_use(production) == first
        production.tune({0: 4.0})
        production.export("calm.wav")
        assert production.quote().to_speak == studio.quote("calm", SCRIPT).to_speak == 3
        assert studio.quote("calm", SCRIPT.replace("Let it go.", "Let it be.")).to_speak == 3
        assert production.spoken == (False, False, False)
        assert not other.requests
        asyncio.run(production.speak())
        second = in_use(production)
        assert not set(first) & set(second)
        assert production.spoken == (True, True, True)
        assert [len(production.takes(index)) for index in range(3)] == [2, 2, 2]
    monkeypatch.setenv("OPENAI_BASE_URL", vendors.address("openai"))
    with Studio(workspace) as studio:
        production = studio.production("calm")
        assert (in_use(production), production.quote().to_speak) == (second, 0)
        asyncio.run(production.speak())
        assert in_use(production) == first
    assert vendors.bought == other.bought == {clause.text: 1 for clause in production.clauses}


def test_a_changed_script_wants_takes_of_the_server_that_is_set(vendors, other, workspace, monkeypatch):
    with Studio(workspace) as studio:
        spoken_by(studio)
    monkeypatch.setenv("OPENAI_BASE_URL", other.address("openai"))
    with Studio(workspace) as studio:
        production = studio.production("calm", SCRIPT.replace("Let it go.", "Let it be."))
        assert production.takes_in_use == (None, None, None)  # as with another voice
        assert production.quote().to_speak == 3
    monkeypatch.setenv("OPENAI_BASE_URL", vendors.address("openai"))
    with Studio(workspace) as studio:
        assert studio.production("calm").quote().to_speak == 1  # nothing that was bought is lost


def test_a_studio_that_is_open_follows_the_server_that_is_set(studio, vendors, other, monkeypatch):
    production = spoken_by(studio)
    monkeypatch.setenv("OPENAI_BASE_URL", other.address("openai"))
    assert production.quote().to_speak == 3
    asyncio.run(production.speak())
    assert other.bought == vendors.bought
    asyncio.run(studio.hear("Rest.", "en", NOVA))
    assert (vendors.bought["Rest."], other.bought["Rest."]) == (0, 1)


def test_nothing_is_bought_from_a_server_that_was_set_after_the_order(studio, vendors, other, monkeypatch):
    production = studio.production("calm", SCRIPT, voice=NOVA)

    def change(event):
        monkeypatch.setenv("OPENAI_BASE_URL", other.address("openai"))

    with pytest.raises(VoiceError, match=r"OPENAI_BASE_URL was changed meanwhile, so this was not bought\."):
        asyncio.run(production.speak(change))
    assert not other.bought
    asyncio.run(production.speak())
    assert None not in production.takes_in_use


def test_long_productions_do_not_look_at_the_settings_for_every_clause(studio, vendors, monkeypatch):
    looks = []
    monkeypatch.setattr(
        "luma_studio.wire.access", lambda vendor, look=wire.access: looks.append(vendor) or look(vendor)
    )
    production = studio.production("calm", "Calm\n" + "".join(f"Line {n} here.\n" for n in range(200)), voice=NOVA)
    production.quote()
    studio.quote("another", production.text, voice=NOVA)
    assert len(looks) < 20
