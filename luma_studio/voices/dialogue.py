"""ElevenLabs text-to-dialogue: several clauses asked for together, so that the speakers answer each other's tone.

What comes is parted into an answer a clause, of the shape that text-to-speech gives: such an answer is read by
``elevenlabs``, whichever way it came. https://elevenlabs.io/docs/api-reference/text-to-dialogue
"""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil
from typing import Any

from luma_studio.audio import codec
from luma_studio.audio.clip import Samples
from luma_studio.store.ledger import Account, Purchase
from luma_studio.timeline.take import Word
from luma_studio.voices.base import Company, Utterance, Voice
from luma_studio.voices.elevenlabs import (
    AFTER,
    HOME,
    cost,
    language_code,
    pcm_rate,
    sound_of,
    tags_of,
    times_of,
    unfit,
)
from luma_studio.voices.vendors import buy
from luma_studio.wire import Answer, Call, json_of

MOST_VOICES = 10
"""Different voices that a dialogue may have."""
MOST_CHARACTERS = 2000
"""Characters that a dialogue's texts may have together, with their tags."""

_PATIENCE = 240.0  # seconds: two minutes of speech come at once, when the last of it has been spoken

Asked = dict[str, Any]
"""What a dialogue is asked for with: the body of the request."""


@dataclass(frozen=True, slots=True)
class Line:
    """A clause in a dialogue: the vendor's id of its voice, its text with its tags, its language."""

    voice: str
    text: str
    language: str

    @classmethod
    def of(cls, voice: Voice, utterance: Utterance) -> Line:
        """The line of a clause that this voice is to speak."""
        return cls(str(voice.identity["voice"]), tags_of(utterance) + utterance.text, language_code(utterance))


def parts(lines: Sequence[Line]) -> list[slice]:
    """The dialogues of lines that follow on one another, as long and as even as the limits let them be.

    A line that is in none of them is spoken alone: there is nobody beside it to answer, or it is too long.
    """
    return [part for part in _within_limits(lines, slice(0, len(lines))) if len(_voices(lines[part])) > 1]


def _within_limits(lines: Sequence[Line], part: slice) -> Iterator[slice]:
    characters = [len(line.text) for line in lines[part]]
    dialogues = max(ceil(sum(characters) / MOST_CHARACTERS), ceil(len(_voices(lines[part])) / MOST_VOICES))
    if dialogues <= 1:
        yield part
    if dialogues <= 1 or len(characters) == 1:  # a single line that is too long is no dialogue
        return
    aim = sum(characters) * (dialogues // 2) / dialogues
    ends = list(accumulate(characters[:-1]))
    cut = part.start + 1 + min(range(len(ends)), key=lambda index: abs(ends[index] - aim))
    yield from _within_limits(lines, slice(part.start, cut))
    yield from _within_limits(lines, slice(cut, part.stop))


def _voices(lines: Sequence[Line]) -> set[str]:
    return {line.voice for line in lines}


def asked(company: Company, lines: Sequence[Line]) -> Asked:
    """What these lines are asked for with. Its seed is 0: another reading is of one clause, which is spoken alone."""
    body: Asked = {
        "inputs": [{"text": line.text, "voice_id": line.voice} for line in lines],
        "model_id": company.model,
        "seed": 0,
    }
    if company.settings:
        body["settings"] = dict(company.settings)
    languages = {line.language for line in lines}
    if len(languages) == 1:
        body["language_code"] = languages.pop()
    return body


async def bought(company: Company, body: Asked, account: Account) -> bytes:
    """What the vendor answers, whole. Raises VendorError, BudgetError."""
    texts = [line["text"] for line in body["inputs"]]
    characters = sum(map(len, texts))
    call = Call(
        "POST",
        "/v1/text-to-dialogue/with-timestamps",
        json=body,
        params={"output_format": company.form},
        paid=True,
        patience=_PATIENCE,
    )
    price = None if company.price is None else company.price * characters
    purchase = Purchase(HOME.name, company.model, " ".join(texts), characters, price)
    return await buy(company.wires.to(HOME), call, account, purchase, lambda answer: cost(answer, company.price))


def parted(company: Company, body: Asked, answer: bytes) -> list[bytes]:
    """What was answered for each line, as text-to-speech would answer it. Raises BrokenAnswerError.

    Two lines are parted in the middle between the last character of one and the first of the next; where the vendor
    timed no characters, in the middle between the parts of the sound that it says are theirs.
    """
    found = json_of(Answer({}, answer), company.wires.to(HOME).vendor)
    pcm = pcm_rate(company.form)
    samples, rate = sound_of([found], pcm)
    heard = _heard(found, body["inputs"], len(samples) / rate)
    middles = [(one.end + other.start) / 2 for one, other in pairwise(heard)]
    edges = [0, *(min(len(samples), round(middle * rate)) for middle in middles), len(samples)]
    return [
        json.dumps(
            {"audio_base64": _encoded(samples[start:end], rate, pcm), "alignment": _alignment(each, start, end, rate)}
        ).encode()
        for each, (start, end) in zip(heard, pairwise(edges), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Heard:
    """A line in the sound: from when to when, in seconds, and its characters with theirs, where they were timed."""

    start: float
    end: float
    characters: Sequence[tuple[str, Word]] = ()


def _heard(found: Any, inputs: Sequence[Any], length: float) -> list[_Heard]:
    """Where each line is heard in ``length`` seconds of sound. Raises BrokenAnswerError."""
    alignment = found.get("alignment")
    text = "".join(line["text"] for line in inputs)
    times = [] if alignment is None else times_of([alignment], text, length)
    if not times:  # or those of other words than were asked for, such as without tags: the sound was paid for
        heard = [
            _Heard(min(start for start, _ in each), max(end for _, end in each))
            for each in _segments(found, inputs, None, length)
        ]
    else:
        places = _places(inputs, alignment["characters"])
        _segments(found, inputs, places, length)
        timed = list(zip(alignment["characters"], times, strict=True))
        heard = [_line(timed[place.start : place.stop]) for place in places]
    if any(one.start > other.start or one.end > other.end for one, other in pairwise(heard)):
        raise unfit("has its lines in another order than they were to be spoken")
    return heard


def _line(characters: Sequence[tuple[str, Word]]) -> _Heard:
    times = [word for _, word in characters]
    return _Heard(min(word.start for word in times), max(word.end for word in times), characters)


def _places(inputs: Sequence[Any], characters: Sequence[str]) -> list[range]:
    """Which of the characters, of which one may be several letters of the text, are those of each line."""
    index = {place: number for number, place in enumerate(accumulate(map(len, characters), initial=0))}
    ends = accumulate((len(line["text"]) for line in inputs), initial=0)
    try:
        return [range(index[first], index[last]) for first, last in pairwise(ends)]
    except KeyError as error:
        raise unfit("has a character that is in two lines") from error


def _segments(
    found: Any, inputs: Sequence[Any], places: Sequence[range] | None, length: float
) -> list[list[tuple[float, float]]]:
    """The parts of the sound that the vendor says are each line's. Raises BrokenAnswerError for what cannot be.

    ``places`` are each line's characters; None where the vendor counts those of another text.
    """
    segments: list[list[tuple[float, float]]] = [[] for _ in inputs]
    try:
        for each in found["voice_segments"]:
            index, voice = each["dialogue_input_index"], each["voice_id"]
            first, last = each["character_start_index"], each["character_end_index"]
            start, end = float(each["start_time_seconds"]), float(each["end_time_seconds"])
            if {type(index), type(first), type(last)} != {int} or not 0 <= index < len(inputs):
                raise unfit("has a part of a line that was not to be spoken")
            place = range(sys.maxsize) if places is None else places[index]
            if voice != inputs[index]["voice_id"] or not place.start <= first <= last <= place.stop:
                raise unfit("has a part that is not its line's")
            if not 0 <= start <= end <= length + AFTER:
                raise unfit("has times that cannot be")
            segments[index].append((start, end))
    except (KeyError, TypeError, ValueError) as error:
        raise unfit("does not tell which part of it is whose") from error
    if not all(segments):
        raise unfit("leaves a line out")
    return segments


def _encoded(samples: Samples, rate: int, pcm: int | None) -> str:
    """Sound as it stands in an answer: bare where the format is, and otherwise as WAV, which loses nothing."""
    file = io.BytesIO()
    if pcm is None:
        codec.encode([samples], file, "wav", rate)
    else:
        file.write(samples.astype("<i2").tobytes())
    return base64.b64encode(file.getvalue()).decode()


def _alignment(line: _Heard, start: int, end: int, rate: int) -> Any:
    """The times of a line's characters in its samples, ``start`` up to ``end`` of all; None where none were told."""
    if not line.characters:
        return None

    def moved(seconds: float) -> float:
        return min(max(0.0, seconds - start / rate), (end - start) / rate)

    return {
        "characters": [character for character, _ in line.characters],
        "character_start_times_seconds": [moved(word.start) for _, word in line.characters],
        "character_end_times_seconds": [moved(word.end) for _, word in line.characters],
    }
