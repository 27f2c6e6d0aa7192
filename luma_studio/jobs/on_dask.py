"""Jobs done by the workers of a Dask scheduler that is there: the lease stays here, the work goes there.

What does a kind of job must then be a function that can be imported on the other side, where this package and the
workspace are, too.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from typing import Any

from distributed import Client, get_worker
from distributed import Event as Flag

from luma_studio.errors import SettingError, Stopped
from luma_studio.jobs.worker import Do, How
from luma_studio.progress import Event, Listener
from luma_studio.store.jobs import Job

_TOPIC = "luma-studio-jobs"
_CONNECT = "10s"
_BEAT = 0.5  # seconds between two looks whether a job is to stop


@asynccontextmanager
async def on_dask(scheduler: str) -> AsyncIterator[How]:
    """A way of doing jobs for a ``Worker``. Raises SettingError for an address at which there is no scheduler."""
    client = Client(scheduler, asynchronous=True, timeout=_CONNECT)
    try:
        await client
    except (OSError, ValueError) as error:
        await client.close()
        raise SettingError(
            f"There is no scheduler at {scheduler!r} ({' '.join(str(error).split())[:200]}). Start one, or correct "
            "LUMA_SCHEDULER."
        ) from error
    listeners: dict[str, Listener] = {}

    def told(event: tuple[float, Any]) -> None:
        _, message = event
        if isinstance(message, Mapping) and (listener := listeners.get(message.get("job", ""))) is not None:
            with suppress(Stopped):  # the flag has it stop there
                listener(Event(**message["event"]))

    async def do_there(do: Do, job: Job, listener: Listener, stop: asyncio.Event) -> Any:
        key = f"{job.kind}-{job.id}-{job.attempts}"
        flag = await Flag(key, client=client)
        listeners[key] = listener
        future = client.submit(_do, do, dict(job.parameters), key, key=key, pure=False)
        stopping = asyncio.create_task(_stopped(stop, flag))
        try:
            return await future
        finally:
            stopping.cancel()
            del listeners[key]
            future.release()

    async with client:
        client.subscribe_topic(_TOPIC, told)
        yield do_there


async def _stopped(stop: asyncio.Event, flag: Flag) -> None:
    await stop.wait()
    await flag.set()


def _do(do: Do, parameters: Mapping[str, Any], key: str) -> Any:
    """Do a job here, in a worker of the scheduler."""
    worker, to_stop, ended, flag = get_worker(), threading.Event(), threading.Event(), Flag(key)

    def look() -> None:
        while not ended.wait(_BEAT):
            if flag.is_set():
                to_stop.set()
                return

    def hear(event: Event) -> None:
        if to_stop.is_set():
            raise Stopped
        worker.log_event(_TOPIC, {"job": key, "event": asdict(event)})

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        return asyncio.run(_done(do, parameters, hear))
    finally:
        ended.set()
        looking.join()


async def _done(do: Do, parameters: Mapping[str, Any], hear: Listener) -> Any:
    return await do(parameters, hear)
