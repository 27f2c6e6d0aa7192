"""A photo that talks, by itself: with a sound that there is, or with words that a vendor's voice speaks."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from luma_studio.agents import Decision, Thinking, avatar
from luma_studio.agents.avatar import Filmed, Wish
from luma_studio.audio import codec, mp3
from luma_studio.audio.clip import Samples
from luma_studio.errors import SettingError, StillRunningError, UnreadableError
from luma_studio.film import SIZES, Equipment
from luma_studio.progress import Event, Listener, unheard
from luma_studio.store import files
from luma_studio.store.ledger import Account
from luma_studio.store.videos import KeptVideo
from luma_studio.video import heygen_account
from luma_studio.video.base import EngineChoice, Look, Photo, SceneSound, Shot, Told, fingerprint
from luma_studio.video.heygen_asked import ENGINE as HEYGEN_ENGINE
from luma_studio.video.once import made
from luma_studio.video.placing import placed
from luma_studio.voices.pace import estimated

FOLDER = "talking"
_RATE = 44100
_KBPS = 128
_LONGEST = 3600  # seconds


@dataclass(frozen=True, slots=True)
class Talk:
    """What a photo is to say: with a ``sound`` (a file), with one that the vendor has, or with a vendor's voice.

    ``asset`` is the vendor's id of a sound, or the scene that one was uploaded for. ``wish`` has the script, and what
    its author wants of the video.
    """

    photo: Photo
    wish: Wish
    sound: Path | None = None
    asset: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Talking:
    """What became of it: ``completed``, or ``processing`` with a vendor that is not done yet.

    ``filmed`` is how it was filmed, as decided ``by`` a mind or the rules, and ``why`` it was the rules. ``video`` and
    ``thumbnail`` are files in ``generated_audio/talking``.
    """

    photo: str
    engine: str
    status: str
    filmed: Mapping[str, Any]
    by: str
    why: str
    message: str = ""
    video: str = ""
    thumbnail: str = ""
    video_id: str = ""
    video_url: str = ""
    thumbnail_url: str = ""
    request_payload: Mapping[str, Any] | None = None
    status_detail: Mapping[str, Any] | None = None


async def decided(talk: Talk, engine: str, equipment: Equipment, thinking: Thinking) -> Decision[Filmed]:
    """How a photo is filmed, to be shown, and changed, before anything is sent; a voice is one that the vendor has.

    Raises VendorError where its voices cannot be had, as ``decide`` does, and SettingError.
    """
    wish = talk.wish
    if EngineChoice.parse(engine).engine == HEYGEN_ENGINE and not _has_sound(talk):
        found = await heygen_account.voices(equipment.kit.wires)
        wish = replace(wish, voices={each.voice_id: each.about for each in found})
    (decision,) = await avatar.filmed([wish], thinking)
    return decision


async def filmed(
    talk: Talk,
    decision: Decision[Filmed],
    engine: str,
    equipment: Equipment,
    account: Account,
    folder: Path,
    listener: Listener = unheard,
) -> Talking:
    """Have the photo talk, as it was decided; what was made before is there already.

    Raises SettingError where there is neither a sound nor a voice, UnreadableError for a sound that is none, as the
    engine does, and Stopped.
    """
    how = decision.value
    shot, samples = await asyncio.to_thread(_shot, talk, how, equipment)
    choice = _with_voice(engine, how.voice_id, has_sound=_has_sound(talk))
    films = equipment.talking(str(choice))
    name = fingerprint(await asyncio.to_thread(films.identity, shot))

    def tell(told: Told) -> None:
        listener(Event("film", 0, 1, shot.title, "began", None, told.message, told.share))

    async def make(own: Account, into: Path) -> Any:
        try:
            if len(samples):
                await asyncio.to_thread(_write_sound, samples, shot.sound.path)
            return await films.film(shot, own, into, tell)
        finally:
            await asyncio.to_thread(files.remove, shot.sound.path)

    about = Talking(shot.photo.name, str(choice), "processing", how.model_dump(), decision.by, decision.why)
    tell(Told("submitted"))
    try:
        kept = await asyncio.to_thread(equipment.videos.get, name)
        if kept is None:
            films.check(shot)
            kept = await made(equipment.videos, account, name, make, paid=films.price(shot) != 0)
    except StillRunningError as error:
        return replace(about, message=str(error))
    found = await asyncio.to_thread(_ended, kept, about, folder)
    listener(Event("film", 1, 1, shot.title))
    return found


def talks(folder: Path) -> tuple[Talking, ...]:
    """What is in the folder, the newest first."""
    found = []
    with files.explained(folder):
        for path in sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime, reverse=True):
            try:
                found.append(Talking(**json.loads(path.read_bytes())))
            except (ValueError, TypeError):  # of another version
                continue
    return tuple(found)


def _ended(kept: KeptVideo, about: Talking, folder: Path) -> Talking:
    video, picture = placed(kept, folder, files.name_from(about.photo))
    told = kept.about
    found = replace(
        about,
        status="completed",
        message=told["message"],
        video=video,
        thumbnail=picture,
        video_id=told["video_id"],
        video_url=told["video_url"],
        thumbnail_url=told["thumbnail_url"],
        request_payload=told["request"],
        status_detail=told["status"],
    )
    files.write_json((folder / video).with_suffix(".json"), asdict(found))
    return found


def _has_sound(talk: Talk) -> bool:
    return talk.sound is not None or bool(talk.asset)


def _with_voice(engine: str, voice: str | None, *, has_sound: bool) -> EngineChoice:
    choice = EngineChoice.parse(engine)
    if has_sound:
        return choice
    if choice.engine != HEYGEN_ENGINE:
        raise SettingError(f"The engine {choice} speaks no words. Give a sound, or choose heygen and a voice.")
    if choice.has("voice"):
        return choice
    if not voice:
        raise SettingError("Give a sound, or say which of HeyGen's voices speaks: its id, or words that only one has.")
    return replace(choice, settings=tuple(sorted((*choice.settings, ("voice", voice)))))


def _shot(talk: Talk, how: Filmed, equipment: Equipment) -> tuple[Shot, Samples]:
    samples = np.zeros(0, np.int16) if talk.sound is None else _samples(talk.sound)
    digest = hashlib.sha256(samples.tobytes()).hexdigest()
    length = len(samples) or round(estimated(how.script, talk.language) * _RATE)  # by which a vendor's voice is priced
    sound = SceneSound(equipment.videos.sound(digest), digest, length, _RATE)
    width, height = SIZES[how.orientation]
    look = Look(width, height, fit=how.fit, captions="none")
    asset = equipment.kit.assets.of_scene(talk.asset) if talk.asset else None
    return Shot(
        scene="scene_1",
        title=how.title,
        photo=talk.photo,
        sound=sound,
        cues=(),
        text=how.script,
        language=talk.language,
        look=look,
        motion=how.motion,
        asset=asset.asset_id if asset else talk.asset,
    ), samples


def _samples(path: Path) -> Samples:
    pieces: list[Samples] = []
    room = _LONGEST * _RATE
    for piece in codec.decode(path, _RATE):
        room -= len(piece)
        if room < 0:
            raise UnreadableError(f"{path.name} is longer than an hour. Cut it, and try again.")
        pieces.append(piece)
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


def _write_sound(samples: Samples, path: Path) -> None:
    run = mp3.encode_run(samples, _RATE, _KBPS)
    stream = mp3.write_stream([mp3.Run(0, len(run), lambda: run)], len(samples), _RATE, _KBPS)
    files.write(path, b"".join(stream))
