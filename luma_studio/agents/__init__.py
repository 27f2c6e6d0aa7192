"""Agents: what a language model does for a production, checked, with rules that do it otherwise."""

from __future__ import annotations

from luma_studio.agents.base import (
    NO_MIND,
    RULES,
    Agent,
    Case,
    Decision,
    MindQuote,
    Thinking,
    TokenPrices,
    decide,
    lack,
    quoted,
)
from luma_studio.agents.mind import WRITER, Mind, mind_of
from luma_studio.errors import SettingError
from luma_studio.settings import Choices

__all__ = [
    "FILM",
    "NAMES",
    "NO_MIND",
    "RULES",
    "WRITER",
    "Agent",
    "Case",
    "Decision",
    "Mind",
    "MindQuote",
    "Thinking",
    "TokenPrices",
    "check_minds",
    "decide",
    "lack",
    "mind_of",
    "quoted",
]

NAMES = ("analysis", "planning", "sanitizer", "segmentation", "splice")
"""The agents that work on a script."""
FILM = ("avatar", "motion", "template")
"""The agents that work on a film."""


def check_minds(choices: Choices) -> None:
    """Raise SettingError for a mind that cannot be, or an agent that there is not."""
    known = (*NAMES, *FILM, WRITER)
    unknown = sorted(set(choices.minds) - set(known))
    if unknown:
        raise SettingError(f"There is no agent {unknown[0]!r}. There are: {', '.join(known)}.")
    for name in known:
        mind_of(choices, name)
