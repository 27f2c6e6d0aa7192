"""Hearing several clauses as one: in their order and each as it comes, whichever of them comes first."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np

from luma_studio.audio.clip import Samples
from luma_studio.voices.base import Hear

_Piece = tuple[Samples, int]


class InOrder:
    """Tells ``hear`` clauses one after the other, with silence between them; ``pauses`` is how long after each, in
    seconds.

    The clause whose turn it is is heard while it comes; what comes of later ones waits. One that ended without a sound
    is left out. From any thread.
    """

    def __init__(self, hear: Hear, pauses: Sequence[float]) -> None:
        self._hear = hear
        self._pauses = pauses
        self._turn = 0
        self._lock = threading.Lock()
        self._waiting: dict[int, list[_Piece]] = {}
        self._ended: set[int] = set()
        self._silence = 0.0  # seconds before the next sound

    def of(self, places: Iterable[int]) -> Hear:
        """What hears the clause that stands at these places: the same words may stand at several."""
        there = tuple(places)

        def hear(samples: Samples, rate: int) -> None:
            with self._lock:
                for place in there:
                    self._waiting.setdefault(place, []).append((samples, rate))
                self._go_on()

        return hear

    def end(self, places: Iterable[int]) -> None:
        """All of the clause at these places was told."""
        with self._lock:
            self._ended.update(places)
            self._go_on()

    def _go_on(self) -> None:
        while True:
            for samples, rate in self._waiting.pop(self._turn, ()):
                self._tell(samples, rate)
            if self._turn not in self._ended:
                return
            self._silence += self._pauses[self._turn]
            self._turn += 1

    def _tell(self, samples: Samples, rate: int) -> None:
        if self._silence and self._turn:
            self._hear(np.zeros(round(self._silence * rate), np.int16), rate)
        self._silence = 0.0
        self._hear(samples, rate)
