"""What panels have in common in whose page one chooses a photo: of the workspace, or one that is sent by the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from luma_studio.errors import SettingError
from luma_studio.panels.panel import Answer, Buffers, Panel
from luma_studio.panels.session import Source
from luma_studio.store import files
from luma_studio.video.photos import ENDINGS
from luma_studio.video.stills import look_at
from luma_studio.video.thumbnails import small

MOST_BYTES = 64 * 10**6  # of a picture
_MOST_KEPT = 200  # small pictures that are remembered

_Signature = tuple[str, int, int]


@dataclass(slots=True)
class _Coming:
    """A picture that the page sends, in pieces, one after the other."""

    key: str
    data: bytearray = field(default_factory=bytearray)


class PhotoPanel(Panel):
    """A panel in which a photo is chosen: it lists those of the workspace, shows each small, and takes in new ones."""

    def __init__(self, source: Source = None, **unknown: object) -> None:
        self._coming: _Coming | None = None
        self._small: dict[_Signature, bytes] = {}
        super().__init__(source, **unknown)

    def do_photos(self) -> Answer:
        """The photos of the workspace, by their files' names, the personas', and what a file may end in."""
        studio = self.session.studio
        personas = [{"photo": f"persona:{each.id}", "name": each.name} for each in studio.personas.all() if each.image]
        return {"photos": studio.photos.names(), "personas": personas, "endings": ENDINGS}

    def do_photo(self, name: str) -> tuple[Answer, Buffers]:
        """A photo of the workspace, or a persona's (``persona:ID``), small, as JPEG.

        Raises SettingError for what is no picture, or not there, and PersonaError.
        """
        found = self.session.studio.photos.find(name)
        if found is None or found.still is None:
            raise SettingError(f"There is no photo {name!r} any more. Choose another one.")
        return None, [self._shown(found.still.path)]

    def do_put_photo(self, key: str, name: str, size: int, start: int, data: bytes) -> Answer:
        """Take in a piece of a picture; the answer to the last one is the name that the photo has here, else None.

        ``key`` tells one picture that is sent from the next. Raises SettingError for what is no picture, or too large.
        """
        _check_offered(name, size)
        if start == 0:
            self._coming = _Coming(key)
        coming = self._coming
        if coming is None or coming.key != key or len(coming.data) != start or start + len(data) > size:
            raise SettingError(f"{name} did not arrive whole. Choose it again.")
        coming.data += data
        if len(coming.data) < size:
            return None
        self._coming = None
        taken = self.session.studio.photos.put(name, bytes(coming.data))
        self.session.tell("photos", None)
        return taken

    def _shown(self, path: Path) -> bytes:
        """A picture's file, small; remembered for as long as the file stays as it is."""
        with files.explained(path):
            about = path.stat()
        signature = str(path), about.st_size, about.st_mtime_ns
        if signature not in self._small:
            while len(self._small) >= _MOST_KEPT:
                self._small.pop(next(iter(self._small)), None)
            self._small[signature] = small(look_at(path))
        return self._small[signature]


def _check_offered(name: str, size: int) -> None:
    """Raise SettingError for a file that need not even be sent."""
    if Path(name).suffix.lower() not in ENDINGS:
        raise SettingError(f"{name} is no picture that can be read here. Take a JPEG or PNG.")
    if not 0 < size <= MOST_BYTES:
        raise SettingError(
            f"{name} is empty. Take another picture."
            if size == 0
            else f"{name} has {size / 10**6:.0f} MB, and a photo may have {MOST_BYTES // 10**6}. Save it smaller."
        )
