"""Ready-made samples: fetched once, without a key, only where that is safe, and kept only if they sound."""

from __future__ import annotations

import asyncio
import io
from urllib.parse import urlsplit

import numpy as np
import pytest
from helpers.hearing import all_of
from helpers.vendors import VOICES, Fault, spoken

from luma_studio.audio import codec
from luma_studio.errors import BrokenAnswerError, SettingError, TooLargeError, UnreachableError, VendorError
from luma_studio.panels.script_editor import ScriptEditor
from luma_studio.panels.session import Session
from luma_studio.studio import STORE, Studio
from luma_studio.voices import elevenlabs, offers

RACHEL = f"elevenlabs:{next(iter(VOICES))}"
WORDS = "preview"


@pytest.fixture
def address(vendors) -> str:
    return f"{vendors.address('elevenlabs')}/previews/{RACHEL[11:]}.mp3"


def hear(studio: Studio, address: str):
    return asyncio.run(studio.preview(address))


def kept(studio: Studio) -> list[str]:
    return [path.name for path in (studio.folder / STORE / "previews").glob("*")]


def test_voices_of_elevenlabs_are_listed_with_their_previews(studio, vendors, address):
    offer, openai = asyncio.run(offers(studio.wires))
    assert offer.voices[0].preview == address
    assert {voice.preview for voice in openai.voices} == {""}


@pytest.mark.parametrize("told", [None, ""])
def test_a_voice_without_a_preview_has_none(told):
    assert elevenlabs._listed({"voice_id": "x", "name": "X", "preview_url": told}).preview == ""


def test_a_preview_is_fetched_once_without_a_key_and_costs_nothing(vendors, workspace, address):
    for _ in range(2):
        with Studio(workspace) as studio:
            clip = hear(studio, address)
            assert clip.rate == 44100
            assert len(clip) == pytest.approx(len(spoken(WORDS, 44100).samples), abs=2)
            assert not studio.ledger.entries()
    (request,) = vendors.requests
    assert not {"xi-api-key", "authorization"} & set(request.headers)
    assert "sk-test" not in str(request.headers)
    assert not vendors.bought


def test_no_key_is_needed(studio, vendors, address, monkeypatch):
    monkeypatch.delenv("ELEVENLABS_API_KEY")
    assert hear(studio, address).samples.any()


def test_what_stands_behind_a_question_mark_is_asked_for_and_a_password_is_not_sent(studio, vendors, address):
    there = urlsplit(address)
    hear(studio, there._replace(netloc=f"me:secret@{there.netloc}", query="signed=1", fragment="x").geturl())
    (request,) = vendors.requests
    assert request.query == {"signed": "1"}
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    "wrong",
    [
        "http://speech.example/x.mp3",
        "http://127.0.0.1.speech.example/x.mp3",
        "http://127.0.0.1@speech.example/x.mp3",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x.mp3",
        "//127.0.0.1/x.mp3",
        "http://[/x.mp3",
        "https://127.0.0.1:99999/x.mp3",
        "x.mp3",
        "",
    ],
)
def test_an_address_that_is_not_safe_is_not_asked(studio, wrong):
    with pytest.raises(UnreachableError, match="none that may be asked, by https"):
        hear(studio, wrong)


@pytest.mark.parametrize("wrong", ["https://127.0.0.1:1/x.mp3", "https://", "https:///x"])
def test_what_is_not_there_is_told_with_what_can_be_done(studio, wrong):
    with pytest.raises(UnreachableError, match="Try again, or buy a sample instead"):
        hear(studio, wrong)


@pytest.mark.parametrize(
    ("fault", "error", "told"),
    [
        (Fault(status=404), UnreachableError, r"cannot be fetched from 127.0.0.1:\d+ \(404\)"),
        (Fault(status=401), UnreachableError, r"\(401\)"),
        (Fault(status=302, headers={"Location": "http://127.0.0.1/"}), UnreachableError, r"\(302\)"),
        (Fault(how="cut"), UnreachableError, "cannot be fetched"),
        (Fault(how="cut in body"), UnreachableError, "cannot be fetched"),
        (Fault(how="endless"), TooLargeError, "larger than 2 MB"),
        (Fault(body=b"this is no sound"), BrokenAnswerError, "no sound that can be played"),
        (Fault(body=b""), BrokenAnswerError, "no sound that can be played"),
    ],
    ids=str,
)
def test_what_is_no_sound_is_not_kept_and_is_fetched_again(studio, vendors, address, fault, error, told):
    vendors.misbehave(fault)
    with pytest.raises(error, match=told) as raised:
        hear(studio, address)
    assert isinstance(raised.value, VendorError)
    assert "_API_KEY" not in str(raised.value)
    assert "_BASE_URL" not in str(raised.value)
    assert kept(studio) == []
    assert hear(studio, address).samples.any()


def test_a_preview_that_was_damaged_on_the_disk_is_fetched_again(studio, vendors, address):
    hear(studio, address)
    (path,) = (studio.folder / STORE / "previews").iterdir()
    path.write_bytes(b"damaged")
    assert hear(studio, address).samples.any()
    hear(studio, address)
    assert len(vendors.requests) == 2


def test_a_preview_of_more_than_two_megabytes_is_not_taken_although_it_sounds(studio, vendors, address):
    file = io.BytesIO()
    codec.encode([np.ones(1_010_000, np.int16)], file, "wav", 44100)
    vendors.misbehave(Fault(body=file.getvalue()))
    with pytest.raises(TooLargeError):
        hear(studio, address)


def test_no_more_is_decoded_than_is_heard(studio, address, monkeypatch):
    decoded = iter([np.ones(40 * 44100, np.int16)] * 3)
    monkeypatch.setattr(codec, "decode", lambda _data, _rate: decoded)
    assert len(hear(studio, address)) == 60 * 44100
    assert len(list(decoded)) == 1


def test_few_bytes_that_stand_for_hours_are_heard_for_a_minute(studio, vendors, address):
    file = io.BytesIO()
    codec.encode([np.zeros(44100 * 600, np.int16)], file, "flac", 44100)
    vendors.misbehave(Fault(body=file.getvalue()))
    assert len(hear(studio, address)) == 60 * 44100


# In the page


def test_the_page_hears_a_preview_of_a_voice_that_was_offered(studio, vendors):
    with Session(studio) as session:
        editor = ScriptEditor(session)
        voice = editor.do_offers()[0]["voices"][0]["voice"]
        for _ in range(2):
            samples, rate = all_of(editor, editor.do_preview(voice))
            assert len(samples) / rate > 0.3
    assert len(vendors.seen(".mp3")) == 1
    assert not vendors.bought


@pytest.mark.parametrize("voice", [RACHEL, "openai:nova", "espeak"])
def test_a_preview_that_nobody_told_of_is_not_fetched(studio, voice):
    with Session(studio) as session, pytest.raises(SettingError, match="no ready-made sample"):
        ScriptEditor(session).do_preview(voice)
