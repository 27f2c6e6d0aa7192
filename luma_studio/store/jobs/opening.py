"""The store of jobs that the settings choose."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from luma_studio.errors import SettingError
from luma_studio.settings import JobStorage, Settings, job_storage
from luma_studio.store.jobs.memory import MemoryShelf
from luma_studio.store.jobs.redis import RedisShelf
from luma_studio.store.jobs.shelf import Shelf
from luma_studio.store.jobs.sqlite import SqliteShelf
from luma_studio.store.jobs.store import JobStore


def open_jobs(folder: Path, settings: Settings) -> JobStore:
    """The jobs of the workspace whose studio is in ``folder``, kept as ``JOB_STORAGE`` says. Raises SettingError.

    Nothing is asked of a server, nor written, before there is a job.
    """
    return JobStore(_shelf(folder, job_storage()), tells=bool(settings.webhook))


def _shelf(folder: Path, chosen: JobStorage) -> Shelf:
    if chosen.job_storage == "redis":
        return RedisShelf(chosen.redis_url)
    if chosen.job_storage == "sqlite":
        return SqliteShelf(folder)
    if chosen.workers > 1:
        raise SettingError(
            f"Cannot use in-memory job storage with {chosen.workers} workers. Take JOB_STORAGE=memory away (jobs are "
            "then kept in the workspace), set JOB_STORAGE=redis, or set WORKERS=1."
        )
    return _in_memory(folder.resolve())


@cache
def _in_memory(_folder: Path) -> MemoryShelf:
    """One for each workspace: whoever opens it in this process sees the same jobs."""
    return MemoryShelf()
