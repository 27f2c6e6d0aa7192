"""A production as the page needs it: plain lists, one entry a clause; positions in samples, pauses in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from luma_studio.production import Production
from luma_studio.script.model import Clause, Pause
from luma_studio.timeline.take import Take
from luma_studio.voices.pace import estimated

Described = dict[str, Any]


def production_state(production: Production) -> Described:
    """All that the pause timeline draws and plays; a clause that is not spoken has a take of estimated length."""
    choices = production.choices
    rate = choices.sample_rate
    return {
        "name": production.name,
        "rate": rate,
        "lead": round(choices.lead_in * rate),
        "tail": round(choices.tail * rate),
        "fade": round(choices.fade * rate),
        "scenes": [
            {
                "id": span.id,
                "title": span.title,
                "first": span.first,
                "last": span.last,
                "lead": round(span.lead_in_seconds * rate),
            }
            for span in production.spans
        ],
        "clauses": {
            "text": [clause.text for clause in production.clauses],
            "speaker": [clause.speaker for clause in production.clauses],
            "language": [clause.language for clause in production.clauses],
            "line": [clause.line for clause in production.clauses],
        },
        "takes": _takes(production.clauses, production.takes_in_use, rate),
        **pauses_state(production, range(len(production.clauses))),
    }


def pauses_state(production: Production, which: Sequence[int]) -> Described:
    """The pauses of some clauses, and what goes with every edit: history, and gain in dB."""
    pauses = tuple(production.pauses)
    return {
        "pauses": {index: _pause(pauses[index]) for index in which},
        "history": production.history,
        "gain": production.gain,
    }


def changed_pauses(before: Sequence[Pause], after: Sequence[Pause]) -> list[int]:
    """The indices at which two lists of pauses differ."""
    return [index for index, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]


def _pause(pause: Pause) -> list[Any]:
    return [pause.seconds, pause.source, pause.least, pause.most, pause.locked]


def _takes(clauses: Sequence[Clause], takes: Sequence[Take | None], rate: int) -> Described:
    guessed = [
        round(estimated(clause.text, clause.language) * rate) if take is None else 0
        for clause, take in zip(clauses, takes, strict=True)
    ]
    pairs = list(zip(takes, guessed, strict=True))
    return {
        "fingerprint": [take and take.fingerprint for take in takes],
        "length": [take.length if take else guess for take, guess in pairs],
        "start": [take.speech_start if take else 0 for take, _ in pairs],
        "end": [take.speech_end if take else guess for take, guess in pairs],
    }
