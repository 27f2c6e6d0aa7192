"""Captions by clause, long ones broken by word times into at most two lines of 42 characters."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from luma_studio.script.model import Clause
from luma_studio.timeline.arrange import Timeline
from luma_studio.timeline.take import Take

LINE = 42
LINES = 2
_LINGER = 0.6  # seconds a caption may stay after its last word, for readers who are slower than the voice
_APART = 0.04  # seconds between two captions, so that a change is seen


@dataclass(frozen=True, slots=True)
class Cue:
    """A caption: seconds from the start of the master, its lines, and who speaks (None: the narrator)."""

    start: float
    end: float
    lines: tuple[str, ...]
    speaker: str | None = None


def captions(timeline: Timeline, clauses: Sequence[Clause]) -> tuple[Cue, ...]:
    """The captions of a timeline, in order, never two at once."""
    cues = [
        cue
        for clause, take, at in zip(clauses, timeline.takes, timeline.speech_start, strict=True)
        for cue in _cues(clause, take, (int(at) - take.speech_start) / timeline.rate)
        if take.speech_start < take.speech_end  # what is not heard has no time to be read in
    ]
    length = timeline.length / timeline.rate
    starts = [*(cue.start for cue in cues[1:]), length + _APART][: len(cues)]
    return tuple(
        Cue(cue.start, max(cue.start, min(cue.end + _LINGER, start - _APART)), cue.lines, cue.speaker)
        for cue, start in zip(cues, starts, strict=True)
    )


def to_srt(cues: Sequence[Cue]) -> str:
    """Captions as SubRip."""
    return "".join(
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{chr(10).join(cue.lines)}\n\n"
        for number, cue in enumerate(cues, 1)
    )


def to_vtt(cues: Sequence[Cue]) -> str:
    """Captions as WebVTT, with a voice tag for each speaker."""
    return "WEBVTT\n\n" + "".join(
        f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{_vtt_text(cue)}\n\n" for cue in cues
    )


def _cues(clause: Clause, take: Take, origin: float) -> Iterator[Cue]:
    """The cues of one clause; ``origin`` is where its take begins, in seconds."""
    spans = _lines(clause.text)
    for index in range(0, len(spans), LINES):
        block = spans[index : index + LINES]
        start, end = (origin + second for second in _heard(clause, take, block[0][0], block[-1][1]))
        yield Cue(start, end, tuple(clause.text[first:last] for first, last in block), clause.speaker)


def _heard(clause: Clause, take: Take, first: int, last: int) -> tuple[float, float]:
    """When characters ``first`` up to ``last`` are heard, in seconds of the take; between known words by length."""
    start, end = take.speech_start / take.rate, take.speech_end / take.rate
    places, times = [0], [start]
    for word in take.words:
        if word.first > places[-1] and start <= word.start <= end:
            places.append(word.first)
            times.append(max(word.start, times[-1]))
    if len(clause.text) > places[-1]:
        places.append(len(clause.text))
        times.append(end)
    return _between(first, places, times), _between(last, places, times)


def _between(place: int, places: Sequence[int], times: Sequence[float]) -> float:
    """The time of a place on the line through known ones (for two values, numpy takes five times as long)."""
    right = min(max(bisect_right(places, place), 1), len(places) - 1)
    if right < 1:
        return times[0]
    share = (place - places[right - 1]) / (places[right] - places[right - 1])
    return times[right - 1] + share * (times[right] - times[right - 1])


@lru_cache(maxsize=8192)  # a moved pause changes no line, and an hour has some thousand clauses
def _lines(text: str) -> list[tuple[int, int]]:
    """Spans of lines of at most ``LINE`` characters, as even as so few lines allow."""
    pieces = list(_pieces(text))
    widest = _packed(pieces, LINE)
    narrow, wide = 1, LINE
    while narrow < wide:  # the narrowest width that needs no more lines
        width = (narrow + wide) // 2
        if len(_packed(pieces, width)) <= len(widest):
            wide = width
        else:
            narrow = width + 1
    return _packed(pieces, wide)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Spans that a line may end after: words, single characters of writing without spaces, parts of overlong words."""
    start = 0
    for index, character in enumerate(text):
        if character == " ":
            if index > start:
                yield start, index
            start = index + 1
        elif index > start and (_unspaced(character) or index - start >= LINE) and not _is_mark(character):
            yield start, index
            start = index
    if start < len(text):
        yield start, len(text)


def _is_mark(character: str) -> bool:
    """Whether it belongs to the letter before it, as vowel signs do."""
    return unicodedata.category(character)[0] == "M"


def _unspaced(character: str) -> bool:
    """Whether a line may break before it: Han, kana and the like, which are written without spaces."""
    return "\u2e80" <= character <= "\u9fff" and unicodedata.category(character) == "Lo"


def _packed(pieces: Sequence[tuple[int, int]], width: int) -> list[tuple[int, int]]:
    lines: list[tuple[int, int]] = []
    for first, last in pieces:
        if lines and last - lines[-1][0] <= width:
            lines[-1] = (lines[-1][0], last)
        else:
            lines.append((first, last))
    return lines


def _vtt_text(cue: Cue) -> str:
    text = "\n".join(cue.lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if cue.speaker is None:
        return text
    name = cue.speaker.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<v {name}>{text}</v>"


def _time(seconds: float, point: str) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"
