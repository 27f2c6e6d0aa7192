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
    """One run of speaking, exporting, filming or an agent; ``heard`` is its listener, and stops it when asked to.

    ``by`` is the object that does it: the production that is open, or another of a notebook's on the same folder.
    ``state()`` is plain JSON: ``kind``; ``status`` (running, stopping, done, stopped, failed) and ``error``; ``stages``
    with done, total, subject and the share that is done of it, the present one last; ``left``, the seconds that one
    will still take (None: unknown); ``clauses``, what became of each (began, done, cached, failed, with the reason);
    ``scenes``, the same by their ids, and the share that is done of each; ``outlives``: it goes on when the page is
    closed.
    """

    outlives = False

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
        self._first: tuple[float, float] | None = None  # how far the present stage was when it began, and when
        self._way = 0.0  # how far it is
        self._clauses: dict[int, tuple[str, str]] = {}
        self._scenes: dict[str, tuple[str, str, float | None]] = {}
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
        if event.stage == "film":
            self._scenes[event.subject] = event.outcome, event.reason, event.share
        self._way = event.done + self._under_way(event)
        before = next(reversed(self._stages.values()), None)
        if before is None or before.stage != event.stage or event.done < before.done:
            self._first = self._way, now
        self._stages.pop(event.stage, None)
        self._stages[event.stage] = event

    def _under_way(self, event: Event) -> float:
        """What is done of the steps of a stage that have begun and not ended."""
        if event.stage != "film":
            return event.share or 0.0
        return sum(share or 0.0 for outcome, _, share in self._scenes.values() if outcome == "began")

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

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
                "stages": [self._stage(each, present=each is stages[-1]) for each in stages],
                "left": self._left(stages[-1]) if stages and self.running else None,
                "clauses": [[index, *what] for index, what in sorted(self._clauses.items())],
                "outlives": self.outlives,
                "scenes": {scene: list(what) for scene, what in self._scenes.items()},
            }

    def _stage(self, event: Event, *, present: bool) -> dict[str, Any]:
        way = self._way if present else event.done
        share = min(1.0, way / event.total) if event.total else 0.0
        return {
            "stage": event.stage,
            "done": event.done,
            "total": event.total,
            "subject": event.subject,
            "share": share,
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
        took, done = time.monotonic() - began, self._way - first
        return took / done * (event.total - self._way) if done > 0 and took > 0.5 else None
