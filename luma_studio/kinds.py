"""The kinds of jobs: what each does with a production, by JSON parameters, exactly as the verbs do it.

A kind is a function that can be imported, so that the workers of a Dask scheduler can do it, too; it opens the
workspace by itself. It may be done again from the start after a crash: what was bought and made is there then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from luma_studio.errors import BusyError, ChangedError, SettingError
from luma_studio.jobs import Do
from luma_studio.production import Production
from luma_studio.progress import Event, Listener
from luma_studio.settings import job_storage
from luma_studio.store.jobs import Job
from luma_studio.studio import Studio

_T = TypeVar("_T")
_Kind = Callable[..., Awaitable[dict[str, Any]]]

_BUSY = 60.0  # seconds until another, whose lease may have run out, must have let go of the production
_BEAT = 0.5  # seconds between two looks whether it has


async def _narrated(
    studio: Studio, listener: Listener, *, production: str, fit: str | None = None, masters: Sequence[str] = ()
) -> dict[str, Any]:
    """Speak a production, lay it out in time, to the total ``fit`` where one is given, and export it."""

    async def narrated() -> dict[str, Any]:
        opened = await asyncio.to_thread(studio.production, production)
        await opened.prepare(listener)
        await opened.speak(listener)
        if fit is not None:
            await opened.plan(fit, listener)
        made = await asyncio.to_thread(opened.export, *masters, listener=listener)
        return {
            "masters": [path.name for path in made.masters],
            "seconds": round(opened.timeline.length / opened.timeline.rate, 3),
            "audit": made.audit.summary if made.audit else "",
        }

    return await _taking_up(narrated)


async def _filmed(
    studio: Studio,
    listener: Listener,
    *,
    production: str,
    speak: bool = False,
    scenes: Sequence[str] | None = None,
    again: bool = False,
    force_upload: bool = False,
) -> dict[str, Any]:
    """Film a production; ``speak`` speaks first what is not spoken yet. Scenes that could not be filmed are told."""

    async def filmed() -> dict[str, Any]:
        opened = await asyncio.to_thread(studio.production, production)
        if speak:
            await opened.speak(listener)
        film = partial(opened.film, listener, scenes=scenes, again=again, force_upload=force_upload)
        made = await _in_turn(film, partial(_waiting, opened, listener))
        return {"status": made.status, "film": made.film, "seconds": made.seconds, "errors": list(made.errors)}

    return await _taking_up(filmed)


KINDS: Mapping[str, _Kind] = {"narrate": _narrated, "film": _filmed}
"""What does each kind: with a studio, a listener, and the job's parameters by their names."""


def kinds(studio: Studio) -> Mapping[str, Do]:
    """What the jobs of this workspace are done by, by their kinds."""
    return {kind: partial(_done, kind, str(studio.workspace.resolve())) for kind in KINDS}


def narrate_later(studio: Studio, production: str, *, fit: str | None = None, masters: Sequence[str] = ()) -> Job:
    """Have a production narrated as a job. Raises SettingError where no other process could do it."""
    return _later(studio, "narrate", production, fit=fit, masters=list(masters))


def film_later(
    studio: Studio,
    production: str,
    *,
    speak: bool = False,
    scenes: Sequence[str] | None = None,
    again: bool = False,
    force_upload: bool = False,
) -> Job:
    """Have a production filmed as a job. Raises SettingError where no other process could do it."""
    named = None if scenes is None else list(scenes)
    return _later(studio, "film", production, speak=speak, scenes=named, again=again, force_upload=force_upload)


def are_shared() -> bool:
    """Whether jobs are kept where other processes see them. Raises SettingError."""
    return job_storage().job_storage != "memory"


def check_shared() -> None:
    """Raise SettingError where jobs are kept in memory, and no process sees those of another."""
    if not are_shared():
        raise SettingError(
            "Jobs are kept in memory (JOB_STORAGE=memory), where no other process can do them. Take that setting away, "
            "or set JOB_STORAGE=redis."
        )


def _later(studio: Studio, kind: str, production: str, **asked: Any) -> Job:
    check_shared()
    return studio.jobs.create(kind, {"production": production, **asked}, production)


async def _done(kind: str, workspace: str, parameters: Mapping[str, Any], listener: Listener) -> dict[str, Any]:
    """Do a job in a workspace, with a studio of its own."""
    with Studio(workspace) as studio:
        return await KINDS[kind](studio, listener, **parameters)


async def _taking_up(do: Callable[[], Awaitable[_T]]) -> _T:
    """Do it, and once more where somebody saved the production meanwhile: what both need is here by then."""
    try:
        return await do()
    except ChangedError:
        return await do()


async def _in_turn(do: Callable[[], Awaitable[_T]], waiting: Callable[[], None]) -> _T:
    """Do it once another has let go: a worker that lost its lease does not know it at once."""
    until = time.monotonic() + _BUSY
    while True:
        try:
            return await do()
        except BusyError:
            if time.monotonic() > until:
                raise
        waiting()
        await asyncio.sleep(_BEAT)


def _waiting(production: Production, listener: Listener) -> None:
    listener(Event("film", 0, len(production.spans), reason="waits until another has ended"))
