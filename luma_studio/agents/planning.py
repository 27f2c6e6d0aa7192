"""Planning: how a wanted total is shared out among the scenes, as factors of their pauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from luma_studio.agents.base import Agent, Case, Decision, Thinking, decide_each
from luma_studio.progress import Listener, unheard

_LEAST, _MOST = 0.25, 4.0  # factors
_NEAR = 0.02  # of the wanted total; `fit` does the rest


@dataclass(frozen=True, slots=True)
class Part:
    """A scene: its title, its first words, and the seconds of its speech and of its pauses."""

    title: str
    words: str
    speech: float
    pauses: float


class Share(BaseModel):
    """The factor of a scene's pauses; scenes are counted from 0."""

    scene: int
    factor: float


class Planned(BaseModel):
    """Every scene with its factor."""

    scenes: list[Share]


AGENT = Agent("planning", Planned)


def question(parts: Sequence[Part], total: float) -> dict[str, Any]:
    """What is asked: the scenes, their seconds, and the seconds wanted in all."""
    return {
        "wanted_seconds": total,
        "seconds_now": round(_seconds(parts, [1.0] * len(parts)), 1),
        "scenes": [
            {
                "scene": number,
                "title": part.title,
                "words": part.words,
                "speech": round(part.speech, 1),
                "pauses": round(part.pauses, 1),
            }
            for number, part in enumerate(parts)
        ],
    }


def rules(parts: Sequence[Part], total: float) -> Planned:
    """One factor for all, as near to the total as the bounds allow."""
    pauses = sum(part.pauses for part in parts)
    speech = sum(part.speech for part in parts)
    factor = min(_MOST, max(_LEAST, (total - speech) / pauses)) if pauses > 0 else 1.0
    return Planned(scenes=[Share(scene=number, factor=factor) for number in range(len(parts))])


def check(parts: Sequence[Part], total: float, answer: Planned) -> str | None:
    """What is wrong with an answer: a scene missing, a factor out of bounds, or a total farther off than need be."""
    factors = {each.scene: each.factor for each in answer.scenes}
    if len(answer.scenes) != len(parts) or set(factors) != set(range(len(parts))):
        return "Name every scene once."
    if not all(_LEAST <= factor <= _MOST for factor in factors.values()):
        return f"A factor must be from {_LEAST:g} to {_MOST:g}."
    even = [each.factor for each in rules(parts, total).scenes]
    off = abs(_seconds(parts, [factors[number] for number in range(len(parts))]) - total)
    if off > abs(_seconds(parts, even) - total) + _NEAR * total:
        return f"That is {off:.0f} seconds off the wanted total; come nearer."
    return None


def cases(parts: Sequence[Part], total: float) -> list[Case[Planned]]:
    """What is to be decided about a total in seconds."""
    return [Case(question(parts, total), lambda answer: check(parts, total, answer), rules(parts, total))]


async def planned(
    parts: Sequence[Part], total: float, thinking: Thinking, listener: Listener = unheard
) -> Decision[Planned]:
    """Have a total in seconds shared out. Raises as ``decide_each``."""
    (found,) = await decide_each(AGENT, cases(parts, total), thinking, listener)
    return found


def _seconds(parts: Sequence[Part], factors: Sequence[float]) -> float:
    return sum(part.speech + part.pauses * factor for part, factor in zip(parts, factors, strict=True))
