"""Pauses changed by hand, and fitted to a total. Pure functions: pauses in, pauses out, one a clause."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from luma_studio.errors import FitError, SettingError
from luma_studio.script.model import Clause, Pause
from luma_studio.settings import Sound
from luma_studio.timeline.arrange import SceneSpan, arrange, in_samples
from luma_studio.timeline.duration import clock
from luma_studio.timeline.take import Take

_LONGEST = 3600.0  # seconds a single pause may have
_HALVINGS = 80  # of the interval in which the scale lies; past double precision

Pauses = tuple[Pause, ...]


def tune(pauses: Sequence[Pause], seconds: Mapping[int, float]) -> Pauses:
    """Set pauses by clause index. What a hand sets may lie outside the author's range, which then widens to hold it.

    Raises SettingError for a length below 0 or over an hour, or an index that does not exist.
    """
    changed = list(pauses)
    for index, length in seconds.items():
        _check(index, length, len(pauses))
        old = pauses[index]
        changed[index] = replace(
            old,
            seconds=float(length),
            source="tuned",
            least=None if old.least is None else min(old.least, length),
            most=None if old.most is None else max(old.most, length),
        )
    return tuple(changed)


def scale(pauses: Sequence[Pause], factor: float, which: Collection[int]) -> Pauses:
    """Multiply the free pauses among ``which``; a locked one keeps its length."""
    free = {index: pauses[index].seconds for index in which if not pauses[index].locked}
    scaled = {index: min(seconds * factor, max(seconds, _LONGEST)) for index, seconds in free.items()}
    return tune(pauses, {index: seconds for index, seconds in scaled.items() if seconds != free[index]})


def lock(pauses: Sequence[Pause], which: Collection[int], *, locked: bool = True) -> Pauses:
    """Lock pauses against fitting and scaling, or free them."""
    wanted = set(which)
    return tuple(replace(p, locked=locked) if index in wanted else p for index, p in enumerate(pauses))


def fit(
    takes: Sequence[Take], pauses: Sequence[Pause], scenes: Sequence[SceneSpan], sound: Sound, total: int
) -> Pauses:
    """Stretch the free pauses by one factor, each within its bounds, so that the timeline is ``total`` samples exactly.

    Raises FitError, which names the nearest totals that can be reached and the clauses in the way.
    """
    now = arrange(takes, pauses, scenes, sound)
    if now.length == total:
        return tuple(pauses)
    rate = now.rate
    current = in_samples(pauses, rate)
    locked = np.fromiter((pause.locked for pause in pauses), bool, len(pauses))
    fixed = locked | (current == 0)
    if fixed.all() and not locked.all():
        raise _nothing_to_stretch(now.length, locked)
    current[-1] = now.length - now.speech_end[-1]  # the last silence is never shorter than the last clip's tail
    least, most = _bounds(pauses, current, fixed, rate)
    floor = np.zeros_like(least)
    floor[-1] = now.clip_end[-1] - now.speech_end[-1]
    least = np.maximum(least, floor)
    budget = total - (now.length - int(current.sum()))
    _check_reachable(least, most, now.length - int(current.sum()), total, rate)
    wanted = _apportioned(current, least, most, budget)
    return tuple(
        pause if length == before else replace(pause, seconds=int(length) / rate, source="fitted")
        for pause, length, before in zip(pauses, wanted, current, strict=True)
    )


def naming(error: FitError, clauses: Sequence[Clause]) -> FitError:
    """The same error, naming the first clauses in the way by their words."""
    first = [clauses[index] for index in error.in_the_way[:3]]
    named = ", ".join(f"“{clause.text[:40]}” (line {clause.line})" for clause in first)
    more = "" if len(error.in_the_way) <= len(first) else ", …"
    message = f"{error} In the way: {named}{more}." if named else str(error)
    return FitError(message, least=error.least, most=error.most, in_the_way=error.in_the_way)


def _check(index: int, length: float, count: int) -> None:
    if not 0 <= index < count:
        raise SettingError(f"There is no pause {index}: the production has {count}, counted from 0.")
    if isinstance(length, bool) or not isinstance(length, int | float) or not 0 <= length <= _LONGEST:
        raise SettingError(f"A pause of {length!r} seconds cannot be: it must be a number from 0 to {_LONGEST:.0f}.")


def _bounds(
    pauses: Sequence[Pause], current: NDArray[np.int64], fixed: NDArray[np.bool_], rate: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least and most samples of each pause; where it may not move, or has nothing to stretch, both are its length."""
    least = np.fromiter((0.0 if p.least is None else p.least for p in pauses), np.float64, len(pauses))
    most = np.fromiter((np.inf if p.most is None else p.most for p in pauses), np.float64, len(pauses))
    return (
        np.where(fixed, current, np.minimum(np.ceil(least * rate), current)),
        np.where(fixed, current, np.maximum(np.floor(most * rate), current)),
    )


def _nothing_to_stretch(length: int, locked: NDArray[np.bool_]) -> FitError:
    return FitError(
        "All free pauses are 0 and cannot be stretched. Set one of them, or undo.",
        least=length,
        most=length,
        in_the_way=tuple(int(index) for index in np.flatnonzero(locked)),
    )


def _check_reachable(
    least: NDArray[np.float64],
    most: NDArray[np.float64],
    rest: int,
    total: int,
    rate: int,
) -> None:
    shortest, longest = rest + least.sum(), rest + most.sum()
    if shortest <= total <= longest:
        return
    bounded = least if total < shortest else most
    in_the_way = tuple(int(i) for i in np.flatnonzero(np.isfinite(bounded) & (np.maximum(least, bounded) > 0)))
    raise FitError(
        f"A total of {clock(total, rate)} cannot be reached: the pauses allow {_reach(shortest, longest, rate)}. "
        "Free or widen those that are locked or at their bounds, or choose another total.",
        least=int(shortest),
        most=None if np.isinf(longest) else int(longest),
        in_the_way=in_the_way,
    )


def _reach(shortest: float, longest: float, rate: int) -> str:
    """The totals that can be reached, in milliseconds that can be."""
    millisecond = rate / 1000
    least = np.ceil(shortest / millisecond) * millisecond
    if np.isinf(longest):
        return f"{clock(int(least), rate)} and more"
    most = np.floor(longest / millisecond) * millisecond
    if least >= most:
        return f"exactly {clock(int(shortest), rate)}"
    return f"{clock(int(least), rate)} to {clock(int(most), rate)}"


def _apportioned(
    current: NDArray[np.int64], least: NDArray[np.float64], most: NDArray[np.float64], budget: int
) -> NDArray[np.int64]:
    """Whole samples near ``factor × current``, within bounds, that sum to ``budget``."""
    exact = np.clip(_factor(current, least, most, budget) * current, least, most)
    lengths: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    missing = budget - int(lengths.sum())
    # The factor is exact to rounding, so what is missing is less than a sample a pause: give it where most was cut off.
    room = np.flatnonzero(lengths + 1 <= most)
    order = room[np.argsort(lengths[room] - exact[room], kind="stable")]
    lengths[order[:missing]] += 1
    return lengths


def _factor(current: NDArray[np.int64], least: NDArray[np.float64], most: NDArray[np.float64], budget: int) -> float:
    """The factor at which the clipped pauses sum to ``budget``, or a rounding error below it, by halving."""

    def total(factor: float) -> float:
        return float(np.clip(factor * current, least, most).sum())

    low, high = 0.0, 1.0
    while total(high) < budget:
        low, high = high, high * 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if total(middle) <= budget else (low, middle)
    return low
