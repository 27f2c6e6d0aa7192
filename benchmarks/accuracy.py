"""Where speech lies in the files, sample by sample, against the timeline that they were made from.

In the decoded MP3 each clause is looked for by cross-correlation with the samples of its take, 60 ms to either side of
its place: where it fits best is where it lies. Ten minutes, and a hundred to see whether errors add up. WAV and FLAC of
the ten-minute production, with the same gain, must hold exactly the timeline's samples.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench import Bench, Made
from benchmarks.result import Row
from luma_studio.audio.codec import read
from luma_studio.export import MASTER
from luma_studio.timeline.master import pieces

_REACH = 0.06  # seconds
_START = 13.1  # ms
_PAUSE = 26.0  # ms
_SURE = 3  # standard errors that a drift of nothing may be off by

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found in a decoded MP3: where each clause should start in seconds, and how late it does in ms.

    ``longer`` is by how many samples the file is longer than the timeline.
    """

    minutes: int
    starts: NDArray[np.float64]
    late: NDArray[np.float64]
    longer: int


def accuracy(bench: Bench) -> list[Row]:
    """Measure starts, pauses and drift in the MP3, and compare WAV and FLAC."""
    made = bench.ten
    production = made.opened()
    exported = production.export(MASTER, "master.wav", "master.flac", audit=False)
    rendering, _ = made.rendering(production, exported.loudness.gain)
    asked = np.concatenate(list(pieces(rendering)))
    rows = [_exact_row("WAV", asked, _wav(made.folder / "master.wav"))]
    rows += [_exact_row("FLAC", asked, read(made.folder / "master.flac")[0])]
    del asked
    bench.hundred.opened().export(audit=False)  # as its pauses are now
    found = [_in_mp3(each) for each in (made, bench.hundred)]
    return [*(_edges_row(each) for each in found), *(_drift_row(each) for each in found), *rows]


def _in_mp3(made: Made) -> _Found:
    rendering, _ = made.rendering(made.opened())
    timeline = rendering.timeline
    decoded, rate = read(made.folder / MASTER)
    reach = round(_REACH * rate)
    late = [
        _lag(rendering.load(take, take.speech_start, take.speech_end), decoded, int(start), reach)
        for take, start in zip(timeline.takes, timeline.speech_start, strict=True)
    ]
    return _Found(
        timeline.length // (rate * 60),
        timeline.speech_start / rate,
        np.array(late) * 1000 / rate,
        len(decoded) - timeline.length,
    )


def _lag(clause: Samples, decoded: Samples, start: int, reach: int) -> int:
    """By how many samples a clause lies late in ``decoded``: where its correlation with it is largest."""
    around = np.zeros(len(clause) + 2 * reach)
    first, last = max(0, start - reach), min(len(decoded), start + len(clause) + reach)
    around[first - start + reach : last - start + reach] = decoded[first:last]
    size = 1 << (len(around) - 1).bit_length()
    spectrum = np.fft.rfft(around, size) * np.conj(np.fft.rfft(clause.astype(np.float64), size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: 2 * reach + 1])) - reach


def _edges_row(found: _Found) -> Row:
    starts, pauses = np.abs(found.late), np.abs(np.diff(found.late))
    return Row(
        "accuracy",
        f"decoded MP3 of {found.minutes} minutes against the timeline, {len(starts)} clauses",
        f"starts at most {starts.max():.2f} ms off, pauses at most {pauses.max():.2f} ms",
        f"starts ≤ {_START} ms, pauses ≤ {_PAUSE:.0f} ms",
        bool(starts.max() <= _START and pauses.max() <= _PAUSE),
        f"medians {np.median(starts):.1f} ms and {np.median(pauses):.1f} ms; length {found.longer:+d} samples",
        {"starts_ms": [float(each) for each in found.late], "longer": float(found.longer)},
    )


def _drift_row(found: _Found) -> Row:
    """A line through the errors of all starts, and how sure it is: what its two ends differ by."""
    span = float(found.starts[-1] - found.starts[0])
    line, covariance = np.polyfit(found.starts - found.starts.mean(), found.late, 1, cov=True)
    drift, unsure = float(line[0]) * span, float(np.sqrt(covariance[0, 0])) * span * _SURE
    return Row(
        "accuracy",
        f"drift from the first clause to the last in {found.minutes} minutes of MP3",
        f"{drift:+.1f} ms, sure to ± {unsure:.1f} ms",
        "none that can be told from 0",
        abs(drift) <= unsure and found.longer == 0,
        f"the last clause is {found.late[-1] - found.late[0]:+.1f} ms against the first",
        {"drift_ms": drift, "unsure_ms": unsure},
    )


def _exact_row(kind: str, asked: Samples, found: Samples) -> Row:
    differing = int(np.count_nonzero(asked != found)) if len(asked) == len(found) else max(len(asked), len(found))
    return Row(
        "accuracy",
        f"decoded {kind} of 10 minutes against the timeline's samples",
        f"{differing} of {len(found):,} samples differ",
        "exact to the sample",
        differing == 0,
        figures={"differing": float(differing), "longer": float(len(found) - len(asked))},
    )


def _wav(path: Path) -> Samples:
    """Read with the standard library, which knows nothing of ours."""
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
