"""What processes of the tests do with jobs, as functions that can be sent to them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.kept import Place

from luma_studio.jobs import Worker
from luma_studio.progress import Event, Listener


def make_and_do(place: Place, make: int, until: int) -> list[tuple[str, str]]:
    """Create jobs, do and watch jobs until so many have ended; those that this one did, and those that it saw end."""
    store = place.open()
    mark = 0
    for number in range(make):
        store.create("work", {"number": number})
    did: list[tuple[str, str]] = []
    ended: set[str] = set()
    while len(ended) < until:
        job = store.claim(str(os.getpid()), ["work"])
        if job is not None:
            store.progress(job, "half", 0.5)
            store.complete(job, os.getpid())
            did.append(("did", job.id))
        elif not store.wait(mark, 30):
            break
        jobs, mark = store.changes(mark)
        ended |= {job.id for job in jobs if job.is_over}
    store.close()
    return did + [("saw", job) for job in ended]


def work(place: Place, folder: str, lease: float, seconds: float) -> None:
    """A worker whose jobs buy: each purchase is a file that only one can make."""

    async def buy(parameters: Mapping[str, Any], listener: Listener) -> str:
        for part in range(4):
            listener(Event("speak", part, 4))
            bought = Path(folder, f"{parameters['number']}.{part}")
            if not bought.exists():  # else it is here, and is not bought again
                bought.touch()
            await asyncio.sleep(seconds)
        return str(parameters["number"])

    asyncio.run(Worker(place.open(), {"work": buy}, at_once=2, lease=lease).run())


async def told_and_doubled(parameters: Mapping[str, Any], listener: Listener) -> int:
    number = parameters["number"]
    listener(Event("speak", 1, 2))
    await asyncio.sleep(0.5)
    if not isinstance(number, int):
        raise ValueError(f"{number} is no number")  # noqa: TRY004
    return 2 * number


async def until_stopped(_parameters: Mapping[str, Any], listener: Listener) -> None:
    while True:
        listener(Event("speak", 1, 2))
        await asyncio.sleep(0.02)
