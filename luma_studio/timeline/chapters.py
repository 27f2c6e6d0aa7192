"""Chapters: a scene each, for files that can hold them and as JSON."""

from __future__ import annotations

from typing import Any

from luma_studio.audio.codec import Chapter
from luma_studio.timeline.arrange import PlacedScene, Timeline


def chapters(timeline: Timeline) -> tuple[Chapter, ...]:
    """A chapter a scene, in samples; none for a scene in which there is nothing, not even silence."""
    return tuple(
        Chapter(scene.start, scene.end, title_of(scene)) for scene in timeline.scenes if scene.start < scene.end
    )


def title_of(scene: PlacedScene) -> str:
    """A scene's title, or its number where the script gives none."""
    return scene.title or scene.id.replace("_", " ").capitalize()


def chapters_json(timeline: Timeline) -> dict[str, Any]:
    """Chapters in the JSON of the podcast namespace (version 1.2.0), times in seconds; ``id`` is the scene's."""
    return {
        "version": "1.2.0",
        "chapters": [
            {
                "startTime": round(scene.start / timeline.rate, 3),
                "endTime": round(scene.end / timeline.rate, 3),
                "title": title_of(scene),
                "id": scene.id,
            }
            for scene in timeline.scenes
        ],
    }
