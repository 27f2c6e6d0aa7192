"""Takes on disk, under their fingerprint, shared by all productions of a workspace.

Of each take there is the *original*, as its voice gave it, and from it what productions work with: converted to their
rate and measured. What is derived can be made again; the original is what was paid for. Both are WAV files that any
player opens, each there whole or not at all, with a chunk ``luma`` (JSON: recipe, words, and where measured speech
bounds and peak) and, where measured, ``engy`` (float32: K-weighted energies a 10 ms hop).
"""

from __future__ import annotations

import hashlib
import json
import struct
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from luma_studio.audio.codec import convert
from luma_studio.audio.levels import speech_bounds
from luma_studio.audio.loudness import energies, true_peak
from luma_studio.errors import StoreError
from luma_studio.store import files
from luma_studio.timeline.take import Take, Word

_VERSION = 1
_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.Struct("<HHIIHH")


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides how a take sounds; pauses, place, scene and neighbours are not in it.

    ``voice`` is the voice's identity (engine, version, settings …), ``tags`` those that the voice understands.
    """

    voice: Mapping[str, str | int | float | bool]
    language: str
    text: str
    tags: tuple[str, ...] = ()
    seed: int = 0

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, over the recipe with its text normalised, and a version."""
        text = " ".join(unicodedata.normalize("NFC", self.text).split())
        recipe = {**asdict(self), "text": text, "version": _VERSION}
        return hashlib.sha256(json.dumps(recipe, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


class TakeStore:
    """The takes in one folder, for productions of one sample rate."""

    def __init__(self, folder: Path, rate: int) -> None:
        self.folder = folder
        self.rate = rate
        self._known: dict[str, Take] = {}
        self._sizes: dict[str, int] = {}  # of the files of those, in bytes

    def get(self, fingerprint: str) -> Take | None:
        """The take with this fingerprint, or None. Raises StoreError if its original is damaged."""
        if fingerprint not in self._known:
            take = self._read(fingerprint) or self._derived(fingerprint)
            if take is None:
                return None
            self._known[fingerprint] = take
        return self._known[fingerprint]

    def is_here(self, fingerprint: str) -> bool:
        """Whether there is a take to be heard: asks the disk, where ``get`` answers from what it has read before.

        Raises as ``get``.
        """
        if _size(self._measured(fingerprint)) != self._sizes.get(fingerprint):
            self._known.pop(fingerprint, None)
        return self.get(fingerprint) is not None

    def put(
        self,
        recipe: Recipe,
        samples: NDArray[np.int16],
        rate: int,
        words: tuple[Word, ...],
        bounds: tuple[float, float] | None = None,
        *,
        paid: bool,
    ) -> Take:
        """Keep what a voice spoke: 16-bit mono ``samples`` at ``rate``, and the times of words.

        ``bounds`` are the seconds of its first and last sound where the engine tells them. Returns when it is on disk;
        ``paid`` waits until it would survive a loss of power.
        """
        fingerprint = recipe.fingerprint
        about: dict[str, Any] = {
            "fingerprint": fingerprint,
            "recipe": asdict(recipe),
            "words": [_listed(word) for word in words],
        }
        if bounds is not None:
            about["bounds"] = bounds
        _write(self._original(fingerprint), rate, about, samples, durable=paid)
        take = self._derived(fingerprint)
        if take is None:
            raise _damaged(self._original(fingerprint))
        self._known[fingerprint] = take
        return take

    def samples(self, take: Take, start: int = 0, end: int | None = None) -> NDArray[np.int16]:
        """A take's samples from ``start`` up to ``end`` (its whole length by default)."""
        wave = _opened(self._measured(take.fingerprint))
        if wave is None and self._derived(take.fingerprint) is not None:
            wave = _opened(self._measured(take.fingerprint))
        if wave is None:
            raise _damaged(self._original(take.fingerprint))
        return wave.samples(start, take.length if end is None else end)

    def recipe(self, fingerprint: str) -> Mapping[str, Any]:
        """What a take was made from. Raises StoreError if it is not there."""
        wave = _opened(self._original(fingerprint))
        if wave is None:
            raise _damaged(self._original(fingerprint))
        recipe: Mapping[str, Any] = wave.about["recipe"]
        return recipe

    def _original(self, fingerprint: str) -> Path:
        return self.folder / fingerprint[:2] / f"{fingerprint}.wav"

    def _measured(self, fingerprint: str) -> Path:
        return self.folder / fingerprint[:2] / f"{fingerprint}.{self.rate}.wav"

    def _read(self, fingerprint: str) -> Take | None:
        """The take as it was measured; None if it was not, or that file is damaged."""
        wave = _opened(self._measured(fingerprint))
        if wave is None:
            return None
        self._sizes[fingerprint] = wave.size
        start, end = wave.about["speech"]
        peak = wave.about["true_peak"]
        return Take(
            fingerprint,
            wave.rate,
            wave.length,
            start,
            end,
            tuple(Word(*word) for word in wave.about["words"]),
            np.frombuffer(wave.content(b"engy"), dtype="<f4").astype(np.float64),
            -np.inf if peak is None else peak,
        )

    def _derived(self, fingerprint: str) -> Take | None:
        """The take converted from its original and measured, kept; None where there is no original."""
        path = self._original(fingerprint)
        original = _opened(path)
        if original is None:
            if _exists(path):
                raise _damaged(path)
            return None
        audio = convert(original.samples(0, original.length), original.rate, self.rate)
        start, end = self._bounds(original.about.get("bounds"), audio)
        peak = true_peak(audio)
        about = {
            "fingerprint": fingerprint,
            "words": original.about["words"],
            "speech": [start, end],
            "true_peak": None if peak == -np.inf else peak,
        }
        _write(self._measured(fingerprint), self.rate, about, audio, energies(audio, self.rate))
        return self._read(fingerprint)

    def _bounds(self, told: tuple[float, float] | None, audio: NDArray[np.int16]) -> tuple[int, int]:
        """The samples of the first and the last sound: as the engine told them, which is better than listening."""
        if told is None:
            return speech_bounds(audio, self.rate) or (0, 0)
        start, end = (min(len(audio), round(seconds * self.rate)) for seconds in told)
        return start, end


@dataclass(frozen=True, slots=True)
class _Wave:
    """A WAV file of ours whose chunks have been found: name → (offset, length)."""

    path: Path
    rate: int
    about: Mapping[str, Any]
    chunks: Mapping[bytes, tuple[int, int]]

    @property
    def length(self) -> int:
        return self.chunks[b"data"][1] // 2

    @property
    def size(self) -> int:
        """Of the file, in bytes: a file is whole when its last chunk ends where it does."""
        return max(offset + length for offset, length in self.chunks.values())

    def content(self, name: bytes, start: int = 0, end: int | None = None) -> bytes:
        offset, length = self.chunks[name]
        with files.explained(self.path), self.path.open("rb") as file:
            file.seek(offset + start)
            return file.read((length if end is None else end) - start)

    def samples(self, start: int, end: int) -> NDArray[np.int16]:
        data = self.content(b"data", 2 * start, 2 * end)
        return np.frombuffer(data, dtype="<i2").astype(np.int16, copy=False)


def _opened(path: Path) -> _Wave | None:
    """A file of ours, or None if it is not there or not whole."""
    with files.explained(path):
        try:
            with path.open("rb") as file:
                chunks = _chunks(file)
                about, rate = json.loads(_content(file, chunks[b"luma"])), _rate(_content(file, chunks[b"fmt "]))
        except (FileNotFoundError, KeyError, ValueError, struct.error):
            return None
    return _Wave(path, rate, about, chunks)


def _chunks(file: BinaryIO) -> dict[bytes, tuple[int, int]]:
    """Where each chunk's content lies. Raises ValueError if the file is not whole."""
    size = file.seek(0, 2)
    chunks: dict[bytes, tuple[int, int]] = {}
    offset = 12
    while offset < size:
        file.seek(offset)
        name, length = _CHUNK.unpack(file.read(_CHUNK.size))
        chunks[name] = (offset + _CHUNK.size, length)
        offset += _CHUNK.size + length
    if offset != size or b"data" not in chunks:
        raise ValueError("not whole")
    return chunks


def _content(file: BinaryIO, place: tuple[int, int]) -> bytes:
    file.seek(place[0])
    return file.read(place[1])


def _rate(form: bytes) -> int:
    rate: int = _FORMAT.unpack(form)[2]
    return rate


def _write(
    path: Path,
    rate: int,
    about: Mapping[str, Any],
    samples: NDArray[np.int16],
    measured: NDArray[np.float64] | None = None,
    *,
    durable: bool = False,
) -> None:
    chunks = [
        (b"fmt ", _FORMAT.pack(1, 1, rate, 2 * rate, 2, 16)),
        (b"luma", _even(json.dumps({"version": _VERSION, **about}, ensure_ascii=True).encode())),
        (b"engy", b"" if measured is None else measured.astype("<f4").tobytes()),
        (b"data", samples.astype("<i2", copy=False).tobytes()),
    ]
    body = b"WAVE" + b"".join(_CHUNK.pack(name, len(data)) + data for name, data in chunks)
    files.write(path, _CHUNK.pack(b"RIFF", len(body)) + body, durable=durable)


def _even(text: bytes) -> bytes:
    """Chunks of an odd length need padding; in JSON a space does no harm."""
    return text + b" " * (len(text) % 2)


def _listed(word: Word) -> list[float]:
    return [word.first, word.last, word.start, word.end]


def _exists(path: Path) -> bool:
    with files.explained(path):
        return path.exists()


def _size(path: Path) -> int | None:
    """The size of a file in bytes; None where there is none."""
    with files.explained(path):
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return None


def _damaged(path: Path) -> StoreError:
    if _exists(path):
        return StoreError(f"The take {path} is damaged. Remove that file and speak again.")
    return StoreError(f"The take {path} is gone. Speak again.")
