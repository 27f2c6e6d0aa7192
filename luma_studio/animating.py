"""Stills that move: a photo and words in, a clip out, kept in a folder of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from luma_studio.errors import StillRunningError
from luma_studio.progress import Event, Listener
from luma_studio.store import files
from luma_studio.store.ledger import Account
from luma_studio.store.videos import KeptVideo, VideoStore
from luma_studio.video.base import ImageToVideo, Motion, Told, fingerprint
from luma_studio.video.once import made
from luma_studio.video.placing import placed

FOLDER = "animated"


@dataclass(frozen=True, slots=True)
class Animation:
    """A still that was had move: ``completed``, or ``processing`` with a vendor that is not done yet.

    ``video`` and ``thumbnail`` are files in ``generated_audio/animated``; the address is the vendor's, and expires.
    """

    name: str
    engine: str
    status: str
    prompt: str
    negative_prompt: str
    seconds: int
    guidance: float
    message: str = ""
    video: str = ""
    thumbnail: str = ""
    video_id: str = ""
    video_url: str = ""
    request_payload: Mapping[str, Any] | None = None
    status_detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AnimationQuote:
    """What having a still move would buy: US dollars (None: not known), nothing where it is ``here``."""

    here: bool
    cost: Decimal | None


def quoted(motion: Motion, engine: ImageToVideo, videos: VideoStore) -> AnimationQuote:
    """What it would buy. Nothing is sent. Raises SettingError for what the engine cannot do."""
    engine.check(motion)
    here = videos.get(fingerprint(engine.identity(motion))) is not None
    return AnimationQuote(here, Decimal(0) if here else engine.price(motion))


async def animated(
    motion: Motion, choice: str, engine: ImageToVideo, videos: VideoStore, account: Account, folder: Path,
    listener: Listener,
) -> Animation:  # fmt: skip
    """Have a still move; what was made before is there already. Raises as the engine does, and Stopped."""
    name = fingerprint(engine.identity(motion))

    def tell(told: Told) -> None:
        listener(Event("film", 0, 1, motion.photo.name, "began", None, told.message, told.share))

    tell(Told("submitted"))
    kept = await asyncio.to_thread(videos.get, name)
    try:
        if kept is None:
            engine.check(motion)
            kept = await made(
                videos,
                account,
                name,
                lambda own, into: engine.animate(motion, own, into, tell),
                paid=engine.price(motion) != 0,
            )
    except StillRunningError as error:
        return _animation(motion, choice, "processing", str(error))
    found = await asyncio.to_thread(_placed, kept, motion, choice, folder)
    listener(Event("film", 1, 1, motion.photo.name))
    return found


def animations(folder: Path) -> tuple[Animation, ...]:
    """What is in the folder, the newest first."""
    found = []
    with files.explained(folder):
        for path in sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime, reverse=True):
            try:
                found.append(Animation(**json.loads(path.read_bytes())))
            except (ValueError, TypeError):  # of another version
                continue
    return tuple(found)


def _placed(kept: KeptVideo, motion: Motion, choice: str, folder: Path) -> Animation:
    video, picture = placed(kept, folder, files.name_from(motion.photo.name))
    about = kept.about
    found = _animation(
        motion,
        choice,
        "completed",
        about["message"],
        video=video,
        thumbnail=picture,
        video_id=about["video_id"],
        video_url=about["video_url"],
        request_payload=about["request"],
        status_detail=about["status"],
    )
    files.write_json((folder / video).with_suffix(".json"), asdict(found))
    return found


def _animation(motion: Motion, choice: str, status: str, message: str, **more: Any) -> Animation:
    return Animation(
        motion.photo.name,
        choice,
        status,
        motion.prompt,
        motion.negative_prompt,
        motion.seconds,
        motion.guidance,
        message,
        **more,
    )
