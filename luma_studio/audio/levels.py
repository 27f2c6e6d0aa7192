"""Levels: how loud each 5 ms is, and from that where speech begins, ends and pauses.

Everything here works on *windows* of 5 ms. Window ``k`` covers the samples from ``window_start(k, rate)`` up to
``window_start(k + 1, rate)``; at 44,100 Hz that is 220 and 221 samples in turn, so that they keep time.

How speech is told from silence (`sounding`): windows above an absolute floor form *islands*; each island is measured by
itself, so that voices of different loudness can share a master; within an island a window sounds when it lies less
than 40 dB below the island's own speech and clear of its own noise floor. All of it is vectorised over islands and
linear in the number of windows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from luma_studio.audio.clip import Clip, Samples

STEP = 0.005
"""Seconds a window."""

WINDOWS_PER_SECOND = 200

SILENT = -120.0
"""The level of digital zero, dB re full scale; below what one 16 bit step can give in a window."""

Levels = NDArray[np.float32]
Spans = NDArray[np.int64]

_FULL_SCALE = 32768.0
_BLOCK = 1 << 16

_NO = np.int8(0)  # a plain 0 would make eight bytes of each flag
_STRETCH = 120_000  # windows (10 minutes) …
_STRETCH_PAUSE = 200  # … parted in silences of a second: longer than all that is looked at together
_FAINT = -70.0  # dBFS; below this nothing counts as sound (the absolute gate of EBU R128)
_LEAST_ABOVE_THRESHOLD = 8.0  # dB; noise does not raise an island's own threshold above that
_BELOW_SPEECH = 40.0  # dB; design.md: 35 to 45 dB below a take's speech finds its edges to a few ms
_GATE = 20.0  # dB below the first mean: what counts towards a speech level
_ISLAND_GAP = 50  # windows (250 ms) of silence that part two islands
_BLIP = 2  # windows (10 ms): a sound no longer than this …
_ALONE = 30  # … and with this much silence around it (150 ms) is a click, not speech
_PLATEAU = 19  # windows (95 ms, fits in a take's tail) that a noise floor is looked for in …
_FLAT = 6.0  # … over which its level, smoothed over 20 ms, varies by no more dB …
_SLOPE = 3.0  # … and goes up or down by no more dB from the first 40 ms to the last
_END = 6  # windows (30 ms) from either end of an island that such a plateau lies at most
_EDGES = 4  # windows of an island that may lie below its noise, since it was faded in and out …
_FEW = 0.05  # … and the part of its windows that may besides
_NOISE_MOST = -50.0  # dBFS; a steady sound above this is meant to be heard
_ABOVE_NOISE = 8.0  # dB that speech must stand out of noise by; 5 ms of noise swing by some 5 dB
_MODULATION = 8.0  # dB that the loudest of an island must stand out of its noise by, or it is noise and no more


def window_start(window: int | NDArray[np.int64], rate: int) -> int | NDArray[np.int64]:
    """The first sample of a window (or of each of an array of windows)."""
    return window * rate // WINDOWS_PER_SECOND


class SquareSums:
    """Sums of squares over consecutive windows of 1/``per_second`` s, from pieces of any size.

    16 bit samples are summed exactly (their squares are whole numbers far below 2⁵³), so that it makes no difference
    how a sound was cut. Raises ValueError for a rate with less than one sample a window.
    """

    def __init__(self, rate: int, per_second: int) -> None:
        if rate < per_second:
            raise ValueError(f"A rate of {rate} has less than one sample in 1/{per_second} s. Give samples a second.")
        self.rate = rate
        self.per_second = per_second
        self.length = 0
        self._window = 0  # the window that the last sample lies in; the next one may still belong to it
        self._open = 0.0  # its sum so far
        self._closed: list[NDArray[np.float64]] = []
        self._drained = 0  # windows whose sums were handed out and forgotten

    def feed(self, piece: NDArray[np.int16] | NDArray[np.float32]) -> None:
        """Take the next samples."""
        for start in range(0, len(piece), _BLOCK):  # in blocks: float64 copies stay in the cache
            self._feed_block(piece[start : start + _BLOCK])

    def _feed_block(self, block: NDArray[np.int16] | NDArray[np.float32]) -> None:
        begin, end = self.length, self.length + len(block)
        first, last = self._holding(begin), self._holding(end - 1)
        if first > self._window:
            self._closed.append(np.array([self._open]))
            self._open = 0.0
        squares = block.astype(np.float64)
        squares *= squares
        sums = np.add.reduceat(squares, np.maximum(self._starts(first, last) - begin, 0))
        sums[0] += self._open
        self._closed.append(sums[:-1])
        self._open = float(sums[-1])
        self._window = last
        self.length = end

    def drain(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Sums and counts of the windows that are full, which it forgets: what is kept then does not grow."""
        first = self._drained
        closed = np.concatenate([np.zeros(0), *self._closed])
        self._closed = []
        self._drained += len(closed)
        return closed, np.diff(self._starts(first, self._drained))

    def sums(self) -> NDArray[np.float64]:
        """The sum of each window that was not drained; the last may not be full."""
        if self.length == 0:
            return np.zeros(0)
        return np.concatenate([*self._closed, [self._open]])

    def fork(self) -> SquareSums:
        """A second one in the same state, to be fed differently from here on."""
        other = SquareSums(self.rate, self.per_second)
        other.length, other._window, other._open = self.length, self._window, self._open
        other._closed, other._drained = list(self._closed), self._drained
        return other

    def counts(self) -> NDArray[np.int64]:
        """How many samples each of these windows holds."""
        if self.length == 0:
            return np.zeros(0, np.int64)
        return np.diff(self._starts(self._drained, self._window), append=self.length)

    def _holding(self, sample: int) -> int:
        return ((sample + 1) * self.per_second - 1) // self.rate

    def _starts(self, first: int, last: int) -> NDArray[np.int64]:
        return np.arange(first, last + 1, dtype=np.int64) * self.rate // self.per_second


class LevelMeter:
    """Levels of a sound that comes in pieces; the same numbers as `levels`, however it is cut."""

    def __init__(self, rate: int) -> None:
        self._sums = SquareSums(rate, WINDOWS_PER_SECOND)
        self._levels: list[Levels] = []

    def feed(self, piece: Samples) -> None:
        """Take the next samples (1-D int16)."""
        self._sums.feed(piece)
        self._levels.append(_in_decibels(*self._sums.drain()))

    def levels(self) -> Levels:
        """The level of each window so far, dB re full scale, float32; a last part of a window by its own length."""
        last = _in_decibels(self._sums.sums(), self._sums.counts())
        joined = np.concatenate([*self._levels, last])
        self._levels = [joined[: len(joined) - len(last)]]  # the pieces are let go
        return joined


def _in_decibels(sums: NDArray[np.float64], counts: NDArray[np.int64]) -> Levels:
    power = sums / (counts * _FULL_SCALE**2)
    return (10 * np.log10(np.maximum(power, 10 ** (SILENT / 10)))).astype(np.float32)


def levels(samples: Samples, rate: int) -> Levels:
    """RMS level of each 5 ms window in dB re full scale (a constant ±32768 is 0 dB), `SILENT` for digital zero.

    ``samples`` is 1-D int16; the result is float32, one per window, the last one of what is left.
    """
    meter = LevelMeter(rate)
    meter.feed(samples)
    return meter.levels()


def speech_level(levels: Levels) -> float:
    """How loud the speech in these levels is, dB re full scale; `SILENT` when nothing is above -70 dB.

    The energy mean of the windows within 20 dB of a first energy mean, gated as EBU R128 gates, after a median that
    takes single clicks away: pauses, breaths and clicks hardly move it.
    """
    if len(levels) == 0:
        return SILENT
    return float(_speech_levels(_without_clicks(levels), np.zeros(1, np.int64))[0])


def speech_bounds(samples: Samples, rate: int) -> tuple[int, int] | None:
    """First sample of the first sound and the sample after the last, or None when nothing is heard.

    Clicks of up to 10 ms that stand alone and a steady noise floor up to -50 dBFS are not sound; a breath is.
    """
    spans = _spans(sounding(levels(samples, rate)))
    if len(spans) == 0:
        return None
    first, last = int(spans[0, 0]), int(spans[-1, 1])
    return int(window_start(first, rate)), min(int(window_start(last, rate)), len(samples))


def silences(levels: Levels, *, least_seconds: float) -> Spans:
    """Runs of silence of at least ``least_seconds``, as (n, 2) window numbers: the first, and the one after the last.

    What is silent follows the loudness of the speech around it (see the module's text).
    """
    silent = _spans(~sounding(levels))
    least = max(1, round(least_seconds * WINDOWS_PER_SECOND))
    return silent[silent[:, 1] - silent[:, 0] >= least]


def detect_silence(sound: Clip | Samples, rate: int | None = None, *, least_seconds: float = 1.0) -> Spans:
    """Runs of silence of at least ``least_seconds`` in a clip (or in samples at ``rate``), as (n, 2) sample numbers.

    Does what ``pydub.silence.detect_silence`` does, without a threshold to guess. Raises ValueError for samples
    without a rate.
    """
    if isinstance(sound, Clip):
        samples, rate = sound.samples, sound.rate
    else:
        samples = sound
    if rate is None:
        raise ValueError("Samples alone do not tell their rate. Give rate=, or a Clip.")
    spans = silences(levels(samples, rate), least_seconds=least_seconds)
    return np.minimum(spans * rate // WINDOWS_PER_SECOND, len(samples))


def sounding(levels: Levels) -> NDArray[np.bool_]:
    """Which windows hold sound that is meant to be heard. Linear in their number, in flat memory where sound pauses."""
    return np.concatenate([_sounding(stretch) for stretch in np.split(levels, _between_stretches(levels))])


def _between_stretches(levels: Levels) -> list[int]:
    """Where a long sound is cut to be looked at in stretches: in digital silence, about ten minutes apart."""
    cuts: list[int] = []
    pauses = _spans(levels <= SILENT)
    pauses = pauses[pauses[:, 1] - pauses[:, 0] >= _STRETCH_PAUSE]
    for middle in (pauses.sum(axis=1) // 2).tolist():
        if middle - (cuts[-1] if cuts else 0) >= _STRETCH:
            cuts.append(middle)
    return cuts


def _sounding(levels: Levels) -> NDArray[np.bool_]:
    coarse = _coarse_threshold(levels)
    islands = _joined(_spans(_without_blips(levels > coarse)), _ISLAND_GAP)
    result = np.zeros(len(levels), np.bool_)
    if len(islands) == 0:
        return result
    inside, lengths = _windows_of(islands), islands[:, 1] - islands[:, 0]
    thresholds = np.maximum(_thresholds(levels, islands), coarse)
    result[inside] = levels[inside] > np.repeat(thresholds, lengths)
    return _without_blips(result)


def _coarse_threshold(levels: Levels) -> float:
    """What parts a whole file into islands: the absolute floor, or a level above a noise that runs through the file."""
    noise = float(_noise_floors(levels, np.array([[0, len(levels)]]))[0]) if len(levels) else -np.inf
    if np.count_nonzero(levels > noise) < 0.9 * len(levels):
        return _FAINT  # mostly below its quietest plateau: no noise runs through
    return max(_FAINT, noise + _ABOVE_NOISE)


def _thresholds(levels: Levels, islands: Spans) -> NDArray[np.float64]:
    """Above which level a window of each island sounds, dB; infinite for an island that is noise and no more."""
    offsets = _offsets(islands)
    smooth = _without_clicks(levels)[_windows_of(islands)]
    speech = _speech_levels(smooth, offsets)
    noise = _noise_floors(levels, islands)
    steady = np.maximum.reduceat(smooth, offsets) - noise < _MODULATION
    above_noise = np.minimum(noise + _ABOVE_NOISE, speech - _LEAST_ABOVE_THRESHOLD)
    return np.where(steady, np.inf, np.maximum(speech - _BELOW_SPEECH, above_noise))


def _noise_floors(levels: Levels, islands: Spans) -> NDArray[np.float64]:
    """The noise floor of each island, dB; minus infinity where it has none.

    That is its quietest plateau at either end, if it is quiet, the island begins and ends in it, and next to nothing
    but faded edges and digital silence lies below it. A soft syllable can be as steady, but seldom all this.
    """
    inside, offsets, lengths = _windows_of(islands), _offsets(islands), islands[:, 1] - islands[:, 0]
    since, until = inside - np.repeat(islands[:, 0], lengths), np.repeat(islands[:, 1], lengths) - inside
    outer = (until >= _PLATEAU) & ((since <= _END) | (until <= _PLATEAU + _END))
    quietest = np.minimum.reduceat(np.where(outer, _plateaus(levels)[inside], np.inf), offsets)
    own = levels[inside]
    below = (own > _FAINT) & (own < np.repeat(quietest, lengths) - _FLAT)
    few = np.add.reduceat(below.astype(np.int64), offsets) <= _EDGES + _FEW * lengths
    ends = np.maximum(np.median(levels[_near(islands, 2)], axis=0), np.median(levels[_near(islands, -5)], axis=0))
    return np.where(few & (quietest <= _NOISE_MOST) & (ends <= quietest + _ABOVE_NOISE + 1), quietest, -np.inf)


def _near(islands: Spans, first: int) -> NDArray[np.int64]:
    """Three windows of each island, from ``first`` on (negative: counted from its end), as (3, n)."""
    start = islands[:, 0] + first if first >= 0 else islands[:, 1] + first
    held: NDArray[np.int64] = np.clip(start + np.arange(3)[:, None], islands[:, 0], islands[:, 1] - 1)
    return held


def _plateaus(levels: Levels) -> NDArray[np.float64]:
    """The mean level of the 95 ms from each window on where it holds steady, infinity where it does not.

    Noise holds steady; a voice dying away falls by more, a sound starting rises by more. Digital silence is no noise.
    """
    steady = np.full(len(levels), np.inf)
    count = len(levels) - _PLATEAU + 1
    if count < 1:
        return steady
    energy = _energy(levels)
    parts = _moving_sum(energy, 4) / 4
    most = _moving_max(parts, 16)[:count]
    least = -_moving_max(-parts, 16)[:count]
    halves = _moving_sum(energy, 8)
    early, late = halves[:count], halves[_PLATEAU - 8 :][:count]
    flat = (most <= least * 10 ** (_FLAT / 10)) & (
        np.maximum(early, late) <= np.minimum(early, late) * 10 ** (_SLOPE / 10)
    )
    mean = 10 * np.log10(_moving_sum(energy, _PLATEAU) / _PLATEAU)
    np.copyto(steady[:count], mean, where=flat & (mean > _FAINT))
    return steady


def _moving_sum(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Sums of ``width`` neighbours, ``width`` - 1 fewer than values. A cumsum would drown -100 dB in rounding."""
    total = values[: len(values) - width + 1].copy()
    for shift in range(1, width):
        total += values[shift : shift + len(total)]
    return total


def _moving_max(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Largest of ``width`` (a power of two) neighbours, by doubling."""
    reach = 1
    while reach < width:
        values = np.maximum(values[:-reach], values[reach:])
        reach *= 2
    return values


def _without_clicks(levels: Levels) -> Levels:
    """Each window's level, held to the larger of the lowest in the 15 ms that end and that begin with its neighbours.

    An opening (lowest of three, then highest of three): what lasts under 15 ms is gone, the rest is as it was.
    """
    padded = np.concatenate((levels[:1], levels[:1], levels, levels[-1:], levels[-1:]))
    lowest = np.minimum(np.minimum(padded[:-2], padded[1:-1]), padded[2:])
    return np.maximum(np.maximum(lowest[:-2], lowest[1:-1]), lowest[2:])


def _speech_levels(smooth: Levels, offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """`speech_level` of each of the groups of windows that begin at ``offsets``."""
    lengths = np.diff(offsets, append=len(smooth))
    energy = _energy(smooth)
    first = _gated_mean(energy, smooth > _FAINT, offsets)
    gate = np.repeat(np.maximum(first * 10 ** (-_GATE / 10), 10 ** (_FAINT / 10)), lengths)
    second = _gated_mean(energy, energy > gate, offsets)
    return 10 * np.log10(np.maximum(second, 10 ** (SILENT / 10)))


def _gated_mean(
    energy: NDArray[np.float64], gate: NDArray[np.bool_], offsets: NDArray[np.int64]
) -> NDArray[np.float64]:
    total = np.add.reduceat(np.where(gate, energy, 0.0), offsets)
    return total / np.maximum(np.add.reduceat(gate.astype(np.int64), offsets), 1)


def _energy(levels: Levels) -> NDArray[np.float64]:
    return np.power(10.0, levels.astype(np.float64) / 10)


def _without_blips(sound: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without sounds of up to 10 ms that have 150 ms of silence, or an end of the file, on both sides."""
    spans = _spans(sound)
    if len(spans) == 0:
        return sound
    gaps = spans[1:, 0] - spans[:-1, 1]
    before, after = np.append(_ALONE, gaps), np.append(gaps, _ALONE)
    blip = (spans[:, 1] - spans[:, 0] <= _BLIP) & (before >= _ALONE) & (after >= _ALONE)
    result = sound.copy()
    result[_windows_of(spans[blip])] = False
    return result


def _spans(flags: NDArray[np.bool_]) -> Spans:
    """Runs of True as (n, 2): first, and one after the last."""
    edges = np.flatnonzero(np.diff(flags.view(np.int8), prepend=_NO, append=_NO))
    return edges.reshape(-1, 2).astype(np.int64)


def _joined(spans: Spans, gap: int) -> Spans:
    """Spans with those less than ``gap`` apart made one."""
    if len(spans) == 0:
        return spans
    parted = spans[1:, 0] - spans[:-1, 1] >= gap
    starts = np.concatenate((spans[:1, 0], spans[1:, 0][parted]))
    ends = np.concatenate((spans[:-1, 1][parted], spans[-1:, 1]))
    return np.stack((starts, ends), axis=1)


def _windows_of(spans: Spans) -> NDArray[np.int64]:
    """The windows of all spans, in order."""
    lengths = spans[:, 1] - spans[:, 0]
    return np.arange(lengths.sum()) + np.repeat(spans[:, 0] - _offsets(spans), lengths)


def _offsets(spans: Spans) -> NDArray[np.int64]:
    """Where each span begins among the windows of all spans."""
    lengths = spans[:, 1] - spans[:, 0]
    offsets: NDArray[np.int64] = np.cumsum(lengths) - lengths
    return offsets
