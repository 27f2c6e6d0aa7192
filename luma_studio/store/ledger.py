"""The ledger: each paid call of a workspace, from the intent to the answer, so that nothing is paid for twice.

What a vendor sent is written beside it the moment it comes and stays until it has become a take (or whatever it was
bought for): who dies in between finds it again and does not buy it anew.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Protocol

from luma_studio.errors import (
    BrokenAnswerError,
    BudgetError,
    OutcomeUnknownError,
    Stopped,
    StoreError,
    TooLargeError,
    VendorError,
)
from luma_studio.store import files

FILE = "ledger.sqlite"
_ARRIVED = "arrived"
_CLAIMS = "claims"
_AGREED = "agreed"
_WAIT = 30.0  # seconds that another process may take to write
_BEAT = 0.1  # seconds between two looks at a claim that somebody holds
_MICRO = Decimal(1_000_000)
_MAYBE_DONE = (OutcomeUnknownError, BrokenAnswerError, TooLargeError)  # what comes of these may have been charged for
_WORDS = 80  # characters that tell what was bought

Outcome = Literal["asked", "arrived", "refused", "unknown"]
"""What became of a call: asked (on its way, or its process died), answered whole, not done, or nobody knows."""

_TABLE = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, asked REAL NOT NULL, production TEXT NOT NULL, key TEXT NOT NULL, vendor TEXT NOT NULL,
    what TEXT NOT NULL, subject TEXT NOT NULL, units INTEGER NOT NULL, quoted INTEGER,
    outcome TEXT NOT NULL DEFAULT 'asked', answered REAL, cost INTEGER, request TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '', batch TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS of_production ON calls (production);
CREATE INDEX IF NOT EXISTS of_key ON calls (key);
"""
_COLUMNS = "SELECT name FROM pragma_table_info('calls')"
_WITH_BATCH = "ALTER TABLE calls ADD COLUMN batch TEXT NOT NULL DEFAULT ''"  # which ledgers of before have not
_INTEND = (
    "INSERT INTO calls (asked, production, key, vendor, what, subject, units, quoted, batch) VALUES (?,?,?,?,?,?,?,?,?)"
)
_SETTLE = "UPDATE calls SET outcome = ?, answered = ?, cost = ?, request = ?, note = ? WHERE id = ?"
_FOUND = "UPDATE calls SET outcome = 'arrived', answered = ?, cost = quoted WHERE key = ? AND outcome = 'asked'"
_LAST = "SELECT outcome FROM calls WHERE key = ? ORDER BY id DESC LIMIT 1"
_KNOW = "UPDATE calls SET request = ? WHERE id = (SELECT max(id) FROM calls WHERE key = ? AND outcome = 'arrived')"
_CLEARED = (
    "UPDATE calls SET outcome = ?, answered = ?, cost = CASE WHEN ? = 'arrived' THEN quoted END "
    "WHERE key = ? AND outcome IN ('asked', 'unknown')"
)
_TOLD = "UPDATE calls SET note = ? WHERE id = (SELECT max(id) FROM calls WHERE key = ?)"
_SPENT = (
    "SELECT coalesce(sum(coalesce(cost, quoted)), 0) FROM calls "
    "WHERE outcome <> 'refused' AND (:production IS NULL OR production = :production) "
    "AND (:batch IS NULL OR batch = :batch)"
)
_ENTRIES = (
    "SELECT asked, production, key, vendor, what, subject, units, quoted, outcome, answered, cost, request, note "
    "FROM calls WHERE :production IS NULL OR production = :production ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is to be bought: ``units`` (characters, tokens) of ``what`` (the model) from a vendor.

    ``subject`` are its first words, ``price`` is in US dollars; None is unknown.
    """

    vendor: str
    what: str
    subject: str
    units: int
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class BatchBudget:
    """US dollars that the productions of a batch, by its name, may cost together."""

    batch: str
    dollars: Decimal


@dataclass(frozen=True, slots=True)
class Entry:
    """A paid call as the ledger has it: times in seconds since the epoch, money in US dollars (None: unknown)."""

    asked: float
    production: str
    key: str
    purchase: Purchase
    outcome: Outcome
    answered: float | None
    cost: Decimal | None
    request_id: str
    note: str


class Received(Protocol):
    """What the ledger needs of an answer."""

    @property
    def request_id(self) -> str: ...  # noqa: D102
    @property
    def headers(self) -> Mapping[str, str]: ...  # noqa: D102


class Ledger:
    """The ledger of a workspace. Its methods may be called from any thread and process, and raise StoreError."""

    def __init__(self, folder: Path) -> None:
        """Of the studio in this folder; nothing is written before something is bought."""
        self._path = folder / FILE

    def intend(
        self,
        production: str,
        key: str,
        purchase: Purchase,
        budget: Decimal | None,
        within: BatchBudget | None = None,
    ) -> int:
        """Write down what is to be bought now, and the ``key`` it will be found by; returns the entry's number.

        Raises BudgetError, and writes nothing, where it would pass the production's ``budget`` in US dollars, or that
        of the batch it is ``within``.
        """
        with self._writing() as database:
            if budget is not None:
                _check_budget(production, purchase, budget, _spent(database, production))
            if within is not None:
                spent = _spent(database, batch=within.batch)
                _check_budget(f"the batch {within.batch}", purchase, within.dollars, spent)
            bought = (purchase.vendor, purchase.what, purchase.subject[:_WORDS], purchase.units)
            batch = "" if within is None else within.batch
            row = (time.time(), production, key, *bought, _micros(purchase.price), batch)
            return int(database.execute(_INTEND, row).lastrowid or 0)

    def settle(
        self, number: int, outcome: Outcome, *, cost: Decimal | None = None, request_id: str = "", note: str = ""
    ) -> None:
        """Write down what became of it."""
        with self._writing() as database:
            database.execute(_SETTLE, (outcome, time.time(), _micros(cost), request_id, note, number))

    def found(self, key: str) -> None:
        """What was asked for under this key is here, although whoever asked did not live to write it down."""
        with self._writing() as database:
            database.execute(_FOUND, (time.time(), key))

    def is_unclear(self, key: str) -> bool:
        """Whether nobody knows what became of what was asked for last under this key."""
        if not self._path.exists():
            return False
        with self._opened() as database:
            return database.execute(_LAST, (key,)).fetchone() in (("asked",), ("unknown",))

    def clear_up(self, key: str, outcome: Outcome) -> None:
        """Write down what became of it after all: it arrived, or it was refused."""
        with self._writing() as database:
            database.execute(_CLEARED, (outcome, time.time(), outcome, key))

    def tell(self, key: str, note: str) -> None:
        """Write down what became later of what was bought last under this key."""
        with self._writing() as database:
            database.execute(_TOLD, (note, key))

    def know(self, key: str, request_id: str) -> None:
        """Write down the vendor's own name for what arrived last under this key."""
        with self._writing() as database:
            database.execute(_KNOW, (request_id, key))

    def spent(self, production: str | None = None, *, batch: str | None = None) -> Decimal:
        """US dollars that were, or may have been, spent on a production, in a batch, or in all.

        What has no price is not in it.
        """
        if not self._path.exists():
            return Decimal(0)
        with self._opened() as database:
            return _spent(database, production, batch)

    def entries(self, production: str | None = None) -> list[Entry]:
        """All calls, or those of a production, the oldest first."""
        if not self._path.exists():
            return []
        with self._opened() as database:
            return [_entry(row) for row in database.execute(_ENTRIES, {"production": production})]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with files.explained(self._path):
            files.disk.mkdir(self._path.parent)
        try:
            with closing(sqlite3.connect(self._path, timeout=_WAIT, isolation_level=None)) as database:
                database.executescript(_TABLE)
                if ("batch",) not in database.execute(_COLUMNS).fetchall():
                    database.execute(_WITH_BATCH)
                yield database
        except sqlite3.Error as error:
            raise StoreError(
                f"The ledger {self._path} cannot be used: {error}. Free some space if the disk is full; if the file is "
                "damaged, move it away."
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One writes at a time, so that two cannot both spend the last of a budget."""
        with self._opened() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class Account:
    """Where whoever buys something for one production writes it down, and finds what had arrived before.

    ``store`` is the folder where what arrives is kept, ``budget`` in US dollars (None sets no bound), ``key`` names
    what the present purchases are for, such as a take's fingerprint; ``within`` is the batch that it belongs to, if
    that has a budget.
    """

    ledger: Ledger
    store: Path
    production: str
    budget: Decimal | None = None
    key: str = ""
    within: BatchBudget | None = None

    @asynccontextmanager
    async def claim(self, key: str) -> AsyncIterator[Account]:
        """Be the one, among all processes, who buys this now; whoever comes second waits, and then finds it here."""
        path = self.store / _CLAIMS / key
        while (lock := await asyncio.to_thread(files.hold, path)) is None:
            await asyncio.sleep(_BEAT)
        try:
            yield replace(self, key=key)
        finally:
            lock.release()

    async def buy(
        self,
        purchase: Purchase,
        send: Callable[[Path], Awaitable[Received]],
        cost: Callable[[Received], Decimal | None] = lambda _: None,
        part: int = 0,
        search: Callable[[], Awaitable[bytes | None]] | None = None,
    ) -> bytes:
        """The body of what is bought: as it arrived before, or else asked for by ``send``, which writes it to a path.

        ``cost`` reads from the answer what it really cost; where that is not told, the price is the cost. ``part``
        tells several purchases for one key apart; without a key nothing is found again. ``search`` looks with the
        vendor for what an earlier request may have made whose outcome nobody knows: the body of it, or None where it
        made nothing; only then is it asked for again. Raises VendorError, BudgetError, StoreError.
        """
        if not self.key:
            return await self._bought_for_once(purchase, send, cost)
        body = await asyncio.to_thread(self.arrived, part)
        if body is None and search is not None:
            body = await self._searched(search, part)
        if body is not None:
            return body
        path = self._arrived(part)
        await self._asked(purchase, path, send, cost)
        with files.explained(path):
            return await asyncio.to_thread(path.read_bytes)

    def has_arrived(self, part: int = 0) -> bool:
        """Whether what was bought for the key is here and has not become what it was bought for."""
        return self._arrived(part).exists()

    def is_unclear(self, part: int = 0) -> bool:
        """Whether nobody knows what became of what was asked for last."""
        return self.ledger.is_unclear(self._arrived(part).name)

    def know(self, name: str, part: int = 0) -> None:
        """Have the ledger know the vendor's own name for what arrived."""
        self.ledger.know(self._arrived(part).name, name)

    def take_up(self, body: bytes, part: int = 0) -> None:
        """Have a body be what arrived: an earlier request, of whose outcome nobody knew, turned out to have made it."""
        path = self._arrived(part)
        files.write(path, body, durable=True)
        self.ledger.clear_up(path.name, "arrived")

    def arrived(self, part: int = 0) -> bytes | None:
        """The body of what arrived before, and the ledger knows it then; None where nothing did."""
        path = self._arrived(part)
        if not path.exists():
            return None
        self.ledger.found(path.name)
        with files.explained(path):
            return path.read_bytes()

    async def _searched(self, search: Callable[[], Awaitable[bytes | None]], part: int) -> bytes | None:
        """What an earlier request made of which nobody knew; what became of it is written down."""
        if not await asyncio.to_thread(self.is_unclear, part):
            return None
        body = await search()
        if body is None:
            await asyncio.to_thread(self.ledger.clear_up, self._arrived(part).name, "refused")
        else:
            await asyncio.to_thread(self.take_up, body, part)
        return body

    def keep(self, body: bytes) -> None:
        """Have a body be what arrived for the key: it came as part of another purchase."""
        files.write(self._arrived(0), body, durable=True)

    async def _bought_for_once(
        self,
        purchase: Purchase,
        send: Callable[[Path], Awaitable[Received]],
        cost: Callable[[Received], Decimal | None],
    ) -> bytes:
        own = replace(self, key=secrets.token_hex(16))  # or one purchase would be taken for another
        try:
            return await own.buy(purchase, send, cost)
        finally:
            await own.forget()

    async def _asked(
        self,
        purchase: Purchase,
        path: Path,
        send: Callable[[Path], Awaitable[Received]],
        cost: Callable[[Received], Decimal | None],
    ) -> None:
        with _COUNTER.served():
            number = await asyncio.to_thread(
                self.ledger.intend, self.production, path.name, purchase, self.budget, self.within
            )

            def settle(outcome: Outcome, **told: Any) -> Awaitable[None]:
                return asyncio.to_thread(self.ledger.settle, number, outcome, **told)

            try:
                answer = await send(path)
            except VendorError as error:
                unknown = isinstance(error, _MAYBE_DONE)
                await settle("unknown" if unknown else "refused", request_id=error.request_id, note=str(error))
                raise
            told = cost(answer)
            await settle("arrived", cost=purchase.price if told is None else told, request_id=answer.request_id)

    async def agreed(self, ask: Callable[[], Awaitable[str]], before: str) -> str:
        """How the present purchase is made, as into how many parts: what was asked for when it began.

        It holds until ``forget``, so that parts which arrived before a crash fit those that are bought after it.
        ``before`` is how it was made where something arrived and nothing had been asked.
        """
        if not self.key:
            return await ask()
        path = self.store / _ARRIVED / f"{self.key}.{_AGREED}"
        with files.explained(path):
            if await asyncio.to_thread(path.exists):
                return await asyncio.to_thread(path.read_text)
            answer = before if await asyncio.to_thread(self._arrived(0).exists) else await ask()
        await asyncio.to_thread(files.write, path, answer.encode(), durable=True)
        return answer

    async def lost(self, note: str) -> None:
        """What was bought came to nothing: let go of it, so that it is asked for anew; the ledger has the ``note``."""
        await asyncio.to_thread(self.ledger.tell, self._arrived(0).name, note)
        await self.forget()

    async def forget(self) -> None:
        """What was bought has become what it was bought for, or is of no use: let go of what arrived."""
        await asyncio.to_thread(self._forget)

    def _forget(self) -> None:
        part = 0
        while (path := self._arrived(part)).exists():
            files.remove(path)
            part += 1
        files.remove(self.store / _ARRIVED / f"{self.key}.{_AGREED}")
        files.remove(self.store / _CLAIMS / self.key)  # who waits for the claim finds the take

    def _arrived(self, part: int) -> Path:
        return self.store / _ARRIVED / f"{self.key}.{part}"


class _Counter:
    """Where the purchases of this process are made."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._open = True

    @contextmanager
    def served(self) -> Iterator[None]:
        """Be under way. Raises Stopped once it is closed."""
        with self._changed:
            if not self._open:
                raise Stopped
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Serve nobody any more; returns when what was under way has ended."""
        with self._changed:
            self._open = False
            self._changed.wait_for(lambda: not self._under_way)


_COUNTER = _Counter()


def end_buying() -> None:
    """Begin no purchase in this process any more, and wait for those under way: before it ends by itself."""
    _COUNTER.close()


def _check_budget(production: str, purchase: Purchase, budget: Decimal, spent: Decimal) -> None:
    if purchase.price is None:
        raise BudgetError(
            f"What {purchase.vendor} {purchase.what} costs is not known, so the budget of {production} cannot be kept. "
            "Give its price (LUMA_PRICES), or take the budget away."
        )
    if spent + purchase.price > budget:
        raise BudgetError(
            f"The budget of {production} is {_told(budget)}; {_told(spent)} are spent, and this would cost "
            f"{_told(purchase.price)} more. It was not bought. Raise the budget to go on."
        )


def _told(dollars: Decimal) -> str:
    return f"${dollars:.2f}" if dollars == round(dollars, 2) else f"${dollars:.4f}"


def _entry(row: Sequence[Any]) -> Entry:
    asked, production, key, vendor, what, subject, units, quoted, outcome, answered, cost, request, note = row
    purchase = Purchase(vendor, what, subject, units, _dollars(quoted))
    return Entry(asked, production, key, purchase, outcome, answered, _dollars(cost), request, note)


def _spent(database: sqlite3.Connection, production: str | None = None, batch: str | None = None) -> Decimal:
    (micros,) = database.execute(_SPENT, {"production": production, "batch": batch}).fetchone()
    return Decimal(micros) / _MICRO


def _micros(dollars: Decimal | None) -> int | None:
    return None if dollars is None else round(dollars * _MICRO)


def _dollars(micros: int | None) -> Decimal | None:
    return None if micros is None else Decimal(micros) / _MICRO
