"""Long work as a page sees it: how far it is, clause by clause, how long it will take, and a way to stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from luma_studio.errors import LumaError, Stopped
from luma_studio.progress import Event

_TELL = 0.25  # seconds between two messages about progress


class Work:
    """One run of speaking, exporting or an agent. ``heard`` is its listener, and stops the work when it was asked to.

    ``by`` is the object that does it: the production that is open, or another of a notebook's on the same folder.
    ``state()`` is plain JSON: ``kind``; ``status`` (running, stopping, done, stopped, failed) and ``error``; ``stages``
    with done, total and subject, the present one last; ``left``, the seconds that one will still take (None: unknown);
    ``clauses``, what became of each (began, done, cached, failed, with the reason).
    """

    def __init__(self, kind: str, tell: Callable[[dict[str, Any]], None], by: object = None) -> None:
        self.kind = kind
        self.by = by
        self.running = True
        self._tell = tell
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._error: LumaError | None = None
        self._stages: dict[str, Event] = {}
        self._first: tuple[Event, float] | None = None  # of the present stage, and when it was
        self._clauses: dict[int, tuple[str, str]] = {}
        self._told = 0.0

    def heard(self, event: Event) -> None:
        """Take an event in. Raises Stopped once the work is to stop."""
        now = time.monotonic()
        with self._lock:
            self._follow(event, now)
            if event.clause is not None:
                self._clauses[event.clause] = (event.outcome, event.reason)
            due = now - self._told >= _TELL
            if due:
                self._told = now
        if due:
            self._tell(self.state())
        if self._stop.is_set():
            raise Stopped("Stopped. What was done is kept.")

    def _follow(self, event: Event, now: float) -> None:
        """Take up how far a stage is. One begins anew after another, and for each file: what is done then falls."""
        before = next(reversed(self._stages.values()), None)
        if before is None or before.stage != event.stage or event.done < before.done:
            self._first = event, now
        self._stages.pop(event.stage, None)
        self._stages[event.stage] = event

    def stop(self) -> None:
        """Ask the work to stop: it does at its next step."""
        if self.running:
            self._stop.set()
            self._tell(self.state())

    def end(self, error: LumaError | None = None) -> None:
        """The work is over."""
        self._error = error
        self.running = False
        self._tell(self.state())
        self._ended.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; False if it did not come within ``seconds``."""
        return self._ended.wait(seconds)

    def state(self) -> dict[str, Any]:
        """What a page shows of it."""
        with self._lock:
            stages = list(self._stages.values())
            return {
                "kind": self.kind,
                "status": self._status(),
                "error": None if self._error is None or isinstance(self._error, Stopped) else str(self._error),
                "stages": [
                    {"stage": each.stage, "done": each.done, "total": each.total, "subject": each.subject}
                    for each in stages
                ],
                "left": self._left(stages[-1]) if stages and self.running else None,
                "clauses": [[index, *what] for index, what in sorted(self._clauses.items())],
            }

    def _status(self) -> str:
        if self.running:
            return "stopping" if self._stop.is_set() else "running"
        if self._error is None:
            return "done"
        return "stopped" if isinstance(self._error, Stopped) else "failed"

    def _left(self, event: Event) -> float | None:
        """Seconds that the present stage will still take, by its pace so far."""
        if self._first is None:
            return None
        first, began = self._first
        took, done = time.monotonic() - began, event.done - first.done
        return took / done * (event.total - event.done) if done and took > 0.5 else None
