"""Filming that is a job: another process does it, every page shows it, and closing the page stops nothing."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from helpers.camera import Camera, given
from helpers.fakes import FakeVoice, give

from luma_studio import Studio
from luma_studio.errors import JobFailedError, SettingError
from luma_studio.jobs import Worker, presence
from luma_studio.kinds import kinds
from luma_studio.panels.session import Session
from luma_studio.studio import STORE

SCRIPT = "Arriving\nClose your eyes. (2 sec)\n\nLeaving\nOpen your eyes. (1 sec)\n"
WAIT = 30


@pytest.fixture
def camera(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Camera:
    give(studio, FakeVoice())
    return given(Camera(), monkeypatch)


@pytest.fixture
def attended(studio: Studio) -> Iterator[None]:
    """Somebody is there to do jobs, and has not begun yet."""
    with presence.present(studio.folder / STORE):
        yield


@pytest.fixture
def session(studio: Studio, camera: Camera, attended: None) -> Iterator[Session]:
    with Session(studio) as session:
        session.begin("calm", SCRIPT)
        assert session.speak().wait(WAIT)
        yield session


def told(session: Session, topic: str = "work") -> list[Any]:
    found: list[Any] = []
    session.listen(lambda heard, value: found.append(value) if heard == topic else None)
    return found


def until(so: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT
    while not so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


@contextmanager
def worker(workspace: Any) -> Iterator[None]:
    """What does jobs, beside the pages; it is ended after."""
    ready, loops = threading.Event(), []

    async def run() -> None:
        loops.append((asyncio.get_running_loop(), asyncio.current_task()))
        ready.set()
        with Studio(workspace) as studio, suppress(asyncio.CancelledError):
            await Worker(studio.jobs, kinds(studio)).run()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    ready.wait(WAIT)
    try:
        yield
    finally:
        loop, task = loops[0]
        loop.call_soon_threadsafe(task.cancel)
        thread.join(WAIT)


def test_filming_is_a_job_that_tells_each_scene_as_it_comes_and_its_end(session, workspace, camera):
    heard = told(session)
    work = session.film()
    (job,) = session.studio.jobs.listed()
    assert (job.kind, job.subject, work.state()["outlives"]) == ("film", "calm", True)
    with worker(workspace):
        assert work.wait(WAIT)
    assert work.state()["status"] == "done"
    assert {scene: what[0] for scene, what in work.state()["scenes"].items()} == {"scene_1": "done", "scene_2": "done"}
    assert heard[0]["status"] == "running"
    assert heard[-1]["status"] == "done"
    assert session.production.filmed.film == "film.mp4"
    assert camera.bought == {"scene_1": 1, "scene_2": 1}


def test_closing_the_page_stops_nothing_and_a_page_opened_later_shows_it(session, studio, workspace, camera):
    camera.waits_for = 3  # no scene ends until a third begins, which there is none of
    session.film()
    with worker(workspace):
        until(lambda: studio.jobs.listed()[0].events)
        session.close()
        with Session(studio) as later:
            later.open("calm")
            until(lambda: later.works() and later.works()[0]["scenes"])
            assert [(each["kind"], each["status"]) for each in later.works()] == [("film", "running")]
            camera.waits_for = 1
            until(lambda: later.works()[0]["status"] == "done")
            assert later.production.filmed.status == "success"
    assert camera.bought == {"scene_1": 1, "scene_2": 1}


def test_stopping_it_cancels_the_job_and_its_end_is_told(session, studio, workspace, camera):
    camera.waits_for = 3
    work = session.film()
    with worker(workspace):
        until(lambda: studio.jobs.listed()[0].events)
        session.stop("film")
        assert work.state()["status"] == "stopping"
        camera.waits_for = 1
        assert work.wait(WAIT)
    assert work.state()["status"] == "stopped"
    assert studio.jobs.listed()[0].state == "cancelled"


def test_a_job_that_nobody_has_taken_up_is_stopped_at_once(session, studio):
    work = session.film()
    session.stop("film")
    assert work.wait(WAIT)
    assert (work.state()["status"], studio.jobs.listed()[0].state) == ("stopped", "cancelled")


def test_what_went_wrong_is_told_in_its_sentence(session, studio, workspace, camera, monkeypatch):
    work = session.film()
    job = studio.jobs.claim("us")
    studio.jobs.fail(job, "The disk is full.")
    assert work.wait(WAIT)
    assert (work.state()["status"], work.state()["error"]) == ("failed", "The disk is full.")


def test_a_scene_that_fails_is_told_and_the_film_can_be_tried_again(session, workspace, camera):
    camera.failing["scene_2"] = JobFailedError("The camera could not make the video.", vendor="Camera")
    work = session.film()
    with worker(workspace):
        assert work.wait(WAIT)
        assert work.state()["scenes"]["scene_2"][:2] == ["failed", "The camera could not make the video."]
        camera.failing.clear()
        assert session.film(["scene_2"]).wait(WAIT)
    assert session.production.filmed.status == "success"
    assert camera.filmed == {"scene_1": 1, "scene_2": 1}


def test_while_it_is_filmed_it_is_not_filmed_beside_that_nor_is_another_production_opened(session):
    session.film()
    with pytest.raises(SettingError, match="already on its way"):
        session.film()
    with pytest.raises(SettingError, match="still on its way"):
        session.leave()


def test_pauses_are_tuned_while_a_job_films(session, workspace, camera):
    camera.waits_for = 3
    work = session.film()
    with worker(workspace):
        until(lambda: session.studio.jobs.listed()[0].events)
        session.edit(lambda production: production.tune({0: 4.0}))
        camera.waits_for = 1
        assert work.wait(WAIT)
    assert session.production.pauses[0].seconds == 4.0


def test_where_nobody_does_jobs_the_page_films_by_itself(studio, camera):
    with Session(studio) as session:
        session.begin("calm", SCRIPT)
        assert session.speak().wait(WAIT)
        work = session.film()
        assert work.wait(WAIT)
        assert (work.state()["status"], work.state()["outlives"]) == ("done", False)
        assert studio.jobs.listed() == []
