"""A production bought from a vendor that takes its time: against the ideal, and whether pages stay live meanwhile.

The vendor is the tests' fake in a process of its own: each call takes 1.5 s, ten may be under way at once.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self

from benchmarks.bench import Bench
from benchmarks.result import Row
from luma_studio.studio import Studio

_VOICE = "elevenlabs:21m00Tcm4TlvDq8ikWAM"
_CLAUSES = 480
_SECONDS = 1.5  # a call
_AT_ONCE = 10
_IDEAL = _CLAUSES / _AT_ONCE * _SECONDS
_MOST = 1.1
_BEAT = 0.01  # seconds between two looks whether the loop is live
_LIVE = 0.1  # seconds that a page may wait
_PROGRAM = f"""
import sys
from helpers.vendors import KEYS, Vendors

with Vendors() as vendors:
    vendors.delay, vendors.at_once = {_SECONDS}, {_AT_ONCE}
    print(vendors.address("elevenlabs"), KEYS["elevenlabs"], flush=True)
    sys.stdin.read()
    print(len(vendors.requests), sum(vendors.bought.values()), max(vendors.busiest.values()), flush=True)
"""


def buying(bench: Bench) -> list[Row]:
    """Speak 480 clauses with a slow voice."""
    script = "# Long\n" + "\n".join(f"Breathe in and out, {number} times." for number in range(_CLAUSES))
    with _Vendor() as vendor, Studio(bench.folder / "buying") as studio:
        production = studio.production("long", script, voice=_VOICE)
        took, longest = asyncio.run(_watched(production.speak()))
    requests, bought, busiest = vendor.counts
    return [
        Row(
            "buying",
            f"{_CLAUSES} clauses bought at {_SECONDS} s a call, {_AT_ONCE} at once",
            f"{took / _IDEAL:.2f} × the ideal {_IDEAL:.0f} s; {requests} requests, {bought} bought, {busiest} at once",
            f"≤ {_MOST} ×",
            took <= _MOST * _IDEAL and bought == requests == _CLAUSES,
            figures={"seconds": took, "ideal": _IDEAL},
        ),
        Row(
            "buying",
            "the same: what a page on that loop waits at most",
            f"{longest * 1000:.0f} ms",
            f"≤ {_LIVE * 1000:.0f} ms",
            longest <= _LIVE,
            figures={"seconds": longest},
        ),
    ]


async def _watched(work: Coroutine[Any, Any, None]) -> tuple[float, float]:
    """Do work, and beside it what a page does: seconds that it took, and the longest that the page had to wait."""
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            start = time.perf_counter()
            await asyncio.sleep(_BEAT)
            longest = max(longest, time.perf_counter() - start - _BEAT)

    beating = asyncio.create_task(beat())
    start = time.perf_counter()
    await work
    took = time.perf_counter() - start
    beating.cancel()
    return took, longest


class _Vendor:
    """The fake vendor, reached by the variables that a user would set; ``counts`` are known at its end."""

    counts: tuple[int, int, int] = (0, 0, 0)

    def __enter__(self) -> Self:
        tests = Path(__file__).parents[1] / "tests"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tests), str(tests.parent)))}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        address, key = self._process.stdout.readline().split()
        os.environ |= {"ELEVENLABS_BASE_URL": address, "ELEVENLABS_API_KEY": key}
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("ELEVENLABS_BASE_URL", "ELEVENLABS_API_KEY"):
            del os.environ[name]
        told, _error = self._process.communicate()
        requests, bought, busiest = map(int, told.split())
        self.counts = requests, bought, busiest
