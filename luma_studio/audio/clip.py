"""A clip: one stretch of mono 16 bit sound, and the arithmetic that every other room does on its samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydub import AudioSegment

Samples = NDArray[np.int16]

# Any sample but zero saturates long before this gain; a larger one would only overflow to infinity.
_MOST_GAIN_DB = 200.0
# 2¹⁶ samples of float32 stay in a core's cache.
_BLOCK = 1 << 16


@dataclass(frozen=True, eq=False)
class Clip:
    """Mono sound: ``samples``, a 1-D int16 array made read-only, at ``rate`` samples a second.

    The array is taken over, not copied: who hands one in must not write to it afterwards.
    Clips are equal when rate and every sample are. Raises ValueError for another shape, type or a rate below 1.
    """

    samples: Samples
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.int16:
            raise ValueError(
                f"A clip needs a 1-D int16 array, not {self.samples.ndim}-D {self.samples.dtype}. Convert it first."
            )
        if self.rate < 1:
            raise ValueError(f"A clip needs a rate of at least 1 sample a second, not {self.rate}.")
        sealed = self.samples.view()
        sealed.flags.writeable = False
        object.__setattr__(self, "samples", sealed)

    def __len__(self) -> int:
        return len(self.samples)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Clip):
            return NotImplemented
        return self.rate == other.rate and np.array_equal(self.samples, other.samples)

    def __hash__(self) -> int:
        return hash((self.rate, self.samples.tobytes()))

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate

    def to_pydub(self) -> AudioSegment:
        """The same samples as a pydub ``AudioSegment`` (mono, 16 bit)."""
        from pydub import AudioSegment  # noqa: PLC0415  # a bridge for who knows it; nobody else pays for its import

        data = self.samples.astype("<i2", copy=False).tobytes()
        return AudioSegment(data=data, sample_width=2, frame_rate=self.rate, channels=1)

    @classmethod
    def from_pydub(cls, segment: AudioSegment, rate: int | None = None) -> Clip:
        """A clip from a pydub ``AudioSegment`` of any width and number of channels, which are averaged.

        Mono 16 bit comes over exactly. With a ``rate`` the sound is converted by soxr, since pydub's own
        resampler has no filter and folds what lies above the new rate's half into what is heard.
        """
        sound = _pydub_samples(segment)
        if rate is None or rate == segment.frame_rate:
            return cls(to_int16(sound), segment.frame_rate)
        import soxr  # noqa: PLC0415  # only this bridge needs it here

        converted: NDArray[np.float64] = soxr.resample(sound, segment.frame_rate, rate, quality="HQ")
        return cls(to_int16(converted), rate)


def _pydub_samples(segment: Any) -> NDArray[np.float64]:
    """A segment's channels, averaged, in units of a 16 bit step. pydub holds 8 bit signed and 24 bit as 32 bit."""
    width = segment.sample_width
    frames = np.frombuffer(segment.raw_data, dtype=f"<i{width}").reshape(-1, segment.channels)
    scale: float = 2.0 ** (16 - 8 * width)
    mono: NDArray[np.float64] = frames.mean(axis=1, dtype=np.float64)
    return mono * scale


def to_int16(sound: NDArray[np.floating[Any]]) -> Samples:
    """Rounded to the nearest step and held at full scale."""
    samples: Samples = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    return samples


def faded(samples: Samples, fade_in: int, fade_out: int) -> Samples:
    """A copy with raised-cosine fades over the first ``fade_in`` and the last ``fade_out`` samples.

    A fade longer than the clip takes the whole clip; where both meet, both act, so that either end is always silent.
    """
    result = samples.copy()
    rise, fall = min(fade_in, len(samples)), min(fade_out, len(samples))
    if rise > 0:
        result[:rise] = np.rint(result[:rise] * _ramp(rise))
    if fall > 0:
        result[-fall:] = np.rint(result[-fall:] * _ramp(fall)[::-1])
    return result


def _ramp(length: int) -> NDArray[np.float64]:
    """Gains from near 0 to near 1, taken at the middle of each step so that the ramp and its mirror sum to 1."""
    return 0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)


def scaled(samples: Samples, gain_db: float) -> Samples:
    """A copy with ``gain_db`` applied, rounded to the nearest step and saturated at full scale.

    A gain of 0 dB returns the same values, minus infinity returns zeros, and zeros stay zeros under every gain.
    Raises ValueError when the gain is not a number.
    """
    if math.isnan(gain_db):
        raise ValueError("The gain is not a number. Give it in dB.")
    if gain_db == 0:
        return samples.copy()
    factor = np.float32(10 ** (min(gain_db, _MOST_GAIN_DB) / 20))
    result = np.empty_like(samples)
    for start in range(0, len(samples), _BLOCK):  # in blocks: a whole master never exists as floats
        piece = samples[start : start + _BLOCK]
        result[start : start + _BLOCK] = to_int16(piece * factor)
    return result
