"""What a transcript is, and what engines are that make one of the pieces of a recording."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

from luma_studio.errors import SettingError
from luma_studio.store.ledger import Account

RATE = 16_000
"""Samples a second of what engines are given: what such models are made for."""

Times = Literal["word", "segment", "piece"]
"""How finely a transcript is timed: each word, each segment, or only each piece that the recording was cut into.

Where a model tells no times, a piece's own bounds are known all the same.
"""

_VERSION = 1  # of what a piece's key is made of


@dataclass(frozen=True, slots=True)
class TranscriberChoice:
    """Who transcribes, as one writes it: ``openai:whisper-1``, ``groq:MODEL,language=hi``, ``whisper:small``.

    ``settings`` are the engine's, as text. ``prompt``, if any, is written last and takes all that follows it, commas,
    too: ``openai:whisper-1,prompt=Luma, Series A, ARR``.
    """

    engine: str
    model: str
    settings: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> TranscriberChoice:
        """Read ``engine:model,setting=value,…,prompt=…``. Raises SettingError."""
        head, *pairs = _parts(text)
        engine, _, model = (part.strip() for part in head.partition(":"))
        if not engine or not model:
            raise SettingError(
                f"{text!r} names no transcriber. Write it as openai:whisper-1, groq:whisper-large-v3 or whisper:small."
            )
        settings = {}
        for pair in pairs:
            name, equals, value = (part.strip() for part in pair.partition("="))
            if not equals or not value:
                raise SettingError(f"In the transcriber {text!r}, {pair!r} is not of the form setting=value.")
            settings[name] = value
        return cls(engine, model, tuple(sorted(settings.items())))

    def __str__(self) -> str:
        last_is_prompt = sorted(self.settings, key=lambda setting: setting[0] == "prompt")
        return ",".join([f"{self.engine}:{self.model}", *(f"{name}={value}" for name, value in last_is_prompt)])


def _parts(text: str) -> list[str]:
    """A choice cut at its commas, but for those in the prompt."""
    parts = text.split(",")
    for index, part in enumerate(parts):
        if index and part.partition("=")[0].strip() == "prompt":
            return [*parts[:index], ",".join(parts[index:])]
    return parts


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word, and when it is spoken: seconds from the recording's beginning."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech, in seconds from the recording's beginning; ``speaker`` is "" where nobody tells who."""

    text: str
    start: float
    end: float
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in a recording of ``seconds``.

    ``language`` is a tag such as ``hi``, "" where it is not known. ``words`` are there where the model times them;
    ``times`` says how fine the times are. ``engine`` is the choice that made it.
    """

    text: str
    language: str
    segments: tuple[Segment, ...]
    words: tuple[TimedWord, ...]
    times: Times
    seconds: float
    engine: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What an engine hears in one piece; its times are seconds from the beginning of what it was given."""

    text: str
    language: str = ""
    segments: tuple[Segment, ...] = ()
    words: tuple[TimedWord, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a recording that is listened to: samples ``first`` up to ``last`` of it.

    ``lead`` and ``tail`` are how many of them, at either end, are what was kept of a long silence that was left out.
    """

    first: int
    last: int
    lead: int = 0
    tail: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a recording as an engine is given it: ``sound``, FLAC of one channel at :data:`RATE`.

    ``seconds`` is how long it is to be listened to, ``digest`` the SHA-256 of its samples. ``spans`` says where these
    were in the recording, in order; silence may follow that no recording has.
    """

    sound: bytes = field(repr=False)
    seconds: float
    digest: str
    spans: tuple[Span, ...]

    @property
    def start(self) -> float:
        """When it begins in the recording, in seconds."""
        return self.spans[0].first / RATE

    @property
    def end(self) -> float:
        """When it ends in the recording, in seconds."""
        return self.spans[-1].last / RATE

    def key(self, identity: Mapping[str, str]) -> str:
        """The name of what an engine hears in it: a SHA-256 over its sound and all that decides what is heard."""
        told = {"version": _VERSION, "sound": self.digest, **identity}
        return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


class Transcriber(Protocol):
    """An engine with its model and settings chosen.

    ``identity`` is all that, besides the sound, decides what it hears. ``longest`` is how many seconds a piece may
    have, ``concurrency`` how many pieces it may hear at once, ``price`` what a minute of sound costs in US dollars (0:
    nothing is paid; None: unknown).
    """

    @property
    def choice(self) -> TranscriberChoice: ...  # noqa: D102
    @property
    def identity(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def longest(self) -> float: ...  # noqa: D102
    @property
    def concurrency(self) -> int: ...  # noqa: D102
    @property
    def price(self) -> Decimal | None: ...  # noqa: D102

    async def transcribe(self, piece: Piece, account: Account) -> bytes:
        """Hear a piece; its answer, as it is kept. What has to be paid for is bought on the account.

        Raises VendorError, BudgetError, TranscriptError.
        """
        ...

    def read(self, answer: bytes) -> Heard:
        """What such an answer says. Raises BrokenAnswerError."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...
