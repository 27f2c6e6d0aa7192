"""Several processes share the jobs of a store; some of them die, or the store does."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from jobs.kept import Place, RedisServer, need_redis
from jobs.labour import make_and_do, work

from luma_studio.errors import StoreAwayError
from luma_studio.store.jobs import JobStore

PROCESSES = get_context("forkserver")  # which has read our modules once for all of them
PROCESSES.set_forkserver_preload(["jobs.labour"])


@pytest.fixture(scope="module", autouse=True)
def _fork_server() -> None:
    """Start what processes are forked from where it finds our modules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        first = PROCESSES.Process(target=len, args=("",))
        first.start()
        first.join()


def begin(place: Place, workspace: Path, lease: float, seconds: float = 0.01) -> BaseProcess:
    process = PROCESSES.Process(target=work, args=(place, str(workspace), lease, seconds))
    process.start()
    return process


def wait_for_all(store: JobStore, seconds: float = 120) -> None:
    """Wait until every job has ended."""
    end, mark = time.monotonic() + seconds, 0
    while any(not job.is_over for job in store.every()):
        assert time.monotonic() < end, [job for job in store.every() if not job.is_over]
        mark = store.mark()
        store.wait(mark, 0.5)


def test_four_processes_make_do_and_watch_jobs_none_lost_none_done_twice(shared):
    each, processes = 40, 4
    with PROCESSES.Pool(processes) as pool:
        told = pool.starmap(make_and_do, [(shared, each, each * processes)] * processes)
    did = Counter(job for one in told for what, job in one if what == "did")
    jobs = {job.id: job for job in shared.open().every()}
    assert len(jobs) == each * processes
    assert did == Counter(dict.fromkeys(jobs, 1))
    assert {(job.state, job.attempts) for job in jobs.values()} == {("completed", 1)}
    for one in told:
        assert {job for what, job in one if what == "saw"} == jobs.keys()


def test_every_job_ends_although_workers_are_killed_at_random_moments(shared, workspace):
    store, chance = shared.open(), random.Random(7)  # noqa: S311
    made = [store.create("work", {"number": number}) for number in range(24)]
    workers = [begin(shared, workspace, lease=0.6, seconds=0.05) for _ in range(2)]
    for _ in range(6):
        mark = store.mark()
        store.wait(mark, 30)  # until it lives
        time.sleep(chance.uniform(0, 0.5))
        victim = chance.randrange(2)
        workers[victim].kill()
        workers[victim].join()
        workers[victim] = begin(shared, workspace, lease=0.6, seconds=0.05)
    wait_for_all(store)
    for worker in workers:
        worker.kill()
        worker.join()
    ended = [store.get(job.id) for job in made]
    assert {job.state for job in ended} <= {"completed", "failed"}
    assert all(job.result == str(job.parameters["number"]) for job in ended if job.state == "completed")
    assert all(job.lost == 5 for job in ended if job.state == "failed")  # too many died over it
    assert sum(job.attempts for job in ended) >= len(made)


def test_ctrl_c_gives_jobs_back_at_once(shared, workspace):
    store = shared.open()
    made = store.create("work", {"number": 1})
    worker = begin(shared, workspace, lease=600, seconds=0.2)
    while store.get(made.id).state != "processing":
        store.wait(store.mark(), 0.1)
    time.sleep(0.05)
    signal_worker(worker)
    given_back = store.get(made.id)
    assert (given_back.state, given_back.lost) in (("created", 0), ("completed", 0))


def signal_worker(worker: BaseProcess) -> None:
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGINT)
    worker.join(30)
    assert worker.exitcode is not None


@pytest.fixture
def own_redis(tmp_path_factory):
    need_redis()
    server = RedisServer(tmp_path_factory.mktemp("own-redis"))
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_redis_that_stops_and_starts_again_loses_no_job(own_redis, workspace, number):
    place = Place("redis", own_redis.url)
    store = place.open()
    made = [store.create("work", {"number": number}) for number in range(20)]
    worker = begin(place, workspace, lease=2, seconds=0.05)
    while not any(job.is_over for job in store.every()):
        store.wait(store.mark(), 0.5)
    own_redis.stop(number)
    with pytest.raises(StoreAwayError, match="Redis cannot be reached"):
        store.create("work")
    own_redis.start()
    wait_for_all(store)
    assert {(store.get(job.id).state, store.get(job.id).result) for job in made} == {
        ("completed", str(number)) for number in range(20)
    }
    worker.kill()
    worker.join()


def test_a_worker_waits_for_a_redis_that_is_not_there_yet(own_redis, workspace):
    place = Place("redis", own_redis.url)
    made = place.open().create("work", {"number": 1})
    own_redis.stop()
    worker = begin(place, workspace, lease=2)
    time.sleep(1.5)  # it meets nobody; whether it had begun by then changes nothing
    assert worker.is_alive()
    own_redis.start()
    wait_for_all(place.open())
    assert place.open().get(made.id).state == "completed"
    worker.kill()
    worker.join()
