"""Jobs as they are kept, in memory, in SQLite and in Redis alike."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import pytest

from luma_studio.errors import InputError, LeaseLostError, NoJobError, SettingError, StoreError
from luma_studio.settings import load_settings
from luma_studio.store.jobs import Job, JobStore, model, open_jobs
from luma_studio.store.jobs.model import MOST_LOST

GONE = 0.0  # a lease of no seconds: its worker is dead


def test_a_job_has_an_id_at_once_and_is_there_as_it_was_created(store):
    made = store.create("narrate", {"script": "नमस्ते", "fit": [1, None, 0.1, {}]}, subject="calm")
    assert store.get(made.id) == made
    assert (made.state, made.progress, made.share, made.attempts, made.began) == ("created", "", 0, 0, None)
    assert json.loads(json.dumps(made.parameters)) == {"script": "नमस्ते", "fit": [1, None, 0.1, {}]}


def test_the_oldest_is_taken_up_first_and_only_of_the_kinds_that_were_asked_for(store):
    first, film, second = store.create("narrate"), store.create("film"), store.create("narrate")
    assert [store.claim("us", ["narrate"]).id for _ in range(2)] == [first.id, second.id]
    assert store.claim("us", ["narrate"]) is None
    assert store.claim("us", ()) is None
    assert store.claim("us").id == film.id


def test_a_job_goes_its_way_and_everybody_sees_how_far_it_is(store):
    made = store.create("narrate")
    job = store.claim("us")
    assert (job.state, job.attempts, job.owner[:3]) == ("processing", 1, "us ")
    assert job.began is not None
    store.progress(job, "Speaking 3 of 4", 0.75)
    assert (store.get(made.id).progress, store.get(made.id).share) == ("Speaking 3 of 4", 0.75)
    assert store.renew(job, 60).until > job.until
    done = store.complete(job, {"master": "calm.mp3"})
    assert (done.state, done.share, done.result, done.until) == ("completed", 1.0, {"master": "calm.mp3"}, None)
    assert done.ended >= done.began >= done.created
    assert store.get(made.id) == done


def test_a_failed_job_says_why(store):
    store.create("narrate")
    assert store.fail(store.claim("us"), "The disk is full.").error == "The disk is full."


def ends(store: JobStore, job: Job, how: str) -> Job:
    return {"complete": store.complete, "fail": lambda job: store.fail(job, "No."), "stopped": store.stopped}[how](job)


@pytest.mark.parametrize("how", ["complete", "fail", "stopped"])
@pytest.mark.parametrize("then", ["complete", "fail", "stopped", "give_back", "renew", "progress", "cancel"])
def test_a_job_never_leaves_an_end_state(store, how, then):
    store.create("narrate")
    job = store.claim("us")
    ended = ends(store, job, how)
    if then == "cancel":
        assert store.cancel(job.id) == ended
    elif then == how:
        assert ends(store, job, then) == ended  # as by one who did not hear the answer
    else:
        call = {"give_back": store.give_back, "renew": store.renew, "progress": lambda job: store.progress(job, "", 0)}
        with pytest.raises(LeaseLostError):
            call.get(then, lambda job: ends(store, job, then))(job)
    assert store.get(job.id) == ended


def test_a_dead_workers_job_is_taken_up_by_another_and_the_dead_one_cannot_write_any_more(store):
    made = store.create("narrate")
    dead = store.claim("dead", seconds=GONE)
    job = store.claim("us")
    assert (job.id, job.attempts, job.lost, job.began) == (made.id, 2, 1, dead.began)
    for late in (store.renew, store.complete, store.stopped, store.give_back):
        with pytest.raises(LeaseLostError, match="taken up by another worker"):
            late(dead)
    assert store.complete(job).state == "completed"


def test_a_lease_that_is_renewed_is_not_taken(store):
    store.create("narrate")
    job = store.claim("us", seconds=GONE)
    store.renew(job)
    assert store.claim("them") is None


def test_a_job_over_which_too_many_workers_died_fails(store):
    made = store.create("narrate")
    for attempt in range(1, MOST_LOST + 1):
        assert store.claim("dead", seconds=GONE).attempts == attempt
    assert store.claim("us") is None
    failed = store.get(made.id)
    assert (failed.state, failed.lost) == ("failed", MOST_LOST)
    assert failed.error == "5 workers died over it. See whether the memory suffices, and try again."


def test_a_job_that_is_given_back_waits_in_its_old_place_and_nobody_died_over_it(store):
    first, _ = store.create("narrate"), store.create("narrate")
    for _ in range(2 * MOST_LOST):
        job = store.claim("us")
        assert job.id == first.id
        assert store.give_back(job).state == "created"
    assert store.get(first.id).lost == 0


def test_a_job_that_nobody_holds_is_cancelled_at_once(store):
    made = store.create("narrate")
    assert store.cancel(made.id).state == "cancelled"
    assert store.claim("us") is None
    store.create("narrate")
    dead = store.claim("dead", seconds=GONE)
    assert store.cancel(dead.id).state == "cancelled"


@pytest.mark.parametrize("hears", ["renew", "progress"])
def test_the_worker_that_holds_a_job_hears_that_it_is_to_stop(store, hears):
    store.create("narrate")
    job = store.claim("us")
    assert not store.renew(job).cancelling
    asked = store.cancel(job.id)
    assert (asked.state, asked.cancelling) == ("processing", True)
    assert store.cancel(job.id) == asked
    assert (store.renew(job) if hears == "renew" else store.progress(job, "", 0)).cancelling
    assert store.stopped(job).state == "cancelled"


@pytest.mark.parametrize("end", ["give_back", "die"])
def test_a_job_that_is_to_stop_does_not_begin_again(store, end):
    store.create("narrate")
    job = store.claim("us", seconds=60)
    store.cancel(job.id)
    if end == "give_back":
        store.give_back(job)
    else:
        store.renew(job, GONE)
    assert store.claim("them") is None
    assert store.get(job.id).state == "cancelled"


def test_jobs_are_listed_newest_first_page_by_page_by_state_kind_and_subject(store):
    made = [store.create("film" if number % 2 else "narrate", subject=f"s{number % 3}") for number in range(250)]
    ids = [job.id for job in reversed(made)]
    first = store.listed(most=100)
    assert [job.id for job in first] == ids[:100]
    assert [job.id for job in store.listed(most=100, before=first[-1].number)] == ids[100:200]
    assert [job.id for job in store.every()] == ids
    store.cancel(made[3].id)
    assert [job.id for job in store.listed(state="cancelled")] == [made[3].id]
    assert {job.kind for job in store.listed(kind="film", most=1000)} == {"film"}
    assert len(store.listed(kind="film", most=1000)) == 125
    assert [job.id for job in store.listed(subject="s0", kind="film", most=2)] == [made[249].id, made[243].id]
    assert store.listed(subject="nobody") == []


def test_changes_since_a_mark_are_told_once_each_in_order_as_jobs_stand_now(store):
    before = store.mark()
    first, second = store.create("narrate"), store.create("narrate")
    job = store.claim("us")
    store.progress(job, "half", 0.5)
    jobs, mark = store.changes(before)
    assert [(each.id, each.progress) for each in jobs] == [(second.id, ""), (first.id, "half")]
    assert store.changes(mark) == ([], mark)
    assert mark == store.mark()


def test_waiting_ends_when_something_changes_and_not_before(store):
    mark = store.mark()
    assert not store.wait(mark, 0.01)
    waits = threading.Event()

    def wait() -> bool:
        waits.set()
        return store.wait(mark, 60)

    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(wait)
        waits.wait()
        store.create("narrate")
        assert found.result(30)
    assert store.wait(mark, 60)  # it had changed before


def test_a_watcher_hears_of_each_job_to_its_end(store):
    async def watched() -> list[tuple[str, str]]:
        mark = store.mark()
        made = [store.create("narrate") for _ in range(3)]
        heard: list[tuple[str, str]] = []
        async with aclosing(store.watch(mark)) as changes:
            async for job in changes:
                heard.append((job.id, job.state))
                if job.state == "created":
                    held = await asyncio.to_thread(store.claim, "us")
                    await asyncio.to_thread(store.complete, held)
                if sum(state == "completed" for _, state in heard) == 3:
                    break
        assert {job for job, state in heard if state == "completed"} == {job.id for job in made}
        return heard

    asyncio.run(asyncio.wait_for(watched(), 60))


def test_ended_jobs_are_swept_after_their_time_and_no_others(store):
    ended, waiting = store.create("narrate"), store.create("film")
    store.cancel(ended.id)
    assert store.sweep(3600) == []
    assert [job.id for job in store.sweep(0)] == [ended.id]
    with pytest.raises(NoJobError, match="no job"):
        store.get(ended.id)
    assert [job.id for job in store.every()] == [waiting.id]
    assert store.create("narrate").number > waiting.number
    assert next(job.id for job in store.changes(0)[0]) == waiting.id


def test_many_ended_jobs_are_swept_at_once(store):
    for _ in range(230):
        store.cancel(store.create("narrate").id)
    assert len(store.sweep(0)) == 230


def test_what_is_still_to_be_told_is_not_swept_and_told_once_by_one(anywhere):
    store = anywhere.open(tells=True)
    made = store.cancel(store.create("narrate").id)
    assert made.notice.outcome == "due"
    assert store.sweep(0) == []
    telling = store.to_tell(60)
    assert (telling.id, telling.notice.tries) == (made.id, 1)
    assert store.to_tell(60) is None
    store.told(telling, arrived=True)
    assert store.get(made.id).notice.outcome == "delivered"
    assert store.get(made.id).state == "cancelled"
    assert len(store.sweep(0)) == 1


def test_a_notice_that_does_not_arrive_is_tried_again_later_and_given_up_at_last(anywhere):
    store = anywhere.open(tells=True)
    made = store.cancel(store.create("narrate").id)
    assert store.to_tell(GONE).notice.tries == 1  # and its teller died
    store.told(store.to_tell(60), arrived=False)
    later = store.get(made.id)
    assert later.notice.due > later.changed
    assert store.to_tell(60) is None


def test_notices_are_tried_for_a_day_ever_less_often_and_then_given_up():
    job, waits = model.to_tell(model.ended(Job("id", "narrate", {}, "", 0, 0), 0, "failed")), []
    while job.notice.due is not None:
        job = model.told(model.telling(job, 0, 60), 0, arrived=False)
        waits.append(job.notice.due or 0)
    assert job.notice.outcome == "given up"
    assert waits[:-1] == sorted(waits[:-1])
    assert 3600 * 12 < sum(waits) < 86_400


def test_a_store_without_a_webhook_tells_nobody(store):
    store.cancel(store.create("narrate").id)
    assert store.to_tell(60) is None


@pytest.mark.parametrize("value", [{1: "a"}, {"a": object()}, {"a": float("nan")}, {"a": (1, 2)}, {"a": b"x"}])
def test_what_is_no_json_is_refused_before_anything_is_written(store, value):
    with pytest.raises(InputError, match="must be JSON"):
        store.create("narrate", value)
    assert list(store.every()) == []
    store.create("narrate")
    job = store.claim("us")
    with pytest.raises(InputError, match="must be JSON"):
        store.complete(job, value)
    assert store.get(job.id).state == "processing"


def test_two_openings_see_the_same_jobs(shared):
    one, other = shared.open(), shared.open()
    made = one.create("narrate")
    assert other.claim("us").id == made.id
    assert one.get(made.id).state == "processing"
    one.close()
    other.close()
    assert shared.open().get(made.id).state == "processing"


# Which store it is


def test_the_settings_choose_the_store_and_nothing_is_written_before_there_is_a_job(workspace, monkeypatch):
    store = open_jobs(workspace / "audio", load_settings())
    assert (list(store.every()), store.mark(), store.claim("us"), store.sweep(0)) == ([], 0, None, [])
    assert list(workspace.iterdir()) == []
    store.create("narrate")
    assert (workspace / "audio" / "jobs.sqlite").exists()
    monkeypatch.setenv("JOB_STORAGE", "memory")
    memory = open_jobs(workspace, load_settings())
    made = memory.create("narrate")
    assert open_jobs(workspace, load_settings()).get(made.id) == made
    with pytest.raises(NoJobError):
        open_jobs(workspace / "other", load_settings()).get(made.id)


def test_memory_is_refused_where_several_processes_work(workspace, monkeypatch):
    monkeypatch.setenv("JOB_STORAGE", "memory")
    monkeypatch.setenv("WORKERS", "4")
    with pytest.raises(SettingError) as refused:
        open_jobs(workspace, load_settings())
    assert str(refused.value).startswith("Cannot use in-memory job storage with 4 workers. ")
    assert "JOB_STORAGE=redis" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("JOB_STORAGE", "paper", "JOB_STORAGE cannot be 'paper': it must be one of sqlite, redis, memory"),
        ("WORKERS", "none", "WORKERS cannot be 'none': it must be a whole number from 1"),
    ],
)
def test_a_wrong_setting_is_told_by_its_name(workspace, monkeypatch, name, value, told):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=told):
        open_jobs(workspace, load_settings())


def test_an_address_that_is_none_and_a_server_that_is_not_there_are_told(workspace, monkeypatch):
    monkeypatch.setenv("JOB_STORAGE", "redis")
    monkeypatch.setenv("REDIS_URL", "nowhere")
    with pytest.raises(SettingError, match="REDIS_URL is no address"):
        open_jobs(workspace, load_settings())
    monkeypatch.setenv("REDIS_URL", "redis://user:secret@127.0.0.1:1/0")
    with pytest.raises(StoreError, match=r"Redis cannot be reached at 127\.0\.0\.1:1 .*correct REDIS_URL\.$"):
        open_jobs(workspace, load_settings()).create("narrate")


def test_a_damaged_file_is_told(workspace):
    (workspace / "jobs.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="move it away"):
        open_jobs(workspace, load_settings()).create("narrate")
