"""What is heard while it comes: by a listener that keeps it, and by a page that asks for more."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

PATIENCE = 20.0  # seconds in which what is waited for comes, on a machine that others use, too


class Ear:
    """A listener that keeps what it is told; ``began`` is set when it was told something."""

    def __init__(self) -> None:
        self.pieces: list[np.ndarray[Any, Any]] = []
        self.rates: set[int] = set()
        self.began = threading.Event()

    def __call__(self, samples: np.ndarray[Any, Any], rate: int) -> None:
        self.pieces.append(samples)
        self.rates.add(rate)
        self.began.set()

    @property
    def samples(self) -> np.ndarray[Any, Any]:
        return np.concatenate([np.zeros(0, np.int16), *self.pieces])

    @property
    def rate(self) -> int:
        (rate,) = self.rates
        return rate


def all_of(panel: Any, key: str) -> tuple[np.ndarray[Any, Any], int]:
    """All that a page hears under a key, and its rate."""
    pieces, rate, ended = [], 0, False
    while not ended:
        answer, [data] = panel.do_hear_more(key)
        pieces.append(np.frombuffer(data, "<i2"))
        rate, ended = answer["rate"], answer["ended"]
    return np.concatenate(pieces), rate
