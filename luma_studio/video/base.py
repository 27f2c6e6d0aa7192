"""What film engines are: they film a scene with a photo and its sound, move a still, or put scenes together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol

from luma_studio.errors import SettingError
from luma_studio.store.ledger import Account
from luma_studio.timeline.captions import Cue

Captions = Literal["burned", "track", "none"]
"""Drawn into the picture; beside it, to be switched on; or not at all."""
Fit = Literal["cover", "contain"]
"""A picture fills the frame, and is cut; or is all seen, on the background."""
Stage = Literal["submitted", "processing", "completed", "failed"]


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which engine films, as one writes it: ``preview``, ``heygen:avatar_iv,resolution=1080p``.

    ``model`` is the engine's own word ("" lets it choose), ``settings`` are the engine's, as text.
    """

    engine: str
    model: str = ""
    settings: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> EngineChoice:
        """Read ``engine:model,setting=value,…``. Raises SettingError."""
        head, *pairs = (part.strip() for part in text.split(","))
        engine, _, model = (part.strip() for part in head.partition(":"))
        if not engine:
            raise SettingError(f"{text!r} names no engine. Write it as preview, or as heygen:avatar_iv.")
        settings = {}
        for pair in pairs:
            name, equals, value = (part.strip() for part in pair.partition("="))
            if not equals:
                raise SettingError(f"In {text!r}, {pair!r} is not of the form setting=value.")
            settings[name] = value
        return cls(engine, model, tuple(sorted(settings.items())))

    def has(self, name: str) -> bool:
        """Whether a setting is given."""
        return name in dict(self.settings)

    def __str__(self) -> str:
        head = f"{self.engine}:{self.model}" if self.model else self.engine
        return ",".join([head, *(f"{name}={value}" for name, value in self.settings)])


@dataclass(frozen=True, slots=True)
class Still:
    """A picture that was looked at: its file, the SHA-256 of that, its kind, and its size in pixels as one sees it."""

    path: Path
    digest: str
    kind: Literal["png", "jpeg"]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Photo:
    """Who is seen talking: a ``still``, or what a vendor has of its own.

    ``avatar`` is a vendor's id of a look or photo, ``address`` one from which the vendor fetches a picture itself: we
    never ask it. ``name`` is what it is called. ``drawn`` says that the still only stands for a photo that there is
    not.
    """

    name: str
    still: Still | None = None
    avatar: str = ""
    address: str = ""
    drawn: bool = False

    @property
    def identity(self) -> Mapping[str, str]:
        """What of it decides how a vendor's video looks: not how it is called, nor where its file lies.

        A still beside a vendor's own photo, or drawn for want of one, only stands for that.
        """
        own = self.avatar or self.address or self.drawn
        return {
            "still": self.still.digest if self.still and not own else "",
            "avatar": self.avatar,
            "address": self.address,
        }


@dataclass(frozen=True, slots=True)
class SceneSound:
    """What is heard in a scene: a file that holds it, its length in samples, and the samples in a second.

    ``digest`` is the SHA-256 of its samples: it changes whenever its sound does, and not with its title.
    """

    path: Path
    digest: str
    length: int
    rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.length / self.rate


@dataclass(frozen=True, slots=True)
class Look:
    """How a video looks: pixels, frames a second, how a picture is fitted, what is behind it (#rrggbb), captions."""

    width: int = 720
    height: int = 1280
    fps: int = 25
    fit: Fit = "cover"
    background: str = "#101418"
    captions: Captions = "burned"

    @property
    def orientation(self) -> Literal["portrait", "landscape"]:
        """Which side is the longer one."""
        return "portrait" if self.height > self.width else "landscape"


@dataclass(frozen=True, slots=True)
class Shot:
    """One scene as it is filmed: who talks, what is heard, and what is shown.

    ``cues`` are its captions, in seconds from its beginning; ``text`` is what is spoken, for engines with a voice of
    their own; ``motion`` says how the photo moves, for engines that can be told. ``asset`` is the vendor's id of a
    sound that it has already, and that the script names for this scene ("": it is given ours).
    """

    scene: str
    title: str
    photo: Photo
    sound: SceneSound
    cues: tuple[Cue, ...]
    text: str
    language: str
    look: Look
    motion: str = ""
    asset: str = ""


@dataclass(frozen=True, slots=True)
class Mask:
    """A part of a still that moves along a line of points (pixels); its ``picture`` shows which part."""

    picture: Still
    trajectory: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Motion:
    """A still that is to move: for how many ``seconds`` (5 or 10), and as the prompts say.

    ``photo`` has a still, or an address from which the vendor fetches it. ``guidance`` (0 to 1) is how closely the
    prompt is followed. ``webhook`` is an address of the user's own that the vendor tells of each change ("": none).
    """

    photo: Photo
    seconds: Literal[5, 10] = 5
    prompt: str = ""
    negative_prompt: str = ""
    guidance: float = 0.5
    static_mask: Still | None = None
    masks: tuple[Mask, ...] = ()
    webhook: str = ""
    look: Look = field(default_factory=Look)


@dataclass(frozen=True, slots=True)
class Part:
    """A scene of a film: its video's file, and where it lies in the film's sound, in samples.

    ``address`` is where a vendor that puts films together can fetch it ("" where nobody has it but us). ``captions`` is
    how its video has its captions: burned ones are not drawn over a second time.
    """

    scene: str
    title: str
    video: Path
    digest: str
    start: int
    length: int
    address: str = ""
    captions: Captions = "none"


@dataclass(frozen=True, slots=True)
class Cut:
    """A film as it is put together: its parts, in order, over one sound (the master), with captions and chapters.

    ``crossfade`` is in seconds (0: none), and makes nothing longer or shorter; ``card`` is how many seconds a title
    stands at a scene's beginning (0: none).
    """

    title: str
    parts: tuple[Part, ...]
    sound: SceneSound
    cues: tuple[Cue, ...]
    language: str
    look: Look
    crossfade: float = 0.0
    card: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """How far a video is: ``share`` of it is done (None: the vendor does not say), ``message`` in words."""

    stage: Stage
    message: str = ""
    share: float | None = None
    video_id: str = ""


Tell = Callable[[Told], None]
"""Hears how far a video is, from any thread; returns at once. It may raise ``errors.Stopped`` to end the work."""


def untold(_told: Told) -> None:
    """Nobody hears it."""


@dataclass(frozen=True, slots=True)
class Made:
    """What an engine tells of a video that it made.

    ``video_id`` is the vendor's; ``video_url`` and ``thumbnail_url`` are the vendor's, and expire; ``request`` and
    ``status`` are what was asked and how it stood last, as JSON. ``message`` is what its user should know of it.
    """

    video_id: str = ""
    video_url: str = ""
    thumbnail_url: str = ""
    request: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    status: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    message: str = ""


def fingerprint(identity: Mapping[str, Any]) -> str:
    """The name of the video that all this decides: a SHA-256 over it, as JSON."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


class TalkingPhoto(Protocol):
    """An engine that films a scene: a photo that talks, exactly as long as the scene's sound.

    ``concurrency`` is how many scenes it may film at once.
    """

    @property
    def concurrency(self) -> int: ...  # noqa: D102

    def identity(self, shot: Shot) -> Mapping[str, Any]:
        """All that decides how the video looks and sounds, as JSON: engine, its version and settings, photo, sound."""
        ...

    def check(self, shot: Shot) -> None:
        """Raise SettingError, NoKeyError or the like for what it cannot film. Nothing is sent."""
        ...

    def price(self, shot: Shot) -> Decimal | None:
        """US dollars that the video would cost (0: nothing is paid; None: unknown)."""
        ...

    async def film(self, shot: Shot, account: Account, into: Path, tell: Tell) -> Made:
        """Film; the video is at ``into`` then. What has to be paid for is bought on the account.

        The account has the claim of the video's fingerprint as its key: a job that was begun is taken up by it. Raises
        VendorError, VideoError, BudgetError, Stopped.
        """
        ...


class ImageToVideo(Protocol):
    """An engine that has a still move. As ``TalkingPhoto``."""

    @property
    def concurrency(self) -> int: ...  # noqa: D102

    def identity(self, motion: Motion) -> Mapping[str, Any]:  # noqa: D102
        ...

    def check(self, motion: Motion) -> None:  # noqa: D102
        ...

    def price(self, motion: Motion) -> Decimal | None:  # noqa: D102
        ...

    async def animate(self, motion: Motion, account: Account, into: Path, tell: Tell) -> Made:  # noqa: D102
        ...


class Assembly(Protocol):
    """An engine that puts a film together. As ``TalkingPhoto``."""

    def identity(self, cut: Cut) -> Mapping[str, Any]:  # noqa: D102
        ...

    def check(self, cut: Cut) -> None:  # noqa: D102
        ...

    def price(self, cut: Cut) -> Decimal | None:  # noqa: D102
        ...

    async def assemble(self, cut: Cut, account: Account, into: Path, tell: Tell) -> Made:  # noqa: D102
        ...
