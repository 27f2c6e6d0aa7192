from __future__ import annotations

import numpy as np
import pytest
from helpers.making import RATE, one_scene, productions, take
from hypothesis import assume, given
from hypothesis import strategies as st

from luma_studio.audio.loudness import loudness_of
from luma_studio.script.model import Pause
from luma_studio.timeline.arrange import arrange
from luma_studio.timeline.energies import energies_of
from luma_studio.timeline.take import Take


def laid(timeline):
    """The energies of a timeline, each hop of each take laid by itself and split where it lies between two."""
    hops = np.zeros(-(-timeline.length * 100 // RATE))
    for start, each in zip(timeline.clip_start - timeline.offset, timeline.takes, strict=True):
        first, late = divmod(int(start) * 100 / RATE, 1)
        for index, energy in enumerate(each.energies, int(first)):
            for hop, part in ((index, 1 - late), (index + 1, late)):
                if 0 <= hop < len(hops):
                    hops[hop] += energy * part
    return hops


def with_energies(each: Take, seed: int) -> Take:
    chance = np.random.default_rng(seed)
    energies = chance.exponential(3.0, len(each.energies) + 5) * chance.choice([0, 1e-9, 1], len(each.energies) + 5)
    return Take(
        each.fingerprint, each.rate, each.length, each.speech_start, each.speech_end, (), energies, each.true_peak
    )


@given(productions(), st.integers(0, 2**32 - 1))
def test_a_timelines_loudness_is_that_of_its_takes_laid_hop_by_hop(made, seed):
    takes, pauses, spans = made
    timeline = arrange([with_energies(each, seed + index) for index, each in enumerate(takes)], pauses, spans)
    assume(timeline.length >= 0.4 * RATE)  # of less there is not one block
    expected = loudness_of([(0, laid(timeline))], timeline.length, RATE)
    assert loudness_of(energies_of(timeline), timeline.length, RATE) == pytest.approx(expected, abs=1e-6)


def test_no_energy_is_lost_over_an_hour():
    takes = [with_energies(take(name=index), index) for index in range(1500)]
    timeline = arrange(takes, [Pause(index % 7 / 3) for index in range(1500)], one_scene(1500, 1.0))
    found = sum(float(hops.sum()) for _, hops in energies_of(timeline))
    assert found == pytest.approx(sum(float(each.energies.sum()) for each in takes), rel=1e-9)


def test_a_timeline_without_takes_has_no_energy():
    assert list(energies_of(arrange([], [], []))) == []
