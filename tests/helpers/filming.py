"""Engines of vendors at work in tests: as the workflow has them do it, from the claim to the file in hand."""

from __future__ import annotations

import asyncio
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

from luma_studio.store import files
from luma_studio.store.ledger import Account, Ledger
from luma_studio.video.base import EngineChoice, Made, Motion, Photo, Still, Tell, fingerprint, untold
from luma_studio.video.freepik import Freepik
from luma_studio.wire import Wires

QUICK = "interval=0.01,timeout=20"
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
    """Have a still move as the workflow does: the job is let go of when the clip is in the store."""
    wires = Wires()
    engine = freepik(more, wires)

    async def work() -> Made:
        name = fingerprint(engine.identity(motion))
        stored = workspace / "store" / f"{name}.mp4"
        async with account(workspace).claim(name) as claimed:
            made = Made()
            if not stored.exists():
                into = workspace / "made.mp4"
                made = await engine.animate(motion, claimed, into, tell)
                files.disk.mkdir(stored.parent)
                files.disk.replace(into, stored)
            await claimed.forget()
            shutil.copyfile(stored, workspace / "clip.mp4")
            return made

    try:
        return asyncio.run(work())
    finally:
        wires.close()
