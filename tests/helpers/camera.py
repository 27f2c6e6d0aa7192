"""Film engines at the edge of the world: they make tiny videos, count what is bought, and fail where told to."""

from __future__ import annotations

import asyncio
import io
import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from luma_studio.errors import OutcomeUnknownError
from luma_studio.store import files
from luma_studio.store.ledger import Account, Purchase
from luma_studio.video import engines
from luma_studio.video.base import Cut, Made, Motion, Shot, Tell, Told
from luma_studio.wire import Answer


def tiny_video(path: Path, seconds: float) -> None:
    """Put a grey square of so many seconds there."""
    files.write(path, _tiny_video(round(seconds, 1)))


@lru_cache
def _tiny_video(seconds: float, shade: int = 90, size: int = 32, fps: int = 10) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        for index in range(max(1, round(seconds * fps))):
            frame = av.VideoFrame.from_ndarray(np.full((size, size, 3), shade, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


class Camera:
    """Films scenes, and puts films together; a job is bought, and then waited for in some steps."""

    concurrency = 3

    def __init__(self, cost: str | None = "0.5") -> None:
        self.bought: Counter[str] = Counter()
        self.filmed: Counter[str] = Counter()
        self.failing: dict[str, Exception] = {}
        self.busiest = 0
        self.cost = None if cost is None else Decimal(cost)
        self.joined: list[Cut] = []
        self.unheard: set[str] = set()
        """Scenes whose request is answered by nothing, once."""
        self.waits_for = 1
        """How many must be under way before the first one ends."""
        self._busy = 0

    def identity(self, what: Shot | Motion | Cut) -> Mapping[str, Any]:
        match what:
            case Shot():
                return {"engine": "camera", "photo": dict(what.photo.identity), "sound": what.sound.digest}
            case Motion():
                return {"engine": "camera", "photo": dict(what.photo.identity), "prompt": what.prompt}
        return {"engine": "camera", "sound": what.sound.digest, "parts": [part.digest for part in what.parts]}

    def check(self, what: Shot | Motion | Cut) -> None:
        error = self.failing.get(f"check {_name(what)}")
        if error is not None:
            raise error

    def price(self, what: Shot | Motion | Cut) -> Decimal | None:
        return Decimal(0) if isinstance(what, Cut) else self.cost

    async def film(self, shot: Shot, account: Account, into: Path, tell: Tell) -> Made:
        assert shot.sound.path.exists()
        return await self._made(shot.scene, shot.sound.seconds, account, into, tell)

    async def animate(self, motion: Motion, account: Account, into: Path, tell: Tell) -> Made:
        return await self._made(motion.photo.name, motion.seconds, account, into, tell)

    async def assemble(self, cut: Cut, account: Account, into: Path, tell: Tell) -> Made:
        assert cut.sound.path.exists()
        self.joined.append(cut)
        tiny_video(into, cut.sound.seconds)
        return Made()

    async def _made(self, name: str, seconds: float, account: Account, into: Path, tell: Tell) -> Made:
        async def send(path: Path) -> Answer:
            self.bought[name] += 1
            if name in self.unheard:
                self.unheard.discard(name)
                raise OutcomeUnknownError("The camera did not answer.", vendor="Camera")
            files.write(path, json.dumps({"id": f"video-{name}"}).encode(), durable=True)
            return Answer({}, b"")

        async def search() -> bytes | None:
            return json.dumps({"id": f"video-{name}"}).encode() if self.bought[name] else None

        self._busy += 1
        self.busiest = max(self.busiest, self._busy)
        try:
            purchase = Purchase("Camera", "tiny", name, round(seconds), self.cost)
            body = await account.buy(purchase, send, search=search)
            job = json.loads(body)["id"]
            tell(Told("submitted", "sent", None, job))
            async with asyncio.timeout(30):
                while self.busiest < self.waits_for:
                    await asyncio.sleep(0.01)
            tell(Told("processing", "half way", 0.5, job))
            if name in self.failing:
                raise self.failing[name]
            tiny_video(into, seconds)
            self.filmed[name] += 1
            return Made(job, f"https://camera.example/{job}.mp4", "", {"scene": name}, {"status": "completed"})
        finally:
            self._busy -= 1


def given(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> Camera:
    """Have everything filmed with this camera, whatever is asked for."""

    async def assembly(*_: object) -> Camera:
        return camera

    monkeypatch.setattr(engines, "talking_photo", lambda *_: camera)
    monkeypatch.setattr(engines, "image_to_video", lambda *_: camera)
    monkeypatch.setattr(engines, "assembly", assembly)
    monkeypatch.setattr(engines, "assembly_price", lambda *_: Decimal(0))
    return camera


def _name(what: Shot | Motion | Cut) -> str:
    match what:
        case Shot():
            return what.scene
        case Motion():
            return what.photo.name
    return "film"
