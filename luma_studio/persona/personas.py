"""The personas of a workspace: those that are shipped, and the user's own in ``personas/``, which win.

Files are looked at whenever somebody asks and read again when one changed. A persona that cannot be used is told of and
takes no other away. Changes are made by one process at a time, whole or not at all.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luma_studio.errors import PersonaError
from luma_studio.persona.model import FIELDS, FOLDER, Persona, check_id, check_path, entry_of, persona_of
from luma_studio.persona.pictures import look
from luma_studio.shipped import shipped
from luma_studio.store import files
from luma_studio.voices import Listed, elevenlabs
from luma_studio.voices.names import PERSONA
from luma_studio.wire import has_key

FILE = "personas.json"
_LOCK = ".personas.lock"
_TRASH = ".trash"
_WAIT = 5.0  # seconds for another process to finish writing
_MOST_BYTES = 16 * 2**20  # of a file that is read

_Entries = dict[str, Any]
_Mark = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a persona, in a sentence; ``id`` is "" where it is the whole file."""

    id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What a folder holds, and which files that was read from, as they were."""

    personas: tuple[Persona, ...]
    problems: tuple[Problem, ...]
    paths: tuple[Path, ...]
    mark: _Mark


class Personas:
    """The personas of a workspace. From any thread.

    >>> Personas(Path(".")).get("asha").name                        # doctest: +SKIP
    """

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / FOLDER
        self._looking = threading.Lock()
        self._shelves: dict[Path, _Shelf] = {}

    def all(self) -> tuple[Persona, ...]:
        """Those that can be used: the user's own as their file has them, then the shipped ones. Raises StoreError."""
        own, others = self._own(), self._shipped()
        bad = {each.id for each in own.problems}
        ids = {each.id for each in own.personas} | bad
        names = {each.name.casefold() for each in own.personas}
        return (*own.personas, *(each for each in others if each.id not in ids and each.name.casefold() not in names))

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the user's own. Raises StoreError."""
        return self._own().problems

    def get(self, key: str) -> Persona:
        """A persona by its id. Raises PersonaError: there is none, or what is wrong with it."""
        wanted = key.strip().lower()
        there = self.all()
        found = next((each for each in there if each.id == wanted), None)
        if found is not None:
            return found
        problems = {each.id: each.sentence for each in self.problems()}
        why = problems.get(wanted) or problems.get("")
        if why:
            raise PersonaError(why)
        raise PersonaError(f"There is no persona {key[:60]!r}. There are: {', '.join(each.id for each in there)}.")

    def voice(self, key: str, kept: str = "") -> Listed:
        """The voice that a persona speaks with: ElevenLabs' where there is a key, else the embedded one.

        ``kept`` is the voice that spoke so far: without a key it stays, if it is the persona's, and so do its takes.
        Raises PersonaError.
        """
        persona = self.get(key)
        speaks = persona.bought if persona.bought in ("", kept) or has_key(elevenlabs.HOME) else ""
        return Listed(speaks or persona.embedded, persona.name, persona.bio)

    def offered(self) -> tuple[Listed, ...]:
        """Each as a voice that can be chosen: ``persona:asha``."""
        return tuple(Listed(f"{PERSONA}:{each.id}", each.name, each.bio) for each in self.all())

    def image(self, persona: Persona) -> bytes | None:
        """The bytes of a persona's picture; None where it has none. Raises StoreError."""
        if not persona.image:
            return None
        path = self.image_path(persona)
        with files.explained(path):
            return path.read_bytes()

    def image_path(self, persona: Persona) -> Path:
        """Where a persona's picture lies."""
        return _path(self._folder(persona), persona.image)

    # Changing

    def add(self, key: str, *, prompt: str, picture: bytes | None = None, **fields: Any) -> Persona:
        """Add a persona of the user's own, whose prompt and picture become files of ``personas/``.

        ``fields`` are those of ``personas.json``. Raises PersonaError for what cannot be, or is there already, and
        BusyError, StoreError; nothing is changed then.
        """
        check_id(key)
        with self._changing() as entries:
            if key in entries:
                raise PersonaError(f"There is a persona {key!r} already. Change it, or choose another id.")
            return self._put(entries, key, fields, {}, prompt, picture)

    def change(self, key: str, *, prompt: str | None = None, picture: bytes | None = None, **fields: Any) -> Persona:
        """Change some of a persona; a shipped one is copied, changed, into the user's own, which wins.

        A field that is None is as usual again. What was wrong with it may be mended so. Raises as ``add``.
        """
        check_id(key)
        with self._changing() as entries:
            carried: dict[str, bytes] = {}
            if key not in entries:
                persona = self.get(key)
                entries[key] = entry_of(persona)
                folder = self._folder(persona)
                carried = {path: _read(folder, path) for path in (persona.prompt_file, persona.image) if path}
            kept = entries[key] if isinstance(entries[key], dict) else {}
            changed = {name: value for name, value in {**kept, **fields}.items() if value is not None}
            return self._put(entries, key, changed, carried, prompt, picture)

    def remove(self, key: str) -> Path:
        """Take one of the user's own away; returns the folder that keeps it, with its prompt and its picture.

        A shipped one of the same id is there again then. Raises PersonaError for one that is not the user's own.
        """
        with self._changing() as entries:
            if key not in entries:
                self.get(key)
                raise PersonaError(
                    f"{key!r} comes with Luma Studio and stays. One of your own with the same id takes its place: "
                    f"luma-studio personas change {key}."
                )
            entry = entries.pop(key)
            trash = self.folder / _TRASH / f"{time.time_ns()}-{secrets.token_hex(2)}"
            files.write_json(trash / FILE, {key: entry}, durable=True)
            self._write(entries)
            used = {path for other in entries.values() for path in _paths_of(other)}
            for path in set(_paths_of(entry)) - used:
                self._throw_away(path, trash)
        return trash

    def _put(
        self,
        entries: _Entries,
        key: str,
        fields: Mapping[str, Any],
        carried: Mapping[str, bytes],
        prompt: str | None,
        picture: bytes | None,
    ) -> Persona:
        """Check a persona, write its files, and then the entries with it among them."""
        unknown = sorted(set(fields) - set(FIELDS))
        if unknown:
            raise PersonaError(f"A persona has no field {unknown[0]!r}; there are {', '.join(FIELDS)}.")
        entry, new = dict(fields), dict(carried)
        if prompt is not None:
            entry["prompt_file"] = f"{FOLDER}/prompts/{key}.txt"
            new[entry["prompt_file"]] = prompt.strip().encode("utf-8", "replace") + b"\n"
        if picture is not None:
            entry["image"] = f"{FOLDER}/avatars/{key}.{_ending(key, picture)}"
            new[entry["image"]] = picture

        def read(path: str) -> bytes:
            return new[path] if path in new else _read(self.folder, path)

        persona = persona_of(key, entry, read, is_own=True)
        self._check_name(persona, entries)
        for path, data in new.items():
            files.write(_path(self.folder, path), data, durable=True)
        self._write({**entries, key: entry})
        return persona

    def _check_name(self, persona: Persona, entries: _Entries) -> None:
        for key, entry in entries.items():
            name = entry.get("name") if isinstance(entry, dict) else None
            if key != persona.id and isinstance(name, str) and name.strip().casefold() == persona.name.casefold():
                raise PersonaError(_same_name(persona.id, persona.name, key))

    @contextmanager
    def _changing(self) -> Iterator[_Entries]:
        """The entries of the user's own file as they stand, while no other process changes them."""
        busy = "Another window or program is changing personas. Try again."
        with files.locked(self.folder / _LOCK, wait=_WAIT, busy=busy):
            entries, twice = _entries(self.folder)
            if twice:
                raise PersonaError(_twice(twice[0]))
            yield entries

    def _write(self, entries: _Entries) -> None:
        files.write_json(self.folder / FILE, entries, durable=True)

    def _throw_away(self, path: str, trash: Path) -> None:
        try:
            there = _path(self.folder, path)
        except ValueError:  # it never was a file of ours
            return
        with files.explained(there):
            if there.is_file():
                files.disk.replace(there, trash / there.name)

    # Looking

    def _folder(self, persona: Persona) -> Path:
        return self.folder if persona.is_own else shipped(FOLDER)

    def _own(self) -> _Shelf:
        return self._looked(self.folder, is_own=True)

    def _shipped(self) -> tuple[Persona, ...]:
        there = shipped(FOLDER)
        return () if there.resolve() == self.folder.resolve() else self._looked(there, is_own=False).personas

    def _looked(self, folder: Path, *, is_own: bool) -> _Shelf:
        """What a folder holds, read again if one of its files is another than it was."""
        with self._looking:
            known = self._shelves.get(folder)
            if known is None or known.mark != _mark(known.paths):
                known = self._shelves[folder] = _shelf(folder, is_own=is_own)
            return known


def _shelf(folder: Path, *, is_own: bool) -> _Shelf:
    paths = [folder / FILE]
    mark = list(_mark(paths))  # before it is read: what changes meanwhile is read again

    def read(path: str) -> bytes:
        paths.append(_path(folder, path))
        mark.extend(_mark(paths[-1:]))
        return _read(folder, path)

    personas: dict[str, Persona] = {}
    problems: list[Problem] = []
    try:
        entries, twice = _entries(folder)
    except PersonaError as error:
        return _Shelf((), (Problem("", str(error)),), tuple(paths), tuple(mark))
    for key in twice:
        problems.append(Problem(key, _twice(key)))
        entries.pop(key, None)
    for key, entry in entries.items():
        try:
            persona = persona_of(key, entry, read, is_own=is_own)
        except PersonaError as error:
            problems.append(Problem(key, str(error)))
            continue
        same = next((each.id for each in personas.values() if each.name.casefold() == persona.name.casefold()), "")
        if same:
            problems.append(Problem(key, _same_name(key, persona.name, same)))
        else:
            personas[key] = persona
    return _Shelf(tuple(personas.values()), tuple(problems), tuple(paths), tuple(mark))


def _entries(folder: Path) -> tuple[_Entries, list[str]]:
    """The entries of a folder's file, none where there is no file, and the ids that stand in it more than once.

    Raises PersonaError for a file that nobody can read as such, StoreError.
    """
    path = folder / FILE
    twice: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> _Entries:
        times = Counter(key for key, _ in found)
        twice[:] = [key for key, count in times.items() if count > 1]  # the outermost comes last
        return dict(found)

    try:
        found = json.loads(_bytes(path), object_pairs_hook=pairs)
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        raise PersonaError(f"{FOLDER}/{FILE} cannot be read ({error.strerror or error}). Allow it.") from None
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise PersonaError(f"{FOLDER}/{FILE} is not JSON{where}. Correct it, or move it away.") from None
    if not isinstance(found, dict):
        raise PersonaError(f"{FOLDER}/{FILE} must hold {{…}} with personas by their ids. Correct it, or move it away.")
    return found, twice


def _read(folder: Path, path: str) -> bytes:
    """A file by its path as an entry has it. Raises ValueError, OSError."""
    return _bytes(_path(folder, path))


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"{path.name} is larger than {_MOST_BYTES // 2**20} MB: make it smaller")
    return data


def _path(folder: Path, path: str) -> Path:
    """Where a path of an entry leads. Raises ValueError where that, or a link in it, is out of the folder."""
    check_path(path)
    there = folder.joinpath(*path.split("/")[1:])
    if not there.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{path} is a link that leads out of {FOLDER}/: put the file itself there")
    return there


def _mark(paths: Iterable[Path]) -> _Mark:
    """What tells files as they are from what they were. Costs a look at each."""
    marks: list[tuple[int, int, int] | None] = []
    for path in paths:
        try:
            about = path.stat()
            marks.append((about.st_ino, about.st_mtime_ns, about.st_size))
        except OSError:
            marks.append(None)
    return tuple(marks)


def _paths_of(entry: Any) -> list[str]:
    found = [entry.get(field) for field in ("prompt_file", "image")] if isinstance(entry, dict) else []
    return [path for path in found if isinstance(path, str)]


def _ending(key: str, picture: bytes) -> str:
    try:
        return {"png": "png", "jpeg": "jpg"}[look(picture).kind]
    except ValueError as error:
        raise PersonaError(f"Persona {key!r}: the picture {error}.") from None


def _same_name(key: str, name: str, other: str) -> str:
    return f"Persona {key[:60]!r}: name {name!r} is that of {other!r}, too: give one of them another."


def _twice(key: str) -> str:
    return f"{key[:60]!r} stands twice in {FOLDER}/{FILE}: take one of them out, or rename it."
