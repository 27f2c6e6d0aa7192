"""Drafts: what stands in an editor and has not been taken into a script yet, kept so that no typing is lost.

A text that makes room for another one is *left*: it stays in a folder of such texts for some weeks, to be taken back.
"""

from __future__ import annotations

import secrets
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from luma_studio.errors import ChangedError, StoreError
from luma_studio.store import files

LEFT = ".drafts"
"""The name of the folder of texts that were left."""

_LOCK = ".draft.lock"
_WAIT = 5.0  # seconds for another window to finish writing
_MOST = 50  # texts that are left,
_AGE = 8 * 7 * 86_400.0  # and seconds that each of them stays
_BEGINNING = 600  # bytes of a text in which its first words are
_WORDS = 80  # characters of them


@dataclass(frozen=True, slots=True)
class Left:
    """A text that was left: its key, its first words, and when it was left, in seconds since the epoch."""

    key: str
    words: str
    when: float


def plain(text: str) -> str:
    """A text as a file can hold it; it stays as long as it is."""
    return text.encode("utf-8", "replace").decode()


def draft(path: Path) -> str | None:
    """The draft in a file, or None where there is none."""
    with files.explained(path):
        try:
            return path.read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return None


def mark(path: Path) -> str:
    """What tells one draft in a file from the next: each is a new file with a new time. Costs a look at the file."""
    with files.explained(path):
        try:
            about = path.stat()
        except FileNotFoundError:
            return ""
    return f"{about.st_ino}-{about.st_mtime_ns}-{about.st_size}"


def keep_draft(path: Path, text: str | None, seen: str | None = None, script: str = "") -> None:
    """Keep a draft, durably; None removes it.

    ``seen`` is what stood in the editor when its writer last looked: the draft, or ``script`` where there was none.
    Raises ChangedError, and overwrites nothing, if another text stands there now. Without ``seen`` the last one wins.
    """
    with _locked(path):
        if seen is not None:
            there = draft(path)
            if plain(seen) != (script if there is None else there):
                raise ChangedError(
                    "Another window typed into this script a moment ago. Choose which of the two texts is to stay."
                )
        if text is None:
            files.remove(path)
        else:
            files.write(path, text.encode("utf-8", "replace"), durable=True)


def take_in(path: Path, text: str, folder: Path) -> None:
    """Remove a draft, for ``text`` became the script; a draft that says something else is left in ``folder``."""
    with _locked(path):
        there = draft(path)
        if there is not None and there != plain(text):
            leave(folder, there)
        files.remove(path)


def leave(folder: Path, text: str, key: str | None = None) -> str:
    """Keep a text that makes room for another, durably, and forget the oldest; returns its key.

    With the ``key`` of one that was left it takes the place of that one.
    """
    key = key or f"{time.time_ns()}-{secrets.token_hex(4)}"
    written = plain(text).encode()
    files.write(_left_path(folder, key), written, durable=True)
    for number, each in enumerate(left(folder)):
        if number >= _MOST or time.time() - each.when > _AGE or (each.key != key and _holds(folder, each.key, written)):
            forget(folder, each.key)
    return key


def left(folder: Path) -> list[Left]:
    """The texts that were left, the last one first."""
    found = []
    with files.explained(folder):
        for path in folder.glob("*.txt"):
            with suppress(FileNotFoundError):  # another window sweeps, too
                found.append(Left(path.stem, _first_words(path), path.stat().st_mtime))
    return sorted(found, key=lambda each: (-each.when, each.key))


def left_text(folder: Path, key: str) -> str:
    """A text that was left. Raises StoreError if it is not there any more."""
    text = draft(_left_path(folder, key))
    if text is None:
        raise StoreError("This text is not among those you left any more. Look at them again.")
    return text


def forget(folder: Path, key: str) -> None:
    """Remove a text that was left; none there is fine."""
    files.remove(_left_path(folder, key))


def _locked(path: Path) -> AbstractContextManager[None]:
    """Lets one window at a time look at a draft and write it."""
    return files.locked(path.with_name(_LOCK), wait=_WAIT, busy="Another window is keeping its text. Try again.")


def _left_path(folder: Path, key: str) -> Path:
    return files.confined(folder, f"{key}.txt")


def _holds(folder: Path, key: str, data: bytes) -> bool:
    """Whether a text that was left is this one."""
    path = _left_path(folder, key)
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:  # another window sweeps, too
        return False


def _first_words(path: Path) -> str:
    with path.open("rb") as file:
        words = " ".join(file.read(_BEGINNING).decode("utf-8", "ignore").split())
    return words if len(words) <= _WORDS else words[:_WORDS].rstrip() + "…"
