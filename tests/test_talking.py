"""A photo that talks by itself: with a recording or a voice of the vendor; by a mind within bounds, or rules."""

from __future__ import annotations

import asyncio
from pathlib import Path

import av
import pytest
from helpers.filming import picture, sound
from helpers.heygen import HeyGen
from helpers.vendors import Vendors

from luma_studio.agents.avatar import Wish
from luma_studio.errors import LumaError, NoKeyError, SettingError
from luma_studio.studio import Studio
from luma_studio.talking import Talk
from luma_studio.video.base import Photo

WORDS = "Welcome to our platform."


@pytest.fixture
def photo(workspace: Path) -> Photo:
    return Photo("Mira", picture(workspace / "mira.png", (640, 800)))


@pytest.fixture
def recording(workspace: Path) -> Path:
    return sound(workspace / "welcome.wav", 16_000).path


@pytest.fixture
def heygen(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> HeyGen:
    monkeypatch.setenv("STATUS_POLL_INTERVAL_SECONDS", "0.01")
    made = vendors.film["heygen"]
    assert isinstance(made, HeyGen)
    return made


def talked(studio: Studio, talk: Talk, engine: str = "preview"):
    return asyncio.run(studio.talk(talk, engine))


def test_a_recording_is_talked_without_any_key_and_made_once(studio, photo, recording):
    made = talked(studio, Talk(photo, Wish(WORDS), recording))
    assert (made.status, made.by, made.filmed["script"]) == ("completed", "rules", WORDS)
    assert made.filmed["title"] == "Welcome to our platform."
    video = studio.folder / "talking" / made.video
    with av.open(video) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (720, 1280)
        assert container.duration / av.time_base == pytest.approx(2.0, abs=0.03)
    before = video.stat().st_mtime_ns
    assert talked(studio, Talk(photo, Wish(WORDS), recording)) == made
    assert video.stat().st_mtime_ns == before
    assert studio.talks() == (made,)


def test_what_its_author_wants_wins(studio, photo, recording):
    wish = Wish(WORDS, title="Hello", orientation="landscape", fit="contain", motion="She nods.")
    made = talked(studio, Talk(photo, wish, recording))
    assert made.filmed == {
        "title": "Hello", "script": WORDS, "voice_id": None, "orientation": "landscape", "fit": "contain",
        "motion": "She nods.",
    }  # fmt: skip


def test_heygen_talks_with_our_recording_or_with_a_voice_that_it_has(studio, photo, recording, heygen, vendors):
    made = talked(studio, Talk(photo, Wish(WORDS), recording), "heygen")
    assert (made.status, made.request_payload["type"]) == ("completed", "image")
    assert made.request_payload["audio_asset_id"]
    voiced = talked(studio, Talk(photo, Wish(WORDS, voice="voice_1")), "heygen:avatar_iv")
    assert (voiced.request_payload["script"], voiced.request_payload["voice_id"]) == (WORDS, "voice_1")
    assert voiced.engine == "heygen:avatar_iv,voice=voice_1"
    assert sum(heygen.bought.values()) == 2
    talked(studio, Talk(photo, Wish(WORDS, voice="voice_1")), "heygen:avatar_iv")
    assert sum(heygen.bought.values()) == 2


def test_a_voice_is_never_made_up(studio, photo, heygen):
    with pytest.raises(SettingError, match="say which of HeyGen's voices speaks"):
        talked(studio, Talk(photo, Wish(WORDS, voice="ryan_smith")), "heygen")
    assert not heygen.bought


@pytest.mark.parametrize(
    ("engine", "error", "words"),
    [("preview", SettingError, "speaks no words"), ("heygen", NoKeyError, "HEYGEN_API_KEY"), ("x", SettingError, "x")],
)
def test_without_a_sound_a_voice_is_needed_and_without_a_key_it_is_told(studio, photo, engine, error, words):
    with pytest.raises(error, match=words):
        talked(studio, Talk(photo, Wish(WORDS)), engine)


def test_a_sound_that_is_none_is_told(studio, photo, workspace):
    (workspace / "no.wav").write_bytes(b"no sound")
    with pytest.raises(LumaError, match=r"no\.wav"):
        talked(studio, Talk(photo, Wish(WORDS), workspace / "no.wav"))
