"""Stills that move: a photo and a bundle of prompts, seen and edited before anything is sent; and the clips of it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, cast

from luma_studio.agents import RULES
from luma_studio.agents.motion import Described
from luma_studio.animating import FOLDER, Animation
from luma_studio.errors import SettingError
from luma_studio.film import look_of
from luma_studio.panels.audio_players import part_of
from luma_studio.panels.panel import Answer, Buffers
from luma_studio.panels.photos import PhotoPanel
from luma_studio.panels.session import Source
from luma_studio.settings import chosen
from luma_studio.video.base import Motion

ENGINES = ("preview", "freepik")
_MOST_PROMPT = 2500  # characters


class Animator(PhotoPanel):
    """A still that moves: its photo, how it is to move, what that costs, and what came of it.

    >>> Animator(studio)                                   # doctest: +SKIP
    """

    front = "animator"
    topics = ("animating", "photos")
    slow = frozenset({"state", "part", "photo", "put_photo", "quote", "write"})

    def __init__(self, source: Source = None, **unknown: object) -> None:
        self._last: Animation | None = None  # what was asked for here last, if a vendor still makes it
        super().__init__(source, **unknown)

    def do_state(self) -> Answer:
        """The clips that there are, the newest first, the work, and what a vendor still makes."""
        work = self.session.aside("animate")
        return {
            "engines": ENGINES,
            "animations": [asdict(each) for each in self.session.studio.animations()],
            "work": None if work is None else work.state(),
            "waiting": None if self._last is None else self._last.message,
        }

    def do_write(self, photo: str, wish: str) -> Answer:
        """A bundle for a photo, by a mind or the rules; ``wish`` is what its user said of it. No picture is sent."""
        described = Described(Path(photo).stem.removeprefix("persona:"), wish)
        decision = asyncio.run(self.session.studio.write_motion(described))
        by = "" if decision.by == RULES else decision.by
        return {**decision.value.model_dump(), "by": by, "why": decision.why}

    def do_quote(self, engine: str, **bundle: Any) -> Answer:
        """What it would buy. Raises SettingError, or NoKeyError, with the sentence of what is missing."""
        quote = self.session.studio.animation_quote(self._motion(**bundle), engine)
        return {"here": quote.here, "cost": None if quote.cost is None else str(quote.cost)}

    def do_animate(self, engine: str, **bundle: Any) -> None:
        """Have the still move; how far it is is told, and what comes of it is in the state then."""
        self.session.animate(self._motion(**bundle), engine, self._ended)

    def do_stop(self) -> None:
        """Stop; what a vendor has begun goes on there, and the same bundle takes it up."""
        self.session.stop("animate")

    def do_part(self, name: str, start: int, size: int) -> tuple[Answer, Buffers]:
        """Part of a clip's file, or of its picture's."""
        return part_of(self.session.studio.folder, FOLDER, name, start, size)

    def _ended(self, made: Animation) -> None:
        self._last = None if made.status == "completed" else made
        self.session.tell("files", None)

    def _motion(
        self, photo: str, prompt: str, negative_prompt: str, seconds: int, guidance: float, orientation: str
    ) -> Motion:
        """What the page asks for, checked. Raises SettingError."""
        found = self.session.studio.photos.find(photo) if photo else None
        if found is None:
            raise SettingError(
                f"There is no photo {photo!r} any more. Choose another one." if photo else "Choose a photo first."
            )
        if seconds not in (5, 10):
            raise SettingError(f"A clip cannot have {seconds} seconds. Choose 5 or 10.")
        if not 0 <= guidance <= 1:
            raise SettingError(f"A prompt cannot be followed by {guidance}. Choose from 0 to 1.")
        for name, text in (("prompt", prompt), ("negative prompt", negative_prompt)):
            if len(text) > _MOST_PROMPT:
                raise SettingError(f"The {name} has {len(text)} characters, and may have {_MOST_PROMPT}. Shorten it.")
        look = look_of(chosen(self.session.studio.settings, {"orientation": orientation}))
        return Motion(
            found, cast(Literal[5, 10], seconds), prompt.strip(), negative_prompt.strip(), guidance, look=look
        )
