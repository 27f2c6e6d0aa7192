"""Cleaning up: what was temporary, and jobs that ended long ago, go after a time; nothing that a production needs does.

Removed are

- jobs that ended ``LUMA_KEEP_DAYS`` ago (7), unless an address is still to be told of them;
- ``generated_audio/.store/temporary/<job>/`` of jobs that have ended, or are not there any more, as long ago;
- what lies in the trash (``generated_audio/.trash/``) for as long;
- part files (``.*.part``) that a killed process left an hour ago or before.

Productions, takes, encoded runs, answers of minds, what was bought and has not become a take yet, drafts, the ledger,
and jobs that wait or are being done always stay.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from luma_studio import library
from luma_studio.errors import LumaError
from luma_studio.store import files, temporary
from luma_studio.studio import STORE, Studio

_DAY = 86_400.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """How many jobs and folders of temporary files were removed, and the bytes that these and the trash had."""

    jobs: int
    folders: int
    bytes: int


def clean(studio: Studio, days: float | None = None) -> Cleaned:
    """Remove what nobody needs any more, after so many days (``LUMA_KEEP_DAYS``). Raises StoreError."""
    age = (studio.settings.keep_days if days is None else days) * _DAY
    swept = studio.jobs.sweep(age)
    going_on = {job.id for job in studio.jobs.every() if not job.is_over}
    store = studio.folder / STORE
    folders, freed = temporary.sweep(store, going_on.__contains__, age)
    freed += library.empty_trash(studio.folder, age)
    if studio.folder.exists():
        files.sweep(studio.folder)
    return Cleaned(len(swept), folders, freed)


def begin() -> None:
    """Clean the workspace beside what else this process does. What is in the way is logged."""
    threading.Thread(target=_clean, name="luma-cleaning", daemon=True).start()


def _clean() -> None:
    try:
        with Studio() as studio:
            clean(studio)
    except LumaError as error:
        _log.warning("Nothing was cleaned up. %s", error)
