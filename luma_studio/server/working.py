"""The jobs of the workspace, done while the studio is open: by a process of their own, there while there are any.

So a page that is closed, and its kernel with it, stops nothing; and nothing that takes long is in the way of pages.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired

from luma_studio.errors import LumaError
from luma_studio.jobs import presence
from luma_studio.kinds import KINDS, are_shared
from luma_studio.store.jobs import Job, JobStore
from luma_studio.studio import STORE, Studio

_log = logging.getLogger(__name__)

_AT_ONCE = 4  # jobs; most of them wait for vendors most of the time
_LOOK = 1.0  # seconds between two looks though nothing changed: a lease may have run out
_PAUSE = 1.0  # seconds between the end of a worker and the next one
_END = 15.0  # seconds that a worker may take to give back what it does
_WORKER = [sys.executable, "-m", "luma_studio", "jobs", "work", "--once", "--while-told", "--at-once", str(_AT_ONCE)]


@asynccontextmanager
async def doing_jobs() -> AsyncIterator[None]:
    """Have jobs done meanwhile; those that have not ended by then are given back. What is in the way is logged."""
    doing = asyncio.create_task(_do())
    try:
        yield
    finally:
        doing.cancel()
        await asyncio.wait([doing])


async def _do() -> None:
    try:
        if are_shared():
            with Studio() as studio, presence.present(studio.folder / STORE):
                await _tend(studio.jobs)
    except LumaError as error:
        _log.warning("No jobs are done here. %s", error)


async def _tend(store: JobStore) -> None:
    mark = 0
    while True:
        try:
            if await asyncio.to_thread(_is_any_waiting, store):
                await _worked()
            mark = await asyncio.to_thread(_next, store, mark)
        except LumaError as error:  # a store that is away comes back
            _log.warning("%s Waiting for it.", error)
            await asyncio.sleep(_PAUSE)


def _next(store: JobStore, mark: int) -> int:
    """Wait until something changed, or for a while; the next mark."""
    return store.mark() if store.wait(mark, _LOOK) else mark


def _is_any_waiting(store: JobStore) -> bool:
    """Whether there is a job for a worker: one that waits, or whose worker died."""
    held = (job for kind in KINDS for job in store.listed(state="processing", kind=kind))
    return any(store.listed(state="created", kind=kind, most=1) for kind in KINDS) or any(map(_is_left, held))


def _is_left(job: Job) -> bool:
    return job.until is not None and job.until < time.time()


async def _worked() -> None:
    """Have a worker do jobs until none waits; it ends, and gives back what it does, when this is cancelled."""
    process = Popen(_WORKER, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True)  # noqa: S603
    try:
        await asyncio.to_thread(process.wait)
    finally:
        await asyncio.to_thread(_end, process)
    await asyncio.sleep(_PAUSE)


def _end(process: Popen[bytes]) -> None:
    """Tell a worker to end, and wait until it has."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_END)
    except TimeoutExpired:
        process.kill()
        process.wait()
