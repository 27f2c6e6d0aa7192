"""Engines of vendors at work in tests: as the workflow has them do it, from the claim to the file in hand."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from luma_studio.agents.template import rules
from luma_studio.store import files
from luma_studio.store.ledger import Account, Ledger
from luma_studio.timeline.captions import Cue
from luma_studio.video.base import (
    Cut,
    EngineChoice,
    Look,
    Made,
    Motion,
    Part,
    Photo,
    SceneSound,
    Still,
    Tell,
    fingerprint,
    untold,
)
from luma_studio.video.creatomate import Creatomate, materials_of
from luma_studio.video.creatomate import template as fetched
from luma_studio.video.freepik import Freepik
from luma_studio.video.templates import Template
from luma_studio.wire import Wires

QUICK = "interval=0.01,timeout=20"
RATE = 44100
THERE = "https://videos.example.com"
PRICE = Decimal("0.60")
"""US dollars a minute."""


def priced(_engine: str, _model: str) -> Decimal | None:
    return PRICE


def unpriced(_engine: str, _model: str) -> Decimal | None:
    return None


def account(workspace: Path, budget: Decimal | None = None) -> Account:
    return Account(Ledger(workspace / "bought"), workspace / "bought" / ".store", "calm", budget)


def freepik(more: str = "", wires: Wires | None = None) -> Freepik:
    choice = EngineChoice.parse(f"freepik,{QUICK}{more and ','}{more}")
    return Freepik(choice, wires or Wires(), priced)


def moving(still: Still | None = None, **changes: Any) -> Motion:
    """A still that is to move."""
    return Motion(**{"photo": Photo("beach", still), "prompt": "Waves roll in.", **changes})


def animated(motion: Motion, workspace: Path, more: str = "", tell: Tell = untold) -> Made:
    """Have a still move; the clip is ``clip.mp4`` then."""

    async def work(wires: Wires) -> Made:
        engine = freepik(more, wires)
        make = partial(engine.animate, motion, tell=tell)
        return await _stored(engine.identity(motion), make, workspace)

    return _with_wires(work)


def cut(*titles: str, seconds: float = 2.0, **changes: Any) -> Cut:
    """A film of scenes of two seconds, each with an address from which its video can be fetched."""
    length = round(seconds * RATE)
    parts = [
        Part(f"scene_{n}", title, Path(f"{n}.mp4"), f"{n:064x}", (n - 1) * length, length, f"{THERE}/{n}.mp4")
        for n, title in enumerate(titles, 1)
    ]
    cues = [Cue((n - 1) * seconds + 0.5, n * seconds, (f"Words {n}.",)) for n in range(1, len(titles) + 1)]
    sound = SceneSound(Path("master.mp3"), "5" * 64, length * len(titles), RATE)
    return Cut(
        **{"title": "Calm", "parts": tuple(parts), "sound": sound, "cues": tuple(cues), "language": "en"}
        | {"look": Look(), **changes}
    )


def creatomate(template: Template, uses: Mapping[str, str], more: str = "", wires: Wires | None = None) -> Creatomate:
    choice = EngineChoice.parse(f"creatomate:{template.id},{QUICK}{more and ','}{more}")
    return Creatomate(choice, wires or Wires(), priced, template, uses)


def assembled(film: Cut, workspace: Path, template: str, more: str = "", tell: Tell = untold) -> Made:
    """Have a film put together by a template, as the rules fill it; it is ``clip.mp4`` then."""

    async def work(wires: Wires) -> Made:
        choice = EngineChoice.parse(f"creatomate:{template}{more and ','}{more}")
        found = await fetched(choice, wires)
        uses = rules(found.slots, materials_of(choice, film)).by_slot
        engine = creatomate(found, uses, more, wires)
        make = partial(engine.assemble, film, tell=tell)
        return await _stored(engine.identity(film), make, workspace)

    return _with_wires(work)


def _with_wires(work: Callable[[Wires], Awaitable[Made]]) -> Made:
    wires = Wires()

    async def within() -> Made:
        return await work(wires)

    try:
        return asyncio.run(within())
    finally:
        wires.close()


async def _stored(identity: Mapping[str, Any], make: Callable[..., Awaitable[Made]], workspace: Path) -> Made:
    """Have a video made as the workflow does: the job is let go of when the video is in the store."""
    name = fingerprint(identity)
    stored, into = workspace / "store" / f"{name}.mp4", workspace / "made.mp4"
    async with account(workspace).claim(name) as claimed:
        made = Made()
        if not stored.exists():
            made = await make(account=claimed, into=into)
            files.disk.mkdir(stored.parent)
            files.disk.replace(into, stored)
        await claimed.forget()
        shutil.copyfile(stored, workspace / "clip.mp4")
        return made
