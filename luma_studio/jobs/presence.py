"""Whether somebody on this machine does the jobs of a workspace: those who do hold a lock that their death frees."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from luma_studio.store import files

_FOLDER = "workers"


@contextmanager
def present(store: Path) -> Iterator[None]:
    """Be there to do the jobs of the workspace with this store. Raises StoreError."""
    while (lock := files.hold(path := store / _FOLDER / secrets.token_hex(8))) is None:
        continue  # somebody took it for that of a dead one
    try:
        yield
    finally:
        lock.release()
        files.remove(path)


def is_anybody(store: Path) -> bool:
    """Whether anybody is there. What the dead left is removed. Raises StoreError."""
    with files.explained(store):
        paths = list((store / _FOLDER).iterdir()) if (store / _FOLDER).is_dir() else []
    return not all(map(_is_left, paths))


def _is_left(path: Path) -> bool:
    """Whether nobody holds it any more; it is gone then."""
    lock = files.hold(path)
    if lock is None:
        return False
    lock.release()
    files.remove(path)
    return True
