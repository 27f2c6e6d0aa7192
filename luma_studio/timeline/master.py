"""The master: a timeline made into sound, as samples or as MP3 put together from runs.

Nothing here holds more than a clip or a run at a time; a hundred minutes need no more memory than one.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Protocol

import numpy as np

from luma_studio.audio.clip import Samples, faded, scaled
from luma_studio.audio.loudness import loudness_of
from luma_studio.audio.mp3 import FRAME, Run, encode_run, is_run, run_bytes, stream_bytes, write_stream
from luma_studio.errors import Stopped
from luma_studio.settings import Sound
from luma_studio.timeline.arrange import PlacedScene, Timeline
from luma_studio.timeline.energies import energies_of
from luma_studio.timeline.take import Take

_VERSION = 1  # of how runs are encoded; another one makes every cached run a stranger
_QUIET = FRAME  # samples of silence after a run, for the tail of the encoder's filters
_JOIN = _QUIET + 3 * FRAME  # samples between two clips that may lie in runs of their own, wherever frames fall
_PIECE = 1 << 18  # samples of silence handed out at once
_BEAT = 0.2  # seconds in which whoever listens is heard from, however long a run takes
_KEEP = 0.3  # LU that a kept gain may be off, so that an edit does not encode everything anew

Load = Callable[[Take, int, int], Samples]
"""Gives a take's samples from one index up to another."""


class Runs(Protocol):
    """Where encoded runs are kept."""

    def has(self, key: str, size: int) -> bool:
        """Whether the run is there, whole."""
        ...

    def put(self, key: str, encoded: bytes) -> None:
        """Keep a run."""
        ...

    def get(self, key: str) -> bytes:
        """The run."""
        ...


@dataclass(frozen=True, slots=True)
class Loudness:
    """Of a master: the gain that was applied in dB, and with it LUFS and dBTP."""

    gain: float
    integrated: float
    true_peak: float


@dataclass(frozen=True, slots=True)
class Rendering:
    """A timeline and all that makes sound of it: the settings, the one gain in dB, the takes' samples, encoded runs."""

    timeline: Timeline
    sound: Sound
    gain: float
    load: Load
    runs: Runs

    def part(self, scene: PlacedScene) -> Rendering:
        """One scene's rendering, beginning at 0."""
        return replace(self, timeline=self.timeline.part(scene))


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """Clips ``first`` up to ``last`` as one run: its place in samples, its length, and the key of its encoded form."""

    first: int
    last: int
    start: int
    length: int
    key: str


def loudness(timeline: Timeline, sound: Sound, kept_gain: float | None = None) -> Loudness:
    """The one gain of a production: to ``sound``'s loudness, but never over its true peak.

    A gain kept from before stays as long as the master is within 0.3 LU of where it should be.
    """
    unscaled = loudness_of(energies_of(timeline), timeline.length, timeline.rate)
    peak = max((take.true_peak for take in timeline.takes), default=-np.inf)
    if not np.isfinite(unscaled):
        return Loudness(0.0, unscaled, peak)
    wanted = float(min(sound.loudness - unscaled, sound.true_peak - peak))
    gain = round(wanted - 0.005, 2)  # rounded down, so that the peak holds
    if kept_gain is not None and abs(kept_gain - wanted) <= _KEEP and peak + kept_gain <= sound.true_peak:
        gain = kept_gain
    return Loudness(gain, unscaled + gain, peak + gain)


def pieces(rendering: Rendering) -> Iterator[Samples]:
    """The samples of a timeline, in pieces: clips with their fades and gain, and digital silence between."""
    timeline = rendering.timeline
    at = 0
    for index in range(len(timeline.takes)):
        yield from _silence(int(timeline.clip_start[index]) - at)
        yield _clip(rendering, index)
        at = int(timeline.clip_end[index])
    yield from _silence(timeline.length - at)


def plan_runs(rendering: Rendering) -> list[PlannedRun]:
    """The runs of a timeline. Where a run lies in time is not in its key, so a moved pause changes no key."""
    timeline = rendering.timeline
    if not len(timeline.takes):
        return []
    breaks = np.flatnonzero(timeline.clip_start[1:] - timeline.clip_end[:-1] >= _JOIN) + 1
    edges = [0, *breaks.tolist(), len(timeline.takes)]
    plans = [_planned(rendering, first, last) for first, last in pairwise(edges)]
    plans[-1] = _moved_to_fit(plans[-1], timeline.length)
    return plans


def encode_runs(rendering: Rendering, plans: Sequence[PlannedRun], heard: Callable[[int, int], None]) -> None:
    """Encode what is not there yet, on all cores.

    ``heard(done, total)`` is called as runs are finished, and a few times a second meanwhile. If it raises Stopped, a
    run that is being encoded is finished and kept behind our back: it may take seconds.
    """
    rate, kbps = rendering.sound.sample_rate, rendering.sound.mp3_kbps
    runs = rendering.runs
    missing = list({p.key: p for p in plans if not runs.has(p.key, run_bytes(p.length, rate, kbps))}.values())

    def encode(plan: PlannedRun) -> None:  # and forget: all runs at once would be as large as the master
        _encoded(rendering, plan)

    pool = ThreadPoolExecutor()
    stopped = False
    try:
        for done, encoding in enumerate([pool.submit(encode, plan) for plan in missing]):
            while wait([encoding], _BEAT).not_done:
                heard(done, len(missing))
            encoding.result()
            heard(done + 1, len(missing))
    except Stopped:
        stopped = True
        raise
    finally:
        pool.shutdown(wait=not stopped, cancel_futures=True)


def mp3_pieces(rendering: Rendering, plans: Sequence[PlannedRun]) -> Iterator[bytes]:
    """The MP3 stream of a timeline (without tags) from runs that have been encoded."""
    sound = rendering.sound
    return write_stream(_placed(rendering, plans), rendering.timeline.length, sound.sample_rate, sound.mp3_kbps)


def mp3_bytes(rendering: Rendering, plans: Sequence[PlannedRun]) -> int:
    """The size of that stream; nothing is read."""
    sound = rendering.sound
    return stream_bytes(_placed(rendering, plans), rendering.timeline.length, sound.sample_rate, sound.mp3_kbps)


def _placed(rendering: Rendering, plans: Sequence[PlannedRun]) -> list[Run]:
    rate, kbps = rendering.sound.sample_rate, rendering.sound.mp3_kbps
    return [
        Run(_frame(plan.start), run_bytes(plan.length, rate, kbps), partial(_kept, rendering, plan)) for plan in plans
    ]


def _kept(rendering: Rendering, plan: PlannedRun) -> bytes:
    """A run as it is kept; one that was damaged since is encoded again."""
    encoded = rendering.runs.get(plan.key)
    if is_run(encoded, plan.length, rendering.sound.sample_rate, rendering.sound.mp3_kbps):
        return encoded
    return _encoded(rendering, plan)


def _encoded(rendering: Rendering, plan: PlannedRun) -> bytes:
    """Encode a run and keep it."""
    encoded = encode_run(_run_samples(rendering, plan), rendering.sound.sample_rate, rendering.sound.mp3_kbps)
    rendering.runs.put(plan.key, encoded)
    return encoded


def _clip(rendering: Rendering, index: int) -> Samples:
    timeline, sound = rendering.timeline, rendering.sound
    offset = int(timeline.offset[index])
    length = int(timeline.clip_end[index] - timeline.clip_start[index])
    fade = round(sound.fade * timeline.rate)
    take = rendering.load(timeline.takes[index], offset, offset + length)
    return scaled(faded(take, fade, fade), rendering.gain)


def _silence(count: int) -> Iterator[Samples]:
    for start in range(0, count, _PIECE):
        yield np.zeros(min(_PIECE, count - start), np.int16)


def _planned(rendering: Rendering, first: int, last: int) -> PlannedRun:
    timeline = rendering.timeline
    start = int(timeline.clip_start[first])
    following = int(timeline.clip_start[last]) if last < len(timeline.takes) else timeline.length
    length = min(int(timeline.clip_end[last - 1]) + _QUIET, following) - start
    return PlannedRun(first, last, start, length, _key(rendering, first, last, length))


def _key(rendering: Rendering, first: int, last: int, length: int) -> str:
    timeline, sound = rendering.timeline, rendering.sound
    made_with = (_VERSION, timeline.rate, sound.mp3_kbps, sound.fade, rendering.gain, length)
    digest = hashlib.sha256(repr(made_with).encode())
    start = timeline.clip_start[first]
    for index in range(first, last):
        place = timeline.clip_start[index] - start, timeline.clip_end[index] - start, timeline.offset[index]
        digest.update(bytes.fromhex(timeline.takes[index].fingerprint) + struct.pack("<3q", *place))
    return digest.hexdigest()


def _moved_to_fit(plan: PlannedRun, length: int) -> PlannedRun:
    """The last run, begun at a whole frame where rounding would push it over the end of the file."""
    if _frame(plan.start) + -(-plan.length // FRAME) <= -(-length // FRAME):
        return plan
    ahead = plan.start % FRAME
    key = hashlib.sha256(f"{plan.key}+{ahead}".encode()).hexdigest()
    return PlannedRun(plan.first, plan.last, plan.start - ahead, plan.length + ahead, key)


def _run_samples(rendering: Rendering, plan: PlannedRun) -> Samples:
    samples = np.zeros(plan.length, np.int16)
    for index in range(plan.first, plan.last):
        at = int(rendering.timeline.clip_start[index]) - plan.start
        clip = _clip(rendering, index)
        samples[at : at + len(clip)] = clip
    return samples


def _frame(start: int) -> int:
    """The frame nearest to a sample: never more than half a frame off."""
    return (start + FRAME // 2) // FRAME
