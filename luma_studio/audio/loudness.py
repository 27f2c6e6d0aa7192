"""Loudness by EBU R128 (ITU-R BS.1770-4), measured once a take and added up from where the takes lie.

A take's *energies* are the K-weighted sums of squares of its 10 ms hops. The K-filter is linear and takes do not
overlap, so the hops of a master are the hops of its takes at their places: its loudness follows from the layout,
without touching a sample. Full scale is 32768; one channel, so BS.1770's channel weight is 1.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from luma_studio.audio.clip import Samples
from luma_studio.audio.levels import SquareSums

HOPS_PER_SECOND = 100

Energies = NDArray[np.float64]

_FULL_SCALE = 32768.0
_RINGING = 5  # hops after the end of a sound in which the K-filter still gives anything (-75 dB after 50 ms)
_HOPS_A_STEP = 10  # blocks begin every 100 ms …
_STEPS_A_BLOCK = 4  # … and last 400 ms
_OFFSET = -0.691  # LUFS of a mean square of 1 (BS.1770-4, equation 2)
_ABSOLUTE_GATE = 10 ** ((-70.0 - _OFFSET) / 10)
_RELATIVE_GATE = 10 ** (-10.0 / 10)

_OVERSAMPLING = 4  # BS.1770-4, annex 2, for rates about 48 kHz
_REACH = 16  # samples on either side that an inserted value is made of
_PEAK_BLOCK = 32
_ROWS = 32  # blocks multiplied at once: more would wake the threads of BLAS, which take more time than they save
_PIECE = 1 << 18  # samples worked on at a time
_PEAK_MARGIN = 10 ** (-6.0 / 20)


def energies(samples: Samples, rate: int) -> Energies:
    """K-weighted energy of each 10 ms hop of a take: float64 sums of squares, full scale 1.

    ``samples`` is 1-D int16. Hops run on for 50 ms after the end, where the filter still rings.
    """
    meter = LoudnessMeter(rate)
    meter.feed(samples)
    return meter.energies()


def loudness_of(placements: Iterable[tuple[int, Energies]], total_length: int, rate: int) -> float:
    """Integrated loudness, LUFS, of silence of ``total_length`` samples with takes laid into it.

    ``placements`` gives for each take its first sample in the whole and its `energies`. A start between two hops
    splits each energy between both. Blocks of 400 ms every 100 ms, gated at -70 LUFS and 10 LU below the mean of what
    is left. What is shorter than one block is measured as if silence followed. Minus infinity for silence.
    """
    hops = np.zeros(_hop_count(total_length, rate) + 1)  # one more, for what a split start moves past the end
    for start, energy in placements:
        _lay(hops, start * HOPS_PER_SECOND / rate, energy)
    return _gated(_block_powers(hops, total_length, rate))


def integrated(samples: Samples, rate: int) -> float:
    """Integrated loudness of a whole signal, LUFS; minus infinity for silence."""
    return loudness_of([(0, energies(samples, rate))], len(samples), rate)


class LoudnessMeter:
    """Energies and loudness of a sound that comes in pieces; the same but for rounding, however it is cut.

    The K-filter is applied by overlap-save: blocks of a fixed length, each with what came before it, are multiplied by
    the filter's own frequency response. That leaves out only what rings on for more than 40 ms (below -75 dB).
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._sums = SquareSums(rate, HOPS_PER_SECOND)
        self._waiting = np.zeros(_history(rate), np.float32)  # what the next block needs from before, and its own

    def feed(self, piece: Samples) -> None:
        """Take the next samples (1-D int16)."""
        for start in range(0, len(piece), _PIECE):  # so that a long piece never exists as floats
            sound = np.concatenate((self._waiting, piece[start : start + _PIECE]), dtype=np.float32)
            filtered, used = _weighted(sound, self._rate)
            self._sums.feed(filtered)
            self._waiting = sound[used:]

    def energies(self) -> Energies:
        """The energies so far, as `energies` gives them for the same samples."""
        hops = _hop_count(self.length, self._rate) + _RINGING
        missing = hops * self._rate // HOPS_PER_SECOND - self._sums.length
        sums = self._sums.fork()
        filtered, _ = _weighted(
            np.append(self._waiting, np.zeros(missing + _block(self._rate), np.float32)), self._rate
        )
        sums.feed(filtered[:missing])
        return sums.sums()

    @property
    def length(self) -> int:
        """How many samples came so far."""
        return self._sums.length + len(self._waiting) - _history(self._rate)

    def integrated(self) -> float:
        """Integrated loudness so far, LUFS; minus infinity for silence."""
        return loudness_of([(0, self.energies())], self.length, self._rate)


def _block(rate: int) -> int:
    """Samples a block that is filtered at once: a power of two, 8192 at 32 to 48 kHz."""
    return int(2 ** math.ceil(math.log2(rate * 0.17)))


def _history(rate: int) -> int:
    """Samples at the start of a block that are there for the filter's memory: at least 42 ms."""
    return _block(rate) // 4


def _weighted(sound: NDArray[np.float32], rate: int) -> tuple[NDArray[np.float32], int]:
    """As many whole blocks of ``sound`` as there are, K-weighted, and how many samples that used up.

    ``sound`` begins with the history of its first block; the result does not.
    """
    block, history = _block(rate), _history(rate)
    step = block - history
    count = max((len(sound) - history) // step, 0)
    if count == 0:
        return np.zeros(0, np.float32), 0
    blocks = np.lib.stride_tricks.sliding_window_view(sound, block)[::step][:count]
    filtered = np.fft.irfft(np.fft.rfft(blocks) * _response(rate), block)  # all of it in float32
    return np.ascontiguousarray(filtered[:, history:], dtype=np.float32).reshape(-1), count * step


@functools.lru_cache(maxsize=8)
def _response(rate: int) -> NDArray[np.complex64]:
    """The K-filter's frequency response at the bins of one block, with full scale brought to 1.

    Both biquads of BS.1770-4 by the bilinear transform from their analogue prototypes, so that any rate has the
    filter that the standard tabulates for 48 kHz. The constants are libebur128's (ebur128.c, ebur128_init_filter).
    """
    size = _block(rate)
    delay = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)  # z⁻¹

    k, q = math.tan(math.pi * 1681.974450955533 / rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    shelf_top = (high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k)
    shelf_bottom = (1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k)
    shelf = _biquad(shelf_top, shelf_bottom, delay)

    k, q = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    norm = 1 + k / q + k * k
    high_pass_bottom = (1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm)
    high_pass = _biquad((1.0, -2.0, 1.0), high_pass_bottom, delay)

    response: NDArray[np.complex64] = (shelf * high_pass / _FULL_SCALE).astype(np.complex64)
    return response


def _biquad(
    top: tuple[float, float, float], bottom: tuple[float, float, float], delay: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    return (top[0] + (top[1] + top[2] * delay) * delay) / (bottom[0] + (bottom[1] + bottom[2] * delay) * delay)


def _hop_count(length: int, rate: int) -> int:
    return -(-length * HOPS_PER_SECOND // rate)


def _lay(hops: Energies, position: float, energy: Energies) -> None:
    """Add a take's energies at a position in hops; what falls outside is left out."""
    first = math.floor(position)
    late = position - first
    if first < 0 or first + 1 + len(energy) > len(hops):
        begin, end = max(-first, 0), max(len(hops) - first - 1, 0)
        first, energy = max(first, 0), energy[begin:end]
    end = first + len(energy)
    moved = energy * late
    hops[first + 1 : end + 1] += moved
    np.subtract(energy, moved, out=moved)
    hops[first:end] += moved


def _block_powers(hops: Energies, length: int, rate: int) -> NDArray[np.float64]:
    """Mean square of each whole 400 ms block, every 100 ms."""
    whole = length * 10 // rate
    if whole < _STEPS_A_BLOCK:
        return np.array([hops.sum() / (0.4 * rate)])
    # not a product with ones, which would wake the threads of BLAS
    steps: NDArray[np.float64] = np.einsum("ij->i", hops[: whole * _HOPS_A_STEP].reshape(whole, _HOPS_A_STEP))
    blocks: NDArray[np.float64] = steps[:-3] + steps[1:-2] + steps[2:-1] + steps[3:]
    return blocks / (0.4 * rate)


def _gated(powers: NDArray[np.float64]) -> float:
    """BS.1770-4's two gates: loudness of the blocks above -70 LUFS and above 10 LU below those blocks' mean."""
    powers = powers[powers > _ABSOLUTE_GATE]
    if len(powers) == 0:
        return -math.inf
    powers = powers[powers > powers.mean() * _RELATIVE_GATE]
    return _OFFSET + 10 * math.log10(powers.mean())


def true_peak(samples: Samples) -> float:
    """True peak in dBTP by fourfold oversampling (BS.1770-4, annex 2); minus infinity for silence.

    Interpolates only in blocks that reach within 6 dB of the largest sample: nothing that stays lower can overtake it
    in between, short of energy piled up at the very end of the band, which speech has not.
    """
    if len(samples) == 0:
        return -math.inf
    sample_peak = max(int(samples.max()), -int(samples.min()))
    if sample_peak == 0:
        return -math.inf
    peak = float(sample_peak)
    for start in range(0, len(samples), _PIECE):
        peak = max(peak, _peak_between(samples, start, min(start + _PIECE, len(samples)), sample_peak * _PEAK_MARGIN))
    return 20 * math.log10(peak / _FULL_SCALE)


def _peak_between(samples: Samples, start: int, end: int, least: float) -> float:
    """Largest interpolated value about the blocks from ``start`` to ``end`` that reach ``least``."""
    count = -(-(end - start) // _PEAK_BLOCK)
    padded = np.zeros(count * _PEAK_BLOCK + 2 * _REACH, np.int16)
    begin = max(start - _REACH, 0)
    here = samples[begin : start + count * _PEAK_BLOCK + _REACH]
    offset = begin - (start - _REACH)
    padded[offset : offset + len(here)] = here
    own = padded[_REACH:-_REACH].reshape(count, _PEAK_BLOCK)
    loud = np.maximum(own.max(axis=1).astype(np.int32), -own.min(axis=1).astype(np.int32)) >= least
    windows = np.lib.stride_tricks.sliding_window_view(padded, _PEAK_BLOCK + 2 * _REACH)[::_PEAK_BLOCK][loud]
    if len(windows) == 0:
        return 0.0
    products = (
        windows[row : row + _ROWS].astype(np.float32) @ _interpolation() for row in range(0, len(windows), _ROWS)
    )
    return max(float(np.abs(product).max()) for product in products)


@functools.cache
def _interpolation() -> NDArray[np.float32]:
    """What makes the three values after each sample of a block, and after the one before it, from the samples around.

    A Kaiser-windowed sinc of 2 × 16 samples. Shape (block + 2 × reach, 3 × (block + 1)); each sums to 1.
    """
    places = np.arange(_PEAK_BLOCK + 2 * _REACH)[:, None] - (_REACH - 1)
    wanted = np.arange((_PEAK_BLOCK + 1) * _OVERSAMPLING)
    wanted = wanted[wanted % _OVERSAMPLING != 0] / _OVERSAMPLING
    distance = places - wanted[None, :]
    window = np.i0(6.0 * np.sqrt(np.clip(1 - (distance / _REACH) ** 2, 0, 1))) / np.i0(6.0)
    taps = np.where(np.abs(distance) < _REACH, np.sinc(distance) * window, 0)
    matrix: NDArray[np.float32] = (taps / taps.sum(axis=0)).astype(np.float32)
    return matrix
