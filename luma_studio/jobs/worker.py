"""A worker: takes up jobs of the kinds that it can do, in the event loop that it runs in.

It renews its leases meanwhile, tells how far each job is, hears at once that one is to stop, and gives back what it has
not done when it ends itself. Of a worker that dies another takes up the jobs once their leases have run out.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, ParamSpec, TypeVar

from luma_studio.errors import InputError, LeaseLostError, LumaError, Stopped, StoreAwayError, StoreError, VendorError
from luma_studio.jobs.webhook import Webhook
from luma_studio.progress import STAGES, Event, Listener
from luma_studio.store.jobs import Job, JobStore
from luma_studio.store.jobs.store import LEASE

_log = logging.getLogger(__name__)
_P = ParamSpec("_P")
_T = TypeVar("_T")

_BEAT = 0.2  # seconds between two looks after a job that is held
_LOOK = 1.0  # seconds after which a worker looks for jobs though nothing changed: a lease may have run out
_GRACE = 10.0  # seconds that a job may take to stop by itself
_AWAY = (0.2, 10.0)  # seconds between two tries while the store is away: at first, doubled, and at most
_TELLING = 60.0  # seconds within which a notice is delivered or not
_WORDS = 500  # characters of an error

Do = Callable[[Mapping[str, Any], Listener], Awaitable[Any]]
"""Does a kind of job by its parameters, and gives its result: JSON both.

The listener takes events from any thread, and raises Stopped when the job is to stop; one that cannot tell for long is
cancelled some seconds later. It may be done again from the start after a crash: what it buys goes through the ledger.
"""
How = Callable[[Do, Job, Listener, asyncio.Event], Awaitable[Any]]
"""Has a job done somewhere, until it ends or the event says that it is to stop."""


async def here(do: Do, job: Job, listener: Listener, _stop: asyncio.Event) -> Any:
    """Do it in this event loop."""
    return await do(job.parameters, listener)


@dataclass(slots=True)
class _Held:
    """A job that is held: how far it is, and whether it is to stop, or is not ours any more."""

    job: Job
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    work: asyncio.Future[Any] = field(default_factory=asyncio.Future)
    event: Event | None = None
    told: Event | None = None  # the one that is written down
    scenes: dict[str, Event] = field(default_factory=dict)  # that are filmed, by their ids
    cancelling: bool = False
    lost: bool = False
    since: float = 0.0  # when it was asked to stop

    def hear(self, event: Event) -> None:
        """Its listener: from any thread, at once."""
        if self.stop.is_set():
            raise Stopped
        if event.stage == "film":
            self.scenes[event.subject] = event
        self.event = event

    def progress(self) -> tuple[str, float, list[dict[str, Any]]]:
        """How far it is: in words, from 0 to 1, and as events of which the present one is the last."""
        events = [each for each in list(self.scenes.values()) if each is not self.event]
        if self.event is None:
            return "", 0.0, []
        return *_progress(self.event), [asdict(each) for each in (*events, self.event)]

    def ask_to_stop(self) -> None:
        """Have it stop."""
        if not self.stop.is_set():
            self.since = time.monotonic()
            self.stop.set()


class Worker:
    """Does jobs of these ``kinds``, ``at_once`` of them beside each other, each in a way: ``how``.

    >>> asyncio.run(Worker(studio.jobs, {"narrate": narrate}).run())                # doctest: +SKIP

    Several workers, in one process or many, share the jobs of a store. ``webhook`` is told of each job that ended,
    whoever ended it.
    """

    def __init__(
        self,
        store: JobStore,
        kinds: Mapping[str, Do],
        *,
        at_once: int = 1,
        lease: float = LEASE,
        webhook: Webhook | None = None,
        how: How = here,
    ) -> None:
        self._store = store
        self._kinds = dict(kinds)
        self._at_once = at_once
        self._lease = lease
        self._webhook = webhook
        self._how = how
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._held: dict[asyncio.Task[None], _Held] = {}
        self._waiting: asyncio.Future[bool] | None = None  # for something to change
        self._ending = False

    async def run(self, *, forever: bool = True) -> None:
        """Do jobs until this is cancelled (Ctrl-C), or, not ``forever``, until none waits or is held here.

        While the store is away it waits. When it ends, jobs that do not stop within seconds are cancelled; all that
        have not ended are given back.
        """
        # Threads of its own: those that all share may be taken by long work, and a lease must be renewed.
        self._threads = ThreadPoolExecutor(self._at_once + 4, "luma-worker")
        telling = asyncio.create_task(self._tell(self._webhook)) if self._webhook else None
        try:
            await self._take_up(forever=forever)
        finally:
            self._ending = True
            await self._end_held()
            if telling is not None:
                telling.cancel()
                await asyncio.wait([telling])
            self._threads.shutdown(wait=False)

    async def _take_up(self, *, forever: bool) -> None:
        mark = await self._patiently(self._call(self._store.mark))
        while True:
            taken = await self._patiently(self._fill)
            if not forever and not taken and not self._held:
                return
            if len(self._held) < self._at_once and taken:
                continue
            mark = await self._patiently(partial(self._listen, mark))

    async def _fill(self) -> bool:
        """Take up a job if there is room; whether there was one."""
        if len(self._held) >= self._at_once:
            return False
        job = await self._claimed()
        if job is None:
            return False
        held = _Held(job)
        held.work = asyncio.ensure_future(self._how(self._kinds[job.kind], job, held.hear, held.stop))
        task = asyncio.create_task(self._do(held))
        self._held[task] = held
        task.add_done_callback(self._let_go)
        return True

    async def _claimed(self) -> Job | None:
        claiming = asyncio.ensure_future(self._call(self._store.claim, self._name, tuple(self._kinds), self._lease)())
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:  # what is taken up all the same would wait until its lease ran out
            with suppress(StoreAwayError):
                if (job := await claiming) is not None:
                    await self._call(self._store.give_back, job)()
            raise

    def _let_go(self, task: asyncio.Task[None]) -> None:
        del self._held[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("A job could not be written down: %s", _sentence(error))

    async def _listen(self, mark: int) -> int:
        """Wait until something changed or a job here ended, and hear what of it concerns us; the next mark."""
        if self._waiting is None:
            self._waiting = asyncio.ensure_future(self._call(self._store.wait, mark, _LOOK)())
        ends: list[asyncio.Future[Any]] = [self._waiting, *self._held]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not self._waiting.done():
            return mark
        rang, self._waiting = self._waiting, None
        if rang.result():
            jobs, mark = await self._call(self._store.changes, mark)()
            cancelling = {job.id for job in jobs if job.cancelling}
            for held in self._held.values():
                if held.job.id in cancelling:
                    held.cancelling = True
                    held.ask_to_stop()
        return mark

    # A job

    async def _do(self, held: _Held) -> None:
        """Have a job done, and write down how it ended."""
        tending = asyncio.create_task(self._tend(held))
        await asyncio.wait([held.work])
        tending.cancel()
        await asyncio.wait([tending])
        if not held.lost:
            with suppress(LeaseLostError):  # another does it by now, or has
                await self._write_down(held, held.work)

    async def _tend(self, held: _Held) -> None:
        """Renew the lease, write down how far the job is, and end what does not stop by itself."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(min(_BEAT, self._lease / 4))
            if held.stop.is_set() and time.monotonic() - held.since > _GRACE:
                held.work.cancel()
            if held.lost:
                continue
            try:
                if time.monotonic() - renewed > self._lease / 3:
                    self._heed(held, await self._call(self._store.renew, held.job, self._lease)())
                    renewed = time.monotonic()
                if (event := held.event) is not held.told:
                    self._heed(held, await self._call(self._store.progress, held.job, *held.progress())())
                    held.told = event
            except LeaseLostError:
                held.lost = True
                held.ask_to_stop()
            except StoreError as error:
                _log.warning("%s The work goes on meanwhile.", error)
                await asyncio.sleep(_LOOK)

    def _heed(self, held: _Held, there: Job) -> None:
        if there.cancelling:
            held.cancelling = True
            held.ask_to_stop()

    async def _write_down(self, held: _Held, work: asyncio.Future[Any]) -> None:
        if held.event is not held.told:
            await self._patiently(self._call(self._store.progress, held.job, *held.progress()))
        error = None if work.cancelled() else work.exception()
        if work.cancelled() or isinstance(error, Stopped):
            given_back = self._ending and not held.cancelling
            write = self._call(self._store.give_back if given_back else self._store.stopped, held.job)
        elif error is not None:
            write = self._call(self._store.fail, held.job, _sentence(error))
        else:
            write = self._call(self._store.complete, held.job, work.result())
        try:
            await self._patiently(write)
        except InputError as error_of_result:  # what it gave is no JSON
            await self._patiently(self._call(self._store.fail, held.job, str(error_of_result)))

    # The end

    async def _end_held(self) -> None:
        """Have what is held stop, and give it back."""
        for held in self._held.values():
            held.ask_to_stop()
        if self._held:
            await asyncio.wait(list(self._held), timeout=_GRACE)
        for held in self._held.values():
            held.work.cancel()
        if self._held:
            await asyncio.wait(list(self._held))

    # That jobs ended is told

    async def _tell(self, webhook: Webhook) -> None:
        mark = 0
        while True:
            while await self._patiently(partial(self._tell_one, webhook)):
                pass
            mark = await self._patiently(partial(self._wait, mark))

    async def _tell_one(self, webhook: Webhook) -> bool:
        """Tell of one job that ended; whether there was one."""
        job = await self._call(self._store.to_tell, _TELLING)()
        if job is None:
            return False
        try:
            await webhook.tell(job)
        except VendorError as error:
            _log.warning("That the job %s ended could not be told: %s", job.id, error)
            await self._call(self._store.told, job, arrived=False)()
        else:
            await self._call(self._store.told, job, arrived=True)()
        return True

    async def _wait(self, mark: int) -> int:
        await self._call(self._store.wait, mark, _LOOK)()
        return await self._call(self._store.mark)()

    # The store

    def _call(self, function: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> Callable[[], Awaitable[_T]]:
        """Something of the store, to be asked for in a thread."""

        def call() -> Awaitable[_T]:
            return asyncio.get_running_loop().run_in_executor(self._threads, lambda: function(*args, **options))

        return call

    async def _patiently(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Ask the store, and while it is away wait; not for long when the worker ends."""
        wait, longest = _AWAY
        while True:
            try:
                return await ask()
            except StoreAwayError as error:
                if self._ending and wait >= longest / 4:
                    raise
                _log.warning("%s Waiting for it.", error)
            await asyncio.sleep(wait)
            wait = min(2 * wait, longest)


def _progress(event: Event) -> tuple[str, float]:
    """How far a job is: in words, and from 0 to 1."""
    words = f"{STAGES.get(event.stage, event.stage.capitalize())} {event.done} of {event.total}"
    done = event.done + (event.share or 0.0)
    return words, done / event.total if event.total else 0.0


def _sentence(error: BaseException) -> str:
    """An error as one sees it in a list."""
    text = " ".join(str(error).split())[:_WORDS]
    return text if isinstance(error, LumaError) and text else f"{type(error).__name__}: {text}".rstrip(": ")
