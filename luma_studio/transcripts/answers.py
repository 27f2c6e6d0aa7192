"""What engines answer: JSON as OpenAI has it, in its plain, verbose and diarized forms, looked at and made plain."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from unicodedata import category

from luma_studio.errors import BrokenAnswerError
from luma_studio.script.languages import language_named
from luma_studio.transcripts.base import Heard, Segment, TimedWord

_Timed = TypeVar("_Timed", Segment, TimedWord)
_UNSEEN = ("Cc", "Cs", "Cn")
_LONGEST = 1e6  # seconds


def heard(body: bytes, vendor: str) -> Heard:
    """What an answer says. Times that cannot be are left away: the text was paid for. Raises BrokenAnswerError."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _broken(vendor, "is not the JSON that it should be") from error
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        raise _broken(vendor, "is no transcript")
    return Heard(
        text=_plain(found["text"]),
        language=_language(found),
        segments=_all(found.get("segments"), _segment),
        words=_all(found.get("words"), _word),
    )


def seconds_of(body: bytes) -> float | None:
    """How many seconds of sound an answer says that it took; None where it does not, or counts something else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    match found:
        case {"usage": {"type": "duration", "seconds": int() | float() as seconds}} if _is_time(seconds):
            return float(seconds)
    return None


def _broken(vendor: str, what: str) -> BrokenAnswerError:
    return BrokenAnswerError(f"The answer of {vendor} {what}. It was not kept; try again.", vendor=vendor)


def _language(found: Mapping[str, Any]) -> str:
    """Its primary tag, of a name such as "english", or a code."""
    match found:
        case {"language": str() as told} | {"languages": [{"code": str() as told}, *_]}:
            return language_named(told) or ""
    return ""


def _all(found: Any, read: Callable[[Any], _Timed | None]) -> tuple[_Timed, ...]:
    """All of them, without those that say nothing; none where the times of one cannot be."""
    if not isinstance(found, list):
        return ()
    try:
        made = [each for each in map(read, found) if each is not None]
    except ValueError:
        return ()
    return tuple(sorted(made, key=lambda each: each.start))


def _segment(found: Any) -> Segment | None:
    text, start, end = _timed(found, "text")
    speaker = found.get("speaker")
    return Segment(text, start, end, _plain(speaker) if isinstance(speaker, str) else "") if text else None


def _word(found: Any) -> TimedWord | None:
    text, start, end = _timed(found, "word")
    return TimedWord(text, start, end) if text else None


def _timed(found: Any, name: str) -> tuple[str, float, float]:
    """Its text and times. Raises ValueError."""
    match found:
        case {"start": int() | float() as start, "end": int() | float() as end} if _is_time(start) and _is_time(end):
            text = found.get(name)
            if isinstance(text, str):
                return _plain(text), float(start), float(end)
    raise ValueError(found)


def _is_time(number: float) -> bool:
    return not isinstance(number, bool) and 0 <= number <= _LONGEST  # which is neither infinite nor no number


def _plain(text: str) -> str:
    """A text in one line, without control characters and halves of others; joiners, which Hindi needs, stay."""
    return " ".join("".join(" " if category(each) in _UNSEEN else each for each in text).split())
