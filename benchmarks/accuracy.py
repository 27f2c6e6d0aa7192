"""Where speech lies in the files, sample by sample, against the timeline that they were made from.

The ten-minute production is exported as MP3, WAV and FLAC. WAV and FLAC must hold exactly the timeline's samples. In the
decoded MP3 each clause is looked for by cross-correlation with its own samples, 60 ms to either side of its place:
where it fits best is where it lies.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench import Bench
from benchmarks.result import Row
from luma_studio.audio.codec import read
from luma_studio.audio.mp3 import FRAME
from luma_studio.export import MASTER
from luma_studio.timeline.arrange import Timeline
from luma_studio.timeline.master import pieces

_REACH = 0.06  # seconds
_START = 13.1  # ms
_PAUSE = 26.0  # ms

Samples = NDArray[np.int16]


def accuracy(bench: Bench) -> list[Row]:
    """Measure starts, pauses and drift in the MP3, and compare WAV and FLAC."""
    made = bench.ten
    production = made.opened()
    exported = production.export(MASTER, "master.wav", "master.flac", audit=False)
    rendering, _ = made.rendering(production, exported.loudness.gain)
    timeline, asked = rendering.timeline, np.concatenate(list(pieces(rendering)))
    decoded, _ = read(made.folder / MASTER)
    return [
        *_mp3_rows(timeline, asked, decoded),
        _exact_row("WAV", asked, _wav(made.folder / "master.wav")),
        _exact_row("FLAC", asked, read(made.folder / "master.flac")[0]),
    ]


def _mp3_rows(timeline: Timeline, asked: Samples, decoded: Samples) -> list[Row]:
    starts = np.array(
        [
            _found(asked, decoded, int(start), int(end), round(_REACH * timeline.rate))
            for start, end in zip(timeline.speech_start, timeline.speech_end, strict=True)
        ]
    )
    off = starts * 1000 / timeline.rate  # ms
    pauses = np.diff(off)
    seconds = timeline.speech_start / timeline.rate
    line, deviation = np.polyfit(seconds - seconds.mean(), off, 1, cov=True)
    drift, unsure = (float(each) * float(seconds[-1] - seconds[0]) for each in (line[0], np.sqrt(deviation[0, 0])))
    start, pause = float(np.abs(off).max()), float(np.abs(pauses).max())
    return [
        Row(
            "accuracy",
            f"MP3: start of speech, {len(off)} clauses",
            f"most {start:.2f} ms off, median {np.median(np.abs(off)):.2f} ms",
            f"≤ {_START} ms",
            start <= _START,
            f"half a frame of MP3 is {FRAME * 500 / timeline.rate:.2f} ms",
            {"starts_ms": [float(each) for each in off]},
        ),
        Row(
            "accuracy",
            "MP3: pauses",
            f"most {pause:.2f} ms off, median {np.median(np.abs(pauses)):.2f} ms",
            f"≤ {_PAUSE:.0f} ms",
            pause <= _PAUSE,
            figures={"most_ms": pause},
        ),
        Row(
            "accuracy",
            "MP3: drift from the first clause to the last",
            f"{drift:+.1f} ± {2 * unsure:.1f} ms by a line through all starts; last less first {off[-1] - off[0]:+.1f} ms",
            "none: 0 within ±",
            abs(drift) <= 2 * unsure,
            f"decoded length {len(decoded) - timeline.length:+d} samples",
            {"drift_ms": drift, "two_deviations_ms": 2 * unsure, "length": float(len(decoded) - timeline.length)},
        ),
    ]


def _found(asked: Samples, decoded: Samples, start: int, end: int, reach: int) -> int:
    """By how many samples a clause lies late in ``decoded``: where the correlation with what was asked is largest."""
    clause = asked[start:end].astype(np.float64)
    around = np.zeros(len(clause) + 2 * reach)
    first, last = max(0, start - reach), min(len(decoded), end + reach)
    around[first - start + reach : last - start + reach] = decoded[first:last]
    size = 1 << (len(around) - 1).bit_length()
    spectrum = np.fft.rfft(around, size) * np.conj(np.fft.rfft(clause, size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: 2 * reach + 1])) - reach


def _exact_row(kind: str, asked: Samples, found: Samples) -> Row:
    same = np.array_equal(asked, found)
    differing = int(np.count_nonzero(asked != found)) if len(asked) == len(found) else max(len(asked), len(found))
    return Row(
        "accuracy",
        f"{kind} against the timeline's samples",
        f"{len(found):,} samples, {differing} differ",
        "exact to the sample",
        same,
        figures={"differing": float(differing), "length": float(len(found) - len(asked))},
    )


def _wav(path: Path) -> Samples:
    """Read with the standard library, which knows nothing of ours."""
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
