"""Several clauses are heard as one, in their order, whichever comes first."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.voices.in_order import InOrder

RATE = 1000


def sound(value: int, length: int = 10) -> np.ndarray:
    return np.full(length, value, np.int16)


def test_the_clause_whose_turn_it_is_is_heard_while_it_comes():
    told: list[np.ndarray] = []
    order = InOrder(lambda samples, _: told.append(samples), (0.5, 0.5))
    first, second = order.of([0]), order.of([1])
    second(sound(2), RATE)
    assert told == []
    first(sound(1), RATE)
    assert [each[0] for each in told] == [1]
    order.end([0])
    assert [(each[0], len(each)) for each in told] == [(1, 10), (0, 500), (2, 10)]
    second(sound(3), RATE)
    assert told[-1][0] == 3


def test_one_that_ends_without_a_sound_is_left_out_and_nothing_is_heard_after_the_last():
    told: list[np.ndarray] = []
    order = InOrder(lambda samples, _: told.append(samples), (0.1, 0.1, 0.1))
    order.end([0])
    order.of([2])(sound(3), RATE)
    order.end([2])
    order.of([1])(sound(2), RATE)
    order.end([1])
    assert [each[0] for each in told if each[0]] == [2, 3]
    assert told[-1][0] == 3


@given(st.data(), st.integers(1, 6))
def test_whatever_comes_first_what_is_heard_is_the_same(data, count):
    heard: list[int] = []
    order = InOrder(lambda samples, _: heard.extend(samples.tolist()), [0.0] * count)
    steps = [(clause, piece) for clause in range(count) for piece in (1, 2, None)]
    coming = data.draw(st.permutations(range(count)).flatmap(lambda _: st.permutations(steps)))
    pieces = {clause: iter((1, 2, None)) for clause in range(count)}
    for clause, _ in coming:  # pieces of a clause come in their order, clauses in any
        piece = next(pieces[clause])
        if piece is None:
            order.end([clause])
        else:
            order.of([clause])(np.array([10 * clause + piece], np.int16), RATE)
    assert heard == [10 * clause + piece for clause in range(count) for piece in (1, 2)]


def test_words_that_stand_twice_are_heard_twice():
    heard: list[int] = []
    order = InOrder(lambda samples, _: heard.extend(samples.tolist()), [0.0] * 3)
    order.of([0, 2])(np.array([1], np.int16), RATE)
    order.end([0, 2])
    order.of([1])(np.array([5], np.int16), RATE)
    order.end([1])
    assert heard == [1, 5, 1]
