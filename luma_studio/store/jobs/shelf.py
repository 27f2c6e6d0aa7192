"""Where jobs are kept: what a shelf must do. The laws of jobs are the store's; a shelf knows none of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from luma_studio.store.jobs.model import Job, State


class Shelf(Protocol):
    """Keeps jobs, numbers them and their changes, and rings when one changed. May be used by any thread.

    What is put is there as a whole or not at all, and who sees a change sees all before it. Raises StoreError,
    StoreAwayError among them.
    """

    def now(self) -> float:
        """Seconds since the epoch, by one clock for all who use the shelf."""

    def put(self, job: Job) -> Job | None:
        """Keep a job in place of the one whose ``change`` it has (0: there is none yet); it has the next number then.

        None, and nothing is kept, where another has changed it meanwhile.
        """

    def remove(self, job: Job) -> bool:
        """Remove a job; False where another has changed it meanwhile."""

    def get(self, job_id: str) -> Job | None:
        """The job with this id, or None."""

    def waiting(self, kinds: Collection[str] | None) -> Job | None:
        """The oldest job in the state ``created``, of these kinds (None: of any)."""

    def lapsed(self, now: float) -> list[Job]:
        """Jobs that are held until ``now`` or before, some at a time."""

    def to_tell(self, now: float) -> list[Job]:
        """Jobs whose notice is due by ``now``, some at a time."""

    def ended(self, after: float, before: float) -> list[Job]:
        """Jobs that ended after one time and until another, some at a time, the one that ended first before others."""

    def page(
        self, state: State | None, kind: str | None, subject: str | None, before: int | None, most: int
    ) -> list[Job]:
        """Jobs with these, the newest first, of those numbered below ``before``."""

    def since(self, mark: int, most: int) -> list[Job]:
        """Jobs that changed after a mark, in the order of their last changes."""

    def mark(self) -> int:
        """The number of the last change."""

    def wait(self, mark: int, seconds: float) -> int:
        """Wait until something changed after a mark, or so many seconds; the number of the last change then."""

    def close(self) -> None:
        """Let go of what is open."""
