"""Waiting for a vendor's job: looking now and then, ever less often, until it has ended or patience has."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from luma_studio.errors import JobFailedError, OverloadedError, RateLimitError, StillRunningError, UnreachableError
from luma_studio.settings import Polling
from luma_studio.video.base import Stage, Tell, Told

_PASSING = (OverloadedError, RateLimitError, UnreachableError)  # of which the job knows nothing
_GROWTH = 1.1  # so that nothing is seen later than a tenth of its time after it ended, and the first wait


@dataclass(frozen=True, slots=True)
class Seen:
    """A vendor's job as it stood at one look: what the vendor said as ``status``, and where its result is.

    ``message`` is in words, ``share`` what is done of it (None: the vendor does not say). A state that nobody knows is
    one that still runs.
    """

    stage: Stage
    status: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    address: str = ""
    thumbnail: str = ""
    message: str = ""
    share: float | None = None


async def ended(look: Callable[[], Awaitable[Seen]], vendor: str, job: str, polling: Polling, tell: Tell) -> Seen:
    """Look at a job until it is completed and its result has an address; what was seen then.

    Raises JobFailedError for one that failed, StillRunningError where patience ended first, Stopped from ``tell``, and
    what ``look`` raises, but for what passes.
    """
    until = time.monotonic() + polling.patience
    for wait in waits(polling):
        seen = await _looked(look)
        if seen is not None:
            tell(Told(seen.stage, seen.message, seen.share, job))
            if seen.stage == "failed":
                raise JobFailedError(
                    f"{vendor} could not make the video {job}: {seen.message or 'it gives no reason'}. Change what was "
                    "asked, or try again.",
                    vendor=vendor,
                )
            if seen.stage == "completed" and seen.address:
                return seen
        if time.monotonic() + wait > until:
            break
        await asyncio.sleep(wait)
    raise StillRunningError(
        f"{vendor} still makes the video {job}. Nothing is lost or bought again: run the same later to take it up.",
        vendor=vendor,
    )


def waits(polling: Polling) -> Iterator[float]:
    """Seconds between two looks: as set, or growing; as many as may be."""
    if polling.status_poll_interval_seconds is not None:
        waits: Iterator[float] = itertools.repeat(polling.status_poll_interval_seconds)
    else:
        waits = (min(polling.shortest * _GROWTH**index, polling.longest) for index in itertools.count())
    return itertools.islice(waits, polling.status_max_attempts)


async def _looked(look: Callable[[], Awaitable[Seen]]) -> Seen | None:
    try:
        return await look()
    except _PASSING:
        return None
