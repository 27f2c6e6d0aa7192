"""A workspace's own personas, in tests."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from luma_studio.persona import Personas


def png(width: int = 720, height: int = 1280, shade: int = 90) -> bytes:
    """A plain grey picture."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = (b"\0" + bytes([shade]) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def personas(workspace: Path) -> Personas:
    return Personas(workspace)


@pytest.fixture
def written(workspace: Path) -> Callable[..., Path]:
    """Writes ``personas.json`` as somebody would by hand: ``written(bo={…})``; a prompt for each is there."""

    def write(**entries: Any) -> Path:
        folder = workspace / "personas"
        (folder / "prompts").mkdir(parents=True, exist_ok=True)
        (folder / "avatars").mkdir(exist_ok=True)
        for key, entry in entries.items():
            (folder / "prompts" / f"{key}.txt").write_text(f"You are {key}.", encoding="utf-8")
            if isinstance(entry, dict):
                entry.setdefault("name", key.capitalize())
                entry.setdefault("prompt_file", f"personas/prompts/{key}.txt")
        (folder / "personas.json").write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
        return folder

    return write
