"""Film: the scenes of a production as videos, and one film of them, cut from the same timeline as its master."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal

from luma_studio import export
from luma_studio.audio.codec import encode
from luma_studio.errors import (
    BudgetError,
    LumaError,
    OutcomeUnknownError,
    SettingError,
    StillRunningError,
    VendorError,
    VideoError,
)
from luma_studio.progress import Event, Listener, Outcome
from luma_studio.script import Clause, Scene
from luma_studio.settings import Choices, Filming, access
from luma_studio.store import files
from luma_studio.store.ledger import Account
from luma_studio.store.videos import KeptVideo, VideoStore
from luma_studio.timeline.arrange import PlacedScene
from luma_studio.timeline.captions import captions
from luma_studio.timeline.master import Rendering, pieces
from luma_studio.video import engines
from luma_studio.video.base import (
    Assembly,
    Cut,
    EngineChoice,
    Look,
    Made,
    Part,
    SceneSound,
    Shot,
    TalkingPhoto,
    Tell,
    Told,
    fingerprint,
)
from luma_studio.video.engines import Kit, Uses
from luma_studio.video.heygen import HeyGenFilm
from luma_studio.video.once import Make, made
from luma_studio.video.photos import Photos, colour
from luma_studio.video.placing import placed
from luma_studio.wire import HEYGEN

FILM = "film.mp4"
MANIFEST = "film.json"
LOCK = ".film.lock"
SIZES = {"portrait": (720, 1280), "landscape": (1280, 720)}
_PHOTO, _BACKGROUND, _ASSET = "talking photo", "background", "heygen id"  # directions of a script
_EXPECTED = (VendorError, VideoError, BudgetError, SettingError)  # of one scene: the others go on

Status = Literal["submitted", "processing", "completed", "failed"]


@dataclass(frozen=True, slots=True)
class Footage:
    """What is filmed: a production's rendering, its clauses, its script's scenes, and what was chosen.

    ``title`` is its name, ``folder`` where its files lie.
    """

    title: str
    folder: Path
    rendering: Rendering
    clauses: tuple[Clause, ...]
    scenes: tuple[Scene, ...]
    choices: Choices


@dataclass(frozen=True, slots=True)
class Equipment:
    """What is filmed with: the videos and photos that there are, and what engines work with."""

    videos: VideoStore
    photos: Photos
    kit: Kit

    def talking(self, choice: str) -> TalkingPhoto:
        """The engine that films scenes, as one writes it. Raises SettingError."""
        return engines.talking_photo(choice, self.kit)


@dataclass(frozen=True, slots=True)
class SceneFilm:
    """What became of a scene: ``video`` and ``thumbnail`` are files in the production's folder ("" where none is).

    The addresses are the vendor's own, and expire. ``fingerprint`` is of all that decides the video.
    """

    scene_id: str
    title: str
    status: Status
    message: str = ""
    video: str = ""
    thumbnail: str = ""
    video_id: str = ""
    video_url: str = ""
    thumbnail_url: str = ""
    fingerprint: str = ""
    seconds: float = 0.0
    photo: str = ""
    request_payload: Mapping[str, Any] | None = None
    status_detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Film:
    """What became of a film: ``success`` where all of it is there, ``partial`` where scenes are, or ``failed``.

    ``missing_assets`` are the scenes for which there is no photo; ``errors`` say what went wrong and what to do.
    ``film`` is the file's name in the production's folder, "" where there is none; ``made_of`` is a SHA-256 over all
    that it was put together of.
    """

    status: Literal["success", "partial", "failed"]
    results: tuple[SceneFilm, ...]
    missing_assets: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    film: str = ""
    engine: str = ""
    seconds: float = 0.0
    made_of: str = ""


@dataclass(frozen=True, slots=True)
class SceneQuote:
    """What filming a scene would buy: US dollars (None: not known), nothing where it is ``here``.

    ``changed`` says that it was filmed before, and that its sound, photo or options are others since. ``still`` is the
    file of its photo, or of the card that stands for one where it is ``drawn``.
    """

    scene_id: str
    title: str
    seconds: float
    photo: str
    here: bool
    changed: bool
    cost: Decimal | None
    problem: str = ""
    still: Path | None = None
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class FilmQuote:
    """What a film would buy, a scene at a time, and what putting it together would cost (None: not known).

    ``current`` says that the film that is there is of all this, as it is now.
    """

    engine: str
    scenes: tuple[SceneQuote, ...]
    assembly: Decimal | None
    current: bool = False

    @property
    def to_film(self) -> int:
        """Scenes to be filmed."""
        return sum(not each.here for each in self.scenes)

    @property
    def changed(self) -> tuple[str, ...]:
        """Scenes that are filmed anew because they changed."""
        return tuple(each.scene_id for each in self.scenes if each.changed and not each.here)

    @property
    def cost(self) -> Decimal:
        """US dollars, as far as prices are known."""
        costs = [*(each.cost for each in self.scenes if not each.here), self.assembly]
        return sum((cost for cost in costs if cost is not None), Decimal(0))

    @property
    def unknown(self) -> bool:
        """Whether something would be bought at a price that nobody knows."""
        return self.assembly is None or any(each.cost is None for each in self.scenes if not each.here)


def look_of(choices: Filming, background: str = "") -> Look:
    """How a production's videos look; a scene's own ``background`` wins."""
    width, height = SIZES[choices.orientation]
    colour = background or choices.background
    return Look(width, height, fit=choices.photo_fit, background=colour, captions=choices.captions)


def shots(footage: Footage, equipment: Equipment) -> tuple[Shot, ...]:
    """The scenes as they are filmed."""
    by_id = {scene.id: scene for scene in footage.scenes}
    return tuple(_shot(footage, placed, by_id[placed.id], equipment) for placed in footage.rendering.timeline.scenes)


def _shot(footage: Footage, placed: PlacedScene, scene: Scene, equipment: Equipment) -> Shot:
    part = footage.rendering.part(placed)
    clauses = footage.clauses[placed.first : placed.last]
    said = {direction.name: direction.text for direction in scene.directions}
    rate, length, digest = part.timeline.rate, part.timeline.length, export.sound_digest(part)
    title = placed.title or footage.title
    look = look_of(footage.choices, colour(said.get(_BACKGROUND, "")))
    default = footage.choices.photo or access(HEYGEN.prefix).default_talking_photo_id
    return Shot(
        scene=placed.id,
        title=title,
        photo=equipment.photos.of(said.get(_PHOTO, ""), _speaker(clauses), default, title, look),
        sound=SceneSound(equipment.videos.sound(digest), digest, length, rate),
        cues=captions(part.timeline, clauses),
        text=" ".join(clause.text for clause in clauses),
        language=export.language_of(clauses),
        look=look,
        motion=footage.choices.motion,
        asset=said.get(_ASSET, ""),
    )


def _speaker(clauses: Sequence[Clause]) -> str | None:
    """Who speaks most of a scene; None for the narrator."""
    return Counter(clause.speaker for clause in clauses).most_common(1)[0][0]


def kept(footage: Footage, equipment: Equipment, choice: str) -> tuple[KeptVideo | None, ...]:
    """The video of each scene that an engine would make, as far as it is there. Raises SettingError."""
    engine = equipment.talking(choice)
    return tuple(equipment.videos.get(fingerprint(engine.identity(shot))) for shot in shots(footage, equipment))


def _check_one_sound(choices: Filming) -> None:
    """Raise SettingError where scenes would speak with a vendor's voice under a film that has the master's sound."""
    if EngineChoice.parse(choices.film).has("voice") and EngineChoice.parse(choices.assembly).engine == "preview":
        raise SettingError(
            f"With a voice of the vendor's own the film is the vendor's, too: write {choices.film} as the assembly, or "
            "leave the voice away."
        )


def quoted(footage: Footage, equipment: Equipment) -> FilmQuote:
    """What filming would buy. Nothing is sent. Raises SettingError for engines that there are not."""
    _check_one_sound(footage.choices)
    choices, wanted = footage.choices, shots(footage, equipment)
    whole = engines.whole_film(choices.assembly, equipment.kit)
    if whole is not None:
        return _quoted_whole(footage, equipment, whole, wanted)
    engine = equipment.talking(choices.film)
    before = {each.scene_id: each.fingerprint for each in last(footage.folder).results}
    names = [fingerprint(engine.identity(shot)) for shot in wanted]
    found = []
    for shot, name in zip(wanted, names, strict=True):
        here = equipment.videos.get(name) is not None
        changed = before.get(shot.scene, "") not in ("", name)
        cost = Decimal(0) if here else engine.price(shot)
        found.append(
            SceneQuote(
                shot.scene,
                shot.title,
                shot.sound.seconds,
                shot.photo.name,
                here,
                changed,
                cost,
                "" if here else _said(partial(engine.check, shot)),
                _still(shot),
                shot.photo.drawn,
            )
        )
    cut = _cut(footage, (), equipment.videos)
    price = engines.assembly_price(choices.assembly, equipment.kit, cut)
    return FilmQuote(choices.film, tuple(found), price, _is_current(footage, names))


def _quoted_whole(footage: Footage, equipment: Equipment, engine: HeyGenFilm, wanted: Sequence[Shot]) -> FilmQuote:
    """One purchase for all scenes: a change in one of them makes all anew."""
    name = fingerprint(engine.identity(wanted))
    here = equipment.videos.get(name) is not None
    before = {each.fingerprint for each in last(footage.folder).results}
    found = tuple(
        SceneQuote(
            shot.scene, shot.title, shot.sound.seconds, shot.photo.name, here, not before <= {"", name},
            Decimal(0), "" if here else _said(lambda: engine.check(wanted)), _still(shot), shot.photo.drawn,
        )
        for shot in wanted
    )  # fmt: skip
    price = Decimal(0) if here else engine.price(wanted)
    return FilmQuote(footage.choices.assembly, found, price, _is_current(footage, [name] * len(wanted)))


def _made_of(footage: Footage, names: Sequence[str]) -> str:
    """What a film is put together of: its scenes' videos, by name, its sound, and how they follow on one another."""
    choices = footage.choices.model_dump(include={"assembly", "crossfade", "title_card"})
    titles = [scene.title for scene in footage.rendering.timeline.scenes]
    return fingerprint(
        {**choices, "scenes": list(names), "titles": titles, "sound": export.sound_digest(footage.rendering)}
    )


def _is_current(footage: Footage, names: Sequence[str]) -> bool:
    before = last(footage.folder)
    return bool(before.film) and before.made_of == _made_of(footage, names)


def _still(shot: Shot) -> Path | None:
    return None if shot.photo.still is None else shot.photo.still.path


def _said(check: Callable[[], None]) -> str:
    try:
        check()
    except LumaError as error:
        return str(error)
    return ""


def last(folder: Path) -> Film:
    """What became of a production's film the last time; one without results where it was not filmed yet."""
    path = folder / MANIFEST
    with files.explained(path):
        if not path.exists():
            return Film("failed", ())
        try:
            found = json.loads(path.read_bytes())
            results = tuple(SceneFilm(**each) for each in found.pop("results"))
            return Film(**{**found, "results": results, **_tuples(found)})
        except (ValueError, TypeError, KeyError):  # of another version: it is filmed anew from what is in the store
            return Film("failed", ())


def _tuples(found: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(found[name]) for name in ("missing_assets", "errors")}


async def filmed(
    footage: Footage,
    equipment: Equipment,
    account: Account,
    uses: Uses,
    listener: Listener,
    *,
    scenes: Collection[str] | None = None,
    again: bool = False,
) -> Film:
    """Film what is not filmed yet, several scenes at once, and put all together; a scene's files lie in its folder.

    ``uses`` fills the slots of a template. Of the ``scenes`` that are named only these are filmed. ``again`` puts the
    film together anew from what is there. What goes wrong with a scene is told in the result, and the others go on.
    Raises SettingError, StoreError, and Stopped from the listener: the vendor's jobs go on then, and the next call
    takes them up.
    """
    _check_one_sound(footage.choices)
    filming = _Filming(footage, equipment, account, uses, listener)
    wanted = await asyncio.to_thread(shots, footage, equipment)
    whole = engines.whole_film(footage.choices.assembly, equipment.kit)
    if whole is not None:
        film = await filming.whole(whole, wanted)
    else:
        before = {each.scene_id: each for each in last(footage.folder).results}
        results = await filming.scenes(wanted, before, scenes)
        film = _summed(footage, wanted, results)
        if film.status == "success":
            film = await filming.joined(film, again=again)
    await asyncio.to_thread(_keep, footage.folder, film)
    return film


def _keep(folder: Path, film: Film) -> None:
    files.write_json(folder / MANIFEST, asdict(film))
    current = {name for each in film.results for name in (each.video, each.thumbnail)}
    for path in (*folder.glob("scene_*__*.mp4"), *folder.glob("scene_*__*.jpg")):
        if path.name not in current:
            files.remove(path)


def _summed(footage: Footage, wanted: Sequence[Shot], results: Sequence[SceneFilm]) -> Film:
    done = sum(each.status == "completed" for each in results)
    status: Literal["success", "partial", "failed"] = (
        "success" if done == len(results) else "partial" if done or _running(results) else "failed"
    )
    missing = tuple(
        shot.scene for shot, each in zip(wanted, results, strict=True) if shot.photo.drawn and each.status == "failed"
    )
    errors = tuple(f"{each.scene_id}: {each.message}" for each in results if each.status == "failed")
    return Film(status, tuple(results), missing, errors, engine=footage.choices.film)


def _running(results: Sequence[SceneFilm]) -> bool:
    return any(each.status in ("submitted", "processing") for each in results)


def _cut(footage: Footage, parts: tuple[Part, ...], sounds: VideoStore) -> Cut:
    timeline, choices = footage.rendering.timeline, footage.choices
    digest = export.sound_digest(footage.rendering)
    return Cut(
        title=footage.title,
        parts=parts,
        sound=SceneSound(sounds.sound(digest).with_suffix(".wav"), digest, timeline.length, timeline.rate),
        cues=captions(timeline, footage.clauses),
        language=export.language_of(footage.clauses),
        look=look_of(choices),
        crossfade=choices.crossfade,
        card=choices.title_card,
    )


@dataclass(frozen=True, slots=True)
class _Filming:
    """One filming: what, with what, who pays, and who hears of it."""

    footage: Footage
    equipment: Equipment
    account: Account
    uses: Uses
    listener: Listener

    async def scenes(
        self, wanted: Sequence[Shot], before: Mapping[str, SceneFilm], chosen: Collection[str] | None
    ) -> list[SceneFilm]:
        """Film the scenes, all or those that are chosen; each ends on its own, and the others are as they were."""
        engine = self.equipment.talking(self.footage.choices.film)
        places = asyncio.Semaphore(max(1, engine.concurrency))
        progress = _Progress(self.listener, len(wanted))

        async def one(shot: Shot) -> SceneFilm:
            name = fingerprint(engine.identity(shot))
            kept = await asyncio.to_thread(self.equipment.videos.get, name)
            if kept is None and chosen is not None and shot.scene not in chosen:
                return before.get(shot.scene) or SceneFilm(shot.scene, shot.title, "failed", "It is not filmed yet.")
            async with places:
                return await self._scene(engine, shot, name, kept, progress)

        tasks = [asyncio.ensure_future(one(shot)) for shot in wanted]
        try:
            return await asyncio.gather(*tasks)
        except BaseException:  # stopped, or broken: nobody waits for the others
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def _scene(
        self, engine: TalkingPhoto, shot: Shot, name: str, kept: KeptVideo | None, progress: _Progress
    ) -> SceneFilm:
        cached = kept is not None
        found = SceneFilm(
            shot.scene,
            shot.title,
            "processing",
            fingerprint=name,
            seconds=round(shot.sound.seconds, 3),
            photo=shot.photo.name,
        )
        try:
            if kept is None:
                progress.begin(shot.scene)
                engine.check(shot)
                kept = await self._made(name, self._take(engine, shot, progress), paid=engine.price(shot) != 0)
            found = await asyncio.to_thread(self._placed, kept, found)
        except StillRunningError as error:
            found = replace(found, message=str(error))
        except _EXPECTED as error:
            found = replace(found, status="failed", message=str(error))
        progress.end(found, cached=cached)
        return found

    async def _made(self, name: str, make: Make, *, paid: bool) -> KeptVideo:
        """Have a video made; where nobody knows what became of the request, it is looked for, and made if it is not."""
        videos, account = self.equipment.videos, self.account
        try:
            return await made(videos, account, name, make, paid=paid)
        except OutcomeUnknownError:
            return await made(videos, account, name, make, paid=paid)

    def _take(self, engine: TalkingPhoto, shot: Shot, progress: _Progress) -> Make:
        """Has a scene filmed; its sound lies in a file of its own until then."""

        async def make(account: Account, into: Path) -> Made:
            try:
                await asyncio.to_thread(export.write_sound, self._part(shot.scene), shot.sound.path)
                return await engine.film(shot, account, into, progress.of(shot.scene))
            finally:
                await asyncio.to_thread(files.remove, shot.sound.path)

        return make

    def _placed(self, kept: KeptVideo, found: SceneFilm) -> SceneFilm:
        """A scene's video and its thumbnail in the production's folder."""
        video, picture = placed(kept, self.footage.folder, found.scene_id)
        about = kept.about
        return replace(
            found,
            status="completed",
            message=about["message"],
            video=video,
            thumbnail=picture,
            video_id=about["video_id"],
            video_url=about["video_url"],
            thumbnail_url=about["thumbnail_url"],
            request_payload=about["request"],
            status_detail=about["status"],
        )

    async def joined(self, film: Film, *, again: bool) -> Film:
        """Put the scenes together; where that fails they are there all the same."""
        footage, kit = self.footage, self.equipment.kit
        self.listener(Event("join", 0, 1, FILM))
        try:
            cut = _cut(footage, await self._parts(film), self.equipment.videos)
            engine = await engines.assembly(footage.choices.assembly, kit, cut, self.uses)
            name = fingerprint(engine.identity(cut))
            kept = None if again else await asyncio.to_thread(self.equipment.videos.get, name)
            if kept is None:
                kept = await self._made(name, self._putting_together(engine, cut), paid=engine.price(cut) != 0)
            return await self._ended(film, kept)
        except _EXPECTED as error:
            return replace(film, status="partial", errors=(*film.errors, str(error)))

    def _putting_together(self, engine: Assembly, cut: Cut) -> Make:
        """Has a film put together; its sound lies in a file of its own until then."""

        async def make(account: Account, into: Path) -> Made:
            engine.check(cut)
            try:
                await asyncio.to_thread(_write_sound, self.footage.rendering, cut.sound.path)
                return await engine.assemble(cut, account, into, self._tell)
            finally:
                await asyncio.to_thread(files.remove, cut.sound.path)

        return make

    async def whole(self, engine: HeyGenFilm, wanted: Sequence[Shot]) -> Film:
        """Have a vendor film all scenes at once: one purchase, one video, and none of a scene alone."""
        name = fingerprint(engine.identity(wanted))
        scenes = tuple(
            SceneFilm(shot.scene, shot.title, "processing", fingerprint=name, seconds=shot.sound.seconds)
            for shot in wanted
        )
        film = Film("partial", scenes, engine=self.footage.choices.assembly)
        self.listener(Event("join", 0, 1, FILM))
        try:
            kept = await asyncio.to_thread(self.equipment.videos.get, name)
            if kept is None:
                engine.check(wanted)
                kept = await self._made(name, self._filming_all(engine, wanted), paid=engine.price(wanted) != 0)
        except StillRunningError as error:
            return replace(film, results=tuple(replace(each, message=str(error)) for each in scenes))
        except _EXPECTED as error:
            failed = tuple(replace(each, status="failed", message=str(error)) for each in scenes)
            missing = tuple(shot.scene for shot in wanted if shot.photo.drawn)
            return replace(film, status="failed", results=failed, missing_assets=missing, errors=(str(error),))
        about = kept.about
        done = tuple(
            replace(each, status="completed", video_id=about["video_id"], video_url=about["video_url"])
            for each in scenes
        )
        return await self._ended(replace(film, status="success", results=done), kept)

    def _filming_all(self, engine: HeyGenFilm, wanted: Sequence[Shot]) -> Make:
        async def make(account: Account, into: Path) -> Made:
            try:
                for shot in wanted:
                    await asyncio.to_thread(export.write_sound, self._part(shot.scene), shot.sound.path)
                return await engine.film(self.footage.title, wanted, account, into, self._tell)
            finally:
                for shot in wanted:
                    await asyncio.to_thread(files.remove, shot.sound.path)

        return make

    def _tell(self, told: Told) -> None:
        self.listener(Event("join", 0, 1, FILM, share=told.share, reason=told.message))

    async def _ended(self, film: Film, kept: KeptVideo) -> Film:
        timeline = self.footage.rendering.timeline
        await asyncio.to_thread(files.link, kept.path, self.footage.folder / FILM)
        self.listener(Event("join", 1, 1, FILM))
        of = _made_of(self.footage, [each.fingerprint for each in film.results])
        return replace(film, film=FILM, seconds=round(timeline.length / timeline.rate, 3), made_of=of)

    async def _parts(self, film: Film) -> tuple[Part, ...]:
        """The scenes as they are put together; a vendor that fetches them is given addresses that have not expired."""
        footage, kit, fetched = self.footage, self.equipment.kit, self.footage.choices.assembly != "preview"
        return tuple(
            [
                Part(
                    each.scene_id,
                    each.title,
                    footage.folder / each.video,
                    each.fingerprint,
                    scene.start,
                    scene.end - scene.start,
                    await engines.address(film.engine, kit, each.video_id) if fetched else "",
                    (each.status_detail or {}).get("captions", footage.choices.captions),
                )
                for each, scene in zip(film.results, footage.rendering.timeline.scenes, strict=True)
            ]
        )

    def _part(self, scene: str) -> Rendering:
        """What is heard of a scene."""
        (placed,) = (each for each in self.footage.rendering.timeline.scenes if each.id == scene)
        return self.footage.rendering.part(placed)


def _write_sound(rendering: Rendering, path: Path) -> None:
    """The master, every sample of it, for as long as a film is put together."""
    timeline = rendering.timeline
    with files.replacing(path) as file:
        encode(pieces(rendering), file, "wav", timeline.rate, length=timeline.length)


class _Progress:
    """How many scenes have ended, told to a listener, whichever thread it is."""

    def __init__(self, listener: Listener, total: int) -> None:
        self._listener = listener
        self._total = total
        self._done = 0

    def begin(self, scene: str) -> None:
        self._tell(scene, "began")

    def of(self, scene: str) -> Tell:
        return lambda told: self._tell(scene, "began", told.message, told.share)

    def end(self, found: SceneFilm, *, cached: bool) -> None:
        self._done += 1
        outcome: Outcome = "failed" if found.status != "completed" else "cached" if cached else "done"
        self._tell(found.scene_id, outcome, found.message)

    def _tell(self, scene: str, outcome: Outcome, reason: str = "", share: float | None = None) -> None:
        self._listener(Event("film", self._done, self._total, scene, outcome, None, reason, share))
