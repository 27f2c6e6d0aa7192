"""MP3 put together from runs: speech encoded once, silence for nothing.

A *run* is speech between two silences. It is encoded from silence to silence by an encoder of its own, so its frames
depend on nothing outside it and can be kept in a cache; a master is runs laid between silent frames, behind an Info
frame that tells a decoder the exact length. After an edit only changed runs are encoded.

Where a sample lies
-------------------
MPEG-1 Layer III carries 1,152 samples a frame. LAME delays by 576 samples, every decoder by another 529, in all 1,105.
A run is encoded with 47 zeros before it, so that its sample ``s`` comes out as sample ``1152 + s`` of its own
decoded frames. Frame ``F`` of a master (counted from 0 after the Info frame) therefore carries the samples
``1152 (F - 1)`` up to ``1152 F``, once the decoder has skipped the first 1,152 of all, which the Info frame's LAME tag
makes it do. A run that starts at sample ``1152 F`` of the master has its frames laid from frame ``F`` on; the first of
them overlaps the silence before it.

Nothing is taken from the bit reservoir across a join: the first frame of a fresh encoder points back to nothing
(``main_data_begin`` 0, checked for each run), and silent frames are independent.

Sources: ISO/IEC 11172-3 (frame header, side information); the Xing/Info frame and LAME tag as written by LAME 3.100
(``libmp3lame/VbrTag.c``) and described in "Mp3 Info Tag revision 1", http://gabriel.mp3-tech.org/mp3infotag.html.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import lameenc
import numpy as np
from numpy.typing import NDArray

from luma_studio.errors import AudioError

FRAME = 1152
"""Samples in a frame."""

RATES = (44100, 48000, 32000)
"""Sample rates of MPEG-1 Layer III, in the order of the header's rate index."""

BIT_RATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
"""Bit rates in kbit/s, in the order of the header's bit rate index, which starts at 1."""

QUALITY = 7
"""LAME's -q. At a constant bit rate all give the same size; measured on one core with speech-like sound at 128 kbit/s:
q 7 to 9: 360 to 400 x real time, 30.0 dB from the original; q 5: 240 x, 29.4 dB; q 3: 220 x; q 2: 100 x, 27.8 dB."""

_LAME_SCALE = {192: 0.97, 224: 0.98, 256: 1.0, 320: 1.0}
"""What LAME multiplies every signal by at a constant bit rate; 0.95 below 192 kbit/s (``presets.c``, measured for all).
lameenc cannot turn it off, so a run is divided by it beforehand: else a master would be 0.45 dB too soft."""

DECODER_DELAY = 529
ENCODER_DELAY = 576
_ZEROS_BEFORE = FRAME - ENCODER_DELAY - DECODER_DELAY

_PADDING_BIT = 0x02  # in the header's third byte
_SIDE_INFO = 17  # bytes of side information in a mono frame
_INFO_BYTES = 4 + _SIDE_INFO + 120 + 36  # header, side information, Xing fields, LAME tag
_BYTES_A_KBPS = FRAME // 8 * 1000  # a frame has this many bytes for each kbit/s, divided by the sample rate
_PIECE = 1 << 18  # bytes of silence handed out at once, about


@dataclass(frozen=True, slots=True)
class Format:
    """What all frames of a file have in common: MPEG-1 Layer III, mono, constant bit rate, no CRC.

    ``rate``: 32000, 44100 or 48000 Hz. ``kbps``: a bit rate of Layer III in kbit/s. AudioError for any other.
    """

    rate: int
    kbps: int

    def __post_init__(self) -> None:
        if self.rate not in RATES:
            raise AudioError(f"MP3 has no {self.rate} Hz here; take one of {', '.join(map(str, sorted(RATES)))}.")
        if self.kbps not in BIT_RATES:
            raise AudioError(f"MP3 has no {self.kbps} kbit/s; take one of {', '.join(map(str, BIT_RATES))}.")

    @property
    def header(self) -> bytes:
        """The four bytes that begin a frame without padding ("original", no emphasis)."""
        return bytes((0xFF, 0xFB, BIT_RATES.index(self.kbps) + 1 << 4 | RATES.index(self.rate) << 2, 0xC4))

    def size(self, frames: int) -> int:
        """Bytes of that many frames in a row, the first without padding, as LAME gives them.

        After the first, a frame is padded by a byte whenever the frames since then would fall behind the bit rate
        (``slot_lag`` in LAME's ``encoder.c``). Silent frames follow the same pattern.
        """
        return _size(self.rate, self.kbps, frames)

    def frames(self, size: int) -> int:
        """Return how many frames that many bytes are; AudioError if no run has that size."""
        weight = self.kbps * _BYTES_A_KBPS
        frames = (2 * size * self.rate + weight) // (2 * weight)
        if frames < 1 or self.size(frames) != size:
            raise AudioError(f"No run has {size} bytes at {self.rate} Hz and {self.kbps} kbit/s. Encode it again.")
        return frames


@lru_cache(maxsize=1 << 16)  # an hour asks for the same few thousand numbers again and again
def _size(rate: int, kbps: int, frames: int) -> int:
    short, lag = divmod(kbps * _BYTES_A_KBPS, rate)
    return frames * short - (1 - frames) * lag // rate if frames else 0


@dataclass(frozen=True, slots=True)
class Run:
    """An encoded run and its place in a master.

    ``first`` is the frame it starts at, so that its first sample is sample ``1152 * first`` of the master; ``size``
    is how many bytes ``load()`` gives: what :func:`encode_run` returned. ``load`` is called when its turn to be
    written comes, not before.
    """

    first: int
    size: int
    load: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Runs with what lies between them: ``gaps[i]`` silent frames before run ``i``, ``gaps[-1]`` after the last."""

    form: Format
    runs: Sequence[Run]
    ends: Sequence[int]
    gaps: Sequence[int]
    length: int

    @property
    def frames(self) -> int:
        return frames_of(self.length)

    @property
    def audio_bytes(self) -> int:
        return sum(map(self.form.size, self.gaps)) + sum(run.size for run in self.runs)


def frames_of(samples: int) -> int:
    """Frames of a run of that many samples: those that carry it, and one that overlaps the silence before it."""
    return -(-samples // FRAME) + 1


def run_bytes(samples: int, rate: int, kbps: int) -> int:
    """Size in bytes of what :func:`encode_run` gives for that many samples."""
    return _size(rate, kbps, frames_of(samples))


def encode_run(samples: NDArray[np.int16], rate: int, kbps: int) -> bytes:
    """Encode one run: exactly ``frames_of(len(samples))`` frames of constant bit rate, mono.

    ``samples``: shape (n,), int16, beginning and ending in silence (12 ms of it at the end keep what the coder's
    filters let ring inside the run); peaks above -0.45 dBFS are clipped to it below 192 kbit/s, since LAME has no more
    room. ``rate`` and ``kbps``: see :class:`Format`.
    The same samples give the same bytes. Safe in several threads at once; LAME runs without the GIL.
    Raises AudioError for another rate, bit rate, type or shape, and if the encoder's frames could not be joined.
    """
    form = Format(rate, kbps)
    if samples.dtype != np.int16 or samples.ndim != 1:
        raise AudioError(f"MP3 is encoded from one row of int16 samples, not from {samples.dtype} {samples.shape}.")
    frames = frames_of(len(samples))
    encoded = _lame(samples, (frames - 1) * FRAME, form)[: form.size(frames)]
    if not _are_frames(encoded, frames, form) or not _starts_run(encoded, form.header):
        raise AudioError("The MP3 encoder gave frames that cannot be joined; this version of lameenc does not fit.")
    return encoded


def is_run(encoded: bytes, samples: int, rate: int, kbps: int) -> bool:
    """Whether this can be a run of that many samples: its size, its first frame and its last are as they must be."""
    form = Format(rate, kbps)
    frames = frames_of(samples)
    if len(encoded) != form.size(frames) or not _starts_run(encoded, form.header):
        return False
    last = encoded[form.size(frames - 1) :][:4]
    return bytes((last[0], last[1], last[2] & ~_PADDING_BIT, last[3])) == form.header


def silent_frames(count: int, rate: int, kbps: int) -> Iterator[bytes]:
    """Yield ``count`` independent frames of digital silence, in pieces of at most 256 KB."""
    block, block_frames = _silent_block(Format(rate, kbps))
    whole, rest = divmod(count, block_frames)
    for _ in range(whole):
        yield block
    if rest:
        yield block[: Format(rate, kbps).size(rest)]


def info_frame(form: Format, *, frames: int, audio_bytes: int, length: int, toc: Sequence[int]) -> bytes:
    """Build the Info frame with its LAME tag, which goes before all others and makes the length exact.

    ``frames`` and ``audio_bytes``: what follows this frame. ``length``: samples that a decoder shall give out.
    ``toc``: 100 values from 0 to 255, where in the file each hundredth of the time lies, in 256ths of its bytes.
    Layout: Xing fields (120 bytes after the side information), then the LAME tag (36 bytes, CRC-16 at its end).
    The CRC over the music is left at 0: it would have to read the whole file, and no decoder looks at it.
    Raises AudioError if ``length`` needs other than ``frames`` frames or a frame of this bit rate is too small.
    """
    size = form.size(1)
    delay = FRAME - DECODER_DELAY
    padding = frames * FRAME - delay - length
    if size < _INFO_BYTES:
        raise AudioError(f"MP3 at {form.kbps} kbit/s has no room for an Info frame. Take 64 kbit/s or more.")
    if frames != frames_of(length):
        raise AudioError(f"{length} samples of MP3 need {frames_of(length)} frames, not {frames}.")
    total = size + audio_bytes
    xing = struct.pack(">4sIII100sI", b"Info", 0x0F, frames, total, bytes(toc), 100 - 10 * 4 - QUALITY)
    lame = struct.pack(
        ">9sBB4xHHBB3sBBHIH",
        b"LAME3.100",
        0x01,  # tag revision 0, constant bit rate
        0,  # lowpass not told; after it, peak not told
        0,  # replay gain of the track not told
        0,  # replay gain of the album not told
        0,  # encoding flags, ATH type
        min(form.kbps, 255),
        (delay << 12 | padding).to_bytes(3, "big"),
        {32000: 0, 44100: 1, 48000: 2}[form.rate] << 6,  # source rate; mono, no noise shaping
        0,  # MP3 gain
        0,  # preset, surround
        total,
        0,  # CRC of the music
    )
    before_crc = form.header + bytes(_SIDE_INFO) + xing + lame
    return (before_crc + _crc16(before_crc).to_bytes(2, "big")).ljust(size, b"\0")


def write_stream(runs: Sequence[Run], length: int, rate: int, kbps: int) -> Iterator[bytes]:
    """Yield a whole MP3 of ``length`` samples (without ID3), runs in their places and silence between, in pieces.

    Runs are in order; each begins at or after the end of the one before and ends within ``length``. Memory stays at
    one run and a piece of silence. What can be known beforehand is checked before an iterator is returned:
    AudioError for overlapping runs, a run that leaves the master, or a size that no run of this rate and bit rate
    has; later only for a run whose ``load`` gives something else than was promised.
    """
    layout = _laid_out(runs, length, Format(rate, kbps))
    info = info_frame(
        layout.form, frames=layout.frames, audio_bytes=layout.audio_bytes, length=length, toc=_toc(layout)
    )
    return _stream(info, layout)


def stream_bytes(runs: Sequence[Run], length: int, rate: int, kbps: int) -> int:
    """Size in bytes of what :func:`write_stream` yields for the same arguments; nothing is loaded."""
    layout = _laid_out(runs, length, Format(rate, kbps))
    return layout.form.size(1) + layout.audio_bytes


def _laid_out(runs: Sequence[Run], length: int, form: Format) -> _Layout:
    """Find the gaps; AudioError where a run cannot lie where it is put."""
    if length < 0:
        raise AudioError(f"A master cannot have {length} samples.")
    ends: list[int] = []
    gaps: list[int] = []
    end = 0
    for run in runs:
        if run.first < end:
            raise AudioError(f"The run for frame {run.first} begins before the one before it ends, at frame {end}.")
        gaps.append(run.first - end)
        end = run.first + form.frames(run.size)
        ends.append(end)
    gaps.append(frames_of(length) - end)
    if gaps[-1] < 0:
        raise AudioError(f"The last run ends at frame {end}, after the master's end at frame {frames_of(length)}.")
    return _Layout(form, runs, ends, gaps, length)


def _stream(info: bytes, layout: _Layout) -> Iterator[bytes]:
    form = layout.form
    yield info
    for gap, run in zip(layout.gaps, layout.runs, strict=False):
        yield from silent_frames(gap, form.rate, form.kbps)
        yield _loaded(run, form.header)
    yield from silent_frames(layout.gaps[-1], form.rate, form.kbps)


def _loaded(run: Run, header: bytes) -> bytes:
    encoded = run.load()
    if len(encoded) != run.size or not _starts_run(encoded, header):
        raise AudioError(f"The run for frame {run.first} is damaged or has another rate or bit rate. Encode it again.")
    return encoded


def _toc(layout: _Layout) -> list[int]:
    """Where each hundredth of the time lies, in 256ths of the bytes: within runs and within silences it is linear."""
    at_frame = [0]
    at_byte = [layout.form.size(1)]
    for gap, run, end in zip(layout.gaps, layout.runs, layout.ends, strict=False):
        start = at_byte[-1] + layout.form.size(gap)
        at_frame += [run.first, end]
        at_byte += [start, start + run.size]
    at_frame.append(layout.frames)
    at_byte.append(at_byte[-1] + layout.form.size(layout.gaps[-1]))
    wanted = np.interp(np.arange(100) * layout.frames / 100, at_frame, at_byte)
    return [min(255, int(256 * byte / at_byte[-1])) for byte in wanted]


def _lame(samples: NDArray[np.int16], length: int, form: Format) -> bytes:
    """Everything a fresh encoder gives for the samples, filled up with zeros to ``length``."""
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(1)
    encoder.set_in_sample_rate(form.rate)
    encoder.set_out_sample_rate(form.rate)
    encoder.set_bit_rate(form.kbps)
    encoder.set_quality(QUALITY)
    louder = np.rint(samples * np.float32(1 / _LAME_SCALE.get(form.kbps, 0.95)))
    filled = np.zeros(_ZEROS_BEFORE + length, dtype="<i2")
    filled[_ZEROS_BEFORE : _ZEROS_BEFORE + len(samples)] = np.clip(louder, -32768, 32767)
    return bytes(encoder.encode(filled.tobytes())) + bytes(encoder.flush())


def _are_frames(encoded: bytes, frames: int, form: Format) -> bool:
    """Whether these are that many whole frames with the header of the format, but for the padding bit."""
    if len(encoded) != form.size(frames):
        return False
    starts = np.array([form.size(index) for index in range(frames)])
    headers = np.frombuffer(encoded, dtype=np.uint8)[starts[:, None] + np.arange(4)]
    headers[:, 2] &= 0xFF ^ _PADDING_BIT
    return bool((headers == np.frombuffer(form.header, dtype=np.uint8)).all())


def _starts_run(encoded: bytes, header: bytes) -> bool:
    """Whether the first frame has this header, points back to no other frame and is no Info frame."""
    if len(encoded) < _INFO_BYTES // 2:
        return False
    head = bytes((encoded[0], encoded[1], encoded[2] & ~_PADDING_BIT, encoded[3]))
    main_data_begin = encoded[4] << 1 | encoded[5] >> 7  # nine bits after the header
    after_side_info = encoded[4 + _SIDE_INFO : 8 + _SIDE_INFO]
    return head == header and main_data_begin == 0 and after_side_info not in {b"Info", b"Xing"}


@lru_cache(maxsize=8)
def _silent_block(form: Format) -> tuple[bytes, int]:
    """Whole cycles of the padding pattern: silent frames, and how many.

    Side information of zeros says that a frame has no main data: no spectrum, hence digital silence.
    """
    cycle = form.rate // math.gcd(form.rate, form.kbps * _BYTES_A_KBPS)
    frames = cycle * (_PIECE // form.size(cycle))
    first, second, third, fourth = form.header
    block = bytearray()
    for index in range(frames):
        size = form.size(index + 1) - form.size(index)
        padded = _PADDING_BIT if size > form.size(1) else 0
        block += bytes((first, second, third | padded, fourth)).ljust(size, b"\0")
    return bytes(block), frames


@lru_cache(maxsize=1)
def _crc16_table() -> tuple[int, ...]:
    """CRC-16 with the polynomial x^16 + x^15 + x^2 + 1, bits reversed, as LAME uses it."""
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
        table.append(value)
    return tuple(table)


def _crc16(data: bytes) -> int:
    table = _crc16_table()
    value = 0
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    return value
