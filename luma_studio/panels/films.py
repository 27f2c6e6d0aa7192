"""The film of a production: what filming would buy, each scene with its photo and its video, and all of them as one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from luma_studio import library
from luma_studio.errors import LumaError, SettingError, StoreError
from luma_studio.film import MANIFEST, Film, FilmQuote, SceneQuote
from luma_studio.panels.audio_players import MOST_PART, part_of
from luma_studio.panels.panel import Answer, Buffers
from luma_studio.panels.photos import PhotoPanel
from luma_studio.panels.session import Source
from luma_studio.production import Production
from luma_studio.settings import Filming
from luma_studio.store import files
from luma_studio.store.videos import KeptVideo
from luma_studio.timeline.captions import captions, to_srt, to_vtt
from luma_studio.video.photos import Photos

ENGINES = ("preview", "heygen")
ASSEMBLIES = ("preview", "creatomate", "heygen")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class Films(PhotoPanel):
    """A film of the scenes: quoted, chosen, filmed, seen scene by scene and as a whole, downloaded.

    >>> Films(session)                                     # doctest: +SKIP
    """

    front = "films"
    topics = ("production", "pauses", "work", "files", "photos")
    slow = frozenset({"state", "part", "kept_part", "still", "photo", "put_photo", "choose", "captions", "look"})

    def __init__(self, source: Source = None, **unknown: object) -> None:
        self._stills: dict[str, Path] = {}  # of the scenes, by their ids
        super().__init__(source, **unknown)

    def do_state(self) -> Answer:
        """The open production's film: what was chosen, what it would buy, what is there of each scene; and the work."""
        works = self.session.works()
        shown = self._of(self.session.production) if self.session.is_open else None
        return {"production": shown, "engines": ENGINES, "assemblies": ASSEMBLIES, "works": works}

    def do_choose(self, **changes: Any) -> None:
        """Choose how it is filmed: settings of ``Filming``. Raises SettingError with the sentence for the field."""
        for name in changes.keys() - Filming.model_fields.keys():
            raise SettingError(f"A film has no setting {name!r}. There are: {', '.join(Filming.model_fields)}.")
        self.session.choose(**changes)

    def do_speak(self) -> None:
        """Speak what is not spoken yet: a film is cut from the master's timeline."""
        self.session.speak()

    def do_film(self, scenes: list[str] | None = None, again: bool = False, force_upload: bool = False) -> None:
        """Film the scenes, all or those that are named, and put them together; ``again`` even if that is there.

        ``force_upload`` gives a vendor anew what it was given before.
        """
        self.session.film(scenes, again=again, force_upload=force_upload)

    def do_look(self) -> bool:
        """Look again at scenes that a vendor still makes; whether there are any. It never begins another video."""
        production = self.session.production
        running = {each.scene_id for each in production.filmed.results if each.status in ("submitted", "processing")}
        same = [each.scene_id for each in production.film_quote().scenes if not (each.changed or each.here)]
        wanted = [scene for scene in same if scene in running]
        if wanted:
            self.session.film(wanted)
        return bool(wanted)

    def do_stop(self) -> None:
        """Stop filming; what a vendor has begun goes on there, and is taken up the next time."""
        self.session.stop("film")

    def do_part(self, name: str, start: int, size: int) -> tuple[Answer, Buffers]:
        """Part of a file of the open production."""
        folder = self.session.production.folder
        return part_of(folder.parent, folder.name, name, start, size)

    def do_kept_part(self, fingerprint: str, start: int, size: int) -> tuple[Answer, Buffers]:
        """Part of a video of the store, by its fingerprint. Raises StoreError for one that is not there."""
        kept = self.session.studio.filming().videos.get(fingerprint) if _FINGERPRINT.fullmatch(fingerprint) else None
        if kept is None:
            raise StoreError("That video is not in the store any more. Film the scene again.")
        with files.explained(kept.path), kept.path.open("rb") as file:
            file.seek(max(0, start))
            data = file.read(max(0, min(size, MOST_PART)))
        return {"total": kept.about["bytes"], "changed": 0}, [data]

    def do_still(self, scene: str) -> tuple[Answer, Buffers]:
        """The photo of a scene, or the card that stands for it, small, as JPEG."""
        if scene not in self._stills:
            raise SettingError(f"There is no picture of {scene}. Look at the film again.")
        return None, [self._shown(self._stills[scene])]

    def do_captions(self, scene: str | None = None) -> Answer:
        """The captions of a scene, or of the whole, as WebVTT and SRT."""
        production = self.session.production
        timeline = production.timeline
        placed = [each for each in timeline.scenes if each.id == scene]
        if scene is not None and not placed:
            raise SettingError(f"There is no scene {scene!r} any more. Look at the film again.")
        part = timeline.part(placed[0]) if placed else timeline
        clauses = production.clauses[placed[0].first : placed[0].last] if placed else production.clauses
        cues = captions(part, clauses)
        return {"vtt": to_vtt(cues), "srt": to_srt(cues)}

    def _told(self, topic: str, value: object) -> None:
        """Of a production that changed, only that it did: the page then asks for what it shows of it."""
        super()._told(topic, value if topic in ("work", "notice", "production") else None)

    def _of(self, production: Production) -> dict[str, Any]:
        film, unspoken = production.filmed, sum(take is None for take in production.takes_in_use)
        quote, problem = (None, "") if unspoken else _quoted(production)
        kept = _kept(production) if quote else {}
        there = {each.name: each for each in library.files_of(production.folder.parent, production.name)}
        results = {each.scene_id: each for each in film.results}
        if quote is not None:
            self._stills = {each.scene_id: each.still for each in quote.scenes if each.still is not None}
            scenes = [_scene(each, kept, index) for index, each in enumerate(quote.scenes)]
        else:
            self._stills = {}
            scenes = [_unquoted(each.scene_id, each.title, each.seconds) for each in film.results]
        for scene in scenes:
            result = results.get(scene["id"])
            scene["result"] = None if result is None else asdict(result)
        names = [film.film, MANIFEST, *(name for each in film.results for name in (each.video, each.thumbnail))]
        return {
            "name": production.name,
            "clauses": len(production.clauses),
            "unspoken": unspoken,
            "choices": {name: getattr(production.choices, name) for name in Filming.model_fields},
            "pictured": _called(production.choices.photo, self.session.studio.photos),
            "problem": problem,
            "quote": None if quote is None else _priced(quote),
            "scenes": scenes,
            "film": _film(film, quote),
            "files": {name: asdict(there[name]) for name in names if name in there},
        }


def _called(photo: str, photos: Photos) -> str:
    """What a photo is called that is a picture here; "" for none, and for what a vendor has of its own."""
    try:
        found = photos.find(photo) if photo else None
    except LumaError:  # which the quote tells
        return ""
    return "" if found is None else found.name


def _quoted(production: Production) -> tuple[FilmQuote | None, str]:
    """What filming would buy; or why nobody can tell, in a sentence."""
    try:
        return production.film_quote(), ""
    except LumaError as error:
        return None, str(error)


def _kept(production: Production) -> dict[str, tuple[KeptVideo | None, ...]]:
    """The videos of the scenes as they are now, by the engine that made them."""
    found = {}
    for engine in dict.fromkeys((*ENGINES, production.choices.film, production.filmed.engine)):
        try:
            videos = production.videos(engine) if engine else ()
        except LumaError:  # an engine that there is not, or that cannot film this: it made nothing
            continue
        if any(videos):
            found[engine] = videos
    return found


def _scene(quote: SceneQuote, kept: Mapping[str, tuple[KeptVideo | None, ...]], index: int) -> dict[str, Any]:
    return {
        "id": quote.scene_id,
        "title": quote.title,
        "seconds": quote.seconds,
        "photo": quote.photo,
        "drawn": quote.drawn,
        "still": quote.still is not None,
        "here": quote.here,
        "changed": quote.changed,
        "cost": None if quote.cost is None else str(quote.cost),
        "problem": quote.problem,
        "kept": {
            engine: {"fingerprint": video.fingerprint, "bytes": video.about["bytes"]}
            for engine, videos in kept.items()
            if (video := videos[index]) is not None
        },
    }


def _unquoted(scene: str, title: str, seconds: float) -> dict[str, Any]:
    """A scene that was filmed and of which nobody knows how it would be filmed now."""
    return {
        "id": scene, "title": title, "seconds": seconds, "photo": "", "drawn": False, "still": False, "here": False,
        "changed": False, "cost": None, "problem": "", "kept": {},
    }  # fmt: skip


def _priced(quote: FilmQuote) -> dict[str, Any]:
    return {
        "engine": quote.engine,
        "to_film": quote.to_film,
        "cost": str(quote.cost),
        "unknown": quote.unknown,
        "changed": len(quote.changed),
    }


def _film(film: Film, quote: FilmQuote | None) -> dict[str, Any]:
    """The film as it was put together last; ``current`` where it is of all that is there now."""
    return {
        "status": film.status if film.results else "",
        "file": film.film,
        "engine": film.engine,
        "seconds": film.seconds,
        "errors": film.errors,
        "missing": film.missing_assets,
        "current": quote is not None and quote.current,
    }
