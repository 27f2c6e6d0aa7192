"""Real jobs whose worker is killed at random moments, and what the vendors sold meanwhile.

Each kill has a production and a job of its own, spoken by ElevenLabs, every second one filmed by HeyGen. The worker is
a process that is killed; another does the job to its end after it.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from PIL import Image

from helpers.heygen import HeyGen
from helpers.vendors import KEYS, Vendors
from luma_studio.jobs import Worker
from luma_studio.kinds import film_later, kinds, narrate_later
from luma_studio.store.jobs import Job, JobStore
from luma_studio.studio import Studio

PROCESSES = get_context("forkserver")  # which has read our modules once for all of them
PROCESSES.set_forkserver_preload(["helpers.killing"])

LEASE = 0.6  # seconds
_LATEST = 1.5  # seconds until a kill at most
_PATIENCE = 60  # seconds that a job may take
_SCRIPT = "[Scene 1 – Dawn]\nNarrator: Rest, {0}. (1 sec)\nBreathe, {0}.\n[Scene 2 – Dusk]\nNarrator: Sleep, {0}.\n"


@dataclass
class Told:
    """How the jobs ended and over how many a worker died, at which steps; what was bought twice, and how.

    ``twice`` are videos, and clauses that had arrived; ``in_flight`` are clauses whose request was under way at a
    kill: nobody can ask the vendor for what it made of them.
    """

    states: Counter[str] = field(default_factory=Counter)
    died: int = 0
    at: Counter[str] = field(default_factory=Counter)
    videos: int = 0
    clauses: int = 0
    twice: list[str] = field(default_factory=list)
    in_flight: list[str] = field(default_factory=list)


def environment(vendors: Vendors) -> Mapping[str, str]:
    """The variables by which a worker finds the vendors, and asks them often."""
    keys = {f"{name.upper()}_API_KEY": key for name, key in KEYS.items()}
    places = {f"{name.upper()}_BASE_URL": vendors.address(name) for name in KEYS}
    return {**keys, **places, "STATUS_POLL_INTERVAL_SECONDS": "0.05"}


def killed(workspace: Path, vendors: Vendors, kills: int, chance: random.Random) -> Told:
    """Have so many jobs done whose worker is killed; the variables of ``environment`` are set."""
    heygen = HeyGen(vendors)
    vendors.film["heygen"] = heygen
    vendors.delay = 0.05
    (workspace / "photos").mkdir()
    Image.new("RGB", (64, 96), "teal").save(workspace / "photos" / "mira.png")
    told = Told()
    with Studio(workspace) as studio:
        for number in range(kills):
            job = _begun(studio, number)
            _kill_one(studio, job, chance.uniform(0, _LATEST), environment(vendors), told)
            ended = _finished(studio, job)
            told.states[ended.state] += 1
            told.died += ended.lost
        _count(studio, vendors, heygen, told)
    return told


def _begun(studio: Studio, number: int) -> Job:
    name = f"calm-{number}"
    script = _SCRIPT.format(number)
    studio.production(name, script, voice="elevenlabs:21m00Tcm4TlvDq8ikWAM", film="heygen:avatar_iv", photo="mira")
    return film_later(studio, name, speak=True) if number % 2 else narrate_later(studio, name)


def _kill_one(studio: Studio, job: Job, seconds: float, variables: Mapping[str, str], told: Told) -> None:
    process = PROCESSES.Process(target=_work, args=(str(studio.workspace), dict(variables)))
    process.start()
    _wait_until_held(studio.jobs, job)
    time.sleep(seconds)
    process.kill()
    process.join()
    there = studio.jobs.get(job.id)
    told.at[f"{job.kind}: {there.progress.split(' ')[0] or there.state}"] += 1


def _wait_until_held(store: JobStore, job: Job) -> None:
    until = time.monotonic() + _PATIENCE
    while store.get(job.id).state == "created":
        assert time.monotonic() < until, "no worker took it up"
        store.wait(store.mark(), 0.05)


def _finished(studio: Studio, job: Job) -> Job:
    """Do it to its end in this process, once the dead worker's lease has run out."""
    until = time.monotonic() + _PATIENCE
    while not (there := studio.jobs.get(job.id)).is_over:
        assert time.monotonic() < until, there
        asyncio.run(Worker(studio.jobs, kinds(studio), lease=LEASE).run(forever=False))
        studio.jobs.wait(studio.jobs.mark(), 0.05)
    return there


def _work(workspace: str, variables: Mapping[str, str]) -> None:
    """A worker, until it is killed."""
    os.environ |= variables
    with Studio(workspace) as studio:
        asyncio.run(Worker(studio.jobs, kinds(studio), lease=LEASE).run())


def _count(studio: Studio, vendors: Vendors, heygen: HeyGen, told: Told) -> None:
    """What was bought, and of it what was bought more than once."""
    told.videos, told.clauses = len(heygen.bought), len(vendors.bought) - len(heygen.bought)
    told.twice += [title for title, count in heygen.bought.items() if count > 1]
    lost = Counter(e.purchase.subject for e in studio.ledger.entries() if e.outcome in ("asked", "unknown"))
    for text, count in vendors.bought.items():
        if count > 1 and text not in heygen.bought:
            known = lost[text] >= count - 1
            (told.in_flight if known else told.twice).append(text)
