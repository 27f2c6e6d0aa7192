"""Script analysis: who speaks, where the text shows it, and how; never other words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel

from luma_studio.agents.base import Agent, Decision, Thinking, decide
from luma_studio.script.model import Clause

Tag = Literal["calm", "warm", "cheerful", "serious", "sad", "excited", "curious", "whispers", "softly", "slowly"]
"""How a clause may be delivered."""

_MOST_TAGS = 2
_LONGEST_NAME = 60  # characters


class Heard(BaseModel):
    """Who speaks a clause, by its number, if the text shows it, and how."""

    clause: int
    speaker: str | None
    tags: list[Tag]


class Analysed(BaseModel):
    """The clauses that something is to be said of."""

    clauses: list[Heard]


AGENT = Agent("analysis", Analysed)
RULES = Analysed(clauses=[])
"""Speakers and tags as the script marks them."""


def question(clauses: Sequence[Clause]) -> dict[str, Any]:
    """What is asked about some clauses."""
    return {
        "speakers": _speakers(clauses),
        "clauses": [
            {"clause": number, "text": clause.text, "speaker": clause.speaker} for number, clause in enumerate(clauses)
        ],
    }


def check(clauses: Sequence[Clause], answer: Analysed) -> str | None:
    """What is wrong with an answer: a speaker whom nobody marked or named, or who takes a marked one's place."""
    named = [each.clause for each in answer.clauses]
    if len(set(named)) < len(named):
        return "A clause is named twice; name each once."
    marked = {name.casefold() for name in _speakers(clauses)}
    text = "\n".join(clause.text for clause in clauses).casefold()
    for each in answer.clauses:
        if not 0 <= each.clause < len(clauses):
            return f"There is no clause {each.clause}."
        if len(each.tags) > _MOST_TAGS:
            return f"Clause {each.clause} has {len(each.tags)} tags; give {_MOST_TAGS} at most."
        if problem := _misnamed(each.speaker, clauses[each.clause].speaker, marked, text):
            return f"In clause {each.clause}, {problem}."
    return None


def _misnamed(name: str | None, own: str | None, marked: set[str], text: str) -> str | None:
    if name is None or name == own:
        return None
    if own is not None:
        return "the script marks who speaks; leave that"
    known = name.casefold() in marked or (bool(name.strip()) and name.casefold() in text)
    return None if known and len(name) <= _LONGEST_NAME else "nobody of that name is marked or named in the text"


async def analysed(clauses: Sequence[Clause], thinking: Thinking) -> Decision[Analysed]:
    """Have some clauses analysed. Raises as ``decide``."""
    return await decide(AGENT, question(clauses), lambda answer: check(clauses, answer), RULES, thinking)


def _speakers(clauses: Sequence[Clause]) -> list[str]:
    return sorted({clause.speaker for clause in clauses if clause.speaker is not None})
