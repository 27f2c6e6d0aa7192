"""``python -m benchmarks [NAME …]``: run the benchmarks, or some of them, and print one table.

It says what falls short, but ends with 0 all the same: it measures, it does not judge. It ends with 1 if a benchmark
broke.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.accuracy import accuracy
from benchmarks.batch import batch
from benchmarks.bench import Bench
from benchmarks.buying import buying, hearing
from benchmarks.cold import cold_hundred, cold_ten
from benchmarks.film import film
from benchmarks.jobs import jobs
from benchmarks.joining import join
from benchmarks.killed import killed
from benchmarks.laying import laying
from benchmarks.memory import memory
from benchmarks.page import page
from benchmarks.reexport import reexport
from benchmarks.renders import renders
from benchmarks.result import Row, machine, print_markdown, print_table, write_json
from benchmarks.silence import silence
from benchmarks.transcripts import transcripts

BENCHMARKS: Mapping[str, Callable[[Bench], list[Row]]] = {
    "cold": cold_ten,
    "long": cold_hundred,
    "reexport": reexport,
    "accuracy": accuracy,
    "silence": silence,
    "join": join,
    "memory": memory,
    "arrange": laying,
    "page": page,
    "buying": buying,
    "hearing": hearing,
    "batch": batch,
    "film": film,
    "renders": renders,
    "transcripts": transcripts,
    "jobs": jobs,
    "killed": killed,
}


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What the README claims, measured anew.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(BENCHMARKS)}")
    parser.add_argument("--markdown", action="store_true", help="print the table for the README")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep all figures in FILE")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    print(machine(), flush=True)
    begun = time.perf_counter()
    rows: list[Row] = []
    broken: list[str] = []
    with tempfile.TemporaryDirectory(prefix="luma-benchmarks-") as folder:
        bench = Bench(Path(folder))
        for name in options.names or BENCHMARKS:
            start = time.perf_counter()
            try:
                rows += BENCHMARKS[name](bench)
            except Exception:  # noqa: BLE001 - the others are still worth running
                traceback.print_exc()
                broken.append(name)
            print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    (print_markdown if options.markdown else print_table)(rows)
    print(f"All took {time.perf_counter() - begun:.0f} s.", file=sys.stderr)
    if options.json:
        write_json(rows, options.json)
    if broken:
        print(f"Broken: {', '.join(broken)}.", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
