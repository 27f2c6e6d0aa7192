"""The store of jobs: their laws, over a shelf that keeps them.

Every change is a compare-and-set: it is decided for a job as it stood, and holds only if it still stands so. A job
never leaves an end state, and a worker whose lease was lost cannot write any more: it is told apart by its attempt.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import MappingProxyType
from typing import Any

from luma_studio.errors import InputError, LeaseLostError, NoJobError, StoreAwayError
from luma_studio.store.jobs import model
from luma_studio.store.jobs.model import Job, State
from luma_studio.store.jobs.shelf import Shelf

LEASE = 30.0
"""Seconds that a worker holds a job unless it renews that."""

_WATCH = 0.5  # seconds that one wait for a change takes at most, so that a watcher ends soon
_TELLING = 3 * 86_400.0  # seconds after which nobody tells of a job any more
_MANY = 500  # jobs looked at together

Change = Callable[[Job, float], Job]


class JobStore:
    """The jobs of a workspace. Its methods may be called from any thread and process.

    ``tells``: that a job ended is to be told to an address of the user's own. All raise StoreError where the shelf
    cannot be used, StoreAwayError where it is away for now; what was asked for may then be done or not, and asking
    again does no harm.
    """

    def __init__(self, shelf: Shelf, *, tells: bool = False) -> None:
        self._shelf = shelf
        self._tells = tells

    def create(self, kind: str, parameters: Mapping[str, Any] = MappingProxyType({}), subject: str = "") -> Job:
        """Write a job down; a worker that does its kind takes it up. Raises InputError for what is no JSON."""
        if not kind:
            raise InputError("A job needs a kind, such as 'narrate'.")
        model.check_json(dict(parameters), "A job's parameters")
        now = self._shelf.now()
        job = Job(secrets.token_hex(8), kind, dict(parameters), subject, created=now, changed=now)
        return self._shelf.put(job) or self.get(job.id)  # it is there where only the answer was lost

    def get(self, job_id: str) -> Job:
        """The job with this id. Raises NoJobError."""
        job = self._shelf.get(job_id)
        if job is None:
            raise NoJobError(f"There is no job {job_id!r} (any more). List those that there are: luma-studio jobs list")
        return job

    def listed(
        self,
        *,
        state: State | None = None,
        kind: str | None = None,
        subject: str | None = None,
        before: int | None = None,
        most: int = 50,
    ) -> list[Job]:
        """Jobs, the newest first. The next page are those ``before`` the number of the last one."""
        return self._shelf.page(state, kind, subject, before, most)

    def every(self) -> Iterator[Job]:
        """All jobs, the newest first."""
        before: int | None = None
        while page := self.listed(before=before, most=_MANY):
            yield from page
            before = page[-1].number

    # Workers

    def claim(self, owner: str, kinds: Collection[str] | None = None, seconds: float = LEASE) -> Job | None:
        """Take up the oldest job that waits, of these kinds (None: any), for so many seconds; None where none does.

        Jobs whose workers died wait again from now on.
        """
        self._free_lapsed()
        own = f"{owner} {secrets.token_hex(4)}"
        while (job := self._shelf.waiting(kinds)) is not None:
            taken = self._put(job, partial(model.claimed, owner=own, seconds=seconds)) or self._shelf.get(job.id)
            if taken is not None and taken.owner == own:
                return taken
        return None

    def renew(self, job: Job, seconds: float = LEASE) -> Job:
        """Hold a job for so many seconds from now; ``cancelling`` tells that it is to stop. Raises LeaseLostError."""
        return self._by_holder(job, partial(model.renewed, seconds=seconds))

    def progress(self, job: Job, words: str, share: float, events: Sequence[Mapping[str, Any]] = ()) -> Job:
        """Write down how far it is: in words, from 0 to 1, and as events. Answers, and raises, as ``renew``."""
        return self._by_holder(job, partial(model.progressed, words=words, share=share, events=events))

    def complete(self, job: Job, result: Any = None) -> Job:
        """Write down that it is done, and what it gave. Raises LeaseLostError, InputError for what is no JSON."""
        model.check_json(result, "A job's result")
        return self._by_holder(job, partial(model.ended, state="completed", result=result), "completed")

    def fail(self, job: Job, error: str) -> Job:
        """Write down why it could not be done, in a sentence. Raises LeaseLostError."""
        return self._by_holder(job, partial(model.ended, state="failed", error=error), "failed")

    def stopped(self, job: Job) -> Job:
        """Write down that its worker has stopped, as it was asked to. Raises LeaseLostError."""
        return self._by_holder(job, partial(model.ended, state="cancelled"), "cancelled")

    def give_back(self, job: Job) -> Job:
        """Let another worker take it up. Raises LeaseLostError."""
        return self._by_holder(job, model.given_back, "created")

    # Everybody

    def cancel(self, job_id: str) -> Job:
        """Ask a job to stop: at once where no worker holds it. One that ended stays as it is. Raises NoJobError."""
        while True:
            job = self.get(job_id)
            if job.is_over or (job.cancelling and not self._is_lapsed(job)):
                return job
            if (changed := self._put(job, model.cancelled)) is not None:
                return changed

    def mark(self) -> int:
        """What ``changes`` and ``watch`` take to tell what changes from now on."""
        return self._shelf.mark()

    def changes(self, mark: int) -> tuple[list[Job], int]:
        """Jobs that changed after a mark, each once as it stands now, some hundreds at most; and the next mark."""
        jobs = self._shelf.since(mark, _MANY)
        return jobs, jobs[-1].change if jobs else mark

    def wait(self, mark: int, seconds: float) -> bool:
        """Wait until a job changed after a mark; False where none did within so many seconds."""
        return self._shelf.wait(mark, seconds) > mark

    async def watch(self, mark: int | None = None) -> AsyncGenerator[Job, None]:
        """Each job that changes after a mark (from now on), as it stands then, as soon as it does. Never ends.

        A job that changes faster than it is looked at is told as it stands, its last change always. While the shelf is
        away it waits.
        """
        loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1, "luma-watch")
        try:
            seen = await loop.run_in_executor(thread, self.mark) if mark is None else mark
            while True:
                jobs, seen = await loop.run_in_executor(thread, self._next_changes, seen)
                for job in jobs:
                    yield job
        finally:
            thread.shutdown(wait=False)

    def sweep(self, age: float) -> list[Job]:
        """Remove the jobs that ended so many seconds ago, unless that is still to be told; they are answered."""
        removed: list[Job] = []
        before = self._shelf.now() - age
        after = 0.0
        while found := self._shelf.ended(after, before):
            removed += [job for job in found if not _is_to_tell(job, before) and self._shelf.remove(job)]
            after = found[-1].ended or before
        return removed

    # That a job ended is told

    def to_tell(self, seconds: float) -> Job | None:
        """A job that ended, which is to be told now and is not told by anybody else for so many seconds; or None."""
        now = self._shelf.now()
        for job in self._shelf.to_tell(now):
            if (taken := self._put(job, partial(model.telling, seconds=seconds))) is not None:
                return taken
        return None

    def told(self, job: Job, *, arrived: bool) -> None:
        """Write down whether the notice of a job arrived; if not it is due again later, or given up."""
        self._put(job, partial(model.told, arrived=arrived))

    def close(self) -> None:
        """Let go of what is open."""
        self._shelf.close()

    # Within

    def _put(self, job: Job, change: Change) -> Job | None:
        """Change a job as it stood; None where it does not stand so any more."""
        changed = change(job, self._shelf.now())
        if self._tells and changed.is_over and not job.is_over:
            changed = model.to_tell(changed)
        return self._shelf.put(changed)

    def _by_holder(self, job: Job, change: Change, wanted: State | None = None) -> Job:
        """Change a job for the worker that holds it, and nobody else. What it had written already is no error."""
        while True:
            there = self._shelf.get(job.id)
            if there is None or there.attempts != job.attempts or there.state not in ("processing", wanted):
                raise LeaseLostError(
                    f"The job {job.id} was taken up by another worker or has ended, so this one lets go of it."
                )
            if there.state == wanted:
                return there
            if (changed := self._put(there, change)) is not None:
                return changed

    def _next_changes(self, mark: int) -> tuple[list[Job], int]:
        """What changed after a mark, waited for a little."""
        try:
            return self.changes(mark) if self.wait(mark, _WATCH) else ([], mark)
        except StoreAwayError:
            time.sleep(_WATCH)
            return [], mark

    def _free_lapsed(self) -> None:
        for job in self._shelf.lapsed(self._shelf.now()):
            self._put(job, model.lapsed)

    def _is_lapsed(self, job: Job) -> bool:
        return job.until is None or job.until <= self._shelf.now()


def _is_to_tell(job: Job, before: float) -> bool:
    """Whether a job that is to be removed is still to be told, by somebody who is still there to do it."""
    return job.notice is not None and job.notice.outcome == "due" and (job.ended or 0.0) > before - _TELLING
