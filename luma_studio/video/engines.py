"""The engines by what one writes: ``preview``, ``heygen:avatar_iv``, ``freepik``, ``creatomate:TEMPLATE``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from luma_studio.errors import SettingError
from luma_studio.settings import polling
from luma_studio.video import creatomate, freepik, heygen_account, heygen_asked, joining, panning, preview
from luma_studio.video.base import Assembly, Cut, EngineChoice, ImageToVideo, TalkingPhoto
from luma_studio.video.heygen import HeyGen, HeyGenFilm
from luma_studio.video.heygen_assets import Assets
from luma_studio.video.templates import Material, Slot
from luma_studio.wire import HEYGEN, Wires

Uses = Callable[[Sequence[Slot], Sequence[Material]], Awaitable[Mapping[str, str]]]
"""Decides which material each slot of a template shows, by their names."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What engines work with: the ways to vendors, what a minute costs by engine and model, the studio's folder.

    ``force_upload`` has vendors given anew what they were given before.
    """

    wires: Wires
    price: Callable[[str, str], Decimal | None]
    folder: Path
    force_upload: bool = False

    @property
    def assets(self) -> Assets:
        """What HeyGen was given."""
        return Assets(self.folder, force_upload=self.force_upload)


def talking_photo(text: str, kit: Kit) -> TalkingPhoto:
    """An engine that films scenes. Raises SettingError if there is none, or not with these settings."""
    choice = EngineChoice.parse(text)
    match choice.engine:
        case preview.ENGINE:
            _check_bare(choice)
            return preview.PreviewTalkingPhoto()
        case heygen_asked.ENGINE:
            return HeyGen(choice, kit.wires, kit.price, kit.assets, polling())
    raise _none(choice, "films scenes", "preview, heygen")


def image_to_video(text: str, kit: Kit) -> ImageToVideo:
    """An engine that has stills move. Raises SettingError if there is none, or not with these settings."""
    choice = EngineChoice.parse(text)
    match choice.engine:
        case preview.ENGINE:
            _check_bare(choice)
            return panning.PreviewImageToVideo()
        case freepik.ENGINE:
            return freepik.Freepik(choice, kit.wires, kit.price)
    raise _none(choice, "has stills move", "preview, freepik")


async def assembly(text: str, kit: Kit, cut: Cut, uses: Uses) -> Assembly:
    """An engine that puts this film together; ``uses`` fills a template's slots.

    Raises SettingError if there is none, or not with these settings, and VendorError where a template cannot be had.
    """
    choice = EngineChoice.parse(text)
    match choice.engine:
        case preview.ENGINE:
            _check_bare(choice)
            return joining.PreviewAssembly()
        case creatomate.ENGINE:
            template = await creatomate.template(choice, kit.wires)
            found = await uses(template.slots, creatomate.materials_of(choice, cut))
            return creatomate.Creatomate(choice, kit.wires, kit.price, template, found)
    raise _none(choice, "puts films together", _ASSEMBLIES)


def whole_film(text: str, kit: Kit) -> HeyGenFilm | None:
    """The engine that films all scenes at once, where the choice of an assembly names one; None where it is another."""
    choice = EngineChoice.parse(text)
    if choice.engine != heygen_asked.ENGINE:
        return None
    return HeyGenFilm(choice, kit.wires, kit.price, kit.assets, polling())


def assembly_price(text: str, kit: Kit, cut: Cut) -> Decimal | None:
    """US dollars that putting a film together costs (0: nothing is paid; None: unknown). Raises SettingError."""
    choice = EngineChoice.parse(text)
    match choice.engine:
        case preview.ENGINE:
            return Decimal(0)
        case creatomate.ENGINE:
            return creatomate.price_of(kit.price, cut)
    raise _none(choice, "puts films together", _ASSEMBLIES)


async def address(text: str, kit: Kit, video_id: str) -> str:
    """Where a vendor's video can be fetched now, for what it gave before may have expired. Raises VendorError."""
    if EngineChoice.parse(text).engine != heygen_asked.ENGINE:
        return ""
    return await heygen_account.video_address(kit.wires.to(HEYGEN), video_id)


_ASSEMBLIES = "preview, creatomate:TEMPLATE, heygen:avatar_iv (which films all scenes at once)"


def _check_bare(choice: EngineChoice) -> None:
    if choice.model or choice.settings:
        raise SettingError(f"The preview has no models and no settings; write it as preview, not as {choice}.")


def _none(choice: EngineChoice, what_for: str, there: str) -> SettingError:
    return SettingError(f"There is no engine {choice.engine!r} that {what_for}. Choose one of: {there}.")
