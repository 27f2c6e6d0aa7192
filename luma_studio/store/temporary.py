"""Folders for what a job needs only while it is done, such as a file that was given to it: removed some time after."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from luma_studio.store import files

_FOLDER = "temporary"


def folder(store: Path, job_id: str) -> Path:
    """The folder of a job, which is made when something is written into it."""
    return files.confined(store / _FOLDER, job_id)


def sweep(store: Path, is_needed: Callable[[str], bool], age: float) -> tuple[int, int]:
    """Remove the folders of jobs that are not needed, and so many seconds old; how many these were, and their bytes."""
    place = store / _FOLDER
    removed = freed = 0
    with files.explained(place):
        for each in sorted(place.iterdir()) if place.exists() else ():
            with suppress(FileNotFoundError):  # another process sweeps, too
                if each.is_symlink() or is_needed(each.name) or time.time() - each.stat().st_mtime < age:
                    continue
                size = sum(inner.stat().st_size for inner in each.rglob("*") if inner.is_file())
                shutil.rmtree(each)
                removed, freed = removed + 1, freed + size
    return removed, freed
