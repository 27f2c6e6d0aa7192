"""Templates: which of a film's videos, texts and sounds each slot of a template shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import BaseModel

from luma_studio.agents.base import Agent, Case, Decision, Thinking, decide

_WORDS = 80  # characters that tell what a material is
_APART = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|[\W_]+")  # words and numbers
_SCENE = re.compile(r"\b(scene|video|clip|part|shot)\b")
_CAPTIONS = re.compile(r"\b(subtitles|captions?|transcript)\b")
_TITLE = re.compile(r"\b(titles?|headings?|headlines?)\b")
_VOICE = re.compile(r"\b(audio|voice|voiceover|narration|narrator|speech|sound|master)\b")
_NOT_VOICE = re.compile(r"\b(music|background|effects?|sfx)\b")


class Slot(Protocol):
    """A place in a template: its name, its kind (video, image, audio, text), and the names of what is around it."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def within(self) -> tuple[str, ...]: ...  # noqa: D102


class Material(Protocol):
    """What a film has: its name (``video 1``, ``title 1``, ``title``, …), kind, and words that tell what it is."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def words(self) -> str: ...  # noqa: D102


class Use(BaseModel):
    """A slot, and the material that it shows."""

    slot: str
    material: str


class Mapped(BaseModel):
    """Which slot shows what; the others stay as the template has them."""

    uses: list[Use]

    @property
    def by_slot(self) -> dict[str, str]:
        """The materials' names by the slots'."""
        return {use.slot: use.material for use in self.uses}


AGENT = Agent("template", Mapped)


def question(slots: Sequence[Slot], materials: Sequence[Material]) -> dict[str, Any]:
    """What is asked: the template's slots, and what the film has for them."""
    return {
        "slots": [{"slot": slot.name, "kind": slot.kind, "within": list(slot.within)} for slot in slots],
        "materials": [{"material": each.name, "kind": each.kind, "words": each.words[:_WORDS]} for each in materials],
    }


def check(slots: Sequence[Slot], materials: Sequence[Material], answer: Mapped) -> str | None:
    """What is wrong with an answer: what is not there, does not fit, is named twice, or a scene that is not shown."""
    kinds, known = {slot.name: slot.kind for slot in slots}, {each.name: each.kind for each in materials}
    used = [use.material for use in answer.uses]
    if len(answer.by_slot) < len(answer.uses):
        return "A slot is named twice; let each show one thing."
    for use in answer.uses:
        if use.slot not in kinds:
            return f"There is no slot {use.slot!r}."
        if known.get(use.material) != kinds[use.slot]:
            return f"The slot {use.slot!r} is for {kinds[use.slot]}; {use.material!r} is none."
    videos = [each.name for each in materials if each.kind == "video"]
    lacking = [name for name in videos if name not in used]
    if lacking and len(videos) <= sum(kind == "video" for kind in kinds.values()):
        return f"Nothing shows {lacking[0]!r}; each scene must be shown."
    twice = [name for name in videos if used.count(name) > 1]
    return f"{twice[0]!r} is shown twice; show each scene once." if twice else None


def rules(slots: Sequence[Slot], materials: Sequence[Material]) -> Mapped:
    """Videos in their order, by number where slots have one; texts and the sound by what slots are called."""
    known = {each.name for each in materials}
    videos = [each.name for each in materials if each.kind == "video"]
    uses = dict(zip(_places(slots, len(videos)), videos, strict=False))
    for slot in slots:
        material = _text(slot) if slot.kind == "text" else ""
        if material in known:
            uses[slot.name] = material
    voice = next((slot.name for slot in slots if slot.kind == "audio" and _is_voice(slot)), None)
    if voice is not None and "sound" in known:
        uses[voice] = "sound"
    return Mapped(uses=[Use(slot=slot, material=material) for slot, material in uses.items()])


def cases(slots: Sequence[Slot], materials: Sequence[Material]) -> Case[Mapped]:
    """What is to be decided."""
    return Case(question(slots, materials), lambda answer: check(slots, materials, answer), rules(slots, materials))


async def mapped(slots: Sequence[Slot], materials: Sequence[Material], thinking: Thinking) -> Decision[Mapped]:
    """Have what a film has be given to a template's slots. Raises as ``decide``."""
    return await decide(AGENT, cases(slots, materials), thinking)


def _places(slots: Sequence[Slot], count: int) -> list[str]:
    """The slots for so many scenes, in order: the first of each number, those that are called like scenes, then any."""
    numbers: set[int] = set()
    found: list[tuple[int, int, int, str]] = []  # how little it is like one for a scene, number, place, name
    for place, slot in enumerate(slots):
        if slot.kind != "video":
            continue
        number = _number(slot)
        if number is not None and number not in numbers:
            numbers.add(number)
            found.append((0, number, place, slot.name))
        else:
            found.append((1 if _SCENE.search(_plain(slot.name)) else 2, 0, place, slot.name))
    chosen = sorted(found)[:count]
    if any(likeness for likeness, *_ in chosen):  # numbers that not all have tell no order
        chosen.sort(key=lambda each: each[2])
    return [name for *_, name in chosen]


def _text(slot: Slot) -> str:
    """The material that a text is called like; "" for none."""
    name, number = _plain(slot.name), _number(slot)
    what = "captions" if _CAPTIONS.search(name) else "title" if _TITLE.search(name) else ""
    return f"{what} {number}" if what and number is not None else what


def _is_voice(slot: Slot) -> bool:
    name = _plain(slot.name)
    return bool(_VOICE.search(name)) and not _NOT_VOICE.search(name)


def _number(slot: Slot) -> int | None:
    """The last number in its name or, where it has none, in that of what is nearest around it."""
    for name in (slot.name, *reversed(slot.within)):
        numbers = re.findall(r"\d{1,4}", name, re.ASCII)
        if numbers:
            return int(numbers[-1])
    return None


def _plain(name: str) -> str:
    """A name in small letters, its words apart: ``Scene-1_Title`` is ``scene 1 title``."""
    return " ".join(_APART.sub(" ", name).casefold().split())
