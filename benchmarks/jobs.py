"""Jobs: a thousand of them, made, done and watched by four processes, in SQLite and in a Redis of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.result import Row
from luma_studio.errors import StoreAwayError
from luma_studio.store.jobs import JobStore
from luma_studio.store.jobs.redis import RedisShelf
from luma_studio.store.jobs.sqlite import SqliteShelf

_JOBS = 1000
_PROCESSES = 4
_LEAST = 200  # changes a second
_CHANGES = 4  # of a job: created, taken up, half done, completed


@dataclass(frozen=True, slots=True)
class _Told:
    """What a process did: when it began and ended, the jobs that it completed, and those that it saw completed."""

    began: float
    ended: float
    did: list[str]
    saw: set[str]


def jobs(bench: Bench) -> list[Row]:
    """Have four processes make, do and watch a thousand jobs."""
    folder = bench.folder / "jobs"
    rows = [_measured("SQLite", str(folder))]
    server = shutil.which("redis-server")
    if server:
        with _redis(server, bench.folder / "redis") as url:
            rows.append(_measured("Redis", url))
    return rows


def _measured(name: str, at: str) -> Row:
    context = get_context("spawn")
    with context.Manager() as manager, context.Pool(_PROCESSES) as pool:
        together = manager.Barrier(_PROCESSES)
        told: list[_Told] = pool.starmap(_work, [(at, together)] * _PROCESSES, chunksize=1)
    took = max(each.ended for each in told) - min(each.began for each in told)
    kept = list(_open(at).every())
    did = Counter(job for each in told for job in each.did)
    lost = _JOBS - sum(job.state == "completed" for job in kept)
    twice = sum(count > 1 for count in did.values()) + sum(job.attempts > 1 for job in kept)
    unseen = sum(_JOBS - len(each.saw) for each in told)
    changes = _JOBS * _CHANGES
    return Row(
        "jobs",
        f"{_JOBS} jobs on {name}, made, done and watched by {_PROCESSES} processes",
        f"{changes / took:,.0f} changes a second; {lost} lost, {twice} done twice, {unseen} ends not seen",
        f"≥ {_LEAST}; none, none, none",
        changes / took >= _LEAST and not lost and not twice and not unseen and len(kept) == _JOBS,
        f"{changes} changes in {took:.1f} s",
        {"seconds": took, "lost": lost, "twice": twice, "unseen": unseen},
    )


def _work(at: str, together: Barrier) -> _Told:
    store, mark = _open(at), 0
    did: list[str] = []
    saw: set[str] = set()
    together.wait()
    began = time.time()
    for number in range(_JOBS // _PROCESSES):
        store.create("work", {"number": number})
    while len(saw) < _JOBS:
        job = store.claim("bench", ["work"])
        if job is not None:
            store.progress(job, "half", 0.5)
            did.append(store.complete(job, {"number": job.parameters["number"]}).id)
        elif not store.wait(mark, 30):
            break
        found, mark = store.changes(mark)
        saw |= {each.id for each in found if each.is_over}
    return _Told(began, time.time(), did, saw)


def _open(at: str) -> JobStore:
    return JobStore(RedisShelf(at) if at.startswith("redis:") else SqliteShelf(Path(at)))


@contextmanager
def _redis(server: str, folder: Path) -> Iterator[str]:
    """A redis-server that writes down each change within a second."""
    folder.mkdir()
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    options: dict[str, Any] = {"port": port, "bind": "127.0.0.1", "dir": folder, "appendonly": "yes", "save": ""}
    arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    process = subprocess.Popen([server, *arguments], stdout=subprocess.DEVNULL)
    try:
        url = f"redis://127.0.0.1:{port}"
        _answers(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            RedisShelf(url).mark()
        except StoreAwayError:
            if time.monotonic() > until:
                raise
        else:
            return
