"""Fakes for the edge of the world: a voice that counts what it is asked, a disk that dies."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from luma_studio.errors import OverloadedError
from luma_studio.store import files
from luma_studio.store.files import Disk
from luma_studio.store.ledger import Account, Purchase
from luma_studio.studio import Studio
from luma_studio.timeline.take import Word
from luma_studio.voices import Hear, Speech, Utterance, VoiceChoice
from luma_studio.wire import Answer


class FakeVoice:
    """Speaks tones whose pitch and length follow the text, counts each request, and fails where told to."""

    concurrency = 4
    tags = False
    company = None
    price: Decimal | None = Decimal("0.01")

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.spoken: Counter[str] = Counter()
        self.failing: set[str] = set()

    @property
    def identity(self) -> dict[str, str]:
        return {"engine": self.name}

    def speaks(self, language: str) -> bool:
        return True

    async def speak(self, utterance: Utterance, account: Account, hear: Hear | None = None) -> Speech:
        async def send(path: Path) -> Answer:
            self._ask(utterance.text)
            files.write(path, b"sound", durable=True)
            return Answer({}, b"")

        if self.price == 0:
            self._ask(utterance.text)
        else:
            price = None if self.price is None else self.price * len(utterance.text)
            await account.buy(Purchase("Fake", self.name, utterance.text, len(utterance.text), price), send)
        samples, rate = tone(utterance.text, utterance.seed)
        if hear is not None:
            hear(samples, rate)
        return Speech(samples, rate, words=words(utterance.text))

    def _ask(self, text: str) -> None:
        self.spoken[text] += 1
        if text in self.failing:
            raise OverloadedError(f"The fake voice could not speak {text!r}.")

    def close(self) -> None:
        pass


def tone(text: str, seed: int = 0, rate: int = 22050) -> tuple[np.ndarray, int]:
    """A tone of 60 ms a character with 100 ms of silence before and 200 ms after it."""
    seconds = 0.06 * max(4, len(text))
    time = np.arange(round(seconds * rate)) / rate
    sound = 0.3 * np.sin(2 * np.pi * (200 + sum(map(ord, text)) % 200 + 7 * seed) * time)
    silence = np.zeros(rate // 10, np.int16)
    return np.concatenate([silence, np.int16(sound * 32767), silence, silence]), rate


def words(text: str) -> tuple[Word, ...]:
    found, at = [], 0
    for word in text.split():
        first = text.index(word, at)
        at = first + len(word)
        found.append(Word(first, at, 0.1 + 0.06 * first, 0.1 + 0.06 * at))
    return tuple(found)


def give(studio: Studio, voice: Any, choice: str = "espeak") -> None:
    """Let a studio use this voice wherever ``choice`` is asked for."""
    studio._voices[VoiceChoice.parse(choice), ""] = voice


class Killed(BaseException):
    """Stands for a process that ends here: nothing it would have done afterwards happens."""


class DyingDisk(Disk):
    """A disk whose process dies at the n-th operation (from 0): that one and all later ones do nothing but raise."""

    def __init__(self, dies_at: int, error: type[BaseException] | BaseException = Killed) -> None:
        self.count = 0
        self.dies_at = dies_at
        self.error = error

    def _step(self) -> None:
        self.count += 1
        if self.count > self.dies_at:
            raise self.error

    def mkdir(self, folder: Path) -> None:
        self._step()
        super().mkdir(folder)

    def create(self, path: Path) -> BinaryIO:
        self._step()
        return _DyingFile(super().create(path), self._step)  # type: ignore[return-value]

    def sync(self, file: BinaryIO) -> None:
        self._step()
        super().sync(file)

    def sync_folder(self, folder: Path) -> None:
        self._step()
        super().sync_folder(folder)

    def replace(self, part: Path, path: Path) -> None:
        self._step()
        super().replace(part, path)

    def link(self, path: Path, name: Path) -> None:
        self._step()
        super().link(path, name)

    def unlink(self, path: Path) -> None:
        self._step()
        super().unlink(path)


class _DyingFile:
    """A file that writes half of what it is given when its process dies in the middle."""

    def __init__(self, file: BinaryIO, step: Any) -> None:
        self._file = file
        self._step = step

    def write(self, data: bytes) -> int:
        try:
            self._step()
        except BaseException:
            self._file.write(data[: len(data) // 2])
            raise
        return self._file.write(data)

    def __enter__(self) -> _DyingFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
