"""Silence detection, ours and pydub's, on the same samples: the beginning of the ten-minute production.

pydub's ``detect_silence`` runs at its default step of 1 ms and its default least length of a second. It needs a
threshold: -50 dBFS here, far below the speech and above the silence; what it is makes no difference to its speed. How
much of the production both get is what pydub can do in half a minute.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydub import AudioSegment
from pydub.silence import detect_silence as pydub_detect_silence

from benchmarks.bench import Bench
from benchmarks.result import Row
from benchmarks.timing import repeated, seconds
from luma_studio.audio.levels import detect_silence

_RATE = 44100
_TRIAL = 5.0  # seconds of sound
_BUDGET = 30.0  # seconds for pydub
_RATIO = 100
_THRESHOLD = -50
_LEAST = 1.0  # seconds


def silence(bench: Bench) -> list[Row]:
    """Measure both, and compare what they find."""
    whole = bench.speech
    trial = _segment(whole[: round(_TRIAL * _RATE)])
    pace = seconds(lambda: pydub_detect_silence(trial, silence_thresh=_THRESHOLD)) / _TRIAL
    samples = whole[: min(len(whole), int(_BUDGET / pace) * _RATE)]
    segment = _segment(samples)
    theirs: list[list[int]] = []
    their_time = seconds(lambda: theirs.extend(pydub_detect_silence(segment, silence_thresh=_THRESHOLD)))
    our_time = repeated(lambda: detect_silence(samples, _RATE, least_seconds=_LEAST), 5)[0]
    ratio = their_time / our_time
    length = len(samples) / _RATE
    return [
        Row(
            "silence",
            f"silence detection, {length:.0f} s of a production",
            f"{ratio:.0f} × pydub's ({our_time * 1000:.0f} ms, {length / our_time:.0f} × real time)",
            f"≥ {_RATIO} ×",
            ratio >= _RATIO,
            f"pydub, seek_step=1: {their_time:.1f} s, {length / their_time:.0f} × real time; "
            + _compared(detect_silence(samples, _RATE, least_seconds=_LEAST) / _RATE, np.array(theirs) / 1000),
            {"ours": our_time, "pydub": their_time, "ratio": ratio, "length": length},
        )
    ]


def _segment(samples: NDArray[np.int16]) -> AudioSegment:
    return AudioSegment(samples.tobytes(), sample_width=2, frame_rate=_RATE, channels=1)


def _compared(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> str:
    """How many silences each found, how many overlap, and by how much the edges of those differ."""
    differences = [
        float(np.abs(each - other).max())
        for each in ours
        for other in theirs
        if min(each[1], other[1]) > max(each[0], other[0])
    ]
    return (
        f"it finds {len(theirs)} silences, we {len(ours)}, {len(differences)} the same, "
        f"edges {1000 * float(np.median(differences)):.0f} ms apart in the median"
    )
