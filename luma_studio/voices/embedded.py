"""What the embedded voice can be: the languages and variants in espeak-ng's own data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import espeakng_loader

ENGINE = "espeak"


@cache
def languages() -> Mapping[str, str]:
    """Every language tag that espeak knows, in lower case (``hi``, ``en-gb``, ``zh``), and its own voice for it."""
    voices: dict[str, str] = {}
    by_tag: dict[str, str] = {}
    for file in sorted((Path(espeakng_loader.get_data_path()) / "lang").rglob("*")):
        if file.is_file():
            voices[file.name.lower()] = file.name
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith("language "):
                    by_tag.setdefault(line.split()[1].lower(), file.name)
    return {**by_tag, **voices}


@cache
def variants() -> frozenset[str]:
    """Every variant that can follow a ``+``: ``f3``, ``m1``, ``whisper``, …"""
    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    return frozenset(file.name for file in folder.iterdir())


def is_embedded(voice: str) -> bool:
    """Whether espeak knows a voice of this name: a language, a variant, or both, as ``hi``, ``+f3``, ``hi+f3``."""
    language, plus, variant = voice.partition("+")
    known = language.lower() in languages() if language else bool(plus)
    return known and (not plus or variant in variants())
