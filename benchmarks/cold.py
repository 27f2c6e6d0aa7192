"""Cold productions: script in, all files out, in a fresh workspace; the whole process from its start to its exit.

Nothing is in the store; the operating system's cache of program files is warm after the first. Times real time is the
master's length over the wall time.
"""

from __future__ import annotations

from statistics import median

from benchmarks.bench import Bench, check_made, speech_share
from benchmarks.result import Row


def cold_ten(bench: Bench) -> list[Row]:
    """Measure a ten-minute production, best and median of three."""
    return [_row("cold", bench, minutes=10, scenes=6, target=120, times=3)]


def cold_hundred(bench: Bench) -> list[Row]:
    """Measure a production of a hundred minutes, best of two."""
    return [_row("long", bench, minutes=100, scenes=60, target=250, times=2)]


def _row(benchmark: str, bench: Bench, *, minutes: int, scenes: int, target: int, times: int) -> Row:
    kept = bench.ten if minutes == 10 else bench.hundred
    tries = [kept]
    for _ in range(times - 1):
        tries.append(bench.make(minutes, scenes))
        bench.forget(tries[-1])
    walls, cpu = [each.wall for each in tries], min(each.cpu for each in tries)
    timeline = check_made(kept, minutes)
    length = timeline.length / timeline.rate
    best, middle = min(walls), median(walls)
    return Row(
        benchmark,
        f"script → all files of a {minutes}-minute production, cold, process start and all",
        f"{length / best:.0f} × real time ({best:.1f} s; median of {times}: {length / middle:.0f} ×)",
        f"≥ {target} ×",
        length / best >= target,
        f"{len(timeline.takes)} clauses, {speech_share(timeline):.0%} speech; {cpu:.1f} s of CPU time on all cores",
        {"length": length, "walls": walls, "cpu": cpu, "ratio": length / best, "median_ratio": length / middle},
    )
