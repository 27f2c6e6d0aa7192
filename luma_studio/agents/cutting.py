"""Clauses cut into pieces: the script and the production's state follow, and no word of the author's is touched."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, takewhile

from luma_studio.script.model import Clause, Mark, Pause, Script
from luma_studio.script.punctuation import CLOSERS, COMMAS, ENDERS, is_word_character
from luma_studio.store.carrying import begun, moved
from luma_studio.store.state import ClauseState, Cut, State

Cuts = Mapping[str, Cut]
"""By a clause's text how it is cut."""

_SPEAKABLE = re.compile(r"[^\W_]")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
# Writing that puts no spaces between words: Thai to Burmese, Khmer, Han and kana.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")


def misfit(text: str, pieces: Sequence[str]) -> str | None:
    """What keeps pieces from being this text, cut between words; None where they are."""
    at = 0
    for piece in pieces:
        if not text.startswith(piece, at):
            return f"{_quoted(piece)} is not how the clause goes on; it goes on with {_quoted(text[at:])}"
        if not _SPEAKABLE.search(piece) or piece != piece.strip():
            return f"{_quoted(piece)} cannot be spoken on its own: a piece has words and no space at its ends"
        if at and (problem := _bad_cut(text, at)):
            return f"the cut before {_quoted(piece)} {problem}"
        at += len(piece)
        at += len(text[at:]) - len(text[at:].lstrip())
    return None if at == len(text) else f"{_quoted(text[at:])} is missing at its end"


def _bad_cut(text: str, at: int) -> str | None:
    before, after = text[at - 1], text[at]
    if unicodedata.category(after)[0] == "M" or after in "\u200c\u200d" or before in "\u200c\u200d":
        return "goes through a letter"
    if is_word_character(before) and is_word_character(after) and not _UNSPACED.match(before + after):
        return "goes through a word"
    return "leaves its punctuation behind" if after in ENDERS + COMMAS + CLOSERS else None


def _quoted(text: str) -> str:
    return f"“{text if len(text) <= 60 else text[:60] + '…'}”"


def cut(script: Script, cuts: Cuts) -> Script:
    """The script with these clauses cut into pieces, each where it stands in the text; cuts that do not fit are not."""
    if not cuts:
        return script
    scenes = (
        replace(scene, clauses=tuple(piece for clause in scene.clauses for piece in pieces_of(script, clause, cuts)))
        for scene in script.scenes
    )
    return replace(script, scenes=tuple(scenes))


def pieces_of(script: Script, clause: Clause, cuts: Cuts) -> tuple[Clause, ...]:
    """A clause of the script in its pieces, or whole."""
    found = cuts.get(clause.text)
    if found is None or len(found.pieces) != len(found.pauses) + 1 or misfit(clause.text, found.pieces):
        return (clause,)
    places = _places(script, clause, found.pieces)
    pauses = (*(Pause(seconds, "agent") for seconds in found.pauses), clause.pause)
    return tuple(
        _piece(script.text, clause, text, pause, place)
        for text, pause, place in zip(found.pieces, pauses, places, strict=True)
    )


def _piece(text: str, clause: Clause, words: str, pause: Pause, place: tuple[int, int]) -> Clause:
    start, end = place
    line = clause.line + text.count("\n", clause.start, start)
    column = clause.column + start - clause.start if line == clause.line else start - text.rfind("\n", 0, start)
    return replace(clause, text=words, pause=pause, line=line, column=column, start=start, end=end)


def _places(script: Script, clause: Clause, pieces: Sequence[str]) -> list[tuple[int, int]]:
    """Where pieces stand in the script's text; all of the clause where that cannot be told."""
    spoken = _spoken(script, clause)
    places = []
    for piece in pieces:
        first = last = None
        for letter in piece:
            if letter.isspace():
                continue
            last = next((offset for offset, found in spoken if found == letter), None)
            if last is None:
                return [(clause.start, clause.end)] * len(pieces)
            first = last if first is None else first
        if first is None or last is None:
            return [(clause.start, clause.end)] * len(pieces)
        places.append((first, last + 1))
    starts = [clause.start, *(start for start, _ in places[1:])]
    ends = [*(end for _, end in places[:-1]), clause.end]
    return list(zip(starts, ends, strict=True))


def _spoken(script: Script, clause: Clause) -> Iterator[tuple[int, str]]:
    """The characters of a clause in the script's text, with where they stand, without notes, tags and comments."""
    silent = [(mark.start, mark.end) for mark in _marks_in(script.marks, clause)]
    silent += [match.span() for match in _COMMENT.finditer(script.text, clause.start, clause.end)]
    at = clause.start
    for start, end in sorted(silent):
        yield from ((offset, script.text[offset]) for offset in range(at, start))
        at = max(at, end)
    yield from ((offset, script.text[offset]) for offset in range(at, clause.end))


def _marks_in(marks: Sequence[Mark], clause: Clause) -> Iterator[Mark]:
    first = bisect_right(marks, clause.start, key=lambda mark: mark.end)
    return takewhile(lambda mark: mark.start < clause.end, islice(marks, first, None))


def recut(state: State, before: Sequence[Sequence[Clause]], after: Sequence[Sequence[Clause]]) -> State:
    """The state for clauses that were cut in another way: ``before`` and ``after`` have each whole clause's pieces.

    What is cut as it was keeps everything. Otherwise the last piece has the pause, its lock and its history; takes stay
    with pieces whose text stays.
    """
    new: list[ClauseState] = []
    went_to: dict[int, int] = {}
    at = 0
    for old, pieces in zip(before, after, strict=True):
        states = state.clauses[at : at + len(old)]
        if [each.text for each in old] == [each.text for each in pieces]:
            went_to.update({at + offset: len(new) + offset for offset in range(len(old))})
            new += states
        else:
            new += _pieces(states, pieces)
            went_to[at + len(old) - 1] = len(new) - 1
        at += len(old)
    update = {"clauses": tuple(new), "done": moved(state.done, went_to), "undone": moved(state.undone, went_to)}
    return state.model_copy(update=update)


def _pieces(states: Sequence[ClauseState], pieces: Sequence[Clause]) -> Iterator[ClauseState]:
    """A voice of a clause's own stays with all of its pieces."""
    by_text = {each.text: each for each in states}
    last = states[-1]
    for index, piece in enumerate(pieces):
        known = by_text.get(piece.text) or begun(piece).model_copy(update={"voice": last.voice})
        kept = last if index == len(pieces) - 1 else begun(piece)
        yield known.model_copy(update={"written": kept.written, "pause": kept.pause})
