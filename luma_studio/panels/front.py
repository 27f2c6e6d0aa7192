"""The front ends of the panels: one ES module and one style sheet each, as a widget needs them.

The files stand beside the Python and are plain ES modules that import one another (``import { h } from "./kit.js";``),
and style sheets that do so (``@import "./videos.css";``), so a browser can load them as they are, to test them. A panel
is given one text: here the imported files are put before the one that imports them, each once. As notebooks keep what a
widget is made of, a widget itself is made of the ``loader.js`` alone, which asks the kernel for that text.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent

LOADER = (FOLDER / "loader.js").read_text(encoding="utf-8")
"""The module of every panel's widget."""

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_STYLES = re.compile(r'^@import "\./([\w-]+\.css)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def module(name: str) -> str:
    """The ES module of a panel, with all that it imports."""
    return "".join(_linked(name, set()))


@cache
def styles(name: str) -> str:
    """The style sheet of a panel, after the one that all share and those that it imports."""
    if not (FOLDER / name).exists():
        return _read("kit.css")
    own = _read(name)
    return "".join([_read("kit.css"), *map(_read, _STYLES.findall(own)), _STYLES.sub("", own)])


def _linked(name: str, seen: set[str]) -> list[str]:
    if name in seen:
        return []
    seen.add(name)
    text = _read(name)
    imported = [part for other in _IMPORT.findall(text) for part in _linked(other, seen)]
    return [*imported, f"// {name}\n", _EXPORT.sub("", _IMPORT.sub("", text))]


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
