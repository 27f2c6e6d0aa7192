"""Having a video made that is not there yet, once among all processes, and taking it in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from luma_studio.store.ledger import Account
from luma_studio.store.videos import KeptVideo, VideoStore
from luma_studio.video.base import Made

Make = Callable[[Account, Path], Awaitable[Made]]
"""Makes a video at a path, on an account that has the claim of it."""


async def made(videos: VideoStore, account: Account, fingerprint: str, make: Make, *, paid: bool) -> KeptVideo:
    """The video of a fingerprint, made if it is not there; only then what was bought for it is forgotten.

    So whoever dies before that finds the vendor's job again. Raises as ``make``.
    """
    async with account.claim(fingerprint) as claimed:
        kept = await asyncio.to_thread(videos.get, fingerprint)  # made by another, meanwhile
        if kept is None:
            into = await asyncio.to_thread(videos.making, fingerprint)
            told = await make(claimed, into)
            kept = await asyncio.to_thread(lambda: videos.put(fingerprint, into, _about(told), durable=paid))
        await claimed.forget()
        return kept


def _about(told: Made) -> dict[str, Any]:
    return {
        "message": told.message,
        "video_id": told.video_id,
        "video_url": told.video_url,
        "thumbnail_url": told.thumbnail_url,
        "request": dict(told.request),
        "status": dict(told.status),
    }
