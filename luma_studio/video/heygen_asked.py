"""What HeyGen is asked for: settings and scenes, checked by its rules, as parts of its requests. Nothing is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from luma_studio.errors import SettingError
from luma_studio.video.base import EngineChoice, Look, Photo, Shot
from luma_studio.video.heygen_account import AvatarLook
from luma_studio.video.heygen_assets import Upload, check_upload

ENGINE = "heygen"
EXAMPLE = "heygen:avatar_iv,resolution=1080p,expressiveness=high"
IV = "avatar_iv"
ASSET = "asset:"
"""How an ``avatar`` begins that is a picture of HeyGen's assets, and no look."""
LONGEST_TEXT = 5000  # characters that its voices take at once
_MODELS = ("avatar_iii", IV, "avatar_v")
_RESOLUTIONS = {"720p": 720, "1080p": 1080, "4k": 2160}  # and the pixels of their shorter side
_EXPRESSIVENESS = ("low", "medium", "high")
_SPEED, _PITCH = (0.5, 1.5), (-50.0, 50.0)
_RATIOS = {(16, 9): "16:9", (9, 16): "9:16", (4, 5): "4:5", (5, 4): "5:4", (1, 1): "1:1"}
_ID = re.compile(r"[\w.-]{1,200}", re.ASCII)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LONGEST_ADDRESS = 2048


@dataclass(frozen=True, slots=True)
class Asked:
    """The settings of the engine; "" and None where it is left to HeyGen, or follows from the look of a video.

    ``voice`` is the id of one of HeyGen's own, which then speaks the scene's text in place of its sound.
    """

    model: str = IV
    resolution: str = ""
    expressiveness: str = ""
    voice: str = ""
    speed: float | None = None
    pitch: float | None = None

    @property
    def own_voice(self) -> Mapping[str, float]:
        """How HeyGen's voice speaks, as far as that is set."""
        told = {"speed": self.speed, "pitch": self.pitch}
        return {name: value for name, value in told.items() if value is not None}


def read_choice(choice: EngineChoice) -> Asked:
    """The settings of a choice. Raises SettingError for those that cannot be."""
    settings = dict(choice.settings)
    known = ("resolution", "expressiveness", "voice", "speed", "pitch")
    for name in settings:
        if name not in known:
            raise SettingError(f"{ENGINE} has no setting {name!r}; it has {', '.join(known)}, as in {EXAMPLE}.")
    model = choice.model or IV
    _check_one_of("model", model, _MODELS)
    resolution, expressiveness = settings.get("resolution", ""), settings.get("expressiveness", "")
    _check_one_of("resolution", resolution, ("", *_RESOLUTIONS))
    _check_one_of("expressiveness", expressiveness, ("", *_EXPRESSIVENESS))
    if expressiveness and model != IV:
        raise SettingError(f"Only the model {IV} of {ENGINE} has expressiveness. Choose it, or leave that away.")
    voice = settings.get("voice", "")
    if "voice" in settings and not _ID.fullmatch(voice):
        raise SettingError(f"{voice!r} is no id of a voice of HeyGen. Take one of those that it lists.")
    speed, pitch = _number(settings, "speed", _SPEED), _number(settings, "pitch", _PITCH)
    if not voice and (speed, pitch) != (None, None):
        raise SettingError(f"speed and pitch of {ENGINE} are those of its own voice. Name it, too: voice=VOICE_ID.")
    return Asked(model, resolution, expressiveness, voice, speed, pitch)


def _check_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        may = ", ".join(each for each in known if each)
        raise SettingError(f"The {name} {value!r} of {ENGINE} does not exist. There are: {may}, as in {EXAMPLE}.")


def _number(settings: Mapping[str, str], name: str, bounds: tuple[float, float]) -> float | None:
    if name not in settings:
        return None
    try:
        value = float(settings[name])
    except ValueError:
        value = float("nan")
    if not bounds[0] <= value <= bounds[1]:
        raise SettingError(
            f"{name} of {ENGINE} cannot be {settings[name]!r}; it may be {bounds[0]:g} to {bounds[1]:g}."
        )
    return value


# Checks


def check_shot(asked: Asked, shot: Shot, sound: str) -> None:
    """Raise SettingError for a scene that HeyGen would refuse. ``sound`` is the asset that is its sound, "" its own."""
    check_look(shot.look)
    _check_photo(asked, shot.photo)
    if asked.voice:
        _check_text(shot)
    elif sound:
        if not _ID.fullmatch(sound):
            raise SettingError(f"{sound!r}, the heygen id of {shot.scene}, is no id of HeyGen. Correct or remove it.")
    elif shot.sound.length <= 0:
        raise SettingError(f"{shot.scene} has no sound. Speak it before it is filmed.")


def check_look(look: Look) -> None:
    """Raise SettingError for a look that HeyGen's videos cannot have."""
    aspect_ratio(look)
    if not _COLOUR.fullmatch(look.background):
        raise SettingError(f"The background {look.background!r} is no colour. Write it as #rrggbb, such as #101418.")


def _check_photo(asked: Asked, photo: Photo) -> None:
    if is_look(photo):
        if not _ID.fullmatch(photo.avatar):
            raise SettingError(f"{photo.avatar!r} is no id of a look of HeyGen. Take one of those that it lists.")
        return
    if asked.model != IV:
        raise SettingError(f"Photos are filmed by the model {IV}; {asked.model} films looks of avatars. Choose either.")
    if photo.avatar:
        if not _ID.fullmatch(photo.avatar.removeprefix(ASSET)):
            raise SettingError(f"{photo.avatar!r} is no asset of HeyGen. Write it as {ASSET}ID.")
    elif photo.address:
        _check_address(photo.address)
    elif photo.drawn:
        raise SettingError(f"There is no photo for {photo.name!r}, and HeyGen films none that is drawn. Choose one.")
    elif photo.still is not None:
        check_upload(photo.still.path, "image")
    else:
        raise SettingError(f"The photo {photo.name!r} has neither a picture nor a look of HeyGen. Give one of them.")


def _check_address(address: str) -> None:
    try:
        there = urlsplit(address)
        fits = there.scheme == "https" and bool(there.hostname) and "@" not in there.netloc
    except ValueError:
        fits = False
    if not fits or len(address) > _LONGEST_ADDRESS or not (address.isascii() and address.isprintable()):
        raise SettingError("HeyGen fetches a picture by https only, from an address without a name and password.")


def _check_text(shot: Shot) -> None:
    if not shot.text.strip():
        raise SettingError(f"{shot.scene} has no text that a voice of HeyGen could speak.")
    if len(shot.text) > LONGEST_TEXT:
        raise SettingError(
            f"The text of {shot.scene} has {len(shot.text):,} characters; a voice of HeyGen takes {LONGEST_TEXT:,} at "
            "most. Make two scenes of it, or leave voice= away: then it is filmed with its own sound."
        )


def check_can_film(asked: Asked, shot: Shot, found: AvatarLook) -> None:
    """Raise SettingError where a look, as the vendor tells of it, cannot be filmed as asked: it would be refused."""
    if found.trouble:
        raise SettingError(f"The look {found.name} of HeyGen is not ready ({found.trouble}). Look at it there.")
    if found.engines and asked.model not in found.engines:
        raise SettingError(
            f"The look {found.name} of HeyGen is not filmed by {asked.model}. There are: {', '.join(found.engines)}."
        )
    if found.kind == "photo_avatar":
        return
    if asked.expressiveness:
        raise SettingError(f"Only photos have expressiveness; {found.name} is a video avatar. Leave it away.")
    if shot.motion and asked.model != "avatar_v":
        raise SettingError(f"The motion of {found.name}, a video avatar, is told to avatar_v only. Leave it away.")


# Parts of requests


def is_look(photo: Photo) -> bool:
    """Whether a photo is a look of the vendor's; else it is a picture: one of its assets, a still, or at an address."""
    return bool(photo.avatar) and not photo.avatar.startswith(ASSET)


def source(photo: Photo) -> Mapping[str, str]:
    """What is seen: the first that the photo has of a look or asset, an address, a still (by its digest)."""
    if is_look(photo):
        return {"avatar_id": photo.avatar}
    if photo.avatar:
        return {"asset_id": photo.avatar.removeprefix(ASSET)}
    if photo.address:
        return {"url": photo.address}
    return {"digest": photo.still.digest if photo.still else ""}


def speech(asked: Asked, shot: Shot, sound: str) -> Mapping[str, Any]:
    """What is heard: the text and a voice of HeyGen's, an asset, or the scene's sound (by its digest)."""
    if asked.voice:
        return {"script": shot.text, "voice_id": asked.voice, **asked.own_voice}
    return {"asset_id": sound} if sound else {"digest": shot.sound.digest}


def uploads(asked: Asked, shot: Shot, sound: str) -> list[Upload]:
    """The files that HeyGen needs for a scene."""
    needed = []
    photo = shot.photo
    if photo.still is not None and not photo.avatar and not photo.address:
        needed.append(Upload(photo.still.path, photo.still.digest, "image", shot.scene))
    if not asked.voice and not sound:
        needed.append(Upload(shot.sound.path, shot.sound.digest, "audio", shot.scene))
    return needed


def scene_request(asked: Asked, shot: Shot, sound: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """Who is seen and what is heard, as both kinds of request have it; ``ids`` are asset ids by digest."""
    request: dict[str, Any] = dict(_seen(asked, shot.photo, ids))
    match speech(asked, shot, sound):
        case {"script": text, "voice_id": voice}:
            request |= {"script": text, "voice_id": voice}
            if asked.own_voice:
                request["voice_settings"] = dict(asked.own_voice)
        case {"asset_id": asset}:
            request["audio_asset_id"] = asset
        case {"digest": digest}:
            request["audio_asset_id"] = ids[digest]
    if shot.motion:
        request["motion_prompt"] = shot.motion
    if asked.expressiveness:
        request["expressiveness"] = asked.expressiveness
    return request


def _seen(asked: Asked, photo: Photo, ids: Mapping[str, str]) -> Mapping[str, Any]:
    match source(photo):
        case {"avatar_id": look}:
            return {"type": "avatar", "avatar_id": look, "engine": {"type": asked.model}}
        case {"url": address}:
            return {"type": "image", "image": {"type": "url", "url": address}}
        case {"asset_id": asset}:
            return {"type": "image", "image": {"type": "asset_id", "asset_id": asset}}
        case found:
            return {"type": "image", "image": {"type": "asset_id", "asset_id": ids[found["digest"]]}}


def video_request(asked: Asked, look: Look) -> dict[str, Any]:
    """How a whole video looks."""
    request: dict[str, Any] = {"aspect_ratio": aspect_ratio(look), "resolution": resolution(asked, look)}
    if look.captions == "burned":
        request["caption"] = {"style": "default"}
    return request


def shows_background(shot: Shot) -> bool:
    """Whether anything is seen behind: a picture that fills the frame hides it."""
    return is_look(shot.photo) or shot.look.fit == "contain"


def resolution(asked: Asked, look: Look) -> str:
    """The one that was chosen, or else the least with as many pixels as the look."""
    side = min(look.width, look.height)
    fitting = (name for name, pixels in _RESOLUTIONS.items() if pixels >= side)
    return asked.resolution or next(fitting, "4k")


def aspect_ratio(look: Look) -> str:
    """How wide and high it is, as HeyGen calls it. Raises SettingError for one that it does not have."""
    for (width, height), name in _RATIOS.items():
        if look.width * height == look.height * width:
            return name
    raise SettingError(
        f"HeyGen has no video of {look.width} × {look.height}. Choose 720 × 1280, or another that is one of: "
        f"{', '.join(_RATIOS.values())}."
    )


def price_name(asked: Asked, shot: Shot) -> str:
    """By which name a video's price is looked up: ``avatar_iv``; of a look ``avatar_iv-look``; in 4k with ``-4k``."""
    parts = [asked.model, "look" if is_look(shot.photo) else "", "4k" if resolution(asked, shot.look) == "4k" else ""]
    return "-".join(filter(None, parts))
