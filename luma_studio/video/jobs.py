"""A vendor's job from what is asked to the file: bought once, waited for, fetched, and taken up after a crash."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from luma_studio.errors import (
    BadKeyError,
    BadRequestError,
    BrokenAnswerError,
    JobFailedError,
    NotAllowedError,
    NotFoundError,
    OutcomeUnknownError,
    OverloadedError,
    SettingError,
)
from luma_studio.settings import Polling
from luma_studio.store import files
from luma_studio.store.ledger import Account, Purchase
from luma_studio.video.base import Tell, Told
from luma_studio.video.results import fetch_video
from luma_studio.video.waiting import Seen, ended
from luma_studio.wire import Answer, Call, Wire, broken, json_of

_BEGINNING = 120.0  # seconds that a request may take that begins a job
_LOOKING = 30.0  # seconds that a look may take
_APPEARS = 60.0  # seconds in which a job that was just begun may be one that the vendor does not have
_GARBLED = 3  # answers in a row that are not what they should be
_GONE = (NotFoundError, NotAllowedError, BadKeyError, BadRequestError)  # how a host refuses an address that expired
_WORDS = 500  # characters
_NAME = re.compile(r"[\w-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Job:
    """A video that a vendor is to make.

    ``call`` asks for it, which is the ``purchase``; ``named`` reads the job's own name out of the answer, None where
    there is none; ``look`` sees how it stands. ``before`` is what is free and comes before the purchase; ``search``
    looks for what an earlier request made, as in ``Account.buy``. ``taken`` names a job that is to be taken up; where
    ``again`` is true, it is bought anew where nobody knows what became of an earlier request, or the vendor lost it.
    """

    wire: Wire
    call: Call
    purchase: Purchase
    named: Callable[[Any], str | None]
    look: Callable[[str], Awaitable[Seen]]
    before: Callable[[Account], Awaitable[None]]
    search: Callable[[Account], Awaitable[bytes | None]]
    polling: Polling
    taken: str = ""
    again: bool = False

    @property
    def vendor(self) -> str:
        """Who makes it."""
        return self.wire.vendor.name


async def made(job: Job, account: Account, into: Path, tell: Tell) -> tuple[str, Seen]:
    """Have a video made; it is at ``into`` then. Gives the job's name, and how it was seen last.

    What was bought stays on the account until whoever asked has the video and forgets it: a restart takes up the same
    job. Raises VendorError, BudgetError, SettingError, Stopped; a job that failed is forgotten, and can be asked for
    anew.
    """
    if job.again and await asyncio.to_thread(account.has_arrived):
        try:
            return await _made(job, account, into, tell)
        except _LostError:
            await account.forget()
    return await _made(job, account, into, tell)


async def bought(job: Job, account: Account) -> str:
    """Have a job begun, or find the one that was begun before; its name. Raises as ``made``."""
    if not await asyncio.to_thread(account.has_arrived):
        if job.taken:
            await _take_up(job, account)
        else:
            await job.before(account)
    search = None if job.again else partial(job.search, account)
    body = await account.buy(job.purchase, partial(_asked, job), search=search)
    name = _name_of(job, Answer({}, body))
    await asyncio.to_thread(account.know, name)
    if job.taken not in ("", name):
        raise SettingError(
            f"{job.vendor} makes this video already, as {name}; to take up {job.taken} would lose that. Leave it out."
        )
    return name


async def _take_up(job: Job, account: Account) -> None:
    try:
        seen = await job.look(job.taken)
    except NotFoundError as error:
        raise NotFoundError(
            f"{job.vendor} has no job {job.taken}. Look at its name there.", vendor=job.vendor, status=error.status
        ) from error
    await asyncio.to_thread(account.take_up, json.dumps(dict(seen.status)).encode())


def glance(path: str) -> Call:
    """A question how a job stands: where no answer comes, there is another look."""
    return Call("GET", path, patience=_LOOKING, deadline=_LOOKING, tries=1)


def checked_name(vendor: str, name: str) -> str:
    """A job's name as a user gives it. Raises SettingError for what is none."""
    if name and not _NAME.fullmatch(name):
        raise SettingError(f"{name[:80]!r} is no job of {vendor}. Give it as {vendor} shows it: letters and hyphens.")
    return name


def plain(text: object) -> str:
    """What a vendor says as it may be shown: in one line, and not long."""
    shown = "".join(each if each.isprintable() else " " for each in str(text)[:_WORDS])
    return " ".join(shown.split())


def names(account: Account, vendor: str, named: Callable[[Any], str | None]) -> set[str]:
    """The vendor's jobs that the ledger knows, and those whose answers came the moment before their process died."""
    entries = [entry for entry in account.ledger.entries() if entry.purchase.vendor == vendor]
    arrived = [replace(account, key=entry.key.rpartition(".")[0]).arrived() for entry in entries]
    found = {named(json.loads(body)) for body in arrived if body is not None}
    return {entry.request_id for entry in entries} | {name for name in found if name}


async def _made(job: Job, account: Account, into: Path, tell: Tell) -> tuple[str, Seen]:
    tell(Told("submitted", f"{job.vendor} is asked."))
    name = await bought(job, account)
    try:
        return name, await _fetched(job, name, into, tell)
    except JobFailedError as error:
        await account.lost(str(error))
        raise


async def _asked(job: Job, path: Path) -> Answer:
    """Ask for the job, once; only an answer that names it has arrived."""
    try:
        answer = await job.wire.send(replace(job.call, patience=_BEGINNING, deadline=_BEGINNING, tries=1))
    except OverloadedError as error:
        if (error.status or 0) < 500:
            raise
        raise OutcomeUnknownError(
            f"{job.vendor} has trouble of its own ({error.status}). It may have begun the work all the same, so it was "
            "not asked again. Try again in a while.",
            vendor=job.vendor,
            status=error.status,
            request_id=error.request_id,
        ) from error
    name = _name_of(job, answer)
    await asyncio.to_thread(files.write, path, answer.body, durable=True)
    return Answer({"request-id": name}, b"")


def _name_of(job: Job, answer: Answer) -> str:
    name = job.named(json_of(answer, job.wire.vendor))
    if name is None or not _NAME.fullmatch(name):
        raise broken(job.wire.vendor, "names no job", answer)
    return name


async def _fetched(job: Job, name: str, into: Path, tell: Tell) -> Seen:
    """Wait for its end and fetch what was made; from a fresh address where the first is none any more."""
    look = _patient(job, name)
    seen = await ended(look, job.vendor, name, job.polling, tell)
    try:
        await fetch_video(job.vendor, seen.address, into)
    except _GONE:
        seen = await ended(look, job.vendor, name, job.polling, tell)
        try:
            await fetch_video(job.vendor, seen.address, into)
        except _GONE as error:
            raise _lost(job, name, "does not give out") from error
    return seen


def _patient(job: Job, name: str) -> Callable[[], Awaitable[Seen]]:
    """Looks at a job; one that is not there yet is waited for, and an answer that is none is looked past."""
    appears = time.monotonic() + _APPEARS
    garbled = 0

    async def look() -> Seen:
        nonlocal garbled
        try:
            seen = await job.look(name)
        except NotFoundError as error:
            if time.monotonic() < appears:
                return Seen("submitted")
            raise _lost(job, name, "does not have") from error
        except BrokenAnswerError:
            garbled += 1
            if garbled == _GARBLED:
                raise
            return Seen("processing")
        garbled = 0
        return seen

    return look


class _LostError(NotFoundError):
    """A job that was bought and that the vendor does not have any more, or whose result it does not give out."""


def _lost(job: Job, name: str, what: str) -> _LostError:
    return _LostError(
        f"{job.vendor} {what} the video {name} any more. Ask there about it, or have it made, and paid for, anew with "
        "the setting again=yes.",
        vendor=job.vendor,
    )
