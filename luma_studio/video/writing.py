"""Frames and sound into a film: MP4 with H.264, AAC, captions and chapters; exactly as long as its sound.

Times are in ticks that both a sample and a frame are a whole number of, so that nothing drifts. The same frames and
sound give the same bytes.

Sources: ISO/IEC 14496-12 (MP4), 3GPP TS 26.245 (timed text: two bytes of length, then UTF-8).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer

from luma_studio.audio.clip import Samples
from luma_studio.audio.codec import AAC_RATES, Chapter, Guard, clean, decode, iso_639_2, marks, sane
from luma_studio.errors import SettingError, VideoError
from luma_studio.store import files
from luma_studio.timeline.captions import Cue
from luma_studio.video.base import Look, SceneSound

_BT709 = 1  # FFmpeg's number of it, for primaries, transfer and matrix
_LIMITED = 1  # and of its range
_KBPS = 128
_SOUND = {"aac_coder": "fast"}
# Stills that move slowly: as good and as small as x264's "veryfast" has them, in little more than half of its time.
# Pictures are in their order (bf=0), for players that seek badly.
_EASY = "subme=1:me=dia:rc-lookahead=10:partitions=none:8x8dct=0:weightp=0"
_PICTURES = {"preset": "veryfast", "crf": "22", "bf": "0", "x264-params": _EASY}
_THREADS = 2  # a set number: the bytes depend on it
_KEY_SECONDS = 4  # seconds between two pictures that one can seek to
_CUE_MOST = 0xFFFF  # bytes of text in a packet
_HEADER = b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\nStyle: Default,Sans,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"  # noqa: E501

Packet = Any


@dataclass(frozen=True, slots=True)
class Form:
    """What a film has beside its pictures: ``length`` in samples of ``rate``, its sound (None: silent), and texts.

    ``cues`` make a track of captions, in ``language``; none make no track.
    """

    width: int
    height: int
    fps: int
    length: int
    rate: int
    sound: SceneSound | None = None
    cues: Sequence[Cue] = ()
    language: str = ""
    chapters: Sequence[Chapter] = ()
    title: str = ""

    @property
    def frames(self) -> int:
        """How many pictures it has: the last one is seen for as long as is left."""
        return -(-self.length * self.fps // self.rate)

    @property
    def ticks(self) -> int:
        """In a second: both a sample and a frame are a whole number of ticks."""
        return math.lcm(self.rate, self.fps)


def check_look(look: Look) -> None:
    """Raise SettingError for a look that no film can have."""
    for name, size in (("width", look.width), ("height", look.height)):
        if not 32 <= size <= 4096 or size % 2:
            raise SettingError(f"A film cannot have a {name} of {size} pixels. Take an even number from 32 to 4096.")
    if not 1 <= look.fps <= 60:
        raise SettingError(f"A film cannot have {look.fps} frames a second. Take a number from 1 to 60.")
    if (
        len(look.background) != 7
        or look.background[0] != "#"
        or set(look.background[1:]) - set("0123456789abcdefABCDEF")
    ):
        raise SettingError(f"{look.background!r} is no colour. Write it as #rrggbb, such as #101418.")


def check_sound(sound: SceneSound) -> None:
    """Raise SettingError for a sound that no film can have."""
    if sound.length < 1:
        raise SettingError("There is no sound to film: it is not a sample long. Speak the scene first.")
    if sound.rate not in AAC_RATES:
        raise SettingError(f"A film's sound cannot have a rate of {sound.rate} Hz. Take 44100 or 48000.")


def write_film(into: Path, frames: Generator[av.VideoFrame], form: Form, done: Callable[[int], None]) -> None:
    """Write a film whole, or not at all. ``done`` hears of how many frames are written, and may end the work.

    ``frames`` gives ``form.frames`` frames in yuv420p, of the form's size; it is closed in the end. Raises VideoError,
    AudioError for a sound that cannot be read, StoreError, and what ``done`` raises.
    """
    with files.replacing(into) as file, closing(frames):
        guard = Guard(file)
        try:
            with _container(guard, file, form) as container:
                _fill(container, guard, frames, form, done)
        except av.FFmpegError as error:
            guard.check()
            raise VideoError(f"{into.name} could not be encoded: {error.strerror}. Try again.") from error
        guard.check()


def _container(guard: Guard, file: BinaryIO, form: Form) -> OutputContainer:
    """The index goes to the front at the end, so that a film plays while it loads: for that, the file is read again."""

    def reopened(_name: str, _flags: int, _options: dict[str, str]) -> BinaryIO:
        file.flush()
        return Path(file.name).open("rb")

    ticks = str(form.ticks)
    options = {
        "fflags": "+bitexact",
        "movflags": "+faststart",
        "movie_timescale": ticks,
        "video_track_timescale": ticks,
    }
    return av.open(guard, "w", format="mp4", options=options, io_open=reopened)


def _fill(
    container: OutputContainer,
    guard: Guard,
    frames: Iterable[av.VideoFrame],
    form: Form,
    done: Callable[[int], None],
) -> None:
    pictures = _Pictures(container, form)
    sound = _Sound(container, form, form.sound) if form.sound else None
    captions = _Captions(container, form) if form.cues else None
    container.metadata.update({"title": title} if (title := clean(form.title)) else {})
    container.set_chapters(marks(sane(form.chapters), Fraction(1, form.rate)))
    container.start_encoding()
    count = 0
    for count, frame in enumerate(frames, 1):
        until = Fraction(count, form.fps)
        if captions:
            captions.write(until)
        pictures.write(frame, count - 1)
        if sound:
            sound.write(until)
        guard.check()
        done(count)
    if count != form.frames:
        raise VideoError(f"A film of {form.frames} frames was given {count}.")
    pictures.end()
    if sound:
        sound.end()


class _Pictures:
    """The track of pictures."""

    def __init__(self, container: OutputContainer, form: Form) -> None:
        self._container, self._form = container, form
        options = {**_PICTURES, "threads": str(_THREADS), "g": str(_KEY_SECONDS * form.fps)}
        stream = container.add_stream("libx264", rate=form.fps, options=options)
        stream.width, stream.height, stream.pix_fmt = form.width, form.height, "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, form.fps)
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = _LIMITED
        context.flags |= Flags.bitexact
        self._stream = stream

    def write(self, frame: av.VideoFrame, number: int) -> None:
        frame.pts, frame.time_base = number, Fraction(1, self._form.fps)
        self._mux(self._stream.encode(frame))

    def end(self) -> None:
        self._mux(self._stream.encode(None))

    def _mux(self, packets: list[Packet]) -> None:
        """The last picture is seen until the sound ends, which is seldom a whole frame later."""
        form = self._form
        whole = form.ticks // form.fps
        for packet in packets:
            if packet.pts == form.frames - 1:
                packet.pts, packet.dts = packet.pts * whole, packet.dts * whole
                packet.duration = form.length * (form.ticks // form.rate) - packet.pts
                packet.time_base = Fraction(1, form.ticks)
            self._container.mux(packet)


class _Sound:
    """The track of sound."""

    def __init__(self, container: OutputContainer, form: Form, sound: SceneSound) -> None:
        self._container, self._form = container, form
        self._pieces = exactly(decode(sound.path, sound.rate), sound.length)
        self._stream = container.add_stream("aac", rate=sound.rate, layout="mono", options=_SOUND)
        self._stream.bit_rate = _KBPS * 1000
        self._stream.codec_context.flags |= Flags.bitexact
        if language := iso_639_2(form.language):
            self._stream.metadata["language"] = language
        self._count = 0

    def write(self, until: Fraction) -> None:
        """Write at least up to so many seconds."""
        while self._count < until * self._form.rate and (piece := next(self._pieces, None)) is not None:
            frame = av.AudioFrame.from_ndarray(piece[None], format="s16", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = self._form.rate, Fraction(1, self._form.rate), self._count
            self._container.mux(self._stream.encode(frame))
            self._count += len(piece)

    def end(self) -> None:
        self._container.mux(self._stream.encode(None))


class _Captions:
    """The track of captions: packets made by hand, which the encoder of PyAV would put where it likes."""

    def __init__(self, container: OutputContainer, form: Form) -> None:
        self._container, self._form = container, form
        self._stream: Any = container.add_stream("mov_text")
        self._stream.codec_context.subtitle_header = _HEADER
        self._stream.time_base = Fraction(1, form.ticks)
        if language := iso_639_2(form.language):
            self._stream.metadata["language"] = language
        self._cues = list(_in_order(form))[::-1]

    def write(self, until: Fraction) -> None:
        while self._cues and self._cues[-1][0] < until * self._form.ticks:
            start, end, text = self._cues.pop()
            packet = av.Packet(len(text).to_bytes(2, "big") + text)
            packet.stream, packet.time_base = self._stream, Fraction(1, self._form.ticks)
            packet.pts = packet.dts = start
            packet.duration = end - start
            self._container.mux(packet)


def _in_order(form: Form) -> Iterator[tuple[int, int, bytes]]:
    """Captions in ticks, none beyond the film's end, none over another, none empty."""
    end = form.length * (form.ticks // form.rate)
    free = 0
    for cue in sorted(form.cues, key=lambda cue: cue.start):
        first = max(round(cue.start * form.ticks), free)
        last = min(round(cue.end * form.ticks), end)
        text = "\n".join(filter(None, (" ".join(line.split()) for line in cue.lines)))
        if text and first < last:
            yield first, last, text.encode("utf-8", "replace")[:_CUE_MOST].decode(errors="ignore").encode()
            free = last


def exactly(pieces: Iterable[Samples], length: int) -> Iterator[Samples]:
    """The pieces of a sound, cut or filled with silence to ``length`` samples."""
    left = length
    for piece in pieces:
        if not left:
            return
        yield piece[:left]
        left -= min(left, len(piece))
    while left:
        yield np.zeros(min(left, 1 << 16), np.int16)
        left -= min(left, 1 << 16)
