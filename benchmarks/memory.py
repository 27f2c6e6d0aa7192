"""Peak memory of a cold production: resident memory of the process and its children, looked at every 20 ms.

Pages that processes share are counted once for each of them, so the sum is at most too high. A process that is looked
at is slower, so times are not taken here.
"""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from benchmarks.bench import Bench, Made, check_made, environment
from benchmarks.result import Row

_EVERY = 0.02  # seconds
_CHILDREN_EVERY = 10  # looks; finding children reads the whole process table
_MOST = 400  # MB
_FLAT = 1.1  # a peak for twice the length may be this many times the other
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Peak:
    """Most memory in MB: of all processes at one time, and of the main one alone; and that of the master's samples."""

    together: float
    main: float
    samples: float = 0.0


def memory(bench: Bench) -> list[Row]:
    """Measure the peak for a hundred minutes, and for two hundred to see whether it stays."""
    hundred, twice = (_peak(bench, minutes, scenes) for minutes, scenes in ((100, 60), (200, 120)))
    growth = twice.together / hundred.together
    return [
        Row(
            "memory",
            "peak memory, 100-minute production, all processes together",
            f"{hundred.together:.0f} MB (main process {hundred.main:.0f} MB)",
            f"≤ {_MOST} MB",
            hundred.together <= _MOST,
            f"the master's samples, which pydub would hold in memory: {hundred.samples:.0f} MB",
            {"together": hundred.together, "main": hundred.main},
        ),
        Row(
            "memory",
            "peak memory, 200-minute production",
            f"{twice.together:.0f} MB (main process {twice.main:.0f} MB): {growth:.2f} × that of 100 minutes",
            f"flat: ≤ {_FLAT} ×",
            growth <= _FLAT,
            figures={"together": twice.together, "main": twice.main, "growth": growth},
        ),
    ]


def _peak(bench: Bench, minutes: int, scenes: int) -> Peak:
    workspace, command = bench.fresh(minutes, scenes)
    process = subprocess.Popen(command, cwd=workspace, env=environment(), stdout=subprocess.DEVNULL)
    peak = watched(process)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    made = Made(workspace)
    samples = check_made(made, minutes).length * 2 / _MB
    bench.forget(made)
    return replace(peak, samples=samples)


def watched(process: subprocess.Popen[bytes]) -> Peak:
    """Look at a process and its children until it ends."""
    main = psutil.Process(process.pid)
    children: list[psutil.Process] = []
    together = alone = 0.0
    looks = 0
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            if looks % _CHILDREN_EVERY == 0:
                children = main.children(recursive=True)
            own = main.memory_info().rss
            together = max(together, own + sum(map(_resident, children)))
            alone = max(alone, own, _high_water(process.pid))
        looks += 1
        time.sleep(_EVERY)
    return Peak(max(together, alone) / _MB, alone / _MB)


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_info().rss)
    return 0


def _high_water(pid: int) -> int:
    """The most that Linux has seen a process have, in bytes; 0 elsewhere. (``ru_maxrss`` would tell our own, too.)"""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
