"""What ``generated_audio/`` holds: heard, downloaded one by one or as a ZIP, deleted and brought back."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from luma_studio import library
from luma_studio.errors import LumaError, SettingError, Stopped, StoreError
from luma_studio.film import last
from luma_studio.library import AudioFile
from luma_studio.panels.audio_players import MOST_PART, in_order, part_of
from luma_studio.panels.panel import Answer, Buffers, Panel
from luma_studio.panels.session import Source
from luma_studio.progress import Event
from luma_studio.store import files
from luma_studio.video import heygen_asked
from luma_studio.video.heygen_assets import Assets
from luma_studio.wire import HEYGEN

_log = logging.getLogger(__name__)

_TRASH_AGE = 7 * 24 * 3600.0  # seconds in which a deleted file can be brought back
_TELL = 0.1  # seconds between two messages about packing


@dataclass(frozen=True, slots=True)
class _Pack:
    """A ZIP in the making, in a file without a name: it is gone once closed, or when the process is."""

    production: str
    total: int
    file: BinaryIO
    stop: threading.Event = field(default_factory=threading.Event)
    ready: threading.Event = field(default_factory=threading.Event)


class AudioLibrary(Panel):
    """Every file of every production: to be heard, downloaded, deleted and brought back.

    >>> AudioLibrary(studio)                               # doctest: +SKIP
    """

    front = "audio_library"
    topics = ("production", "files")
    slow = frozenset({"state", "files", "remove", "restore"})

    def __init__(self, source: Source = None, **unknown: object) -> None:
        self._pack: _Pack | None = None
        super().__init__(source, **unknown)

    def close(self) -> None:
        """Take the panel off the page; a ZIP that is being packed is given up."""
        self.do_drop()
        super().close()

    def do_state(self) -> Answer:
        """The productions, the one that was saved last first, the name of the open one, and what was deleted.

        Each deleted file has the ``key`` that ``restore`` brings it back by.
        """
        opened = self.session.production.name if self.session.is_open else None
        productions = self.session.studio.recent()
        names = {each.name for each in productions}
        deleted = [
            {
                "key": each.removed.place,
                "production": each.removed.production,
                "name": each.removed.name,
                "bytes": each.bytes,
                "when": each.when,
            }
            for each in library.in_trash(self._folder)
            if each.removed.production in names
        ]
        return {"open": opened, "productions": [asdict(each) for each in productions], "deleted": deleted}

    def do_files(self, production: str) -> Answer:
        """The files of a production, each with the ``vendor`` that has it, too, or made it ("" for none)."""
        found = in_order(library.files_of(self._folder, production))
        of_vendors = self._of_vendors(found, production)
        return [{**asdict(file), "vendor": of_vendors.get(file.name, "")} for file in found]

    def do_part(self, production: str, name: str, start: int, size: int) -> tuple[Answer, Buffers]:
        """Part of a file."""
        return part_of(self._folder, production, name, start, size)

    def do_remove(self, production: str, name: str) -> str:
        """Delete a file; the answer is what ``restore`` brings it back by. What was deleted long ago goes for good."""
        library.empty_trash(self._folder, older_than=_TRASH_AGE)
        removed = library.remove(self._folder, production, name)
        self.session.tell("files", None)
        return removed.place

    def do_restore(self, key: str) -> None:
        """Bring a deleted file back."""
        found = [each.removed for each in library.in_trash(self._folder) if each.removed.place == key]
        if not found:
            raise StoreError("That file is not in the trash any more. Export it again.")
        library.restore(self._folder, found[0])
        self.session.tell("files", None)

    def do_pack(self, production: str) -> None:
        """Pack all files of a production into a ZIP, in the background; ``pack`` tells how far it is."""
        self.do_drop()
        found = library.files_of(self._folder, production)
        if not found:
            raise SettingError(f"{production} has no files yet. Export it first.")
        with files.explained(self._folder):
            file: BinaryIO = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - it stays until it was fetched
        self._pack = _Pack(production, sum(each.bytes for each in found), file)
        names = [each.name for each in found]
        threading.Thread(target=self._packed, args=(self._pack, names), name="luma-pack", daemon=True).start()

    def do_packed(self, start: int, size: int) -> tuple[Answer, Buffers]:
        """Part of the ZIP, once it is ready."""
        pack = self._pack
        if pack is None or not pack.ready.is_set():
            raise SettingError("There is no ZIP to fetch. Ask for it again.")
        if start < 0 or size < 0:
            raise SettingError(f"A part cannot begin at {start} and have {size} bytes. Give numbers from 0.")
        total = pack.file.seek(0, 2)
        pack.file.seek(start)
        return {"total": total, "changed": 0}, [pack.file.read(min(size, MOST_PART))]

    def do_drop(self) -> None:
        """Give the ZIP up, packed or not."""
        pack, self._pack = self._pack, None
        if pack is not None:
            pack.stop.set()
            if pack.ready.is_set():
                pack.file.close()

    def _of_vendors(self, found: Sequence[AudioFile], production: str) -> dict[str, str]:
        """Which vendor made a file, or was given what it holds, by the files' names."""
        folder = files.confined(self._folder, production)
        film = last(folder)
        made = (
            [each.video for each in film.results if each.video_id]
            if film.engine.startswith(heygen_asked.ENGINE)
            else []
        )
        given = Assets(self._folder).known()
        held = [file.name for file in found if library.checksum_of(folder / file.name) in given] if given else []
        return dict.fromkeys((*made, *held), HEYGEN.name)

    @property
    def _folder(self) -> Path:
        return self.session.studio.folder

    def _packed(self, pack: _Pack, names: Sequence[str]) -> None:
        told = 0.0

        def heard(_event: Event) -> None:
            nonlocal told
            if pack.stop.is_set():
                raise Stopped
            if time.monotonic() - told > _TELL:
                told = time.monotonic()
                self._tell_pack(pack, "packing", done=pack.file.tell())

        try:
            with files.explained(f"The ZIP of {pack.production}"):
                library.zipped(self._folder, pack.production, names, pack.file, heard)
        except Stopped:
            pack.file.close()
        except LumaError as error:
            pack.file.close()
            self._tell_pack(pack, "failed", error=str(error))
        except Exception as error:  # noqa: BLE001 - the page waits for it
            pack.file.close()
            _log.exception("The files could not be packed")
            sentence = f"The studio made a mistake ({type(error).__name__}: {error}). Nothing was lost; try again."
            self._tell_pack(pack, "failed", error=sentence)
        else:
            pack.ready.set()
            if pack.stop.is_set():
                pack.file.close()
            else:
                self._tell_pack(pack, "ready")

    def _tell_pack(self, pack: _Pack, status: str, **more: Any) -> None:
        about = {"production": pack.production, "status": status, "total": pack.total}
        self.send({"topic": "pack", "value": {**about, **more}})
