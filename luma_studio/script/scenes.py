"""From drafts to scenes: which clause a note, a tag or a stretch of silence belongs to, and the ids of the scenes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from luma_studio.script.clauses import LONGEST_CLAUSE, Cutting, Draft, Ending, clauses_of
from luma_studio.script.languages import has_kana, language_of
from luma_studio.script.model import Clause, Diagnostic, Direction, Level, Mark, Pause, Scene
from luma_studio.script.passages import Passage, Silence, Stretch
from luma_studio.script.pauses import LONGEST_PAUSE, Kind, Timed
from luma_studio.script.punctuation import ORDINAL_LANGUAGES
from luma_studio.script.source import Source
from luma_studio.settings import Reading

_VERY_LONG = 600.0
_LATIN = re.compile(r"[A-Za-z]")


@dataclass(slots=True)
class SceneDraft:
    """A scene while it is being read; ``number`` is the one its header asks for, ``offset`` that header's place."""

    title: str
    offset: int
    number: int | None = None
    wants_number: bool = False
    lead_in: list[Silence] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    directions: list[Direction] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)  # of its header


class Findings:
    """Diagnostics as they are noticed, by offset into the clean text."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: list[tuple[int, Level, str]] = []

    def report(self, offset: int, level: str, message: str) -> None:
        """Note something at an offset."""
        self._found.append((offset, _LEVELS[level], message))

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All of them, in the order of the text."""
        places = [(self._source.place(offset), level, message) for offset, level, message in self._found]
        places.sort(key=lambda found: found[0].offset)
        return tuple(Diagnostic(place.line, place.column, level, message) for place, level, message in places)


_LEVELS: dict[str, Level] = {"error": "error", "warning": "warning", "note": "note"}


class Drafting:
    """The scenes read so far. What is read next goes into the last of them."""

    def __init__(self, source: Source, reading: Reading, findings: Findings) -> None:
        self.source = source
        self.reading = reading
        self.report = findings.report
        self._set_language(reading.language)
        self.scenes = [SceneDraft("", 0)]
        self.stretches: list[Stretch] = []
        self._spoken_language: str | None = None
        self._kana = has_kana(source.clean)
        self.default_pauses: dict[Ending, Pause] = {
            "sentence": Pause(reading.sentence_pause),
            "comma": Pause(reading.comma_pause),
            "fragment": Pause(reading.fragment_pause),
        }

    @property
    def scene(self) -> SceneDraft:
        """The scene that is being read."""
        return self.scenes[-1]

    @property
    def anything_spoken(self) -> bool:
        """Whether there is a clause yet."""
        return any(scene.drafts for scene in self.scenes)

    def open(self, scene: SceneDraft) -> None:
        """Begin a scene."""
        self._settle_tags()
        self.scenes.append(scene)
        self.stretches += scene.stretches

    def state_language(self, code: str | None, stretch: Stretch) -> None:
        """Take what follows to be in a language (None: as before) where its writing system does not tell."""
        self._set_language(code or self._stated_language)
        self.stretches.append(stretch)

    def _set_language(self, language: str | None) -> None:
        self._stated_language = language
        ordinals = language is not None and language_of("", language) in ORDINAL_LANGUAGES
        self._cutting = Cutting(self.reading.granularity, ordinals)

    def add(self, passage: Passage, speaker: str | None = None, tags: Iterable[str] = ()) -> None:
        """Add a passage to the scene."""
        drafts, early, left_tags = clauses_of(passage, speaker, self._cutting)
        scene = self.scene
        self.stretches += passage.stretches
        (scene.drafts[-1].silences if scene.drafts else scene.lead_in).extend(early)
        scene.tags += tags
        if not drafts:
            scene.tags += left_tags
            return
        drafts[0].tags[:0] = scene.tags
        scene.tags.clear()
        for draft in drafts:
            draft.language = self._language(draft.text)
            if draft.overlong:
                self.report(
                    draft.end,
                    "warning",
                    f"A sentence of over {LONGEST_CLAUSE} characters is cut here. "
                    "End it with a full stop where a breath belongs.",
                )
        scene.drafts += drafts

    def close(self) -> list[SceneDraft]:
        """The scenes that have something to say or a direction; those without are reported, their silence moved on."""
        self._settle_tags()
        kept: list[SceneDraft] = []
        silent: list[Silence] = []
        for scene in self.scenes:
            if scene.drafts:
                scene.lead_in[:0] = silent
                silent = []
                kept.append(scene)
                continue
            silent += scene.lead_in
            scene.lead_in = []
            if scene.directions:
                kept.append(scene)
            if (scene.offset or scene.title or scene.directions or scene.wants_number) and not self._is_title(scene):
                self._report_silent(scene, bool(silent))
        last = next((scene for scene in reversed(kept) if scene.drafts), None)
        if last is not None:
            last.drafts[-1].silences += silent
        return kept

    def _is_title(self, scene: SceneDraft) -> bool:
        """Whether a header is the script's own: the very first, with another right behind it."""
        before, *titled = self.scenes
        plain = not (scene.directions or scene.wants_number or scene.lead_in)
        return plain and not before.drafts and len(titled) > 1 and scene is titled[0]

    def _report_silent(self, scene: SceneDraft, has_silence: bool) -> None:
        name = f"“{scene.title}”" if scene.title else "here"
        moved = " Its silence goes to the neighbouring scene." if has_silence else ""
        fate = "It is kept for its directions" if scene.directions else "It is left out"
        self.report(
            scene.offset,
            "warning",
            f"The scene {name} has nothing to say. {fate}; write what it says, or remove it.{moved}",
        )

    def _settle_tags(self) -> None:
        """Tags behind the last text of a scene belong to it."""
        if self.scene.tags and self.scene.drafts:
            self.scene.drafts[-1].tags += self.scene.tags
        self.scene.tags.clear()

    def _language(self, text: str) -> str:
        stated = self._stated_language
        if text.isascii() and not _LATIN.search(text):
            # Bare numbers are counted in the language of what was said before.
            return language_of("", stated or self._spoken_language or "en")
        language = language_of(text, stated or "en")
        if language == "zh" and self._kana and not stated:
            language = "ja"
        self._spoken_language = language
        return language


def scene_ids(scenes: list[SceneDraft], findings: Findings) -> list[str]:
    """An id for each scene: the number its header asks for, or else the lowest that no other asks for."""
    wanted = {scene.number for scene in scenes if scene.number is not None}
    given: set[int] = set()
    free = 1
    ids: list[str] = []
    for scene in scenes:
        number = scene.number
        if number is None or number in given:
            while free in wanted or free in given:
                free += 1
            if scene.wants_number:
                reason = "has no number that can be used" if number is None else f"is a second scene {number}"
                findings.report(
                    scene.offset,
                    "warning",
                    f"The scene “{scene.title}” {reason}: it becomes scene_{free}. Give it a number of its own.",
                )
            number = free
        given.add(number)
        ids.append(f"scene_{number}")
    return ids


def finished(draft: SceneDraft, scene_id: str, drafting: Drafting) -> Scene:
    """A scene as it is given out."""
    untitled = not draft.title and bool(draft.drafts)
    return Scene(
        id=scene_id,
        title=draft.title,
        line=drafting.source.place(draft.drafts[0].start if untitled else draft.offset).line,
        lead_in_seconds=_total(draft.lead_in, drafting).seconds,
        clauses=tuple(_clause(clause, drafting) for clause in draft.drafts),
        directions=tuple(draft.directions),
    )


def marks(drafting: Drafting) -> tuple[Mark, ...]:
    """The stretches as they are given out, in the order of the text."""
    offset = drafting.source.offset
    return tuple(Mark(offset(start), offset(end - 1) + 1, kind) for start, end, kind in sorted(drafting.stretches))


def _clause(draft: Draft, drafting: Drafting) -> Clause:
    start = drafting.source.place(draft.start)
    return Clause(
        text=draft.text,
        speaker=draft.speaker,
        language=draft.language,
        tags=tuple(draft.tags),
        pause=_pause(draft, drafting),
        line=start.line,
        column=start.column,
        start=start.offset,
        end=drafting.source.offset(draft.end - 1) + 1,
    )


def _pause(draft: Draft, drafting: Drafting) -> Pause:
    return _total(draft.silences, drafting) if draft.silences else drafting.default_pauses[draft.ending]


def _total(silences: list[Silence], drafting: Drafting) -> Pause:
    """The sum of some notes; a range among them makes the sum one."""
    seconds = least = most = 0.0
    ranged = False
    for silence in silences:
        low, middle, high = _length(silence.note, drafting.reading)
        seconds, least, most = seconds + middle, least + low, most + high
        ranged = ranged or low != high
    if seconds > _VERY_LONG:
        cut = f" and cut to {LONGEST_PAUSE / 3600:g} hours" if seconds >= LONGEST_PAUSE else ""
        drafting.report(
            silences[-1].offset,
            "warning",
            f"A pause of {seconds:,.0f} seconds, over ten minutes, is kept{cut}. Is it meant? "
            "Write (10 sec) for seconds.",
        )
    seconds = min(seconds, LONGEST_PAUSE)
    return Pause(seconds, "written", least, min(most, LONGEST_PAUSE)) if ranged else Pause(seconds, "written")


def _length(note: Timed | Kind, reading: Reading) -> tuple[float, float, float]:
    if isinstance(note, Kind):
        seconds = float(getattr(reading, note.setting))
        return seconds, seconds, seconds
    if note.least is None or note.most is None:
        return note.seconds, note.seconds, note.seconds
    return note.least, note.seconds, note.most
