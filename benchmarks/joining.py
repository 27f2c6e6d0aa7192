"""Laying out and joining scenes: clips of real sound with silence between, into one array of samples.

Scenes are ten seconds of the ten-minute production each. Ours: ``arrange`` and ``pieces``, fades and gain at zero so
that the result is the same; theirs: ``+=`` of segments and ``AudioSegment.silent`` at the same rate. Both begin with
the clips in memory and end with all samples in memory; the two results are compared sample by sample. Beside it,
what ours takes with the fades and the gain of a real master, which pydub is not asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydub import AudioSegment

from benchmarks.bench import Bench
from benchmarks.result import Row
from benchmarks.timing import repeated
from luma_studio.script.model import Pause
from luma_studio.settings import Sound
from luma_studio.timeline.arrange import SceneSpan, arrange
from luma_studio.timeline.master import Rendering, pieces
from luma_studio.timeline.take import Take

_SCENES = 60
_SECONDS = 10
_RATIO = 20
_GAIN = -1.0  # dB, anything but 0
_LINEAR = 5.0  # times as long for four times as many scenes
_PLAIN = Sound(lead_in=0, tail=0, fade=0)
_RATE = _PLAIN.sample_rate
_UNHEARD = np.zeros(0)  # no energies: loudness is not measured here

Samples = NDArray[np.int16]


class _NoRuns:
    """A cache of encoded runs for those who encode nothing."""

    def has(self, key: str, size: int) -> bool:
        """Nothing is there."""
        return False

    def put(self, key: str, encoded: bytes) -> None:
        """Keep nothing."""

    def get(self, key: str) -> bytes:
        """Have nothing to give."""
        raise KeyError(key)


@dataclass(frozen=True, slots=True)
class _Scenes:
    """Scenes as both want them, made before the clock runs: samples in memory, and the silence after each."""

    clips: Sequence[Samples]
    pauses: Sequence[Pause]

    def ours(self, sound: Sound = _PLAIN, gain: float = 0.0) -> Callable[[], Samples]:
        """Return the work of laying them out and joining them into one array."""
        takes = [Take(str(i), _RATE, len(clip), 0, len(clip), (), _UNHEARD, 0.0) for i, clip in enumerate(self.clips)]
        spans = [SceneSpan(f"scene_{i + 1}", "", i, i + 1) for i in range(len(takes))]

        def load(take: Take, start: int, end: int) -> Samples:
            return self.clips[int(take.fingerprint)][start:end]

        def work() -> Samples:
            timeline = arrange(takes, self.pauses, spans, sound)
            joined = np.empty(timeline.length, np.int16)
            at = 0
            for piece in pieces(Rendering(timeline, sound, gain, load, _NoRuns())):
                joined[at : at + len(piece)] = piece
                at += len(piece)
            return joined

        return work

    def pydub(self) -> Callable[[], AudioSegment]:
        """Return the work of adding them up."""
        segments = [AudioSegment(c.tobytes(), sample_width=2, frame_rate=_RATE, channels=1) for c in self.clips]

        def work() -> AudioSegment:
            joined = AudioSegment.silent(0, frame_rate=_RATE)
            for segment, pause in zip(segments, self.pauses, strict=True):
                joined += segment
                joined += AudioSegment.silent(round(pause.seconds * 1000), frame_rate=_RATE)
            return joined

        return work


def join(bench: Bench) -> list[Row]:
    """Measure both at sixty scenes, and how each grows."""
    size = _SECONDS * _RATE
    clips = [bench.speech[index * size : (index + 1) * size] for index in range(_SCENES)]
    pauses = [Pause(1 + 0.25 * (index % 9)) for index in range(_SCENES)]
    scenes = [_Scenes(clips * times, pauses * times) for times in (1, 2, 4)]
    if not np.array_equal(scenes[0].ours()(), np.array(scenes[0].pydub()().get_array_of_samples())):
        raise RuntimeError("pydub and ours joined the scenes to different samples: nothing to compare.")
    ours = [repeated(each.ours(), 7)[0] for each in scenes]
    theirs = [repeated(each.pydub(), times)[0] for each, times in zip(scenes, (3, 1), strict=False)]
    real = repeated(scenes[0].ours(Sound(), _GAIN), 7)[0]
    ratio, growth = theirs[0] / ours[0], ours[2] / ours[0]
    return [
        Row(
            "join",
            f"laying out and joining {_SCENES} scenes of {_SECONDS} s",
            f"{ratio:.0f} × pydub's ({ours[0] * 1000:.0f} ms)",
            f"≥ {_RATIO} ×",
            ratio >= _RATIO,
            f"pydub's +=: {theirs[0] * 1000:.0f} ms, the same samples; ours with fades and gain: {real * 1000:.0f} ms",
            {"ours": ours[0], "ours_with_gain": real, "pydub": theirs[0], "ratio": ratio},
        ),
        Row(
            "join",
            "the same with twice and four times as many scenes",
            f"{ours[1] / ours[0]:.1f} × and {growth:.1f} × as long",
            f"linear: ≤ {_LINEAR:.0f} × for four times as many",
            growth <= _LINEAR,
            f"pydub with twice as many: {theirs[1] / theirs[0]:.1f} ×",
            {"ours": ours, "pydub": theirs},
        ),
    ]
