"""Script analysis: who speaks, where the text shows it, and how; never other words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from luma_studio.agents.base import RULES as BY_RULES
from luma_studio.agents.base import Agent, Case, Decision, Thinking, decide_each, parts
from luma_studio.agents.casting import Roles, neighbours
from luma_studio.progress import Listener, unheard
from luma_studio.script.model import Clause, Script
from luma_studio.store.state import Role

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


@dataclass(frozen=True, slots=True)
class Analysis:
    """Who speaks clauses and how; ``left``: the texts of clauses that no mind decided on; and who said so."""

    roles: Roles
    left: frozenset[str]
    decisions: tuple[Decision[Analysed], ...]


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


def cases(script: Script) -> list[Case[Analysed]]:
    """What is to be decided about a script."""
    return [_case(part) for part in parts(script)]


def _case(part: Sequence[Clause]) -> Case[Analysed]:
    return Case(question(part), lambda answer: check(part, answer), RULES)


async def analysed(script: Script, thinking: Thinking, listener: Listener = unheard) -> Analysis:
    """Have a script, no clause of which is cut yet, analysed. Raises as ``decide_each``."""
    decisions = await decide_each(AGENT, cases(script), thinking, listener)
    roles: dict[str, list[Role]] = {}
    left: set[str] = set()
    around = neighbours(tuple(script.clauses))
    for part, decision in zip(parts(script), decisions, strict=True):
        if decision.by == BY_RULES:
            left.update(clause.text for clause in part)
        named = {each.clause: each for each in decision.value.clauses}
        for number, (clause, (before, after)) in enumerate(zip(part, around, strict=False)):
            each = named.get(number) or Heard(clause=number, speaker=None, tags=[])
            role = Role(before=before, after=after, speaker=each.speaker, tags=tuple(each.tags))
            roles.setdefault(clause.text, []).append(role)
    told = {text: tuple(each) for text, each in roles.items() if any(role.speaker or role.tags for role in each)}
    return Analysis(told, frozenset(left), decisions)


def _speakers(clauses: Sequence[Clause]) -> list[str]:
    return sorted({clause.speaker for clause in clauses if clause.speaker is not None})
