"""A production: the folder and the object that hold all there is of one script."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsIndex, get_args

from luma_studio import export, speaking
from luma_studio.audio.clip import Clip
from luma_studio.errors import FitError, SettingError, VoiceError
from luma_studio.progress import Listener, unheard
from luma_studio.script import Clause, Pause, PauseSource, Script, canonical_scene_id, parse
from luma_studio.script.clauses import Ending, ending_of
from luma_studio.settings import Choices, chosen
from luma_studio.speaking import Order, Quote, Voices
from luma_studio.store import files
from luma_studio.store.runs import RunStore
from luma_studio.store.state import Edit, State, StateFile, TakeRef, carried, recorded
from luma_studio.store.takes import TakeStore
from luma_studio.timeline.arrange import SceneSpan, Timeline, arrange
from luma_studio.timeline.duration import samples_of
from luma_studio.timeline.master import Rendering, loudness
from luma_studio.timeline.take import Take
from luma_studio.timeline.tune import fit, lock, scale, tune

Key = SupportsIndex | str
"""A clause: its index, counted from 0 (or negative from the end), or words that only it has."""

_EXPORT_WAIT = 60.0  # seconds for another process to finish its export
_ANOTHER = 4  # clauses that do not all vanish in one edit


class Production:
    """One script with its pauses, takes and exports. Opened by ``Studio.production``.

    >>> calm = studio.production("evening-calm", script)    # doctest: +SKIP
    >>> await calm.speak()                                  # doctest: +SKIP
    >>> calm.pauses[3] = 4.0                                # doctest: +SKIP
    >>> calm.export()                                       # doctest: +SKIP

    Every edit is saved at once, and may come from any thread. Whatever saves raises ChangedError if the production was
    saved elsewhere since it was opened here.
    """

    def __init__(
        self,
        folder: Path,
        store: Path,
        voices: Voices,
        text: str | None,
        choices: Choices,
        changes: Mapping[str, Any],
    ) -> None:
        """Open what is in ``folder``, or begin it with a script's ``text`` and ``choices``; ``changes`` are for either.

        Nothing is written before all of it has been checked.
        """
        self.folder = folder
        self._file = StateFile(folder)
        self._saved = self._file.load()
        if self._saved is None and text is None:
            raise SettingError(f"There is no production {self.name!r} yet. Give its script to begin it.")
        before = self._saved or State(text="", choices=choices)
        wanted = before.text if text is None else text.encode("utf-8", "replace").decode()  # no lone surrogates
        self._voices = voices
        self.choices = chosen(before.choices, changes)
        self.script: Script = parse(wanted, self.choices)
        self.clauses: tuple[Clause, ...] = tuple(self.script.clauses)
        self._check_continues(before, wanted)
        speaking.check_voices(self.clauses, self.choices, voices)
        self._takes = TakeStore(store / "takes", self.choices.sample_rate)
        self._runs = RunStore(store / "runs")
        self._lock = threading.RLock()
        self._speaking = asyncio.Lock()
        self._state = before
        if self._saved is None or before.text != wanted or before.choices != self.choices:
            self._change(lambda state: self._carried(state, wanted))

    def __repr__(self) -> str:
        return f"<Production {self.name!r}: {len(self.script.scenes)} scenes, {len(self.clauses)} clauses>"

    # What is there

    @property
    def name(self) -> str:
        """The production's name, which is its folder's."""
        return self.folder.name

    @property
    def pauses(self) -> Pauses:
        """The pause after each clause; assign seconds to tune one."""
        return Pauses(self)

    @property
    def timeline(self) -> Timeline:
        """Where everything lies. Raises VoiceError while clauses are unspoken."""
        return self._arranged(self._state)

    def index(self, key: Key) -> int:
        """The index of a clause given by index (negative from the end) or by words that only it has.

        Raises SettingError when there is none or more than one.
        """
        if not isinstance(key, str):
            return self._counted(key)
        found = [index for index, clause in enumerate(self.clauses) if key in clause.text]
        exact = [index for index in found if self.clauses[index].text == key]
        if len(exact or found) != 1:
            where = f"it stands in clauses {', '.join(map(str, found[:8]))}" if found else "no clause has them"
            raise SettingError(f"The words {key!r} do not name one clause: {where}. Use more words or its index.")
        return (exact or found)[0]

    def takes(self, key: Key) -> tuple[TakeRef, ...]:
        """Every take of a clause, oldest first."""
        return self._state.clauses[self.index(key)].takes

    def audio(self, key: Key) -> Clip:
        """A clause's take in use, whole and as it was spoken, at the production's rate."""
        take = self._taken(self._state)[self.index(key)]
        return Clip(self._takes.samples(take), take.rate)

    # Speaking

    def quote(self) -> Quote:
        """What ``speak`` would buy, and what is here already. Nothing is sent."""
        return speaking.quoted(self._orders(self._state), self._takes)

    async def speak(self, listener: Listener = unheard) -> None:
        """Speak what has not been spoken yet, several clauses at once. What is in the store is free.

        Raises VoiceError when clauses failed; the others are kept, and speaking again tries only those. All speaking of
        one production belongs on one event loop.
        """
        async with self._speaking:  # whoever comes second finds the takes of the first
            await self._speak(self._orders(self._state), listener)

    async def speak_again(
        self, key: Key, *, voice: str | None = None, seed: int | None = None, listener: Listener = unheard
    ) -> None:
        """Speak one clause again with another voice or seed (the next one by default); its earlier takes stay."""
        index = self.index(key)
        if seed is not None and (type(seed) is not int or seed < 0):
            raise SettingError(f"A seed is a whole number from 0; {seed!r} is none.")
        async with self._speaking:
            clause = self._state.clauses[index]
            highest = max((take.seed for take in clause.takes), default=clause.seed)
            order = speaking.order(
                self.clauses,
                index,
                self.choices,
                self._voices,
                pinned=voice or clause.voice,
                seed=seed if seed is not None else clause.seed if voice else highest + 1,
            )
            await self._speak([order], listener)

    def take_back(self, key: Key, fingerprint: str | None = None) -> None:
        """Use an earlier take of a clause again: the one before the take in use, or the one with this fingerprint.

        Raises SettingError when there is none.
        """
        index = self.index(key)
        self._change(lambda state: self._with_earlier(state, index, fingerprint))

    # Tuning

    def tune(self, seconds: Mapping[Key, float]) -> None:
        """Set pauses, in seconds, as one edit."""
        by_index = {self.index(key): length for key, length in seconds.items()}
        self._edit("tune", lambda state: tune(state.pauses, by_index))

    def scale(
        self, factor: float, *, source: PauseSource | None = None, after: Ending | None = None, scene: str | None = None
    ) -> None:
        """Multiply free pauses: all, or of a source (``written``), an ending (``comma``), a scene (``scene_2``)."""
        if not 0 <= factor < 1000:
            raise SettingError(f"Pauses cannot be multiplied by {factor}. Choose a factor from 0 to 1000.")
        for given, known in ((source, get_args(PauseSource)), (after, get_args(Ending))):
            if given is not None and given not in known:
                raise SettingError(f"There are no pauses {given!r}. Choose one of: {', '.join(known)}.")
        among = [
            index
            for index in (range(len(self.clauses)) if scene is None else self._clauses_of(scene))
            if after is None or ending_of(self.clauses[index].text) == after
        ]

        def scaled(state: State) -> tuple[Pause, ...]:
            which = [index for index in among if source is None or state.pauses[index].source == source]
            return scale(state.pauses, factor, which)

        self._edit("scale", scaled)

    def lock(self, keys: Iterable[Key], *, locked: bool = True) -> None:
        """Lock pauses against ``fit`` and ``scale``, or free them."""
        which = [self.index(key) for key in keys]
        self._edit("lock", lambda state: lock(state.pauses, which, locked=locked))

    def fit(self, total: str | float) -> None:
        """Stretch the free pauses so that the master lasts exactly this: ``"10:00"``, seconds, ``"26460000 samples"``.

        Raises FitError, which names the nearest totals that can be reached and the clauses in the way.
        """
        samples = samples_of(total, self.choices.sample_rate)

        def fitted(state: State) -> tuple[Pause, ...]:
            try:
                return fit(self._taken(state), state.pauses, self._spans(), self.choices, samples)
            except FitError as error:
                raise self._worded(error) from error

        self._edit("fit", fitted)

    def undo(self) -> str | None:
        """Take the last edit of pauses back; returns what it was, None if there is none."""
        return self._step(backwards=True)

    def redo(self) -> str | None:
        """Make the last edit that was undone again; returns what it was, None if there is none."""
        return self._step(backwards=False)

    # Exporting

    def export(self, *names: str, audit: bool = True, listener: Listener = unheard) -> export.Exported:
        """Write masters (``master.mp3`` by default; the ending names the format) into the production's folder.

        Beside them: a file a scene with its manifest, captions, chapters, and the audit of the first master. It takes
        its time and may wait for another process: a page calls it in a thread.
        """
        paths = [files.confined(self.folder, name) for name in names or (export.MASTER,)]
        for path in paths:
            export.check_name(path.name)
        busy = f"{self.name} is being exported by another process. Try again when it has finished."
        with files.locked(self.folder / ".export.lock", wait=_EXPORT_WAIT, busy=busy):
            files.sweep(self.folder)
            self._file.check()
            state = self._state
            timeline = self._arranged(state)
            loud = loudness(timeline, self.choices, state.gain)
            masters = {*state.masters, *(path.name for path in paths)}
            self._change(lambda now: now.model_copy(update={"gain": loud.gain, "masters": tuple(sorted(masters))}))
            rendering = Rendering(timeline, self.choices, loud.gain, self._takes.samples, self._runs)
            about = export.About(self.name, self._language(), loud)
            for path in paths:
                export.write_master(rendering, path, about, listener)
            scenes = export.write_scenes(rendering, self.folder, about, listener)
            beside = export.write_texts(rendering, self.clauses, self.folder)
            found = export.write_audit(rendering, self.clauses, paths[0], listener) if audit else None
        older = [self.folder / name for name in sorted(masters - {path.name for path in paths})]
        return export.Exported(tuple(paths), scenes, beside, loud, found, tuple(p for p in older if p.exists()))

    # Within

    def _change(self, change: Callable[[State], State]) -> None:
        """The one door to the state: change it and save it, whole, before anyone else does."""
        with self._lock:
            state = change(self._state)
            if state != self._saved:
                self._file.save(state)
            self._state = self._saved = state

    def _edit(self, what: str, edited: Callable[[State], Sequence[Pause]]) -> None:
        def change(state: State) -> State:
            before, after = state.pauses, edited(state)
            changed = [index for index, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
            if not changed:
                return state
            edit = Edit(what=what, before={i: before[i] for i in changed}, after={i: after[i] for i in changed})
            return recorded(state.with_pauses(edit.after), edit)

        self._change(change)

    def _step(self, *, backwards: bool) -> str | None:
        with self._lock:
            done, undone = list(self._state.done), list(self._state.undone)
            source, target = (done, undone) if backwards else (undone, done)
            if not source:
                return None
            edit = source.pop()
            target.append(edit)
            pauses = edit.before if backwards else edit.after
            history = {"done": tuple(done), "undone": tuple(undone)}
            self._change(lambda state: state.with_pauses(pauses).model_copy(update=history))
            return edit.what

    async def _speak(self, orders: Sequence[Order], listener: Listener) -> None:
        filled: list[Order] = []
        try:
            await speaking.speak(orders, self._takes, listener, filled.append)
        finally:  # also when it was stopped: what is here is here
            self._change(lambda state: speaking.with_take(state, filled))

    def _orders(self, state: State) -> list[Order]:
        return speaking.orders(self.clauses, state.clauses, self.choices, self._voices)

    def _carried(self, state: State, text: str) -> State:
        """The state for another text or other choices; takes that another voice spoke are no longer in use."""
        update: dict[str, Any] = {"text": text, "choices": self.choices}
        if state.choices != self.choices:
            update["gain"] = None
        state = carried(state.model_copy(update=update), self.clauses)
        clauses = (
            clause if clause.take == order.recipe.fingerprint else clause.model_copy(update={"take": None})
            for clause, order in zip(state.clauses, self._orders(state), strict=True)
        )
        return state.model_copy(update={"clauses": tuple(clauses)})

    def _check_continues(self, before: State, text: str) -> None:
        """Tell of a name that holds another script, before its tuned pauses are lost."""
        texts = {clause.text for clause in before.clauses}
        if text == before.text or len(texts) < _ANOTHER:
            return
        if texts.isdisjoint(clause.text for clause in self.clauses):
            raise SettingError(
                f"{self.name} holds another script: none of its {len(before.clauses)} clauses is in this one. "
                "Choose another name (--name), or remove its folder to begin anew."
            )

    def _with_earlier(self, state: State, index: int, fingerprint: str | None) -> State:
        clause = state.clauses[index]
        known = [take.fingerprint for take in clause.takes]
        if fingerprint is None and clause.take in known[1:]:
            fingerprint = known[known.index(clause.take) - 1]
        if fingerprint not in known:
            raise SettingError(f"Clause {index} has no such earlier take; it has {len(known)}.")
        take = clause.takes[known.index(fingerprint)]
        usual = str(speaking.speaker_voice(self.clauses[index].speaker, self.choices))
        voice = None if take.voice == usual else take.voice
        update = {"take": take.fingerprint, "voice": voice, "seed": take.seed}
        return state.with_clause(index, clause.model_copy(update=update))

    def _taken(self, state: State) -> list[Take]:
        takes = [None if clause.take is None else self._takes.get(clause.take) for clause in state.clauses]
        missing = [clause for clause, take in zip(self.clauses, takes, strict=True) if take is None]
        if missing:
            raise VoiceError(
                f"{len(missing)} clauses are not spoken yet, the first on line {missing[0].line}. Speak first."
            )
        return [take for take in takes if take is not None]

    def _arranged(self, state: State) -> Timeline:
        return arrange(self._taken(state), state.pauses, self._spans(), self.choices)

    def _spans(self) -> list[SceneSpan]:
        spans = []
        first = 0
        for scene in self.script.scenes:
            if scene.clauses:
                last = first + len(scene.clauses)
                spans.append(SceneSpan(scene.id, scene.title, first, last, scene.lead_in_seconds))
                first = last
        return spans

    def _clauses_of(self, scene: str) -> range:
        spans = {span.id: range(span.first, span.last) for span in self._spans()}
        found = spans.get(canonical_scene_id(scene) or scene)
        if found is None:
            raise SettingError(f"There is no scene {scene!r} with clauses. There are: {', '.join(spans)}.")
        return found

    def _counted(self, key: SupportsIndex) -> int:
        count = len(self.clauses)
        try:
            index = operator.index(key)
        except TypeError:
            raise SettingError(f"{key!r} names no clause. Give its index or words that only it has.") from None
        if not -count <= index < count:
            raise SettingError(f"There is no clause {index}: {self.name} has {count}, counted from 0.")
        return index % count

    def _language(self) -> str:
        """The language that most clauses have."""
        languages = [clause.language for clause in self.clauses]
        return max(dict.fromkeys(languages), key=languages.count)

    def _worded(self, error: FitError) -> FitError:
        """The same error, naming the first clauses in the way by their words."""
        first = [self.clauses[index] for index in error.in_the_way[:3]]
        named = ", ".join(f"“{clause.text[:40]}” (line {clause.line})" for clause in first)
        more = "" if len(error.in_the_way) <= len(first) else ", …"
        message = f"{error} In the way: {named}{more}." if named else str(error)
        return FitError(message, least=error.least, most=error.most, in_the_way=error.in_the_way)


class Pauses:
    """A production's pauses: read by index or words, tuned by assigning seconds."""

    def __init__(self, production: Production) -> None:
        self._production = production

    def __len__(self) -> int:
        return len(self._production.clauses)

    def __getitem__(self, key: Key) -> Pause:
        return self._production._state.pauses[self._production.index(key)]

    def __setitem__(self, key: Key, seconds: float) -> None:
        self._production.tune({key: seconds})

    def __iter__(self) -> Iterator[Pause]:
        return iter(self._production._state.pauses)
