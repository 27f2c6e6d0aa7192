"""Counts of what happened in a workspace, over all its processes, for those who run it: of how many takes were here."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from luma_studio.store import files

FILE = "tally.sqlite"
_WAIT = 2.0  # seconds that another process may take to count
_log = logging.getLogger(__name__)

_TABLE = (
    "CREATE TABLE IF NOT EXISTS tally (what TEXT NOT NULL, outcome TEXT NOT NULL, count INTEGER NOT NULL, "
    "PRIMARY KEY (what, outcome))"
)
_ADD = "INSERT INTO tally VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count"


def add(store: Path, what: str, counts: Mapping[str, int]) -> None:
    """Count so many more of each outcome. One that cannot be kept is no reason for any work to fail: it is logged."""
    if not counts:
        return
    try:
        files.disk.mkdir(store)
        with closing(sqlite3.connect(store / FILE, timeout=_WAIT)) as database, database:
            database.execute(_TABLE)
            database.executemany(_ADD, [(what, outcome, count) for outcome, count in counts.items()])
    except (sqlite3.Error, OSError) as error:
        _log.warning("What was done could not be counted: %s", error)


def read(store: Path) -> dict[tuple[str, str], int]:
    """The counts by what was counted and how it came out; none where nothing was, or they cannot be read."""
    if not (store / FILE).exists():
        return {}
    try:
        with closing(sqlite3.connect(store / FILE, timeout=_WAIT)) as database:
            return {(what, outcome): count for what, outcome, count in database.execute("SELECT * FROM tally")}
    except sqlite3.Error as error:
        _log.warning("What was counted could not be read: %s", error)
        return {}
