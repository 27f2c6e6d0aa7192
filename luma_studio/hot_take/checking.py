"""What can be known to go wrong before a hot take is begun: nothing is bought for one that cannot be ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from luma_studio.agents.hot_take import Wanted, check_wanted, lacks
from luma_studio.errors import InputError, NoKeyError, NoMindError, SettingError
from luma_studio.hot_take.record import STEPS, Brief, Step
from luma_studio.persona import Persona
from luma_studio.script import parse
from luma_studio.settings import Choices, Reading, chosen
from luma_studio.studio import Studio
from luma_studio.transcripts import Transcriber, TranscriberChoice, choice_of, incoming, make_transcriber
from luma_studio.video.base import EngineChoice
from luma_studio.video.engines import talking_photo
from luma_studio.voices import VoiceChoice
from luma_studio.wire import HEYGEN, has_key

_HEARD_LATER = "What the recording says."  # stands for it where it is not transcribed yet
_LONGEST_TEXT = 20_000  # characters of typed words: a quarter of an hour
_SENTENCE_PAUSE, _FRAGMENT_PAUSE = 0.4, 0.2  # seconds: this is talk, and no meditation
_HEYGEN_FILM = "heygen:avatar_iv"


def check(brief: Brief, until: Step, studio: Studio) -> None:
    """Raise, before anything is sent, for what keeps a brief from being made as far as a step.

    PersonaError; InputError for what cannot be wanted; NoMindError; for a recording SettingError, FileTooLargeError,
    UnreadableError, NoSoundError; for a film SettingError and NoKeyError.
    """
    if until not in STEPS:
        raise InputError(f"There is no step {until!r}. There are: {', '.join(STEPS)}.")
    persona = studio.personas.get(brief.persona)
    if brief.recording:
        incoming.look(Path(brief.recording))
        _ = transcriber_of(brief, studio)
    if brief.text:
        _check_text(brief.text)
    elif until != "transcribe":
        check_wanted(wanted(brief, brief.pitch or (_HEARD_LATER if brief.recording else ""), studio))
        if missing := lacks(_choices(brief, studio), studio.wires):
            raise NoMindError(f"{missing} Or type the words yourself: everything but writing works without a mind.")
    if until in ("speak", "film"):
        _ = studio.voice(VoiceChoice.parse(voice_of(brief, persona, studio)))
    if until == "film":
        _check_film(brief, persona, studio)


def wanted(brief: Brief, pitch: str, studio: Studio) -> Wanted:
    """What a mind is asked to write. Raises PersonaError, SettingError."""
    persona = studio.personas.get(brief.persona)
    return Wanted(
        pitch,
        persona,
        brief.kind,
        brief.context,
        brief.seconds,
        voice=voice_of(brief, persona, studio),
        tags=brief.tags,
        version=brief.version,
    )


def _choices(brief: Brief, studio: Studio) -> Choices:
    """The settings with the brief's mind among them. Raises SettingError."""
    return chosen(studio.settings, mind_changes(brief, studio))


def mind_changes(brief: Brief, studio: Studio) -> dict[str, Any]:
    """How the brief's mind is set: as the one that writes hot takes."""
    return {"minds": {**studio.settings.minds, "hot_take": brief.mind}} if brief.mind else {}


def transcriber_of(brief: Brief, studio: Studio) -> Transcriber:
    """Who transcribes the brief's recording. Raises SettingError."""
    choice = TranscriberChoice.parse(brief.transcriber) if brief.transcriber else choice_of(studio.settings)
    return make_transcriber(choice, studio.wires, studio.settings.minute_price)


def voice_of(brief: Brief, persona: Persona, studio: Studio) -> str:
    """The voice that speaks, as one writes it: the persona's, with the brief's settings; without a key where HeyGen's
    own voice will be heard in its place. Raises PersonaError, SettingError.
    """
    speaks = VoiceChoice.parse(persona.embedded if brief.heygen_voice else studio.personas.voice(persona.id).voice)
    settings = {} if brief.heygen_voice else brief.voice
    return str(replace(speaks, settings=tuple(sorted({**dict(speaks.settings), **settings}.items()))))


def production_changes(brief: Brief, studio: Studio) -> dict[str, Any]:
    """The settings of the production that speaks a hot take, and is filmed. Raises PersonaError, SettingError."""
    persona = studio.personas.get(brief.persona)
    changes: dict[str, Any] = {
        "voice": voice_of(brief, persona, studio),
        "language": persona.language,
        "sentence_pause": _SENTENCE_PAUSE,
        "fragment_pause": _FRAGMENT_PAUSE,
        "photo": f"persona:{persona.id}" if persona.image else persona.heygen_avatar_id,
    }
    if brief.heygen_voice:
        changes["assembly"] = f"{brief.film or _HEYGEN_FILM},voice={persona.heygen_voice_id}"
    elif brief.film:
        changes["film"] = brief.film
    if brief.budget is not None:
        changes["budget"] = brief.budget
    return changes


def _check_text(text: str) -> None:
    if len(text) > _LONGEST_TEXT:
        raise InputError(
            f"The words have {len(text):,} characters; {_LONGEST_TEXT:,} at most can be spoken. Shorten them."
        )
    parse(text, Reading())


def _check_film(brief: Brief, persona: Persona, studio: Studio) -> None:
    text = (brief.film or _HEYGEN_FILM) if brief.heygen_voice else brief.film or studio.settings.film
    engine = EngineChoice.parse(text).engine
    _ = talking_photo(text, studio.filming().kit)
    if brief.heygen_voice:
        if engine != "heygen":
            raise SettingError(f"HeyGen’s own voice is heard only in what HeyGen films, not in {text}. Choose either.")
        if not persona.heygen_voice_id:
            raise SettingError(
                f"{persona.name} has no voice of HeyGen. Give it one: luma-studio personas change {persona.id} "
                "--heygen-voice VOICE_ID; or leave HeyGen’s own voice away."
            )
    if engine == "heygen":
        if not (persona.image or persona.heygen_avatar_id):
            raise SettingError(
                f"{persona.name} has neither a picture nor an avatar of HeyGen. Give it one: luma-studio personas "
                f"change {persona.id} --picture FILE; or film with the preview."
            )
        if not has_key(HEYGEN):
            raise NoKeyError(
                "HeyGen needs a key. Put HEYGEN_API_KEY=… into .env, or film with the preview, which is free.",
                vendor=HEYGEN.name,
            )
