"""Recordings that a page sends, in pieces: written into the workspace's folder ``recordings/`` as they come."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from luma_studio.errors import FileTooLargeError, SettingError
from luma_studio.settings import recordings
from luma_studio.store import files

FOLDER = "recordings"


@dataclass(slots=True)
class _Coming:
    """A recording that is on its way: which one, where it is written until it is whole, how much of it is here."""

    key: str
    part: Path
    here: int = 0


class Recordings:
    """The recordings of a workspace, and the one that is on its way."""

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / FOLDER
        self._coming: _Coming | None = None

    def path(self, name: str) -> Path:
        """Where one lies. Raises UnsafeNameError."""
        return files.confined(self.folder, name)

    def put(self, key: str, name: str, size: int, start: int, data: bytes) -> str | None:
        """Take in a piece; the answer to the last one is the name that the recording has here, else None.

        ``key`` tells one that is sent from the next. Raises SettingError, FileTooLargeError, StoreError.
        """
        _check_offered(name, size)
        if start == 0:
            self.drop()
            self._coming = _Coming(key, self.folder / f".{secrets.token_hex(6)}.part")
        coming = self._coming
        if coming is None or coming.key != key or coming.here != start or start + len(data) > size:
            raise SettingError(f"{name} did not arrive whole. Choose it again.")
        with files.explained(coming.part):
            files.disk.mkdir(self.folder)
            with coming.part.open("ab") as file:
                file.write(data)
        coming.here += len(data)
        if coming.here < size:
            return None
        self._coming = None
        return self._named(files.name_from(name), coming.part)

    def drop(self) -> None:
        """Let go of what is on its way."""
        coming, self._coming = self._coming, None
        if coming is not None:
            files.remove(coming.part)

    def _named(self, name: str, part: Path) -> str:
        """Give what is whole its name, or another one where that is taken."""
        stem, ending, number, taken = Path(name).stem, Path(name).suffix, 1, name
        while self.path(taken).exists():
            number += 1
            taken = f"{stem}-{number}{ending}"
        with files.explained(part):
            files.disk.replace(part, self.path(taken))
        return taken


def _check_offered(name: str, size: int) -> None:
    """Raise for a file that need not even be sent."""
    most = recordings().max_file_size_mb
    if size <= 0:
        raise SettingError(f"{name} is empty. Choose another recording.")
    if size > most * 10**6:
        raise FileTooLargeError(
            f"{name} has {size / 10**6:.1f} MB, and {most:g} MB may be. Give its sound alone, as an MP3, or raise "
            "MAX_FILE_SIZE_MB."
        )
