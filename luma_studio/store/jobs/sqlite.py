"""Jobs in a SQLite file of the workspace, for several processes of one machine."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from luma_studio.errors import StoreError
from luma_studio.store import files
from luma_studio.store.jobs.model import Job, State, read, written

FILE = "jobs.sqlite"
_LOCK = ".jobs.lock"
_WAIT = 30.0  # seconds that another process may take to write
_BEAT = 0.03  # seconds between two looks whether something changed: some millionths of a second each
_SOME = 100  # jobs at a time

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, change INTEGER NOT NULL, kind TEXT NOT NULL,
    subject TEXT NOT NULL, state TEXT NOT NULL, until REAL, due REAL, ended REAL, job TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS by_change ON jobs (change);
CREATE INDEX IF NOT EXISTS by_state ON jobs (state, number);
CREATE INDEX IF NOT EXISTS by_subject ON jobs (subject, number);
CREATE INDEX IF NOT EXISTS held ON jobs (until) WHERE until IS NOT NULL;
CREATE INDEX IF NOT EXISTS to_tell ON jobs (due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_end ON jobs (ended) WHERE ended IS NOT NULL;
CREATE TABLE IF NOT EXISTS counter (one INTEGER PRIMARY KEY CHECK (one = 1), value INTEGER NOT NULL);
INSERT OR IGNORE INTO counter VALUES (1, 0);
"""
_COUNT = "UPDATE counter SET value = value + 1 RETURNING value"
_ADD = (
    "INSERT INTO jobs (change, state, until, due, ended, job, id, kind, subject) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO NOTHING RETURNING number"
)
_SET = (
    "UPDATE jobs SET change = ?, state = ?, until = ?, due = ?, ended = ?, job = ? WHERE id = ? AND change = ? "
    "RETURNING number"
)
_SELECT = "SELECT job, number, change FROM jobs"


class SqliteShelf:
    """The shelf in a folder. Nothing is written before there is a job."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._open: sqlite3.Connection | None = None
        self._closings = 0

    def now(self) -> float:  # noqa: D102
        return time.time()

    def put(self, job: Job) -> Job | None:  # noqa: D102
        due = job.notice.due if job.notice else None
        with self._database(make=True) as database:
            # A loss of power may undo how far a job is; not that it is there, and not how it ended.
            database.execute(f"PRAGMA synchronous = {'FULL' if job.is_over or not job.change else 'NORMAL'}")
            with _one_writes(database) as writing:
                (change,) = database.execute(_COUNT).fetchone()
                row = (change, job.state, job.until, due, job.ended, written(job), job.id)
                ours = (job.change,) if job.change else (job.kind, job.subject)
                # fetchall: a statement that is not read to its end holds the transaction open.
                rows = database.execute(_SET if job.change else _ADD, (*row, *ours)).fetchall()
                if not rows:
                    writing.undo()
                    return None
        return read(row[5], rows[0][0], change)

    def remove(self, job: Job) -> bool:  # noqa: D102
        with self._database(make=True) as database:
            found = database.execute("DELETE FROM jobs WHERE id = ? AND change = ?", (job.id, job.change))
            return bool(found.rowcount)

    def get(self, job_id: str) -> Job | None:  # noqa: D102
        return next(iter(self._found("WHERE id = ?", job_id)), None)

    def waiting(self, kinds: Collection[str] | None) -> Job | None:  # noqa: D102
        if kinds is None:
            found = self._found("WHERE state = 'created' ORDER BY number LIMIT 1")
        else:
            marks = ", ".join("?" * len(kinds))
            found = self._found(f"WHERE state = 'created' AND kind IN ({marks}) ORDER BY number LIMIT 1", *kinds)
        return next(iter(found), None)

    def lapsed(self, now: float) -> list[Job]:  # noqa: D102
        return self._found("WHERE until <= ? ORDER BY until LIMIT ?", now, _SOME)

    def to_tell(self, now: float) -> list[Job]:  # noqa: D102
        return self._found("WHERE due <= ? ORDER BY due LIMIT ?", now, _SOME)

    def ended(self, after: float, before: float) -> list[Job]:  # noqa: D102
        return self._found("WHERE ended > ? AND ended <= ? ORDER BY ended LIMIT ?", after, before, _SOME)

    def page(  # noqa: D102
        self, state: State | None, kind: str | None, subject: str | None, before: int | None, most: int
    ) -> list[Job]:
        wanted = {"state = ?": state, "kind = ?": kind, "subject = ?": subject, "number < ?": before}
        given = {term: value for term, value in wanted.items() if value is not None}
        where = f"WHERE {' AND '.join(given)}" if given else ""
        return self._found(f"{where} ORDER BY number DESC LIMIT ?", *given.values(), most)

    def since(self, mark: int, most: int) -> list[Job]:  # noqa: D102
        return self._found("WHERE change > ? ORDER BY change LIMIT ?", mark, most)

    def mark(self) -> int:  # noqa: D102
        rows = self._rows("SELECT value FROM counter")
        return int(rows[0][0]) if rows else 0

    def wait(self, mark: int, seconds: float) -> int:  # noqa: D102
        until, closings = time.monotonic() + seconds, self._closings
        while (now := self.mark()) <= mark and (left := until - time.monotonic()) > 0:
            time.sleep(min(_BEAT, left))
            if closings != self._closings:  # nobody waits any more, and it would be opened again
                return now
        return now

    def close(self) -> None:  # noqa: D102
        with self._lock:
            self._closings += 1
            if self._open is not None:
                self._open.close()
                self._open = None

    def _found(self, where: str, *values: Any) -> list[Job]:
        return [read(*row) for row in self._rows(f"{_SELECT} {where}", *values)]

    def _rows(self, query: str, *values: Any) -> Sequence[Any]:
        with self._database() as database:
            return [] if database is None else database.execute(query, values).fetchall()

    @contextmanager
    def _database(self, *, make: bool = False) -> Iterator[Any]:
        """The file, open, for one thread at a time; None where there is none and none is to be made."""
        try:
            with self._lock:
                if self._open is None and (make or self._path.exists()):
                    self._open = self._opened()
                yield self._open
        except sqlite3.Error as error:
            raise StoreError(
                f"The jobs in {self._path} cannot be used: {error}. Free some space if the disk is full; if the file "
                "is damaged, move it away."
            ) from error

    def _opened(self) -> sqlite3.Connection:
        busy = f"{self._path} is being opened by another process. Try again."
        # In turn: two that change how a new file is kept at the same moment disturb each other.
        with files.locked(self._path.with_name(_LOCK), wait=_WAIT, busy=busy):
            database = sqlite3.connect(self._path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
            try:
                database.execute("PRAGMA journal_mode = WAL")
                database.executescript(_TABLES)
            except BaseException:
                database.close()
                raise
        return database


class _Writing:
    def __init__(self) -> None:
        self.ends = "COMMIT"

    def undo(self) -> None:
        """Have nothing of it written."""
        self.ends = "ROLLBACK"


@contextmanager
def _one_writes(database: sqlite3.Connection) -> Iterator[_Writing]:
    """A transaction that no other process writes beside: changes are numbered in the order in which they are seen."""
    writing = _Writing()
    database.execute("BEGIN IMMEDIATE")
    try:
        yield writing
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute(writing.ends)
