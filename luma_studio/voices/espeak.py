"""The embedded voice: espeak-ng from the ``espeakng-loader`` wheel, offline, in over a hundred languages."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import queue
import random
import subprocess
import sys
import threading
import weakref
import zlib
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import espeakng_loader
import numpy as np

from luma_studio.errors import SettingError, VoiceError
from luma_studio.store.ledger import Account
from luma_studio.timeline.take import Word
from luma_studio.voices.base import Hear, Speech, Utterance, Value, VoiceChoice
from luma_studio.voices.embedded import ENGINE, languages, variants

_PATIENCE = 60.0  # seconds for one clause, which takes some milliseconds
_WORKER = Path(__file__).with_name("espeak_worker.py")
_RATES = range(80, 451)  # words a minute
_PITCHES = range(100)
_SETTINGS = {"rate": 150, "pitch": 50}
_FEMALE, _MALE = ("f3", "f2", "f4"), ("m3", "m7", "m1")
_NARRATORS = {"", "vo", "v.o.", "voiceover", "voice over", "narrator", "कथावाचक"}
_WOMEN = {"woman", "girl", "female", "lady", "mother", "she", "औरत", "महिला", "लड़की", "mujer", "femme", "frau", "donna"}
_MEN = {"man", "boy", "male", "gentleman", "father", "he", "आदमी", "पुरुष", "लड़का", "hombre", "homme", "mann", "uomo"}
_SPREAD = {"rate": 0.06, "pitch": 0.12}  # how far another seed may go from the settings


def variant_for(speaker: str | None) -> str:
    """A variant that tells a speaker from others, always the same for the same name; "" for the narrator."""
    name = (speaker or "").casefold().strip()
    if name in _NARRATORS:
        return ""
    words = set(name.replace("-", " ").split())
    among = _FEMALE if words & _WOMEN else _MALE if words & _MEN else (*_FEMALE, *_MALE)
    return among[zlib.crc32(name.encode("utf-8", "replace")) % len(among)]


class EspeakVoice:
    """espeak with a voice chosen: ``espeak``, ``espeak:hi``, ``espeak:+f3``, ``espeak:en-us+m3,rate=130,pitch=40``.

    Without a language in the name the clause's own is used. ``rate`` is words a minute (80 to 450), ``pitch`` 0 to 99.
    Raises SettingError for a voice or setting that espeak does not have.
    """

    price = Decimal(0)
    tags = False
    company = None

    def __init__(self, choice: VoiceChoice) -> None:
        language, _, self._variant = choice.voice.partition("+")
        self._language = language.lower()
        if self._language and self._language not in languages():
            raise SettingError(f"espeak has no language {self._language!r}. All it has: luma-studio voices.")
        if self._variant and self._variant not in variants():
            raise SettingError(f"espeak has no variant {self._variant!r}. All it has: luma-studio voices.")
        self._settings = _checked(choice)
        self.identity: Mapping[str, Value] = {
            "engine": ENGINE,
            "version": version("espeakng-loader"),
            "voice": f"{self._language}+{self._variant}",
            **self._settings,
        }
        self.concurrency = _cores()
        _users.add(self)

    def speaks(self, language: str) -> bool:
        """Whether espeak has the language, or was told to use another for all."""
        return bool(self._language) or _nearest(language) is not None

    async def speak(self, utterance: Utterance, account: Account | None = None, hear: Hear | None = None) -> Speech:
        """Speak a clause: 22,050 samples a second, with the time of each word. Raises VoiceError."""
        speech = await asyncio.to_thread(self._speak, utterance)
        if hear is not None:
            hear(speech.samples, speech.rate)
        return speech

    def close(self) -> None:
        """Need the worker processes no more; after the last voice that does they end."""
        _users.discard(self)
        if not _users:
            _workers.close()

    def _speak(self, utterance: Utterance) -> Speech:
        language = _nearest(self._language or utterance.language)
        if language is None:
            raise VoiceError(f"espeak does not speak {utterance.language!r}. Choose a voice for it, as in espeak:en.")
        request = {
            "text": utterance.text,
            "voice": f"{language}+{self._variant}" if self._variant else language,
            **_varied(self._settings, utterance.seed),
        }
        header, audio = _workers.ask(request)
        if "error" in header:
            raise VoiceError(f"espeak could not speak {_short(utterance.text)}: {header['error']}.")
        samples = np.frombuffer(audio, dtype="<i2").astype(np.int16, copy=False)
        words = _words(header["words"], len(samples) / header["rate"], len(utterance.text))
        return Speech(samples, header["rate"], words)


def _checked(choice: VoiceChoice) -> dict[str, Value]:
    settings: dict[str, Value] = {**_SETTINGS, **dict(choice.settings)}
    for name, value in settings.items():
        allowed = {"rate": _RATES, "pitch": _PITCHES}.get(name)
        if allowed is None:
            raise SettingError(
                f"espeak has no setting {name!r}; it has rate and pitch, as in espeak:hi,rate=140,pitch=50."
            )
        if type(value) is not int or value not in allowed:
            raise SettingError(
                f"espeak's {name} is {value!r}; it must be a whole number from {allowed[0]} to {allowed[-1]}."
            )
    return settings


def _varied(settings: Mapping[str, Value], seed: int) -> dict[str, int]:
    """The settings for a seed: another seed is heard as a slightly different pace and pitch."""
    chance = random.Random(seed)  # noqa: S311
    ranges = {"rate": _RATES, "pitch": _PITCHES}
    varied = {}
    for name, value in settings.items():
        spread = _SPREAD[name] if seed else 0.0
        moved = round(float(value) * (1 + chance.uniform(-spread, spread)))
        varied[name] = min(max(moved, ranges[name][0]), ranges[name][-1])
    return varied


def _nearest(language: str) -> str | None:
    """espeak's own voice for a language or the wider one it belongs to."""
    tag = language.lower()
    while tag not in languages() and "-" in tag:
        tag = tag.rpartition("-")[0]
    return languages().get(tag)


def _words(events: list[list[int]], seconds: float, characters: int) -> tuple[Word, ...]:
    """Words from espeak's events, which know only starts: each lasts until the next."""
    starts = [*(milliseconds / 1000 for _, _, milliseconds in events), seconds]
    spans = [(max(0, first - 1), min(first - 1 + length, characters)) for first, length, _ in events]
    return tuple(
        Word(first, last, start, max(start, end))
        for (first, last), (start, end) in zip(spans, pairwise(starts), strict=True)
        if first < last
    )


def _short(text: str) -> str:
    return f"“{text if len(text) <= 40 else text[:40] + '…'}”"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Workers:
    """At most ``count`` worker processes, each started when first needed and again when it died."""

    def __init__(self, count: int) -> None:
        self._idle: queue.LifoQueue[subprocess.Popen[bytes] | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The header and samples for a request; a worker found dead is replaced once."""
        worker = self._idle.get()
        try:
            for _ in range(2):
                worker = worker or _start()
                too_long = threading.Timer(_PATIENCE, worker.kill)  # a worker that hangs is a worker that died
                too_long.start()
                answer = _exchange(worker, request)
                too_long.cancel()
                if answer is not None:
                    return answer
                _end(worker)
                worker = None
        finally:
            self._idle.put(worker)
        raise VoiceError(f"espeak stopped twice on {_short(request['text'])}. Change the wording of this clause.")

    def processes(self) -> list[subprocess.Popen[bytes]]:
        """Those that are idle now."""
        return [worker for worker in self._idle.queue if worker is not None]

    def close(self) -> None:
        """End those that are idle; one at work belongs to whoever waits for it."""
        ended = 0
        with suppress(queue.Empty):
            while True:
                worker = self._idle.get_nowait()
                ended += 1
                if worker is not None:
                    _end(worker)
        for _ in range(ended):
            self._idle.put(None)


def _start() -> subprocess.Popen[bytes]:
    # Isolated and without site: the worker needs the standard library only, and starts in 20 ms.
    command = [
        sys.executable,
        "-I",
        "-S",
        str(_WORKER),
        espeakng_loader.get_library_path(),
        espeakng_loader.get_data_path(),
    ]
    # In a session of its own, so that Ctrl-C reaches the studio alone, which then ends it.
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)  # noqa: S603
    except OSError as error:
        raise VoiceError(f"espeak could not be started ({error.strerror}). Install the package again.") from error


def _exchange(worker: subprocess.Popen[bytes], request: dict[str, Any]) -> tuple[dict[str, Any], bytes] | None:
    """Ask and read the answer whole; None if the worker died over it."""
    assert worker.stdin is not None  # noqa: S101
    assert worker.stdout is not None  # noqa: S101
    try:
        worker.stdin.write(json.dumps(request).encode() + b"\n")
        worker.stdin.flush()
    except BrokenPipeError:
        return None
    line = worker.stdout.readline()
    if not line.endswith(b"\n"):
        return None
    header = json.loads(line)
    audio = worker.stdout.read(header.get("bytes", 0))
    return (header, audio) if len(audio) == header.get("bytes", 0) else None


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.communicate()  # closes the pipes and waits


_workers = _Workers(_cores())  # shared by all voices, for the machine has no more cores for more of them
_users: weakref.WeakSet[EspeakVoice] = weakref.WeakSet()
atexit.register(_workers.close)
