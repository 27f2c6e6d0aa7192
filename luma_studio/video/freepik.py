"""Freepik (Magnific since 2026): a still that moves, by Kling 2.1 standard, https://docs.freepik.com."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlsplit

from luma_studio.errors import BadRequestError, OutcomeUnknownError, SettingError, VendorError, VideoError, counted
from luma_studio.settings import access
from luma_studio.store.ledger import Account, Purchase
from luma_studio.video import jobs, kling
from luma_studio.video.base import EngineChoice, Made, Motion, Stage, Tell, untold
from luma_studio.video.choosing import is_set, polling_of, settings_of
from luma_studio.video.jobs import Job
from luma_studio.video.results import fetch_video
from luma_studio.video.waiting import Seen, ended
from luma_studio.wire import FREEPIK, Call, Home, Wire, Wires, broken, json_of

ENGINE = "freepik"
_VERSION = 1  # of what a clip's fingerprint is made of
_SETTINGS = ("interval", "timeout", "task", "again")
_BEGIN = f"/v1/ai/image-to-video/{kling.MODEL}"  # where the tasks are listed, too
_STATUS = "/v1/ai/image-to-video/kling-v2-1/"  # without -std
_STAGES: Mapping[str, Stage] = MappingProxyType(
    {"CREATED": "submitted", "IN_PROGRESS": "processing", "COMPLETED": "completed", "FAILED": "failed"}
)
_MAGNIFIC = "magnific.com"
_PAGES = 100
_LISTED = 30.0  # seconds after which a task that was made is in the list
_NAMED = 10.0  # seconds in which what others of us have begun has its answer
_SHOWN = 5  # tasks that are told
_SUBJECT = 80  # characters

Price = Callable[[str, str], Decimal | None]
"""US dollars that a minute of video costs, by engine and model; None where nobody knows."""


class Freepik:
    """Kling 2.1 standard at Freepik: ``freepik``, ``freepik:kling-v2-1-std,interval=5,timeout=600``.

    ``task=ID`` takes up a task that was begun elsewhere, or of which nobody heard; ``again=yes`` buys anew where nobody
    knows what became of an earlier request. Raises SettingError. Without a key it can be chosen and quoted.
    """

    concurrency = 5

    def __init__(self, choice: EngineChoice, wires: Wires, price: Price) -> None:
        if choice.model not in ("", kling.MODEL):
            raise SettingError(f"{ENGINE} has no model {choice.model!r}. Write {ENGINE}:{kling.MODEL}, or {ENGINE}.")
        settings = settings_of(choice, _SETTINGS)
        self._polling = polling_of(choice)
        self._task = jobs.checked_name(FREEPIK.name, settings.get("task", ""))
        self._again = is_set(choice, "again")
        self._wires = wires
        self._price = price

    def identity(self, motion: Motion) -> Mapping[str, Any]:
        """What decides how the clip looks: the model, the picture, the prompts and the masks."""
        return {"engine": ENGINE, "version": _VERSION, "model": kling.MODEL, **kling.identity(motion)}

    def check(self, motion: Motion) -> None:
        """Raise SettingError for what Kling 2.1 does not take, NoKeyError without a key. Nothing is sent."""
        kling.check(motion)
        self._wire()

    def price(self, motion: Motion) -> Decimal | None:
        """US dollars that the clip costs."""
        minute = self._price(ENGINE, kling.MODEL)
        return None if minute is None else minute * motion.seconds / 60

    async def animate(self, motion: Motion, account: Account, into: Path, tell: Tell = untold) -> Made:
        """Have the still move; the clip is at ``into`` then. Raises as ``jobs.made``."""
        task, seen = await jobs.made(await self._job(motion), account, into, tell)
        return Made(task, seen.address, "", kling.shown(motion), seen.status)

    async def submit(self, motion: Motion, account: Account) -> str:
        """Have the clip begun, or find the task that was begun before; the task's id. Raises as ``jobs.bought``."""
        return await jobs.bought(await self._job(motion), account)

    async def look(self, task: str) -> Seen:
        """How a task stands. Raises VendorError; NotFoundError for a moment after it was begun."""
        wire = self._wire()
        answer = await wire.send(jobs.glance(_STATUS + quote(task, safe="")))
        found = json_of(answer, wire.vendor)
        if named(found) != task:
            raise broken(wire.vendor, f"is not of the task {task}", answer)
        return read(found)

    async def wait(self, task: str, tell: Tell = untold) -> Seen:
        """How a task stands when it has ended well. Raises as ``waiting.ended``."""
        return await ended(partial(self.look, task), FREEPIK.name, task, self._polling, tell)

    async def download(self, task: str, into: Path, index: int = 0) -> None:
        """Fetch what a completed task made: its first clip, or another by index. Raises VideoError, VendorError."""
        found = await self.look(task)
        clips = generated(found.status)
        if found.stage != "completed" or not clips:
            raise VideoError(f"The task {task} is not completed. Wait for it, and fetch it then.")
        if not 0 <= index < len(clips):
            raise VideoError(f"The task {task} has {counted(len(clips), 'clip')}; there is none {index}. Count from 0.")
        await fetch_video(FREEPIK.name, clips[index], into)

    def _wire(self) -> Wire:
        return self._wires.to(home())

    async def _job(self, motion: Motion) -> Job:
        self.check(motion)
        subject = motion.prompt or motion.photo.name
        return Job(
            wire=self._wire(),
            call=Call("POST", _BEGIN, json=await asyncio.to_thread(kling.body, motion), paid=True),
            purchase=Purchase(FREEPIK.name, kling.MODEL, subject[:_SUBJECT], motion.seconds, self.price(motion)),
            named=named,
            look=self.look,
            before=self._before,
            search=self._search,
            polling=self._polling,
            taken=self._task,
            again=self._again,
        )

    async def _before(self, account: Account) -> None:
        """Write down which tasks there are before anything is asked for, so that a new one can be told."""
        if not await asyncio.to_thread(account.is_unclear):
            await account.agreed(self._there, before="[]")

    async def _there(self) -> str:
        try:
            return json.dumps(sorted(await self._tasks(tries=1)))
        except VendorError:
            return "[]"  # then the ledger alone knows which are ours

    async def _search(self, account: Account) -> None:
        """Look for what an earlier request made. Raises OutcomeUnknownError where there is anything that may be it."""
        await asyncio.sleep(await asyncio.to_thread(_left, account))
        before = {*json.loads(await account.agreed(_nothing, before="[]"))}
        new = await self._tasks() - before - await asyncio.to_thread(jobs.names, account, FREEPIK.name, named)
        if new:
            await asyncio.sleep(_NAMED)
            new -= await asyncio.to_thread(jobs.names, account, FREEPIK.name, named)
        if new:
            shown = ", ".join(sorted(new)[:_SHOWN]) + (" and others" if len(new) > _SHOWN else "")
            raise OutcomeUnknownError(
                f"Freepik was asked for this clip and gave no answer, and it has {counted(len(new), 'task')} that may "
                f"be it: {shown}. Look at them there; then take one up with the setting task=ID, or buy it anew with "
                "again=yes.",
                vendor=FREEPIK.name,
            )

    async def _tasks(self, tries: int = 5) -> set[str]:
        """The tasks of the account that did not fail, from all pages of its list. Raises VendorError."""
        tasks = await self._page(1, tries)
        for page in range(2, _PAGES + 1):
            try:
                more = await self._page(page, tries) - tasks
            except BadRequestError:  # it knows no pages: the first was all
                break
            if not more:
                break
            tasks |= more
        return tasks

    async def _page(self, page: int, tries: int) -> set[str]:
        wire = self._wire()
        answer = await wire.send(Call("GET", _BEGIN, params={"page": page} if page > 1 else {}, tries=tries))
        match json_of(answer, wire.vendor):
            case {"data": [*found]}:
                return {name for each in found if (name := named(each)) and read(each).stage != "failed"}
        raise broken(wire.vendor, "lists no tasks", answer)


def home() -> Home:
    """Where Freepik is: with Magnific's header at Magnific's address, which has the same keys."""
    host = urlsplit(access(FREEPIK.prefix).base_url).hostname or ""
    is_magnific = host == _MAGNIFIC or host.endswith(f".{_MAGNIFIC}")
    return replace(FREEPIK, header="x-magnific-api-key") if is_magnific else FREEPIK


async def account(wires: Wires) -> str:
    """Whether the key works, in a sentence. Raises VendorError."""
    wire = wires.to(home())
    json_of(await wire.send(Call("GET", _BEGIN, patience=5, deadline=5, tries=1)), wire.vendor)
    return "The key works."


def named(found: Any) -> str | None:
    """A task's id in what the vendor tells of it: whole, or without the outer ``data`` as in a webhook."""
    match found:
        case {"data": {"task_id": str(task)}} | {"task_id": str(task)}:
            return task
    return None


def read(found: Any) -> Seen:
    """How a task stands by what the vendor tells of it: an answer, or what a webhook brings."""
    task = found.get("data", found)
    word = str(task.get("status", ""))
    stage = _STAGES.get(word.upper(), "processing")
    clips = generated(task)
    message = "" if word.upper() in _STAGES else f"Freepik says: {jobs.plain(word)}"
    return Seen(stage, task, clips[0] if clips and stage == "completed" else "", message=message)


def generated(status: Mapping[str, Any]) -> list[str]:
    """The addresses of what a task made, as the vendor lists them."""
    found = status.get("generated")
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _left(account: Account) -> float:
    """Seconds until what was asked for under the account's key is in the list, if it was made."""
    asked = [entry.asked for entry in account.ledger.entries() if entry.key.rpartition(".")[0] == account.key]
    return min(_LISTED, max(0.0, max(asked, default=0.0) + _LISTED - time.time()))


async def _nothing() -> str:
    return "[]"
