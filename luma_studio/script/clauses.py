"""Where a passage is cut into clauses: at notes, at the ends of sentences, and at commas if so asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from luma_studio.script.passages import Passage, Silence
from luma_studio.script.punctuation import (
    BEFORE_NUMBERS,
    BEFORE_ORDINALS,
    CLOSERS,
    COMMAS,
    ELLIPSES,
    ENDERS,
    HINDI_INITIALS,
    MONTHS,
    OPENERS,
    SOFT,
    STARTERS,
    STOPS,
    TIGHT_COMMAS,
    TITLES,
    is_word_character,
)
from luma_studio.script.words import fold_word
from luma_studio.settings import Granularity

Ending = Literal["sentence", "comma", "fragment"]


@dataclass(slots=True)
class Draft:
    """A clause while notes and tags for it may still come. Offsets are into the clean text."""

    text: str
    start: int
    end: int
    ending: Ending
    speaker: str | None
    language: str
    tags: list[str] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    marked: bool = False  # marks that stood alone were added
    overlong: bool = False  # the sentence goes on, but was too long for one clause


class Cutting(NamedTuple):
    """How passages are cut: at which ends, and whether digits with a full stop may be an ordinal ("3. Mai")."""

    granularity: Granularity
    ordinals: bool = False


LONGEST_CLAUSE = 500
"""Characters; half a minute of speech, and less than any voice refuses."""


class _Span(NamedTuple):
    start: int
    end: int


_SPEAKABLE = re.compile(r"[^\W_]")
_E, _C, _CLOSE = re.escape(ENDERS), re.escape(COMMAS), re.escape(CLOSERS)
# Marks, whatever closes after them, and a spaced French "»" that does not open a word.
_AFTER = rf"[{_CLOSE}]*+(?:[ \u00a0\u202f][»›](?!\w))?+"
# A full stop between letters or digits is passed over at once. A pattern that begins with a set is searched fast.
_NOT_INSIDE = r"(?!(?<=[^.]\.)[A-Za-z0-9])"
_SENTENCE_END = re.compile(rf"(?P<marks>[{_E}]{_NOT_INSIDE}[{_E}]*+(?:\s++[{_E}]++)*+){_AFTER}")
_CLAUSE_END = re.compile(
    rf"(?P<marks>[{_E}{_C}]{_NOT_INSIDE}[{_E}{_C}]*+(?:\s++[{_E}{_C}]++)*+){_AFTER}|(?<=\s)--?(?=\s)"
)
_LEADING = re.compile(rf" ?+[”’」』｣)\]}}）］｝】〕›]*+\s*+(?:(?![{ELLIPSES}]|\.\.)[{_E}{_C}]++[{_CLOSE}]*+)*+")
_NEXT = re.compile(rf"\s*+[{re.escape(OPENERS)}]*+")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>]+", re.IGNORECASE)
_DOTTED = re.compile("(?:[^\\W\\d_][\u0900-\u0903\u093a-\u094f]{0,2}\\.)+[^\\W\\d_][\u0900-\u0903\u093a-\u094f]{0,2}")
_NEXT_WORD = re.compile(r"[^\s.,!?;:]{1,20}")
_NUMBERED = re.compile(r"[\s(]*\d{1,3}\Z")
_BETWEEN_CJK = re.compile(
    "(?<=[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef])\n(?=[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef])"
)
_COMMA_RUN = COMMAS + " \t\n\u00a0"
_COMMA_AND_SPACE = re.compile(rf"[{_C}](?=\s)|[、，；：]")
_LONGEST_ABBREVIATION = 16
_TAIL = 24
_LONGEST_NUMBERING = 4
_SENTENCES = Cutting("sentence")


def clauses_of(passage: Passage, speaker: str | None, cutting: Cutting) -> tuple[list[Draft], list[Silence], list[str]]:
    """The clauses of a passage, the notes before the first, and the tags for a clause that is not in it."""
    drafts: list[Draft] = []
    positions: list[int] = []
    early: list[Silence] = []
    at = 0
    limits = [silence.at for silence in passage.silences[1:]] + [len(passage.text)] if passage.silences else []
    for silence, limit in zip(passage.silences, limits, strict=True):
        if passage.text[at : silence.at].strip():
            _add_clauses(passage, _Span(at, silence.at), speaker, cutting, drafts, positions)
        (drafts[-1].silences if drafts else early).append(silence)
        behind = passage.text[silence.at : limit].strip()
        at = _behind_marks(passage, _Span(silence.at, limit), drafts) if behind else limit
    if at < len(passage.text):
        _add_clauses(passage, _Span(at, len(passage.text)), speaker, cutting, drafts, positions)
    return drafts, early, _give_tags(passage, drafts, positions) if passage.tags else []


def _add_clauses(
    passage: Passage,
    span: _Span,
    speaker: str | None,
    cutting: Cutting,
    drafts: list[Draft],
    positions: list[int],
) -> None:
    whole = passage.text
    for start, end, overlong in _breaths(whole, _spans(whole, span, cutting)):
        text = whole[start:end].strip()
        if not text:
            continue
        first = whole.index(text[0], start)
        last = first + len(text)
        if _SPEAKABLE.search(text):
            text = _folded(text)
            draft = Draft(text, passage.offset(first), passage.offset(last - 1) + 1, ending_of(text), speaker, "")
            draft.overlong = overlong
            drafts.append(draft)
            positions.append(last)
        elif drafts and not drafts[-1].marked:
            _append_marks(drafts[-1], _folded(text), passage.offset(last - 1) + 1)


def _behind_marks(passage: Passage, span: _Span, drafts: list[Draft]) -> int:
    """Where the text after a note begins; marks right behind the note belong to the clause before: "(5 sec), and"."""
    last = drafts[-1] if drafts else None
    start = _behind_quote(passage.text, span, last) if last else span.start
    match = _LEADING.match(passage.text, start, span.end)
    end = match.start() + len(match.group().rstrip()) if match else start
    marks = passage.text[span.start : end].strip()
    if last and marks and not last.marked and (last.ending == "fragment" or marks.strip(ENDERS + COMMAS)):
        _append_marks(last, _folded(marks), passage.offset(end - 1) + 1)
    return max(end, start)


def _behind_quote(text: str, span: _Span, last: Draft) -> int:
    """Behind a straight quote that closes what the clause before opened: "Wait. (3 sec)" she said."""
    at = span.start + (text[span.start : span.start + 1] == " ")
    closes = text.startswith('"', at) and not is_word_character(text[at + 1 : at + 2] or " ")
    return at + 1 if closes and at < span.end and last.text.count('"') % 2 else span.start


def _append_marks(draft: Draft, marks: str, end: int) -> None:
    """Give a clause the punctuation or emoji that stand alone behind it."""
    gap = "" if marks[0] in ENDERS + COMMAS + CLOSERS else " "
    draft.text, draft.end = f"{draft.text}{gap}{marks}", end
    draft.ending, draft.marked = ending_of(draft.text), True


def _folded(text: str) -> str:
    if "\n" in text and not text.isascii():
        text = _BETWEEN_CJK.sub("", text)
    return " ".join(text.split())


def _give_tags(passage: Passage, drafts: list[Draft], positions: list[int]) -> list[str]:
    """Each tag to the first clause that ends after it, or to the last; those of a passage without clauses come back."""
    if not drafts:
        return [tag.text for tag in passage.tags]
    clause = 0
    for tag in passage.tags:
        while clause < len(drafts) - 1 and positions[clause] <= tag.at:
            clause += 1
        drafts[clause].tags.append(tag.text)
    return []


def _spans(text: str, span: _Span, cutting: Cutting) -> Iterator[tuple[int, int]]:
    """The span cut at every end in it."""
    ends = _CLAUSE_END if cutting.granularity == "clause" else _SENTENCE_END
    addresses: list[tuple[int, int]] = []
    if text.find("://", *span) >= 0 or text.find("www.", *span) >= 0:
        addresses = [match.span() for match in _ADDRESS.finditer(text, *span)][::-1]
    start, spoken_from = span.start, -1
    for match in ends.finditer(text, *span):
        if match.end() == span.end:
            break
        if spoken_from < start:
            spoken_from = _first_spoken(text, start, span.end)
        if match.start() < spoken_from:
            continue
        inside_address = bool(addresses) and _is_inside(match, addresses)
        if inside_address or not _ends(text, match, start, cutting):
            continue
        yield start, match.end()
        start = match.end()
    if start < span.end:
        yield start, span.end


def _breaths(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, bool]]:
    """The spans, those too long for one breath cut at a comma, a space, or where it must be."""
    for start, end in spans:
        at = start
        while end - at > LONGEST_CLAUSE:
            comma = [match.end() for match in _COMMA_AND_SPACE.finditer(text, at + 1, at + LONGEST_CLAUSE)]
            space = max(text.rfind(" ", at + 1, at + LONGEST_CLAUSE), text.rfind("\n", at + 1, at + LONGEST_CLAUSE))
            cut = comma[-1] if comma else space if space > at else _between_letters(text, at + LONGEST_CLAUSE)
            yield at, cut, True
            at = cut
        yield at, end, False


def _between_letters(text: str, at: int) -> int:
    """The nearest place before that parts no letter from its marks."""
    while unicodedata.category(text[at])[0] in "MC":
        at -= 1
    return at


def has_inner_end(text: str) -> bool:
    """Whether a sentence ends before the end of a line, other than at a number: "Day 2. Rest"."""
    for _, end in _spans(text, _Span(0, len(text)), _SENTENCES):
        before = text[:end].rstrip(STOPS)
        if text[end:].strip() and len(before) > _LONGEST_NUMBERING and not before[-1].isdigit():
            return True
    return False


def _is_inside(match: re.Match[str], addresses: list[tuple[int, int]]) -> bool:
    """Whether marks stand inside a web address; addresses that lie behind are dropped."""
    while addresses and addresses[-1][1] <= match.start():
        addresses.pop()
    return bool(addresses) and addresses[-1][0] <= match.start() and match.end() < addresses[-1][1]


def _first_spoken(text: str, start: int, end: int) -> int:
    match = _SPEAKABLE.search(text, start, end)
    return match.start() if match else end


def _ends(text: str, match: re.Match[str], start: int, cutting: Cutting) -> bool:
    """Whether marks amid a text end a clause, rather than belong to a number, a name or a sentence that goes on."""
    marks = match["marks"]
    end = match.end()
    if marks is None:  # a dash between spaces
        return True
    following = text[end]
    if not marks.strip(_COMMA_RUN):
        return _comma_cuts(marks, following)
    if following in COMMAS or (following in "-/\\@_&=%" and marks in STOPS):
        return False
    after = _NEXT.match(text, end)
    next_at = after.end() if after else end
    goes_on = text[next_at : next_at + 1].islower()
    closed = end > match.end("marks")
    if closed and end == next_at and "\u3041" <= following <= "\u309f":
        return False  # 「行く。」と言った
    if marks in STOPS and not closed:
        counts = cutting.ordinals and _is_ordinal(text, match.start(), start, next_at)
        return not counts and _stop_ends(text, match.start(), start, next_at)
    return not (goes_on and (closed or marks[0] in ELLIPSES or ".." in marks))


def _comma_cuts(marks: str, following: str) -> bool:
    return following.isspace() or marks[-1] not in TIGHT_COMMAS


def _stop_ends(text: str, at: int, start: int, next_at: int) -> bool:
    """Whether the single full stop at a position ends a sentence that begins at ``start``."""
    if is_word_character(text[at + 1]):
        return False
    words = text[max(start, at - _TAIL) : at].rsplit(None, 1)
    word = words[-1].lstrip(OPENERS) if words else ""
    following = text[next_at : next_at + 1]
    if len(word) <= _LONGEST_ABBREVIATION and word:
        folded = fold_word(word)
        if folded in TITLES or (following.isdigit() and folded in BEFORE_NUMBERS):
            return False
        if folded in SOFT:
            return not following.islower()
        if _DOTTED.fullmatch(word):
            next_word = _NEXT_WORD.match(text, next_at)
            return bool(next_word) and next_word.group() in STARTERS if next_word else True
        if _is_initial(word, text[max(start, at - _TAIL) : at], text, next_at):
            return False
    return not (following.isalpha() and word.isdigit() and _numbers_an_item(text, start, at))


def _is_ordinal(text: str, at: int, start: int, next_at: int) -> bool:
    """Whether the full stop at a position makes an ordinal of the number before it: "am 3. Mai"."""
    words = text[max(start, at - _TAIL) : at].split()
    if not words or not words[-1].lstrip(OPENERS).isdigit():
        return False
    following = _NEXT_WORD.match(text, next_at)
    counted = following is not None and (following.group()[0].islower() or fold_word(following.group()) in MONTHS)
    return counted or (len(words) > 1 and fold_word(words[-2]) in BEFORE_ORDINALS)


def _is_initial(word: str, tail: str, text: str, next_at: int) -> bool:
    """Initials: "J. K. Rowling", "ए. पी. जे. अब्दुल कलाम", "z. B."."""
    if len(word) == 1 and word.lower() != word.upper():
        return (word.isupper() and word != "I") or text[next_at + 1 : next_at + 2] == "."
    if fold_word(word) not in HINDI_INITIALS:
        return False
    before = tail.split()
    next_word = _NEXT_WORD.match(text, next_at)
    in_front = len(before) > 1 and before[-2].endswith(".") and fold_word(before[-2][:-1]) in HINDI_INITIALS
    behind = (
        next_word is not None
        and text[next_word.end() : next_word.end() + 1] == "."
        and fold_word(next_word.group()) in HINDI_INITIALS
    )
    return in_front or behind


def _numbers_an_item(text: str, start: int, at: int) -> bool:
    """Whether all before the stop is the number of a list item: "1. Breathe in."."""
    line_start = max(text.rfind("\n", max(start, at - 8), at), start - 1) + 1
    return (
        at - line_start <= 8
        and bool(_NUMBERED.match(text[line_start:at]))
        and (line_start == 0 or text[line_start - 1].isspace())
    )


def ending_of(text: str) -> Ending:
    """How a text ends, behind whatever closes and whatever emoji stand there."""
    if text.endswith((" -", " --")):
        return "comma"
    for character in reversed(text[-12:]):
        if character in ENDERS:
            return "sentence"
        if character in COMMAS:
            return "comma"
        if is_word_character(character):
            return "fragment"
    return "fragment"
