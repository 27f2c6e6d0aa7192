"""What a job is, and the ways in which it changes: pure functions from one state of it to the next.

::

    created ──► processing ──► completed | failed | cancelled
       ▲            │
       └────────────┘  given back, or its worker died
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from luma_studio.errors import InputError, counted

State = Literal["created", "processing", "completed", "failed", "cancelled"]
ENDED: frozenset[State] = frozenset({"completed", "failed", "cancelled"})
"""The states that a job never leaves."""

MOST_LOST = 5
"""Workers that may die over a job."""
_BACKOFF = (5.0, 30.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0)  # seconds until a notice is tried again


@dataclass(frozen=True, slots=True)
class Notice:
    """That a job ended is to be told to the user's own address: whether it was, how often it was tried, when next."""

    outcome: Literal["due", "delivered", "given up"] = "due"
    tries: int = 0
    due: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stood at one moment; times are seconds since the epoch.

    ``parameters`` and ``result`` are JSON; ``subject`` is what it is about, such as a production's name. ``progress``
    is in words, ``share`` what is done of it, from 0 to 1; ``events`` are the last event of each
    scene that is filmed, and of the present stage, as JSON. ``attempts`` counts the workers that took it up, ``lost``
    those of them that died. Whoever holds it does so as ``owner``, ``until`` then. ``cancelling``: it is to stop.
    ``number`` counts the jobs as they were created, ``change`` all changes of all jobs: a later one is greater.
    """

    id: str
    kind: str
    parameters: Mapping[str, Any] = field(hash=False)
    subject: str
    created: float
    changed: float
    state: State = "created"
    progress: str = ""
    share: float = 0.0
    events: Sequence[Mapping[str, Any]] = field(default=(), hash=False)
    result: Any = field(default=None, hash=False)
    error: str = ""
    began: float | None = None
    ended: float | None = None
    attempts: int = 0
    lost: int = 0
    owner: str = ""
    until: float | None = None
    cancelling: bool = False
    notice: Notice | None = None
    number: int = 0
    change: int = 0

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.state in ENDED


def written(job: Job) -> str:
    """A job as JSON text, but for its ``number`` and ``change``, which its shelf gives."""
    return json.dumps({name: value for name, value in asdict(job).items() if name not in ("number", "change")})


def read(text: str, number: int, change: int) -> Job:
    """The job that was ``written``."""
    told = json.loads(text)
    notice = told.pop("notice")
    events = tuple(told.pop("events", ()))
    return Job(**told, events=events, notice=None if notice is None else Notice(**notice), number=number, change=change)


def check_json(value: Any, what: str) -> None:
    """Raise InputError where something is not JSON, and would not be there after a crash."""
    try:
        same = json.loads(json.dumps(value, allow_nan=False)) == value
    except (TypeError, ValueError, RecursionError):
        same = False
    if not same:
        raise InputError(f"{what} must be JSON (text, numbers, lists, and mappings by text); give plain values.")


# What a worker does with it


def claimed(job: Job, now: float, owner: str, seconds: float) -> Job:
    """Taken up by a worker, for so many seconds unless it renews that."""
    began = now if job.began is None else job.began
    return replace(
        job,
        state="processing",
        attempts=job.attempts + 1,
        owner=owner,
        until=now + seconds,
        began=began,
        changed=now,
        progress="",
        share=0.0,
        events=(),
    )


def renewed(job: Job, now: float, seconds: float) -> Job:
    """Held for so many seconds from now."""
    return replace(job, until=now + seconds, changed=now)


def progressed(job: Job, now: float, words: str, share: float, events: Sequence[Mapping[str, Any]] = ()) -> Job:
    """As far as its worker says."""
    return replace(job, progress=words, share=min(1.0, max(0.0, share)), events=tuple(events), changed=now)


def given_back(job: Job, now: float) -> Job:
    """To be taken up by another, or cancelled where that was asked."""
    if job.cancelling:
        return ended(job, now, "cancelled")
    return replace(job, state="created", owner="", until=None, changed=now)


def ended(job: Job, now: float, state: State, *, result: Any = None, error: str = "") -> Job:
    """Ended in this state."""
    share = 1.0 if state == "completed" else job.share
    return replace(
        job, state=state, result=result, error=error, share=share, ended=now, changed=now, owner="", until=None
    )


# What others do with it


def cancelled(job: Job, now: float) -> Job:
    """Cancelled where nobody holds it; else its worker hears of it."""
    if job.is_over:
        return job
    held = job.until is not None and job.until > now
    asked = replace(job, cancelling=True, changed=now)
    return asked if held else ended(asked, now, "cancelled")


def lapsed(job: Job, now: float) -> Job:
    """Its worker did not renew its lease: it waits for another, unless too many died over it."""
    lost = replace(job, lost=job.lost + 1)
    if lost.lost < MOST_LOST or lost.cancelling:
        return given_back(lost, now)
    died = f"{counted(lost.lost, 'worker')} died over it. See whether the memory suffices, and try again."
    return ended(lost, now, "failed", error=died)


# That it ended is told


def to_tell(job: Job) -> Job:
    """To be told at once."""
    return replace(job, notice=Notice(due=job.changed))


def telling(job: Job, now: float, seconds: float) -> Job:
    """Being told; who does it and dies is followed by another after so many seconds."""
    tries = job.notice.tries if job.notice else 0
    return replace(job, notice=Notice("due", tries + 1, now + seconds), changed=now)


def told(job: Job, now: float, *, arrived: bool) -> Job:
    """Delivered, or to be tried again later, or given up after too many tries."""
    tries = job.notice.tries if job.notice else 1
    if arrived:
        notice = Notice("delivered", tries)
    elif tries > len(_BACKOFF):
        notice = Notice("given up", tries)
    else:
        notice = Notice("due", tries, now + _BACKOFF[tries - 1])
    return replace(job, notice=notice, changed=now)
