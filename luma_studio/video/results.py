"""What vendors made, fetched before its address expires: streamed to disk, without a key, and looked at."""

from __future__ import annotations

import asyncio
from pathlib import Path

import av

from luma_studio.errors import BrokenAnswerError, VendorError
from luma_studio.store import files
from luma_studio.wire import Call, led

_LARGEST = 4 * 10**9  # bytes
_PATIENCE = 60.0  # seconds without a byte
_DEADLINE = 3600.0


async def fetch_video(vendor: str, address: str, into: Path) -> None:
    """Fetch a video from where a vendor says it is; it is at ``into`` then, whole, or not at all.

    Raises VendorError, and BrokenAnswerError for what is no video.
    """
    wire, path = led(vendor, address)
    try:
        await wire.send(Call("GET", path, patience=_PATIENCE, deadline=_DEADLINE, largest=_LARGEST), into)
    except VendorError as error:
        error.vendor = vendor
        raise
    finally:
        await asyncio.to_thread(wire.close)
    try:
        await asyncio.to_thread(check_video, into, vendor)
    except BrokenAnswerError:
        files.remove(into)
        raise


def check_video(path: Path, vendor: str) -> None:
    """Raise BrokenAnswerError for a file that is no video that can be played, from its first picture to its last."""
    try:
        with av.open(path) as container:
            stream = container.streams.video[0]
            next(container.decode(stream))
            if container.duration:
                container.seek(max(0, container.duration - av.time_base))
                next(container.decode(stream))
    except (av.FFmpegError, IndexError, StopIteration) as error:
        raise BrokenAnswerError(
            f"What {vendor} sent is no video that can be played. It was not kept; try again, and it is fetched anew.",
            vendor=vendor,
        ) from error
