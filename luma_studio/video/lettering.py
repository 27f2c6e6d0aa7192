"""Text onto pictures: shaped as its writing asks, broken to fit, and drawn so that it is read on any picture."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter

from luma_studio.video.fonts import Run, clusters, runs, unwritable

_LEADING = 1.28  # of the size, from line to line, where the letters do not ask for more
_SHADOW = 190  # of 255, around letters
_SMALLEST = 12  # pixels
_LONGEST = 500  # characters: nobody reads more at once
_BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F])
_NOT_FIRST = set("、。，．！？；：）」』】〉》・ーぁぃぅぇぉっゃゅょァィゥェォッャュョ।")  # which begin no line


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of text at a size in pixels; ``rtl``: they are read from right to left."""

    lines: tuple[str, ...]
    size: int
    rtl: bool = False

    @property
    def leading(self) -> int:
        """Pixels from line to line: as the tallest letters ask, within reason."""
        fonts = {run.font for line in self.lines for run in runs(line)}
        tall = max((sum(font.at(self.size).getmetrics()) for font in fonts), default=0)
        return round(min(max(_LEADING * self.size, tall), 1.7 * self.size))

    @property
    def height(self) -> int:
        """Pixels that all lines take."""
        return self.leading * len(self.lines)


def plain(text: str) -> str:
    """A text as it is drawn: in one line, without what would change how its neighbours are drawn."""
    spaced = "".join(" " if unicodedata.category(letter) in {"Cc", "Cs"} else letter for letter in text)
    return " ".join(unicodedata.normalize("NFC", spaced.translate(_BIDI)).split())


def writings_missing(texts: Iterable[str]) -> str:
    """The writings, as a list in words, that no installed font has the letters of; "" where all can be drawn."""
    missing = unwritable("".join(dict.fromkeys(plain(" ".join(texts)))))
    letters = "".join(filter(str.isalpha, missing)) or missing
    names = dict.fromkeys(unicodedata.name(letter, "unknown letters").split(" ")[0].capitalize() for letter in letters)
    return " and ".join(list(names)[:3])


def fitted(text: str, size: int, width: int, lines: int, height: int, least: int = _SMALLEST) -> Block:
    """A text in at most so many lines of a width in pixels: smaller where it must be.

    From the size ``least`` on it may have as many lines as the height has room for, and in the smallest its end is cut
    off. Lines are as even as can be.
    """
    text = plain(text)
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    while True:
        block = Block(_balanced(text, size, width), size, _strong(text) == "R")
        if (len(block.lines) <= lines or _SMALLEST < size <= least) and block.height <= height:
            return block
        if size <= _SMALLEST:
            return _cut_off(block, width, max(1, height // block.leading))
        size = max(_SMALLEST, min(size - 1, round(size * 0.93)))


def drawn(
    block: Block, width: int, *, centred: bool = True, colour: str = "#ffffff", shadow: bool = True
) -> Image.Image:
    """The lines on nothing (RGBA, even sizes), in ``width``; with a shadow there is room of their size around them."""
    room = block.size // 2 * 2 if shadow else 0
    size = (width + 2 * room, block.height + 2 * room)
    letters = Image.new("L", (size[0] + size[0] % 2, size[1] + size[1] % 2))
    pen = ImageDraw.Draw(letters)
    for number, line in enumerate(block.lines):
        wide = _width(line, block.size)
        left = (width - wide) / 2 if centred else (width - wide if block.rtl else 0)
        baseline = room + number * block.leading + _baseline(block)
        _write(pen, block, line, room + left, baseline)
    picture = Image.new("RGBA", letters.size, colour)
    picture.putalpha(letters)
    if not shadow:
        return picture
    return Image.alpha_composite(_shadow(letters, block.size), picture)


def _shadow(letters: Image.Image, size: int) -> Image.Image:
    """Dark around the letters: an edge that is sharp enough to read them on white, and a soft one."""
    edge = letters.filter(ImageFilter.GaussianBlur(size * 0.055)).point(lambda value: min(255, value * 3))
    soft = letters.filter(ImageFilter.GaussianBlur(size * 0.22)).point(lambda value: min(255, value * 2))
    dark = Image.new("RGBA", letters.size, "#000000")
    both = Image.blend(edge, soft, 0.5).point(lambda value: value * _SHADOW // 255)
    dark.putalpha(both)
    return dark


def _baseline(block: Block) -> float:
    """Where in a line letters stand: with as much above the tallest as below the lowest."""
    fonts = {run.font for line in block.lines for run in runs(line)}
    ascent, descent = max((font.at(block.size).getmetrics() for font in fonts), default=(block.size, 0))
    return (block.leading - ascent - descent) / 2 + ascent


def _write(pen: ImageDraw.ImageDraw, block: Block, line: str, left: float, baseline: float) -> None:
    for run in _as_seen(line, rtl=block.rtl):
        font, way = run.font.at(block.size), _way(run.text, "R" if block.rtl else "L")
        pen.text((left, baseline), run.text, 255, font, "ls", direction=way)
        left += font.getlength(run.text, direction=way)


def _as_seen(line: str, *, rtl: bool) -> list[Run]:
    """The runs of a line from left to right; a space between two of them goes the way of the line."""
    if not rtl:
        return list(runs(line))
    parts = []
    for run in runs(line):
        words = run.text.strip()
        before, _, after = run.text.partition(words) if words else (run.text, "", "")
        parts += [Run(part, run.font) for part in (before, words, after) if part]
    return parts[::-1]


def _way(run: str, line: str) -> str:
    """How a run is read: as its first letter that has a way, else as its line."""
    return "rtl" if (_strong(run) or line) == "R" else "ltr"


def _strong(text: str) -> str:
    """The way in which the first letter that has one is read: "L", "R", or "" for none."""
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in {"L", "R", "AL"}:
            return kind[0].replace("A", "R")
    return ""


@lru_cache(maxsize=8192)
def _width(text: str, size: int) -> float:
    way = _strong(text)
    return sum(run.font.at(size).getlength(run.text, direction=_way(run.text, way)) for run in runs(text))


def _balanced(text: str, size: int, width: int) -> tuple[str, ...]:
    """As few lines as the width allows, and those as even as so few can be."""
    pieces = _pieces(text, size, width)
    lines = _packed(pieces, size, width)
    narrow, wide = width // 3, width
    while narrow + 2 < wide and len(lines) > 1:
        middle = (narrow + wide) // 2
        if max(_width(piece.strip(), size) for piece in pieces) <= middle and len(
            tighter := _packed(pieces, size, middle)
        ) == len(lines):
            lines, wide = tighter, middle
        else:
            narrow = middle
    return tuple(lines)


def _packed(pieces: Sequence[str], size: int, width: int) -> list[str]:
    lines: list[str] = []
    for piece in pieces:
        if lines and (piece[0] in _NOT_FIRST or _width((lines[-1] + piece).strip(), size) <= width):
            lines[-1] += piece
        else:
            lines.append(piece)
    return [line.strip() for line in lines]


def _pieces(text: str, size: int, width: int) -> list[str]:
    """What a line may end after: words with the space after them, letters of unspaced writings, parts of long words."""
    found: list[str] = []
    for word in text.split(" "):
        parts = [word] if _width(word, size) <= width and not _is_unspaced(word) else _parts(word, size, width)
        found += [*parts[:-1], parts[-1] + " "]
    return [piece for piece in found if piece.strip()]


def _parts(word: str, size: int, width: int) -> list[str]:
    """A word in parts that fit: as large as fit, but single letters of writings without spaces."""
    parts: list[str] = []
    for cluster in clusters(word):
        if not parts or _is_unspaced(parts[-1] + cluster) or _width(parts[-1] + cluster, size) > width:
            parts.append(cluster)
        else:
            parts[-1] += cluster
    return parts or [word]


def _is_unspaced(text: str) -> bool:
    return any("\u2e80" <= letter <= "\u9fff" or letter >= "\U00020000" for letter in text)


def _cut_off(block: Block, width: int, lines: int) -> Block:
    if len(block.lines) <= lines:
        return block
    last = block.lines[lines - 1]
    while last and _width(last + "…", block.size) > width:
        last = last[:-1]
    return Block((*block.lines[: lines - 1], last + "…"), block.size, block.rtl)
