"""ElevenLabs: a clause with the time of each character, https://elevenlabs.io/docs/api-reference."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any
from urllib.parse import quote

import numpy as np

from luma_studio.audio.incoming import IncomingLines
from luma_studio.errors import BrokenAnswerError, SettingError
from luma_studio.store.ledger import Account, Purchase, Received
from luma_studio.timeline.take import Word
from luma_studio.voices.base import Hear, Speech, Utterance, VoiceChoice
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
from luma_studio.wire import Answer, Call, Home, Wires, json_of, json_values_of, unheard

ENGINE = "elevenlabs"
HOME = Home("ElevenLabs", "ELEVENLABS", "https://api.elevenlabs.io", header="xi-api-key", scheme="", at_once=2)
_EXAMPLE = "elevenlabs:VOICE_ID,model=eleven_v3,stability=0.4,speed=0.9"
_MODEL = "eleven_multilingual_v2"  # the vendor's own choice where none is named
_FORMAT = "mp3_44100_128"  # the best that every plan has
_FORMATS = re.compile(r"(mp3_\d{5}_\d{2,3}|opus_48000_\d{2,3}|(pcm|wav)_\d{4,5})")
_NUMBER = (int, float)
_VOICE_SETTINGS: dict[str, Kind] = {
    "stability": _NUMBER,
    "similarity_boost": _NUMBER,
    "style": _NUMBER,
    "speed": _NUMBER,
    "use_speaker_boost": bool,
}
_SETTINGS = {"model": str, "format": str, **_VOICE_SETTINGS}
_RANGES = {"stability": (0.0, 1.0), "similarity_boost": (0.0, 1.0), "style": (0.0, 1.0), "speed": (0.7, 1.2)}
_SHORTEST_LIMIT = 3000  # characters that every model takes; a clause is far shorter
_SEEDS = 2**32
_ALIGNED = ("characters", "character_start_times_seconds", "character_end_times_seconds")
_AFTER = 0.5  # seconds by which a last character may end after its sound


class ElevenLabsVoice:
    """A voice of ElevenLabs: ``elevenlabs:VOICE_ID,model=eleven_v3,stability=0.4``.

    Raises SettingError for settings that it does not have. Without a key it can be chosen and quoted, not spoken with.
    """

    concurrency = AT_ONCE

    def __init__(self, choice: VoiceChoice, wires: Wires, price: Price) -> None:
        if not choice.voice:
            raise SettingError(f"Name a voice of ElevenLabs, as in {_EXAMPLE}. To see them: luma-studio voices.")
        settings = settings_of(choice, _SETTINGS, _EXAMPLE)
        in_range(choice, settings, _RANGES)
        self._model = str(settings.pop("model", _MODEL))
        self._format = str(settings.pop("format", _FORMAT))
        if not _FORMATS.fullmatch(self._format):
            raise SettingError(
                f"The format {self._format!r} of {ENGINE} cannot be used. Choose mp3_44100_128, or wav_44100."
            )
        self._pcm = int(self._format.split("_")[1]) if self._format.startswith("pcm") else None
        self._voice = choice.voice
        self._settings = settings
        self._wires = wires
        self.price = price(ENGINE, self._model)
        self.tags = _hears_tags(self._model)
        self.identity = identity(ENGINE, self._model, self._voice, self._format, settings)

    def speaks(self, language: str) -> bool:
        """Whether it speaks a language: the models speak some 30 to 70, and the vendor refuses the others."""
        return True

    async def speak(self, utterance: Utterance, account: Account, hear: Hear | None = None) -> Speech:
        """Speak a clause, with the time of each word. Raises VendorError, BudgetError, SettingError."""
        telling = Telling(hear)
        texts = pieces(utterance.text)
        spoken = [(text, await self._piece(utterance, text, part, account, telling)) for part, text in enumerate(texts)]
        speech = joined(spoken)
        telling.end(speech)
        return speech

    def close(self) -> None:
        """Nothing is held: the connections are the studio's."""

    async def _piece(self, utterance: Utterance, text: str, part: int, account: Account, telling: Telling) -> Speech:
        wire = self._wires.to(HOME)
        body = self._asked(utterance, text, part)
        streams = telling.is_heard and not self._format.startswith("wav")  # which the vendor does not stream
        hear = telling.body(IncomingLines(_sound_in_line, self._pcm)) if streams else unheard
        call = Call(
            "POST",
            f"/v1/text-to-speech/{quote(self._voice, safe='')}/{'stream/' if streams else ''}with-timestamps",
            json=body,
            params={"output_format": self._format},
            paid=True,
        )
        price = None if self.price is None else self.price * len(body["text"])
        purchase = Purchase(HOME.name, self._model, text, len(body["text"]), price)

        data = await buy(wire, call, account, purchase, self._cost, part, hear)
        found = json_values_of(Answer({}, data), wire.vendor)
        return read(found, body["text"], len(body["text"]) - len(text), self._pcm)

    def _asked(self, utterance: Utterance, text: str, part: int) -> dict[str, Any]:
        tags = "".join(f"[{tag}] " for tag in utterance.tags) if part == 0 else ""
        body: dict[str, Any] = {"text": tags + text, "model_id": self._model, "seed": utterance.seed % _SEEDS}
        if self._settings:
            body["voice_settings"] = self._settings
        if _takes_language(self._model):
            body["language_code"] = utterance.language.partition("-")[0].lower()
        if not _hears_tags(self._model):  # the v3 models know no neighbours
            neighbours = {"previous_text": utterance.before, "next_text": utterance.after}
            body |= {name: words for name, words in neighbours.items() if words}
        return body

    def _cost(self, answer: Received) -> Decimal | None:
        """What the vendor counted: it tells the characters."""
        told = answer.headers.get("character-cost", "")
        return None if self.price is None or not told.isdecimal() else self.price * int(told)


async def account(wires: Wires) -> str:
    """What the account may do and has left, in a sentence. Raises VendorError."""
    wire = wires.to(HOME)
    found = json_of(await wire.send(look("/v1/user")), wire.vendor)
    plan = found.get("subscription") or {}
    used, most = plan.get("character_count"), plan.get("character_limit")
    if not isinstance(used, int) or not isinstance(most, int):
        return "The key works."
    return f"The key works: plan {plan.get('tier', 'unknown')}, {max(0, most - used):,} of {most:,} characters left."


async def offered(wires: Wires) -> Offer:
    """The voices of the account, and the models that speak. Raises VendorError."""
    wire = wires.to(HOME)
    voices: list[Listed] = []
    page: dict[str, str | int] = {"page_size": 100}
    while True:
        found = json_of(await wire.send(look("/v2/voices", page)), wire.vendor)
        voices += [_listed(each) for each in found["voices"]]
        if not found.get("has_more") or not found.get("next_page_token"):
            break
        page["next_page_token"] = found["next_page_token"]
    models = json_of(await wire.send(look("/v1/models")), wire.vendor)
    speaking = [each["model_id"] for each in models if each.get("can_do_text_to_speech")]
    usual = [model for model in (_MODEL,) if model in speaking]
    return Offer(ENGINE, HOME.name, tuple(voices), tuple(dict.fromkeys([*usual, *speaking])))


def _listed(found: dict[str, Any]) -> Listed:
    labels = found.get("labels") or {}
    about = ", ".join(str(labels[name]) for name in ("gender", "age", "accent", "use_case") if labels.get(name))
    return Listed(f"{ENGINE}:{found['voice_id']}", str(found.get("name") or found["voice_id"]), about)


def _hears_tags(model: str) -> bool:
    return model.startswith(("eleven_v3", "eleven_v4"))


def _takes_language(model: str) -> bool:
    return "multilingual" not in model and "monolingual" not in model


def pieces(text: str, limit: int = _SHORTEST_LIMIT) -> list[str]:
    """A text cut into pieces of at most ``limit`` characters, at spaces if there are any; joined they are the text."""
    cut = []
    while len(text) > limit:
        space = text.rfind(" ", 1, limit + 1)
        at = space + 1 if space > 0 else limit
        cut.append(text[: min(at, limit)])
        text = text[min(at, limit) :]
    return [*cut, text]


def read(found: Sequence[Any], text: str, skipped: int = 0, pcm: int | None = None) -> Speech:
    """What the vendor answered for a text, whole or in parts one after another, as sound of rate ``pcm`` or of a kind
    that tells its own. The text's first ``skipped`` characters are tags. Raises BrokenAnswerError.
    """
    data = b"".join(map(_sound_in, found))
    alignments = [each["alignment"] for each in found if each.get("alignment") is not None]
    samples, rate = sound(HOME.name, data, pcm)
    times = _times(alignments, text, len(samples) / rate)
    if not times:
        return Speech(samples, rate)
    heard = [each for each in times if each.first >= skipped and text[each.first : each.last].strip()]
    if not heard:
        return Speech(samples, rate)
    heard = [Word(each.first - skipped, each.last - skipped, each.start, each.end) for each in heard]
    return Speech(samples, rate, _words(heard, text[skipped:]), (heard[0].start, heard[-1].end))


def _sound_in(part: Any) -> bytes:
    try:
        return base64.b64decode(part["audio_base64"], validate=True)
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise _broken("has no sound in it") from error


def _sound_in_line(line: bytes) -> bytes:
    try:
        return _sound_in(json.loads(line))
    except (ValueError, RecursionError) as error:
        raise _broken("is not the JSON that it should be") from error


def _times(alignments: Sequence[Any], text: str, length: float) -> list[Word]:
    """Each character of the text and when it is heard; empty where the vendor timed other words than these.

    Times count from the beginning of all sound, in whichever part they are told; where they begin anew with a part, as
    the vendor nowhere says that they do, none is believed.
    """
    try:
        characters, starts, ends = ([each for part in alignments for each in part[name]] for name in _ALIGNED)
        times = [
            Word(place - len(character), place, float(start), float(end))
            for place, character, start, end in zip(
                accumulate(map(len, characters)), characters, starts, ends, strict=True
            )
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise _broken("has times that cannot be read") from error
    if any(not 0 <= each.start <= each.end for each in times):
        raise _broken("has times that cannot be")
    if times and times[-1].end > length + _AFTER:
        raise _broken("has less sound than it tells times of")
    begins_anew = len(alignments) > 1 and any(later.start < each.start for each, later in pairwise(times))
    return times if "".join(characters) == text and not begins_anew else []


def _words(heard: Sequence[Word], text: str) -> tuple[Word, ...]:
    """The times of words, from those of their characters."""
    words: list[Word] = []
    for each in heard:
        last = words[-1] if words else None
        if last is not None and not any(map(str.isspace, text[last.first : each.first])):
            words[-1] = Word(last.first, each.last, last.start, each.end)
        else:
            words.append(each)
    return tuple(words)


def joined(spoken: Sequence[tuple[str, Speech]]) -> Speech:
    """Pieces of one clause, each with its text, as one: their sound end to end, their words where they stand in it."""
    if len(spoken) == 1:
        return spoken[0][1]
    rate = spoken[0][1].rate
    words: list[Word] = []
    letters = 0
    seconds = 0.0
    for text, speech in spoken:
        words += [
            Word(letters + each.first, letters + each.last, seconds + each.start, seconds + each.end)
            for each in speech.words
        ]
        letters += len(text)
        seconds += len(speech.samples) / rate
    whole = all(speech.bounds for _, speech in spoken)
    bounds = (words[0].start, words[-1].end) if whole else None
    return Speech(np.concatenate([speech.samples for _, speech in spoken]), rate, tuple(words), bounds)


def _broken(what: str) -> BrokenAnswerError:
    return BrokenAnswerError(f"The answer of {HOME.name} {what}. It was not kept; try again.", vendor=HOME.name)
