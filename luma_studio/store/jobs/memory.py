"""Jobs in memory: of one process, and gone with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace

from luma_studio.store.jobs.model import Job, State


class MemoryShelf:
    """A shelf in memory."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._number = 0
        self._mark = 0

    def now(self) -> float:  # noqa: D102
        return time.time()

    def put(self, job: Job) -> Job | None:  # noqa: D102
        with self._changed:
            if not self._stands(job):
                return None
            self._mark += 1
            if not job.change:
                self._number += 1
            kept = replace(job, change=self._mark, number=job.number or self._number)
            self._jobs[job.id] = kept
            self._changed.notify_all()
            return kept

    def remove(self, job: Job) -> bool:  # noqa: D102
        with self._changed:
            stands = self._stands(job)
            if stands:
                del self._jobs[job.id]
            return stands

    def get(self, job_id: str) -> Job | None:  # noqa: D102
        return self._jobs.get(job_id)

    def waiting(self, kinds: Collection[str] | None) -> Job | None:  # noqa: D102
        found = self._found(lambda job: job.state == "created" and (kinds is None or job.kind in kinds))
        return min(found, key=lambda job: job.number, default=None)

    def lapsed(self, now: float) -> list[Job]:  # noqa: D102
        return self._found(lambda job: job.until is not None and job.until <= now)

    def to_tell(self, now: float) -> list[Job]:  # noqa: D102
        return self._found(lambda job: job.notice is not None and job.notice.due is not None and job.notice.due <= now)

    def ended(self, after: float, before: float) -> list[Job]:  # noqa: D102
        return sorted(
            self._found(lambda job: job.ended is not None and after < job.ended <= before),
            key=lambda job: job.ended or 0,
        )

    def page(  # noqa: D102
        self, state: State | None, kind: str | None, subject: str | None, before: int | None, most: int
    ) -> list[Job]:
        found = self._found(
            lambda job: (
                state in (None, job.state)
                and kind in (None, job.kind)
                and subject in (None, job.subject)
                and (before is None or job.number < before)
            )
        )
        return sorted(found, key=lambda job: -job.number)[:most]

    def since(self, mark: int, most: int) -> list[Job]:  # noqa: D102
        return sorted(self._found(lambda job: job.change > mark), key=lambda job: job.change)[:most]

    def mark(self) -> int:  # noqa: D102
        return self._mark

    def wait(self, mark: int, seconds: float) -> int:  # noqa: D102
        with self._changed:
            self._changed.wait_for(lambda: self._mark > mark, seconds)
            return self._mark

    def close(self) -> None:  # noqa: D102
        pass

    def _stands(self, job: Job) -> bool:
        there = self._jobs.get(job.id)
        return (there.change if there else 0) == job.change

    def _found(self, fits: Callable[[Job], bool]) -> list[Job]:
        with self._changed:
            return [job for job in self._jobs.values() if fits(job)]
