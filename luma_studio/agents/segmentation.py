"""Segmentation: clauses cut into what is spoken in one breath, and pauses where nobody wrote any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from luma_studio.agents.base import RULES as BY_RULES
from luma_studio.agents.base import Agent, Case, Decision, Thinking, decide_each, parts
from luma_studio.agents.cutting import misfit
from luma_studio.progress import Listener, unheard
from luma_studio.script.model import Clause, Pause, Script
from luma_studio.store.state import Cut

LONGEST = 30.0  # seconds an agent's pause may have


class Piece(BaseModel):
    """Words, and the pause after them in seconds; None leaves it as it is."""

    text: str
    pause: float | None


class Pieces(BaseModel):
    """A clause, by its number in the question, in its pieces."""

    clause: int
    pieces: list[Piece]


class Segmented(BaseModel):
    """The clauses that are to be cut or timed; those that are not named stay as they are."""

    clauses: list[Pieces]


AGENT = Agent("segmentation", Segmented)
RULES = Segmented(clauses=[])
"""Clauses as the reader cuts them, pauses as the script and the settings have them."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """How clauses are cut, by their text; seconds after clauses, by index among the whole ones; and who said so.

    ``left`` are the texts of clauses that no mind decided on: they stay as they are.
    """

    cuts: dict[str, Cut]
    left: frozenset[str]
    seconds: dict[int, float]
    decisions: tuple[Decision[Segmented], ...]


def bounds(pause: Pause) -> tuple[float, float] | None:
    """The least and most seconds that an agent may give a pause; None where it must not touch it."""
    ranged = pause.least is not None or pause.most is not None
    if pause.locked or pause.source in ("tuned", "fitted") or (pause.source == "written" and not ranged):
        return None
    return pause.least or 0.0, LONGEST if pause.most is None else pause.most


def question(part: Sequence[Clause]) -> dict[str, Any]:
    """What is asked about a part. What was tuned by hand is not in it: tuning asks nothing anew."""
    return {"clauses": [_described(number, clause) for number, clause in enumerate(part)]}


def _described(number: int, clause: Clause) -> dict[str, Any]:
    told: dict[str, Any] = {"clause": number, "text": clause.text, "language": clause.language}
    if clause.speaker is not None:
        told["speaker"] = clause.speaker
    return {**told, "pause": clause.pause.seconds, "pause_may_be": bounds(clause.pause)}


def check(part: Sequence[Clause], answer: Segmented) -> str | None:
    """What is wrong with an answer: other words than the author's, a cut through a word, a pause that cannot be."""
    named = [each.clause for each in answer.clauses]
    if len(set(named)) < len(named):
        return "A clause is named twice; name each once."
    for each in answer.clauses:
        if not 0 <= each.clause < len(part):
            return f"There is no clause {each.clause}."
        if problem := _problem(part[each.clause], each.pieces):
            return f"In clause {each.clause}, {problem}."
    return None


def _problem(clause: Clause, pieces: Sequence[Piece]) -> str | None:
    if problem := misfit(clause.text, [piece.text for piece in pieces]):
        return problem
    for piece in pieces[:-1]:
        if piece.pause is None or not 0 <= piece.pause <= LONGEST:
            return f"the pause between two pieces is {piece.pause}; it must be 0 to {LONGEST:g} seconds"
    after = pieces[-1].pause
    if after is None or after == clause.pause.seconds:
        return None
    may = bounds(clause.pause)
    if may is None:
        return "the pause after the last piece is the author's; leave it null"
    if not may[0] <= after <= may[1]:
        return f"the pause after the last piece is {after}; it must be {may[0]:g} to {may[1]:g} seconds"
    return None


def cases(script: Script) -> list[Case[Segmented]]:
    """What is to be decided about a script whose clauses are not cut yet."""
    return [_case(part) for part in parts(script)]


def _case(part: Sequence[Clause]) -> Case[Segmented]:
    return Case(question(part), lambda answer: check(part, answer), RULES)


async def segmented(script: Script, thinking: Thinking, listener: Listener = unheard) -> Segmentation:
    """Have a script's clauses, none of them cut yet, cut and timed. Raises as ``decide_each``."""
    decisions = await decide_each(AGENT, cases(script), thinking, listener)
    pairs = list(zip(parts(script), decisions, strict=True))
    cuts: dict[str, Cut] = {}
    seconds: dict[int, float] = {}
    first = 0
    for part, decision in pairs:
        for each in decision.value.clauses:
            *inner, last = each.pieces
            if inner:
                texts = tuple(piece.text for piece in each.pieces)
                lengths = tuple(piece.pause or 0.0 for piece in inner)
                cuts.setdefault(part[each.clause].text, Cut(pieces=texts, pauses=lengths))  # the same words, one way
            if last.pause is not None:
                seconds[first + each.clause] = last.pause
        first += len(part)
    left = frozenset(clause.text for part, decision in pairs if decision.by == BY_RULES for clause in part)
    return Segmentation(cuts, left, seconds, decisions)


def seconds_of(found: Segmentation, whole: Sequence[Clause], pieces: Sequence[Sequence[Clause]]) -> dict[int, float]:
    """The seconds that were found, by the index of the piece they follow; ``pieces`` are each whole clause's."""
    seconds: dict[int, float] = {}
    first = 0
    for index, (clause, each) in enumerate(zip(whole, pieces, strict=True)):
        cut = found.cuts.get(clause.text)
        if cut is not None:
            seconds.update(enumerate(cut.pauses, first))
        first += len(each)
        if index in found.seconds:
            seconds[first - 1] = found.seconds[index]
    return seconds
