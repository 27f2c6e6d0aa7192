"""A worker does jobs, holds them while it does, and leaves none behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any

import pytest

from luma_studio.errors import Stopped, VoiceError
from luma_studio.jobs import Worker, worker
from luma_studio.progress import Event, Listener
from luma_studio.store.jobs import Job, JobStore

WAIT = 60  # seconds after which a test has failed


async def double(parameters: Mapping[str, Any], listener: Listener) -> Any:
    listener(Event("speak", 1, 2))
    return 2 * parameters["number"]


def doing(store: JobStore, do: worker.Do, **options: Any) -> Worker:
    return Worker(store, {"work": do}, **options)


def done(store: JobStore, do: worker.Do, **options: Any) -> None:
    """Do all jobs that wait."""
    asyncio.run(asyncio.wait_for(doing(store, do, **options).run(forever=False), WAIT))


async def until(store: JobStore, so: Callable[[Job], bool], mark: int = 0) -> Job:
    async with aclosing(store.watch(mark)) as changes:
        async for job in changes:
            if so(job):
                return job
    raise AssertionError


def beside(store: JobStore, do: worker.Do, story: Callable[[], Awaitable[None]], **options: Any) -> None:
    """A worker that runs, and what happens meanwhile; it is ended after."""

    async def both() -> None:
        running = asyncio.create_task(doing(store, do, **options).run())
        try:
            await asyncio.wait_for(story(), WAIT)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    asyncio.run(both())


def test_it_does_what_waits_and_writes_down_what_came_of_it(store):
    made = [store.create("work", {"number": number}) for number in range(5)]
    done(store, double, at_once=2)
    assert [store.get(job.id).result for job in made] == [0, 2, 4, 6, 8]
    assert {store.get(job.id).state for job in made} == {"completed"}


def test_it_takes_up_at_once_what_is_created_while_it_waits(store):
    async def story() -> None:
        for number in range(3):
            mark = store.mark()
            made = await asyncio.to_thread(store.create, "work", {"number": number})
            ended = await until(store, lambda job, made=made: job.id == made.id and job.is_over, mark)
            assert ended.result == 2 * number

    beside(store, double, story)


def test_it_leaves_jobs_of_other_kinds_to_others(store):
    other = store.create("film")
    done(store, double)
    assert store.get(other.id).state == "created"


def test_it_does_as_many_at_once_as_it_may(store):
    now, most = 0, 0

    async def count(_parameters: Mapping[str, Any], _listener: Listener) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        now -= 1

    for _ in range(9):
        store.create("work")
    done(store, count, at_once=3)
    assert most == 3


def test_it_tells_how_far_a_job_is_from_whichever_thread_it_is_told(store):
    made = store.create("work")
    seen = threading.Event()

    async def work(_parameters: Mapping[str, Any], listener: Listener) -> None:
        await asyncio.to_thread(listener, Event("encode", 3, 4, "master.mp3"))
        await asyncio.to_thread(seen.wait, WAIT)

    async def story() -> None:
        told = await until(store, lambda job: job.progress != "")
        assert (told.id, told.progress, told.share) == (made.id, "Encoding 3 of 4", 0.75)
        seen.set()
        await until(store, lambda job: job.is_over)

    beside(store, work, story)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (VoiceError("1 of 2 clauses could not be spoken."), "1 of 2 clauses could not be spoken."),
        (ValueError("odd\nnumber"), "ValueError: odd number"),
        (KeyError(), "KeyError"),
    ],
)
def test_what_goes_wrong_is_told_in_a_sentence_and_the_next_job_is_done(store, error, told):
    async def fail(parameters: Mapping[str, Any], _listener: Listener) -> None:
        if parameters:
            raise error

    bad, good = store.create("work", {"fails": True}), store.create("work")
    done(store, fail)
    assert (store.get(bad.id).state, store.get(bad.id).error) == ("failed", told)
    assert store.get(good.id).state == "completed"


def test_a_result_that_is_no_json_is_a_failure_with_its_reason(store):
    async def work(_parameters: Mapping[str, Any], _listener: Listener) -> object:
        return object()

    made = store.create("work")
    done(store, work)
    assert store.get(made.id).state == "failed"
    assert "must be JSON" in store.get(made.id).error


async def tells_for_ever(_parameters: Mapping[str, Any], listener: Listener) -> None:
    while True:
        listener(Event("speak", 1, 2))
        await asyncio.sleep(0.01)


async def says_nothing(_parameters: Mapping[str, Any], _listener: Listener) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("do", [tells_for_ever, says_nothing])
def test_a_job_that_is_cancelled_stops(store, do, monkeypatch):
    monkeypatch.setattr(worker, "_GRACE", 0.1)
    made = store.create("work")

    async def story() -> None:
        await until(store, lambda job: job.state == "processing")
        await asyncio.to_thread(store.cancel, made.id)
        assert (await until(store, lambda job: job.is_over)).state == "cancelled"

    beside(store, do, story)


def test_a_job_that_is_done_although_it_was_to_stop_is_done(store):
    made, stops = store.create("work"), threading.Event()

    async def work(_parameters: Mapping[str, Any], listener: Listener) -> str:
        while not stops.is_set():
            try:
                listener(Event("speak", 1, 2))
            except Stopped:
                return "all of it"
            await asyncio.sleep(0.01)
        raise AssertionError

    async def story() -> None:
        await until(store, lambda job: job.state == "processing")
        store.cancel(made.id)
        await until(store, lambda job: job.is_over)

    beside(store, work, story)
    assert (store.get(made.id).state, store.get(made.id).result) == ("completed", "all of it")


@pytest.mark.parametrize("do", [tells_for_ever, says_nothing])
def test_a_worker_that_ends_gives_back_what_it_has_not_done(store, do, monkeypatch):
    monkeypatch.setattr(worker, "_GRACE", 0.1)
    made = store.create("work", {"number": 4})

    async def story() -> None:
        await until(store, lambda job: job.state == "processing")

    beside(store, do, story)
    waiting = store.get(made.id)
    assert (waiting.state, waiting.lost, waiting.owner) == ("created", 0, "")
    done(store, double)
    assert store.get(made.id).result == 8


def test_a_lease_is_renewed_while_the_work_goes_on(store):
    made = store.create("work")
    lease = 0.8

    async def work(_parameters: Mapping[str, Any], _listener: Listener) -> None:
        first = store.get(made.id).until
        while store.get(made.id).until < first + 2 * lease:
            await asyncio.sleep(0.01)

    done(store, work, lease=lease)
    ended = store.get(made.id)
    assert (ended.state, ended.attempts) == ("completed", 1)


def test_who_lost_a_job_stops_and_what_it_made_is_not_written_down(store):
    made, asked_to_stop = store.create("work"), threading.Event()

    async def work(_parameters: Mapping[str, Any], listener: Listener) -> str:
        if asked_to_stop.is_set():
            return "second"
        while True:
            try:
                listener(Event("speak", 1, 2))
            except Stopped:
                asked_to_stop.set()
                return "first"
            await asyncio.sleep(0.01)

    async def story() -> None:
        held = await until(store, lambda job: job.state == "processing")
        await asyncio.to_thread(store.renew, held, 0)  # as if its worker had been silent for long
        stolen = await asyncio.to_thread(store.claim, "thief")
        assert stolen is not None
        await asyncio.to_thread(asked_to_stop.wait, WAIT)
        await asyncio.to_thread(store.complete, stolen, "the thief's")

    beside(store, work, story, lease=0.4)
    assert store.get(made.id).result == "the thief's"
