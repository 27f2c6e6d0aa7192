"""Splice review: after the audit, which pauses to adjust a little, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from luma_studio.agents.base import Agent, Case, Decision, Thinking, decide_each
from luma_studio.errors import SettingError
from luma_studio.progress import Listener, unheard
from luma_studio.script.model import Clause, Pause
from luma_studio.store import files

_SHARE = 0.5  # of a pause that may be added or taken away
_FEW, _TENTH = 3, 10  # adjustments: three, or one for each ten pauses
_WORDS = 60  # characters of a clause on each side of a pause
_REASON = 200  # characters
_SAME = 0.001  # seconds that a length may be off by rounding


class Adjustment(BaseModel):
    """The pause after a clause, its new length in seconds, and the reason."""

    clause: int
    seconds: float
    reason: str


class Reviewed(BaseModel):
    """The pauses that are to be adjusted; the others stay."""

    adjustments: list[Adjustment]


@dataclass(frozen=True, slots=True)
class Measured:
    """How much longer than asked the audit found a pause, in seconds; ``finding``: by more than the tolerance."""

    difference: float
    finding: bool


class _Pause(BaseModel):
    clause: int
    text: str
    asked: float
    difference: float
    finding: bool


class _Audit(BaseModel):
    """What is read of ``audit.json``."""

    pauses: list[_Pause]


AGENT = Agent("splice", Reviewed)


def bounds(pause: Pause) -> tuple[float, float] | None:
    """The least and most seconds that a review may give a pause; None where it must not touch it."""
    if pause.locked or pause.source in ("tuned", "fitted") or pause.seconds == 0:
        return None
    least, most = pause.seconds * (1 - _SHARE), pause.seconds * (1 + _SHARE)
    least = least if pause.least is None else max(least, pause.least)
    most = most if pause.most is None else min(most, pause.most)
    return (round(least, 3), round(most, 3)) if least < most else None


def question(clauses: Sequence[Clause], pauses: Sequence[Pause], measured: Mapping[int, Measured]) -> dict[str, Any]:
    """What is asked: each pause with the words around it, what was asked for and what was measured."""
    return {
        "most_adjustments": _most(pauses),
        "pauses": [
            {
                "clause": index,
                "before": clause.text[-_WORDS:],
                "after": clauses[index + 1].text[:_WORDS] if index + 1 < len(clauses) else "",
                "seconds": round(pause.seconds, 3),
                "source": pause.source,
                "may_be": bounds(pause),
                "measured_longer_by": measured[index].difference if index in measured else None,
                "finding": index in measured and measured[index].finding,
            }
            for index, (clause, pause) in enumerate(zip(clauses, pauses, strict=True))
        ],
    }


def read_audit(path: Path, clauses: Sequence[Clause], asked: Sequence[float]) -> dict[int, Measured]:
    """The pauses as an audit measured them, but for those that were asked for in another length or place since then.

    ``asked`` is the silence after each clause in seconds. Raises SettingError where there is no audit.
    """
    try:
        with files.explained(path):
            audit = _Audit.model_validate_json(path.read_bytes() if path.exists() else b"")
    except ValidationError:
        raise SettingError("There is no audit to review the pauses by. Export a master with its audit first.") from None
    return {
        each.clause: Measured(each.difference, each.finding)
        for each in audit.pauses
        if 0 <= each.clause < len(clauses)
        and clauses[each.clause].text == each.text
        and abs(each.asked - asked[each.clause]) < _SAME
    }


def check(pauses: Sequence[Pause], answer: Reviewed) -> str | None:
    """What is wrong with an answer: too many adjustments, one out of its bounds, or without a reason."""
    named = [each.clause for each in answer.adjustments]
    if len(set(named)) < len(named):
        return "A pause is adjusted twice; adjust each once."
    if len(named) > _most(pauses):
        return f"{len(named)} adjustments are too many; make {_most(pauses)} at most."
    return next(filter(None, (_problem(pauses, each) for each in answer.adjustments)), None)


def _problem(pauses: Sequence[Pause], each: Adjustment) -> str | None:
    if not 0 <= each.clause < len(pauses):
        return f"There is no clause {each.clause}."
    may = bounds(pauses[each.clause])
    if may is None:
        return f"The pause after clause {each.clause} must stay as it is."
    if not may[0] <= each.seconds <= may[1]:
        return f"The pause after clause {each.clause} may be {may[0]:g} to {may[1]:g} seconds, not {each.seconds}."
    if not each.reason.strip() or len(each.reason) > _REASON:
        return f"Give a reason for clause {each.clause}, in one sentence."
    return None


def rules(pauses: Sequence[Pause], measured: Mapping[int, Measured]) -> Reviewed:
    """What was found wrong is made good by the difference, where that is possible; nothing else."""
    found = []
    for index, each in measured.items():
        pause = pauses[index]
        wanted = round(pause.seconds - each.difference, 3)
        may = bounds(pause)
        if each.finding and may is not None and may[0] <= wanted <= may[1]:
            reason = f"The audit found it {each.difference:+.2f} s off."
            found.append(Adjustment(clause=index, seconds=wanted, reason=reason))
    return Reviewed(adjustments=found)


def cases(clauses: Sequence[Clause], pauses: Sequence[Pause], measured: Mapping[int, Measured]) -> list[Case[Reviewed]]:
    """What is to be decided about pauses, by what the audit measured, by clause index."""
    about = question(clauses, pauses, measured)
    return [Case(about, lambda answer: check(pauses, answer), rules(pauses, measured))]


async def reviewed(
    clauses: Sequence[Clause],
    pauses: Sequence[Pause],
    measured: Mapping[int, Measured],
    thinking: Thinking,
    listener: Listener = unheard,
) -> Decision[Reviewed]:
    """Have the pauses reviewed. Raises as ``decide_each``."""
    (found,) = await decide_each(AGENT, cases(clauses, pauses, measured), thinking, listener)
    return found


def _most(pauses: Sequence[Pause]) -> int:
    return max(_FEW, len(pauses) // _TENTH)
