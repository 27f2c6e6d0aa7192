"""Thumbnails: a picture, or one out of a video, small enough for a page."""

from __future__ import annotations

import io
from pathlib import Path

import av
from PIL import Image

from luma_studio.errors import VideoError
from luma_studio.video.base import Still
from luma_studio.video.stills import pixels_of

_SIDE = 480  # pixels of the longer one
_QUALITY = 85


def thumbnail(path: Path) -> bytes:
    """A picture from a third of the way into a video, as JPEG. Raises VideoError for what is no video."""
    try:
        with av.open(path) as container:
            stream = container.streams.video[0]
            if container.duration:
                container.seek(container.duration // 3)
            picture = Image.fromarray(next(container.decode(stream)).to_ndarray(format="rgb24"))
    except (av.FFmpegError, IndexError, StopIteration) as error:
        raise VideoError(f"{path.name} is no video that can be shown. Remove it, and film the scene again.") from error
    return _small(picture)


def small(still: Still) -> bytes:
    """What a still shows, as JPEG. Raises SettingError, StoreError."""
    return _small(pixels_of(still))


def _small(picture: Image.Image) -> bytes:
    picture.thumbnail((_SIDE, _SIDE))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()
