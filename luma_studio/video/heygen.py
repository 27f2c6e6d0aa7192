"""HeyGen: photos and avatars that talk, a video a scene or several scenes as one film; its API v3.

>>> engine = HeyGen(choice, wires, settings.minute_price, Assets(folder), polling())         # doctest: +SKIP
>>> engine.check(shot)                                                                      # doctest: +SKIP
>>> async with account.claim(fingerprint(engine.identity(shot))) as claimed:                # doctest: +SKIP
...     made = await engine.film(shot, claimed, into, tell)
...     ...                     # put it where it belongs
...     await claimed.forget()  # until then, who begins again fetches the same video and buys nothing
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from luma_studio.errors import SettingError
from luma_studio.settings import Polling
from luma_studio.store.ledger import Account, Purchase
from luma_studio.video import heygen_account
from luma_studio.video.base import EngineChoice, Made, Shot, Tell
from luma_studio.video.heygen_asked import (
    ENGINE,
    check_can_film,
    check_shot,
    is_look,
    price_name,
    read_choice,
    scene_request,
    shows_background,
    source,
    speech,
    uploads,
    video_request,
)
from luma_studio.video.heygen_assets import Assets, check_upload
from luma_studio.video.heygen_jobs import Render, Renderer, Request
from luma_studio.wire import HEYGEN, Wires

_VERSION = 1  # of what is asked for, beyond what identities tell
_AT_ONCE = 64  # scenes that may be asked for: as many go as HeyGen bears, the others wait their turn
_MOST_SCENES = 50

VideoPrice = Callable[[str, str], Decimal | None]
"""US dollars that a minute of video costs, by engine and model; None where nobody knows."""


class _Engine:
    """What both have: settings, the way to HeyGen, and how a scene is asked for."""

    def __init__(
        self,
        choice: EngineChoice,
        wires: Wires,
        price: VideoPrice,
        assets: Assets,
        polling: Polling,
    ) -> None:
        self._asked = read_choice(choice)
        self._wires = wires
        self._price = price
        self._assets = assets
        self._polling = polling

    def _identity(self, shot: Shot) -> dict[str, Any]:
        return {
            "engine": ENGINE,
            "version": _VERSION,
            "model": self._asked.model,
            "source": dict(source(shot.photo)),
            "speech": dict(speech(self._asked, shot, shot.asset)),
            "motion": shot.motion,
            "expressiveness": self._asked.expressiveness,
            "fit": shot.look.fit,
            "background": shot.look.background if shows_background(shot) else "",
            **video_request(self._asked, shot.look),
        }

    def _check(self, shot: Shot) -> None:
        check_shot(self._asked, shot, shot.asset)
        self._wires.to(HEYGEN)

    def _cost(self, shots: Sequence[Shot]) -> Decimal | None:
        total = Decimal(0)
        for shot in shots:
            minute = self._price(ENGINE, price_name(self._asked, shot))
            if minute is None:
                return None
            total += minute * shot.sound.length / (60 * shot.sound.rate)
        return total

    def _scene(self, shot: Shot, ids: Mapping[str, str]) -> dict[str, Any]:
        return scene_request(self._asked, shot, shot.asset, ids)

    async def _rendered(
        self, title: str, shots: Sequence[Shot], request: Request, account: Account, into: Path, tell: Tell
    ) -> Made:
        renderer = Renderer(self._wires.to(HEYGEN), self._assets, self._polling)
        if not await asyncio.to_thread(account.has_arrived):
            await self._check_looks(shots)
        needed = {each.digest: each for shot in shots for each in uploads(self._asked, shot, shot.asset)}
        for each in needed.values():
            check_upload(each.path, each.kind)
        what, seconds = price_name(self._asked, shots[0]), round(sum(shot.sound.seconds for shot in shots))
        purchase = Purchase(HEYGEN.name, what, title, seconds, self._cost(shots))
        burned = shots[0].look.captions == "burned"
        return await renderer.render(
            Render(purchase, tuple(needed.values()), title, request, burned), account, into, tell
        )

    async def _check_looks(self, shots: Sequence[Shot]) -> None:
        """Ask for each look, once, and whether it can be filmed so: before anything is paid."""
        wire = self._wires.to(HEYGEN)
        for shot in shots:
            if is_look(shot.photo):
                check_can_film(self._asked, shot, await heygen_account.look(wire, shot.photo.avatar))


class HeyGen(_Engine):
    """Films a scene: ``heygen:avatar_iv,resolution=1080p,expressiveness=high,voice=VOICE_ID``.

    A photo is a look (the id in ``avatar``), an asset (``asset:ID`` there), an ``address`` or a ``still``, whichever it
    has first. It talks with the scene's sound, or the ``asset`` that the script names in its place ("heygen id"). With
    ``voice``, one of HeyGen's own speaks the scene's text: how long the video is, HeyGen decides then.

    Captions that are burned are HeyGen's own, made of what it hears. A caption track it has none: take the scene's.

    Prices are US dollars a minute, by the names ``avatar_iv`` and so on; ``avatar_iv-look`` for a look of an avatar;
    with ``-4k`` at the end in that resolution. What a look costs depends on its kind; the price list has the dearest.

    Raises SettingError for settings that it does not have. Without a key it can be chosen and quoted.
    """

    concurrency = _AT_ONCE

    def identity(self, shot: Shot) -> Mapping[str, Any]:
        """All that decides how the video looks and sounds, as JSON."""
        return self._identity(shot)

    def check(self, shot: Shot) -> None:
        """Raise SettingError or NoKeyError for what it cannot film. Nothing is sent."""
        self._check(shot)

    def price(self, shot: Shot) -> Decimal | None:
        """US dollars that the video would cost; None where nobody knows. With a voice of HeyGen's own it is a guess."""
        return self._cost([shot])

    async def film(self, shot: Shot, account: Account, into: Path, tell: Tell) -> Made:
        """Film a scene; the video is at ``into`` then. See ``Renderer.render`` for what the caller does afterwards.

        Raises SettingError, VendorError, BudgetError, StoreError, Stopped.
        """
        self.check(shot)

        def request(ids: Mapping[str, str]) -> dict[str, Any]:
            asked = {**self._scene(shot, ids), **video_request(self._asked, shot.look)}
            if shows_background(shot):
                asked["background"] = {"type": "color", "value": shot.look.background}
            return {**asked, "fit": shot.look.fit, "output_format": "mp4"}

        return await self._rendered(shot.title or shot.scene, [shot], request, account, into, tell)


class HeyGenFilm(_Engine):
    """Films several scenes as one film: one render, one purchase. Choices, photos and sounds are as for ``HeyGen``.

    All scenes have the same look; HeyGen cuts each to the frame, and shows one after the other, each as long as its
    sound. A change in one scene makes the whole film anew.
    """

    def identity(self, shots: Sequence[Shot]) -> Mapping[str, Any]:
        """All that decides how the film looks and sounds, as JSON."""
        return {"engine": ENGINE, "version": _VERSION, "scenes": [self._identity(shot) for shot in shots]}

    def check(self, shots: Sequence[Shot]) -> None:
        """Raise SettingError or NoKeyError for what it cannot film. Nothing is sent."""
        if not 1 <= len(shots) <= _MOST_SCENES:
            raise SettingError(
                f"HeyGen makes a film of 1 to {_MOST_SCENES} scenes, not of {len(shots)}. Film the scenes one by one."
            )
        for shot in shots:
            self._check(shot)
            if replace(shot.look, background=shots[0].look.background) != shots[0].look:  # each has its own
                raise SettingError(f"{shot.scene} has another look than the first scene; one film has one look.")
            if shot.look.fit != "cover":
                raise SettingError("A film that HeyGen makes as a whole fills the frame. Choose the fit cover.")

    def price(self, shots: Sequence[Shot]) -> Decimal | None:
        """US dollars that the film would cost; None where nobody knows."""
        return self._cost(shots)

    async def film(self, title: str, shots: Sequence[Shot], account: Account, into: Path, tell: Tell) -> Made:
        """Film all scenes; the film is at ``into`` then. As ``HeyGen.film``."""
        self.check(shots)

        def scene(shot: Shot, ids: Mapping[str, str]) -> dict[str, Any]:
            asked = self._scene(shot, ids)
            if is_look(shot.photo):
                asked["background"] = {"type": "color", "color": shot.look.background}
            return {"type": "avatar_video", "input": asked}

        def request(ids: Mapping[str, str]) -> dict[str, Any]:
            scenes = [scene(shot, ids) for shot in shots]
            return {"type": "studio", "scenes": scenes, **video_request(self._asked, shots[0].look)}

        return await self._rendered(title, shots, request, account, into, tell)
