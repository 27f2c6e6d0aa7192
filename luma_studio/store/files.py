"""Files that appear whole or not at all, and paths that stay in their folder.

Every change this package makes to a disk goes through ``Disk``, one method an operation, so that a test can let any of
them fail and see what is left.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from luma_studio.errors import BusyError, StoreError, UnsafeNameError

_PART = ".part"
_BEAT = 0.05  # seconds between two looks at a lock that somebody holds
_PART_AGE = 3600.0  # seconds after which a part file is no longer anybody's
_RESERVED = {"con", "prn", "aux", "nul", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10))}
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_EDGES = " .-"  # what a name made of a text neither begins nor ends with
_MOST_BYTES = 120  # of a name: file systems allow 255, suffixes need some
_ELSEWHERE = "Choose another workspace (LUMA_WORKSPACE)"


class Disk:
    """The operations that change a disk."""

    def mkdir(self, folder: Path) -> None:
        """Make a folder and those above it."""
        folder.mkdir(parents=True, exist_ok=True)

    def create(self, path: Path) -> BinaryIO:
        """A new file, open for writing and seeking."""
        return path.open("xb")

    def sync(self, file: BinaryIO) -> None:
        """Have what was written survive a loss of power."""
        file.flush()
        os.fsync(file.fileno())

    def sync_folder(self, folder: Path) -> None:
        """Have the names in a folder survive a loss of power."""
        if sys.platform != "win32":  # which has no way to ask for it
            number = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)

    def replace(self, part: Path, path: Path) -> None:
        """Let a finished part take its name, in one step."""
        with _freed_later(path):
            part.replace(path)

    def link(self, path: Path, name: Path) -> None:
        """Give a file a second name; where the file system has no such thing, copy it."""
        try:
            name.hardlink_to(path)
        except OSError:
            shutil.copyfile(path, name)

    def unlink(self, path: Path) -> None:
        """Remove a file; none there is fine."""
        path.unlink(missing_ok=True)

    def rmdir(self, folder: Path) -> None:
        """Remove an empty folder."""
        folder.rmdir()


disk = Disk()


@contextmanager
def _freed_later(path: Path) -> Iterator[None]:
    """Let a thread wait while the system frees the blocks of the file that is replaced: 60 ms for a long master."""
    try:
        old = os.open(path, os.O_RDONLY) if sys.platform != "win32" else None
    except OSError:  # none there, or none of ours to open
        old = None
    try:
        yield
    finally:
        if old is not None:
            threading.Thread(target=os.close, args=(old,)).start()


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """A file to write to; it appears at ``path`` when the block ends well, and otherwise not at all.

    ``durable`` waits until it would survive a loss of power: for what was paid for or typed, not for what can be made
    again. Raises StoreError when the disk is full, the folder read-only or the like.
    """
    part = path.parent / f".{path.name}.{secrets.token_hex(6)}{_PART}"
    with explained(path):
        disk.mkdir(path.parent)
        try:
            with disk.create(part) as file:
                yield file
                if durable:
                    disk.sync(file)
            disk.replace(part, path)
            if durable:
                with suppress(OSError):  # some network folders cannot; the file itself is there
                    disk.sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):  # the first error is the one to tell
                disk.unlink(part)
            raise


def write(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a small file whole or not at all; see ``replacing``."""
    with replacing(path, durable=durable) as file:
        file.write(data)


def write_json(path: Path, value: object, *, durable: bool = False) -> None:
    """Write JSON for people and programs: UTF-8, indented, whole or not at all."""
    write(path, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode(), durable=durable)


def link(path: Path, name: Path) -> None:
    """Have a file under another name, too, in one step: the same bytes on the disk, or a copy where that cannot be."""
    part = name.parent / f".{name.name}.{secrets.token_hex(6)}{_PART}"
    with explained(name):
        if name.exists() and name.samefile(path):
            return
        disk.mkdir(name.parent)
        try:
            disk.link(path, part)
            disk.replace(part, name)
        except BaseException:
            with suppress(OSError):
                disk.unlink(part)
            raise


def remove(path: Path) -> None:
    """Remove a file; none there is fine."""
    with explained(path):
        disk.unlink(path)


def sweep(folder: Path) -> None:
    """Remove part files that a killed process left in a folder, or one below it, long ago."""
    with explained(folder):
        for part in folder.rglob(f".*{_PART}"):
            with suppress(FileNotFoundError):  # another process sweeps, too
                if time.time() - part.stat().st_mtime > _PART_AGE:
                    remove(part)


@contextmanager
def locked(path: Path, *, wait: float, busy: str, meanwhile: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock file among all processes; the system frees it when the holder dies.

    ``wait`` is in seconds; raises BusyError with the sentence ``busy`` when it has passed. Until then ``meanwhile`` is
    called some times a second, and ends the wait by raising.
    """
    until = time.monotonic() + wait
    while (lock := hold(path)) is None:
        if time.monotonic() >= until:
            raise BusyError(busy)
        meanwhile()
        time.sleep(_BEAT)
    try:
        yield
    finally:
        lock.release()


def hold(path: Path) -> FileLock | None:
    """The lock file among all processes, held until it is released (by any thread), dropped, or the process dies.

    None if somebody has it: another process, or this one by an earlier call.
    """
    with explained(path):
        disk.mkdir(path.parent)
        lock = FileLock(path, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return lock


def safe_name(name: str) -> str:
    """A name fit to be one folder or file on any system, in its own writing.

    Raises UnsafeNameError for a name that holds a path, is empty, hidden, reserved or too long.
    """
    if not isinstance(name, str):
        raise UnsafeNameError(f"A name is text, such as 'evening-calm'; {name!r} is none.")
    plain = unicodedata.normalize("NFC", name).strip()
    problem = (
        "is empty"
        if not plain
        else f"holds what a file name cannot have: {_listed(_UNSAFE.findall(plain))}"
        if _UNSAFE.search(plain)
        else "begins or ends with a dot"
        if plain.startswith(".") or plain.endswith(".")
        else "is reserved by the system"
        if plain.split(".")[0].lower() in _RESERVED
        else f"is longer than {_MOST_BYTES} bytes"
        if len(plain.encode()) > _MOST_BYTES
        else None
    )
    if problem:
        shown = name if len(name) <= 60 else name[:60] + "…"
        raise UnsafeNameError(f"The name {shown!r} {problem}. Choose a short name of letters, numbers and hyphens.")
    return plain


def _listed(characters: Iterable[str]) -> str:
    """Each of some characters once, those that cannot be seen by their number."""
    different = list(dict.fromkeys(characters))[:5]
    return " ".join(f"“{each}”" if each.isprintable() else f"U+{ord(each):04X}" for each in different)


def name_from(text: str) -> str:
    """A safe name made of any text: what cannot stand in one becomes a hyphen."""
    plain = " ".join(_UNSAFE.sub("-", unicodedata.normalize("NFC", text)).split()).strip(_EDGES)
    if not plain or plain.split(".")[0].lower() in _RESERVED:
        plain = f"script-{plain}".strip(_EDGES)
    while len(plain.encode()) > _MOST_BYTES:
        plain = plain[:-1].strip(_EDGES)
    return safe_name(plain)


def confined(folder: Path, name: str) -> Path:
    """The path of ``name`` in ``folder``. Raises UnsafeNameError if it, or a link in it, leads outside."""
    path = folder / safe_name(name)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UnsafeNameError(f"{path} is a link that leads out of {folder}. Remove the link or choose another name.")
    return path


@contextmanager
def explained(path: Path | str) -> Iterator[None]:
    """Turn the system's errors about files into one sentence with the remedy."""
    try:
        yield
    except OSError as error:
        raise StoreError(_sentence(error, Path(path))) from None


def check_workspace(folder: Path) -> None:
    """Make the folder that holds productions where there is none, and write a file in it that does not stay.

    Raises StoreError, which names what is in the way and the remedy.
    """
    probe = folder / f".{secrets.token_hex(6)}{_PART}"
    write(probe, b"")
    remove(probe)


def _sentence(error: OSError, path: Path) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"The disk is full: {path} could not be written. Free some space and run again; takes are kept."
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return f"{_nearest(path)} may not be written or read. {_ELSEWHERE}, or allow access to it."
        case errno.ENOENT if error.filename is not None and Path(error.filename) in path.parents:
            return f"The folder {error.filename} cannot be made. {_ELSEWHERE}."
        case errno.ENOENT:
            return f"{path} does not exist. Check its name."
        case errno.EISDIR | errno.ENOTDIR | errno.EEXIST:
            there = _nearest(path)
            meant = "folder where a file" if there.is_dir() else "file where a folder"
            return f"{there} is in the way: a {meant} is meant. {_ELSEWHERE}, or move it away."
        case _:
            return f"{path} could not be used: {error.strerror or error}. Check the disk and run again."


def _nearest(path: Path) -> Path:
    """The path itself or, where it is not there, the nearest folder or file above it that is."""
    return next((each for each in (path, *path.parents) if os.path.lexists(each)), path)
