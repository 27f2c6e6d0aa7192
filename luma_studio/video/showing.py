"""A scene's video, of whatever size and frames a second, as a film shows it: at any second, in the film's look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from luma_studio.errors import VideoError
from luma_studio.store import files
from luma_studio.video.base import Look
from luma_studio.video.planes import Planes, colour_of, planes_of

_READABLE = "mov,matroska,webm"  # a closed list: playlists of other files must never be followed
_MOST_SIDE = 8192
_UNTOLD = 2  # FFmpeg's number of a colour space that a file does not tell; who leaves it out means BT.709 today


class Reel:
    """A video that is shown from its beginning to its end; what is before and after it are its first and last picture.

    Raises VideoError for what is no video, or is damaged. To be closed.
    """

    def __init__(self, path: Path, look: Look, scene: str) -> None:
        self._look, self._scene = look, scene
        with files.explained(path):
            self._file: BinaryIO = path.open("rb")
        try:
            with self._readable():
                self._container = _opened(self._file)
                self._frames = self._decoded()
                self._next: av.VideoFrame | None = next(self._frames, None)
        except BaseException:
            self._file.close()
            raise
        if self._next is None:
            self.close()
            raise VideoError(f"The video of {scene} has no picture in it. Film the scene again.")
        self._shown: Planes | None = None

    def at(self, second: Fraction) -> Planes:
        """What is seen at a second of it; seconds may not go back. Not to be written to."""
        found = None
        with self._readable():
            while self._next is not None and (_time(self._next) <= second or (self._shown is None and found is None)):
                found, self._next = self._next, next(self._frames, None)
            if found is not None:
                self._shown = fitted(found, self._look)
        assert self._shown is not None  # noqa: S101 - the first call finds one
        return self._shown

    def close(self) -> None:
        """Let the file go."""
        self._container.close()
        self._file.close()

    def _decoded(self) -> Iterator[av.VideoFrame]:
        stream = self._container.streams.video[0]
        stream.thread_type = "AUTO"
        begin: Fraction | None = None
        for frame in self._container.decode(stream):
            if max(frame.width, frame.height) > _MOST_SIDE:
                raise VideoError(f"The video of {self._scene} is {frame.width} × {frame.height}: too large to join.")
            if frame.pts is None or frame.time_base is None:
                continue
            if begin is None:
                begin = frame.pts * frame.time_base
            if begin:  # a video begins with its first picture
                frame.pts -= round(begin / frame.time_base)
            yield frame

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, IndexError) as error:
            raise VideoError(f"The video of {self._scene} is damaged, or is none. Film the scene again.") from error


class _Unclosed:
    """A file as PyAV may have it: it closes whatever has a ``close``."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


def _opened(file: BinaryIO) -> InputContainer:
    options = {"format_whitelist": _READABLE, "protocol_whitelist": ""}
    return av.open(_Unclosed(file), mode="r", metadata_errors="replace", options=options)


def _time(frame: av.VideoFrame) -> Fraction:
    return (frame.pts or 0) * Fraction(frame.time_base or 0)


def fitted(frame: av.VideoFrame, look: Look) -> Planes:
    """A frame in a look's size: filling it and cut, or all of it on the background; BT.709 in limited range."""
    ratio = frame.width / frame.height
    factor = (max if look.fit == "cover" else min)(look.width / ratio, look.height)
    wide, high = _near(factor * ratio, look.width), _near(factor, look.height)
    scaled = frame.reformat(
        wide,
        high,
        "yuv420p",
        src_colorspace=Colorspace.ITU709 if frame.colorspace == _UNTOLD else None,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC,
    )
    return _placed(planes_of(scaled), look)


def _near(size: float, whole: int) -> int:
    """An even size; the frame's own where it is less than a pixel or two off, so that no edge is left."""
    return whole if abs(size - whole) < 2 else 2 * max(1, round(size / 2))


def _placed(planes: Planes, look: Look) -> Planes:
    """The middle of a picture in the middle of the frame."""
    parts = []
    for plane, colour, part in zip(planes, colour_of(look.background), (1, 2, 2), strict=True):
        high, wide = look.height // part, look.width // part
        top, left = (plane.shape[0] - high) // 2, (plane.shape[1] - wide) // 2
        cut = plane[max(0, top) : max(0, top) + high, max(0, left) : max(0, left) + wide]
        if cut.shape == (high, wide):
            parts.append(cut)
            continue
        whole = np.full((high, wide), colour, np.uint8)
        whole[max(0, -top) :, max(0, -left) :][: cut.shape[0], : cut.shape[1]] = cut
        parts.append(whole)
    y, u, v = parts
    return y, u, v
