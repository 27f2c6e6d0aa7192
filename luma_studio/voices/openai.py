"""OpenAI speech, and any server that speaks its API, https://platform.openai.com/docs/api-reference/audio."""

from __future__ import annotations

from typing import Any

from luma_studio.audio.incoming import Incoming
from luma_studio.errors import SettingError, VoiceError
from luma_studio.store.ledger import Account, Purchase
from luma_studio.voices.base import Hear, Speech, Utterance, VoiceChoice
from luma_studio.voices.pieces import joined, pieces
from luma_studio.voices.telling import Telling
from luma_studio.voices.vendors import (
    AT_ONCE,
    Kind,
    Listed,
    Offer,
    Price,
    buy,
    identity,
    in_range,
    look,
    settings_of,
    sound,
)
from luma_studio.wire import OPENAI, Call, Home, Wires, elsewhere, json_of, own_server

ENGINE = "openai"
_EXAMPLE = "openai:nova,model=tts-1-hd,speed=0.9"
_SETTINGS: dict[str, Kind] = {"model": str, "format": str, "speed": (int, float), "instructions": str}
_RANGES = {"speed": (0.25, 4.0)}
_VOICES = ("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer")
_LIMIT = 4096  # characters that are spoken at once
_FORMATS = ("wav", "flac", "mp3", "opus", "aac")


async def account(wires: Wires, home: Home = OPENAI) -> str:
    """Whether the key works, in a sentence: such vendors do not tell what is left. Raises VendorError."""
    return f"The key works; {len(await models(wires, home))} models can be used."


async def models(wires: Wires, home: Home = OPENAI) -> tuple[str, ...]:
    """The models that can be used with the key. Raises VendorError."""
    wire = wires.to(home)
    found = json_of(await wire.send(look("/models")), wire.vendor)
    listed = found.get("data") if isinstance(found, dict) else None
    return tuple(sorted(str(each["id"]) for each in listed or () if "id" in each))


async def offered(wires: Wires) -> Offer:
    """The voices that OpenAI names in its reference, and the models of the server that speak. Raises VendorError."""
    speak = tuple(name for name in await models(wires) if "tts" in name)
    return Offer(ENGINE, OPENAI.name, tuple(Listed(f"{ENGINE}:{name}", name.capitalize()) for name in _VOICES), speak)


class OpenAIVoice:
    """A voice of OpenAI, or of a server with its API (``OPENAI_BASE_URL``): ``openai:nova,model=tts-1``.

    It tells no times; a take's edges are found by listening. It stays with the server that is set when it is made,
    whose takes are its own. Raises SettingError for settings that it does not have.
    """

    concurrency = AT_ONCE
    tags = False
    company = None

    def __init__(self, choice: VoiceChoice, wires: Wires, price: Price) -> None:
        settings = settings_of(choice, _SETTINGS, _EXAMPLE)
        in_range(choice, settings, _RANGES)
        if not choice.voice or "model" not in settings:
            raise SettingError(f"Name a voice and a model of OpenAI, as in {_EXAMPLE}.")
        self._model = str(settings.pop("model"))
        self._format = str(settings.pop("format", _FORMATS[0]))
        if self._format not in _FORMATS:
            raise SettingError(f"OpenAI does not send {self._format!r}. Choose one of: {', '.join(_FORMATS)}.")
        self._voice = choice.voice
        self._settings = settings
        self._wires = wires
        self.price = price(ENGINE, self._model)
        self._server = own_server(OPENAI)
        there = {"server": self._server} if self._server else {}
        self.identity = {**identity(ENGINE, self._model, self._voice, self._format, settings), **there}

    def speaks(self, language: str) -> bool:
        """Whether it speaks a language: it reads whatever it is given."""
        return True

    async def speak(self, utterance: Utterance, account: Account, hear: Hear | None = None) -> Speech:
        """Speak a clause. Raises VendorError, BudgetError, VoiceError where another server was set meanwhile."""
        telling = Telling(hear)
        texts = pieces(utterance.text, _LIMIT)
        speech = joined([(text, await self._piece(text, part, account, telling)) for part, text in enumerate(texts)])
        telling.end(speech)
        return speech

    def close(self) -> None:
        """Nothing is held: the connections are the studio's."""

    async def _piece(self, text: str, part: int, account: Account, telling: Telling) -> Speech:
        wire = self._wires.to(OPENAI)
        if elsewhere(OPENAI, wire.vendor.address) != self._server:
            raise VoiceError("OPENAI_BASE_URL was changed meanwhile, so this was not bought. Speak again.")
        body: dict[str, Any] = {"model": self._model, "voice": self._voice, "input": text}
        call = Call(
            "POST", "/audio/speech", json={**body, "response_format": self._format, **self._settings}, paid=True
        )
        price = None if self.price is None else self.price * len(text)
        purchase = Purchase(OPENAI.name, self._model, text, len(text), price)

        data = await buy(wire, call, account, purchase, part=part, hear=telling.body(Incoming()))
        return Speech(*sound(OPENAI.name, data))
