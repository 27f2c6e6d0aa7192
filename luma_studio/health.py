"""What the studio needs, tried: each engine does a little of its work, and says what is in the way if it cannot."""

from __future__ import annotations

import asyncio
import io
import secrets
import shutil
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import av
import numpy as np

from luma_studio.audio import codec
from luma_studio.audio.clip import Samples
from luma_studio.audio.mp3 import encode_run
from luma_studio.errors import AudioError, LumaError, NoKeyError, StoreError, VoiceError
from luma_studio.store import files
from luma_studio.studio import STORE, Studio
from luma_studio.video import creatomate, freepik, heygen_account
from luma_studio.voices import Speech, Utterance, VoiceChoice, elevenlabs, openai
from luma_studio.voices.embedded import ENGINE, languages
from luma_studio.wire import CREATOMATE, FREEPIK, GROQ, HEYGEN, OPENAI, Home, Wires

_VENDORS: tuple[tuple[Home, str, Callable[[Wires], Awaitable[str]]], ...] = (
    (elevenlabs.HOME, "voices with the time of each word", elevenlabs.account),
    (OPENAI, "voices, and minds for agents", openai.account),
    (GROQ, "quick minds for agents", lambda wires: openai.account(wires, GROQ)),
    (HEYGEN, "photos that talk", heygen_account.account),
    (FREEPIK, "stills that move", freepik.account),
    (CREATOMATE, "films by templates", creatomate.account),
)
_RATE = 44100
_LEAST_FREE = 10**9  # bytes; a hundred minutes with their takes and runs take about as many
_AGAIN = "Install Luma Studio again."


@dataclass(frozen=True, slots=True)
class Engine:
    """Something the studio works with: what for, whether it is ``ready``, and in a sentence what was found.

    ``remedy`` is what to do where it is not ready, and empty where it is. What is not ``needed`` makes things better:
    all that the studio is for works without.
    """

    name: str
    what_for: str
    ready: bool
    detail: str
    remedy: str
    needed: bool = True


def health(studio: Studio) -> tuple[Engine, ...]:
    """Try every engine and each vendor that there is a key for, nothing of which is left behind or costs anything.

    Takes about half a second, and at most six where vendors do not answer: a page calls it in a thread. What cannot
    work is no error: it says so, and what to do.
    """
    return (*_embedded(studio), *vendors(studio))


def vendors(studio: Studio) -> tuple[Engine, ...]:
    """Ask each vendor, all at once, whether its key works and what is left of its quota."""

    async def asked() -> list[str | BaseException]:
        return await asyncio.gather(*(account(studio.wires) for _, _, account in _VENDORS), return_exceptions=True)

    with ThreadPoolExecutor(1) as thread:  # the caller's may have a loop of its own, as in a notebook
        answers = thread.submit(lambda: asyncio.run(asked())).result()
    return tuple(
        _answered(home, what_for, answer) for (home, what_for, _), answer in zip(_VENDORS, answers, strict=True)
    )


def _answered(home: Home, what_for: str, answer: str | BaseException) -> Engine:
    if isinstance(answer, str):
        return Engine(home.name, what_for, True, answer, "", needed=False)
    if isinstance(answer, NoKeyError):
        return Engine(
            home.name, what_for, False, "No key is set.", f"To use it, put {home.variable}=… into .env.", needed=False
        )
    if isinstance(answer, LumaError):
        return Engine(home.name, what_for, False, str(answer), f"Look at {home.variable} in .env.", needed=False)
    raise answer


def _embedded(studio: Studio) -> tuple[Engine, ...]:
    return (
        _tried("espeak-ng", "speaks without a key", lambda: _speaks(studio), _AGAIN),
        _tried("LAME", "MP3 masters and scenes", _encodes_mp3, _AGAIN),
        _tried("FFmpeg", "FLAC, M4A and WAV, and the audit", _encodes_others, _AGAIN),
        _tried(
            "Workspace",
            "keeps productions and takes",
            lambda: _keeps(studio),
            "Choose another workspace (LUMA_WORKSPACE), or allow access to this one.",
        ),
        _tried(
            "Disk space",
            "room for takes and masters",
            lambda: _has_room(studio),
            "Free some space, or choose another workspace (LUMA_WORKSPACE).",
        ),
    )


def _tried(name: str, what_for: str, check: Callable[[], str], remedy: str) -> Engine:
    try:
        return Engine(name, what_for, True, check(), "")
    except (LumaError, ImportError, OSError) as error:
        return Engine(name, what_for, False, str(error), remedy)


def _speaks(studio: Studio) -> str:
    voice = studio.voice(VoiceChoice.parse(ENGINE))

    def speak() -> Speech:
        return asyncio.run(voice.speak(Utterance("Hello.", "en"), studio.account("health")))

    with ThreadPoolExecutor(1) as thread:  # the caller's may have a loop of its own, as in a notebook
        speech = thread.submit(speak).result()
    if not speech.samples.any():
        raise VoiceError("It spoke, but nothing is to be heard.")
    return f"Speaks {len(set(languages().values()))} languages."


def _encodes_mp3() -> str:
    run = encode_run(_tone(), _RATE, 128)
    _check_sound("mp3", run)
    return "Encodes MP3."


def _encodes_others() -> str:
    kinds: tuple[Literal["flac", "m4a", "wav"], ...] = ("flac", "m4a", "wav")
    for kind in kinds:
        file = io.BytesIO()
        codec.encode([_tone()], file, kind, _RATE)
        _check_sound(kind, file.getvalue())
    return f"FFmpeg {av.ffmpeg_version_info} encodes and decodes FLAC, M4A and WAV."


def _check_sound(kind: str, data: bytes) -> None:
    samples, _ = codec.read(data)
    if not samples.any():
        raise AudioError(f"{kind.upper()} was encoded, but nothing is to be heard.")


def _tone() -> Samples:
    """A tenth of a second that can be heard."""
    samples: Samples = (8000 * np.sin(np.arange(_RATE // 10) * 0.06)).astype(np.int16)
    return samples


def _keeps(studio: Studio) -> str:
    path = studio.folder / STORE / f".{secrets.token_hex(6)}.part"  # is swept, should we die here
    files.write(path, b"Luma Studio was here.")
    files.remove(path)
    return f"{studio.folder.resolve()} can be written."


def _has_room(studio: Studio) -> str:
    there = next(folder for folder in (studio.folder, *studio.folder.resolve().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < _LEAST_FREE:
        raise StoreError(f"Only {free / 1e9:.2f} GB are free.")
    return f"{free / 1e9:.0f} GB are free."
