"""Recordings of every kind, made of ``vendors.spoken``, whose words have times that are known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from helpers.vendors import spoken
from luma_studio.transcripts import TimedWord

KINDS = {
    "mp4": ("aac", "libx264", 44100),
    "mov": ("aac", "libx264", 48000),
    "mkv": ("flac", "libx264", 44100),
    "webm": ("libopus", "libvpx", 48000),
    "avi": ("libmp3lame", "mpeg4", 44100),
    "ts": ("aac", "libx264", 44100),
    "mp3": ("libmp3lame", "", 44100),
    "m4a": ("aac", "", 44100),
    "ogg": ("libopus", "", 48000),
    "flac": ("flac", "", 22050),
    "wav": ("pcm_s16le", "", 16000),
}
"""By ending: how sound and picture are coded ("" for no picture), and the samples in a second."""

Line = tuple[float, str]
"""From which second on a text is spoken."""


def talk(lines: Iterable[Line], seconds: float, rate: int) -> NDArray[np.int16]:
    """Sound of ``seconds``, silent but for the lines."""
    sound = np.zeros(round(seconds * rate), np.int16)
    for at, text in lines:
        samples = spoken(text, rate).samples
        begin = round(at * rate)
        sound[begin : begin + len(samples)] = samples[: len(sound) - begin]
    return sound


def words(lines: Iterable[Line]) -> list[TimedWord]:
    """The words of lines and when each is spoken."""
    found = []
    for at, text in lines:
        said = spoken(text, 48000)
        for word in re.finditer(r"\S+", text):
            begin, end = said.starts[word.start()], said.ends[word.end() - 1]
            found.append(TimedWord(word[0], at + begin / 48000, at + end / 48000))
    return found


def record(path: Path, lines: Sequence[Line], seconds: float, *, kind: str = "", late: float = 0.0) -> Path:
    """A recording of lines; with a picture the sound begins ``late`` seconds after it."""
    sound_codec, picture_codec, rate = KINDS[kind or path.suffix[1:]]
    write(path, talk(lines, seconds, rate), rate, sound_codec, picture_codec, kind=kind, late=late)
    return path


def write(
    path: Path,
    samples: NDArray[np.int16],
    rate: int,
    sound_codec: str,
    picture_codec: str,
    *,
    kind: str = "",
    late: float = 0.0,
    gap: tuple[float, float] = (0.0, 0.0),
) -> None:
    """A file with a sound track, a picture or both; from ``gap[0]`` on the sound's times are ``gap[1]`` s later."""
    form = {"ts": "mpegts", "mkv": "matroska"}.get(kind or path.suffix[1:], kind or path.suffix[1:])
    with av.open(f"file:{path}", "w", format="ipod" if form == "m4a" else form) as file:
        picture = _picture(file, picture_codec) if picture_codec else None
        sound: Any = file.add_stream(sound_codec, rate=rate, layout="mono") if sound_codec else None
        if picture is not None:
            for index in range(1 + int(len(samples) / rate + late)):
                frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), index % 255, np.uint8), "rgb24")
                frame.pts = index
                file.mux(picture.encode(frame.reformat(format="yuv420p")))
            file.mux(picture.encode(None))
        if sound is not None:
            _mux(file, sound, samples, rate, late, gap)


def _picture(file: Any, codec: str) -> Any:
    stream = file.add_stream(codec, rate=1)
    stream.width = stream.height = 32
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = Fraction(1, 1)
    return stream


def _mux(file: Any, stream: Any, samples: NDArray[np.int16], rate: int, late: float, gap: tuple[float, float]) -> None:
    resampler = av.AudioResampler(
        format=stream.codec_context.format.name, layout="mono", rate=rate, frame_size=stream.codec_context.frame_size
    )
    for start in range(0, len(samples), 1 << 16):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + (1 << 16)], format="s16", layout="mono")
        frame.sample_rate = rate
        frame.pts = start
        for ready in resampler.resample(frame):
            file.mux(_later(stream.encode(ready), late, gap))
    for ready in resampler.resample(None):
        file.mux(_later(stream.encode(ready), late, gap))
    file.mux(_later(stream.encode(None), late, gap))


def _later(packets: Any, late: float, gap: tuple[float, float]) -> list[Any]:
    packets = list(packets)
    for packet in packets:
        after = gap[1] if packet.pts * packet.time_base >= gap[0] else 0.0
        shift = round((late + after) / packet.time_base)
        packet.pts += shift
        if packet.dts is not None:
            packet.dts += shift
    return packets
