"""What was heard in the pieces of a recording, joined: times as they are in the recording, and one text."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

from luma_studio.transcripts.base import RATE, Heard, Segment, Span, TimedWord, Times, TranscriberChoice, Transcript

Spans = tuple[Span, ...]
_WITHOUT_SPACES = ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


def joined(heard: Sequence[tuple[Spans, Heard]], choice: TranscriberChoice, seconds: float) -> Transcript:
    """The transcript of what was heard in pieces, each with the spans of the recording that it is made of."""
    told = [(spans, each) for spans, each in heard if each.text.strip()]
    several = len(heard) > 1
    segments: list[Segment] = []
    words: list[TimedWord] = []
    for number, (spans, each) in enumerate(heard, 1):
        if each.text.strip():
            clock = _Clock(spans)
            segments += _segments(each, clock, str(number) if several else "")
            words += [TimedWord(word.text, *clock.times(word.start, word.end)) for word in each.words]
    return Transcript(
        text=_text(each.text for _, each in told),
        language=_language(told, choice),
        segments=tuple(segments),
        words=tuple(words),
        times=_times(each for _, each in told),
        seconds=seconds,
        engine=str(choice),
    )


class _Clock:
    """From a time in a piece to that in the recording. A piece that was filled up with silence ends where it ended."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans
        self._edges = [0, *accumulate(span.last - span.first for span in spans)]

    def times(self, start: float, end: float) -> tuple[float, float]:
        """When something begins and ends, of which both are told in seconds of the piece."""
        begin = self._beginning(start)
        return begin, max(begin, self._end(end))

    @property
    def whole(self) -> tuple[float, float]:
        """When the piece begins and ends."""
        return self._spans[0].first / RATE, self._spans[-1].last / RATE

    def _beginning(self, seconds: float) -> float:
        """Models begin a word early, in the silence before it; nothing begins in what is kept of a long one."""
        sample = self._within(seconds)
        index = min(bisect_right(self._edges, sample), len(self._spans)) - 1
        if self._edges[index + 1] - sample <= self._spans[index].tail and index + 1 < len(self._spans):
            later = self._spans[index + 1]
            return (later.first + later.lead) / RATE
        return self._told(index, sample)

    def _end(self, seconds: float) -> float:
        """As ``_beginning``; nothing ends in it either."""
        sample = self._within(seconds)
        index = max(0, bisect_left(self._edges, sample) - 1)
        if sample - self._edges[index] <= self._spans[index].lead and index:
            earlier = self._spans[index - 1]
            return (earlier.last - earlier.tail) / RATE
        return self._told(index, sample)

    def _within(self, seconds: float) -> float:
        return min(max(0.0, seconds * RATE), float(self._edges[-1]))

    def _told(self, index: int, sample: float) -> float:
        return round((self._spans[index].first + sample - self._edges[index]) / RATE, 6)


def _segments(heard: Heard, clock: _Clock, piece: str) -> list[Segment]:
    """The segments of a piece, or it as one. Speakers are told apart within a piece only, so that is named, too."""
    if not heard.segments:
        return [Segment(heard.text.strip(), *clock.whole)]
    return [
        Segment(each.text.strip(), *clock.times(each.start, each.end), each.speaker and each.speaker + piece)
        for each in heard.segments
    ]


def _times(heard: Iterable[Heard]) -> Times:
    """How fine the times of all are."""
    kinds: set[Times] = {"word" if each.words else "segment" if each.segments else "piece" for each in heard}
    return next(kind for kind in ("piece", "segment", "word") if kind in kinds) if kinds else "piece"


def _text(parts: Iterable[str]) -> str:
    text = ""
    for part in map(str.strip, parts):
        glue = "" if not text or (_is_spaceless(text[-1]) and _is_spaceless(part[0])) else " "
        text += glue + part
    return text


def _is_spaceless(character: str) -> bool:
    """Whether it is of a writing that has no spaces between words."""
    return unicodedata.name(character, "").startswith(_WITHOUT_SPACES)


def _language(told: Iterable[tuple[Spans, Heard]], choice: TranscriberChoice) -> str:
    """The language that was chosen, or else the one that is spoken longest."""
    chosen = dict(choice.settings).get("language", "")
    spoken: Counter[str] = Counter()
    for spans, each in told:
        if each.language:
            spoken[each.language] += sum(span.last - span.first for span in spans)
    return chosen or next((language for language, _ in spoken.most_common(1)), "")
