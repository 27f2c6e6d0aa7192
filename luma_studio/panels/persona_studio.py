"""Hot takes in the page: a persona is chosen by its picture, a pitch given, its answer edited, heard and seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from luma_studio import library
from luma_studio.agents import WRITER, mind_of
from luma_studio.agents.hot_take import Kind, lacks
from luma_studio.errors import InputError, LumaError, SettingError
from luma_studio.film import FILM
from luma_studio.hot_take import SOUND, STEPS, Brief, HotTakes, Record, Step
from luma_studio.panels.audio_players import part_of
from luma_studio.panels.heard import Heard
from luma_studio.panels.hearing import HearingPanel
from luma_studio.panels.panel import Answer, Buffers
from luma_studio.panels.recordings import Recordings
from luma_studio.panels.session import Source
from luma_studio.persona import described
from luma_studio.progress import Listener
from luma_studio.transcripts import choice_of

_FILMS = ("preview", "heygen")
_FILES: Mapping[Step, str] = {"speak": SOUND, "film": FILM}
_MOST_SHOWN = 50  # hot takes of the history


class PersonaStudio(HearingPanel):
    """Hot takes: made step by step, edited between, heard while they are spoken, seen, and kept.

    >>> PersonaStudio(session)                             # doctest: +SKIP
    """

    front = "persona_studio"
    topics = ("taking", "hot_take")
    slow = frozenset({"state", "picture", "part", "put_recording", "quote", "make", "edit", "hear_more"})

    def __init__(self, source: Source = None, **unknown: object) -> None:
        super().__init__(source, **unknown)
        self._takes = HotTakes(self.session.studio)
        self._recordings = Recordings(self.session.studio.workspace)

    def do_state(self) -> Answer:
        """Who there is, what keeps what from being done, the hot takes that there are, and the work."""
        studio = self.session.studio
        mind, work = mind_of(studio.settings, WRITER), self.session.aside("hot take")
        return {
            "personas": [
                {
                    "id": each.id,
                    "name": each.name,
                    "bio": each.bio,
                    "language": each.language,
                    "colours": each.colours,
                    "pictured": bool(each.image),
                    "voice": described(studio.personas, each).abilities[1].by,
                    "heygen_voice": bool(each.heygen_voice_id),
                }
                for each in studio.personas.all()
            ],
            "problems": [each.sentence for each in studio.personas.problems()],
            "mind": "" if mind is None else str(mind),
            "no_mind": lacks(studio.settings, studio.wires),
            "no_transcriber": self._no_transcriber(),
            "kinds": get_args(Kind),
            "films": _FILMS,
            "takes": [self._shown(each) for each in self._takes.history()[:_MOST_SHOWN]],
            "work": None if work is None else work.state(),
        }

    def do_picture(self, persona: str) -> tuple[Answer, Buffers]:
        """A persona's picture; nothing where it has none."""
        personas = self.session.studio.personas
        found = personas.image(personas.get(persona))
        return None, [] if found is None else [found]

    def do_put_recording(self, key: str, name: str, size: int, start: int, data: bytes) -> Answer:
        """Take in a piece of a recording; the answer to the last one is the name that it has here, else None."""
        return self._recordings.put(key, name, size, start, data)

    def do_quote(self, until: Step, brief: Mapping[str, Any] | None = None, name: str = "") -> Answer:
        """What it would buy, step by step. Raises with the sentence of what is missing."""
        quote = self._takes.quote(name or self._brief(brief), until)
        return [{**asdict(each), "cost": None if each.cost is None else str(each.cost)} for each in quote]

    def do_make(self, until: Step, brief: Mapping[str, Any] | None = None, name: str = "") -> Answer:
        """Make one, of a brief or by its name, as far as a step; the key under which it is heard as it is spoken."""
        wanted = name or self._brief(brief)

        def begin(heard: Heard) -> None:
            async def made(listener: Listener) -> None:
                with heard.until_its_end():
                    await self._takes.make(wanted, until, listener, hear=heard.hear, watch=self._watch)

            self.session.make_hot_take(made)

        return {"key": self._hearing(begin), "name": wanted if isinstance(wanted, str) else wanted.name}

    def do_edit(self, name: str, text: str) -> Answer:
        """Have it say other words."""
        record = self._takes.edit(name, text)
        self._watch(record)
        return self._shown(record)

    def do_stop(self) -> None:
        """Stop; what is made is kept, and what a vendor has begun is taken up the next time."""
        self.session.stop("hot take")

    def do_part(self, take: str, name: str, start: int, size: int) -> tuple[Answer, Buffers]:
        """Part of a hot take's sound or film."""
        if name not in _FILES.values():
            raise SettingError(f"A hot take has no file {name!r} to be fetched.")
        return part_of(self.session.studio.folder, take, name, start, size)

    def _watch(self, record: Record) -> None:
        self.session.tell("hot_take", self._shown(record))
        if "done" in (record.step("speak").state, record.step("film").state):
            self.session.tell("files", None)

    def _brief(self, given: Mapping[str, Any] | None) -> Brief:
        """What the page asks for. Raises InputError for what cannot be."""
        fields = {**(given or {})}
        if fields.get("recording"):
            fields["recording"] = str(self._recordings.path(fields["recording"]))
        try:
            return Brief(**fields)
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(f"{str(first['loc'][0]).capitalize()} cannot be {first['input']!r}. Correct it.") from None

    def _no_transcriber(self) -> str:
        try:
            _ = choice_of(self.session.studio.settings)
        except LumaError as error:
            return str(error)
        return ""

    def _shown(self, record: Record) -> dict[str, Any]:
        """A hot take as the page needs it; its files where they say what it says now."""
        brief = record.brief
        there = {each.name: each for each in library.files_of(self.session.studio.folder, record.name)}
        made = {step: name for step, name in _FILES.items() if record.step(step).state == "done" and name in there}
        return {
            "name": record.name,
            "begun": record.begun,
            "persona": brief.persona,
            "kind": brief.kind,
            "pitch": record.pitch,
            "recording": Path(brief.recording).name,
            "context": brief.context,
            "heygen_voice": brief.heygen_voice,
            "film": brief.film or self.session.studio.settings.film,
            "text": record.text,
            "mind": record.mind,
            "model": record.model,
            "by_hand": record.is_by_hand,
            "asked": record.asked,
            "answered": record.answered,
            "latency": record.latency,
            "cost": str(record.cost),
            "steps": {step: record.step(step).model_dump() for step in STEPS},
            "files": {step: asdict(there[name]) for step, name in made.items()},
        }
