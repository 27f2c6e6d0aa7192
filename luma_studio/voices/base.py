"""What a voice is: text with its neighbours in, audio with optional word times out."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from luma_studio.audio.clip import Samples
from luma_studio.errors import SettingError
from luma_studio.store.ledger import Account
from luma_studio.timeline.take import Word
from luma_studio.voices import embedded
from luma_studio.wire import Wires

Value = str | int | float | bool
Hear = Callable[[Samples, int], None]
"""Is told sound as it comes: int16 of shape (n,), and its rate, one rate a clause. From any thread; returns at once."""

_SYMBOLS_THAT_SOUND = frozenset("°©®™№℃℉℗")


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """Which voice speaks, as one writes it: ``espeak``, ``espeak:hi``, ``espeak:hi+f3,rate=140,pitch=60``.

    ``voice`` is the engine's own name for it ("" lets the engine choose by language); ``settings`` are the engine's.
    A voice without an engine that espeak knows is that one: ``hi``, ``hi+f3``.
    """

    engine: str
    voice: str = ""
    settings: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def parse(cls, text: str) -> VoiceChoice:
        """Read ``engine:voice,setting=value,…``. Raises SettingError."""
        head, *pairs = (part.strip() for part in text.split(","))
        engine, colon, voice = head.partition(":")
        if not colon and engine != embedded.ENGINE and embedded.is_embedded(head):
            engine, voice = embedded.ENGINE, head
        if not engine:
            raise SettingError(f"The voice {text!r} names no engine. Write it as espeak:hi+f3,rate=140.")
        settings: dict[str, Value] = {}
        for pair in pairs:
            name, equals, value = pair.partition("=")
            if not equals:
                raise SettingError(f"In the voice {text!r}, {pair!r} is not of the form setting=value.")
            settings[name.strip()] = _value(value.strip())
        return cls(engine.strip(), voice.strip(), tuple(sorted(settings.items())))

    def __str__(self) -> str:
        head = f"{self.engine}:{self.voice}" if self.voice else self.engine
        return ",".join([head, *(f"{name}={value}" for name, value in self.settings)])


def _value(text: str) -> Value:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


@dataclass(frozen=True, slots=True)
class Utterance:
    """A clause as a voice is asked to speak it.

    ``before`` and ``after`` are its neighbours' texts, for voices that use them; they are not in a take's fingerprint.
    ``seed`` 0 is the voice's own reading, another seed another reading of the same text.
    """

    text: str
    language: str
    tags: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """What a voice gave: 16-bit mono samples at ``rate``, and the times of words, or of single characters, if known.

    ``bounds`` are the seconds at which its first sound begins and its last one ends, where the engine tells them
    exactly; otherwise they are found by listening.
    """

    samples: NDArray[np.int16]
    rate: int
    words: tuple[Word, ...] = ()
    bounds: tuple[float, float] | None = None


def voiced(text: str) -> str:
    """A text as voices are given it: a space for each emoji or ornament, which they would read out by its name.

    It stays as long as it was, so that the times of words point at the same characters.
    """
    return "".join(" " if _is_ornament(character) else character for character in text)


@lru_cache(maxsize=4096)
def _is_ornament(character: str) -> bool:
    if character < "\x7f" or character in _SYMBOLS_THAT_SOUND:
        return False
    kind = unicodedata.category(character)
    return kind in {"So", "Sk", "Cs", "Co"} or "\u2190" <= character <= "\u21ff" or character in "\u20e3\ufe0e\ufe0f"


@dataclass(frozen=True, slots=True)
class Company:
    """What voices have in common that can speak together and answer each other's tone: equal for those that can.

    ``form`` is the format of the sound, ``price`` in US dollars a character (None: unknown).
    """

    model: str
    form: str
    settings: tuple[tuple[str, Value], ...]
    price: Decimal | None
    wires: Wires


class Voice(Protocol):
    """An engine with one voice and its settings chosen.

    ``identity`` is what, besides text and language, decides how it sounds: engine, version, model, voice, settings;
    it goes into every fingerprint. ``concurrency`` is how many clauses it may speak at once, ``price`` what a
    character costs in US dollars (0: nothing is paid; None: unknown), ``tags`` whether it understands delivery tags,
    ``company`` those whom it can speak together with (None: it speaks alone).
    """

    @property
    def identity(self) -> Mapping[str, Value]: ...  # noqa: D102
    @property
    def concurrency(self) -> int: ...  # noqa: D102
    @property
    def price(self) -> Decimal | None: ...  # noqa: D102
    @property
    def tags(self) -> bool: ...  # noqa: D102
    @property
    def company(self) -> Company | None: ...  # noqa: D102

    def speaks(self, language: str) -> bool:
        """Whether it can speak a language, given as a tag such as ``hi`` or ``en-GB``."""
        ...

    async def speak(self, utterance: Utterance, account: Account, hear: Hear | None = None) -> Speech:
        """Speak; what has to be paid for is bought on the account. Raises VoiceError or VendorError.

        ``hear`` is told the sound as it comes, from when the first 250 ms are there, or all of a shorter one. What it
        was told before an error is of no take.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...
