"""The laws of jobs under any order of what may happen to them, against a plain account of it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from jobs.kept import Place, RedisServer

from luma_studio.errors import LeaseLostError
from luma_studio.store.jobs import ENDED, Job
from luma_studio.store.jobs.model import MOST_LOST
from luma_studio.store.jobs.redis import RedisShelf

KINDS = ["narrate", "film"]


@dataclass
class Known:
    """What must be so of a job."""

    kind: str
    state: str = "created"
    attempt: int = 0  # the one that holds it
    lost: int = 0
    dead: bool = False
    cancelling: bool = False

    def end_of_lease(self) -> None:
        self.lost += 1
        self.dead = False
        self.state = "cancelled" if self.cancelling else "failed" if self.lost == MOST_LOST else "created"


class Laws(RuleBasedStateMachine):
    place: Place
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.store = self.place.open()
        if self.place.keeping == "redis":
            RedisShelf(self.place.at)._redis.flushall()
        self.known: dict[str, Known] = {}
        self.mark = self.store.mark()
        self.seen: dict[str, Job] = {}

    def teardown(self) -> None:
        self.store.close()

    @rule(kind=st.sampled_from(KINDS))
    def create(self, kind: str) -> None:
        self.known[self.store.create(kind).id] = Known(kind)

    @rule(target=holds, kinds=st.sampled_from([None, ["film"], KINDS]), dies=st.booleans())
    def claim(self, kinds: list[str] | None, dies: bool) -> Job | None:
        for known in self.known.values():
            if known.dead:
                known.end_of_lease()
        waiting = [
            each for each, known in self.known.items()
            if known.state == "created" and (kinds is None or known.kind in kinds)
        ]  # fmt: skip
        job = self.store.claim("us", kinds, 0 if dies else 600)
        assert (job and job.id) == (waiting[0] if waiting else None)  # the oldest: they are in their order
        if job is not None:
            known = self.known[job.id]
            known.attempt += 1
            known.state, known.dead = "processing", dies
            assert job.attempts == known.attempt
        return job

    @rule(job=holds, what=st.sampled_from(["renew", "die", "progress", "complete", "fail", "stopped", "give_back"]))
    def write(self, job: Job | None, what: str) -> None:
        if job is None:
            return
        known = self.known.get(job.id)
        ends = {"complete": "completed", "fail": "failed", "stopped": "cancelled", "give_back": "created"}
        call = {
            "renew": lambda: self.store.renew(job, 600),
            "die": lambda: self.store.renew(job, 0),
            "progress": lambda: self.store.progress(job, "far", 0.5),
            "complete": lambda: self.store.complete(job, 1),
            "fail": lambda: self.store.fail(job, "No."),
            "stopped": lambda: self.store.stopped(job),
            "give_back": lambda: self.store.give_back(job),
        }[what]
        allowed = known is not None and known.attempt == job.attempts
        if allowed and known.state == "processing":
            assert call().cancelling == known.cancelling
            if what in ends:
                known.state = "cancelled" if what == "give_back" and known.cancelling else ends[what]
                known.dead = False
            elif what in ("renew", "die"):
                known.dead = what == "die"
        elif allowed and known.state == ends.get(what):
            call()  # is no news
        else:
            with pytest.raises(LeaseLostError):
                call()

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if self.known:
            each = list(self.known)[data.draw(st.integers(0, len(self.known) - 1))]
            known = self.known[each]
            self.store.cancel(each)
            if known.state == "created" or known.dead:
                known.state, known.dead, known.cancelling = "cancelled", False, True
            elif known.state == "processing":
                known.cancelling = True

    @rule()
    def sweep(self) -> None:
        gone = {job.id for job in self.store.sweep(0)}
        assert gone == {each for each, known in self.known.items() if known.state in ENDED}
        for each in gone:
            del self.known[each]

    @invariant()
    def what_is_told_is_what_is_there(self) -> None:
        there = {job.id: job for job in self.store.every()}
        assert {each: job.state for each, job in there.items()} == {
            each: known.state for each, known in self.known.items()
        }
        jobs, self.mark = self.store.changes(self.mark)
        self.seen |= {job.id: job for job in jobs}
        assert {each: self.seen[each] for each in there} == there


@pytest.mark.parametrize("keeping", ["memory", "sqlite", "redis"])
def test_the_laws_of_jobs_hold_in_any_order(keeping, request):
    redis: RedisServer | None = request.getfixturevalue("redis_server") if keeping == "redis" else None

    class Here(Laws):
        def __init__(self) -> None:
            self.place = Place(keeping, redis.url if redis else tempfile.mkdtemp(dir=workspace))
            super().__init__()

    workspace = request.getfixturevalue("workspace")
    run_state_machine_as_test(Here, settings=settings(max_examples=25, stateful_step_count=40, deadline=None))
