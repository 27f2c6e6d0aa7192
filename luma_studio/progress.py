"""Progress as a stream of events: the command line shows it as bars, a page as widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["speak", "encode", "write", "audit"]
Outcome = Literal["done", "cached", "failed"]


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a stage: ``done`` of ``total`` are behind us; ``subject`` is what this step was about."""

    stage: Stage
    done: int
    total: int
    subject: str = ""
    outcome: Outcome = "done"


Listener = Callable[[Event], None]


def unheard(event: Event) -> None:
    """A listener that does nothing."""
