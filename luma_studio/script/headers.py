"""Which lines are headers.

Some always are: ``# Title``, ``[Scene 2 – Title]``, ``Scene 2: Title``, ``दृश्य २``. Others look like one, and
whether they are depends on what stands around them; ``is_header_by_place`` decides that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from luma_studio.script.clauses import has_inner_end
from luma_studio.script.passages import Passage
from luma_studio.script.punctuation import CLOSERS, COLONS, COMMAS, ENDERS, OPENERS
from luma_studio.script.words import COUNTERS, NUMBERS, PARTS, SCENES, fold, fold_word, words

LONGEST_HEADER = 60
MOST_WORDS = 8
_LARGEST_NUMBER = 9999


class Marker(NamedTuple):
    """What a line that is always a header says: its number (None: none that can be used), its title, its kind."""

    number: int | None
    title: str
    is_scene: bool


_SCENES = frozenset(words(SCENES))
_MARKERS = _SCENES | frozenset(words(PARTS))
_ROMANS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_ROMAN = {roman: at for at, roman in enumerate(_ROMANS, 1)}
_SPELLED = {word: at for line in NUMBERS.values() for at, word in enumerate(map(fold, line.split()), 1)}
_IN_BRACKETS = re.compile(r"[\[［【]([^\[\]［］【】\n]{1,400})[\]］】]")
_WORD = re.compile(r"[^\s\d:：–—\-_.,|#/()]{1,24}")
_NUMBER = re.compile(
    r"(?:[\s_#\-–—]{0,4}(?P<digits>\d{1,9}(?![\d.,:]\d))"
    r"|\s{1,2}(?P<spelled>[IVX]{1,5}(?!\w)|[^\W\d_][^\s\d:：–—\-.|,]{0,11}))"
)
_COUNTED = re.compile(rf"第\s?(\d{{1,9}}|[一二三四五六七八九十]{{1,3}})\s?(?:{'|'.join(COUNTERS.split())})")
_SEPARATOR = re.compile(r"\s*(?:[:：|–—]|[-.](?=\s|$))+\s*")
_HASHES = re.compile(r"(?:#\s*)+")


def may_be_header(line: str) -> bool:
    """Whether it is worth asking if a line is always a header; this is asked of every line."""
    if line[0] in "#[［【第*_`":
        return True
    word = _WORD.match(line)
    return word is not None and fold_word(word.group()) in _MARKERS


def hash_title(line: str) -> str | None:
    """The title of a ``# Title`` line; None when it is no such line."""
    match = _HASHES.match(line)
    return line[match.end() :].rstrip(" \t#") if match else None


def marker(line: str) -> Marker | None:
    """What a line such as ``[Scene 2 – Title]`` or ``दृश्य २: Title`` says; None when it is no such line."""
    match = _IN_BRACKETS.fullmatch(line.rstrip(":： "))
    if match is None:
        return _marker(line, in_brackets=False)
    return _marker(match[1].strip(), in_brackets=True)


def canonical_scene_id(reference: str) -> str | None:
    """``scene_2`` for "Scene 2", "scene-2", "SCENE  2", "दृश्य २" or "[Scene 2 – Title]"; None for anything else."""
    found = marker(" ".join(reference[:400].split()))
    return f"scene_{found.number}" if found and found.is_scene and found.number is not None else None


def _marker(line: str, *, in_brackets: bool) -> Marker | None:
    counted = _COUNTED.match(line)
    if counted:
        number, end, is_scene = _value(counted[1]), counted.end(), True
    else:
        word = _WORD.match(line)
        if word is None or fold_word(word.group()) not in _MARKERS:
            return None
        is_scene = fold_word(word.group()) in _SCENES
        spelled = _NUMBER.match(line, word.end())
        number = _value(spelled["digits"] or spelled["spelled"]) if spelled else None
        end = spelled.end() if spelled and number is not None else word.end()
        if number is None and not (in_brackets and is_scene):
            return None
    title = _title(line, end, loosely=in_brackets)
    if title is None:
        return None
    usable = number if number is not None and number <= _LARGEST_NUMBER else None
    return Marker(usable, title or line, is_scene)


def _title(line: str, end: int, *, loosely: bool) -> str | None:
    """What follows the number: nothing, or a separator and the title; None when it is a sentence that goes on."""
    separator = _SEPARATOR.match(line, end)
    if separator:
        return line[separator.end() :].strip()
    rest = line[end:].strip()
    return rest if not rest or loosely else None


def _value(spelled: str) -> int | None:
    if spelled.isdecimal():
        return int(spelled)
    return _ROMAN.get(spelled) or _SPELLED.get(fold_word(spelled))


# What follows is about lines that are headers only by the place they stand in.


@dataclass(slots=True)
class Line:
    """A line of narration while it is not yet known whether it is a header."""

    start: int
    end: int
    passage: Passage
    after_blank: bool
    forced: bool  # "> ": narration whatever it looks like
    item: bool  # "- " or "1. "
    text: str  # the passage's, stripped

    @property
    def only_note(self) -> bool:
        """Whether there is nothing but notes and tags on it."""
        return not _SPEAKABLE.search(self.text)

    @property
    def bare(self) -> bool:
        """Whether it is short and nothing on it ends or carries on a sentence: a header, or a line of verse."""
        return (
            len(self.text) <= LONGEST_HEADER
            and not self.passage.silences
            and last_mark(self.text) not in _MARKS
            and len(self.text.split()) <= MOST_WORDS
        )

    @property
    def looks_like_header(self) -> bool:
        """Whether nothing on the line itself speaks against a header."""
        text = self.text
        if not text or self.forced or self.passage.silences or self.passage.tags or len(text) > LONGEST_HEADER:
            return False
        if last_mark(text) in _ENDS or not _SPEAKABLE.search(text) or len(text.split()) > MOST_WORDS:
            return False
        speech = text[0] in _SPEECH_MARKS or text[0].islower() or has_inner_end(text) or _SPEAKER.match(text)
        return not speech and not (self.item and not text[0].isdigit())


_SPEAKABLE = re.compile(r"[^\W_]")
_MARKS = frozenset(ENDERS + COMMAS)
_ENDS = _MARKS - frozenset(COLONS)
_SPEECH_MARKS = frozenset(OPENERS + "-–—•") - frozenset("([{【（［")
_SPEAKER = re.compile(r"[^\W\d_][^:：]{0,30}(?<!\d)[:：]\s*\S")


def last_mark(text: str) -> str:
    """The last character of a text that is no closing quote or bracket, or an empty string."""
    return text.rstrip(_TAIL)[-1:]


_TAIL = CLOSERS + " \t\n*_"


def is_header_by_place(lines: Sequence[Line], at: int, breaks: Sequence[bool], verdicts: dict[int, bool]) -> bool:
    """Whether ``lines[at]``, which looks like a header, is one where it stands.

    ``breaks[i]`` says that something else than narration (a header, the end) comes between lines i - 1 and i;
    ``verdicts`` has the answers for later lines that were already asked about.
    """
    following = _next_spoken(lines, at, breaks)
    if following is None:
        return False
    if any(lines[between].after_blank for between in range(at + 1, following + 1)):
        return not _stands_among_its_like(lines, at, following, breaks, verdicts)
    return not _begins_verse(lines, at, following, breaks)


def _next_spoken(lines: Sequence[Line], at: int, breaks: Sequence[bool]) -> int | None:
    """The next line with something to say, if only notes come between.

    A line with a note right below it and then a gap is narration with its pause: None.
    """
    noted = False
    for following in range(at + 1, min(len(lines), at + 20)):
        if breaks[following] or (noted and lines[following].after_blank):
            return None
        if not lines[following].only_note:
            return following
        noted = noted or not lines[at + 1].after_blank
    return None


def _stands_among_its_like(
    lines: Sequence[Line], at: int, following: int, breaks: Sequence[bool], verdicts: dict[int, bool]
) -> bool:
    """Whether a line alone between blank lines is one of several: verse, a list, or a title over a header."""
    if verdicts.get(following):
        return True
    after = following + 1
    alone = after >= len(lines) or breaks[after] or lines[after].after_blank
    both_items = lines[at].item and lines[following].item
    return both_items or (alone and lines[following].bare)


def _begins_verse(lines: Sequence[Line], at: int, following: int, breaks: Sequence[bool]) -> bool:
    first, second = lines[at], lines[following]
    if last_mark(first.text) in COLONS:
        return False
    if second.bare or (second.text[:1].islower() and not first.text.isupper()):
        return True
    stanza = [second]
    for later in range(following + 1, min(len(lines), following + 12)):
        if breaks[later] or lines[later].after_blank:
            break
        stanza.append(lines[later])
    return _is_stanza(first.text, [line.text for line in stanza], noted=any(line.passage.silences for line in stanza))


def _is_stanza(first: str, others: list[str], *, noted: bool) -> bool:
    """Whether a line and those below it are of one measure, and sentences run over their ends."""
    if noted or len(others) < 2 or len(first.split()) < 3:
        return False
    if any(len(line) > LONGEST_HEADER or line[:1].islower() for line in others):
        return False
    even = len(first) >= 0.6 * sum(map(len, others)) / len(others)
    return even and any(last_mark(line) not in ENDERS for line in others)
