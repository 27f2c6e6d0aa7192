"""Stop watches."""

from __future__ import annotations

import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def repeated(work: Callable[[], object], times: int) -> list[float]:
    """How long it takes, several times, shortest first. The first is what the machine can do."""
    return sorted(seconds(work) for _ in range(times))
