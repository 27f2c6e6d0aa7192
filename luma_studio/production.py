"""A production: the folder and the object that hold all there is of one script."""

from __future__ import annotations

import asyncio
import operator
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, SupportsIndex, get_args

from filelock import FileLock

from luma_studio import agents, deciding, export, speaking
from luma_studio import film as filming
from luma_studio.agents import analysis, cutting, planning, sanitizer, segmentation, splice, template
from luma_studio.audio.clip import Clip, Samples
from luma_studio.errors import (
    BusyError,
    ChangedError,
    FitError,
    SettingError,
    StoreError,
    VoiceError,
    counted,
    shown_as,
)
from luma_studio.progress import Event, Listener, followed, unheard
from luma_studio.script import Clause, Pause, PauseSource, Script, canonical_scene_id, parse
from luma_studio.script.clauses import Ending, ending_of
from luma_studio.script.source import Source
from luma_studio.settings import Choices, Filming
from luma_studio.speaking import Order, Quote, Voices
from luma_studio.store import drafts, files
from luma_studio.store.carrying import carried, check_continues
from luma_studio.store.ledger import Account, BatchBudget, Ledger
from luma_studio.store.runs import RunStore
from luma_studio.store.state import Decided, State, StateFile, TakeRef, edited, redo, undo
from luma_studio.store.takes import TakeStore
from luma_studio.store.videos import KeptVideo
from luma_studio.timeline.arrange import SceneSpan, Timeline, arrange, spans_of
from luma_studio.timeline.duration import samples_of
from luma_studio.timeline.master import Loudness, Rendering, loudness
from luma_studio.timeline.take import Take
from luma_studio.timeline.tune import fit, lock, naming, scale, tune
from luma_studio.video.templates import Material, Slot
from luma_studio.voices import Hear, Names
from luma_studio.wire import Wires

Key = SupportsIndex | str
"""A clause: its index, counted from 0 (or negative from the end), or words that only it has."""

_BEFORE_SPEAKING = ("analysis", "sanitizer", "segmentation")  # agents
_DRAFT = "draft.txt"
_OPEN = ".open.lock"
_KEEP = 2.0  # seconds of speaking after which what is here is saved
_AGAIN = 0.05  # seconds between two looks whether another speaking has ended
_EXPORT_WAIT = 60.0  # seconds for another process to finish its export


@dataclass(frozen=True, slots=True)
class Means:
    """What a studio gives its productions to work with.

    ``store`` and ``prompts`` are folders; ``token_prices`` gives US dollars for a million tokens asked and answered.
    ``names`` has what voices are called, ``filming`` gives what is filmed with, and whether vendors are given all anew,
    ``within`` is the batch whose budget holds, too.
    """

    store: Path
    prompts: Path
    voices: Voices
    ledger: Ledger
    wires: Wires
    token_prices: Callable[[str, str], agents.TokenPrices | None]
    names: Names
    filming: Callable[[bool], filming.Equipment]
    within: BatchBudget | None = None

    def thinking(self, choices: Choices, account: Account) -> agents.Thinking:
        """What agents think with for a production of these choices; nothing is opened yet."""
        return agents.Thinking(choices, self.wires, account, self.token_prices, self.prompts)


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
        means: Means,
        text: str | None,
        choices: Choices,
        changes: Mapping[str, Any],
    ) -> None:
        """Open what is in ``folder``, or begin it with a script's ``text`` and ``choices``; ``changes`` are for either.

        Nothing is written before all of it has been checked.
        """
        self.folder = folder
        self._means = means
        self._runs = RunStore(means.store / "runs")
        self._lock = threading.RLock()
        self._speaking = threading.Lock()
        self._open: FileLock | None = None
        self._rehearsed = False
        self._take_up(text, choices, changes)

    def _take_up(self, text: str | None, choices: Choices, changes: Mapping[str, Any]) -> None:
        """All of it or, where something is wrong, nothing."""
        file = StateFile(self.folder)
        saved = file.load()
        if saved is None and text is None:
            raise SettingError(f"There is no production {self.name!r} yet. Give its script to begin it.")
        before = saved or State(text="", choices=choices)
        wanted = before.text if text is None else text.encode("utf-8", "replace").decode()  # no lone surrogates
        choices = self._means.names.chosen(saved.choices if saved else None, choices, changes)
        script = deciding.readied(parse(wanted, choices), before)
        clauses = tuple(script.clauses)
        if before.text != wanted:
            check_continues(self.name, before, clauses)
        speaking.check_voices(clauses, choices, self._means.voices)
        agents.check_minds(choices)
        if self.is_busy and (wanted, choices) != (self.text, self.choices):
            self.check_free()

        self._file, self._saved, self._state = file, saved, before
        self.choices: Choices = choices
        self.script: Script = script
        self.clauses: tuple[Clause, ...] = clauses
        self.spans: tuple[SceneSpan, ...] = spans_of(script)
        self._takes = TakeStore(self._means.store / "takes", choices.sample_rate)
        if saved is None or before.text != wanted or before.choices != choices:
            self._change(lambda state: self._carried(state, wanted))
        if before.text != wanted:
            drafts.take_in(self.folder / _DRAFT, script.text, self.folder.parent / drafts.LEFT)

    def __repr__(self) -> str:
        scenes, clauses = counted(len(self.script.scenes), "scene"), counted(len(self.clauses), "clause")
        return f"<Production {self.name!r}: {scenes}, {clauses}{self._overtaken()}>"

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
    def text(self) -> str:
        """The script's text as the author gave it; offsets of clauses and marks count in ``script.text``."""
        return self._state.text

    @property
    def timeline(self) -> Timeline:
        """Where everything lies. Raises VoiceError while clauses are unspoken."""
        return self._arranged(self._state)

    @property
    def gain(self) -> float:
        """What an export would apply now, in dB; 0 while clauses are unspoken or nothing is heard."""
        state = self._state
        if None in self._in_use(state):
            return 0.0
        return loudness(self._arranged(state), self.choices, state.gain).gain

    @property
    def history(self) -> tuple[str | None, str | None]:
        """What ``undo`` and ``redo`` would do next: tune, scale, lock, fit, segment, plan, review; or None."""
        state = self._state
        return (state.done[-1].what if state.done else None, state.undone[-1].what if state.undone else None)

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

    def voice(self, key: Key) -> str:
        """The voice that speaks a clause, its own or else its speaker's, as one writes it."""
        index = self.index(key)
        return self._state.clauses[index].voice or str(
            speaking.speaker_voice(self.clauses[index].speaker, self.choices)
        )

    def takes(self, key: Key) -> tuple[TakeRef, ...]:
        """Every take of a clause, oldest first."""
        return self._state.clauses[self.index(key)].takes

    @property
    def takes_in_use(self) -> tuple[Take | None, ...]:
        """The take in use of each clause, None where it is not spoken. Read from the store the first time."""
        return self._in_use(self._state)

    @property
    def spoken(self) -> tuple[bool, ...]:
        """Whether the take in use of each clause is there, and is what speaking it now would give.

        It is another where a server of one's own was set in a vendor's place since.
        """
        with self._lock:  # clauses and state of one script
            orders, takes = self._orders(self._state), self.takes_in_use
        return tuple(
            take is not None and take.fingerprint == order.recipe.fingerprint
            for order, take in zip(orders, takes, strict=True)
        )

    def take(self, fingerprint: str) -> Take:
        """A take of this production, in use or an earlier one.

        Raises SettingError for a take that no clause of it has, StoreError for one that is gone from the store.
        """
        if not any(fingerprint == take.fingerprint for clause in self._state.clauses for take in clause.takes):
            raise SettingError(f"{self.name} has no take {fingerprint[:12]!r}. Open the production again.")
        take = self._takes.get(fingerprint)
        if take is None:
            raise StoreError(f"The take {fingerprint[:12]} of {self.name} is gone from the store. Speak again.")
        return take

    def samples(self, fingerprint: str) -> Samples:
        """The sound of a take, whole and as it was spoken: int16 of shape (n,) at its rate. Raises as ``take``."""
        return self._takes.samples(self.take(fingerprint))

    def audio(self, key: Key) -> Clip:
        """A clause's take in use, whole and as it was spoken, at the production's rate."""
        take = self._taken(self._state)[self.index(key)]
        return Clip(self._takes.samples(take), take.rate)

    @property
    def spent(self) -> Decimal:
        """US dollars that speaking it has cost so far, as far as prices are known."""
        return self._means.ledger.spent(self.name)

    # Speaking

    def quote(self) -> Quote:
        """What ``speak`` would buy, and what is here already; and what each agent would, were it asked now.

        Nothing is sent.
        """
        quote = speaking.quoted(self._orders(self._state), self._takes)
        return replace(quote, minds=tuple(deciding.quoted(self._subject, self._thinks())))

    async def speak(self, listener: Listener = unheard, hear: Hear | None = None) -> None:
        """Speak what has not been spoken yet, several clauses at once. What is in the store is free.

        ``hear`` is told all clauses in their order, from when the first 250 ms of the first are there, while the others
        are still spoken: int16 of shape (n,) and their rate, from any thread. It hears takes as they are spoken, with
        silence between them; how they lie in time to the sample is the master's.

        Raises VoiceError when clauses failed, Stopped when the listener asked for it; what was spoken is kept, and
        speaking again tries only the rest.
        """
        async with self._turn():
            with self._lock:  # clauses and state of one script
                orders, pauses = self._orders(self._state), [pause.seconds for pause in self._state.pauses]
            await self._speak(orders, listener, hear, pauses)

    async def speak_again(
        self,
        key: Key,
        *,
        voice: str | None = None,
        seed: int | None = None,
        listener: Listener = unheard,
        hear: Hear | None = None,
    ) -> None:
        """Speak one clause again with another voice or seed (the next one by default); its earlier takes stay.

        One that has no take in use is spoken as ``speak`` would. ``hear`` is told the sound as it comes, from when the
        first 250 ms are there: int16 of shape (n,) and their rate, from any thread. Raises as ``speak``, and
        SettingError or VendorError for a voice whose name cannot be found.
        """
        index = self.index(key)
        if seed is not None and (type(seed) is not int or seed < 0):
            raise SettingError(f"A seed is a whole number from 0; {seed!r} is none.")
        if voice is not None and not isinstance(voice, str):
            raise SettingError(f"A voice is named as 'espeak:hi+f3'; {voice!r} names none.")
        voice = voice and await asyncio.to_thread(self._means.names.written, voice)
        async with self._turn():
            clause = self._state.clauses[index]
            highest = max((take.seed for take in clause.takes), default=clause.seed)
            order = speaking.order(
                self.clauses,
                index,
                self.choices,
                self._means.voices,
                pinned=voice or clause.voice,
                seed=seed if seed is not None else clause.seed if voice or clause.take is None else highest + 1,
            )
            await self._speak([order], listener, hear)

    def take_back(self, key: Key, fingerprint: str | None = None) -> None:
        """Use an earlier take of a clause again: the one before the take in use, or the one with this fingerprint.

        Raises SettingError when there is none.
        """
        index = self.index(key)
        self._change(lambda state: speaking.with_earlier(state, self.clauses, self.choices, index, fingerprint))

    # Tuning

    def tune(self, seconds: Mapping[Key, float]) -> None:
        """Set pauses, in seconds, as one edit."""
        if not isinstance(seconds, Mapping):
            raise SettingError(
                f"Give the seconds by clause, as in tune({{0: 4.0, 3: 2.5}}); {seconds!r} is no such thing."
            )
        by_index = {self.index(key): length for key, length in seconds.items()}
        self._edit("tune", lambda state: tune(state.pauses, by_index))

    def scale(
        self, factor: float, *, source: PauseSource | None = None, after: Ending | None = None, scene: str | None = None
    ) -> None:
        """Multiply free pauses: all, or of a source (``written``), an ending (``comma``), a scene (``scene_2``)."""
        if not _is_number(factor) or not 0 <= factor < 1000:
            raise SettingError(f"Pauses cannot be multiplied by {factor!r}. Choose a factor from 0 to 1000.")
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

    def lock(self, keys: Key | Iterable[Key], *, locked: bool = True) -> None:
        """Lock pauses against ``fit`` and ``scale``, or free them: of one clause, or of several."""
        several = [keys] if isinstance(keys, str) or not isinstance(keys, Iterable) else keys
        which = [self.index(key) for key in several]
        self._edit("lock", lambda state: lock(state.pauses, which, locked=locked))

    def fit(self, total: str | float) -> None:
        """Stretch the free pauses so that the master lasts exactly this: ``"10:00"``, seconds, ``"26460000 samples"``.

        Raises FitError, which names the nearest totals that can be reached and the clauses in the way.
        """
        samples = self._total(total)

        def fitted(state: State) -> tuple[Pause, ...]:
            with self._naming():
                return fit(self._taken(state), state.pauses, self.spans, self.choices, samples)

        self._edit("fit", fitted)

    # Minds

    @property
    def decisions(self) -> tuple[Decided, ...]:
        """What each agent did last: whether a mind or the rules, why it was the rules, and when."""
        return self._state.decisions

    async def prepare(self, listener: Listener = unheard) -> Quote:
        """Have those agents do their work before speaking that have a mind and were not asked this yet; the quote then.

        Raises as ``analyse``.
        """
        verbs = {"analysis": self.analyse, "sanitizer": self.sanitize, "segmentation": self.segment}
        for agent, decide in verbs.items():
            if any(each.agent == agent for each in self.to_prepare()):
                await decide(listener)
        return self.quote()

    def to_prepare(self) -> tuple[agents.MindQuote, ...]:
        """What ``prepare`` would have agents do, and what each would buy."""
        asked = {each.agent for each in self.decisions}
        return tuple(
            each
            for each in self.quote().minds
            if each.agent in _BEFORE_SPEAKING and (each.calls or each.agent not in asked)
        )

    def outlook(self, total: str | float | None = None) -> tuple[deciding.Outlook, ...]:
        """Where each agent stands: its mind, what it would buy or waits for, and what it did. Nothing is sent.

        What planning would buy is told for a ``total``. Raises SettingError for what is no total.
        """
        seconds = None if total is None else self._total(total) / self.choices.sample_rate
        subject = self._subject
        return tuple(deciding.outlook(subject, self._thinks(), lambda: self._taken(subject.state), seconds))

    async def analyse(self, listener: Listener = unheard) -> tuple[Decided, ...]:
        """Have speakers and delivery tags found where the script marks none; its words, and what it marks, stay.

        A mind does it where one is chosen (``mind``); otherwise the rules, which leave all as it is. Clauses that get
        another voice by it are to be spoken anew; ``uncast`` takes it back. Raises StoreError, Stopped.
        """
        async with self._deciding(listener) as (thinking, heard):
            found = await analysis.analysed(parse(self.text, self.choices), thinking, heard)
            return self._decided(analysis.AGENT, found.decisions, lambda state: deciding.analysed(state, found))

    async def segment(self, listener: Listener = unheard) -> tuple[Decided, ...]:
        """Have clauses cut into what one breath speaks, and pauses timed that are as the script has them.

        A mind does it where one is chosen (``mind``); otherwise the rules, which leave all as it is. What it says of
        pauses is one edit, which ``undo`` takes back; ``uncut`` takes the cuts back. Raises StoreError, Stopped.
        """
        async with self._deciding(listener) as (thinking, heard):
            subject = self._subject
            found = await segmentation.segmented(subject.cast, thinking, heard)
            return self._decided(
                segmentation.AGENT, found.decisions, lambda state: deciding.segmented(state, subject.whole, found)
            )

    async def sanitize(self, listener: Listener = unheard) -> tuple[Decided, ...]:
        """Have the spoken text looked through for what is not meant to be spoken: ``script.diagnostics`` tells.

        A mind does it where one is chosen; otherwise the rules, which find nothing beyond what reading found. No word
        is changed: that is the author's to do. Raises StoreError, Stopped.
        """
        async with self._deciding(listener) as (thinking, heard):
            found = await sanitizer.sanitized(parse(self.text, self.choices), thinking, heard)
            return self._decided(sanitizer.AGENT, found.decisions, lambda state: deciding.doubting(state, found))

    async def plan(self, total: str | float, listener: Listener = unheard) -> tuple[Decided, ...]:
        """As ``fit``, but the scenes share the difference as a mind finds good; without a mind, exactly as ``fit``.

        Nothing is decided where the total is that already.
        Raises FitError as that, VoiceError while clauses are unspoken, StoreError, Stopped.
        """
        samples = self._total(total)
        async with self._deciding(listener) as (thinking, heard):
            if self.timeline.length == samples:
                return ()
            parts = deciding.parts_of(self._subject, self._taken(self._state))
            seconds = samples / self.choices.sample_rate
            found = await planning.planned(parts, seconds, thinking, heard)
            return self._decided(planning.AGENT, [found], lambda state: self._planned(state, found, samples))

    async def review(self, listener: Listener = unheard) -> tuple[Decided, ...]:
        """Have pauses adjusted by what the last export's audit measured: a few, each by half at most, as one edit.

        A mind does it where one is chosen; otherwise the rules, which make good what the audit found wrong. What was
        tuned or locked stays. Raises SettingError where there is no audit, StoreError, Stopped.
        """
        async with self._deciding(listener) as (thinking, heard):
            subject = self._subject
            before = subject.state
            found = await splice.reviewed(self.clauses, before.pauses, deciding.measured(subject), thinking, heard)
            return self._decided(splice.AGENT, [found], lambda state: deciding.reviewed(state, before, found.value))

    def uncut(self) -> None:
        """Take back all cuts that ``segment`` made; each clause is whole again, with its pause and its takes."""
        self.check_free()
        with self._lock:
            self._redecide(deciding.recut(self._state, parse(self.text, self.choices), {}))

    def uncast(self) -> None:
        """Take back all speakers and tags that ``analyse`` found."""
        self.check_free()
        with self._lock:
            self._redecide(self._state.model_copy(update={"roles": {}}))

    def quoted_before(self, script: Script, thinking: agents.Thinking) -> tuple[agents.MindQuote, ...]:
        """What agents would buy before this script is spoken, cast as far as they did that here. Nothing is sent."""
        return tuple(deciding.quoted_before(script, self._state.roles, thinking))

    def readied(self, script: Script) -> Script:
        """A script as agents left this production's, as far as it has the same: cast, cut, and looked through."""
        return deciding.readied(script, self._state)

    def undo(self) -> str | None:
        """Take the last edit of pauses back; returns what it was, None if there is none."""
        with self._lock:
            what, _ = self.history
            self._change(undo)
            return what

    def redo(self) -> str | None:
        """Make the last edit that was undone again; returns what it was, None if there is none."""
        with self._lock:
            _, what = self.history
            self._change(redo)
            return what

    @contextmanager
    def rehearsing(self) -> Iterator[None]:
        """Edits within are not saved and forgotten at the end: so one sees what they would change."""
        with self._lock:
            state, self._rehearsed = self._state, True
            try:
                yield
            finally:
                self._state, self._rehearsed = state, False

    # Beside other windows

    @property
    def draft(self) -> str | None:
        """What stands in the editor and has not been taken into the script yet; None where nothing does."""
        return drafts.draft(self.folder / _DRAFT)

    @property
    def standing(self) -> str:
        """What stands in the editor: the draft, or else the script's text as it was saved last, by whichever window."""
        draft = self.draft
        return self._saved_text() if draft is None else draft

    @property
    def draft_mark(self) -> str:
        """What changes whenever the draft does, in whichever window. Costs a look at a file."""
        return drafts.mark(self.folder / _DRAFT)

    def keep_draft(self, text: str | None, seen: str | None = None) -> None:
        """Keep the draft, so that no typing is lost. None, or the script's own text, removes it.

        ``seen`` is what was ``standing`` when the writer last looked. Raises ChangedError, and overwrites nothing, if
        another window wrote since; without it the one that wrote last wins. Opening the production with another script
        removes the draft, too, and leaves it among the studio's ``left_texts`` if it says something else.
        """
        script = self._saved_text()
        known = text in (None, self.text, script)
        drafts.keep_draft(self.folder / _DRAFT, None if known else text, seen, script)

    def _saved_text(self) -> str:
        """The script's text as it was saved last, here or elsewhere, with the line ends that a script has."""
        state = StateFile(self.folder).load() if self.saved_elsewhere() else None
        return self.script.text if state is None else Source(state.text).text

    def saved_elsewhere(self) -> bool:
        """Whether another process or object saved since this one did: it is to be opened again. Costs a look at a file.

        False while this object is saving.
        """
        if not self._lock.acquire(blocking=False):
            return False
        try:
            return self._file.changed()
        finally:
            self._lock.release()

    @property
    def is_busy(self) -> bool:
        """Whether this object has clauses spoken, or an agent decide."""
        return self._speaking.locked()

    def check_free(self) -> None:
        """Raise BusyError while clauses are spoken or an agent decides: script, voices and settings stay meanwhile."""
        if self.is_busy:
            raise BusyError(f"{self.name} is being worked on. Wait until that has ended, or stop it, and try again.")

    def reload(self) -> None:
        """Take up what was saved elsewhere: script, choices, pauses, takes.

        Raises BusyError, and changes nothing, where that is another script while this one is being spoken.
        """
        with self._lock:
            known = self._takes
            self._take_up(None, self.choices, {})
            if known.rate == self._takes.rate:
                self._takes = known  # which has read them already

    def hold(self) -> bool:
        """Whether this is the one object, among all processes, that holds the production: the first one that asked.

        It holds until ``release``, or until it or its process is gone. It keeps nobody from anything.
        """
        with self._lock:
            if self._open is None and self.folder.is_dir():  # a lock would make a folder that was deleted
                self._open = files.hold(self.folder / _OPEN)
            return self._open is not None

    def release(self) -> None:
        """Hold the production no longer."""
        with self._lock:
            if self._open is not None:
                self._open.release()
                self._open = None

    # Exporting

    def export(self, *names: str, audit: bool = True, listener: Listener = unheard) -> export.Exported:
        """Write masters (``master.mp3`` by default; the ending names the format) into the production's folder.

        Beside them: a file a scene with its manifest, captions, chapters, and the audit of the first master. It takes
        its time and may wait for another process: a page calls it in a thread. Raises Stopped when the listener asked
        for it; each file is then as it was, or new.
        """
        wanted = tuple(dict.fromkeys(names)) or (export.MASTER,)
        for name in wanted:
            export.check_name(name)
        paths = [files.confined(self.folder, name) for name in wanted]
        self._file.check()  # before a lock would make a folder that was deleted
        busy = f"{self.name} is being exported by another process. Try again when it has finished."
        waiting = Event("write", 0, len(paths), paths[0].name)
        with (
            followed(self.folder, "export", self, listener) as listener,  # noqa: PLR1704 - it is that and others
            files.locked(self.folder / export.LOCK, wait=_EXPORT_WAIT, busy=busy, meanwhile=lambda: listener(waiting)),
        ):
            files.sweep(self.folder)
            with self._lock:  # an edit is saved whole
                self._file.check()
                state, clauses = self._state, self.clauses
                rendering, loud = self._rendered(state)
            masters = {*state.masters, *(path.name for path in paths)}
            self._change(lambda now: now.model_copy(update={"gain": loud.gain, "masters": tuple(sorted(masters))}))
            about = export.About(self.name, export.language_of(clauses), loud)
            for path in paths:
                export.write_master(rendering, path, about, listener)
            scenes = export.write_scenes(rendering, self.folder, about, listener)
            beside = export.write_texts(rendering, clauses, self.folder)
            found = export.write_audit(rendering, clauses, paths[0], state.decisions, listener) if audit else None
        older = [self.folder / name for name in sorted(masters - {path.name for path in paths})]
        return export.Exported(tuple(paths), scenes, beside, loud, found, tuple(p for p in older if p.exists()))

    # Filming

    @property
    def filmed(self) -> filming.Film:
        """What became of its film the last time; one without results where it was not filmed yet."""
        return filming.last(self.folder)

    def film_quote(self) -> filming.FilmQuote:
        """What filming it would buy, and which scenes changed since they were filmed. Nothing is sent.

        Raises VoiceError while clauses are unspoken, SettingError for an engine that there is not.
        """
        return filming.quoted(self._footage(), self._means.filming(False))

    def videos(self, engine: str) -> tuple[KeptVideo | None, ...]:
        """The video of each scene that an engine made, or None where it made none of the scene as it is now.

        Raises VoiceError while clauses are unspoken, SettingError for an engine that there is not.
        """
        return filming.kept(self._footage(), self._means.filming(False), engine)

    async def film(
        self,
        listener: Listener = unheard,
        *,
        scenes: Collection[str] | None = None,
        again: bool = False,
        force_upload: bool = False,
    ) -> filming.Film:
        """Film each scene, several at once, and put them together as ``film.mp4`` in the production's folder.

        A scene that was filmed and has not changed since is there already. Of the ``scenes`` that are named (by their
        ids) only these are filmed; ``again`` puts the film together anew, ``force_upload`` gives vendors anew what they
        have. What goes wrong with a scene is told in the result. Raises VoiceError while clauses are unspoken,
        BusyError where it is being filmed, SettingError, StoreError, and Stopped from the listener: what a vendor has
        begun goes on there, and the next call takes it up.
        """
        self._file.check()  # before a lock would make a folder that was deleted
        lock = await asyncio.to_thread(files.hold, self.folder / filming.LOCK)
        if lock is None:
            raise BusyError(f"{self.name} is being filmed. Wait until that has ended, or stop it, and try again.")
        try:
            footage = await asyncio.to_thread(self._footage)
            self._change(lambda state: state.model_copy(update={"gain": footage.rendering.gain}))
            with followed(self.folder, "film", self, listener) as heard:
                return await filming.filmed(
                    footage,
                    self._means.filming(force_upload),
                    self._account,
                    self._fill_template,
                    heard,
                    scenes=scenes,
                    again=again,
                )
        finally:
            lock.release()

    # Within

    async def _fill_template(self, slots: Sequence[Slot], materials: Sequence[Material]) -> Mapping[str, str]:
        """Have an agent decide what each slot of a template shows, and keep who did."""
        found = await template.mapped(slots, materials, self._thinks())
        self._change(lambda state: deciding.decided(state, template.AGENT.name, [found]))
        return found.value.by_slot

    def _rendered(self, state: State) -> tuple[Rendering, Loudness]:
        timeline, choices = self._arranged(state), self.choices
        loud = loudness(timeline, choices, state.gain)
        return Rendering(timeline, choices, loud.gain, self._takes.samples, self._runs), loud

    def _footage(self) -> filming.Footage:
        with self._lock:  # clauses and state of one script
            rendering, _ = self._rendered(self._state)
            return filming.Footage(
                self.name, self.folder, rendering, self.clauses, tuple(self.script.scenes), self.choices
            )

    def _change(self, change: Callable[[State], State]) -> None:
        """The one door to the state: change it and save it, whole, before anyone else does."""
        with self._lock:
            state = change(self._state)
            if self._rehearsed:
                self._state = state
                return
            if state == self._saved:
                self._file.check()  # what changes nothing here may change what was saved elsewhere
            else:
                self._file.save(state)
            self._state = self._saved = state

    def _edit(self, what: str, pauses: Callable[[State], Sequence[Pause]]) -> None:
        self._change(lambda state: edited(state, what, pauses(state)))

    def _thinks(self) -> agents.Thinking:
        return self._means.thinking(self.choices, self._account)

    @property
    def _subject(self) -> deciding.Subject:
        with self._lock:
            whole = parse(self.text, self.choices)
            return deciding.Subject(whole, self._state, self.clauses, self.spans, self.folder)

    @asynccontextmanager
    async def _deciding(self, listener: Listener) -> AsyncIterator[tuple[agents.Thinking, Listener]]:
        """One's turn to have an agent decide: what it thinks with, and who hears how far it is."""
        async with self._turn():
            with followed(self.folder, "think", self, listener) as heard:
                yield self._thinks(), heard

    def _decided(
        self,
        agent: agents.Agent[Any],
        decisions: Sequence[agents.Decision[Any]],
        change: Callable[[State], State],
    ) -> tuple[Decided, ...]:
        """Take in what an agent decided, and keep who did; saved once."""
        with self._lock:
            self._redecide(deciding.decided(change(self._state), agent.name, decisions))
            return tuple(each for each in self.decisions if each.agent == agent.name)

    def _redecide(self, state: State) -> None:
        """Go on with a state in which agents' decisions differ: the script is cast and cut anew.

        A clause that is another voice's now has its take no longer in use; one whose take is in the store has it.
        """
        script = deciding.readied(parse(state.text, self.choices), state)
        clauses = tuple(script.clauses)
        speaking.check_voices(clauses, self.choices, self._means.voices)
        orders = speaking.orders(clauses, state.clauses, self.choices, self._means.voices)
        state = speaking.without_others(state, orders)
        state = speaking.with_take(state, (each for each in orders if self._waits(each, state)))
        self._change(lambda _: state)
        self.script, self.clauses, self.spans = script, clauses, spans_of(script)

    def _waits(self, order: Order, state: State) -> bool:
        """Whether a clause has no take in use, and the one it wants is in the store."""
        try:
            return state.clauses[order.index].take is None and self._takes.is_here(order.recipe.fingerprint)
        except StoreError:  # damaged, which speaking tells
            return False

    def _planned(self, state: State, found: agents.Decision[planning.Planned], samples: int) -> State:
        with self._naming():
            return deciding.planned(state, found, self._taken(state), self.spans, self.choices, samples)

    def _total(self, total: str | float) -> int:
        """A total as one writes it, in samples. Raises SettingError."""
        if not isinstance(total, str) and not _is_number(total):
            raise SettingError(f"{total!r} is no total. Write it as '10:00', or in seconds.")
        return samples_of(total, self.choices.sample_rate)

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Errors of fitting name the clauses in the way by their words."""
        try:
            yield
        except FitError as error:
            raise naming(error, self.clauses) from error

    async def _speak(
        self, orders: Sequence[Order], listener: Listener, hear: Hear | None = None, pauses: Sequence[float] = (0.0,)
    ) -> None:
        filled: list[Order] = []
        kept = time.monotonic()

        def keep(order: Order) -> None:
            nonlocal kept
            filled.append(order)
            if time.monotonic() - kept > _KEEP:
                self._keep(filled)
                filled.clear()
                kept = time.monotonic()

        with followed(self.folder, "speak", self, listener) as heard:
            try:
                await speaking.speak(orders, self._takes, self._account, heard, keep, hear, pauses)
            finally:  # also when it was stopped: what is here is here
                if filled:
                    self._keep(filled)

    def _keep(self, filled: Sequence[Order]) -> None:
        """Keep takes: also beside pauses that another window saved meanwhile, which are taken up."""
        with self._lock:
            try:
                self._change(lambda state: speaking.with_take(state, filled))
            except ChangedError:
                script = self._state.text, self._state.choices
                theirs = self._file.load_if(lambda state: (state.text, state.choices) == script)
                if theirs is None:
                    raise
                self._state = self._saved = theirs
                self._change(lambda state: speaking.with_take(state, filled))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One speaks at a time, on whichever event loop; whoever comes second finds the takes of the first."""
        try:
            while not self._speaking.acquire(blocking=False):
                await asyncio.sleep(_AGAIN)
            try:
                yield
            finally:
                self._speaking.release()
        except asyncio.CancelledError as error:  # which is how a notebook's cell is interrupted
            shown_as(error, "Stopped. What was spoken is kept; run the same cell to go on.")
            raise

    def _overtaken(self) -> str:
        return ", changed elsewhere: reload() takes that up" if self.saved_elsewhere() else ""

    @property
    def _account(self) -> Account:
        means = self._means
        return Account(means.ledger, means.store, self.name, self.choices.budget, within=means.within)

    def _orders(self, state: State) -> list[Order]:
        voices = cache(self._means.voices)  # which look at the settings each time
        return speaking.orders(self.clauses, state.clauses, self.choices, voices, self.spans)

    def _carried(self, state: State, text: str) -> State:
        """The state for another text or other choices; takes that another voice spoke are no longer in use."""
        update: dict[str, Any] = {"text": text, "choices": self.choices}
        unheard_of = {name: getattr(self.choices, name) for name in ("mind", "minds", *Filming.model_fields)}
        if state.choices.model_copy(update=unheard_of) != self.choices:
            update["gain"] = None
        written = cutting.cut(parse(text, self.choices), state.cuts)  # uncast: a clause is known by its own speaker
        state = carried(state.model_copy(update=update), tuple(written.clauses))
        return speaking.without_others(state, self._orders(state))

    def _in_use(self, state: State) -> tuple[Take | None, ...]:
        return tuple(None if clause.take is None else self._takes.get(clause.take) for clause in state.clauses)

    def _taken(self, state: State) -> list[Take]:
        takes = self._in_use(state)
        missing = [clause for clause, take in zip(self.clauses, takes, strict=True) if take is None]
        if missing:
            count = counted(len(missing), "clause")
            raise VoiceError(f"{count} still to be spoken, the first on line {missing[0].line}. Speak first.")
        return [take for take in takes if take is not None]

    def _arranged(self, state: State) -> Timeline:
        return arrange(self._taken(state), state.pauses, self.spans, self.choices)

    def _clauses_of(self, scene: str) -> range:
        spans = {span.id: range(span.first, span.last) for span in self.spans}
        found = spans.get(canonical_scene_id(scene) or scene) if isinstance(scene, str) else None
        if found is None:
            raise SettingError(f"There is no scene {scene!r} with clauses. There are: {', '.join(spans)}.")
        return found

    def _counted(self, key: SupportsIndex | slice) -> int:
        count = len(self.clauses)
        if isinstance(key, slice):
            raise SettingError("A slice names several clauses. Give one, or set several by tune({0: 4.0, 1: 4.0}).")
        try:
            index = operator.index(key)
        except TypeError:
            raise SettingError(f"{key!r} names no clause. Give its index or words that only it has.") from None
        if not -count <= index < count:
            raise SettingError(f"There is no clause {index}: {self.name} has {count}, counted from 0.")
        return index % count


class Pauses:
    """A production's pauses: read by index or words, tuned by assigning seconds."""

    def __init__(self, production: Production) -> None:
        self._production = production

    def __repr__(self) -> str:
        production = self._production
        seconds = sum(pause.seconds for pause in self)
        return f"<Pauses of {production.name!r}: {len(self)}, {seconds:.1f} s in all{production._overtaken()}>"

    def __len__(self) -> int:
        return len(self._production.clauses)

    def __getitem__(self, key: Key) -> Pause:
        return self._production._state.pauses[self._production.index(key)]

    def __setitem__(self, key: Key, seconds: float) -> None:
        self._production.tune({self._production.index(key): seconds})

    def __iter__(self) -> Iterator[Pause]:
        return iter(self._production._state.pauses)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
