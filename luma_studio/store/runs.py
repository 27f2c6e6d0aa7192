"""Encoded runs on disk: pieces of MP3 that can be made again, kept so that they need not be."""

from __future__ import annotations

import os
from pathlib import Path

from luma_studio.store import files


class RunStore:
    """Runs by the key of what they were encoded from, one file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.fspath(folder)

    def has(self, key: str, size: int) -> bool:
        """Whether the run is there with all its ``size`` bytes."""
        path = self._path(key)
        with files.explained(path):
            try:
                return os.stat(path).st_size == size  # noqa: PTH116 - a pathlib.Path costs more than the call
            except FileNotFoundError:
                return False

    def get(self, key: str) -> bytes:
        """The run. Raises StoreError if it is not there."""
        path = self._path(key)
        with files.explained(path), open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()

    def put(self, key: str, encoded: bytes) -> None:
        """Keep a run."""
        files.write(Path(self._path(key)), encoded)

    def _path(self, key: str) -> str:
        return f"{self._folder}/{key[:2]}/{key}.mp3"
