"""Luma Studio: a notebook-native studio for spoken scripts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from luma_studio.audio.clip import Clip
    from luma_studio.errors import LumaError
    from luma_studio.settings import Settings
    from luma_studio.studio import Studio

__all__ = ["Clip", "LumaError", "Settings", "Studio"]


def __getattr__(name: str) -> Any:
    """The public names, imported when first used: a glance at an outline need not load codecs."""
    homes = {"Clip": "audio.clip", "LumaError": "errors", "Settings": "settings", "Studio": "studio"}
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{homes[name]}"), name)
