"""Batches: one notebook run many times with other parameters, here or on a cluster, and a report of it all.

>>> from luma_studio import Studio, batch                                        # doctest: +SKIP
>>> evening = batch.Batch.of(studio := Studio(), ["scripts/*.txt"], {"voice": "hi"})
>>> batch.run(studio, evening, count=4)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from luma_studio.batch.batching import Batch, Ended, run
    from luma_studio.batch.drawing import picture
    from luma_studio.batch.filming import check_whole
    from luma_studio.batch.narrating import Narration, listening, narration, record
    from luma_studio.batch.showing import Step

_ROOMS = {
    **dict.fromkeys(("Batch", "Ended", "run"), "batching"),
    **dict.fromkeys(("Narration", "listening", "narration", "record"), "narrating"),
    "picture": "drawing",
    "Step": "showing",
    "check_whole": "filming",
}

__all__ = ["Batch", "Ended", "Narration", "Step", "check_whole", "listening", "narration", "picture", "record", "run"]


def __getattr__(name: str) -> object:
    """What this room offers, each fetched when first asked for: a run needs no cluster, and a kernel starts sooner."""
    if name in _ROOMS:
        return getattr(import_module(f"luma_studio.batch.{_ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
