"""Luma Studio: a notebook-native studio for spoken scripts."""

from __future__ import annotations

import sys
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


def _shown_in_notebooks() -> None:
    """Have a production at the end of a cell shown as its pause timeline."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        shown = shell.display_formatter.mimebundle_formatter
        shown.for_type_by_name(f"{__name__}.production", "Production", _as_timeline)


def _as_timeline(production: Any, **kwargs: Any) -> Any:
    panel = import_module(f"{__name__}.panels.pause_timeline").PauseTimeline(production)
    return panel._repr_mimebundle_(**kwargs)


_shown_in_notebooks()
