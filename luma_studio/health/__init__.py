"""What the studio needs, tried: each engine does a little of its work, and says what is in the way if it cannot."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue

from luma_studio.health import engines, places, vendors
from luma_studio.health.model import Check, Engine
from luma_studio.studio import Studio

__all__ = ["Engine", "health"]

_LONGEST = 5.0  # seconds

_Answer = tuple[int, Engine | BaseException]


def health(studio: Studio) -> tuple[Engine, ...]:
    """Try every engine, store, font and folder, each vendor and each model that is set; nothing is left or bought.

    All are tried at once, and what does not answer within five seconds says so: a page calls it in a thread. What
    cannot work is no error: it says so, and what to do.
    """
    return _all_tried([*engines.checks(studio), *places.checks(studio), *vendors.checks(studio)], _LONGEST)


def _all_tried(checks: Sequence[Check], seconds: float) -> tuple[Engine, ...]:
    """Each in a thread of its own, which may go on for a while after nobody waits for it."""
    answers: SimpleQueue[_Answer] = SimpleQueue()

    def try_one(number: int) -> None:
        try:
            answers.put((number, checks[number].tried()))
        except BaseException as mistake:  # noqa: BLE001 - raised where it was asked for
            answers.put((number, mistake))

    for number in range(len(checks)):
        threading.Thread(target=try_one, args=(number,), name="luma-health", daemon=True).start()
    found: dict[int, Engine] = {}
    until = time.monotonic() + seconds
    while len(found) < len(checks):
        try:
            number, answer = answers.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            break
        if isinstance(answer, BaseException):
            raise answer
        found[number] = answer
    late = f"It did not answer within {seconds:g} seconds."
    return tuple(found.get(number) or check.failed(late, check.remedy) for number, check in enumerate(checks))
