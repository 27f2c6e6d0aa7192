"""The bench: a temporary folder with the productions that benchmarks share, each made when first asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.scripts import narration
from luma_studio import Studio
from luma_studio.export import MASTER
from luma_studio.production import Production
from luma_studio.settings import AUDIO
from luma_studio.store.runs import RunStore
from luma_studio.store.takes import TakeStore
from luma_studio.studio import STORE
from luma_studio.timeline.arrange import Timeline
from luma_studio.timeline.master import Loudness, Rendering, loudness, pieces

NAME = "narration"  # of every production here


@dataclass(frozen=True, slots=True)
class Made:
    """A production that the command line made: its workspace, and what the whole process took.

    ``wall`` in seconds; ``cpu`` in seconds of all cores together, which tells a busy machine from a slow program.
    """

    workspace: Path
    wall: float = 0.0
    cpu: float = 0.0

    @property
    def folder(self) -> Path:
        """The production's folder."""
        return self.workspace / AUDIO / NAME

    @property
    def runs(self) -> Path:
        """Where encoded runs are cached."""
        return self.workspace / AUDIO / STORE / "runs"

    def opened(self) -> Production:
        """Return the production."""
        return Studio(self.workspace).production(NAME)

    def rendering(self, production: Production, kept_gain: float | None = None) -> tuple[Rendering, Loudness]:
        """Return what exporting the production renders, and its loudness; ``kept_gain`` as an export before had it."""
        store, sound, timeline = self.workspace / AUDIO / STORE, production.choices, production.timeline
        loud = loudness(timeline, sound, kept_gain)
        takes = TakeStore(store / "takes", sound.sample_rate)
        return Rendering(timeline, sound, loud.gain, takes.samples, RunStore(store / "runs")), loud


class Bench:
    """A folder to work in, and what benchmarks share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0

    def fresh(self, minutes: float, scenes: int) -> tuple[Path, list[str]]:
        """Return an empty workspace but for a script, and the command that makes a production of it."""
        self._count += 1
        workspace = self.folder / str(self._count)
        workspace.mkdir()
        script = workspace / f"{NAME}.txt"
        script.write_text(narration(minutes, scenes, seed=int(minutes)), encoding="utf-8")
        return workspace, [command(), "narrate", script.name]

    def make(self, minutes: float, scenes: int) -> Made:
        """Make a production in a fresh workspace, as a process of its own, and time it from start to exit."""
        workspace, command = self.fresh(minutes, scenes)
        start, before = time.perf_counter(), os.times()
        subprocess.run(command, cwd=workspace, env=environment(), check=True, stdout=subprocess.DEVNULL)
        wall, after = time.perf_counter() - start, os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        return Made(workspace, wall, cpu)

    @cached_property
    def ten(self) -> Made:
        """A production of ten minutes, six scenes."""
        return self.make(10, 6)

    @cached_property
    def hundred(self) -> Made:
        """A production of a hundred minutes, sixty scenes."""
        return self.make(100, 60)

    @cached_property
    def speech(self) -> NDArray[np.int16]:
        """The master of the ten-minute production as samples: real audio for the benchmarks that need some."""
        rendering, _ = self.ten.rendering(self.ten.opened())
        return np.concatenate(list(pieces(rendering)))

    def forget(self, made: Made) -> None:
        """Remove a workspace that nobody needs any more: a hundred minutes take a gigabyte."""
        shutil.rmtree(made.workspace)


def environment() -> dict[str, str]:
    """The environment without settings of the studio, so that the defaults are measured.

    Nor does it forbid Python to keep what it has compiled, as some servers do: who installs the package has that.
    """
    left_out = ("LUMA_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def check_made(made: Made, minutes: float) -> Timeline:
    """Return a production's timeline, once it is seen that it is whole and as long as was asked.

    Raises RuntimeError otherwise: then there is nothing to measure.
    """
    timeline = made.opened().timeline
    expected = [MASTER, "captions.srt", "captions.vtt", "chapters.json", "audit.json", "scene_audio_map.json"]
    missing = [name for name in expected if not (made.folder / name).exists()]
    scenes = list(made.folder.glob("scene_*__*.mp3"))
    if missing or len(scenes) != len(timeline.scenes) or timeline.length < minutes * 60 * timeline.rate:
        raise RuntimeError(
            f"The production in {made.folder} is not whole: {missing or 'no file'} missing, {len(scenes)} scenes, "
            f"{timeline.length / timeline.rate:.0f} s."
        )
    return timeline


def speech_share(timeline: Timeline) -> float:
    """The part of a timeline's length in which somebody speaks."""
    return float((timeline.speech_end - timeline.speech_start).sum()) / timeline.length


def command() -> str:
    """The console script of this environment. Raises RuntimeError if the package is not installed in it."""
    found = shutil.which("luma-studio", path=os.fspath(Path(sys.executable).parent))
    if found is None:
        raise RuntimeError(f"There is no luma-studio beside {sys.executable}. Run: uv run python -m benchmarks")
    return found
