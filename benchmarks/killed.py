"""Workers of real jobs killed at 50 random moments, over vendors that count what they sell (the tests' fakes)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.result import Row

_KILLS = 50
_PROGRAM = """
import json, os, random, sys
from pathlib import Path
from helpers import killing
from helpers.vendors import Vendors

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir()
    os.chdir(folder)
    with Vendors() as vendors:
        os.environ |= killing.environment(vendors)
        told = killing.killed(folder, vendors, int(sys.argv[2]), random.Random())
    print(json.dumps(vars(told)))
"""


def killed(bench: Bench) -> list[Row]:
    """Kill a worker over each of 50 jobs, have another do it to its end, and count what was bought."""
    tests = Path(__file__).parents[1] / "tests"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tests), str(tests.parent)))}
    command = [sys.executable, "-c", _PROGRAM, str(bench.folder / "killed"), str(_KILLS)]
    answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    told: dict[str, Any] = json.loads(answer.stdout)
    ended, twice, flying = told["states"].get("completed", 0), len(told["twice"]), len(told["in_flight"])
    return [
        Row(
            "killed",
            f"{_KILLS} jobs (narration, film), a worker killed at a random moment of each",
            f"{ended} completed; bought twice: {twice} videos and clauses that had arrived, "
            f"{flying} clauses that were on their way",
            "all; none",
            ended == _KILLS and not twice and not flying,
            f"{told['videos']} videos, {told['clauses']} clauses; {told['died']} workers died over a job",
            told,
        )
    ]
