"""Videos on disk: each by the fingerprint of all that decides it, with what is known of it beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luma_studio.store import files

_MAKING = "making"


@dataclass(frozen=True, slots=True)
class KeptVideo:
    """A video in the store: its fingerprint, its file, and what was written down about it, as JSON."""

    fingerprint: str
    path: Path
    about: Mapping[str, Any]


class VideoStore:
    """The videos of a workspace, shared by its productions. Its methods raise StoreError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, fingerprint: str) -> KeptVideo | None:
        """A video; None where it is not there, or not whole."""
        path, about = self._path(fingerprint), self._path(fingerprint).with_suffix(".json")
        with files.explained(path), suppress(FileNotFoundError, ValueError):
            found = json.loads(about.read_bytes())
            if path.stat().st_size == found["bytes"]:
                return KeptVideo(fingerprint, path, found)
        return None

    def making(self, fingerprint: str) -> Path:
        """Where a video is put that is made now, by whoever has its claim; what an earlier one left there is gone."""
        path = self._folder / _MAKING / f"{fingerprint}.mp4"
        files.remove(path)
        with files.explained(path):
            files.disk.mkdir(path.parent)
        return path

    def sound(self, digest: str) -> Path:
        """Where a sound, by its digest, is put for as long as a video is made of it."""
        return self._folder / _MAKING / f"{digest}.mp3"

    def put(self, fingerprint: str, made: Path, about: Mapping[str, Any], *, durable: bool) -> KeptVideo:
        """Take in a finished video from where it was made: the file is moved; what it is comes last.

        ``durable`` waits until it would survive a loss of power: for what was paid for.
        """
        path = self._path(fingerprint)
        with files.explained(path):
            files.disk.mkdir(path.parent)
            if durable:
                with made.open("rb+") as file:
                    files.disk.sync(file)
            known = {**about, "bytes": made.stat().st_size}
            files.disk.replace(made, path)
        files.write_json(path.with_suffix(".json"), known, durable=durable)
        return KeptVideo(fingerprint, path, known)

    def _path(self, fingerprint: str) -> Path:
        return self._folder / fingerprint[:2] / f"{fingerprint}.mp4"
