"""Scenes for HeyGen, and what a workflow does with its engine, in small."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from helpers.vendors import encoded
from luma_studio.settings import Polling, Settings
from luma_studio.store import files
from luma_studio.store.ledger import Account, Ledger
from luma_studio.video.base import EngineChoice, Look, Made, Photo, SceneSound, Shot, Still, Tell, fingerprint, untold
from luma_studio.video.heygen import HeyGen, HeyGenFilm
from luma_studio.video.heygen_assets import Assets
from luma_studio.wire import Wires

RATE = 22050


def still(folder: Path, kind: str = "png", colour: tuple[int, int, int] = (90, 80, 70)) -> Still:
    path = folder / f"{'-'.join(map(str, colour))}.{kind}"
    file = io.BytesIO()
    Image.new("RGB", (36, 64), colour).save(file, kind.upper())
    path.write_bytes(file.getvalue())
    return Still(path, hashlib.sha256(file.getvalue()).hexdigest(), kind, 36, 64)  # type: ignore[arg-type]


def sound(folder: Path, name: str = "scene_1", seconds: float = 1.0, kind: str = "wav") -> SceneSound:
    samples = np.int16(9000 * np.sin(np.arange(round(seconds * RATE)) * (0.05 + len(name) * 0.001)))
    samples[0] = sum(map(ord, name))  # no two scenes sound the same
    path = folder / f"{name}.{kind}"
    path.write_bytes(encoded(samples, f"wav_{RATE}" if kind == "wav" else f"mp3_{RATE}_64"))
    return SceneSound(path, hashlib.sha256(samples.tobytes()).hexdigest(), len(samples), RATE)


def shot(folder: Path, scene: str = "scene_1", **changes: Any) -> Shot:
    """A scene of a second with a photo; the same photo for every scene."""
    known: dict[str, Any] = {
        "scene": scene,
        "title": scene.replace("_", " ").title(),
        "cues": (),
        "text": "Close your eyes.",
        "language": "en",
        "look": Look(captions="none"),
    }
    if "photo" not in changes:
        known["photo"] = Photo("Anna", still(folder))
    if "sound" not in changes:
        known["sound"] = sound(folder, scene)
    return Shot(**{**known, **changes})


@dataclass(slots=True)
class Workshop:
    """A workspace in which scenes are filmed, each video in its place by fingerprint."""

    folder: Path
    wires: Wires
    budget: Decimal | None = None

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder)

    def outcomes(self) -> list[str]:
        return [entry.outcome for entry in self.ledger.entries()]

    def engine(self, choice: str = "heygen", *, force_upload: bool = False) -> HeyGen:
        return HeyGen(*self._parts(choice, force_upload))

    def film_engine(self, choice: str = "heygen") -> HeyGenFilm:
        return HeyGenFilm(*self._parts(choice, False))

    def _parts(self, choice: str, force_upload: bool) -> tuple[Any, ...]:
        assets = Assets(self.folder, force_upload=force_upload)
        return EngineChoice.parse(choice), self.wires, Settings().minute_price, assets, Polling()

    def place(self, engine: HeyGen, scene: Shot) -> Path:
        return self.folder / ".store" / "videos" / f"{fingerprint(engine.identity(scene))}.mp4"

    async def film(self, engine: HeyGen, scene: Shot, tell: Tell = untold) -> Made:
        """Film a scene unless its video is here, put it into its place, and let go of the job: as a workflow does."""
        place = self.place(engine, scene)
        account = Account(self.ledger, self.folder / ".store", "calm", self.budget)
        async with account.claim(place.stem) as claimed:
            made = Made()
            if not place.exists():
                into = place.with_suffix(".fetched")
                made = await engine.film(scene, claimed, into, tell)
                with files.explained(place):
                    files.disk.replace(into, place)
            await claimed.forget()
            return made
