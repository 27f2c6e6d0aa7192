"""Telling a listener a clause while a vendor still sends it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from luma_studio.audio.clip import Samples
from luma_studio.audio.incoming import Incoming
from luma_studio.errors import LumaError
from luma_studio.voices.base import Hear, Speech
from luma_studio.wire import unheard

_log = logging.getLogger(__name__)
_FIRST = 0.25  # seconds that are there before anything is told, so that playing does not stumble


class Telling:
    """What ``hear`` is told of one clause, which may come in several bodies one after the other; None hears nothing.

    Nothing that goes wrong here reaches the wire, whose answer is paid for: bytes that are no sound end the telling,
    and are found again where the body is read.
    """

    def __init__(self, hear: Hear | None) -> None:
        self._hear = hear
        self._coming: Incoming | None = None
        self._waiting: list[Samples] = []
        self._count = 0  # of the samples that wait
        self._has_begun = False
        self._has_failed = False

    @property
    def is_heard(self) -> bool:
        """Whether somebody listens."""
        return self._hear is not None

    def body(self, coming: Incoming) -> Callable[[bytes], None]:
        """What takes the pieces of the next body, whose sound ``coming`` finds in them."""
        if self._hear is None:
            return unheard
        self._finish_body()
        self._coming = coming
        return lambda piece: self._try(lambda: self._tell(coming.take(piece), coming.rate))

    def end(self, speech: Speech) -> None:
        """The clause is here: tell what is left of it, or all of it where nothing could be told before."""
        self._finish_body()
        if not self._has_begun:
            left = self._waiting if self._count and not self._has_failed else [speech.samples]
            self._has_failed = False
            self._try(lambda: self._begin(left, speech.rate))

    def _finish_body(self) -> None:
        coming, self._coming = self._coming, None
        if coming is not None:
            self._try(lambda: self._tell(coming.end(), coming.rate))

    def _tell(self, samples: Samples, rate: int) -> None:
        if self._has_begun:
            self._say(samples, rate)
            return
        self._waiting.append(samples)
        self._count += len(samples)
        if rate and self._count >= _FIRST * rate:
            self._begin(self._waiting, rate)

    def _begin(self, samples: list[Samples], rate: int) -> None:
        self._has_begun = True
        self._waiting = []
        self._say(np.concatenate(samples), rate)

    def _say(self, samples: Samples, rate: int) -> None:
        if self._hear is not None and len(samples):
            self._hear(samples, rate)

    def _try(self, work: Callable[[], None]) -> None:
        if self._has_failed:
            return
        try:
            work()
        except LumaError as error:
            self._has_failed = True
            _log.debug("It cannot be told while it comes: %s", error)
        except Exception:  # noqa: BLE001 - whatever it is, the answer on the wire is paid for
            self._has_failed = True
            _log.exception("A listener failed; it is told no more of this clause")
