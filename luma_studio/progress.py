"""Progress as a stream of events: the command line shows it as bars, a page as widgets. A listener may end the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["speak", "encode", "write", "audit"]
Outcome = Literal["began", "done", "cached", "failed"]


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a stage: ``done`` of ``total`` are behind us; ``subject`` is what this step was about.

    What is counted: clauses spoken, runs or stretches of ten seconds encoded, files written, stretches audited. A step
    that takes long is told more than once, with the same ``done``.

    For ``speak``, ``clause`` is the clause's index. ``began`` says that its request goes out now: its take is not in
    the store, and one of the voice's places is free. It is not counted in ``done``; ``done``, ``cached`` (it was in the
    store) and ``failed`` are, and one of them follows for each clause. ``reason`` is why it failed, in one sentence.
    """

    stage: Stage
    done: int
    total: int
    subject: str = ""
    outcome: Outcome = "done"
    clause: int | None = None
    reason: str = ""


Listener = Callable[[Event], None]
"""Hears of each event, in the thread that does the work, and returns at once.

It may raise ``errors.Stopped`` to end the work. Speaking then asks for nothing more, what was asked for arrives and is
kept, and exporting leaves each file whole: as it was, or new. The work then raises Stopped itself.
"""


def unheard(event: Event) -> None:
    """A listener that does nothing."""
