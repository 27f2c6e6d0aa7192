"""Making hot takes, whole or step by step: each step is resumed where it was left, and bought once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luma_studio.agents import hot_take as writing
from luma_studio.errors import BusyError, InputError, LumaError, Stopped, StoreError, VideoError
from luma_studio.hot_take import checking
from luma_studio.hot_take.quoting import StepQuote, quoted
from luma_studio.hot_take.record import FILE, STEPS, Brief, Record, Standing, Step, StepState, load, save
from luma_studio.production import Production
from luma_studio.progress import Event, Listener, unheard
from luma_studio.store import files
from luma_studio.studio import Studio
from luma_studio.transcripts import Transcript, transcribe
from luma_studio.voices import Hear

SOUND = "hot take.mp3"
"""What a hot take is heard as, in its folder."""

Watch = Callable[[Record], None]
"""Is told of a hot take whenever a step of it stands otherwise."""

_LOCK = ".hot_take.lock"
_RECORDINGS = "recordings"  # under which name transcripts outside of a hot take are bought


def _unwatched(record: Record) -> None:
    """Nobody watches."""


class HotTakes:
    """The hot takes of a studio's workspace. Each lies in the folder of its production, with its ``hot_take.json``."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    # What is there

    def get(self, name: str) -> Record:
        """A hot take by its name. Raises InputError where there is none, StoreError where its file is damaged."""
        found = load(files.confined(self.studio.folder, name))
        if found is None:
            raise InputError(f"There is no hot take {name[:60]!r}. To see them: luma-studio take --history.")
        return self._as_it_stands(found)

    def history(self) -> tuple[Record, ...]:
        """All hot takes, the newest first; one whose file is damaged is left out."""
        found = []
        with files.explained(self.studio.folder):
            paths = sorted(self.studio.folder.glob(f"*/{FILE}"))
        for path in paths:
            with suppress(StoreError):
                record = None if path.parent.name.startswith(".") else load(path.parent)
                if record is not None:
                    found.append(self._as_it_stands(record))
        return tuple(sorted(found, key=lambda each: -each.begun))

    def production(self, name: str) -> Production:
        """The production that speaks a hot take. Raises SettingError where it is not spoken yet."""
        return self.studio.production(name)

    def folder(self, name: str) -> Path:
        """Where its files lie."""
        return files.confined(self.studio.folder, name)

    def quote(self, what: Brief | str, until: Step = "film") -> tuple[StepQuote, ...]:
        """What the steps would buy that are still to be made, about. Nothing is sent. Raises as ``check``."""
        record = self._known(what) if isinstance(what, Brief) else self.get(what)
        checking.check(record.brief, until, self.studio)
        return quoted(record, until, self.studio)

    # Making

    def begin(self, brief: Brief) -> Record:
        """The hot take of a brief, its folder made if there is none yet. Nothing is bought."""
        record = self._known(brief)
        if load(self.folder(record.name)) is None:
            save(self.folder(record.name), record)
        return record

    def edit(self, name: str, text: str) -> Record:
        """Have it say other words, before they are spoken or after. Raises InputError for none at all."""
        words = " ".join(text.split())
        if not words:
            raise InputError("There are no words left. Write some, or have them written anew.")
        record = self.get(name)
        if words == record.text:
            return record
        with self._alone(name):
            steps = {step: state for step, state in record.steps.items() if step not in ("speak", "film")}
            record = record.model_copy(update={"text": words, "steps": steps})
            save(self.folder(name), record)
        return record

    async def transcribe(
        self, recording: Path | str, transcriber: str = "", listener: Listener = unheard
    ) -> Transcript:
        """What is said in an audio or video file. Raises as ``transcripts.transcribe``, and SettingError."""
        brief = Brief(persona="", recording=str(recording), transcriber=transcriber)
        made_by = checking.transcriber_of(brief, self.studio)
        return await transcribe(recording, made_by, self.studio.budgeted(_RECORDINGS), listener)

    async def write(self, pitch: str, persona: str, listener: Listener = unheard, **more: Any) -> Record:
        """What a persona says of a pitch: its words, tokens, latency and model. ``more`` is of the ``Brief``."""
        return await self.make(Brief(persona=persona, pitch=pitch, **more), "write", listener)

    async def speak(
        self, text: str, persona: str, listener: Listener = unheard, hear: Hear | None = None, **more: Any
    ) -> Record:
        """Words that were typed, in a persona's voice; ``voice`` has settings of it. As ``make``."""
        return await self.make(Brief(persona=persona, text=text, **more), "speak", listener, hear=hear)

    async def film(self, text: str, persona: str, listener: Listener = unheard, **more: Any) -> Record:
        """Words that were typed, with a persona's face: in its voice, or HeyGen's (``heygen_voice=True``)."""
        return await self.make(Brief(persona=persona, text=text, **more), "film", listener)

    async def make(
        self,
        what: Brief | str,
        until: Step = "film",
        listener: Listener = unheard,
        *,
        hear: Hear | None = None,
        watch: Watch = _unwatched,
    ) -> Record:
        """Make a hot take, of a brief or by its name, as far as a step; what is there already is free.

        ``hear`` is told its sound from when the first 250 ms of the first clause are there, while the rest is still
        spoken: int16 of shape (n,) and their rate, from any thread. ``watch`` is told of each change.

        Raises as ``check`` before anything is begun; then WritingError, VoiceError, VideoError, TranscriptError,
        VendorError, BudgetError, StoreError, BusyError where it is being made; and Stopped from the listener. What was
        made is kept: the same call goes on from there.
        """
        brief = what if isinstance(what, Brief) else self.get(what).brief
        await asyncio.to_thread(self._check, what, brief, until)
        record = self.begin(what) if isinstance(what, Brief) else self.get(what)
        with self._alone(record.name):
            making = _Making(self, record, listener, hear, watch)
            await making.until(until)
            return making.record

    def _check(self, what: Brief | str, brief: Brief, until: Step) -> None:
        name = brief.name if isinstance(what, Brief) else what
        there = load(self.folder(name))
        known = brief if there is None else brief.model_copy(update={"text": there.text or brief.text})
        if there is not None and there.heard:  # the recording itself may be gone by now
            known = known.model_copy(update={"recording": "", "pitch": there.pitch})
        checking.check(known, until, self.studio)

    def _known(self, brief: Brief) -> Record:
        """The hot take of a brief as it stands, or as it would be begun."""
        there = load(self.folder(brief.name))
        if there is not None:
            return self._as_it_stands(there.model_copy(update={"brief": brief}))
        text = " ".join(brief.text.split())
        return Record(name=brief.name, begun=time.time(), brief=brief, text=text)

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Be the one, among all processes, who makes or changes it. Raises BusyError."""
        lock = files.hold(self.folder(name) / _LOCK)
        if lock is None:
            raise BusyError(f"{name} is being made. Wait until that has ended, or stop it, and try again.")
        try:
            yield
        finally:
            lock.release()

    def _as_it_stands(self, record: Record) -> Record:
        """A step that nobody makes any more, as its process died, was stopped."""
        running = [step for step in STEPS if record.step(step).state == "running"]
        if not running or not (self.folder(record.name) / _LOCK).exists():
            return record
        lock = files.hold(self.folder(record.name) / _LOCK)
        if lock is None:
            return record
        lock.release()
        for step in running:
            record = record.with_step(
                step, StepState(state="stopped", message="It was broken off. Make it again to go on.")
            )
        return record


@dataclass(slots=True)
class _Making:
    """The making of one hot take: what stands in its file, and who is told."""

    takes: HotTakes
    record: Record
    listener: Listener
    hear: Hear | None
    watch: Watch

    async def until(self, last: Step) -> None:
        """Make each step that is not there, in order; what waits for none of them is done meanwhile."""
        beside = asyncio.create_task(asyncio.to_thread(self._look_at_face)) if last == "film" else None
        try:
            for step in STEPS[: STEPS.index(last) + 1]:
                await self._step(step)
        finally:
            if beside is not None:
                await beside

    async def _step(self, step: Step) -> None:
        make = getattr(self, f"_{step}")
        began = time.monotonic()
        try:
            await make()
        except Stopped as error:
            self._stands(step, "stopped", str(error))
            raise
        except LumaError as error:
            self._stands(step, "failed", str(error), time.monotonic() - began)
            raise
        except BaseException:  # cancelled, interrupted, or a mistake of ours
            self._stands(step, "stopped", "It was broken off. Make it again to go on.")
            raise

    async def _transcribe(self) -> None:
        brief = self.record.brief
        if not brief.recording:
            return self._stands("transcribe", "skipped", "There is no recording.")
        if self.record.heard or self.record.text:
            return None
        studio = self.takes.studio
        with self._timed("transcribe"):
            made_by = checking.transcriber_of(brief, studio)
            account = studio.budgeted(self.record.name, brief.budget)
            found = await transcribe(Path(brief.recording), made_by, account, self.listener)
            self.record = self.record.model_copy(update={"heard": found.text})
        return None

    async def _write(self) -> None:
        if self.record.text:
            typed = not self.record.mind
            return self._stands("write", "skipped", "The words were typed.") if typed else None
        studio, brief = self.takes.studio, self.record.brief
        wanted = checking.wanted(brief, self.record.pitch, studio)
        with self._timed("write"):
            self.listener(Event("think", 0, 1, "hot_take", "began"))
            thinking = studio.thinking(self.record.name, brief.budget, **checking.mind_changes(brief, studio))
            found = await writing.write(wanted, thinking)
            told = {name: getattr(found, name) for name in ("text", "mind", "model", "asked", "answered", "latency")}
            self.record = self.record.model_copy(update={**told, "written": found.text})
            self.listener(Event("think", 1, 1, "hot_take"))
        return None

    async def _speak(self) -> None:
        production = await self._opened()
        if self.record.brief.heygen_voice:
            await production.speak(self.listener)  # by the embedded voice: how long each clause takes, about
            return self._stands("speak", "skipped", "HeyGen’s own voice speaks it.")
        with self._timed("speak"):
            await production.speak(self.listener, self.hear)
            await asyncio.to_thread(production.export, SOUND, audit=False, listener=self.listener)
        return None

    async def _film(self) -> None:
        production = await self._opened()
        with self._timed("film"):
            film = await production.film(self.listener)
            if film.status != "success":
                message = next(iter(film.errors), "") or next((each.message for each in film.results), "")
                if any(each.status in ("submitted", "processing") for each in film.results):
                    return self._stands("film", "processing", message)
                raise VideoError(message.removeprefix("scene_1: ") or "The film could not be made. Try again.")
        return None

    async def _opened(self) -> Production:
        studio = self.takes.studio
        changes = checking.production_changes(self.record.brief, studio)
        return await asyncio.to_thread(studio.production, self.record.name, self.record.text, **changes)

    def _look_at_face(self) -> None:
        """Have the persona's picture ready by when it is filmed; what is wrong with it is told then."""
        studio = self.takes.studio
        with suppress(LumaError):
            studio.photos.find(f"persona:{self.record.brief.persona}")

    @contextmanager
    def _timed(self, step: Step) -> Iterator[None]:
        """A step that runs, and is done at the end if it does not stand otherwise by then.

        One that was done already took as long as it did then.
        """
        before = self.record.step(step)
        self._stands(step, "running")
        began = time.monotonic()
        yield
        if self.record.step(step).state == "running":
            took = before.took if before.state == "done" else time.monotonic() - began
            self._stands(step, "done", took=took)

    def _stands(self, step: Step, state: Standing, message: str = "", took: float | None = None) -> None:
        """Keep how a step stands, and tell it."""
        spent = self.takes.studio.ledger.spent(self.record.name)
        stands = StepState(state=state, message=message, took=None if took is None else round(took, 3))
        self.record = self.record.with_step(step, stands).model_copy(update={"cost": spent})
        save(self.takes.folder(self.record.name), self.record)
        self.watch(self.record)
