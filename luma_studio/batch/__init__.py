"""Batches: one notebook run many times with other parameters, here or on a cluster, and a report of it all."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from luma_studio.batch.narration import Narration, listening, narration, picture, record

_ROOMS = dict.fromkeys(("Narration", "listening", "narration", "picture", "record"), "narration")

__all__ = ["Narration", "listening", "narration", "picture", "record"]


def __getattr__(name: str) -> object:
    if name in _ROOMS:
        return getattr(import_module(f"luma_studio.batch.{_ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
