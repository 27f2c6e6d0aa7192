"""What voices of vendors have in common: the way there, settings, prices, and sound that comes over the wire."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from luma_studio.audio import codec
from luma_studio.audio.clip import Samples
from luma_studio.errors import AudioError, BrokenAnswerError, SettingError
from luma_studio.store.ledger import Account, Purchase, Received
from luma_studio.voices.base import Value, VoiceChoice
from luma_studio.wire import Answer, Call, Wire, unheard

Kind = type | tuple[type, ...]
"""What a setting's value may be."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A voice that a vendor has: as one writes it, and what it is called and said to be.

    ``preview`` is the address of a ready-made sample, which is free; "" where there is none.
    """

    voice: str
    name: str
    about: str = ""
    preview: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a vendor has to choose from: voices, and the models that speak with them, the vendor's own choice first."""

    engine: str
    vendor: str
    voices: tuple[Listed, ...]
    models: tuple[str, ...]


Price = Callable[[str, str], Decimal | None]
"""US dollars a character costs, by engine and model; None where nobody knows."""

AT_ONCE = 64
"""Clauses that may be asked for at once: the wire lets through what the vendor bears, the others wait there."""


def look(path: str, params: Mapping[str, str | int] | None = None) -> Call:
    """A question to a vendor that buys nothing: somebody waits for the answer, and can ask again."""
    return Call("GET", path, params=params or {}, patience=5, deadline=5, tries=1)


def identity(engine: str, model: str, voice: str, form: str, settings: Mapping[str, Value]) -> Mapping[str, Value]:
    """What of a vendor's voice goes into fingerprints."""
    return {"engine": engine, "model": model, "voice": voice, "format": form, **settings}


async def buy(
    wire: Wire,
    call: Call,
    account: Account,
    purchase: Purchase,
    cost: Callable[[Received], Decimal | None] = lambda _: None,
    part: int = 0,
    hear: Callable[[bytes], None] = unheard,
) -> bytes:
    """The body that a paid call brings, bought on an account; ``hear`` hears its pieces. Raises as ``Account.buy``."""
    is_new = False

    async def send(path: Path) -> Answer:
        nonlocal is_new
        is_new = True
        return await wire.send(call, path, hear)

    data = await account.buy(purchase, send, cost, part)
    if not is_new:
        await asyncio.to_thread(hear, data)
    return data


def sound(vendor: str, data: bytes, pcm: int | None = None) -> tuple[Samples, int]:
    """What a vendor sent as sound, decoded: samples and their rate. Raises BrokenAnswerError where it is none.

    ``pcm`` is the rate of bare samples, 16 bit little-endian, which tell nothing about themselves.
    """
    try:
        samples, rate = codec.read(io.BytesIO(data)) if pcm is None else (_bare(data), pcm)
    except AudioError as error:
        raise BrokenAnswerError(
            f"What {vendor} sent is no sound that can be played ({error}). It was not kept; try again.", vendor=vendor
        ) from error
    if not samples.any():
        raise BrokenAnswerError(
            f"What {vendor} sent is silent. It was not kept; try again, or change the words.", vendor=vendor
        )
    return samples, rate


def _bare(data: bytes) -> Samples:
    if len(data) % 2:
        raise AudioError("it ends within a sample")
    return np.frombuffer(data, "<i2").astype(np.int16)


def settings_of(choice: VoiceChoice, known: Mapping[str, Kind], example: str) -> dict[str, Value]:
    """The settings of a choice, checked for names and kinds. Raises SettingError."""
    settings = dict(choice.settings)
    for name, value in settings.items():
        if name not in known:
            raise SettingError(f"{choice.engine} has no setting {name!r}; it has {', '.join(known)}, as in {example}.")
        if not isinstance(value, known[name]) or (isinstance(value, bool) and known[name] is not bool):
            raise SettingError(
                f"The setting {name!r} of {choice.engine} cannot be {value!r}. Write it as in {example}."
            )
    return settings


def in_range(choice: VoiceChoice, settings: Mapping[str, Value], ranges: Mapping[str, tuple[float, float]]) -> None:
    """Raise SettingError for a number that its setting cannot have."""
    for name, (least, most) in ranges.items():
        value = settings.get(name)
        if value is not None and not least <= float(value) <= most:
            raise SettingError(f"The setting {name!r} of {choice.engine} is {value}; it may be {least:g} to {most:g}.")
