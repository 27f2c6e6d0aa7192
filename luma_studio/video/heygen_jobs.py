"""A video that HeyGen renders: bought once, waited for, and fetched before its address expires."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from luma_studio.errors import (
    BadKeyError,
    BadRequestError,
    BrokenAnswerError,
    JobFailedError,
    NotAllowedError,
    NotFoundError,
    OverloadedError,
    RateLimitError,
    VendorError,
)
from luma_studio.settings import Polling
from luma_studio.store import files
from luma_studio.store.ledger import Account, Purchase
from luma_studio.video.base import Made, Stage, Tell, Told
from luma_studio.video.heygen_account import data_of, pages
from luma_studio.video.heygen_assets import Assets, Upload
from luma_studio.video.results import fetch_video
from luma_studio.video.waiting import Seen, ended, waits
from luma_studio.wire import HEYGEN, Answer, Call, Wire, broken

_PATIENCE = 30.0  # seconds of a question, as the vendor's own client has them
_CREATING = 120.0  # seconds of a create call
_PAGE = 100  # videos of a list
_SEARCHES = 3  # a list may not have at once what was begun
_TITLE = 80  # characters of ours in a title
_TOKEN = 16  # characters of a fingerprint in a title: enough to tell any two videos apart
_GONE = 5  # looks in a row at which the vendor does not have it
_FETCHES = 3  # addresses, each fresher than the last
_CHARGED = "HeyGen does not say whether it was charged: look at your account there."
_EXPIRED = (NotAllowedError, NotFoundError, BadRequestError, BadKeyError)  # as stores of files answer then
_STAGES: dict[str, Stage] = {
    "waiting": "submitted",
    "pending": "submitted",
    "completed": "completed",
    "failed": "failed",
}  # any other word: it still runs


Request = Callable[[Mapping[str, str]], dict[str, Any]]
"""Makes a request of the asset ids of its files, by digest."""


@dataclass(frozen=True, slots=True)
class Render:
    """A video that is to be made: its purchase, the files that HeyGen needs for it, its title, and the request.

    ``captions`` has the video with captions fetched.
    """

    purchase: Purchase
    uploads: tuple[Upload, ...]
    title: str
    request: Request
    captions: bool


@dataclass(frozen=True, slots=True)
class _Job:
    """A video that HeyGen makes: what was asked, and its id there."""

    video_id: str
    request: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        return json.dumps({"video_id": self.video_id, "request": self.request}, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> _Job:
        return cls(**json.loads(body))


@dataclass(frozen=True, slots=True)
class Renderer:
    """What renders are made with: the way to HeyGen, what it was given before, and how often it is looked at."""

    wire: Wire
    assets: Assets
    polling: Polling

    async def render(self, render: Render, account: Account, into: Path, tell: Tell) -> Made:
        """Have a video made; it is at ``into`` then.

        The job stays in the account until the caller forgets it there: who begins again before that fetches the same
        video and buys nothing. One that failed is forgotten here. Raises VendorError, BudgetError, Stopped.
        """
        if not await asyncio.to_thread(account.has_arrived):
            await self._uploaded(render, account)  # before it has its turn: others need not wait for it
        try:
            job, seen = await self._in_turn(render, account, tell)
            seen = await self._fetched(job, seen, render, into, tell)
        except JobFailedError as error:
            await account.lost(f"{error} {_CHARGED}")
            raise
        return Made(job.video_id, seen.address, seen.thumbnail, job.request, seen.status)

    async def _in_turn(self, render: Render, account: Account, tell: Tell) -> tuple[_Job, Seen]:
        """The job, ended, as one of those that HeyGen bears at once; where it bears fewer, it waits for its turn."""
        title = _title(render.title, account.key or secrets.token_hex(_TOKEN))
        pauses, waited = waits(self.polling), 0.0
        while True:
            try:
                async with self.wire.jobs.passed():
                    return await self._ended(render, title, account, tell)
            except RateLimitError as error:
                pause = max(next(pauses, math.inf), error.retry_after or 0.0)
                waited += pause
                if waited >= self.polling.patience:
                    raise
            tell(Told("submitted", "HeyGen makes as many videos as it may at once; this one waits for its turn."))
            await asyncio.sleep(pause)

    async def _ended(self, render: Render, title: str, account: Account, tell: Tell) -> tuple[_Job, Seen]:
        job = await self._bought(render, title, account)
        tell(Told("submitted", video_id=job.video_id))
        return job, await self._waited(job, render, tell)

    async def _waited(self, job: _Job, render: Render, tell: Tell) -> Seen:
        return await ended(self._looker(job, render), HEYGEN.name, job.video_id, self.polling, tell)

    # bought once

    async def _bought(self, render: Render, title: str, account: Account) -> _Job:
        async def send(path: Path) -> Answer:
            request, answer = await self._created(render, title, account)
            job = _Job(_created_id(answer, self.wire), request)
            await asyncio.to_thread(files.write, path, job.to_bytes(), durable=True)
            return answer

        async def search() -> bytes | None:
            for wait in itertools.islice(waits(self.polling), _SEARCHES):
                job = await self._found(title)
                if job is not None:
                    return job.to_bytes()
                await asyncio.sleep(wait)
            return None

        return _Job.from_bytes(await account.buy(render.purchase, send, search=search))

    async def _created(self, render: Render, title: str, account: Account) -> tuple[dict[str, Any], Answer]:
        """The request that began the job, and its answer; an asset that HeyGen lost is uploaded anew, once."""
        ids = await self._uploaded(render, account)
        request = {**render.request(ids), "title": title}
        try:
            return request, await self._begun(request)
        except (NotFoundError, BadRequestError) as error:
            if not ids or not _is_of_an_asset(error):
                raise
        for digest, asset_id in ids.items():
            await asyncio.to_thread(self.assets.drop, digest, asset_id)
        request = {**render.request(await self._uploaded(render, account)), "title": title}
        return request, await self._begun(request)

    async def _begun(self, request: Mapping[str, Any]) -> Answer:
        call = Call("POST", "/v3/videos", json=request, paid=True, job=True, patience=_CREATING, deadline=_CREATING)
        return await self.wire.send(call)

    async def _uploaded(self, render: Render, account: Account) -> dict[str, str]:
        return {each.digest: await self.assets.uploaded(each, self.wire, account) for each in render.uploads}

    async def _found(self, title: str) -> _Job | None:
        """The job of an earlier request, by the token in its title; None where there is none that did not fail."""
        token = title.rpartition("[")[2].rstrip("]")
        best: tuple[bool, int, str] | None = None
        async for each in pages(self.wire, "/v3/videos", {"title": token, "limit": _PAGE}):
            match each:
                case {"id": str() as video_id, "title": str() as called, "status": str() as status}:
                    if token in called and status != "failed":
                        found = (status == "completed", each.get("created_at") or 0, video_id)
                        best = found if best is None else max(best, found)
        return None if best is None else _Job(best[-1], {"title": title})

    # waited for, and fetched

    def _looker(self, job: _Job, render: Render) -> Callable[[], Awaitable[Seen]]:
        gone = 0

        async def look() -> Seen:
            nonlocal gone
            try:
                answer = await self.wire.send(
                    Call(
                        "GET",
                        f"/v3/videos/{quote(job.video_id, safe='')}",
                        patience=_PATIENCE,
                        deadline=_PATIENCE,
                        tries=2,
                    )
                )
                found = data_of(answer, self.wire)
            except NotFoundError:
                gone += 1
                if gone < _GONE:  # it may not know it yet
                    return Seen("submitted")
                return Seen("failed", message="it does not have it any more")
            except BrokenAnswerError:  # one look tells nothing; the next may
                return Seen("processing")
            gone = 0
            return _seen(found, captions=render.captions)

        return look

    async def _fetched(self, job: _Job, seen: Seen, render: Render, into: Path, tell: Tell) -> Seen:
        """Have the video at ``into``; an address that has expired is asked for anew."""
        for _ in range(_FETCHES):
            try:
                await fetch_video(HEYGEN.name, seen.address, into)
            except _EXPIRED:
                seen = await self._waited(job, render, tell)
            else:
                return seen
        raise OverloadedError(
            f"Each address that HeyGen gives for the video {job.video_id} has expired. Nothing is lost: run the same "
            "again in a while, and it is fetched.",
            vendor=HEYGEN.name,
        )


def _title(words: str, key: str) -> str:
    """A title that holds a token, by which the video is found in the vendor's list."""
    shown = " ".join("".join(each if each.isprintable() else " " for each in words).split())
    return f"{shown[:_TITLE]} [{key[:_TOKEN]}]".strip()


def _created_id(answer: Answer, wire: Wire) -> str:
    match data_of(answer, wire):
        case {"video_id": str() as video_id} if video_id:
            return video_id
    raise broken(wire.vendor, "names no video", answer)


def _is_of_an_asset(error: VendorError) -> bool:
    return isinstance(error, NotFoundError) or "asset" in f"{error.code} {error}".lower()


def _seen(found: Mapping[str, Any], *, captions: bool) -> Seen:
    word = str(found.get("status") or "")
    address = (captions and found.get("captioned_video_url")) or found.get("video_url") or ""
    told = found.get("failure_message") or found.get("failure_code") or ""
    return Seen(_STAGES.get(word, "processing"), found, str(address), str(found.get("thumbnail_url") or ""), str(told))
