"""Panels: widgets that show a production and change it, in JupyterLab and, through Voilà, as a page.

>>> session = Session()                                     # doctest: +SKIP
>>> ScriptEditor(session)                                   # doctest: +SKIP
>>> PauseTimeline(session)                                  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from luma_studio.panels.agents import Agents
    from luma_studio.panels.animator import Animator
    from luma_studio.panels.audio_library import AudioLibrary
    from luma_studio.panels.audio_players import AudioPlayers
    from luma_studio.panels.films import Films
    from luma_studio.panels.health import Health
    from luma_studio.panels.pause_timeline import PauseTimeline
    from luma_studio.panels.persona_studio import PersonaStudio
    from luma_studio.panels.productions import Productions
    from luma_studio.panels.render_status import RenderStatus
    from luma_studio.panels.script_editor import ScriptEditor
    from luma_studio.panels.session import Session

_ROOMS = {
    "Agents": "agents",
    "Animator": "animator",
    "AudioLibrary": "audio_library",
    "AudioPlayers": "audio_players",
    "Films": "films",
    "Health": "health",
    "PauseTimeline": "pause_timeline",
    "PersonaStudio": "persona_studio",
    "Productions": "productions",
    "RenderStatus": "render_status",
    "ScriptEditor": "script_editor",
    "Session": "session",
}

__all__ = [
    "Agents",
    "Animator",
    "AudioLibrary",
    "AudioPlayers",
    "Films",
    "Health",
    "PauseTimeline",
    "PersonaStudio",
    "Productions",
    "RenderStatus",
    "ScriptEditor",
    "Session",
]


def __getattr__(name: str) -> object:
    if name in _ROOMS:
        return getattr(import_module(f"luma_studio.panels.{_ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
