"""Small pictures, sounds and videos for films, and what is seen and heard in a film that was made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from luma_studio.audio.codec import encode
from luma_studio.timeline.captions import Cue
from luma_studio.video import fonts
from luma_studio.video.base import Look, Photo, SceneSound, Shot, Still
from luma_studio.video.stills import look_at

TINY = Look(64, 64, 25, captions="none")


def picture(path: Path, size: tuple[int, int] = (96, 80), colour: str = "#406080", **options: Any) -> Still:
    """A picture with a bright square in its middle."""
    drawn = Image.new("RGB", size, colour)
    drawn.paste("white", (size[0] * 2 // 5, size[1] * 2 // 5, size[0] * 3 // 5, size[1] * 3 // 5))
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.save(path, **options)
    return look_at(path)


def sound(path: Path, length: int, rate: int = 8000, *, heard: bool = True) -> SceneSound:
    """A tone that swells and dies away, or silence, as WAV."""
    seconds = np.arange(length) / rate
    tone = np.sin(2 * np.pi * 200 * seconds) * (0.5 - 0.5 * np.cos(2 * np.pi * seconds))
    samples = (tone * 12000 * heard).astype(np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        encode([samples], file, "wav", rate)
    return SceneSound(path, hashlib.sha256(samples.tobytes()).hexdigest(), length, rate)


def shot(folder: Path, length: int = 8000, look: Look = TINY, cues: Sequence[Cue] = (), **changes: Any) -> Shot:
    """A scene of a length in samples of 8 kHz."""
    photo = Photo("Mira", picture(folder / "mira.png"))
    kept = {"language": "hi", "sound": sound(folder / "scene.wav", length), **changes}
    return Shot("scene_1", "One", photo, cues=tuple(cues), text="", look=look, **kept)


def video(
    path: Path, seconds: float, *, fps: Fraction | int = 25, size: tuple[int, int] = (64, 64), base: int = 40
) -> Path:
    """A vendor's video: every picture of it is brighter than the one before, from ``base`` on."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"qp": "4"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(round(seconds * fps)):
            planes = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
            planes[: size[1]] = min(235, base + number)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    return path


@dataclass(frozen=True, slots=True)
class Film:
    """What a player makes of a film: brightness of pictures (n, h, w), when each begins in seconds, tracks, texts."""

    pictures: np.ndarray[Any, Any]
    starts: tuple[Fraction, ...]
    lengths: dict[str, Fraction]
    captions: tuple[tuple[Fraction, Fraction, str], ...]
    languages: dict[str, str]
    chapters: tuple[tuple[Fraction, Fraction, str], ...]


def seen(path: Path) -> Film:
    with av.open(path) as container:
        lengths = {stream.type: stream.duration * stream.time_base for stream in container.streams}
        languages = {stream.type: stream.metadata.get("language", "") for stream in container.streams}
        chapters = tuple(
            (one["start"] * one["time_base"], one["end"] * one["time_base"], one["metadata"]["title"])
            for one in container.chapters()
        )
        frames = list(container.decode(video=0))
        size = frames[0].height
        pictures = np.stack([frame.to_ndarray()[:size] for frame in frames])
        starts = tuple(frame.pts * frame.time_base for frame in frames)
    return Film(pictures, starts, lengths, _captions(path), languages, chapters)


def heard(path: Path) -> int:
    """How many samples a player hears."""
    with av.open(path) as container:
        return sum(frame.samples for frame in container.decode(audio=0))


@contextmanager
def no_fonts() -> Iterator[None]:
    """A machine on which no font is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fonts, "folders", list)
        _forget_fonts()
        try:
            yield
        finally:
            _forget_fonts()


def _forget_fonts() -> None:
    for each in (fonts._all_fonts, fonts._found, fonts._for_all):
        each.cache_clear()


def _captions(path: Path) -> tuple[tuple[Fraction, Fraction, str], ...]:
    with av.open(path) as container:
        if not container.streams.subtitles:
            return ()
        stream = container.streams.subtitles[0]
        packets = [packet for packet in container.demux(stream) if packet.size > 2]
        return tuple(
            (one.pts * one.time_base, (one.pts + one.duration) * one.time_base, bytes(one)[2:].decode())
            for one in packets
        )
