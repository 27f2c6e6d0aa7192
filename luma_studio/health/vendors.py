"""Vendors, and the models that the settings choose: whether the key works, and whether the model is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from importlib.util import find_spec

from luma_studio.agents.mind import HOMES
from luma_studio.errors import SettingError, VendorError
from luma_studio.health.model import Check
from luma_studio.studio import Studio
from luma_studio.video import creatomate, freepik, heygen_account
from luma_studio.voices import elevenlabs, openai
from luma_studio.wire import CREATOMATE, FREEPIK, GROQ, HEYGEN, OPENAI, Home, Wires

_Ask = Callable[[Wires], Awaitable[str]]

_VENDORS: tuple[tuple[Home, str, _Ask], ...] = (
    (elevenlabs.HOME, "voices with the time of each word", elevenlabs.account),
    (OPENAI, "voices, minds for agents, transcripts", openai.account),
    (GROQ, "quick minds for agents, transcripts", lambda wires: openai.account(wires, GROQ)),
    (HEYGEN, "photos that talk", heygen_account.account),
    (FREEPIK, "stills that move", freepik.account),
    (CREATOMATE, "films by templates", creatomate.account),
)
_SOON = 4.5  # seconds; a little later nobody waits any more
_MODELS = "Correct it in .env, or take it away."


def checks(studio: Studio) -> list[Check]:
    """How each vendor, and each mind and transcriber that the settings choose, is tried."""
    vendors = [
        Check(home.name, what_for, partial(_asked, ask, studio.wires), _look_at(home), False, _unset(home))
        for home, what_for, ask in _VENDORS
    ]
    return [*vendors, *_models(studio)]


def _look_at(home: Home) -> str:
    return f"Look at {home.variable} in .env."


def _unset(home: Home) -> str:
    return f"To use it, put {home.variable}=… into .env."


def _asked(ask: _Ask, wires: Wires) -> str:
    """What a vendor answers, in an event loop of its own. Raises VendorError."""

    async def answered() -> str:
        async with asyncio.timeout(_SOON):
            return await ask(wires)

    try:
        return asyncio.run(answered())
    except TimeoutError as error:
        raise VendorError(f"It did not answer within {_SOON:g} seconds. Try again.") from error


def _models(studio: Studio) -> Iterator[Check]:
    """How the models are tried that the settings choose for agents and for recordings."""
    settings = studio.settings
    for text in dict.fromkeys(each.strip() for each in (settings.mind, *settings.minds.values())):
        if text:
            yield _model(text, "the mind of agents", studio.wires)
    if text := settings.transcriber.strip():
        yield _model(text, "transcripts", studio.wires)


def _model(text: str, what_for: str, wires: Wires) -> Check:
    engine, _, model = (part.strip() for part in text.partition(",")[0].partition(":"))
    home = HOMES.get(engine)
    if home is None:
        return Check(text, what_for, partial(_local, engine), _MODELS, needed=False)
    return Check(text, what_for, partial(_asked, partial(_listed, model, home), wires), _MODELS, False, _unset(home))


async def _listed(model: str, home: Home, wires: Wires) -> str:
    """Whether a vendor has a model. Raises VendorError, SettingError."""
    if model not in await openai.models(wires, home):
        raise SettingError(f"{home.name} has no model {model!r} for this key.")
    return f"{home.name} has it."


def _local(engine: str) -> str:
    """Whether what transcribes on this computer is installed. Raises SettingError."""
    if engine != "whisper":
        raise SettingError(f"There is no {engine!r}.")
    if find_spec("faster_whisper") is None:
        raise SettingError("It needs the extra luma-studio[whisper]: uv pip install 'luma-studio[whisper]'.")
    return "faster-whisper is installed."
