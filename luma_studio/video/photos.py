"""The photos of a workspace: pictures in its folder ``photos/``, by name; and cards that stand for one."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Hashable
from pathlib import Path

from PIL import ImageColor

from luma_studio.errors import SettingError
from luma_studio.persona import Personas
from luma_studio.store import files
from luma_studio.video.base import Look, Photo, Still
from luma_studio.video.stills import card, take_in

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".gif")
_MOST_SEEN = 500  # stills that are remembered
_NONE = (-1, -1)
_PERSONA = "persona:"
_ID = re.compile(r"(asset:)?[A-Za-z0-9_-]{4,128}")  # of a vendor's own avatar, or of a picture that it was given


class Photos:
    """The photos in a folder, and those of ``personas``; ``cards`` has pictures that only stand for one."""

    def __init__(self, folder: Path, cards: Path, personas: Personas) -> None:
        self.folder = folder
        self._cards = cards
        self._personas = personas

    def names(self) -> tuple[str, ...]:
        """The photos that there are, as one names them."""
        with files.explained(self.folder):
            if not self.folder.is_dir():
                return ()
            return tuple(sorted(path.name for path in self.folder.iterdir() if self._is_photo(path)))

    def find(self, name: str) -> Photo | None:
        """A photo by its file's name, with or without its ending, in small or capital letters; None where it is not.

        ``persona:ID`` is that persona's picture and, for the vendor who has it, its avatar. Raises SettingError for a
        file that is no picture, PersonaError for a persona that there is not.
        """
        wanted = name.strip().casefold()
        if wanted.startswith(_PERSONA):
            persona = self._personas.get(wanted.removeprefix(_PERSONA))
            if not persona.image:
                return None
            still = self._looked_at(self._personas.image_path(persona))
            return Photo(persona.name, still, persona.heygen_avatar_id)
        for each in self.names():
            if wanted in (each.casefold(), Path(each).stem.casefold()):
                return Photo(Path(each).stem, self._looked_at(self.folder / each))
        return None

    def add(self, path: Path) -> str:
        """Take a picture's file in, and give the name it has here. Raises SettingError for what is no picture."""
        with files.explained(path):
            data = path.read_bytes()
        return self.put(path.name, data)

    def put(self, name: str, data: bytes) -> str:
        """Take a picture in under a name, and give the name it has here: another one where that holds another picture.

        Raises SettingError for a name without the ending of a picture, and for what is no picture.
        """
        plain = files.name_from(name)
        stem, ending = Path(plain).stem, Path(plain).suffix.lower()
        if ending not in ENDINGS:
            raise SettingError(f"{name!r} is no photo's name. Choose a file that ends in one of: {', '.join(ENDINGS)}.")
        taken, number = plain, 1
        while (path := files.confined(self.folder, taken)).exists() and path.read_bytes() != data:
            number += 1
            taken = f"{stem}-{number}{ending}"
        if not path.exists():
            files.write(path, data)
            try:
                take_in(path, self._cards)
            except SettingError:
                files.remove(path)
                raise
        return taken

    def of(self, named: str, speaker: str | None, default: str, title: str, look: Look) -> Photo:
        """The photo of a scene: the one its script names, or its speaker's, the production's, or a card with its title.

        A speaker who is called like a persona has that one's picture. What is neither a file here nor a persona is the
        id of one that the vendor has. An address counts only where the production has it, for a script may name any.
        """
        for name in filter(None, (named.strip(), self._persona(speaker or ""), default.strip())):
            found = self.find(name)
            if found is not None:
                return found
            if name == default.strip() and name.lower().startswith("https://"):
                return Photo(name, self._card(title, look), address=name)
            if _ID.fullmatch(name):
                return Photo(name, self._card(title, look), avatar=name)
        return Photo(title, self._card(title, look), drawn=True)

    def _looked_at(self, path: Path) -> Still:
        return _once((path, _mark(path)), lambda: take_in(path, self._cards))

    def _card(self, title: str, look: Look) -> Still:
        return _once((self._cards, title, look.width, look.height), lambda: card(title, self._cards, look))

    def _persona(self, speaker: str) -> str:
        """How one names the persona that a speaker is called like; "" for none."""
        wanted = speaker.strip().casefold()
        found = (each for each in self._personas.all() if wanted in (each.id.casefold(), each.name.casefold()))
        persona = next(found, None)
        return f"{_PERSONA}{persona.id}" if persona else ""

    def _is_photo(self, path: Path) -> bool:
        return path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()


_seen: dict[Hashable, tuple[Still, tuple[int, int]]] = {}
_seen_lock = threading.Lock()


def _once(key: Hashable, make: Callable[[], Still]) -> Still:
    """A still that was looked at or drawn before, for as long as its file stays as it was: a film asks for it often."""
    with _seen_lock:
        still, mark = _seen.get(key, (None, _NONE))
    if still is None or _mark(still.path) != mark:
        still = make()
        with _seen_lock:
            _seen.pop(next(iter(_seen)) if len(_seen) >= _MOST_SEEN else key, None)
            _seen[key] = still, _mark(still.path)
    return still


def _mark(path: Path) -> tuple[int, int]:
    """What tells one state of a file from the next."""
    with files.explained(path):
        about = path.stat() if path.exists() else None
    return _NONE if about is None else (about.st_size, about.st_mtime_ns)


def colour(text: str) -> str:
    """A colour as #rrggbb, from one such or an English name; "" for what is none."""
    try:
        red, green, blue = ImageColor.getrgb(text.strip())[:3]
    except ValueError:
        return ""
    return f"#{red:02x}{green:02x}{blue:02x}"
