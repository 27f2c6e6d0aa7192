"""A video from the store where its user finds it: under a name in a folder, with its thumbnail."""

from __future__ import annotations

from pathlib import Path

from luma_studio.store import files
from luma_studio.store.videos import KeptVideo
from luma_studio.video.thumbnails import thumbnail


def placed(kept: KeptVideo, folder: Path, name: str) -> tuple[str, str]:
    """Have a video and its thumbnail in a folder; their files' names. Eight digits tell it from others of the name."""
    stem = f"{name}__{kept.fingerprint[:8]}"
    files.link(kept.path, folder / f"{stem}.mp4")
    picture = folder / f"{stem}.jpg"
    if not picture.exists():
        files.write(picture, thumbnail(kept.path))
    return f"{stem}.mp4", picture.name
