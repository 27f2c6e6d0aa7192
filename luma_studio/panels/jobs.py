"""Jobs as pages see them: work that another process does, and that goes on when the page is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

from luma_studio.errors import LumaError, Stopped, StoreAwayError
from luma_studio.panels.work import Work
from luma_studio.progress import Event
from luma_studio.store.jobs import Job, JobStore

_AGAIN = 5.0  # seconds between two tries while the store is away


class JobWork(Work):
    """A job as work: what its worker tells of it. Stopping it cancels the job."""

    outlives = True

    def __init__(self, job: Job, store: JobStore, tell: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(job.kind, tell, job.id)
        self._store = store
        self._id = job.id
        self._events: Sequence[Mapping[str, Any]] = ()  # that were taken up

    def stop(self) -> None:
        """Ask the job to stop. Raises StoreError."""
        if self.running:
            self._store.cancel(self._id)
        super().stop()

    def take(self, job: Job) -> None:
        """Take up how the job stands now."""
        for event in job.events:
            if event not in self._events:
                with suppress(Stopped):  # which its worker hears by itself
                    self.heard(Event(**event))
        self._events = job.events
        if job.cancelling and not job.is_over and not self.is_stopping:
            super().stop()
        if job.is_over:
            self.end(_error(job))


def _error(job: Job) -> LumaError | None:
    if job.state == "completed":
        return None
    return LumaError(job.error) if job.state == "failed" else Stopped("Stopped. What was done is kept.")


async def follow_jobs(store: JobStore, kind: str, subject: str, take: Callable[[Job], None]) -> None:
    """Give ``take`` the jobs of a kind that are on their way, and each as it stands whenever it changes. Never ends.

    Raises StoreError; while the store is away it waits.
    """
    while True:
        with suppress(StoreAwayError):
            await _followed(store, kind, subject, take)
        await asyncio.sleep(_AGAIN)


async def _followed(store: JobStore, kind: str, subject: str, take: Callable[[Job], None]) -> None:
    mark = await asyncio.to_thread(store.mark)
    for job in await asyncio.to_thread(partial(store.listed, kind=kind, subject=subject)):
        if not job.is_over:
            await asyncio.to_thread(take, job)
    async with aclosing(store.watch(mark)) as changes:
        async for job in changes:
            if (job.kind, job.subject) == (kind, subject):
                await asyncio.to_thread(take, job)
