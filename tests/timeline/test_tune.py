from __future__ import annotations

import numpy as np
import pytest
from helpers.making import RATE, one_scene, productions, take
from hypothesis import assume, given
from hypothesis import strategies as st

from luma_studio.errors import FitError, SettingError
from luma_studio.script.model import Pause
from luma_studio.settings import Sound
from luma_studio.timeline.arrange import arrange
from luma_studio.timeline.tune import fit, lock, scale, tune

SOUND = Sound()


def fitted(made, total):
    takes, pauses, spans = made
    return fit(takes, pauses, spans, SOUND, total)


def reachable(made, share):
    """A total that can be reached, ``share`` of the way from the least to the most (at most ten times as now)."""
    takes, pauses, spans = made
    now = arrange(takes, pauses, spans, SOUND).length
    try:
        fitted(made, 0)
        least = 0
    except FitError as error:
        least = error.least
    try:
        fitted(made, 10 * now + 10)
        most = 10 * now + 10
    except FitError as error:
        most = error.most
    return least + round(share * (most - least))


@given(productions(), st.floats(0, 1))
def test_a_fit_is_exact_to_the_sample(made, share):
    total = reachable(made, share)
    takes, _, spans = made
    assert arrange(takes, fitted(made, total), spans, SOUND).length == total


@given(productions(), st.floats(0, 1))
def test_a_fit_keeps_bounds_and_leaves_locked_pauses_alone(made, share):
    total = reachable(made, share)
    for before, after in zip(made[1], fitted(made, total), strict=True):
        if before.locked:
            assert after == before
        if before.least is not None:
            assert before.least <= after.seconds <= before.most or after.seconds == before.seconds


@given(productions(), st.floats(0, 1))
def test_fitting_twice_changes_nothing(made, share):
    total = reachable(made, share)
    once = fitted(made, total)
    assert fitted((made[0], once, made[2]), total) == once


@given(productions(), st.floats(0, 1))
def test_what_a_fit_does_not_change_keeps_its_source(made, share):
    total = reachable(made, share)
    for before, after in zip(made[1], fitted(made, total), strict=True):
        assert after is before or after.source == "fitted"


def test_free_unbounded_pauses_are_all_stretched_by_the_same_factor():
    pauses = [Pause(1.0), Pause(2.0), Pause(4.0)]
    made = [take(name=index) for index in range(3)], pauses, one_scene(3)
    now = arrange(*made, SOUND).length
    result = fitted(made, now + 7 * RATE)
    assert [after.seconds for after in result] == pytest.approx([2.0, 4.0, 8.0], abs=1 / RATE)


@given(productions())
def test_a_total_out_of_reach_names_the_nearest_that_can_be_reached(made):
    with pytest.raises(FitError) as caught:
        fitted(made, 0)
    assume(caught.value.least > 0)
    takes, _, spans = made
    assert arrange(takes, fitted(made, caught.value.least), spans, SOUND).length == caught.value.least
    with pytest.raises(FitError):
        fitted(made, caught.value.least - 1)


def test_a_total_over_the_most_names_it_and_the_clauses_in_the_way():
    pauses = [Pause(1.0, locked=True), Pause(2.0, "written", 1.0, 3.0), Pause(0.0)]
    made = [take(name=index) for index in range(3)], pauses, one_scene(3)
    now = arrange(*made, SOUND).length
    with pytest.raises(FitError, match="cannot be reached") as caught:
        fitted(made, now + 2 * RATE)
    assert caught.value.most == now + RATE
    assert caught.value.in_the_way == (0, 1, 2)


def test_five_thousand_pauses_are_fitted_exactly():
    random = np.random.default_rng(1)
    pauses = [Pause(float(s), "written", float(s) * 0.5, float(s) * 2) for s in random.uniform(0.1, 5, 5000)]
    made = [take(name=index) for index in range(5000)], pauses, one_scene(5000)
    now = arrange(*made, SOUND).length
    for total in (int(now * 0.95), int(now * 1.3) + 1):
        assert arrange(made[0], fitted(made, total), made[2], SOUND).length == total


def test_tuning_widens_the_authors_range_to_hold_what_a_hand_set():
    (after,) = tune([Pause(7.5, "written", 5.0, 10.0)], {0: 12.0})
    assert after == Pause(12.0, "tuned", 5.0, 12.0)


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), float("inf"), 3601])
def test_a_pause_that_cannot_be_is_refused(seconds):
    with pytest.raises(SettingError, match="cannot be"):
        tune([Pause(1.0)], {0: seconds})


def test_scaling_leaves_locked_pauses_alone():
    pauses = lock([Pause(1.0), Pause(2.0)], [0])
    assert [pause.seconds for pause in scale(pauses, 0.5, [0, 1])] == [1.0, 1.0]


def test_where_nothing_can_be_stretched_the_one_total_is_told():
    pauses = lock([Pause(1.0), Pause(2.00001)], [0, 1])
    made = [take(name=index) for index in range(2)], pauses, one_scene(2)
    now = arrange(*made, SOUND).length
    with pytest.raises(FitError, match=r"the pauses allow exactly 0:04\.663\. Free or widen"):
        fitted(made, now + RATE)
    assert fitted(made, now) == tuple(pauses)


def test_pauses_of_nothing_are_not_said_to_be_locked():
    made = [take(name=index) for index in range(3)], [Pause(0.0), Pause(2.0, locked=True), Pause(0.0)], one_scene(3)
    with pytest.raises(FitError, match="All free pauses are 0 and cannot be stretched") as caught:
        fitted(made, 30 * RATE)
    now = arrange(*made, SOUND).length
    assert (caught.value.least, caught.value.most, caught.value.in_the_way) == (now, now, (1,))
