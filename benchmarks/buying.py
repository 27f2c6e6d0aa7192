"""A production bought from a vendor that takes its time: against the ideal, and whether pages stay live meanwhile.

The vendor is the tests' fake in a process of its own: each call takes 1.5 s, ten may be under way at once. And a long
clause that it sends while it speaks: how soon after 250 ms of it were sent a listener hears the first.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Coroutine, Sequence
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
_LONG = ("let each breath be a little slower than the one before, and rest for a while, " * 6)[:399] + "."
_TRIES = 3
_SOON = 0.01  # seconds
# Voices, seconds between two pieces (speech is sent at three times its pace), and the piece that completes 250 ms.
_STREAMS = (
    ("ElevenLabs, MP3 in lines", _VOICE, 0.08, 1),
    ("OpenAI, WAV", "openai:nova,model=tts-1", 0.028, 2),
)
_PROGRAM = """
import json, sys
from helpers.vendors import KEYS, Vendors

with Vendors() as vendors:
    vendors.at_once, vendors.delay, vendors.pace = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    print(json.dumps({name: (vendors.address(name), KEYS[name]) for name in ("elevenlabs", "openai")}), flush=True)
    sys.stdin.read()
    counts = len(vendors.requests), sum(vendors.bought.values()), max(vendors.busiest.values(), default=0)
    print(json.dumps([counts, vendors.sent]), flush=True)
"""


def buying(bench: Bench) -> list[Row]:
    """Speak 480 clauses with a slow voice."""
    script = "# Long\n" + "\n".join(f"Breathe in and out, {number} times." for number in range(_CLAUSES))
    with Vendor(_SECONDS, _AT_ONCE) as vendor, Studio(bench.folder / "buying") as studio:
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


def hearing(bench: Bench) -> list[Row]:
    """Hear a clause of 400 characters while it is sent, several times from each vendor."""
    return [_heard(bench, *each) for each in _STREAMS]


def _heard(bench: Bench, name: str, voice: str, pace: float, piece: int) -> Row:
    firsts: list[float] = []
    with Vendor(0.2, _AT_ONCE, pace) as vendor, Studio(bench.folder / f"hearing-{piece}") as studio:
        production = studio.production("heard", f"# Long\n{_LONG}", voice=voice)
        assert len(production.clauses) == 1
        for _ in range(_TRIES):
            told: list[float] = []
            asyncio.run(production.speak_again(0, hear=lambda *_, told=told: told.append(time.monotonic())))
            firsts.append(told[0])
    late = sorted(first - sent[piece] for first, sent in zip(firsts, vendor.sent, strict=True))
    whole = min(sent[-1] - sent[piece] for sent in vendor.sent)
    return Row(
        "hearing",
        f"{len(_LONG)} characters from {name}, sent at 3 × real time: first sound after 250 ms were sent",
        f"{late[len(late) // 2] * 1000:.1f} ms; at most {late[-1] * 1000:.1f} ms",
        f"≤ {_SOON * 1000:.0f} ms",
        late[-1] <= _SOON,
        f"all of it is there {whole:.1f} s later",
        figures={"late": late, "whole": whole},
    )


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


class Vendor:
    """The fake vendor, reached by the variables that a user would set.

    ``counts`` are known at its end, and ``sent``: when each piece of each answer was, by ``time.monotonic()``.
    """

    counts: tuple[int, int, int] = (0, 0, 0)
    sent: Sequence[Sequence[float]] = ()

    def __init__(self, delay: float, at_once: int, pace: float = 0.0) -> None:
        self._options = [str(at_once), str(delay), str(pace)]

    def __enter__(self) -> Self:
        tests = Path(__file__).parents[1] / "tests"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tests), str(tests.parent)))}
        command = [sys.executable, "-c", _PROGRAM, *self._options]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._variables: dict[str, str] = {}
        for name, (address, key) in json.loads(self._process.stdout.readline()).items():
            self._variables |= {f"{name.upper()}_BASE_URL": address, f"{name.upper()}_API_KEY": key}
        os.environ |= self._variables
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._variables:
            del os.environ[name]
        told, _error = self._process.communicate()
        self.counts, self.sent = json.loads(told)
