"""Narration and film as jobs: they do what the verbs do, tell how far they are, stop, and buy nothing twice."""

from __future__ import annotations

import asyncio
import os
import pickle
import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import killing

from luma_studio.cli import main
from luma_studio.errors import SettingError
from luma_studio.jobs import Worker, presence
from luma_studio.kinds import film_later, kinds, narrate_later
from luma_studio.store import files
from luma_studio.store.jobs import Job
from luma_studio.studio import STORE, Studio

SCRIPT = "Calm\nClose your eyes. (1 sec)\nBreathe in. (1 sec)\n"


def run(*arguments: object):
    return CliRunner().invoke(main, list(map(str, arguments)))


def done(studio: Studio, job: Job) -> Job:
    asyncio.run(asyncio.wait_for(Worker(studio.jobs, kinds(studio)).run(forever=False), 120))
    return studio.jobs.get(job.id)


@pytest.fixture
def script(workspace: Path) -> Path:
    path = workspace / "calm.txt"
    path.write_text(SCRIPT, "utf-8")
    return path


def test_a_narration_as_a_job_gives_the_same_bytes_as_the_verbs(studio, workspace, script):
    with Studio(workspace / "verbs") as other:
        production = other.production("calm", SCRIPT)
        asyncio.run(production.speak())
        production.fit("0:10")
        production.export("calm.mp3", "master.wav")
    studio.production("calm", SCRIPT)
    ended = done(studio, narrate_later(studio, "calm", fit="0:10", masters=("calm.mp3", "master.wav")))
    assert ended.state == "completed", ended.error
    assert (ended.result["masters"], ended.result["seconds"]) == (["calm.mp3", "master.wav"], 10.0)
    assert (ended.subject, ended.kind) == ("calm", "narrate")
    folder = studio.folder / "calm"
    for path in production.folder.glob("*.[mwsv]*"):
        assert (folder / path.name).read_bytes() == path.read_bytes()


def test_a_film_as_a_job_is_the_verbs_and_tells_each_scene_as_it_comes(studio):
    studio.production("calm", SCRIPT, orientation="landscape")
    ended = done(studio, film_later(studio, "calm", speak=True))
    assert ended.state == "completed", ended.error
    assert (ended.result["status"], ended.result["film"], ended.result["errors"]) == ("success", "film.mp4", [])
    assert studio.production("calm").filmed.film == "film.mp4"
    scenes = {event["subject"]: event["outcome"] for event in ended.events if event["stage"] == "film"}
    assert scenes == {"scene_1": "done"}


def test_what_is_not_spoken_is_not_bought_by_a_film_that_was_not_asked_to(studio):
    studio.production("calm", SCRIPT)
    ended = done(studio, film_later(studio, "calm"))
    assert (ended.state, "Speak first" in ended.error) == ("failed", True)


def test_a_job_waits_for_a_production_that_a_worker_without_a_lease_still_films(studio):
    production = studio.production("calm", SCRIPT, orientation="landscape")
    asyncio.run(production.speak())
    lock = files.hold(production.folder / ".film.lock")
    assert lock is not None
    made = film_later(studio, "calm")

    async def both() -> None:
        worker = asyncio.create_task(Worker(studio.jobs, kinds(studio)).run(forever=False))
        while "Filming" not in studio.jobs.get(made.id).progress:
            await asyncio.sleep(0.02)
        lock.release()
        await worker

    asyncio.run(asyncio.wait_for(both(), 60))
    assert studio.jobs.get(made.id).state == "completed"


def test_the_kinds_can_be_sent_to_another_process(studio):
    assert pickle.loads(pickle.dumps(kinds(studio))).keys() == {"narrate", "film"}  # noqa: S301


def test_where_jobs_are_in_memory_none_is_begun_that_nobody_could_do(studio, monkeypatch):
    monkeypatch.setenv("JOB_STORAGE", "memory")
    with pytest.raises(SettingError, match="JOB_STORAGE=memory"):
        narrate_later(studio, "calm")
    result = run("jobs", "work", "--once")
    assert (result.exit_code, "JOB_STORAGE=memory" in result.stderr) == (2, True)


@pytest.mark.parametrize("kind", ["narrate", "film"])
def test_a_command_gives_the_id_of_a_job_at_once_and_another_does_it(studio, script, kind):
    begun = run(kind, script, "--as-job")
    assert begun.exit_code == 0, begun.output
    (made,) = studio.jobs.listed()
    assert begun.stdout == f"{made.id}\n"
    assert "luma-studio jobs work" in begun.stderr
    assert (made.state, made.kind, made.subject) == ("created", kind, "calm")
    worked = run("jobs", "work", "--once")
    assert worked.exit_code == 0, worked.output
    assert f"{made.id} {kind} calm: completed" in worked.stdout
    assert studio.jobs.get(made.id).state == "completed"
    assert (studio.folder / "calm" / {"narrate": "master.mp3", "film": "film.mp4"}[kind]).exists()


def test_what_is_wrong_is_told_before_there_is_a_job(studio, script):
    assert run("narrate", script, "--as-job", "--voice", "nobody:x").exit_code == 2
    assert run("film", "nothing", "--as-job").exit_code == 2
    assert studio.jobs.listed() == []


def test_whether_anybody_does_jobs_is_known_and_the_dead_leave_nothing(workspace):
    store = workspace / STORE
    assert not presence.is_anybody(store)
    with presence.present(store), presence.present(store):
        assert presence.is_anybody(store)
    assert not presence.is_anybody(store)
    (store / "workers" / "dead").touch()
    assert not presence.is_anybody(store)
    assert list((store / "workers").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_workers_killed_at_random_moments_leave_no_job_undone_and_buy_nothing_twice(workspace, vendors, monkeypatch):
    for name, value in killing.environment(vendors).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    told = killing.killed(workspace, vendors, 6, random.Random(11))  # noqa: S311
    assert told.states == {"completed": 6}
    assert told.died >= 3
    assert told.twice == []
    assert (told.videos, told.clauses) == (6, 18)
