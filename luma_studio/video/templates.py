"""Templates of films: the slots that one has, and what a film has to show in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from luma_studio.video.base import Cut, Part

SOUND = "sound"
_KINDS = ("video", "image", "audio", "text")


@dataclass(frozen=True, slots=True)
class Slot:
    """A dynamic element of a template: its name, its kind (video, image, audio, text), and the compositions around."""

    name: str
    kind: str
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A template: its id and name, the SHA-256 of its source, and its slots in the order in which they stand there."""

    id: str
    name: str
    digest: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """What a film has for a template's slots, by name: ``video 1``, ``title 1``, ``captions 1``, ``video 2``, …

    Of the whole film: ``title``, ``captions``, ``sound``. ``kind`` is as a slot's, ``words`` tell what it is or says.
    """

    name: str
    kind: str
    words: str


def slots(source: Mapping[str, Any]) -> Iterator[Slot]:
    """A template's dynamic elements by their names, also those in compositions; of several with one name the first.

    Texts that the vendor itself writes from what is spoken are none.
    """
    found: set[str] = set()
    waiting: list[tuple[Any, tuple[str, ...]]] = [(source, ())]
    while waiting:
        element, within = waiting.pop()
        match element:
            case {"dynamic": True, "name": str(name), "type": str(kind)} if (
                name not in found and kind in _KINDS and not element.get("transcript_source")
            ):
                found.add(name)
                yield Slot(name, kind, within)
        if isinstance(element, dict) and isinstance(element.get("elements"), list):
            around = within if element is source else (*within, str(element.get("name") or ""))
            waiting += [(each, around) for each in reversed(element["elements"])]


def materials(cut: Cut, *, sound: bool = False) -> tuple[Material, ...]:
    """What a film has to show; its ``sound`` only where the vendor can fetch it."""
    return (
        *(Material(name, "video", part.title) for name, part in videos(cut).items()),
        *(Material(name, "text", text) for name, text in texts(cut).items()),
        *([Material(SOUND, "audio", "the sound of the whole film")] if sound else []),
    )


def videos(cut: Cut) -> dict[str, Part]:
    """The videos of a film by their names as materials."""
    return {f"video {number}": part for number, part in enumerate(cut.parts, 1)}


def texts(cut: Cut) -> dict[str, str]:
    """The texts of a film by their names as materials."""
    found = {"title": cut.title, "captions": _words(cut, 0, cut.sound.length)}
    for number, part in enumerate(cut.parts, 1):
        found[f"title {number}"] = part.title
        found[f"captions {number}"] = _words(cut, part.start, part.start + part.length)
    return found


def _words(cut: Cut, first: int, last: int) -> str:
    """The captions that begin between two samples."""
    rate = cut.sound.rate
    return " ".join(" ".join(cue.lines) for cue in cut.cues if first <= cue.start * rate < last)
