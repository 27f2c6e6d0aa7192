"""The engines by what one writes: ``preview``, ``heygen:avatar_iv``, ``freepik``, ``creatomate:TEMPLATE``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from luma_studio.errors import SettingError
from luma_studio.video import preview
from luma_studio.video.base import Assembly, EngineChoice, ImageToVideo, TalkingPhoto
from luma_studio.wire import Wires


@dataclass(frozen=True, slots=True)
class Kit:
    """What engines work with: the ways to vendors, what a minute costs by engine and model, the studio's folder."""

    wires: Wires
    price: Callable[[str, str], Decimal | None]
    folder: Path


def talking_photo(choice: EngineChoice, kit: Kit) -> TalkingPhoto:
    """An engine that films scenes. Raises SettingError if there is none, or not with these settings."""
    match choice.engine:
        case preview.ENGINE:
            return preview.PreviewTalkingPhoto()
    raise _none(choice, "films scenes", "preview, heygen")


def image_to_video(choice: EngineChoice, kit: Kit) -> ImageToVideo:
    """An engine that has stills move. Raises SettingError if there is none, or not with these settings."""
    raise _none(choice, "has stills move", "preview, freepik")


def assembly(choice: EngineChoice, kit: Kit) -> Assembly:
    """An engine that puts films together. Raises SettingError if there is none, or not with these settings."""
    raise _none(choice, "puts films together", "preview, creatomate:TEMPLATE")


def _none(choice: EngineChoice, what_for: str, there: str) -> SettingError:
    return SettingError(f"There is no engine {choice.engine!r} that {what_for}. Choose one of: {there}.")
