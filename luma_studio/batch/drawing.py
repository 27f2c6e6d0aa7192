"""Drawings of a timeline as SVG: how loud it is, and each pause in the colour of its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil
from typing import Any

import numpy as np

from luma_studio.audio.loudness import HOPS_PER_SECOND
from luma_studio.errors import counted
from luma_studio.production import Production
from luma_studio.script.model import Pause
from luma_studio.timeline.arrange import Timeline
from luma_studio.timeline.duration import clock

_QUIETEST = -45.0  # dB below the loudest column, at which nothing is drawn
_COLUMNS = 700  # of a picture
_WIDTH, _HEIGHT, _EDGE = 1000, 210, 16
_TOP, _BOTTOM = 40, 176  # between which the sound is
_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)  # seconds from one mark to the next
_MARKS = 10  # marks at most
_COLOURS = {  # of the sources of pauses, on light and on dark
    "written": ("#0c6a61", "#5cc4b6"),
    "default": ("#636a76", "#a5abb6"),
    "agent": ("#7a3b8f", "#d3a0e6"),
    "tuned": ("#9a4a10", "#f0a56a"),
    "fitted": ("#3657b3", "#8fa8f5"),
}


def waveform(timeline: Timeline, most: int = 160) -> tuple[float, ...]:
    """How loud a timeline is at evenly spaced steps, ``most`` at most, from 0 to 1, where 1 is its loudest."""
    hops = np.zeros(max(2, ceil(timeline.length * HOPS_PER_SECOND / timeline.rate)))
    for take, begin in zip(timeline.takes, timeline.clip_start - timeline.offset, strict=True):
        at = round(int(begin) * HOPS_PER_SECOND / timeline.rate)
        heard = take.energies[max(0, -at) : max(0, len(hops) - at)]
        hops[max(0, at) : max(0, at) + len(heard)] += heard
    edges = np.linspace(0, len(hops), min(most, len(hops)) + 1).astype(int)
    means = np.add.reduceat(hops, edges[:-1]) / np.diff(edges)
    if not means.any():
        return (0.0,) * len(means)
    level = 10 * np.log10(np.maximum(means / means.max(), 1e-12))
    return tuple(round(float(each), 3) for each in np.clip(1 - level / _QUIETEST, 0, 1))


def outline(levels: Sequence[float], width: float, height: float) -> str:
    """Levels from 0 to 1 as the data of an SVG path: a shape as wide and as high as that, its middle at half height."""
    half, step = height / 2, width / max(1, len(levels) - 1)
    above = [f"{x * step:.4g},{half - level * half:.1f}" for x, level in enumerate(levels)]
    below = [f"{x * step:.4g},{half + level * half:.1f}" for x, level in reversed(list(enumerate(levels)))]
    return "M" + " ".join([*above, *below]) + "Z"


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG that a notebook shows, and the sentence that stands for it elsewhere."""

    svg: str
    words: str

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": self.words}


def picture(production: Production) -> Picture:
    """The timeline of a production as a picture, legible on light and on dark."""
    timeline, pauses = production.timeline, production.pauses
    words = (
        f"The timeline of {production.name}: {counted(len(timeline.takes), 'clause')} in "
        f"{clock(timeline.length, timeline.rate)}"
    )
    used = [source for source in _COLOURS if any(pause.source == source for pause in pauses)]
    parts = [
        f"<title>{escape(words)}</title><style>{_style(used)}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{_HEIGHT}" rx="10"/>',
        *_legend(used),
        *_silences(timeline, pauses),
        *_marks(timeline),
        f'<path class="ink" transform="translate({_EDGE} {_TOP})" '
        f'd="{outline(waveform(timeline, _COLUMNS), _WIDTH - 2 * _EDGE, _BOTTOM - _TOP)}"/>',
    ]
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="luma-picture" role="img" aria-label="{escape(words)}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" style="width:100%;max-width:{_WIDTH}px;height:auto">'
    )
    return Picture("\n".join([opening, *parts, "</svg>"]), words)


def _style(sources: Iterable[str]) -> str:
    """Colours; they are this picture's own, for it may stand in a page."""

    def colours(paper: str, ink: str, muted: str, which: int) -> str:
        told = {".paper": paper, ".ink": ink, "text": muted, **{f".{each}": _COLOURS[each][which] for each in sources}}
        lines = f".luma-picture .scene,.luma-picture .mark{{stroke:{muted}}}"
        return lines + "".join(f".luma-picture {what}{{fill:{colour}}}" for what, colour in told.items())

    light, dark = colours("#fbfaf7", "#20242c", "#5c6370", 0), colours("#16181d", "#eceae4", "#a5abb6", 1)
    plain = ".luma-picture text{font:13px system-ui,sans-serif}.luma-picture .silence{opacity:.26}"
    return f"{plain}{light}@media(prefers-color-scheme:dark){{{dark}}}"


def _legend(sources: Iterable[str]) -> Iterator[str]:
    """What the colours of the pauses mean."""
    yield f'<text x="{_EDGE}" y="26">pauses</text>'
    for number, source in enumerate(sources):
        x = _EDGE + 62 + number * 90
        yield f'<rect class="{source}" x="{x}" y="15" width="12" height="12" rx="3"/>'
        yield f'<text x="{x + 18}" y="26">{source}</text>'


def _silences(timeline: Timeline, pauses: Iterable[Pause]) -> Iterator[str]:
    for pause, end in zip(pauses, timeline.speech_end, strict=True):
        begin = _across(int(end), timeline)
        width = min(_across(int(end) + round(pause.seconds * timeline.rate), timeline), _WIDTH - _EDGE) - begin
        if width > 0:
            yield (
                f'<rect class="silence {pause.source}" x="{begin:.1f}" y="{_TOP}" width="{width:.1f}" '
                f'height="{_BOTTOM - _TOP}"/>'
            )


def _marks(timeline: Timeline) -> Iterator[str]:
    """Where scenes begin, and the time."""
    for scene in timeline.scenes[1:]:
        x = _across(scene.start, timeline)
        yield f'<path class="scene" d="M{x:.1f} {_TOP - 6}V{_BOTTOM}" stroke-dasharray="3 3"/>'
    seconds = timeline.length / timeline.rate
    every = next((each for each in _TICKS if seconds / each <= _MARKS), 2 * _TICKS[-1])
    for second in range(0, int(seconds) + 1, every):
        x = _across(second * timeline.rate, timeline)
        anchor = "start" if second == 0 else "end" if x > _WIDTH - 2 * _EDGE else "middle"
        yield (
            f'<path class="mark" d="M{x:.1f} {_BOTTOM}v5"/><text x="{x:.1f}" y="{_BOTTOM + 20}" '
            f'text-anchor="{anchor}">{_time(second)}</text>'
        )


def _across(sample: int, timeline: Timeline) -> float:
    """Where a sample is from left to right."""
    return _EDGE + sample / max(1, timeline.length) * (_WIDTH - 2 * _EDGE)


def _time(second: int) -> str:
    minutes, seconds = divmod(second, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
