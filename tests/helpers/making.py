"""Takes and timelines made of numbers alone."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from luma_studio.script.model import Pause
from luma_studio.timeline.arrange import SceneSpan
from luma_studio.timeline.take import Take

RATE = 44100


def take(length: int = 50_000, start: int = 4_000, end: int = 40_000, name: int = 0) -> Take:
    return Take(f"{name:064x}", RATE, length, start, end, (), np.full(length * 100 // RATE, 1.0), -3.0)


def one_scene(count: int, lead_in: float = 0.0) -> list[SceneSpan]:
    return [SceneSpan("scene_1", "One", 0, count, lead_in)]


@st.composite
def takes(draw: st.DrawFn, count: int) -> list[Take]:
    made = []
    for index in range(count):
        length = draw(st.integers(1, 200_000))
        start = draw(st.integers(0, length))
        made.append(take(length, start, draw(st.integers(start, length)), index))
    return made


@st.composite
def pauses(draw: st.DrawFn, count: int) -> list[Pause]:
    made = []
    for _ in range(count):
        least, seconds, most = sorted(draw(st.lists(st.floats(0, 30), min_size=3, max_size=3)))
        bounded = draw(st.booleans())
        bounds = (least, most) if bounded else (None, None)
        made.append(Pause(seconds, "written", *bounds, draw(st.booleans())))
    return made


@st.composite
def scenes(draw: st.DrawFn, count: int) -> list[SceneSpan]:
    cuts = sorted(draw(st.sets(st.integers(1, max(1, count - 1)), max_size=4)) - {count}) if count > 1 else []
    edges = [0, *cuts, count]
    return [
        SceneSpan(f"scene_{index}", f"Scene {index}", first, last, draw(st.floats(0, 5)))
        for index, (first, last) in enumerate(itertools.pairwise(edges), 1)
    ]


@st.composite
def productions(draw: st.DrawFn) -> tuple[list[Take], list[Pause], list[SceneSpan]]:
    count = draw(st.integers(1, 12))
    return draw(takes(count)), draw(pauses(count)), draw(scenes(count))
