"""From bytes to text."""

from __future__ import annotations

import codecs

from luma_studio.errors import ScriptError

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_REMEDY = 'Save it as UTF-8 (in most editors: "Save as", encoding "UTF-8") and try again.'


def decode(data: bytes) -> str:
    """The text of a script file: UTF-8 with or without a byte-order mark, or UTF-16 with one.

    Raises ScriptError, naming the first wrong byte, for anything else and for an empty file.
    """
    if not data:
        raise ScriptError("The script is empty: write at least one sentence to speak into it.")
    if data.startswith(_UTF16) and not data.startswith(codecs.BOM_UTF32_LE):
        return _strict(data, "utf-16", "UTF-16")
    return _strict(data, "utf-8-sig", "UTF-8")


def _strict(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        # A codec that skips a byte-order mark counts from behind it.
        at = error.start + (len(data) - len(error.object))
        line = data.count(b"\n", 0, at) + 1
        raise ScriptError(
            f"The script is not {name} text: byte {at + 1} (0x{data[at]:02x}, on line {line}) fits no character. "
            f"{_REMEDY}"
        ) from error
