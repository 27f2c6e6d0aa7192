"""Creatomate: a film put together by a template, https://creatomate.com/docs/api (version 2)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from luma_studio.errors import BadRequestError, NotFoundError, OutcomeUnknownError, SettingError, counted
from luma_studio.store.ledger import Account, Purchase
from luma_studio.video import jobs
from luma_studio.video.base import Cut, EngineChoice, Made, Stage, Tell, Told, fingerprint, untold
from luma_studio.video.choosing import check_reachable, is_set, polling_of, settings_of
from luma_studio.video.jobs import Job, plain
from luma_studio.video.templates import SOUND, Material, Template, materials, slots, texts, videos
from luma_studio.video.waiting import Seen
from luma_studio.wire import CREATOMATE, Call, Wires, broken, json_of

ENGINE = "creatomate"
MODEL = "render"
"""By which name a minute of film is priced."""
_VERSION = 1  # of what a film's fingerprint is made of
_SETTINGS = ("sound", "interval", "timeout", "render", "again")
_EXAMPLE = "creatomate:TEMPLATE,sound=https://example.com/master.mp3"
_RENDERS = "/v2/renders"
_TEMPLATES = "/v2/templates"
_STAGES: Mapping[str, Stage] = MappingProxyType(
    {
        "planned": "submitted",
        "waiting": "submitted",
        "transcribing": "processing",
        "rendering": "processing",
        "succeeded": "completed",
        "failed": "failed",
        "cancelled": "failed",
    }
)
_FASTEST = 60  # frames a second

Price = Callable[[str, str], Decimal | None]
"""US dollars that a minute of video costs, by engine and model; None where nobody knows."""


class Creatomate:
    """A template of Creatomate: ``creatomate:TEMPLATE``.

    ``uses`` gives by the name of a slot the name of the material that it shows. ``sound=https://…`` is where the vendor
    can fetch the film's sound: a slot that plays it mutes the scenes' own. ``render=ID`` takes up a render that was
    begun, ``again=yes`` buys anew where nobody knows what became of an earlier request. Raises SettingError.
    """

    def __init__(
        self, choice: EngineChoice, wires: Wires, price: Price, template: Template, uses: Mapping[str, str]
    ) -> None:
        settings = settings_of(choice, _SETTINGS)
        self._sound = settings.get("sound", "")
        self._render = jobs.checked_name(CREATOMATE.name, settings.get("render", ""))
        self._again = is_set(choice, "again")
        self._polling = polling_of(choice)
        self._wires = wires
        self._price = price
        self._template = template
        self._uses = dict(uses)

    def identity(self, cut: Cut) -> Mapping[str, Any]:
        """What decides how the film looks: the template as it is, and what its slots show; not from where."""
        values: dict[str, Any] = {**texts(cut), SOUND: cut.sound.digest}
        values |= {name: [part.digest, part.length] for name, part in videos(cut).items()}
        return {
            "engine": ENGINE,
            "version": _VERSION,
            "template": [self._template.id, self._template.digest],
            "uses": {slot: values.get(material, "") for slot, material in self._uses.items()},
            "rate": cut.sound.rate,
            "fps": cut.look.fps,
        }

    def check(self, cut: Cut) -> None:
        """Raise SettingError for a film that the template cannot show or the vendor cannot fetch, NoKeyError, …"""
        for problem in self._problems(cut):
            raise SettingError(problem)
        for part in cut.parts:
            check_reachable(CREATOMATE, part.address, f"The address of the video of {part.scene}")
        if self._sound:
            check_reachable(CREATOMATE, self._sound, "The address of the sound")
        self._wires.to(CREATOMATE)

    def price(self, cut: Cut) -> Decimal | None:
        """US dollars that the film costs."""
        return price_of(self._price, cut)

    async def assemble(self, cut: Cut, account: Account, into: Path, tell: Tell = untold) -> Made:
        """Have the film put together; it is at ``into`` then. Raises as ``jobs.made``."""
        self.check(cut)
        name = fingerprint(self.identity(cut))
        asked = {**self._asked(cut), "metadata": name}
        if self._render:
            await self._check_is_it(name)
        job = Job(
            wire=self._wires.to(CREATOMATE),
            call=Call("POST", _RENDERS, json=asked, paid=True),
            purchase=Purchase(CREATOMATE.name, MODEL, cut.title, round(cut.sound.seconds), self.price(cut)),
            named=named,
            look=self.look,
            before=partial(self._rehearse, asked, tell),
            search=_search,
            polling=self._polling,
            taken=self._render,
            again=self._again,
        )
        render, seen = await jobs.made(job, account, into, tell)
        return Made(render, seen.address, seen.thumbnail, asked, seen.status)

    async def look(self, render: str) -> Seen:
        """How a render stands. Raises VendorError."""
        wire = self._wires.to(CREATOMATE)
        answer = await wire.send(jobs.glance(f"{_RENDERS}/{quote(render, safe='')}"))
        found = json_of(answer, wire.vendor)
        if named(found) != render:
            raise broken(wire.vendor, f"is not of the render {render}", answer)
        return read(found)

    async def _rehearse(self, asked: Mapping[str, Any], tell: Tell, _account: Account) -> None:
        """Try the request, which is free: what it would fail of is raised, and warnings are told."""
        wire = self._wires.to(CREATOMATE)
        answer = await wire.send(Call("POST", _RENDERS, json={**asked, "dry_run": True}))
        match json_of(answer, wire.vendor):
            case {"valid": bool(valid), **found}:
                errors, warnings = _said(found.get("errors")), _said(found.get("warnings"))
            case _:
                raise broken(wire.vendor, "does not say whether the film can be made", answer)
        if errors or not valid:
            raise BadRequestError(
                f"Creatomate says that the film would fail: {errors or 'it gives no reason'}. Nothing was bought. "
                f"Correct that, or the template {plain(self._template.name)!r}.",
                vendor=CREATOMATE.name,
            )
        if warnings:
            tell(Told("submitted", f"Creatomate warns: {warnings}"))

    async def _check_is_it(self, name: str) -> None:
        seen = await self.look(self._render)
        if seen.status.get("metadata") != name:
            raise SettingError(
                f"The render {self._render} is not of this film as it is now. Leave the setting render out, or give "
                "the one that was asked for this."
            )

    def _asked(self, cut: Cut) -> dict[str, Any]:
        return {
            "template_id": self._template.id,
            "modifications": self._modifications(cut),
            "output_format": "mp4",
            "frame_rate": cut.look.fps,
        }

    def _modifications(self, cut: Cut) -> dict[str, str | float]:
        """The changes to the template's elements, as the vendor writes them."""
        return {
            f"{slot}.{name}": value
            for slot, material in self._uses.items()
            for name, value in self._shown(cut, material).items()
        }

    def _shown(self, cut: Cut, material: str) -> dict[str, str | float]:
        """The properties of an element that shows a material."""
        if part := videos(cut).get(material):
            seconds = round(part.length / cut.sound.rate, 3)
            muted = {"volume": "0%"} if SOUND in self._uses.values() else {}
            return {"source": part.address, "duration": seconds, **muted}
        return {"source": self._sound} if material == SOUND else {"text": texts(cut)[material]}

    def _problems(self, cut: Cut) -> Iterator[str]:
        """What keeps the film from being put together, each in a sentence with the remedy."""
        lacking = [part.scene for part in cut.parts if not part.address]
        if lacking:
            yield (
                f"Creatomate fetches videos itself, and has no address of {', '.join(lacking)}. Film these with "
                "HeyGen, whose videos have one, or choose the preview engine: preview."
            )
        if not 1 <= cut.look.fps <= _FASTEST:
            yield f"Creatomate makes 1 to {_FASTEST} frames a second, not {cut.look.fps}."
        kinds = {slot.name: slot.kind for slot in self._template.slots}
        known = {material.name: material.kind for material in materials(cut, sound=bool(self._sound))}
        for slot, material in self._uses.items():
            if kinds.get(slot) is None or kinds[slot] != known.get(material):
                yield f"The template's slot {slot!r} cannot show {material!r}. Choose something else for it."
        shown = list(self._uses.values())
        if any(shown.count(video) != 1 for video in videos(cut)):
            places = sum(slot.kind == "video" for slot in self._template.slots)
            yield (
                f"The film has {counted(len(cut.parts), 'scene')}, and each must be shown once; the template "
                f"{plain(self._template.name)!r} has {counted(places, 'slot')} for videos with names of their own. "
                "Choose another template, or another slot for each scene."
            )


async def template(choice: EngineChoice, wires: Wires) -> Template:
    """The template of a choice, as it is now. Raises SettingError where none is named, VendorError."""
    if not choice.model:
        raise SettingError(f"Name a template of Creatomate by its id, as in {_EXAMPLE}.")
    wire = wires.to(CREATOMATE)
    try:
        answer = await wire.send(Call("GET", f"{_TEMPLATES}/{quote(choice.model, safe='')}"))
    except NotFoundError as error:
        raise NotFoundError(
            f"Creatomate has no template {choice.model!r}. Give the id of one, as in {_EXAMPLE}.",
            vendor=CREATOMATE.name,
            status=error.status,
        ) from error
    match json_of(answer, wire.vendor):
        case {"id": str(name), "name": str(title), "source": dict(source)}:
            digest = hashlib.sha256(json.dumps(source, sort_keys=True).encode()).hexdigest()
            return Template(name, title, digest, tuple(slots(source)))
    raise broken(wire.vendor, "is no template", answer)


async def templates(wires: Wires) -> dict[str, str]:
    """The names of the account's templates, by their ids. Raises VendorError."""
    wire = wires.to(CREATOMATE)
    answer = await wire.send(Call("GET", _TEMPLATES, patience=5, deadline=5, tries=1))
    match json_of(answer, wire.vendor):
        case [*found]:
            return {str(each["id"]): plain(each.get("name", "")) for each in found if named(each)}
    raise broken(wire.vendor, "lists no templates", answer)


async def account(wires: Wires) -> str:
    """Whether the key works, and how many templates there are, in a sentence. Raises VendorError."""
    return f"The key works: {counted(len(await templates(wires)), 'template')}."


def price_of(price: Price, cut: Cut) -> Decimal | None:
    """US dollars that a film costs, by any template; None where nobody knows."""
    minute = price(ENGINE, MODEL)
    return None if minute is None else minute * cut.sound.length / cut.sound.rate / 60


def materials_of(choice: EngineChoice, cut: Cut) -> tuple[Material, ...]:
    """What the film has to show in a template; its sound only where the choice has an address of it."""
    return materials(cut, sound="sound" in dict(choice.settings))


def named(found: Any) -> str | None:
    """A render's id in what the vendor tells of it."""
    match found:
        case {"id": str(name)}:
            return name
    return None


def read(found: Mapping[str, Any]) -> Seen:
    """How a render stands by what the vendor tells of it: an answer, or what a webhook brings.

    Its file has an address from the beginning, and is there when it has succeeded.
    """
    word = str(found.get("status", ""))
    stage = _STAGES.get(word.lower(), "processing")
    why = plain(found.get("error_message") or "")
    message = why or ("it was cancelled there" if word == "cancelled" else "" if word in _STAGES else plain(word))
    address = str(found.get("url") or "") if stage == "completed" else ""
    return Seen(stage, found, address, str(found.get("snapshot_url") or ""), message)


async def _search(_account: Account) -> bytes | None:
    raise OutcomeUnknownError(
        "Creatomate was asked for this film and gave no answer, and it cannot be asked what it made. Look at your "
        "renders there; then take the one up with the setting render=ID, or buy it anew with again=yes.",
        vendor=CREATOMATE.name,
    )


def _said(found: Any) -> str:
    """What the vendor says, in a list or a word, in one line."""
    return "; ".join(map(plain, found)) if isinstance(found, list) else plain(found or "")
