"""Installed fonts, and which of them have the letters of a text: found in the system's folders, nothing is fetched."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from fontTools.ttLib import TTFont, TTLibError
from PIL import ImageFont

_ENDINGS = {".ttf", ".otf", ".ttc", ".otc"}
_LIKED = (
    "notosans",
    "inter",
    "segoeui",
    "sfns",
    "helveticaneue",
    "arial",
    "roboto",
    "opensans",
    "nirmala",
    "dejavusans",
)
_UNLIKED = ("italic", "oblique", "mono", "condensed", "narrow", "serif", "display", "light", "thin", "black", "looped")
_NO_TEXT = ("lastresort", "adobeblank", "emoji", "symbols", "math", "music", "keyboard", "dingbats", "signwriting")
_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # kinds of characters that need no letter of a font
_OPTIONAL = {"So", "Sk", "Co", "Cn", "Cs"}  # and of those without which a text can be read: emoji, private ones
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class Font:
    """A font's file, and which of those in it."""

    path: Path
    number: int = 0

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """The font to draw with, at a size in pixels."""
        return _loaded(self.path, self.number, size)


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line in one font."""

    text: str
    font: Font


def unwritable(text: str) -> str:
    """The letters of a text that no installed font has, each once; "" where all can be drawn."""
    missing = (character for character in dict.fromkeys(text) if _needed(character) and not _found(character))
    return "".join(missing)


def runs(text: str) -> tuple[Run, ...]:
    """A text in pieces of one font each, as few as there can be. Emoji that no font has are left out.

    Raises ValueError for a text that is ``unwritable``.
    """
    needed = "".join(filter(_needed, dict.fromkeys(text)))
    whole = _for_all(needed)
    pieces: list[Run] = []
    for cluster in clusters(text):
        if not any(map(_needed, cluster)) and not all(map(_found, filter(_drawn, cluster))):
            continue
        font = _font_of(cluster, pieces[-1].font if pieces else whole)
        if font is None:
            raise ValueError(f"No installed font has all letters of {cluster!r}.")
        if pieces and pieces[-1].font == font:
            pieces[-1] = Run(pieces[-1].text + cluster, font)
        else:
            pieces.append(Run(cluster, font))
    return tuple(pieces)


def clusters(text: str) -> list[str]:
    """What must not be taken apart: a letter with its marks and joiners, and what a virama binds to it."""
    found: list[str] = []
    for character in text:
        if found and (_belongs(character) or _binds(found[-1][-1])):
            found[-1] += character
        else:
            found.append(character)
    return found


def _belongs(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or character in "\u200c\u200d"


def _binds(character: str) -> bool:
    """Whether the next letter is one with this: after a joiner, or a virama (combining class 9)."""
    return character == _JOINER or unicodedata.combining(character) == 9


def _needed(character: str) -> bool:
    return unicodedata.category(character) not in _UNSEEN | _OPTIONAL and not _is_selector(character)


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f"


def _font_of(cluster: str, last: Font | None) -> Font | None:
    """The font before it, if that has it; else the best."""
    needed = [ord(character) for character in cluster if _drawn(character)]
    if last is not None and all(letter in _letters(last) for letter in needed):
        return last
    if not needed:
        return last or next(iter(_all_fonts()), None)
    return next((font for font in _likely(chr(needed[0])) if all(letter in _letters(font) for letter in needed)), None)


def _drawn(character: str) -> bool:
    return unicodedata.category(character) not in _UNSEEN and not _is_selector(character)


@lru_cache(maxsize=256)
def _for_all(needed: str) -> Font | None:
    """The best font that has them all, of those that are likely to have the first letter that is not a Latin one."""
    first = next((character for character in needed if not character.isascii()), needed[:1] or "a")
    best = next((font for font in _likely(first) if ord(first) in _letters(font)), None)
    return best if best and all(ord(character) in _letters(best) for character in needed) else None


@lru_cache(maxsize=4096)
def _found(character: str) -> bool:
    return any(ord(character) in _letters(font) for font in _likely(character))


def _likely(character: str) -> Iterator[Font]:
    """All fonts, those first whose name says that they are for such letters."""
    script = unicodedata.name(character, "").split(" ")[0].split("-")[0].lower()
    named = [font for font in _all_fonts() if script in font.path.stem.lower()] if len(script) > 2 else []
    yield from named
    taken = set(named)
    yield from (font for font in _all_fonts() if font not in taken)


@lru_cache(maxsize=1)
def _all_fonts() -> tuple[Font, ...]:
    """Every font of the system, the best for captions first."""
    paths = {path.name: path for folder in folders() if folder.is_dir() for path in _in(folder)}
    return tuple(Font(path) for path in sorted(paths.values(), key=_rank))


def folders() -> Sequence[Path]:
    """Where this system, and matplotlib (which has letters for most of Europe), keep their fonts; the last wins."""
    home = Path.home()
    if sys.platform == "win32":
        windows, local = os.environ.get("WINDIR", r"C:\Windows"), os.environ.get("LOCALAPPDATA", "")
        system = [Path(windows) / "Fonts", Path(local) / "Microsoft" / "Windows" / "Fonts"]
    elif sys.platform == "darwin":
        system = [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library" / "Fonts"]
    else:
        shared = os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share").split(":")
        own = Path(os.environ.get("XDG_DATA_HOME", home / ".local" / "share"))
        system = [*(Path(each) / "fonts" for each in shared if each), own / "fonts", home / ".fonts"]
    spec = find_spec("matplotlib")
    shipped = [Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"] if spec and spec.origin else []
    return [*shipped, *system]


def _in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        name = path.stem.lower().replace(" ", "").replace("-", "")
        if path.suffix.lower() in _ENDINGS and not any(word in name for word in _NO_TEXT):
            yield path


def _rank(path: Path) -> tuple[int, int, bool, int, str]:
    """Liked families first, plain shapes first, bold first: captions are read on pictures."""
    name = path.stem.lower().replace(" ", "").replace("_", "")
    liked = next((place for place, family in enumerate(_LIKED) if name.startswith(family)), len(_LIKED))
    return sum(word in name for word in _UNLIKED), liked, "bold" not in name, len(name), str(path)


@lru_cache(maxsize=2048)
def _letters(font: Font) -> frozenset[int]:
    """The code points that it has; none for a file that cannot be read, or drawn with."""
    try:
        with TTFont(font.path, fontNumber=font.number, lazy=True) as tables:
            if "glyf" not in tables and "CFF " not in tables and "CFF2" not in tables:
                return frozenset()  # of pictures, in sizes of its own
            letters = frozenset(tables["cmap"].getBestCmap() or ())
        font.at(16)
    except (OSError, TTLibError, KeyError, ValueError, AssertionError):
        return frozenset()
    return letters


@lru_cache(maxsize=64)
def _loaded(path: Path, number: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, number, layout_engine=ImageFont.Layout.RAQM)
