"""A persona, and how ``personas.json`` has it: each field checked, with one sentence for what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from luma_studio.errors import PersonaError, SettingError, UnsafeNameError
from luma_studio.persona.pictures import Picture, look
from luma_studio.script.languages import language_named
from luma_studio.store import files
from luma_studio.voices import VoiceChoice, elevenlabs
from luma_studio.voices.base import Value
from luma_studio.voices.embedded import ENGINE as ESPEAK
from luma_studio.voices.espeak import EspeakVoice

FOLDER = "personas"

Entry = Mapping[str, Any]
"""A persona as ``personas.json`` has it."""
Read = Callable[[str], bytes]
"""Gives a file by its path, which begins with ``personas/``. Raises LumaError."""

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_VENDOR_ID = re.compile(r"[0-9A-Za-z_.-]{1,100}")
_ELEVENLABS_ID = re.compile(r"[0-9A-Za-z]{20}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_MOST_COLOURS = 4
_LONGEST = {"name": 60, "bio": 500, "greeting": 300}  # characters
_LONGEST_PROMPT = 32 * 1024  # bytes
_HOTTEST = 2.0


class MindOptions(BaseModel):
    """How the mind that writes for a persona is asked, where the mind itself does not say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    temperature: float | None = None
    effort: str = ""


class _Fields(BaseModel):
    """The fields of an entry and their kinds."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    bio: str = ""
    prompt_file: str
    language: str = "en"
    greeting: str = ""
    voice: str = ESPEAK
    elevenlabs_voice_id: str = ""
    elevenlabs_settings: dict[str, str | int | float | bool] = {}
    heygen_avatar_id: str = ""
    heygen_voice_id: str = ""
    image: str = ""
    colours: list[str] = []
    mind_options: MindOptions = MindOptions()


FIELDS = tuple(_Fields.model_fields)
"""What ``personas.json`` may say of a persona."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A character: who it is, how it writes, how it speaks, how it looks.

    ``prompt`` is the text of its ``prompt_file``; ``greeting`` what it says when one wants to hear it. ``embedded`` is
    its voice that needs no key, ``bought`` the one of ElevenLabs ("": none). ``picture`` is its ``image``, looked at.
    ``colours`` are #rrggbb, the main one first. ``is_own`` tells the user's from those that are shipped.
    """

    id: str
    name: str
    bio: str
    prompt: str
    prompt_file: str
    language: str
    greeting: str
    embedded: str
    bought: str
    heygen_avatar_id: str
    heygen_voice_id: str
    image: str
    picture: Picture | None
    colours: tuple[str, ...]
    mind_options: MindOptions
    is_own: bool

    @property
    def voices(self) -> tuple[str, ...]:
        """Its voices as one writes them, the better one first."""
        return (self.bought, self.embedded) if self.bought else (self.embedded,)


def persona_of(key: str, entry: Any, read: Read, *, is_own: bool) -> Persona:
    """The persona of an entry, all of it checked. Raises PersonaError: which one, which field, and what to do."""

    def wrong(field: str, what: str) -> PersonaError:
        return PersonaError(f"Persona {key[:60]!r}: {field} {what}.")

    check_id(key)
    fields = _fields(key, entry)
    for field, longest in _LONGEST.items():
        _check_words(getattr(fields, field), field, longest, wrong)
    if not fields.name.strip():
        raise wrong("name", "is empty: give it one")
    if language_named(fields.language) != fields.language.partition("-")[0].lower():
        known = language_named(fields.language) or "en"
        raise wrong("language", f"{fields.language!r} is no language's tag: write it as {known}")
    for colour in fields.colours:
        if not _COLOUR.fullmatch(colour):
            raise wrong("colours", f"cannot have {colour!r}: write each as #1f6f5c")
    if len(fields.colours) > _MOST_COLOURS:
        raise wrong("colours", f"are {len(fields.colours)}: give {_MOST_COLOURS} at most")
    _check_mind(fields.mind_options, wrong)
    for field in ("heygen_avatar_id", "heygen_voice_id"):
        value = getattr(fields, field)
        if value and not _VENDOR_ID.fullmatch(value):
            raise wrong(field, f"{value[:60]!r} is no id: copy it from HeyGen, or leave it empty")
    return Persona(
        key,
        fields.name.strip(),
        fields.bio.strip(),
        _prompt(fields.prompt_file, read, wrong),
        fields.prompt_file,
        fields.language,
        fields.greeting.strip(),
        _embedded(fields, wrong),
        _bought(fields, wrong),
        fields.heygen_avatar_id,
        fields.heygen_voice_id,
        fields.image,
        _picture(fields.image, read, wrong) if fields.image else None,
        tuple(colour.lower() for colour in fields.colours),
        fields.mind_options,
        is_own,
    )


def entry_of(persona: Persona) -> dict[str, Any]:
    """A persona as ``personas.json`` has it: without what is as usual. ``persona_of`` gives the same one again."""
    bought = VoiceChoice.parse(persona.bought) if persona.bought else VoiceChoice("")
    fields = _Fields(
        **{name: getattr(persona, name) for name in set(FIELDS).intersection(Persona.__slots__) - {"colours"}},
        voice=persona.embedded,
        elevenlabs_voice_id=bought.voice,
        elevenlabs_settings=dict(bought.settings),
        colours=list(persona.colours),
    )
    return fields.model_dump(exclude_defaults=True)


def check_id(key: str) -> None:
    """Raise PersonaError for an id that no persona can have."""
    if not isinstance(key, str) or not _ID.fullmatch(key):
        shown = key if len(str(key)) <= 60 else str(key)[:60] + "…"
        raise PersonaError(
            f"A persona cannot have the id {shown!r}: write small letters a to z, figures, _ and -, 40 at most."
        )


def check_path(path: str) -> None:
    """Raise ValueError for a path that does not lie in ``personas/``; its text goes on from the field's name."""
    first, *parts = path.split("/")
    if first != FOLDER or not parts:
        raise ValueError(f"{path[:80]!r} does not begin with {FOLDER}/: move the file there, and name it so")
    for part in parts:
        try:
            safe = files.safe_name(part) == part
        except UnsafeNameError:
            safe = False
        if not safe:
            raise ValueError(
                f"{path[:80]!r} has {part[:40]!r} in it, which no path may: name a file in {FOLDER}/ plainly"
            )


_Wrong = Callable[[str, str], PersonaError]


def _fields(key: str, entry: Any) -> _Fields:
    if not isinstance(entry, dict):
        raise PersonaError(
            f"Persona {key[:60]!r} is not written as {{…}} with its fields, such as name and prompt_file."
        )
    try:
        return _Fields(**entry)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(map(str, first["loc"]))[:60]
        raise PersonaError(f"Persona {key[:60]!r}: {_misfit(first['type'], field, first['msg'])}.") from None


def _misfit(kind: str, field: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"there is no field {field!r}; there are {', '.join(FIELDS)}"
    if kind == "missing":
        return f"{field} is missing: give it one"
    return f"{field} is not what it must be ({message[0].lower()}{message[1:]}): correct it"


def _check_words(text: str, field: str, longest: int, wrong: _Wrong) -> None:
    if len(text) > longest:
        raise wrong(field, f"has {len(text)} characters: {longest} at most can be shown")
    if any(not character.isprintable() for character in text):
        raise wrong(field, "has characters that cannot be shown: write it in one line of plain text")


def _check_mind(options: MindOptions, wrong: _Wrong) -> None:
    if options.temperature is not None and not 0 <= options.temperature <= _HOTTEST:
        raise wrong("mind_options", f"have a temperature of {options.temperature}: it may be 0 to {_HOTTEST:g}")
    if options.effort and not options.effort.isalpha():
        raise wrong("mind_options", f"have the effort {options.effort[:20]!r}: write low, medium or high")


def _embedded(fields: _Fields, wrong: _Wrong) -> str:
    try:
        choice = VoiceChoice.parse(fields.voice)
        if choice.engine != ESPEAK:
            raise wrong("voice", f"{fields.voice[:60]!r} is not the embedded one: write it as espeak:hi+f3,rate=140")
        if not EspeakVoice(choice).speaks(fields.language):
            raise wrong("voice", f"{fields.voice[:60]!r} does not speak {fields.language}: choose another")
    except SettingError as error:
        raise wrong("voice", f"cannot be used: {str(error).rstrip('.')}") from None
    return str(choice)


def _bought(fields: _Fields, wrong: _Wrong) -> str:
    voice = fields.elevenlabs_voice_id
    if not voice:
        if fields.elevenlabs_settings:
            raise wrong("elevenlabs_settings", "are there without an elevenlabs_voice_id: give it one")
        return ""
    if not _ELEVENLABS_ID.fullmatch(voice):
        raise wrong(
            "elevenlabs_voice_id",
            f"{voice[:60]!r} is no id, which has 20 letters and figures: luma-studio voices lists them",
        )
    settings: dict[str, Value] = fields.elevenlabs_settings
    choice = VoiceChoice(elevenlabs.ENGINE, voice, tuple(sorted(settings.items())))
    try:
        elevenlabs.checked(choice)
    except SettingError as error:
        raise wrong("elevenlabs_settings", f"cannot be used: {str(error).rstrip('.')}") from None
    if not str(choice).isprintable() or VoiceChoice.parse(str(choice)) != choice:
        raise wrong("elevenlabs_settings", "have a value with a comma or the like in it: write it plainly")
    return str(choice)


def _prompt(path: str, read: Read, wrong: _Wrong) -> str:
    data = _file("prompt_file", path, read, wrong)
    if len(data) > _LONGEST_PROMPT:
        raise wrong("prompt_file", f"{path} is larger than {_LONGEST_PROMPT // 1024} kB: shorten it")
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise wrong("prompt_file", f"{path} is not UTF-8: save it so") from None
    if not text:
        raise wrong("prompt_file", f"{path} is empty: write who the persona is and how it speaks")
    return text


def _picture(path: str, read: Read, wrong: _Wrong) -> Picture:
    try:
        return look(_file("image", path, read, wrong))
    except ValueError as error:
        raise wrong("image", f"{path} {error}") from None


def _file(field: Literal["prompt_file", "image"], path: str, read: Read, wrong: _Wrong) -> bytes:
    try:
        check_path(path)
        return read(path)
    except FileNotFoundError:
        raise wrong(field, f"{path} is not there: put it there, or name another file") from None
    except ValueError as error:
        raise wrong(field, str(error)) from None
    except OSError as error:
        why = error.strerror or error
        raise wrong(field, f"{path} cannot be read ({why}): allow it, or name another file") from None
