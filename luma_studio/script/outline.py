"""What the reader made of a script, as data and as a tree for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from luma_studio.script.model import Clause, Pause, Scene, Script


def outline(script: Script) -> dict[str, Any]:
    """Scenes, clauses, pauses (in seconds) and diagnostics, ready for JSON; lines and columns count from 1."""
    return {
        "scenes": [_scene(scene) for scene in script.scenes],
        "diagnostics": [
            {"line": found.line, "column": found.column, "level": found.level, "message": found.message}
            for found in script.diagnostics
        ],
    }


def draw_outline(script: Script) -> str:
    """The same as lines of text, with what stands in which line of the script at the left."""
    lines = [f"{script.format} format"]
    for scene in script.scenes:
        lines += _draw_scene(scene)
    lines += [f"{found.line}:{found.column} {found.level}: {found.message}" for found in script.diagnostics]
    return "\n".join(lines) + "\n"


def _scene(scene: Scene) -> dict[str, Any]:
    return {
        "id": scene.id,
        "title": scene.title,
        "line": scene.line,
        "lead_in_seconds": scene.lead_in_seconds,
        "clauses": [_clause(clause) for clause in scene.clauses],
    }


def _clause(clause: Clause) -> dict[str, Any]:
    pause = clause.pause
    return {
        "text": clause.text,
        "speaker": clause.speaker,
        "tags": list(clause.tags),
        "line": clause.line,
        "pause": {"seconds": pause.seconds, "source": pause.source, "least": pause.least, "most": pause.most},
    }


def _draw_scene(scene: Scene) -> Iterator[str]:
    title = f"header “{scene.title}”" if scene.title else "(no header)"
    yield f"{scene.line:>5}  {scene.id}  {title}"
    rows = list(_rows(scene))
    for number, (line, row) in enumerate(rows, 1):
        yield f"{line:>5}  {'└─' if number == len(rows) else '├─'} {row}"


def _rows(scene: Scene) -> Iterator[tuple[int, str]]:
    if scene.lead_in_seconds:
        yield scene.line, f"silence {scene.lead_in_seconds:g} s at the start"
    for direction in scene.directions:
        yield direction.line, f"not spoken: {direction.name}: {' '.join(direction.text.split())}"
    for clause in scene.clauses:
        speaker = f"{clause.speaker}: " if clause.speaker else ""
        tags = "".join(f"[{tag}] " for tag in clause.tags)
        yield clause.line, f"{speaker}{tags}{clause.text}  · {_draw_pause(clause.pause)}"


def _draw_pause(pause: Pause) -> str:
    bounds = f", {pause.least:g} to {pause.most:g} s" if pause.least is not None and pause.most is not None else ""
    return f"{pause.seconds:g} s {pause.source}{bounds}"
