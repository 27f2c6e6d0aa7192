"""Sanitizer: directions and pause notes in the spoken text that the reader missed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel

from luma_studio.agents.base import Agent, Decision, Thinking, decide
from luma_studio.script.model import Script

Kind = Literal["direction", "pause", "markup"]


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


async def sanitized(script: Script, thinking: Thinking) -> Decision[Sanitized]:
    """Have the spoken text looked through. Raises as ``decide``."""
    lines = spoken_lines(script)
    return await decide(AGENT, question(lines), lambda answer: check(lines, answer), RULES, thinking)
