"""Where the folders lie that come with the package and are no code."""

from __future__ import annotations

from pathlib import Path


def shipped(name: str) -> Path:
    """Such a folder: inside the package where it was installed from a wheel, beside it in a clone."""
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name
