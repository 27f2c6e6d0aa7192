"""Reading scripts: from what an author wrote to scenes of clauses with their pauses."""

from luma_studio.script.decode import decode
from luma_studio.script.headers import canonical_scene_id
from luma_studio.script.languages import language_of
from luma_studio.script.model import (
    Clause,
    Diagnostic,
    Direction,
    Format,
    Level,
    Mark,
    MarkKind,
    Pause,
    PauseSource,
    Scene,
    Script,
)
from luma_studio.script.outline import draw_outline, outline
from luma_studio.script.reader import parse

__all__ = [
    "Clause",
    "Diagnostic",
    "Direction",
    "Format",
    "Level",
    "Mark",
    "MarkKind",
    "Pause",
    "PauseSource",
    "Scene",
    "Script",
    "canonical_scene_id",
    "decode",
    "draw_outline",
    "language_of",
    "outline",
    "parse",
]
