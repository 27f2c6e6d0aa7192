"""Personas: characters with a prompt, a voice and an avatar, shipped ones and the user's own."""

from __future__ import annotations

from luma_studio.persona.described import Ability, Described, described
from luma_studio.persona.model import Persona
from luma_studio.persona.personas import Personas, Problem

__all__ = ["Ability", "Described", "Persona", "Personas", "Problem", "described"]
