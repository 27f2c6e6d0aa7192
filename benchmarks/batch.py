"""Batches: what a run costs beyond its work, what a second worker is worth, and whether many runs are borne.

The command is measured as a process of its own, its start and its cluster's included.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, command, environment
from benchmarks.memory import watched
from benchmarks.result import Row
from benchmarks.scripts import narration as script
from luma_studio import Studio
from luma_studio.batch import narration, picture
from luma_studio.batch.result import result_of
from luma_studio.settings import AUDIO

_WORK = 2.0  # minutes of a run that has something to do
_SHORT = 0.2  # minutes of a short one
_OVERHEAD = 2.5  # seconds
_FASTER = 1.7
_FLAT = 1.1  # the coordinator's memory for ten times the runs may be this many times the other


@dataclass(frozen=True, slots=True)
class _Done:
    """A batch that was done: seconds in all, how its runs ended, MB of the coordinator, seconds of each run."""

    wall: float
    good: int
    failed: int
    memory: float
    each: list[float]


def batch(bench: Bench, few: int = 10, some: int = 40, many: int = 200) -> list[Row]:
    """Do ``few`` runs directly and as a batch, ``some`` with one worker and with two, and ``many`` short ones."""
    _done(bench.folder / "batch-first", 1, _SHORT, workers=1)  # after which all is compiled
    return [*_overhead(bench, few), _workers(bench, some), *_many(bench, many)]


def _overhead(bench: Bench, count: int) -> list[Row]:
    direct = _directly(bench.folder / "batch-direct", count)
    done = _done(bench.folder / "batch-few", count, _WORK, workers=1)
    overhead = (done.wall - direct) / count
    return [
        Row(
            "batch",
            f"a run of {_WORK:g} minutes in a batch of {count}, over the same work called directly",
            f"{overhead:.2f} s more ({done.wall / count:.2f} s a run, {direct / count:.2f} s called directly)",
            f"≤ {_OVERHEAD} s",
            overhead <= _OVERHEAD and done.good == count,
            f"{min(done.each, default=0):.2f} s from a kernel's start to its end, at best",
            {"overhead": overhead, "direct": direct, "wall": done.wall, "each": done.each},
        )
    ]


def _workers(bench: Bench, count: int) -> Row:
    one, two = (_done(bench.folder / f"batch-workers-{each}", count, _WORK, workers=each) for each in (1, 2))
    ratio = one.wall / two.wall
    return Row(
        "batch",
        f"{count} runs on two workers against one",
        f"{ratio:.2f} × ({one.wall:.0f} s, {two.wall:.0f} s)",
        f"≥ {_FASTER} ×",
        ratio >= _FASTER and one.good == two.good == count,
        figures={"ratio": ratio, "one": one.wall, "two": two.wall},
    )


def _many(bench: Bench, count: int) -> list[Row]:
    tenth = max(1, count // 10)
    small, large = (_done(bench.folder / f"batch-many-{each}", each, _SHORT, workers=2) for each in (tenth, count))
    growth = large.memory / small.memory
    return [
        Row(
            "batch",
            f"{count} short runs on two workers",
            f"{large.good} good, {large.failed} failed, in {large.wall:.0f} s",
            "all good",
            large.good == count,
            f"{large.wall / count:.2f} s a run",
            {"good": large.good, "failed": large.failed, "wall": large.wall},
        ),
        Row(
            "batch",
            f"peak memory of the coordinator, {count} runs against {tenth}",
            f"{large.memory:.0f} MB against {small.memory:.0f} MB: {growth:.2f} ×",
            f"flat: ≤ {_FLAT} ×",
            growth <= _FLAT,
            figures={"large": large.memory, "small": small.memory, "growth": growth},
        ),
    ]


def _done(workspace: Path, count: int, minutes: float, workers: int) -> _Done:
    """Do a batch with the command, in a fresh workspace."""
    _write_scripts(workspace, count, minutes)
    begin = [command(), "batch", "scripts/*.txt", "--workers", str(workers)]
    start = time.perf_counter()
    process = subprocess.Popen(
        begin, cwd=workspace, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = watched(process)
    wall = time.perf_counter() - start
    if process.returncode not in (0, 1):
        raise subprocess.CalledProcessError(process.returncode, begin)
    outcomes = list(map(_outcome, (workspace / AUDIO / "scripts.batch" / "runs").glob("*.json")))
    good = sum(each["status"] == "good" for each in outcomes)
    return _Done(wall, good, len(outcomes) - good, peak.main, [each["seconds"] for each in outcomes])


def _directly(workspace: Path, count: int) -> float:
    """Seconds for the same work without kernels, notebooks or workers."""
    _write_scripts(workspace, count, _WORK)
    start = time.perf_counter()
    with Studio(workspace) as studio:
        for path in sorted((workspace / "scripts").glob("*.txt")):
            asked = narration(str(path))
            made = asked.begin(studio)
            quote = asyncio.run(made.prepare())
            asyncio.run(made.speak())
            exported = made.export(*asked.masters)
            picture(made)
            result_of(made, exported, quote.to_speak)
    return time.perf_counter() - start


def _write_scripts(workspace: Path, count: int, minutes: float) -> None:
    (workspace / "scripts").mkdir(parents=True)
    for number in range(count):
        path = workspace / "scripts" / f"evening-{number:03}.txt"
        path.write_text(script(minutes, 1, seed=number), encoding="utf-8")


def _outcome(path: Path) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
