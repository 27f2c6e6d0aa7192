"""Drafts: what stands in an editor and has not been taken into a script yet, kept so that no typing is lost."""

from __future__ import annotations

from pathlib import Path

from luma_studio.store import files


def draft(path: Path) -> str | None:
    """The draft in a file, or None where there is none."""
    with files.explained(path):
        try:
            return path.read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return None


def keep_draft(path: Path, text: str | None) -> None:
    """Keep a draft, durably; None removes it. Of two that write at once the last one wins."""
    if text is None:
        files.remove(path)
    else:
        files.write(path, text.encode("utf-8", "replace"), durable=True)
