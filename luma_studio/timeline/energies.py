"""The energies of a timeline, from those of its takes, fast enough to follow every edit.

Loudness is measured in blocks that begin every 100 ms. Within such a step it does not matter where energy lies, so that
of a take there is only to be known how much falls into each: by its running sum at the steps' edges. For 2,000 takes
that is half a millisecond; laying each hop would be twenty.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from luma_studio.audio.loudness import HOPS_PER_SECOND, Energies
from luma_studio.timeline.arrange import Timeline
from luma_studio.timeline.take import Take

_STEP = HOPS_PER_SECOND // 10  # hops
_PIECE = 1024  # steps handed out at once: their hops stay in the cache


def energies_of(timeline: Timeline) -> Iterator[tuple[int, Energies]]:
    """Energies for ``audio.loudness.loudness_of``: where each piece begins, in samples, and its 10 ms hops.

    All energy of a step lies in its first hop.
    """
    steps = _step_energies(timeline)
    for start in range(0, len(steps), _PIECE):
        piece = steps[start : start + _PIECE]
        hops = np.zeros(_STEP * len(piece))
        hops[::_STEP] = piece
        yield start * _STEP * timeline.rate // HOPS_PER_SECOND, hops


def _step_energies(timeline: Timeline) -> Energies:
    """The energy of each 100 ms of a timeline."""
    if not timeline.takes:
        return np.zeros(0)
    hops = -(-timeline.length * HOPS_PER_SECOND // timeline.rate)  # in all; what rings on after the end is left out
    running, counts = _running_sums(timeline.takes)
    offsets = np.cumsum(counts + 1) - (counts + 1)  # where in the running sums each take begins
    begin = (timeline.clip_start - timeline.offset) * (HOPS_PER_SECOND / timeline.rate)  # in hops
    first = np.floor(begin / _STEP).astype(np.int64)
    lengths = np.ceil((begin + counts) / _STEP).astype(np.int64) - first  # steps that each take reaches into
    which = np.repeat(np.arange(len(counts)), lengths)
    starts = np.cumsum(lengths) - lengths
    step = np.arange(len(which)) + (first - starts)[which]
    # How much of its take is over at the end of each step; a hop that the end cuts is split in proportion.
    end = np.clip(np.minimum((step + 1) * _STEP, hops) - begin[which], 0, counts[which])
    whole = end.astype(np.int64)
    at = offsets[which] + whole
    over = running[at] + (end - whole) * (running[np.minimum(at + 1, offsets[which] + counts[which])] - running[at])
    within = np.diff(over, prepend=0.0)
    within[starts] = over[starts]
    inside = step >= 0  # what is trimmed off the first take may lie before the beginning
    return np.bincount(step[inside], within[inside]).astype(np.float64, copy=False)


@lru_cache(maxsize=64)  # moving a pause changes no take; a production and its scenes
def _running_sums(takes: tuple[Take, ...]) -> tuple[Energies, NDArray[np.int64]]:
    """The running sum of each take's energies, from 0, one behind the other; and how many hops each take has."""
    sums = [part for take in takes for part in ([0.0], np.cumsum(take.energies))]
    return np.concatenate(sums), np.array([len(take.energies) for take in takes])
