"""Avatar: how a photo that talks is filmed: title, voice, orientation, fit, motion; the script stays as it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel

from luma_studio.agents.base import Agent, Case, Decision, Thinking, decide_each
from luma_studio.progress import Listener, unheard

TITLE = 80  # characters
MOTION = 500  # characters

Orientation = Literal["portrait", "landscape"]
Fit = Literal["cover", "contain"]


class Filmed(BaseModel):
    """How a video is filmed. ``script`` is the author's; ``voice_id`` is one of those given, null for its own sound."""

    title: str
    script: str
    voice_id: str | None
    orientation: Orientation
    fit: Fit
    motion: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known of a video before the agent is asked: a script, and what its author wants.

    ``brief`` says what it is for (the script, where there is none). ``voice`` is the id of a voice, or says in words
    which is wanted; ``voices`` are those to choose from, by id: what each is called and said to be (a mind reads them
    all: give those of the script's language). ``orientation``,
    ``fit`` and ``motion`` are the author's, and win over the agent; None leaves them to it. ``enhance_motion`` says
    whether the agent may write how the photo moves (None: where the author did not).
    """

    script: str
    brief: str = ""
    voice: str = ""
    voices: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    title: str = ""
    orientation: Orientation | None = None
    fit: Fit | None = None
    motion: str | None = None
    enhance_motion: bool | None = None

    @property
    def writes_motion(self) -> bool:
        """Whether the agent writes how the photo moves."""
        return self.motion is None if self.enhance_motion is None else self.enhance_motion


AGENT = Agent("avatar", Filmed)


def question(wish: Wish) -> dict[str, Any]:
    """What is asked: the script, and what is wanted of its video."""
    return {
        "script": wish.script,
        "brief": wish.brief or wish.script,
        "voice_wanted": wish.voice,
        "voices": dict(wish.voices),
        "orientation": wish.orientation,
        "fit": wish.fit,
        "motion": wish.motion,
        "write_motion": wish.writes_motion,
        "most_characters": {"title": TITLE, "motion": MOTION},
    }


def check(wish: Wish, answer: Filmed) -> str | None:
    """What is wrong with an answer: other words than the author's, a voice that there is not, too many words."""
    if answer.script.strip() != wish.script.strip():
        return "The script is the author's: give it back as it is, to the letter."
    if answer.voice_id is not None and answer.voice_id not in wish.voices:
        return f"There is no voice {answer.voice_id[:60]!r}. Take an id of those that are given, or null."
    for name, text, most in (("title", answer.title, TITLE), ("motion", answer.motion, MOTION)):
        if len(text) > most or not text.isprintable():
            return f"Write the {name} in one line of at most {most} characters."
    return None if answer.title.strip() else "Give a title."


def rules(wish: Wish) -> Filmed:
    """What is safe: the author's wishes, a voice only where one is plainly meant, an upright picture without motion."""
    return overridden(
        wish, Filmed(title="", script=wish.script, voice_id=None, orientation="portrait", fit="cover", motion="")
    )


def overridden(wish: Wish, answer: Filmed) -> Filmed:
    """An answer with what the author decided in place of what the agent did, and gaps filled."""
    motion = answer.motion if wish.writes_motion and answer.motion.strip() else wish.motion or ""
    return Filmed(
        title=_short(wish.title) or answer.title.strip() or _short(wish.script) or "Untitled",
        script=wish.script,
        voice_id=voice_meant(wish) or answer.voice_id,
        orientation=wish.orientation or answer.orientation,
        fit=wish.fit or answer.fit,
        motion=motion.strip(),
    )


def voice_meant(wish: Wish) -> str | None:
    """The voice that is wanted by its id, or by words of which only one voice has all; None where it is not plain."""
    if wish.voice.strip() in wish.voices:
        return wish.voice.strip()
    words = {word.strip(".,;:!?").casefold() for word in wish.voice.split()}
    fitting = [each for each, about in wish.voices.items() if words and words <= _words(about)]
    return fitting[0] if len(fitting) == 1 else None


def case(wish: Wish) -> Case[Filmed]:
    """What is to be decided about a video."""
    return Case(question(wish), lambda answer: check(wish, answer), rules(wish))


async def filmed(
    wishes: Sequence[Wish], thinking: Thinking, listener: Listener = unheard
) -> tuple[Decision[Filmed], ...]:
    """Have it decided how videos are filmed, one for each wish. Raises as ``decide_each``."""
    found = await decide_each(AGENT, [case(wish) for wish in wishes], thinking, listener)
    return tuple(replace(each, value=overridden(wish, each.value)) for wish, each in zip(wishes, found, strict=True))


def _short(text: str) -> str:
    """The first words of a text, as a title in one line."""
    line = "".join(each if each.isprintable() else " " for each in unicodedata.normalize("NFC", text))
    words = ""
    for word in line.split():
        if len(words) + len(word) + bool(words) > TITLE:
            break
        words = f"{words} {word}".strip()
    return words or line.strip()[:TITLE].strip()


def _words(text: str) -> set[str]:
    return {word.strip(".,;:!?").casefold() for word in text.split()}
