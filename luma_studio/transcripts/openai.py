"""Transcripts of OpenAI, Groq, and servers that speak their API, https://platform.openai.com/docs/api-reference/audio."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

from luma_studio.errors import SettingError, TranscriptError
from luma_studio.store.ledger import Account, Purchase
from luma_studio.transcripts import answers, choices
from luma_studio.transcripts.base import RATE, Heard, Piece, TranscriberChoice
from luma_studio.transcripts.incoming import clock
from luma_studio.wire import GROQ, OPENAI, Answer, Call, Wires, elsewhere, own_server

Price = Callable[[str, str], Decimal | None]
"""US dollars a minute of sound costs, by engine and model; None where nobody knows."""

_INSTEAD = "a transcriber on this computer: whisper:small"
HOMES = MappingProxyType({"openai": replace(OPENAI, instead=_INSTEAD), "groq": replace(GROQ, instead=_INSTEAD)})
"""The vendors that transcribe, by the name one writes. A server of one's own is one of them at another address."""

Told = Literal["word", "segment", "none", "speaker"]
"""What a model tells besides the text: the times of words or of segments, nothing, or who speaks when."""

TOLD: MappingProxyType[str, Told] = MappingProxyType(
    {
        "whisper-1": "word",
        "gpt-4o-transcribe": "none",
        "gpt-4o-mini-transcribe": "none",
        "gpt-4o-transcribe-diarize": "speaker",
        "gpt-transcribe": "none",
        "whisper-large-v3": "word",
        "whisper-large-v3-turbo": "word",
    }
)
"""By model. Those that are not here are asked for nothing but the text; the setting ``times`` has the last word."""

_FORMS: dict[Told, dict[str, Any]] = {
    "word": {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]},
    "segment": {"response_format": "verbose_json", "timestamp_granularities[]": ["segment"]},
    "none": {"response_format": "json"},
    "speaker": {"response_format": "diarized_json", "chunking_strategy": "auto"},
}
_SETTINGS = ("language", "times", "seconds", "temperature", "timeout", "prompt")
_EXAMPLE = "openai:whisper-1,language=hi,timeout=120,prompt=Luma, Series A"
_LARGEST = 25_000_000  # bytes of a file
_PACKED = 1.02  # bytes of FLAC for a byte of samples, at most: noise cannot be packed
_LONGEST = int(_LARGEST / (2 * RATE * _PACKED))  # seconds that are never larger, whatever is heard in them
_USUAL = 300.0  # seconds of a piece: some models answer with 2,000 tokens at most, and are heard out in that time
_TIMEOUT = 300.0  # seconds
_NAME = "sound.flac"  # and not that of the recording, which is nobody's business
_ANSWER = 32_000_000  # bytes
_AT_ONCE = 4  # pieces, of 5 MB as a rule


class OpenAITranscriber:
    """A model of OpenAI or Groq, or of a server with their API (``OPENAI_BASE_URL``, ``GROQ_BASE_URL``).

    Settings: ``language``, ``times`` (word, segment, none, speaker), ``seconds`` (of a piece at most),
    ``temperature``, ``timeout`` (seconds), ``prompt``. Raises SettingError for others.
    """

    concurrency = _AT_ONCE

    def __init__(self, choice: TranscriberChoice, wires: Wires, price: Price) -> None:
        settings = choices.settings_of(choice, _SETTINGS, _EXAMPLE)
        self.choice = choice
        self.price = price(choice.engine, choice.model)
        self.longest = choices.number(settings, "seconds", _USUAL, 10, _LONGEST)
        self._timeout = choices.number(settings, "timeout", _TIMEOUT, 1, 3600)
        times = choices.one_of(settings, "times", TOLD.get(choice.model, "none"), tuple(_FORMS))
        self._asked = {"model": choice.model, **_FORMS[cast(Told, times)]}
        if language := choices.spoken(settings):
            self._asked["language"] = language
        if "temperature" in settings:
            self._asked["temperature"] = f"{choices.number(settings, 'temperature', 0, 0, 1):g}"
        if prompt := settings.get("prompt"):
            if times == "speaker":
                raise SettingError(f"A model that tells who speaks takes no prompt. Take it out of {choice}.")
            self._asked["prompt"] = prompt
        self._home = HOMES[choice.engine]
        self._wires = wires
        self._server = own_server(self._home)
        self.identity = {
            "engine": choice.engine,
            "server": self._server,
            **{name: ",".join(value) if isinstance(value, list) else value for name, value in self._asked.items()},
        }

    async def transcribe(self, piece: Piece, account: Account) -> bytes:
        """Hear a piece, bought on the account. Raises VendorError, BudgetError, TranscriptError."""
        wire = self._wires.to(self._home)
        if elsewhere(self._home, wire.vendor.address) != self._server:
            raise TranscriptError(
                f"{self._home.prefix}_BASE_URL was changed meanwhile, so this was not bought. Transcribe again."
            )
        call = self._call(piece)
        seconds = piece.seconds
        subject = f"sound from {clock(piece.start)} to {clock(piece.end)}"
        purchase = Purchase(self._home.name, self.choice.model, subject, math.ceil(seconds), self._cost(seconds))
        arrived = b""

        async def send(path: Path) -> Answer:
            nonlocal arrived
            answer = await wire.send(call, path)
            arrived = await asyncio.to_thread(path.read_bytes)
            return answer

        return await account.buy(purchase, send, cost=lambda _: self._cost(answers.seconds_of(arrived)))

    def read(self, answer: bytes) -> Heard:
        """What an answer says. Raises BrokenAnswerError."""
        return answers.heard(answer, self._home.name)

    def close(self) -> None:
        """Nothing is held: the connections are the studio's."""

    def _call(self, piece: Piece) -> Call:
        return Call(
            "POST",
            "/audio/transcriptions",
            files={"file": (_NAME, piece.sound, "audio/flac")},
            data=self._asked,
            paid=True,
            patience=self._timeout,
            deadline=self._timeout,
            largest=_ANSWER,
        )

    def _cost(self, seconds: float | None) -> Decimal | None:
        return None if self.price is None or seconds is None else self.price * Decimal(seconds) / 60
