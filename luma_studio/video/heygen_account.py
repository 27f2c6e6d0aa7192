"""What a HeyGen account has: looks and voices to choose from, its videos, and what is left to pay with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from luma_studio.wire import HEYGEN, Answer, Call, Wire, Wires, broken, json_of

_PATIENCE = 30.0  # seconds, as the vendor's own client has them
_MOST_PAGES = 1000
_LOOKS, _VOICES = 50, 100  # on a page, at most

LookKind = Literal["studio_avatar", "digital_twin", "photo_avatar"]


@dataclass(frozen=True, slots=True)
class AvatarLook:
    """A look of an avatar: what it is called, which engines film it, its own voice, and a picture of it.

    ``orientation`` is portrait, landscape or square; "" where the vendor does not say. ``trouble`` says why it cannot
    be filmed yet.
    """

    look_id: str
    name: str
    kind: LookKind
    engines: tuple[str, ...] = ()
    voice_id: str = ""
    orientation: str = ""
    preview: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class HeyGenVoice:
    """A voice of HeyGen's own: its id, and what it is called and said to be; ``preview`` is the address of a sample."""

    voice_id: str
    name: str
    language: str = ""
    gender: str = ""
    preview: str = ""

    @property
    def about(self) -> str:
        """It in a few words."""
        return ", ".join(each for each in (self.name, self.language, self.gender) if each)


async def looks(wires: Wires) -> tuple[AvatarLook, ...]:
    """The looks that the account may film, its own and the public ones, from all pages. Raises VendorError."""
    found = [each async for each in pages(wires.to(HEYGEN), "/v3/avatars/looks", {"limit": _LOOKS})]
    return tuple(read_look(each) for each in found if isinstance(each.get("id"), str))


async def look(wire: Wire, look_id: str) -> AvatarLook:
    """One look; it is asked for once. Raises VendorError, NotFoundError where there is none."""
    path = f"/v3/avatars/looks/{look_id}"
    answer = await wire.once(Call("GET", path, patience=_PATIENCE, deadline=_PATIENCE))
    return read_look(data_of(answer, wire))


async def video_address(wire: Wire, video_id: str) -> str:
    """Where a video can be fetched now; "" while it is not made. Raises VendorError."""
    call = Call("GET", f"/v3/videos/{quote(video_id, safe='')}", patience=_PATIENCE, deadline=_PATIENCE)
    return str(data_of(await wire.send(call), wire).get("video_url") or "")


async def voices(wires: Wires, language: str = "") -> tuple[HeyGenVoice, ...]:
    """The voices that the account may use, or those of a ``language`` ("Hindi"), from all pages. Raises VendorError."""
    asked: dict[str, str | int] = {"limit": _VOICES, **({"language": language} if language else {})}
    found = [each async for each in pages(wires.to(HEYGEN), "/v3/voices", asked)]
    return tuple(_voice(each) for each in found if isinstance(each.get("voice_id"), str))


async def account(wires: Wires) -> str:
    """What the account has left, in a sentence. Raises VendorError."""
    wire = wires.to(HEYGEN)
    found = data_of(await wire.send(Call("GET", "/v3/users/me", patience=5, deadline=5, tries=1)), wire)
    return f"The key works{_left(found)}."


async def pages(wire: Wire, path: str, params: Mapping[str, str | int]) -> AsyncIterator[dict[str, Any]]:
    """What a list holds, one after the other, from all its pages. Raises VendorError."""
    seen: set[str] = set()
    asked = dict(params)
    while len(seen) < _MOST_PAGES:
        answer = await wire.send(Call("GET", path, params=asked, patience=_PATIENCE, deadline=_PATIENCE))
        match json_of(answer, wire.vendor):
            case {"data": [*found], **rest}:
                for each in found:
                    if isinstance(each, dict):
                        yield each
            case _:
                raise broken(wire.vendor, "is not the list that it should be", answer)
        following = rest.get("next_token") if rest.get("has_more") else None
        if not following or str(following) in seen:  # the same page again would never end
            return
        seen.add(str(following))
        asked["token"] = str(following)


def data_of(answer: Answer, wire: Wire) -> dict[str, Any]:
    """What an answer tells. Raises BrokenAnswerError."""
    match json_of(answer, wire.vendor):
        case {"data": dict() as found}:
            return found
    raise broken(wire.vendor, "does not hold what it should", answer)


def read_look(found: Mapping[str, Any]) -> AvatarLook:
    """A look as the vendor tells of it."""
    kind = found.get("avatar_type")
    return AvatarLook(
        str(found.get("id") or ""),
        _one_line(found.get("name") or found.get("id")),
        kind if kind in ("studio_avatar", "digital_twin") else "photo_avatar",
        tuple(map(str, found.get("supported_api_engines") or ())),
        str(found.get("default_voice_id") or ""),
        str(found.get("preferred_orientation") or ""),
        str(found.get("preview_image_url") or ""),
        "" if found.get("status") in (None, "completed") else _one_line(found["status"]),
    )


def _voice(found: Mapping[str, Any]) -> HeyGenVoice:
    return HeyGenVoice(
        found["voice_id"],
        _one_line(found.get("name") or found["voice_id"]),
        _one_line(found.get("language") or ""),
        _one_line(found.get("gender") or ""),
        str(found.get("preview_audio_url") or ""),
    )


def _one_line(text: object) -> str:
    """What others wrote, as it may be shown."""
    return " ".join("".join(each if each.isprintable() else " " for each in str(text)).split())[:200]


def _left(found: Mapping[str, Any]) -> str:
    """What is left to pay with, as a sentence goes on; "" where it is not told."""
    match found:
        case {"wallet": {"remaining_balance": int() | float() as left, "currency": "usd"}}:
            return f": ${left:,.2f} left"
        case {"wallet": {"remaining_balance": int() | float() as left}}:
            return f": {left:,.0f} credits left"
        case {"subscription": {"plan": str() as plan, "credits": {"premium_credits": {"remaining": int() as left}}}}:
            return f": plan {_one_line(plan)}, {left:,} credits left"
        case {"subscription": {"plan": str() as plan}}:
            return f": plan {_one_line(plan)}"
        case {"usage_based": {"remaining_credits": int() | float() as left}}:
            return f": {left:,.0f} credits left"
    return ""
