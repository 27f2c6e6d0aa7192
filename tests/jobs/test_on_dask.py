"""Jobs that the workers of a Dask scheduler do."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from distributed import LocalCluster
from jobs.kept import Place
from jobs.labour import told_and_doubled, until_stopped

from luma_studio.errors import SettingError
from luma_studio.jobs import Worker, work
from luma_studio.jobs.on_dask import on_dask
from luma_studio.settings import load_settings


@pytest.fixture(scope="module")
def scheduler():
    path = str(Path(__file__).parents[1])
    with (
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("PYTHONPATH", path)
        with LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, memory_limit=0
        ) as cluster:
            yield cluster.scheduler_address


def test_work_goes_there_and_progress_and_result_come_back(workspace, scheduler):
    store = Place("sqlite", str(workspace)).open()
    made = [store.create("work", {"number": number}) for number in (4, 5)]
    bad = store.create("work", {"number": "x"})
    heard: list[str] = []

    async def run() -> None:
        async def listen() -> None:
            async with aclosing(store.watch(0)) as changes:
                async for job in changes:
                    heard.extend([job.progress])

        listening = asyncio.create_task(listen())
        settings = load_settings(scheduler=scheduler)
        await work(store, {"work": told_and_doubled}, settings, at_once=2, forever=False)
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening

    asyncio.run(asyncio.wait_for(run(), 120))
    assert [store.get(job.id).result for job in made] == [8, 10]
    assert "Speaking 1 of 2" in heard
    assert (store.get(bad.id).state, store.get(bad.id).error) == ("failed", "ValueError: x is no number")


def test_what_is_cancelled_stops_there(workspace, scheduler):
    store = Place("sqlite", str(workspace)).open()
    made = store.create("work")

    async def run() -> None:
        async with on_dask(scheduler) as how:
            worker = asyncio.create_task(Worker(store, {"work": until_stopped}, how=how).run(forever=False))
            while store.get(made.id).progress == "":
                await asyncio.sleep(0.05)
            store.cancel(made.id)
            await worker

    asyncio.run(asyncio.wait_for(run(), 120))
    assert store.get(made.id).state == "cancelled"


def test_a_scheduler_that_is_not_there_is_told(workspace):
    async def run() -> None:
        async with on_dask("tcp://nowhere"):
            pass

    with pytest.raises(SettingError, match="correct LUMA_SCHEDULER"):
        asyncio.run(run())
