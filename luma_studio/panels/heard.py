"""Sound on its way to a page: told while it comes, from whichever thread, and given out in pieces."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from luma_studio.audio.clip import Samples
from luma_studio.errors import Stopped

_WAIT = 10.0  # seconds that a question may wait for sound
_LEFT = 30.0  # seconds without a question after which nobody is taken to listen


class Heard:
    """One sound: ``hear`` is told its pieces, ``more`` gives those that have come since it was last asked."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._pieces: list[Samples] = []
        self._rate = 0
        self._error: BaseException | None = None
        self._has_ended = False
        self._asking = 0
        self._asked = time.monotonic()

    @property
    def is_left(self) -> bool:
        """Whether nobody has asked for a while."""
        return not self._asking and time.monotonic() - self._asked > _LEFT

    def hear(self, samples: Samples, rate: int) -> None:
        """Take in what has come; it is dropped where nobody listens any more."""
        with self._news:
            self._rate = rate
            if self.is_left:
                self._pieces.clear()
            else:
                self._pieces.append(samples)
            self._news.notify_all()

    @contextmanager
    def until_its_end(self) -> Iterator[None]:
        """What is done within tells the sound; what it raises is raised to who listens, too."""
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            with self._news:
                self._error = None if isinstance(error, Stopped) else error
                self._has_ended = True
                self._news.notify_all()

    def more(self) -> tuple[dict[str, Any], list[bytes]]:
        """The pieces that have come, as one: 16-bit little-endian samples, their rate, and whether that was the end.

        Waits for some, but not for long: there may be none. Raises, after the last of them, what ended the sound.
        """
        with self._news:
            self._asking += 1
            self._news.wait_for(lambda: self._pieces or self._has_ended, _WAIT)
            self._asking -= 1
            self._asked = time.monotonic()
            pieces, self._pieces = self._pieces, []
            if not pieces and self._error is not None:
                raise self._error
            ended = self._has_ended and self._error is None
            sound = np.concatenate([np.zeros(0, np.int16), *pieces])
            return {"rate": self._rate, "ended": ended}, [sound.astype("<i2").tobytes()]
