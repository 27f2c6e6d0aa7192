"""Engines that speak clauses. ``make_voice`` makes one from how a user wrote it."""

from __future__ import annotations

from dataclasses import replace

from luma_studio.errors import SettingError
from luma_studio.voices.base import Speech, Utterance, Voice, VoiceChoice, voiced
from luma_studio.voices.espeak import ENGINE as ESPEAK
from luma_studio.voices.espeak import EspeakVoice, variant_for

__all__ = ["ENGINES", "Speech", "Utterance", "Voice", "VoiceChoice", "make_voice", "voice_for", "voiced"]

ENGINES = {ESPEAK: EspeakVoice}


def make_voice(choice: VoiceChoice) -> Voice:
    """The voice that was chosen. Raises SettingError for an engine, voice or setting that does not exist."""
    engine = ENGINES.get(choice.engine)
    if engine is None:
        raise SettingError(f"There is no voice engine {choice.engine!r}. There is: {', '.join(ENGINES)}.")
    return engine(choice)


def voice_for(speaker: str | None, default: VoiceChoice) -> VoiceChoice:
    """The voice of a speaker who was given none: the default, made another's by an embedded variant.

    The narrator (no name, or VO) has the default as it is, and so has everyone where the default is a vendor's.
    """
    if default.engine != ESPEAK or "+" in default.voice:
        return default
    variant = variant_for(speaker)
    return replace(default, voice=f"{default.voice}+{variant}") if variant else default
