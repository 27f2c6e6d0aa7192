"""One purchase for several keys, such as a dialogue for the takes of its clauses, found again by any of them.

Before it is asked for, it is written down which keys share it. What arrives is parted at once: a body for each key, as
if it had been bought for that key alone. Whoever buys holds the claims of all its keys until then. So whoever has the
claim of one of them, and finds it written down, knows that the process that bought it died, and parts what it left.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from luma_studio.errors import BrokenAnswerError, StoreError
from luma_studio.store import files
from luma_studio.store.ledger import Account

_SHARES = "shares"

Part = Callable[[Any, bytes], Sequence[bytes]]
"""Gives the body of each key, in their order, by what was asked for and what came. Raises BrokenAnswerError."""


@asynccontextmanager
async def claims(account: Account, keys: Sequence[str]) -> AsyncIterator[dict[str, Account]]:
    """Be the one, among all processes, who buys for these keys now; each has its own account then."""
    async with AsyncExitStack() as held:
        # In one order for all: two that want the same keys never wait for each other.
        yield {key: await held.enter_async_context(account.claim(key)) for key in sorted(set(keys))}


async def buy(
    account: Account, keys: Sequence[str], asked: Any, send: Callable[[Account], Awaitable[bytes]], part: Part
) -> None:
    """Buy for several keys at once, whose claims are held: afterwards something has arrived for each.

    ``asked`` is JSON that says what ``send`` buys. Raises as ``Account.buy``, and BrokenAnswerError.
    """
    key = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    path = _path(account, key)
    async with account.claim(key) as shared:
        await asyncio.to_thread(files.write_json, path, {"keys": list(keys), "asked": asked}, durable=True)
        await send(shared)
        await _parted(shared, path, part)


async def take_up(account: Account, part: Part) -> None:
    """Part what was left by those who bought for the account's key, whose claim is held, and others at once."""
    for path in await asyncio.to_thread(_of, account):
        async with account.claim(path.stem) as shared:
            await _parted(shared, path, part)


async def _parted(shared: Account, path: Path, part: Part) -> None:
    """Keep the body of each key where one has arrived for all, and forget that it was shared."""
    try:
        await asyncio.to_thread(_part, shared, path, part)
    except BrokenAnswerError:
        await _forget(shared, path)
        raise
    await _forget(shared, path)


def _part(shared: Account, path: Path, part: Part) -> None:
    body = shared.arrived()
    if body is None or not path.exists():  # nothing came, or another has parted it meanwhile
        return
    share = _read(path)
    for key, own in zip(share["keys"], part(share["asked"], body), strict=True):
        replace(shared, key=key).keep(own)


async def _forget(shared: Account, path: Path) -> None:
    """First the body: what is written down of it tells nobody anything then."""
    await shared.forget()
    await asyncio.to_thread(files.remove, path)


def _of(account: Account) -> list[Path]:
    """Where it is written down that the account's key shares a purchase."""
    folder = _path(account, "").parent
    found = []
    with files.explained(folder):
        for path in sorted(folder.glob("[!.]*.json")):
            with suppress(FileNotFoundError):  # parted just now
                if account.key in _keys(path):
                    found.append(path)
    return found


@lru_cache(maxsize=256)  # what is written at a path never changes, and whoever speaks an hour looks here often
def _keys(path: Path) -> frozenset[str]:
    return frozenset(_read(path)["keys"])


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        raise StoreError(f"The file {path} is damaged. Remove it and speak again.") from None


def _path(account: Account, key: str) -> Path:
    return account.store / _SHARES / f"{key}.json"
