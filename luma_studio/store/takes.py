"""Takes on disk, under their fingerprint, shared by all productions of a workspace.

A take is one WAV file that any player opens. Beside the usual chunks it has ``luma`` (JSON: the recipe, speech bounds,
words, peak) and ``engy`` (float32: K-weighted energies a 10 ms hop). Being one file, it is there whole or not at all.
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
    """The takes in one folder, at one sample rate."""

    def __init__(self, folder: Path, rate: int) -> None:
        self.folder = folder
        self.rate = rate

    def get(self, fingerprint: str) -> Take | None:
        """The take with this fingerprint, or None. Raises StoreError if its file is damaged."""
        path = self._path(fingerprint, self.rate)
        if path.exists():
            return _read(path)
        other = next(iter(sorted(path.parent.glob(f"{fingerprint}.*.wav"))), None)
        return None if other is None else self._converted(other)

    def put(
        self, recipe: Recipe, samples: NDArray[np.int16], rate: int, words: tuple[Word, ...], *, paid: bool
    ) -> Take:
        """Keep what a voice spoke: 16-bit mono ``samples`` at ``rate``, converted here to the store's rate.

        Returns when it is on disk; ``paid`` waits until it would survive a loss of power.
        """
        take, audio = _measured(recipe.fingerprint, samples, rate, self.rate, words)
        _write(self._path(take.fingerprint, take.rate), take, audio, asdict(recipe), durable=paid)
        return take

    def samples(self, take: Take, start: int = 0, end: int | None = None) -> NDArray[np.int16]:
        """A take's samples from ``start`` up to ``end`` (its whole length by default)."""
        path = self._path(take.fingerprint, take.rate)
        with files.explained(path), path.open("rb") as file:
            return _samples(file, path, start, take.length if end is None else end)

    def recipe(self, fingerprint: str) -> Mapping[str, Any]:
        """What a take in the store was made from. Raises StoreError if it is not there."""
        path = self._path(fingerprint, self.rate)
        with files.explained(path), path.open("rb") as file:
            recipe: Mapping[str, Any] = _about(file, path)["recipe"]
            return recipe

    def _path(self, fingerprint: str, rate: int) -> Path:
        return self.folder / fingerprint[:2] / f"{fingerprint}.{rate}.wav"

    def _converted(self, path: Path) -> Take:
        """The take of another rate's file, kept at this rate from now on."""
        take = _read(path)
        with files.explained(path), path.open("rb") as file:
            about, samples = _about(file, path), _samples(file, path, 0, take.length)
        converted, audio = _measured(take.fingerprint, samples, take.rate, self.rate, take.words)
        _write(self._path(take.fingerprint, self.rate), converted, audio, about["recipe"], durable=False)
        return converted


def _measured(
    fingerprint: str, samples: NDArray[np.int16], rate: int, to_rate: int, words: tuple[Word, ...]
) -> tuple[Take, NDArray[np.int16]]:
    audio = convert(samples, rate, to_rate)
    start, end = speech_bounds(audio, to_rate) or (0, 0)
    # As they will be read again: the same numbers now and after a restart.
    measured = energies(audio, to_rate).astype("<f4").astype(np.float64)
    take = Take(fingerprint, to_rate, len(audio), start, end, words, measured, true_peak(audio))
    return take, audio


def _write(path: Path, take: Take, audio: NDArray[np.int16], recipe: Mapping[str, Any], *, durable: bool) -> None:
    about = {
        "version": _VERSION,
        "fingerprint": take.fingerprint,
        "recipe": recipe,
        "speech": [take.speech_start, take.speech_end],
        "words": [[word.first, word.last, word.start, word.end] for word in take.words],
        "true_peak": None if take.true_peak == -np.inf else take.true_peak,
    }
    chunks = [
        (b"fmt ", _FORMAT.pack(1, 1, take.rate, 2 * take.rate, 2, 16)),
        (b"luma", _even(json.dumps(about, ensure_ascii=True).encode())),
        (b"engy", take.energies.astype("<f4").tobytes()),
        (b"data", audio.astype("<i2", copy=False).tobytes()),
    ]
    body = b"WAVE" + b"".join(_CHUNK.pack(name, len(data)) + data for name, data in chunks)
    files.write(path, _CHUNK.pack(b"RIFF", len(body)) + body, durable=durable)


def _even(text: bytes) -> bytes:
    """Chunks of an odd length need padding; in JSON a space does no harm."""
    return text + b" " * (len(text) % 2)


def _read(path: Path) -> Take:
    with files.explained(path), path.open("rb") as file:
        chunks, about = _chunks(file, path), _about(file, path)
        measured = np.frombuffer(_content(file, chunks[b"engy"]), dtype="<f4").astype(np.float64)
        _, _, rate, *_ = _FORMAT.unpack(_content(file, chunks[b"fmt "]))
    peak = about["true_peak"]
    return Take(
        about["fingerprint"],
        rate,
        chunks[b"data"][1] // 2,
        about["speech"][0],
        about["speech"][1],
        tuple(Word(*word) for word in about["words"]),
        measured,
        -np.inf if peak is None else peak,
    )


def _chunks(file: BinaryIO, path: Path) -> dict[bytes, tuple[int, int]]:
    """Where each chunk's content lies: name → (offset, length). Raises StoreError if the file is not whole."""
    size = file.seek(0, 2)
    chunks: dict[bytes, tuple[int, int]] = {}
    offset = 12
    while offset + _CHUNK.size <= size:
        file.seek(offset)
        name, length = _CHUNK.unpack(file.read(_CHUNK.size))
        chunks[name] = (offset + _CHUNK.size, length)
        offset += _CHUNK.size + length
    if offset != size or not chunks.keys() >= {b"fmt ", b"luma", b"engy", b"data"}:
        raise _damaged(path)
    return chunks


def _content(file: BinaryIO, place: tuple[int, int]) -> bytes:
    file.seek(place[0])
    return file.read(place[1])


def _about(file: BinaryIO, path: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads(_content(file, _chunks(file, path)[b"luma"]))
    except ValueError as error:
        raise _damaged(path) from error
    return about


def _damaged(path: Path) -> StoreError:
    return StoreError(f"The take {path} is damaged. Remove that file and speak again.")


def _samples(file: BinaryIO, path: Path, start: int, end: int) -> NDArray[np.int16]:
    offset, _ = _chunks(file, path)[b"data"]
    data = _content(file, (offset + 2 * start, 2 * (end - start)))
    return np.frombuffer(data, dtype="<i2").astype(np.int16, copy=False)
