"""What the inside of a bracket says about a pause, if anything.

``read_note`` cuts the inside into numbers and words, looks the words up in the tables of ``words``, and then either
understands all of it (a time, or a kind of pause that has a setting), or sees that it was meant for a pause and is
wrong (broken), or takes it for something to speak.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Literal, NamedTuple

from luma_studio.script.words import (
    AND,
    ARTICLES,
    BETWEEN,
    CONNECTING,
    HOURS,
    LONG,
    MILLISECONDS,
    MINUTES,
    MORE_NUMBERS,
    NUMBERS,
    PAUSES,
    SECONDS,
    SHORT,
    TELLING,
    TO,
    VAGUE,
    WAITS,
    WITHOUT,
    fold,
    folded,
    words,
)

LONGEST_NOTE = 500
"""Characters that the inside of a bracket may have to be looked at as a note."""

LONGEST_PAUSE = 24 * 3600.0
"""Seconds; a note that asks for more is cut to this."""

Named = Literal["plain_pause", "short_pause", "long_pause", "sentence_pause", "comma_pause"]


@dataclass(frozen=True, slots=True)
class Timed:
    """A pause of so many seconds; a range has its least and most."""

    seconds: float
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A pause whose length is a setting: the name of the field of ``Reading``."""

    setting: Named


@dataclass(frozen=True, slots=True)
class Broken:
    """Meant for a pause and cannot be read; ``why`` is the rest of a sentence about it."""

    why: str = "cannot be read"


@dataclass(frozen=True, slots=True)
class Aside:
    """Speaks of time or silence, but as prose: it is spoken."""


Note = Timed | Kind | Broken | Aside
Meaning = Literal[
    "number", "clock", "unit", "pause", "wait", "short", "long", "to", "and", "without", "telling", "unknown"
]


class _Token(NamedTuple):
    meaning: Meaning
    value: float = 0.0
    word: str = ""
    attached: bool = False  # no space before it
    between: bool = False  # also a connecting word or the word "between"


_TOKEN = re.compile(
    r"(?P<number>\d+(?:[.,:٫٬]\d+)*+|[.٫]\d+)"
    r"|(?P<word>[^\W\d_](?:[^\s\d\-‐-―−~〜～,.:;/+…!?।'\"’*_=&|،、・()]*+))"
    r"|(?P<dash>[-‐-―−~〜～])"
)
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_CJK_DIGITS = "一二三四五六七八九"
_SIGNS = str.maketrans({"½": ".5", "¼": ".25", "¾": ".75"})


def _exact_and_stems(*tables: tuple[dict[str, str], float]) -> tuple[dict[str, float], dict[str, float]]:
    exact: dict[str, float] = {}
    stems: dict[str, float] = {}
    for table, value in tables:
        for word in words(table):
            (stems if word.endswith("*") else exact)[word.rstrip("*")] = value
    return exact, stems


_HOUR = 3600.0
_UNITS, _UNIT_STEMS = _exact_and_stems((HOURS, _HOUR), (MINUTES, 60.0), (SECONDS, 1.0), (MILLISECONDS, 0.001))
_PAUSES, _PAUSE_STEMS = _exact_and_stems((PAUSES, 0.0))
_NUMBERS = {
    fold(word): value
    for word, value in [
        *((word, float(at)) for line in NUMBERS.values() for at, word in enumerate(line.split(), 1)),
        *((word, float(value)) for value, line in MORE_NUMBERS.items() for word in line.split()),
        *((word, 1.0) for word in ARTICLES.split()),
    ]
}
_CONNECTING = frozenset(words(CONNECTING))
_BETWEEN = frozenset(words(BETWEEN))
_TO = frozenset(words(TO))
_ARTICLES = folded(ARTICLES)
_VAGUE = folded(VAGUE)
_SHORT_UNITS = frozenset({"s", "sec", "secs", "seg", "sek", "ms", "min", "mins"})
_MEANINGS: dict[str, Meaning] = {
    **dict.fromkeys(words(TELLING), "telling"),
    **dict.fromkeys(words(WITHOUT), "without"),
    **dict.fromkeys(words(AND), "and"),
    **dict.fromkeys(words(TO), "to"),
    **dict.fromkeys(words(LONG), "long"),
    **dict.fromkeys(words(SHORT), "short"),
    **dict.fromkeys(words(WAITS), "wait"),
}
_CJK_WORDS = frozenset(word for word in (*_UNITS, *_PAUSES, *_MEANINGS, *_CONNECTING, *_NUMBERS) if _CJK.match(word))


def _shortened(word: str) -> Iterator[str]:
    return (word[:at] + word[at + 1 :] for at in range(len(word)))


# Units as they are mistyped: one letter missing, too many, wrong, or swapped with its neighbour.
# Hours are not among them: "(3 tours)".
_NEARLY_UNITS = frozenset(
    near
    for unit, seconds in _UNITS.items()
    if len(unit) >= 5 and unit.isascii() and seconds < _HOUR
    for near in (unit, *_shortened(unit))
)


@lru_cache(maxsize=4096)
def read_note(inside: str) -> Note | None:
    """What the inside of a bracket (without the bracket) asks for; None when it is no note at all."""
    if inside.isdecimal():
        return None
    tokens = _combined(list(islice(_tokens(fold(inside.translate(_SIGNS))), 40)))
    return _judge(tokens) if tokens else None


def read_break(attributes: str) -> Note:
    """What an SSML break asks for, from what stands between ``<break`` and ``>``."""
    found = {name.lower(): value for name, _, value in _ATTRIBUTE.findall(attributes)}
    if "time" in found:
        match = _BREAK_TIME.fullmatch(found["time"])
        if match is None:
            return Broken('has a time that cannot be read (write time="1500ms" or time="1.5s")')
        return Timed(_limited(float(match[1]) * (0.001 if match[2].lower() == "ms" else 1.0)))
    return _STRENGTHS.get(found.get("strength", "medium").lower(), Broken("has a strength that does not exist"))


_ATTRIBUTE = re.compile(r"([A-Za-z]{1,20})\s{0,9}=\s{0,9}([\"'])([^\"'<>]{0,80})\2")
_BREAK_TIME = re.compile(r"\s{0,9}\+?(\d{1,400}(?:\.\d{0,20})?|\.\d{1,20})\s{0,9}(ms|s)\s{0,9}", re.IGNORECASE)
_STRENGTHS: dict[str, Note] = {
    "none": Timed(0.0),
    "x-weak": Timed(0.0),
    "weak": Kind("comma_pause"),
    "medium": Kind("sentence_pause"),
    "strong": Kind("plain_pause"),
    "x-strong": Kind("long_pause"),
}


def _tokens(text: str) -> Iterator[_Token]:
    end = 0
    for match in _TOKEN.finditer(text):
        attached = match.start() == end and end > 0
        end = match.end()
        spelled = match.group()
        if match.lastgroup == "number":
            yield _number(spelled, attached)
        elif match.lastgroup == "dash":
            # "(pause - 5 sec)" and "(5 - 10 sec)" are no minus signs; "(-5 sec)" is.
            minus = spelled in "-−" and not attached and text[end : end + 1].isdigit()
            yield _Token("to", -1.0 if minus else 0.0, "-", attached)
        elif _CJK.match(spelled):
            yield from _cjk_tokens(spelled)
        else:
            yield _word(spelled, attached)


def _number(spelled: str, attached: bool) -> _Token:
    if ":" in spelled:
        return _clock(spelled, attached)
    plain = spelled.replace("٫", ".").replace("٬", "")
    if "," in plain:
        head, _, tail = plain.partition(",")
        thousands = len(tail.partition(".")[0]) == 3 and head.strip("0")
        plain = plain.replace(",", "") if thousands or "," in tail or "." in tail else f"{head}.{tail}"
    if plain.count(".") > 1:
        return _Token("unknown", 0.0, spelled, attached)
    return _Token("number", float(plain), spelled, attached)


def _clock(spelled: str, attached: bool) -> _Token:
    whole, _, fraction = spelled.partition(".")
    fields = whole.split(":")
    well_formed = len(fields) in (2, 3) and all(field.isdigit() and len(field) == 2 for field in fields[1:])
    if (
        not well_formed
        or not f"0{fraction}".isdigit()
        or len(fields[0]) > 4
        or any(int(field) > 59 for field in fields[1:])
    ):
        return _Token("unknown", 0.0, spelled, attached)
    seconds = 0.0
    for field in fields:
        seconds = seconds * 60 + int(field)
    return _Token("clock", seconds + float(f"0.{fraction}0"), spelled, attached)


def _cjk_tokens(run: str) -> Iterator[_Token]:
    """Words of a run that is written without spaces, longest first."""
    at = 0
    while at < len(run):
        if run[at] in _CJK_DIGITS or run[at] == "十":
            end = at
            while end < len(run) and (run[end] in _CJK_DIGITS or run[end] == "十"):
                end += 1
            yield _Token("number", _cjk_number(run[at:end]), run[at:end], True)
        else:
            end = next((at + n for n in range(5, 0, -1) if run[at : at + n] in _CJK_WORDS), 0)
            if not end:
                yield _Token("unknown", 0.0, run[at:], True)
                return
            yield _word(run[at:end], True)
        at = end


def _cjk_number(digits: str) -> float:
    total = 0.0
    for part, group in enumerate(reversed(digits.split("十"))):
        value = float("".join(str(_CJK_DIGITS.index(digit) + 1) for digit in group) or 0)
        total += value if part == 0 else 10 * (value or 1)
    return total


def _word(word: str, attached: bool) -> _Token:
    loose = word in _CONNECTING or word in _BETWEEN
    unit = _UNITS.get(word) or _by_stem(word, _UNIT_STEMS)
    if unit:
        return _Token("unit", unit, word, attached)
    if word in _PAUSES or _by_stem(word, _PAUSE_STEMS) is not None:
        return _Token("pause", 0.0, word, attached)
    if word in _NUMBERS:
        return _Token("number", _NUMBERS[word], word, attached, between=True)
    meaning = _MEANINGS.get(word)
    if meaning:
        return _Token(meaning, 0.0, word, attached, between=loose)
    if loose:
        return _Token("and", 0.0, word, attached, between=True)
    return _Token("unknown", 0.0, word, attached)


def _combined(tokens: list[_Token]) -> list[_Token]:
    """Tokens with those made one that mean a time only together: "5-second", "twenty-five", "one and a half"."""
    combined: list[_Token] = []
    for at, token in enumerate(tokens):
        before = combined[-1] if combined else _NOTHING
        following = tokens[at + 1] if at + 1 < len(tokens) else _NOTHING
        if token.meaning == "number" and token.between:
            _add_spelled(token, following, combined)
        elif token.meaning == "unit" and token.word in _TO and following.meaning == "number":
            combined.append(token._replace(meaning="to", value=0.0))  # "5 से 10 सेकंड", but "5 से."
        elif not (token.word == "-" and token.attached and _is_hyphen(before, following)):
            combined.append(token)
    return combined


def _add_spelled(token: _Token, following: _Token, combined: list[_Token]) -> None:
    before = combined[-1] if combined else _NOTHING
    if token.word in _ARTICLES and (
        following.value == _HALF or (before.value == _HALF and following.meaning == "unit")
    ):
        return  # "and a half", "half a minute"
    joined = before.meaning == "and" and len(combined) > 1
    counted = combined[-2] if joined else before
    if token.value == _HALF and following.meaning != "unit" and counted.meaning == "unit":
        combined += (token, counted)  # "a minute and a half"
    elif token.value == _HALF and joined and counted.meaning == "number":
        combined[-2:] = [counted._replace(value=counted.value + _HALF)]
    elif _is_compound(before, token):
        combined[-1] = before._replace(value=before.value + token.value)
    else:
        combined.append(token)


def _is_hyphen(before: _Token, following: _Token) -> bool:
    return before.meaning == "number" and (following.meaning == "unit" or _is_compound(before, following))


def _is_compound(tens: _Token, ones: _Token) -> bool:
    spelled = tens.between and ones.between and tens.meaning == ones.meaning == "number"
    return spelled and tens.value >= 20 and tens.value % 10 == 0 and 1 <= ones.value <= 9


_NOTHING = _Token("unknown")
_HALF = 0.5


def _by_stem(word: str, stems: dict[str, float]) -> float | None:
    if word.isascii():
        return None
    return next((stems[word[:n]] for n in range(min(len(word), 20), 1, -1) if word[:n] in stems), None)


def _judge(tokens: list[_Token]) -> Note | None:
    meanings = {token.meaning for token in tokens}
    spelled = {token.word for token in tokens}
    unknown = [token.word for token in tokens if token.meaning == "unknown"]
    asks = "pause" in meanings
    times = "unit" in meanings and not meanings.isdisjoint({"number", "clock"})
    if not unknown and "telling" not in meanings:
        note = _understood(tokens, meanings, spelled)
    else:
        ordered = tokens[0].meaning == "pause" and tokens[0].word.startswith(_ORDERS)
        note = _misunderstood(meanings, spelled, unknown, asks, times, ordered)
    # Hours are told rather than kept: "(open 24 hours)" is no broken note, "(18:00 hours)" no pause.
    told = any(map(_is_hours, tokens)) and ("clock" in meanings or isinstance(note, Broken))
    return None if told and not asks else note


def _is_hours(token: _Token) -> bool:
    return token.meaning == "unit" and token.value == _HOUR


def _misunderstood(
    meanings: set[Meaning], spelled: set[str], unknown: list[str], asks: bool, times: bool, ordered: bool
) -> Note | None:
    if "unit" in meanings and spelled & _VAGUE:
        return Broken("has no number")
    if not (asks or times):
        if len(unknown) == 1 and spelled & _SHORT_UNITS:
            return Broken(f"has {unknown[0]!r} where a number should be")
        mistyped = len(unknown) == 1 and "number" in meanings and _nearly_unit(unknown[0])
        return Broken(f"has {unknown[0]!r} where a unit of time should be") if mistyped else None
    if "telling" in meanings or len(unknown) > (3 if asks and times else 1):
        return Broken("says more than a time") if ordered and len(unknown) <= _MOST_UNKNOWN else Aside()
    return Broken(f"has {unknown[0]!r} in it, which is neither a time nor a word for a pause")


# "(pause before going on)" tells the speaker what to do; "(silence before a storm)" need not.
_ORDERS = ("paus", "विराम", "रुक", "viram", "ruk")
_MOST_UNKNOWN = 6


def _nearly_unit(word: str) -> bool:
    return 4 <= len(word) <= 14 and any(near in _NEARLY_UNITS for near in (word, *_shortened(word)))


def _understood(tokens: list[_Token], meanings: set[Meaning], spelled: set[str]) -> Note | None:
    waits = bool(meanings & {"pause", "wait"})
    numbers = [token for token in tokens if token.meaning in ("number", "clock")]
    digits = [token for token in numbers if not token.between]
    if "unit" not in meanings and not digits:
        return _kind(tokens, meanings)
    if not numbers:
        return Broken("has a unit of time but no number") if "pause" in meanings else None
    if not waits and (meanings.isdisjoint({"unit", "clock"}) or _is_fact(tokens, spelled)):
        return None
    if not waits and _is_no_length(tokens):
        return Aside()
    low, high = _times(tokens)
    if high is None or high < 0:
        return Broken("is no time that can be understood") if waits or "unit" in meanings else None
    return Timed(_limited(high)) if low is None else _between(low, high)


def _between(low: float, high: float) -> Timed:
    least, most = sorted((_limited(low), _limited(high)))
    return Timed((least + most) / 2, least, most)


def _limited(seconds: float) -> float:
    return min(seconds, LONGEST_PAUSE)


def _kind(tokens: list[_Token], meanings: set[Meaning]) -> Note | None:
    if "pause" in meanings:
        if "without" in meanings:
            return Timed(0.0)
        return Kind("long_pause" if "long" in meanings else "short_pause" if "short" in meanings else "plain_pause")
    return Kind("plain_pause") if len(tokens) == 1 and tokens[0].meaning == "wait" else None


def _is_fact(tokens: list[_Token], spelled: set[str]) -> bool:
    """Times of day and decades: "(at 1:30)", "(the 80s)", "(1990s)"."""
    units = [token for token in tokens if token.meaning == "unit"]
    if not units:
        return any(token.meaning not in ("clock", "number", "to") for token in tokens)
    number = next((token.word for token in tokens if token.meaning == "number"), "")
    decade = units[0].word == "s" and units[0].attached and number.endswith("0")
    return decade and len(units) == 1 and (len(number) == 4 or "the" in spelled)


def _is_no_length(tokens: list[_Token]) -> bool:
    """Metres and times of day, "(5 m)" and "(9h)"; "(5m)", "(1m 30s)" and "(1h 30m)" are lengths of time."""
    units = [token for token in tokens if token.meaning == "unit"]
    return len(units) == 1 and (units[0].word == "h" or (units[0].word == "m" and not units[0].attached))


class _Time:
    """One time while it is being read: whole so far, and a number that still waits for its unit."""

    def __init__(self) -> None:
        self.whole: float | None = None
        self.waiting: float | None = None
        self.unit = 1.0

    @property
    def begun(self) -> bool:
        return self.whole is not None or self.waiting is not None

    def seconds(self, unit: float) -> float | None:
        """The time, a bare number in seconds or in the unit given."""
        if self.waiting is None:
            return self.whole
        return (self.whole or 0.0) + self.waiting * unit


_WRONG = (None, None)


def _times(tokens: Iterable[_Token]) -> tuple[float | None, float | None]:  # noqa: PLR0912
    """The lower end (None: no range) and the time or upper end (None: none that can be understood), in seconds."""
    low: _Time | None = None
    time = _Time()
    ranging = False
    for token in _without_idle_numbers(list(tokens)):
        match token.meaning:
            case "number":
                if time.waiting is not None:
                    return _WRONG
                time.waiting = token.value
            case "clock":
                if time.begun:
                    return _WRONG
                time.whole = token.value
            case "unit" if time.waiting is not None:
                time.whole = (time.whole or 0.0) + time.waiting * token.value
                time.waiting, time.unit = None, token.value
            case "unit" if time.whole is None:
                return _WRONG
            case "to" if token.value < 0 and not time.begun:
                return _WRONG  # a minus sign
            case "to" if time.begun and low is None:
                low, time = time, _Time()
            case "and" if token.word in _BETWEEN:
                ranging = True
            case "and" if ranging and time.waiting is not None and low is None:
                low, time = time, _Time()
            case _:
                pass
    high = time.seconds(max(1.0, time.unit / 60))  # "1m 30" and "1h 30"
    if low is None or high is None:
        # "(5 sec - pause)": the dash joined no second time.
        return (None, high) if low is None else (None, low.seconds(1.0))
    return low.seconds(time.unit), high


def _without_idle_numbers(tokens: list[_Token]) -> Iterator[_Token]:
    """An article counts only before a unit: "(una pausa de 5 segundos)" has one number."""
    for at, token in enumerate(tokens):
        if token.meaning == "number" and token.between:
            following = next((other.meaning for other in tokens[at + 1 :] if not _is_size(other)), None)
            if token.word in _TO and following == "number":
                yield token._replace(meaning="to", value=0.0)
                continue
            idle = following not in ("unit", "to") or (following == "to" and token.word in _CONNECTING)
            if idle and token.word in _ARTICLES:
                continue
        yield token


def _is_size(token: _Token) -> bool:
    return token.meaning in ("short", "long") or (token.meaning == "and" and token.word in _CONNECTING)
