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
"""Those that decide about a production."""


def check_minds(choices: Choices) -> None:
    """Raise SettingError for a mind that cannot be, or an agent that there is not."""
    names = (*NAMES, WRITER)
    unknown = sorted(set(choices.minds) - set(names))
    if unknown:
        raise SettingError(f"There is no agent {unknown[0]!r}. There are: {', '.join(names)}.")
    for name in names:
        mind_of(choices, name)
