"""A take as the timeline sees it: how long, where the speech is, when each word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a clause: characters ``first`` up to ``last`` (exclusive), heard from ``start`` to ``end`` seconds."""

    first: int
    last: int
    start: float
    end: float


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """One clause as one voice spoke it; its audio stays in the store.

    ``length``, ``speech_start`` and ``speech_end`` (exclusive) count samples at ``rate``; a take in which nothing is
    heard has ``speech_start == speech_end``. Word times are seconds from the take's start. ``energies`` are the
    K-weighted energies a 10 ms hop, ``true_peak`` is in dBTP.
    """

    fingerprint: str
    rate: int
    length: int
    speech_start: int
    speech_end: int
    words: tuple[Word, ...]
    energies: NDArray[np.float64]
    true_peak: float
