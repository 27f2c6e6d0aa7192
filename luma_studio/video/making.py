"""What the embedded engines share: work in a thread that can be stopped, and frames drawn on all cores."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor

import av

from luma_studio.errors import Stopped
from luma_studio.video.base import Tell, Told

_WAITING = 6  # frames that are drawn and not yet written
_SHARES = 100  # how often it is told how far a film is, at most


async def in_thread(work: Callable[[Tell], None], tell: Tell) -> None:
    """Do some work in a thread. When the task is cancelled, the work ends at the next thing that it tells."""
    ended = threading.Event()

    def told(how_far: Told) -> None:
        if ended.is_set():
            raise Stopped
        tell(how_far)

    task = asyncio.ensure_future(asyncio.to_thread(work, told))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        ended.set()
        await asyncio.wait([task])  # what it leaves behind is cleared away before anybody goes on
        task.exception()
        raise


def counting(tell: Tell, frames: int, message: str) -> Callable[[int], None]:
    """Hears of how many frames are written, and tells it now and then."""
    step = max(1, min(frames // _SHARES, 25))

    def done(count: int) -> None:
        if count % step == 0 or count == frames:
            tell(Told("processing", message, count / frames))

    return done


def drawn_ahead(draw: Callable[[int], av.VideoFrame], count: int, threads: int = 2) -> Generator[av.VideoFrame]:
    """The frames 0 to ``count`` - 1 in order, some of them drawn ahead; one thread draws them one after the other."""
    with ThreadPoolExecutor(threads, thread_name_prefix="frames") as pool:
        waiting: deque[Future[av.VideoFrame]] = deque()
        try:
            for number in range(count):
                waiting.append(pool.submit(draw, number))
                if len(waiting) > _WAITING:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
