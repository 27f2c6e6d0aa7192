"""A persona as a panel shows it: who it is, how it looks, and what it can do with which key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from luma_studio.persona.model import Persona
from luma_studio.persona.personas import Personas
from luma_studio.persona.pictures import PictureKind
from luma_studio.voices import elevenlabs
from luma_studio.wire import HEYGEN, Home, has_key


@dataclass(frozen=True, slots=True)
class Ability:
    """Whether a persona can write, speak or be seen; ``by`` what, and in a sentence what would make it better.

    ``better`` is empty where nothing would.
    """

    what: Literal["write", "speak", "be seen"]
    is_ready: bool
    by: str
    better: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """What a panel shows of a persona; ``picture`` is the bytes of a PNG or JPEG, None where it has none."""

    id: str
    name: str
    bio: str
    greeting: str
    language: str
    colours: tuple[str, ...]
    picture: bytes | None
    kind: PictureKind | None
    abilities: tuple[Ability, ...]
    is_own: bool


def described(personas: Personas, persona: Persona, mind: str = "", lacks: str = "") -> Described:
    """A persona as a panel shows it. ``mind`` is what would write for it, and ``lacks`` what keeps that from writing.

    Nothing is sent. Raises StoreError for a picture that cannot be read.
    """
    return Described(
        persona.id,
        persona.name,
        persona.bio,
        persona.greeting,
        persona.language,
        persona.colours,
        personas.image(persona),
        persona.picture.kind if persona.picture else None,
        (Ability("write", not lacks, mind, lacks), _speaks(persona), _is_seen(persona)),
        persona.is_own,
    )


def _speaks(persona: Persona) -> Ability:
    """It always speaks: the embedded voice needs no key."""
    better = _better(elevenlabs.HOME, persona.bought, "elevenlabs_voice_id", "speaks with a voice of its own")
    return Ability("speak", True, persona.embedded if better else persona.bought, better)


def _is_seen(persona: Persona) -> Ability:
    """Without a picture it is seen by a vendor's avatar, or not at all."""
    looks = persona.heygen_avatar_id or persona.image
    better = _better(HEYGEN, looks, "heygen_avatar_id, or an image", "talks with moving lips")
    if not better:
        return Ability("be seen", True, HEYGEN.name)
    return Ability("be seen", bool(persona.image), "its picture" if persona.image else "", better)


def _better(home: Home, has: str, field: str, then: str) -> str:
    if not has:
        return f"Give it {'an' if field[0] in 'aeiou' else 'a'} {field}, and with a key it {then} by {home.name}."
    return "" if has_key(home) else f"Put {home.variable}=… into .env, and it {then} by {home.name}."
