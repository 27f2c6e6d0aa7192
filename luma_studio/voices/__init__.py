"""Engines that speak clauses. ``make_voice`` makes one from how a user wrote it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from luma_studio.errors import SettingError, VendorError
from luma_studio.voices import elevenlabs, openai
from luma_studio.voices.base import Company, Hear, Speech, Utterance, Voice, VoiceChoice, voiced
from luma_studio.voices.elevenlabs import ENGINE as ELEVENLABS
from luma_studio.voices.elevenlabs import ElevenLabsVoice
from luma_studio.voices.embedded import ENGINE as ESPEAK
from luma_studio.voices.espeak import EspeakVoice, variant_for
from luma_studio.voices.names import Names
from luma_studio.voices.openai import ENGINE as OPENAI
from luma_studio.voices.openai import OpenAIVoice
from luma_studio.voices.previews import preview
from luma_studio.voices.vendors import Listed, Offer, Price
from luma_studio.wire import OPENAI as OPENAI_HOME
from luma_studio.wire import Wires, own_server

__all__ = [
    "ENGINES",
    "Company",
    "Hear",
    "Listed",
    "Names",
    "Offer",
    "Speech",
    "Utterance",
    "Voice",
    "VoiceChoice",
    "make_voice",
    "offers",
    "preview",
    "server_of",
    "voice_for",
    "voiced",
]

ENGINES = (ESPEAK, ELEVENLABS, OPENAI)


async def offers(wires: Wires) -> list[Offer | VendorError]:
    """What each vendor has to choose from, or why it has nothing: no key, for one. Asks all at once."""

    async def asked(offered: Callable[[Wires], Awaitable[Offer]]) -> Offer | VendorError:
        try:
            return await offered(wires)
        except VendorError as error:
            return error

    return await asyncio.gather(*map(asked, (elevenlabs.offered, openai.offered)))


def make_voice(choice: VoiceChoice, wires: Wires, price: Price) -> Voice:
    """The voice that was chosen. Raises SettingError for an engine, voice or setting that does not exist."""
    match choice.engine:
        case "espeak":
            return EspeakVoice(choice)
        case "elevenlabs":
            return ElevenLabsVoice(choice, wires, price)
        case "openai":
            return OpenAIVoice(choice, wires, price)
    raise SettingError(
        f"There is no voice engine {choice.engine!r}, and espeak has no such voice. The engines are: "
        f"{', '.join(ENGINES)}. All voices: luma-studio voices."
    )


def server_of(choice: VoiceChoice) -> str:
    """The server of one's own that speaks for a choice now; "" where it is the vendor's, or there is none."""
    return own_server(OPENAI_HOME) if choice.engine == OPENAI else ""


def voice_for(speaker: str | None, default: VoiceChoice) -> VoiceChoice:
    """The voice of a speaker who was given none: the default, made another's by an embedded variant.

    The narrator (no name, or VO) has the default as it is, and so has everyone where the default is a vendor's.
    """
    if default.engine != ESPEAK or "+" in default.voice:
        return default
    variant = variant_for(speaker)
    return replace(default, voice=f"{default.voice}+{variant}") if variant else default
