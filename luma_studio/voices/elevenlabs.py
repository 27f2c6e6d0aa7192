"""ElevenLabs: a clause with the time of each character, https://elevenlabs.io/docs/api-reference."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any
from urllib.parse import quote

from luma_studio.audio.clip import Samples
from luma_studio.audio.incoming import IncomingLines
from luma_studio.errors import BrokenAnswerError, SettingError, VendorError
from luma_studio.store.ledger import Account, Purchase, Received
from luma_studio.timeline.take import Word
from luma_studio.voices.base import Company, Hear, Speech, Utterance, Value, VoiceChoice
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
from luma_studio.wire import Answer, Call, Home, Wires, broken, json_of, json_values_of, unheard

_log = logging.getLogger(__name__)

ENGINE = "elevenlabs"
HOME = Home("ElevenLabs", "ELEVENLABS", "https://api.elevenlabs.io", header="xi-api-key", scheme="", at_once=2)
_EXAMPLE = "elevenlabs:Rachel,model=eleven_v3,stability=0.4,speed=0.9"
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
_VOICE_ID = re.compile(r"[0-9A-Za-z_-]+")
_LONGEST_NAME = 200  # characters of a name that are shown
_SHORTEST_LIMIT = 3000  # characters that every model takes; a clause is far shorter
_PLAIN = 3  # times the bytes that an answer may have where its sound is not compressed
_LEAST_LIMIT = 100  # characters; a shorter limit is none
_SEEDS = 2**32
_IN_DIALOGUE = "eleven_v3"  # how the models begin that speak dialogues
_ALIGNED = ("characters", "character_start_times_seconds", "character_end_times_seconds")
AFTER = 0.5  # seconds by which a last character may end after its sound


class ElevenLabsVoice:
    """A voice of ElevenLabs: ``elevenlabs:VOICE_ID,model=eleven_v3,stability=0.4``.

    Raises SettingError for settings that it does not have. Without a key it can be chosen and quoted, not spoken with.
    """

    concurrency = AT_ONCE

    def __init__(self, choice: VoiceChoice, wires: Wires, price: Price) -> None:
        settings = checked(choice)
        self._model = str(settings.pop("model", _MODEL))
        self._format = str(settings.pop("format", _FORMAT))
        self._pcm = pcm_rate(self._format)
        self._voice = choice.voice
        self._settings = settings
        self._wires = wires
        self.price = price(ENGINE, self._model)
        self.tags = _hears_tags(self._model)
        self.identity = identity(ENGINE, self._model, self._voice, self._format, settings)
        self.company = self._company()

    def speaks(self, language: str) -> bool:
        """Whether it speaks a language: the models speak some 30 to 70, and the vendor refuses the others."""
        return True

    async def speak(self, utterance: Utterance, account: Account, hear: Hear | None = None) -> Speech:
        """Speak a clause, with the time of each word. Raises VendorError, BudgetError, SettingError."""
        telling = Telling(hear)
        texts = pieces(utterance.text, await self._limit(utterance, account), len(tags_of(utterance)))
        spoken = [(text, await self._piece(utterance, text, part, account, telling)) for part, text in enumerate(texts)]
        speech = joined(spoken)
        telling.end(speech)
        return speech

    def close(self) -> None:
        """Nothing is held: the connections are the studio's."""

    def _company(self) -> Company | None:
        """Those who speak with the same model and settings, where a dialogue has both."""
        if not self._model.startswith(_IN_DIALOGUE) or not self._settings.keys() <= {"stability"}:
            return None
        return Company(self._model, self._format, tuple(self._settings.items()), self.price, self._wires)

    async def _limit(self, utterance: Utterance, account: Account) -> int:
        """Characters to be asked for at once: asked of the vendor where it matters, and kept with what was bought."""
        if len(tags_of(utterance)) + len(utterance.text) <= _SHORTEST_LIMIT:
            return _SHORTEST_LIMIT

        async def told() -> str:
            return str(await longest(self._wires, self._model))

        return int(await account.agreed(told, before=str(_SHORTEST_LIMIT)))

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
        call = _with_room(call, len(body["text"]), self._format)
        price = None if self.price is None else self.price * len(body["text"])
        purchase = Purchase(HOME.name, self._model, text, len(body["text"]), price)

        data = await buy(wire, call, account, purchase, self._cost, part, hear)
        found = json_values_of(Answer({}, data), wire.vendor)
        return read(found, body["text"], len(body["text"]) - len(text), self._pcm)

    def _asked(self, utterance: Utterance, text: str, part: int) -> dict[str, Any]:
        tags = tags_of(utterance) if part == 0 else ""
        body: dict[str, Any] = {"text": tags + text, "model_id": self._model, "seed": utterance.seed % _SEEDS}
        if self._settings:
            body["voice_settings"] = self._settings
        if _takes_language(self._model):
            body["language_code"] = language_code(utterance)
        if not _hears_tags(self._model):  # the v3 models know no neighbours
            neighbours = {"previous_text": utterance.before, "next_text": utterance.after}
            body |= {name: words for name, words in neighbours.items() if words}
        return body

    def _cost(self, answer: Received) -> Decimal | None:
        """What the vendor counted: it tells the characters."""
        return cost(answer, self.price)


def _with_room(call: Call, characters: int, form: str) -> Call:
    """A call for so many characters: what a long text takes, in time and in bytes, is waited for and kept."""
    share = max(1.0, characters / _SHORTEST_LIMIT)
    plain = _PLAIN if form.startswith(("pcm", "wav")) else 1
    return replace(
        call,
        patience=call.patience * share,
        deadline=call.deadline * share,
        largest=int(call.largest * share * plain),
    )


def checked(choice: VoiceChoice) -> dict[str, Value]:
    """The settings of a choice that can be. Raises SettingError."""
    if not choice.voice:
        raise SettingError(f"Name a voice of ElevenLabs, as in {_EXAMPLE}. To see them: luma-studio voices.")
    settings = settings_of(choice, _SETTINGS, _EXAMPLE)
    in_range(choice, settings, _RANGES)
    form = str(settings.get("format", _FORMAT))
    if not _FORMATS.fullmatch(form):
        raise SettingError(f"The format {form!r} of {ENGINE} cannot be used. Choose mp3_44100_128, or wav_44100.")
    return settings


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
    voices = await listed(wires)
    wire = wires.to(HOME)
    models = json_of(await wire.send(look("/v1/models")), wire.vendor)
    speaking = [each["model_id"] for each in models if each.get("can_do_text_to_speech")]
    usual = [model for model in (_MODEL,) if model in speaking]
    return Offer(ENGINE, HOME.name, tuple(voices), tuple(dict.fromkeys([*usual, *speaking])))


async def listed(wires: Wires, search: str = "") -> list[Listed]:
    """The voices of the account, or those that a search finds, from all pages. Raises VendorError."""
    wire = wires.to(HOME)
    voices: dict[str, Listed] = {}  # by id: a first page may have voices of a later one
    page: dict[str, str | int] = {"page_size": 100, **({"search": search} if search else {})}
    while True:
        answer = await wire.send(look("/v2/voices", page))
        match json_of(answer, wire.vendor):
            case {"voices": [*found], **rest}:
                voices |= {each["voice_id"]: _listed(each) for each in found if _is_voice(each)}
            case _:
                raise broken(wire.vendor, "lists no voices", answer)
        following = rest.get("next_page_token") if rest.get("has_more") else None
        if not following or following == page.get("next_page_token"):  # the same page again would never end
            return list(voices.values())
        page["next_page_token"] = str(following)


async def longest(wires: Wires, model: str) -> int:
    """The most characters that a model takes at once, as the vendor tells; the shortest limit known if it cannot."""
    wire = wires.to(HOME)
    try:
        models = json_of(await wire.once(look("/v1/models")), wire.vendor)
    except VendorError as error:
        _log.info("%s cannot tell how long a text may be: %s", HOME.name, error)
        return _SHORTEST_LIMIT
    for each in models if isinstance(models, list) else ():
        match each:
            case {"model_id": str(name), "maximum_text_length_per_request": int(most)} if name == model:
                return most if most >= _LEAST_LIMIT else _SHORTEST_LIMIT
    return _SHORTEST_LIMIT


def _is_voice(found: Any) -> bool:
    return isinstance(found, dict) and bool(_VOICE_ID.fullmatch(str(found.get("voice_id"))))


def _listed(found: dict[str, Any]) -> Listed:
    labels = found.get("labels") or {}
    about = ", ".join(str(labels[name]) for name in ("gender", "age", "accent", "use_case") if labels.get(name))
    name, preview = _one_line(found.get("name") or found["voice_id"]), str(found.get("preview_url") or "")
    return Listed(f"{ENGINE}:{found['voice_id']}", name, _one_line(about), preview)


def _one_line(text: object) -> str:
    """What others wrote, as it may be shown: voices have names that their makers gave them."""
    return " ".join("".join(each if each.isprintable() else " " for each in str(text)).split())[:_LONGEST_NAME]


def tags_of(utterance: Utterance) -> str:
    """A clause's delivery tags, as they stand before its text."""
    return "".join(f"[{tag}] " for tag in utterance.tags)


def language_code(utterance: Utterance) -> str:
    """A clause's language, as the vendor is told it."""
    return utterance.language.partition("-")[0].lower()


def cost(answer: Received, price: Decimal | None) -> Decimal | None:
    """US dollars of an answer, by the characters that the vendor says it counted; None where either is not known."""
    told = answer.headers.get("character-cost", "")
    return None if price is None or not told.isdecimal() else price * int(told)


def pcm_rate(form: str) -> int | None:
    """The rate of a format of bare samples; None for one that tells its own."""
    return int(form.split("_")[1]) if form.startswith("pcm") else None


def _hears_tags(model: str) -> bool:
    return model.startswith(("eleven_v3", "eleven_v4"))


def _takes_language(model: str) -> bool:
    return "multilingual" not in model and "monolingual" not in model


def read(found: Sequence[Any], text: str, skipped: int = 0, pcm: int | None = None) -> Speech:
    """What the vendor answered for a text, whole or in parts one after another, as sound of rate ``pcm`` or of a kind
    that tells its own. The text's first ``skipped`` characters are tags. Raises BrokenAnswerError.
    """
    samples, rate = sound_of(found, pcm)
    alignments = [each["alignment"] for each in found if each.get("alignment") is not None]
    times = times_of(alignments, text, len(samples) / rate)
    if not times:
        return Speech(samples, rate)
    heard = [each for each in times if each.first >= skipped and text[each.first : each.last].strip()]
    if not heard:
        return Speech(samples, rate)
    heard = [Word(each.first - skipped, each.last - skipped, each.start, each.end) for each in heard]
    return Speech(samples, rate, _words(heard, text[skipped:]), (heard[0].start, heard[-1].end))


def sound_of(found: Sequence[Any], pcm: int | None) -> tuple[Samples, int]:
    """The sound in the parts of an answer, and its rate: ``pcm`` for bare samples. Raises BrokenAnswerError."""
    return sound(HOME.name, b"".join(map(_sound_in, found)), pcm)


def _sound_in(part: Any) -> bytes:
    try:
        return base64.b64decode(part["audio_base64"], validate=True)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise unfit("has no sound in it") from error


def _sound_in_line(line: bytes) -> bytes:
    try:
        return _sound_in(json.loads(line))
    except (ValueError, RecursionError) as error:
        raise unfit("is not the JSON that it should be") from error


def times_of(alignments: Sequence[Any], text: str, length: float) -> list[Word]:
    """Each character of the text and when it is heard; empty where the vendor timed other words than these.

    Times count from the beginning of all sound, in whichever part they are told; where they begin anew with a part, as
    the vendor nowhere says that they do, none is believed. ``length`` is that of the sound, in seconds. Raises
    BrokenAnswerError.
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
        raise unfit("has times that cannot be read") from error
    if any(not 0 <= each.start <= each.end for each in times):
        raise unfit("has times that cannot be")
    if times and times[-1].end > length + AFTER:
        raise unfit("has less sound than it tells times of")
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


def unfit(what: str) -> BrokenAnswerError:
    """The error of an answer that came and is not what it should be."""
    return BrokenAnswerError(f"The answer of {HOME.name} {what}. It was not kept; try again.", vendor=HOME.name)
