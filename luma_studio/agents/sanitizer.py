"""Sanitizer: directions and pause notes in the spoken text that the reader missed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel

from luma_studio.agents.base import RULES as BY_RULES
from luma_studio.agents.base import Agent, Case, Decision, Thinking, decide_each
from luma_studio.progress import Listener, unheard
from luma_studio.script.model import Diagnostic, Script
from luma_studio.store.state import Doubt

Kind = Literal["direction", "pause", "markup"]


_PART = 120  # lines that are asked about at once
_MEANINGS: dict[Kind, str] = {
    "direction": "“{}” looks like a direction and would be spoken. Put it on its own line after “Visual:”, or take it "
    "out.",
    "pause": "“{}” looks like a pause and would be spoken. Write it as (3 sec).",
    "markup": "“{}” looks like markup and would be spoken. Take it out.",
}


class Stretch(BaseModel):
    """A stretch of a line, counted from 1, quoted exactly, that is not meant to be spoken."""

    line: int
    quote: str
    kind: Kind


class Sanitized(BaseModel):
    """What should be looked at."""

    found: list[Stretch]


AGENT = Agent("sanitizer", Sanitized)
RULES = Sanitized(found=[])
"""What the reader found is all there is."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """Stretches that may not be meant to be spoken; ``left``: the lines that no mind decided on; and who said so."""

    found: tuple[Doubt, ...]
    left: frozenset[str]
    decisions: tuple[Decision[Sanitized], ...]


def spoken_lines(script: Script) -> dict[int, str]:
    """What is spoken of each line of the script, by its number: marks are blanked out, so that columns stay."""
    text = list(script.text)
    for mark in script.marks:
        text[mark.start : mark.end] = (each if each == "\n" else " " for each in text[mark.start : mark.end])
    lines = "".join(text).split("\n")
    return {number: line for number, line in enumerate(lines, 1) if line.strip()}


def question(lines: Mapping[int, str]) -> dict[str, Any]:
    """What is asked about spoken lines, by number."""
    return {"lines": [{"line": number, "text": text} for number, text in lines.items()]}


def check(lines: Mapping[int, str], answer: Sanitized) -> str | None:
    """What is wrong with an answer: a line that is not there, or words that are not in it."""
    return next(_problems(lines, answer.found), None)


def _problems(lines: Mapping[int, str], found: Iterable[Stretch]) -> Iterator[str]:
    for each in found:
        if each.line not in lines:
            yield f"There is no line {each.line} among those given."
        elif not each.quote.strip() or each.quote not in lines[each.line]:
            yield f"Line {each.line} does not have what is quoted; quote it letter for letter."


def cases(script: Script) -> list[Case[Sanitized]]:
    """What is to be decided about a script."""
    return [_case(part) for part in _parts(script)]


def _case(part: Mapping[int, str]) -> Case[Sanitized]:
    return Case(question(part), lambda answer: check(part, answer), RULES)


async def sanitized(script: Script, thinking: Thinking, listener: Listener = unheard) -> Doubts:
    """Have the spoken text looked through. Raises as ``decide_each``."""
    decisions = await decide_each(AGENT, cases(script), thinking, listener)
    pairs = list(zip(_parts(script), decisions, strict=True))
    found = {
        Doubt(line=part[each.line].strip(), quote=each.quote, kind=each.kind): None
        for part, decision in pairs
        for each in decision.value.found
    }
    left = frozenset(line.strip() for part, decision in pairs if decision.by == BY_RULES for line in part.values())
    return Doubts(tuple(found), left, decisions)


def doubted(script: Script, doubts: Sequence[Doubt]) -> Script:
    """The script with a warning where a stretch of it may not be meant to be spoken, as long as its line stays."""
    by_line: dict[str, list[Doubt]] = {}
    for doubt in doubts:
        by_line.setdefault(doubt.line, []).append(doubt)
    found = [
        Diagnostic(
            number,
            line.index(doubt.quote) + 1,
            "warning",
            _MEANINGS[doubt.kind].format(doubt.quote),
            len(doubt.quote),
        )
        for number, line in (spoken_lines(script) if doubts else {}).items()
        for doubt in by_line.get(line.strip(), ())
    ]
    if not found:
        return script
    diagnostics = sorted((*script.diagnostics, *found), key=lambda each: (each.line, each.column))
    return replace(script, diagnostics=tuple(diagnostics))


def _parts(script: Script) -> list[dict[int, str]]:
    """The lines that are asked about at once."""
    lines = list(spoken_lines(script).items())
    return [dict(lines[first : first + _PART]) for first in range(0, len(lines), _PART)]
