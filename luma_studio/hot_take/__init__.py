"""Hot takes: a pitch goes in, and a persona answers it in its own words, voice and face.

>>> takes = HotTakes(studio)                                             # doctest: +SKIP
>>> brief = Brief(persona="otto", pitch="An app that waters cats.")      # doctest: +SKIP
>>> made = await takes.make(brief, until="film")                         # doctest: +SKIP
"""

from __future__ import annotations

from luma_studio.hot_take.hot_takes import SOUND, HotTakes
from luma_studio.hot_take.quoting import StepQuote
from luma_studio.hot_take.record import FILE, STEPS, Brief, Record, Standing, Step, StepState

__all__ = ["FILE", "SOUND", "STEPS", "Brief", "HotTakes", "Record", "Standing", "Step", "StepQuote", "StepState"]
