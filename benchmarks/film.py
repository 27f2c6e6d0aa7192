"""Filming offline: how many seconds of film the embedded engines make in a second, in the form that is the default.

A scene of a minute of the embedded voice, 720 × 1280 at 25 frames, with captions drawn into it, over a picture as
detailed as a photo. Then two such scenes are joined to a film with a crossfade and titles. Sound and encoding are in
both times.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from benchmarks.bench import Bench
from benchmarks.result import Row
from benchmarks.timing import repeated
from luma_studio.export import MASTER
from luma_studio.store.ledger import Account, Ledger
from luma_studio.timeline.captions import captions
from luma_studio.video.base import Assembly, Cut, Look, Part, Photo, SceneSound, Shot, Still, TalkingPhoto, untold
from luma_studio.video.joining import PreviewAssembly
from luma_studio.video.preview import PreviewTalkingPhoto
from luma_studio.video.stills import look_at

_LEAST = 6  # times real time
_TIMES = 3


def film(bench: Bench) -> list[Row]:
    """Measure a scene, and a film of two."""
    shot = _shot(bench)
    account = Account(Ledger(bench.folder), bench.folder, "film")
    into = bench.folder / "scene.mp4"
    engine: TalkingPhoto = PreviewTalkingPhoto()
    assembly: Assembly = PreviewAssembly()
    cut = _cut(shot, into)
    return [
        _row("a talking photo, captions drawn", shot, lambda: asyncio.run(engine.film(shot, account, into, untold))),
        _row(
            "two scenes joined, crossfade and titles",
            shot,
            lambda: asyncio.run(assembly.assemble(cut, account, bench.folder / "film.mp4", untold)),
        ),
    ]


def _row(what: str, shot: Shot, work: Callable[[], object]) -> Row:
    before, length = time.process_time(), shot.sound.seconds
    took = repeated(work, _TIMES)
    cpu = (time.process_time() - before) / _TIMES
    ratio = length / took[0]
    return Row(
        "film",
        f"offline film, 720 × 1280 at 25 frames: {what}",
        f"{ratio:.1f} × real time ({took[0]:.1f} s for {length:.0f} s; median {length / median(took):.1f} ×)",
        f"≥ {_LEAST} × real time",
        ratio >= _LEAST,
        f"{cpu:.1f} s of processor time: {2 * length / cpu:.1f} × real time on two cores that do nothing else",
        {"seconds": took, "length": length, "ratio": ratio, "cpu": cpu},
    )


def _shot(bench: Bench) -> Shot:
    """A minute of a production, as it is filmed."""
    made = bench.make(1, 1)
    production = made.opened()
    timeline = production.timeline
    sound = SceneSound(made.folder / MASTER, "0" * 64, timeline.length, timeline.rate)
    photo = Photo("Somebody", _photo(bench.folder / "photo.jpg"))
    return Shot("scene_1", "One", photo, sound, captions(timeline, production.clauses), "", "en", Look())


def _photo(path: Path) -> Still:
    """Soft shapes, edges and grain: what an encoder has to do with a photo."""
    random = np.random.default_rng(1)
    layers = [
        np.asarray(
            Image.fromarray(random.integers(0, 256, (high, high * 2 // 3, 3), np.uint8)).resize(
                (800, 1200), Image.Resampling.BICUBIC
            )
        ).astype(np.float32)
        for high in (6, 24, 120)
    ]
    grain = random.normal(0, 4, (1200, 800, 1))
    mixed = 0.6 * layers[0] + 0.25 * layers[1] + 0.15 * layers[2] + grain
    Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8)).save(path, quality=92)
    return look_at(path)


def _cut(shot: Shot, video: Path) -> Cut:
    """The same scene as two, each half as long."""
    half = shot.sound.length // 2
    first = Part("scene_1", "Arriving", video, "", 0, half, captions="burned")
    second = replace(first, scene="scene_2", title="Coming home", start=half, length=shot.sound.length - half)
    return Cut("Film", (first, second), shot.sound, shot.cues, "en", shot.look, crossfade=0.5, card=2.5)
