"""Draw the README's picture: the start of a production, its clauses, and its pauses to scale.

Run as ``uv run python docs/draw_picture.py``: narrates an example in a temporary folder, writes ``docs/timeline.svg``.
"""

from __future__ import annotations

import asyncio
import tempfile
from html import escape
from pathlib import Path

import numpy as np

from luma_studio import Studio
from luma_studio.production import Production

HERE = Path(__file__).parent
SCRIPT = HERE.parent / "notebooks" / "examples" / "shuruaat.txt"
SECONDS, WIDTH, MIDDLE, TALL, MARGIN = 44.0, 1200, 150, 62, 24
COLOURS = {"written": "#d97706", "default": "#94a3b8", "tuned": "#7c3aed", "fitted": "#0d9488"}
STYLE = """
  svg { background: #fbfaf7; font-family: 'Noto Sans', 'Noto Sans Devanagari', system-ui, sans-serif }
  .wave { fill: #1e3a5f } .text { fill: #1f2937; font-size: 13px } .length { font-size: 12px; font-weight: 600 }
  .small { fill: #64748b; font-size: 11px } .title { fill: #1f2937; font-size: 16px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    svg { background: #14181f } .wave { fill: #9cc2ee } .text, .title { fill: #e5e7eb } .small { fill: #94a3b8 }
    .length { filter: brightness(1.7) }
  }
"""


def main() -> None:
    """Narrate, tune a little, and draw."""
    with tempfile.TemporaryDirectory() as folder, Studio(folder) as studio:
        production = studio.production("shuruaat", SCRIPT.read_text(encoding="utf-8"))
        asyncio.run(production.speak())
        production.pauses[2] = 6.0
        (HERE / "timeline.svg").write_text(draw(production), encoding="utf-8")


def draw(production: Production) -> str:
    """The picture as SVG."""
    timeline = production.timeline
    rate = timeline.rate
    marks = []
    for index, clause in enumerate(production.clauses):
        start, end = timeline.speech_start[index] / rate, timeline.speech_end[index] / rate
        following = (timeline.speech_start[index + 1] if index + 1 < len(timeline.takes) else timeline.length) / rate
        if start > SECONDS:
            break
        level = 236 + 22 * (index % 2)
        marks.append(f'<path class="wave" d="{wave(production, index)}"/>')
        if x(start) < WIDTH - 160:  # room for its words
            line = f'x1="{x(start):.1f}" x2="{x(start):.1f}" y1="{MIDDLE + TALL}" y2="{level - 13}"'
            marks.append(f'<line {line} stroke="#cbd5e1"/>')
            marks.append(f'<text class="text" x="{x(start):.1f}" y="{level}">{escape(shortened(clause.text))}</text>')
        marks.append(
            pause(end, min(following, SECONDS + 1), production.pauses[index].seconds, production.pauses[index].source)
        )
    ticks = "".join(
        f'<text class="small" x="{x(second):.1f}" y="68" text-anchor="middle">0:{second:02}</text>'
        for second in range(0, int(SECONDS) + 1, 5)
    )
    legend = "".join(
        f'<rect x="{760 + 140 * number}" y="22" width="12" height="12" rx="3" fill="{COLOURS[source]}" opacity=".55"/>'
        f'<text class="small" x="{778 + 140 * number}" y="32">{source}</text>'
        for number, source in enumerate(("written", "default", "tuned"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 280" role="img" '
        'aria-label="The first 44 seconds of a Hindi meditation: waveforms of clauses with pauses between them">'
        f'<style>{STYLE}</style><text class="title" x="{MARGIN}" y="34">शुरुआत · clauses and pauses, to scale</text>'
        f"{legend}{ticks}{''.join(marks)}</svg>\n"
    )


def x(seconds: float) -> float:
    """Where a second lies across the picture."""
    return MARGIN + (WIDTH - 2 * MARGIN) * min(seconds, SECONDS) / SECONDS


def wave(production: Production, index: int) -> str:
    """The outline of a clause's sound as an SVG path, mirrored about the middle."""
    timeline = production.timeline
    take = timeline.takes[index]
    sound = np.abs(production.audio(index).samples[take.speech_start : take.speech_end].astype(float)) / 32768
    columns = max(2, int(len(sound) / timeline.rate * (WIDTH - 2 * MARGIN) / SECONDS / 1.5))
    peaks = [float(part.max()) * TALL for part in np.array_split(sound, columns)]
    left = timeline.speech_start[index] / timeline.rate
    seconds = left + np.arange(columns) / columns * len(sound) / timeline.rate
    shown = [(x(at), peak) for at, peak in zip(seconds, peaks, strict=True) if at <= SECONDS]
    above = " ".join(f"{at:.1f},{MIDDLE - peak:.1f}" for at, peak in shown)
    below = " ".join(f"{at:.1f},{MIDDLE + peak:.1f}" for at, peak in reversed(shown))
    return f"M{above} L{below}Z"


def pause(start: float, end: float, seconds: float, source: str) -> str:
    """A pause as a band with its length."""
    colour = COLOURS[source]
    label = (
        f'<text class="length" x="{x((start + end) / 2):.1f}" y="{MIDDLE + 4}" text-anchor="middle" '
        f'fill="{colour}">{seconds:g} s</text>'
    )
    return (
        f'<rect x="{x(start):.1f}" y="{MIDDLE - TALL}" width="{x(end) - x(start):.1f}" height="{2 * TALL}" rx="4" '
        f'fill="{colour}" opacity=".16"/>{label if x(end) - x(start) > 30 else ""}'
    )


def shortened(text: str) -> str:
    """A clause's text, cut where it would run into the one after next."""
    return text if len(text) <= 44 else text[:43] + "…"


if __name__ == "__main__":
    main()
