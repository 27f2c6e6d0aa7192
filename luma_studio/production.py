"""A production: the folder and the object that hold all there is of one script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

from luma_studio import export
from luma_studio.audio.clip import Clip
from luma_studio.errors import FitError, SettingError, StoreError, VoiceError
from luma_studio.progress import Event, Listener, Outcome, unheard
from luma_studio.script import Clause, Pause, PauseSource, Script, canonical_scene_id, parse
from luma_studio.script.clauses import Ending, ending_of
from luma_studio.settings import Choices, chosen
from luma_studio.store import files
from luma_studio.store.runs import RunStore
from luma_studio.store.state import Edit, State, StateFile, TakeRef, carried, recorded
from luma_studio.store.takes import Recipe, TakeStore
from luma_studio.timeline.arrange import SceneSpan, Timeline, arrange
from luma_studio.timeline.duration import samples_of
from luma_studio.timeline.master import Rendering, loudness
from luma_studio.timeline.take import Take
from luma_studio.timeline.tune import fit, lock, scale, tune
from luma_studio.voices import Utterance, Voice, VoiceChoice, voice_for, voiced

Key = int | str
"""A clause: its index, counted from 0, or words that only it has."""

_ANOTHER = 4  # clauses that do not all vanish in one edit
_EXPORT_WAIT = 60.0  # seconds for another process to finish its export


@dataclass(frozen=True, slots=True)
class Quote:
    """What speaking would buy: clauses and characters to speak, US dollars, and clauses that are here already."""

    to_speak: int
    characters: int
    cost: Decimal
    here: int


@dataclass(frozen=True, slots=True)
class _Order:
    """A clause to be spoken: by which voice, from what recipe."""

    index: int
    voice: Voice
    choice: str
    recipe: Recipe
    utterance: Utterance


class Production:
    """One script with its pauses, takes and exports. Opened by ``Studio.production``.

    >>> calm = studio.production("evening-calm", script)    # doctest: +SKIP
    >>> await calm.speak()                                  # doctest: +SKIP
    >>> calm.pauses[3] = 4.0                                # doctest: +SKIP
    >>> calm.export()                                       # doctest: +SKIP

    Every edit is saved at once. Methods raise ChangedError if another process saved in between.
    """

    def __init__(self, folder: Path, store: Path, voices: Callable[[VoiceChoice], Voice]) -> None:
        self.folder = folder
        self._file = StateFile(folder)
        self._kept: State | None = None  # what the file holds
        self._store = store
        self._voices = voices
        self._runs = RunStore(store / "runs")

    def open(self, text: str | None, choices: Choices, changes: Mapping[str, Any]) -> None:
        """Load what is there; read the script if it is new or changed. ``choices`` are for a new production,
        ``changes`` for any.
        """
        state = self._kept = self._file.load()
        if state is None:
            if text is None:
                raise SettingError(f"There is no production {self.name!r} yet. Give its script to begin it.")
            state = State(text=text, choices=choices)
            self._read(state, text, chosen(choices, changes))
        else:
            self._read(state, state.text if text is None else text, chosen(state.choices, changes))

    def _read(self, state: State, text: str, choices: Choices) -> None:
        self.script: Script = parse(text, choices)
        self._clauses = tuple(self.script.clauses)
        self._check_voices(choices)
        self._check_continues(state)
        self._takes = TakeStore(self._store / "takes", choices.sample_rate)
        self._loaded: dict[str, Take] = {}
        kept_gain = state.gain if choices == state.choices else None
        new = carried(state.model_copy(update={"text": text, "choices": choices, "gain": kept_gain}), self._clauses)
        self._state = state
        self._save(new)

    def _check_continues(self, state: State) -> None:
        """Tell of a name that holds another script, before its tuned pauses are lost."""
        before = {(clause.speaker, clause.text) for clause in state.clauses}
        if len(before) >= _ANOTHER and before.isdisjoint((clause.speaker, clause.text) for clause in self._clauses):
            raise SettingError(
                f"{self.name} holds another script: none of its {len(state.clauses)} clauses is in this one. "
                "Choose another name (--name), or remove its folder to begin anew."
            )

    def _check_voices(self, choices: Choices) -> None:
        """Tell of a voice that does not exist, or not in a clause's language, before anything is kept."""
        first = {(clause.speaker, clause.language): clause for clause in reversed(self._clauses)}
        for (speaker, language), clause in first.items():
            choice = _speaker_voice(speaker, choices)
            if not self._voices(choice).speaks(language):
                raise SettingError(
                    f"The voice {choice} does not speak {language!r}, the language of line {clause.line}. "
                    "Choose another voice or language."
                )

    def __repr__(self) -> str:
        return f"<Production {self.name!r}: {len(self.script.scenes)} scenes, {len(self._clauses)} clauses>"

    # What is there

    @property
    def name(self) -> str:
        """The production's name, which is its folder's."""
        return self.folder.name

    @property
    def choices(self) -> Choices:
        """The settings it is made with."""
        return self._state.choices

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Every clause of the script, in order."""
        return self._clauses

    @property
    def pauses(self) -> Pauses:
        """The pause after each clause; assign seconds to tune one."""
        return Pauses(self)

    @property
    def timeline(self) -> Timeline:
        """Where everything lies. Raises VoiceError while clauses are unspoken."""
        return arrange(self._all_takes(), self._pauses(), self._spans(), self.choices)

    def index(self, key: Key) -> int:
        """The index of a clause given by index (negative from the end) or by words that only it has.

        Raises SettingError when there is none or more than one.
        """
        if isinstance(key, int):
            if not -len(self._clauses) <= key < len(self._clauses):
                raise SettingError(f"There is no clause {key}: {self.name} has {len(self._clauses)}, counted from 0.")
            return key % len(self._clauses)
        found = [index for index, clause in enumerate(self._clauses) if key in clause.text]
        exact = [index for index in found if self._clauses[index].text == key]
        if len(exact or found) != 1:
            where = f"it stands in clauses {', '.join(map(str, found[:8]))}" if found else "no clause has them"
            raise SettingError(
                f"The words {key!r} do not name one clause: {where}. Use more words or the clause's index."
            )
        return (exact or found)[0]

    # Speaking

    def quote(self) -> Quote:
        """What ``speak`` would buy, and what is here already. Nothing is sent."""
        orders = {order.recipe.fingerprint: order for order in self._orders(range(len(self._clauses)))}
        wanted = [order for order in orders.values() if not self._is_here(order)]
        characters = sum(len(order.recipe.text) for order in wanted)
        cost = sum((order.voice.price * len(order.recipe.text) for order in wanted), Decimal(0))
        return Quote(len(wanted), characters, cost, len(orders) - len(wanted))

    async def speak(self, listener: Listener = unheard) -> None:
        """Speak what has not been spoken yet, several clauses at once. What is in the store is free.

        Raises VoiceError when clauses failed; the others are kept, and speaking again tries only those.
        """
        await self._speak(range(len(self._clauses)), listener)

    async def speak_again(
        self, key: Key, *, voice: str | None = None, seed: int | None = None, listener: Listener = unheard
    ) -> None:
        """Speak one clause again with another voice or seed (the next one by default); its earlier takes stay."""
        index = self.index(key)
        clause = self._state.clauses[index]
        highest = max((take.seed for take in clause.takes), default=clause.seed)
        wanted = seed if seed is not None else clause.seed if voice else highest + 1
        before = self._state
        self._state = self._with_clause(index, voice=voice or clause.voice, seed=wanted)
        try:
            await self._speak([index], listener)
        except BaseException:
            self._state = before
            raise

    def take_back(self, key: Key, fingerprint: str | None = None) -> None:
        """Use an earlier take of a clause again: the one before the take in use, or the one with this fingerprint.

        Raises SettingError when there is none.
        """
        index = self.index(key)
        clause = self._state.clauses[index]
        order = [take.fingerprint for take in clause.takes]
        if fingerprint is None and clause.take in order[1:]:
            fingerprint = order[order.index(clause.take) - 1]
        if fingerprint not in order:
            raise SettingError(f"Clause {index} has no such earlier take; it has {len(order)}.")
        take = clause.takes[order.index(fingerprint)]
        self._save(self._with_clause(index, voice=take.voice, seed=take.seed, take=take.fingerprint))

    def takes(self, key: Key) -> tuple[TakeRef, ...]:
        """Every take of a clause, oldest first."""
        return self._state.clauses[self.index(key)].takes

    def audio(self, key: Key) -> Clip:
        """A clause's take in use, whole and as it was spoken, at the production's rate."""
        take = self._all_takes()[self.index(key)]
        return Clip(self._takes.samples(take), take.rate)

    # Tuning

    def tune(self, seconds: Mapping[Key, float]) -> None:
        """Set pauses, in seconds, as one edit."""
        by_index = {self.index(key): length for key, length in seconds.items()}
        self._edit("tune", tune(self._pauses(), by_index))

    def scale(
        self, factor: float, *, source: PauseSource | None = None, after: Ending | None = None, scene: str | None = None
    ) -> None:
        """Multiply free pauses: all, or of a source (``written``), an ending (``comma``), a scene (``scene_2``)."""
        if not 0 <= factor < 1000:
            raise SettingError(f"Pauses cannot be multiplied by {factor}. Choose a factor from 0 to 1000.")
        self._edit("scale", scale(self._pauses(), factor, self._which(source, after, scene)))

    def lock(self, keys: Iterable[Key], *, locked: bool = True) -> None:
        """Lock pauses against ``fit`` and ``scale``, or free them."""
        self._edit("lock", lock(self._pauses(), [self.index(key) for key in keys], locked=locked))

    def fit(self, total: str | float) -> None:
        """Stretch the free pauses so that the master lasts exactly this: ``"10:00"``, seconds, ``"26460000 samples"``.

        Raises FitError, which names the nearest totals that can be reached and the clauses in the way.
        """
        samples = samples_of(total, self.choices.sample_rate)
        try:
            pauses = fit(self._all_takes(), self._pauses(), self._spans(), self.choices, samples)
        except FitError as error:
            raise self._worded(error) from error
        self._edit("fit", pauses)

    def undo(self) -> str | None:
        """Take the last edit of pauses back; returns what it was, None if there is none."""
        if not self._state.done:
            return None
        *done, edit = self._state.done
        state = _with_pauses(self._state, edit.before)
        self._save(state.model_copy(update={"done": tuple(done), "undone": (*self._state.undone, edit)}))
        return edit.what

    def redo(self) -> str | None:
        """Make the last edit that was undone again; returns what it was, None if there is none."""
        if not self._state.undone:
            return None
        *undone, edit = self._state.undone
        state = _with_pauses(self._state, edit.after)
        self._save(state.model_copy(update={"done": (*self._state.done, edit), "undone": tuple(undone)}))
        return edit.what

    # Exporting

    def export(self, *names: str, audit: bool = True, listener: Listener = unheard) -> export.Exported:
        """Write masters (``master.mp3`` by default; the ending names the format) into the production's folder.

        Beside them: a file a scene with its manifest, captions, chapters, and the audit of the first master.
        """
        paths = [files.confined(self.folder, name) for name in names or (export.MASTER,)]
        for path in paths:
            export.check_name(path.name)
        busy = f"{self.name} is being exported by another process. Try again when it has finished."
        with files.locked(self.folder / ".export.lock", wait=_EXPORT_WAIT, busy=busy):
            files.sweep(self.folder)
            self._file.check()
            timeline = self.timeline
            loud = loudness(timeline, self.choices, self._state.gain)
            if loud.gain != self._state.gain:
                self._save(self._state.model_copy(update={"gain": loud.gain}))
            rendering = Rendering(timeline, self.choices, loud.gain, self._takes.samples, self._runs)
            about = export.About(self.name, self._language(), loud)
            for path in paths:
                export.write_master(rendering, path, about, listener)
            scenes = export.write_scenes(rendering, self.folder, about, listener)
            beside = export.write_texts(rendering, self._clauses, self.folder)
            found = export.write_audit(rendering, self._clauses, paths[0], listener) if audit else None
            older = export.older_masters(self.folder, paths)
        return export.Exported(tuple(paths), scenes, beside, loud, found, older)

    # Within

    def _orders(self, indices: Iterable[int]) -> Iterator[_Order]:
        for index in indices:
            clause, state = self._clauses[index], self._state.clauses[index]
            choice = VoiceChoice.parse(state.voice) if state.voice else _speaker_voice(clause.speaker, self.choices)
            voice = self._voices(choice)
            tags = clause.tags if voice.tags else ()
            recipe = Recipe(voice.identity, clause.language, voiced(clause.text), tags, state.seed)
            before = voiced(self._clauses[index - 1].text) if index else ""
            after = voiced(self._clauses[index + 1].text) if index + 1 < len(self._clauses) else ""
            utterance = Utterance(recipe.text, clause.language, tags, before, after, state.seed)
            yield _Order(index, voice, str(choice), recipe, utterance)

    async def _speak(self, indices: Iterable[int], listener: Listener) -> None:
        orders = list(self._orders(indices))
        by_fingerprint: dict[str, list[_Order]] = {}
        for order in orders:
            by_fingerprint.setdefault(order.recipe.fingerprint, []).append(order)
        limits = {order.voice: asyncio.Semaphore(order.voice.concurrency) for order in orders}
        failures: dict[int, VoiceError] = {}
        done = 0

        def tell(same: Sequence[_Order], outcome: Outcome) -> None:
            nonlocal done
            for order in same:
                done += 1
                listener(Event("speak", done, len(orders), order.recipe.text, outcome))

        async def speak(same: Sequence[_Order]) -> None:
            order = same[0]
            if self._is_here(order):
                return tell(same, "cached")
            async with limits[order.voice]:
                try:
                    await self._bought(order)
                except VoiceError as error:
                    failures.update({each.index: error for each in same})
                    return tell(same, "failed")
            return tell(same, "done")

        await _all(speak(same) for same in by_fingerprint.values())
        spoken = [order for order in orders if order.index not in failures]
        self._save(_with_takes(self._state, spoken))
        if failures:
            first = min(failures)
            raise VoiceError(
                f"{len(failures)} of {len(self._clauses)} clauses could not be spoken; the others are kept. "
                f"The first is on line {self._clauses[first].line}: {failures[first]}"
            ) from failures[first]

    def _is_here(self, order: _Order) -> bool:
        """Whether the take is in the store; one that is damaged and cost nothing is spoken again."""
        try:
            return self._take(order.recipe.fingerprint) is not None
        except StoreError:
            if order.voice.price > 0:
                raise
            return False

    async def _bought(self, order: _Order) -> None:
        speech = await order.voice.speak(order.utterance)
        paid = order.voice.price > 0
        take = await asyncio.to_thread(
            self._takes.put, order.recipe, speech.samples, speech.rate, speech.words, paid=paid
        )
        self._loaded[take.fingerprint] = take

    def _take(self, fingerprint: str) -> Take | None:
        take = self._loaded.get(fingerprint) or self._takes.get(fingerprint)
        if take is not None:
            self._loaded[fingerprint] = take
        return take

    def _all_takes(self) -> list[Take]:
        takes = [None if state.take is None else self._take(state.take) for state in self._state.clauses]
        missing = [index for index, take in enumerate(takes) if take is None]
        if missing:
            line = self._clauses[missing[0]].line
            raise VoiceError(f"{len(missing)} clauses are not spoken yet, the first on line {line}. Speak first.")
        return [take for take in takes if take is not None]

    def _pauses(self) -> tuple[Pause, ...]:
        return tuple(state.pause for state in self._state.clauses)

    def _spans(self) -> list[SceneSpan]:
        spans = []
        first = 0
        for scene in self.script.scenes:
            if scene.clauses:
                last = first + len(scene.clauses)
                spans.append(SceneSpan(scene.id, scene.title, first, last, scene.lead_in_seconds))
                first = last
        return spans

    def _language(self) -> str:
        """The language that most clauses have."""
        languages = [clause.language for clause in self._clauses]
        return max(dict.fromkeys(languages), key=languages.count)

    def _which(self, source: PauseSource | None, after: Ending | None, scene: str | None) -> list[int]:
        for given, known in ((source, get_args(PauseSource)), (after, get_args(Ending))):
            if given is not None and given not in known:
                raise SettingError(f"There are no pauses {given!r}. Choose one of: {', '.join(known)}.")
        among = range(len(self._clauses)) if scene is None else self._clauses_of(scene)
        pauses = self._pauses()
        return [
            index
            for index in among
            if (source is None or pauses[index].source == source)
            and (after is None or ending_of(self._clauses[index].text) == after)
        ]

    def _clauses_of(self, scene: str) -> range:
        spans = {span.id: range(span.first, span.last) for span in self._spans()}
        found = spans.get(canonical_scene_id(scene) or scene)
        if found is None:
            raise SettingError(f"There is no scene {scene!r} with clauses. There are: {', '.join(spans)}.")
        return found

    def _worded(self, error: FitError) -> FitError:
        """The same error, naming the first clauses in the way by their words."""
        first = [self._clauses[index] for index in error.in_the_way[:3]]
        named = ", ".join(f"“{clause.text[:40]}” (line {clause.line})" for clause in first)
        more = "" if len(error.in_the_way) <= len(first) else ", …"
        message = f"{error} In the way: {named}{more}." if named else str(error)
        return FitError(message, least=error.least, most=error.most, in_the_way=error.in_the_way)

    def _edit(self, what: str, pauses: Sequence[Pause]) -> None:
        before = self._pauses()
        changed = [index for index, (old, new) in enumerate(zip(before, pauses, strict=True)) if old != new]
        if changed:
            edit = Edit(what=what, before={i: before[i] for i in changed}, after={i: pauses[i] for i in changed})
            self._save(recorded(_with_pauses(self._state, edit.after), edit))

    def _with_clause(self, index: int, **update: Any) -> State:
        clauses = list(self._state.clauses)
        clauses[index] = clauses[index].model_copy(update=update)
        return self._state.model_copy(update={"clauses": tuple(clauses)})

    def _save(self, state: State) -> None:
        if state != self._kept:
            self._file.save(state)
        self._state = self._kept = state


class Pauses(Sequence[Pause]):
    """A production's pauses: read by index or words, tuned by assigning seconds."""

    def __init__(self, production: Production) -> None:
        self._production = production

    def __len__(self) -> int:
        return len(self._production.clauses)

    def __getitem__(self, key: Key) -> Pause:  # type: ignore[override]
        return self._production._pauses()[self._production.index(key)]

    def __setitem__(self, key: Key, seconds: float) -> None:
        self._production.tune({key: seconds})

    def __iter__(self) -> Iterator[Pause]:
        return iter(self._production._pauses())


def _speaker_voice(speaker: str | None, choices: Choices) -> VoiceChoice:
    own = {name.casefold(): voice for name, voice in choices.speakers.items()}
    if speaker is not None and speaker.casefold() in own:
        return VoiceChoice.parse(own[speaker.casefold()])
    return voice_for(speaker, VoiceChoice.parse(choices.voice))


async def _all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of it at once; the first error ends the rest and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(each)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _with_pauses(state: State, pauses: Mapping[int, Pause]) -> State:
    clauses = list(state.clauses)
    for index, pause in pauses.items():
        clauses[index] = clauses[index].model_copy(update={"pause": pause})
    return state.model_copy(update={"clauses": tuple(clauses)})


def _with_takes(state: State, orders: Iterable[_Order]) -> State:
    clauses = list(state.clauses)
    for order in orders:
        clause = clauses[order.index]
        take = TakeRef(fingerprint=order.recipe.fingerprint, voice=order.choice, seed=order.recipe.seed)
        known = {each.fingerprint for each in clause.takes}
        takes = clause.takes if take.fingerprint in known else (*clause.takes, take)
        clauses[order.index] = clause.model_copy(update={"takes": takes, "take": take.fingerprint})
    return state.model_copy(update={"clauses": tuple(clauses)})
