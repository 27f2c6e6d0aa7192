"""The one state that joins the panels: a studio, the production that is open, and the work that is on its way."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar
from weakref import WeakSet

from luma_studio.animating import Animation
from luma_studio.errors import ChangedError, LumaError, SettingError, Stopped
from luma_studio.export import Exported
from luma_studio.jobs import presence
from luma_studio.kinds import film_later
from luma_studio.panels.described import changed_pauses, pauses_state, production_state
from luma_studio.panels.heard import Heard
from luma_studio.panels.jobs import JobWork, follow_jobs
from luma_studio.panels.work import Work
from luma_studio.production import Production
from luma_studio.progress import Listener, follow, unheard
from luma_studio.script import Clause, Pause
from luma_studio.store.jobs import Job
from luma_studio.store.state import Decided
from luma_studio.studio import STORE, Studio
from luma_studio.video.base import Motion

_log = logging.getLogger(__name__)

Verb = TypeVar("Verb")
SomeWork = TypeVar("SomeWork", bound=Work)
Hears = Callable[[str, object], None]
"""A panel's ear: a topic and what is new of it, as plain JSON."""

_DECIDES: dict[str, Callable[..., Coroutine[Any, Any, object]]] = {
    "analysis": Production.analyse,
    "planning": Production.plan,
    "sanitizer": Production.sanitize,
    "segmentation": Production.segment,
    "splice": Production.review,
}
_TAKES_BACK: dict[str, Callable[[Production], None]] = {
    "analysis": Production.uncast,
    "segmentation": Production.uncut,
}
_IN_TURN = {"speak": "Speaking", "think": "An agent"}  # work that a production does one after the other
_WATCH = 1.0  # seconds between two looks at what others did: a cell of the notebook, another window


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the panels were told last of a production, by which one sees what changed since."""

    clauses: tuple[Clause, ...]
    takes: tuple[str | None, ...]
    pauses: tuple[Pause, ...]
    decisions: tuple[Decided, ...]

    @classmethod
    def of(cls, production: Production) -> Self:
        takes = tuple(None if take is None else take.fingerprint for take in production.takes_in_use)
        return cls(production.clauses, takes, tuple(production.pauses), production.decisions)

    def allows(self, theirs: _Seen, made: _Seen) -> bool:
        """Whether what an edit made of ``theirs``, which others saved meanwhile, touches nothing that they changed."""
        return theirs.clauses == self.clauses and all(
            there in (before, after)
            for mine, others, edited in (
                (self.takes, theirs.takes, made.takes),
                (self.pauses, theirs.pauses, made.pauses),
            )
            for before, there, after in zip(mine, others, edited, strict=True)
        )


_open: WeakSet[Session] = WeakSet()


def _with(production: Production) -> list[Session]:
    """The sessions that have this very production open."""
    return [session for session in _open if session._production is production]


class Session:
    """What the panels share. Give one to each panel of a page, so that an edit in one is seen in all.

    >>> session = Session(Studio())                                    # doctest: +SKIP
    >>> session.open("evening-calm")                                   # doctest: +SKIP

    Without a studio it has that of the production's folder, or one of its own. Its verbs may be called from any thread;
    long work runs in a thread of its own and is told to the panels, and so is what a cell of the notebook has the
    production do. Topics:
    ``production`` (another one is open, its script or takes changed: its name), ``state`` (the same: all of it),
    ``pauses`` (an edit, or a decision of an agent), ``work`` (speaking, exporting, filming or an agent: how far),
    ``animating`` (a still that is had move: how far), ``taking`` (a hot take that is made: how far), ``hot_take`` (one
    stands otherwise), ``photos`` (another one is there), ``files`` (what is in
    ``generated_audio/`` changed), ``elsewhere`` (whether another window has the same production open),
    ``notice`` (a sentence for the user); and from panel to panel ``draft`` (whether what stands in the editor is not in
    the script) and ``wanted`` (that the editor begins its production, without speaking it).
    """

    def __init__(self, studio: Studio | None = None, production: Production | None = None) -> None:
        _check_given(studio, production)
        self._studio = studio or (Studio() if production is None else Studio.of(production))
        self._closes_studio = studio is None
        self._ears: list[Hears] = []
        self._lock = threading.RLock()  # an edit and what is told of it are one step
        self._production: Production | None = None
        self._seen: _Seen | None = None
        self._held = False
        self._closed = False
        self._works: dict[str, Work] = {}
        self._begun: list[Work] = []  # here, and not in a cell
        self._aside: dict[str, Work] = {}  # by kind: which is no open production's
        self._unfollow: Callable[[], None] = lambda: None
        self._watching: list[Future[None]] = []  # what others do
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        _open.add(self)
        if production is not None:
            self._take(production)

    def __repr__(self) -> str:
        shown = "closed" if self._closed else f"of {self.production.name!r}" if self.is_open else "without a production"
        return f"<Session {shown}>"

    # What is there

    @property
    def studio(self) -> Studio:
        """The studio."""
        return self._studio

    @property
    def production(self) -> Production:
        """The open production. Raises SettingError if there is none, or the session is closed."""
        self.check_not_closed()
        if self._production is None:
            raise SettingError("No production is open. Write or paste a script and give it a name to begin.")
        return self._production

    @property
    def is_open(self) -> bool:
        """Whether a production is open."""
        return self._production is not None

    def state(self) -> dict[str, Any] | None:
        """The open production as the page needs it, None if there is none."""
        with self._lock:
            return None if self._production is None else production_state(self._production)

    def works(self) -> list[dict[str, Any]]:
        """The work that is on its way or has just ended, as the page needs it."""
        return [work.state() for work in self._works.values()]

    @property
    def _working(self) -> bool:
        """Whether the open production itself is at work; another object on its folder may be, too."""
        return any(work.running and work.by is self._production for work in self._works.values())

    @property
    def elsewhere(self) -> bool:
        """Whether another window has this production open, too."""
        return self._production is not None and not self._held

    # Panels

    def listen(self, ear: Hears) -> Callable[[], None]:
        """Be told what changes, until the answer is called."""
        self._ears.append(ear)
        return lambda: self._ears.remove(ear) if ear in self._ears else None

    def tell(self, topic: str, value: object) -> None:
        """Tell every panel."""
        for ear in tuple(self._ears):
            ear(topic, value)

    def notice(self, text: str, level: str = "note") -> None:
        """Have a sentence shown in the page; ``level`` is note, warning or error."""
        self.tell("notice", {"text": text, "level": level})

    # Productions

    def open(self, name: str) -> None:
        """Open a production of the studio."""
        with self._lock:
            self._check_free()
            self._take(self.studio.production(name))

    def begin(self, name: str, text: str, **changes: Any) -> None:
        """Open or begin a production with this script; what of it was spoken and tuned stays."""
        with self._lock:
            self._check_free()
            self._take(self.studio.production(name, text, **changes))
        self.tell("files", None)

    def choose(self, **changes: Any) -> None:
        """Change settings of the open production; its script, and what of it was spoken and tuned, stays."""
        with self._lock:
            self._check_free()
            self._take(self.studio.production(self.production.name, **changes))

    def leave(self) -> None:
        """Close the production; its folder keeps it."""
        with self._lock:
            self._check_free()
            self._take(None)

    def check_not_closed(self) -> None:
        """Raise SettingError once the session is closed."""
        if self._closed:
            raise SettingError("This session is closed. Make a new one, Session(studio), and new panels over it.")

    def close(self) -> None:
        """End the session for good: stop its work, let go of the production. Its panels stay as they are."""
        if self._closed:
            return
        begun = [*self._begun, *self._aside.values()]
        for work in begun:
            work.stop()
        for work in begun:
            work.wait()
        with self._lock:
            self._let_go()
            self._closed = True
        self.notice("This session is closed: its panels show what was there last. Make a new one to go on.", "warning")
        if self._closes_studio:
            self._studio.close()
        if self._loop is not None and self._thread is not None:
            self._submit(_end())
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_free(self) -> None:
        """Raise SettingError while work on the open production is on its way, or when the session is closed."""
        self.check_not_closed()
        if self._working or any(isinstance(work, JobWork) and work.running for work in self._works.values()):
            raise SettingError("Work on this production is still on its way. Wait for it, or stop it first.")

    def _take(self, production: Production | None) -> None:
        with self._lock:
            if production is not self._production:
                self._let_go()
            self._works.clear()
            if production is not None and self._production is None:
                self._production = production
                self._held = self._holds(production)
                self._unfollow = follow(production.folder, self._follower)
                self._watch()
            self._tell_production()

    def _let_go(self) -> None:
        before, self._production, self._held = self._production, None, False
        self._unfollow()
        self._unfollow = lambda: None
        for task in self._watching:
            task.cancel()
        self._watching = []
        self._begun.clear()
        if before is not None and not _with(before):
            before.release()

    def _holds(self, production: Production) -> bool:
        """Whether this process holds the production; its sessions are one window, whichever of them asked first."""
        beside = any(other._held and other._folder == production.folder for other in _open if other is not self)
        return production.hold() or beside

    @property
    def _folder(self) -> Path | None:
        return None if self._production is None else self._production.folder

    def _tell_production(self) -> None:
        with self._lock:
            self._seen = None if self._production is None else _Seen.of(self._production)
            self.tell("production", None if self._production is None else self._production.name)
            self.tell("state", self.state())
            self.tell("elsewhere", self.elsewhere)

    # Edits

    def edit(self, change: Callable[[Production], object], by: object = None) -> None:
        """Change the pauses of the production, and tell the panels. ``by`` is given back with what changed.

        What was saved elsewhere in the meantime is not overwritten: it is taken up and told, and the edit made upon it.
        Raises ChangedError instead where the edit would touch what was changed there.
        """
        with self._lock:
            try:
                change(self.production)
            except ChangedError:
                before = _Seen.of(self.production)
                self._take_up()
                self._check_apart(change, before)
                change(self.production)
            self._tell_changes(by)

    def _check_apart(self, change: Callable[[Production], object], before: _Seen) -> None:
        """Raise ChangedError if a change would touch what others have changed since ``before``."""
        theirs = _Seen.of(self.production)
        with self.production.rehearsing():
            change(self.production)
            made = _Seen.of(self.production)
        if not before.allows(theirs, made):
            raise ChangedError(
                f"{self.production.name} was changed {self._where} a moment ago. You see it now as it is "
                "there; please make your last edit again."
            )

    @property
    def _where(self) -> str:
        return "in another window" if self.elsewhere else "outside these panels"

    def _tell_changes(self, by: object = None) -> None:
        """Tell what changed since the panels were told last: by an edit of theirs, or in a cell of the notebook."""
        before, now = self._seen, _Seen.of(self.production)
        if before is None or (before.clauses, before.takes) != (now.clauses, now.takes):
            self._tell_production()
            return
        self._seen = now
        changed = changed_pauses(before.pauses, now.pauses)
        self.tell("pauses", {**pauses_state(self.production, changed), "by": by})

    def take_back(self, index: int, fingerprint: str | None = None) -> None:
        """Use an earlier take of a clause again, and tell the panels."""
        self.edit(lambda production: production.take_back(index, fingerprint))

    def take_back_of(self, agent: str) -> None:
        """Take back what an agent did to the script: the speakers of "analysis", the cuts of "segmentation".

        Raises ChangedError, and changes nothing, where the script is another one elsewhere by now.
        """
        take_back = _of_agent(_TAKES_BACK, agent)
        with self._lock:
            self._check_free()
            try:
                take_back(self.production)
            except ChangedError:
                before = self.production.clauses
                self._take_up()
                if self.production.clauses != before:
                    raise
                take_back(self.production)
            self._tell_production()

    def _take_up(self) -> None:
        """Go on with what was saved elsewhere."""
        with self._lock:
            if self._working:
                raise ChangedError(
                    f"{self.production.name} was changed {self._where}. Its changes, and yours, can be made when "
                    "the work on it has ended."
                )
            self.production.reload()
            self._tell_production()

    # Work

    def speak(self) -> Work:
        """Speak what is not spoken yet, in the background; what is there can be heard meanwhile."""
        production = self.production
        return self._start("speak", lambda work: production.speak(work.heard))

    def speak_again(
        self, index: int, voice: str | None = None, seed: int | None = None, heard: Heard | None = None
    ) -> Work:
        """Speak one clause again, in the background; ``heard`` is told its sound as it comes, and when that ends."""
        production = self.production

        async def spoken(work: Work) -> None:
            hear = None if heard is None else heard.hear
            with nullcontext() if heard is None else heard.until_its_end():
                await production.speak_again(index, voice=voice, seed=seed, listener=work.heard, hear=hear)

        return self._start("speak", spoken)

    def export(self, *names: str, done: Callable[[Exported], None] | None = None) -> Work:
        """Export, in the background; ``done`` is given what was made."""
        production = self.production

        async def exported(work: Work) -> None:
            result = await asyncio.to_thread(production.export, *names, listener=work.heard)
            if done is not None:
                done(result)

        return self._start("export", exported)

    def think(self, agent: str, **given: Any) -> Work:
        """Have an agent decide, in the background, by its name in ``agents.NAMES``; planning is given a ``total``."""
        decide, production = _of_agent(_DECIDES, agent), self.production
        return self._start("think", lambda work: decide(production, listener=work.heard, **given))

    def film(self, scenes: Collection[str] | None = None, *, again: bool = False, force_upload: bool = False) -> Work:
        """Film the scenes, all or those that are named, and put them together, in the background."""
        asked: dict[str, Any] = {"scenes": scenes, "again": again, "force_upload": force_upload}
        if presence.is_anybody(self.studio.folder / STORE):  # then closing the page stops nothing that is paid for
            with self._lock:
                self._check_not_shown("film")
                return self._show_job(film_later(self.studio, self.production.name, **asked))
        production = self.production
        return self._start("film", lambda work: production.film(work.heard, **asked))

    def animate(self, motion: Motion, engine: str, done: Callable[[Animation], None]) -> Work:
        """Have a still move, in the background, whichever production is open; ``done`` is given what was made."""

        async def animated(work: Work) -> None:
            done(await self.studio.animate(motion, engine, work.heard))

        return self._start_aside("animate", "animating", animated)

    def make_hot_take(self, make: Callable[[Listener], Coroutine[Any, Any, object]]) -> Work:
        """Have a hot take made, in the background, whichever production is open: ``make`` is given who hears of it."""
        return self._start_aside("hot take", "taking", lambda work: make(work.heard))

    def aside(self, kind: str) -> Work | None:
        """The last work on a still that moves ("animate") or a "hot take", if there was any."""
        return self._aside.get(kind)

    def stop(self, kind: str) -> None:
        """Stop speaking, exporting, filming, an agent, a still that is had move ("animate") or a "hot take".

        What is done stays.
        """
        work = self._aside.get(kind) or self._works.get(kind)
        if work is not None:
            work.stop()

    def _start_aside(self, kind: str, topic: str, task: Callable[[Work], Coroutine[Any, Any, object]]) -> Work:
        """Begin work that is no open production's, one of a kind at a time."""
        with self._lock:
            self.check_not_closed()
            before = self._aside.get(kind)
            if before is not None and before.running:
                raise SettingError("One is on its way already. Wait for it, or stop it first.")
            work = self._aside[kind] = Work(kind, lambda state: self.tell(topic, state))
        self._submit(self._worked(work, task))
        return work

    def _start(self, kind: str, task: Callable[[Work], Coroutine[Any, Any, object]]) -> Work:
        with self._lock:
            self._check_turn(kind)
            self._check_not_shown(kind)
            work = self._show(Work(kind, self._tell_work, self.production))
            self._begun = [*(other for other in self._begun if other.running), work]
        self._submit(self._worked(work, task))
        return work

    def _check_turn(self, kind: str) -> None:
        """Raise SettingError while other work is on its way for which this would have to wait, unseen."""
        for other in _IN_TURN.keys() - {kind} if kind in _IN_TURN else ():
            if other in self._works and self._works[other].running:
                raise SettingError(f"{_IN_TURN[other]} is still on its way. Wait for it, or stop it first.")

    def _shown(self, kind: str, by: object) -> Work | None:
        """Work that begins and is shown from here on; None if such work is shown already."""
        with self._lock:
            return None if self._is_shown(kind) else self._show(Work(kind, self._tell_work, by))

    def _is_shown(self, kind: str) -> bool:
        return kind in self._works and self._works[kind].running

    def _check_not_shown(self, kind: str) -> None:
        if self._is_shown(kind):
            raise SettingError("That is already on its way. Wait for it, or stop it first.")

    def _show(self, work: SomeWork) -> SomeWork:
        self._works[work.kind] = work
        return work

    def _tell_work(self, state: dict[str, Any]) -> None:
        self.tell("work", state)

    # Jobs, which another process does

    def _show_job(self, job: Job) -> JobWork:
        work = self._show(JobWork(job, self.studio.jobs, self._tell_work))
        self._tell_work(work.state())
        return work

    def _take_job(self, production: Production, job: Job) -> None:
        """Show a job of the open production as it stands, whoever began it."""
        with self._lock:
            if self._production is not production:
                return
            work = self._works.get(job.kind)
            if work is None or work.by != job.id:
                if job.is_over or self._is_shown(job.kind):
                    return
                work = self._show_job(job)
            if isinstance(work, JobWork) and work.running:
                work.take(job)
                if job.is_over:
                    self._tell_end(work)

    async def _worked(self, work: Work, task: Callable[[Work], Coroutine[Any, Any, object]]) -> None:
        with suppress(Exception), self._until_its_end(work):  # which tells it
            await task(work)

    @contextmanager
    def _follower(self, kind: str, by: object) -> Iterator[Listener]:
        """Show work that a cell of the notebook began on the production as the panels' own."""
        work = self._shown(kind, by)
        if work is None:
            yield unheard
            return
        with self._until_its_end(work):
            yield work.heard

    @contextmanager
    def _until_its_end(self, work: Work) -> Iterator[None]:
        """Tell how work ended, whatever it was that ended it."""
        error: LumaError | None = None
        try:
            yield
        except LumaError as told:
            error = told
            raise
        except Exception as mistake:
            _log.exception("%s failed", work.kind)
            said = f"The studio made a mistake ({type(mistake).__name__}: {mistake})."
            error = LumaError(f"{said} What was done is kept.")
            raise
        except BaseException:  # it was cancelled or interrupted
            error = Stopped()
            raise
        finally:
            with self._lock:  # or the watch would take what it saved last for somebody else's
                work.end(error)
                self._tell_end(work)

    def _tell_end(self, work: Work) -> None:
        with self._lock:
            if self._works.get(work.kind) is not work:  # its production was left meanwhile
                return
            self._follow_up()
            self._tell_production()
        if work.kind in ("export", "film"):
            self.tell("files", None)

    def _follow_up(self) -> None:
        """Take up what others saved while work was shown: that is known, and needs no word."""
        try:
            if not self._working and self.production.saved_elsewhere():
                self.production.reload()
        except LumaError as error:  # a disk that is away comes back
            self.notice(str(error), "error")

    # The session's own thread

    def _submit(self, task: Coroutine[Any, Any, Verb]) -> Future[Verb]:
        """Run a task on the session's loop, which is its own: kernels differ in theirs."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="luma-session", daemon=True)
            self._thread.start()
        future = asyncio.run_coroutine_threadsafe(task, self._loop)
        future.add_done_callback(_logged)
        return future

    def _watch(self) -> None:
        production = self.production
        self._watching = [self._submit(each) for each in (self._watched(production), self._watched_jobs(production))]

    async def _watched_jobs(self, production: Production) -> None:
        """Follow the jobs of this production."""
        try:
            await follow_jobs(self.studio.jobs, "film", production.name, partial(self._take_job, production))
        except LumaError as error:
            self.notice(f"Jobs are not shown here. {error}", "warning")

    async def _watched(self, production: Production) -> None:
        """Follow what others do to this production, for as long as it is open here."""
        told = ""
        while self._production is production:
            await asyncio.sleep(_WATCH)
            try:
                await asyncio.to_thread(self._looked, production)
            except LumaError as error:  # a disk that is away comes back
                if str(error) != told:
                    told = str(error)
                    self.notice(told, "error")

    def _looked(self, production: Production) -> None:
        with self._lock:
            if self._production is not production:
                return
            if not self._working:
                self._look_elsewhere(production)
            if self._seen != _Seen.of(production):
                self._tell_changes()

    def _look_elsewhere(self, production: Production) -> None:
        """Look what other windows did."""
        if not self._held and self._holds(production):
            self._held = True
            self.tell("elsewhere", False)
        if production.saved_elsewhere():
            self._take_up()
            if not any(work.running for work in self._works.values()):  # else it is known where that came from
                self.notice(f"This production was changed {self._where}; you see it as it is now.")


def _logged(task: Future[Any]) -> None:
    """Have an error that nobody expected in the kernel's log."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("The session's own work failed", exc_info=error)


def _of_agent(verbs: Mapping[str, Verb], agent: str) -> Verb:
    """What is called for an agent. Raises SettingError for a name that has none."""
    if agent not in verbs:
        raise SettingError(f"There is no agent {agent!r} for that. There are: {', '.join(sorted(verbs))}.")
    return verbs[agent]


def _check_given(studio: object, production: object) -> None:
    """Raise TypeError, with the remedy, for what is no studio or no production."""
    if not isinstance(studio, Studio | None):
        remedy = "Session(production=…)" if isinstance(studio, Production) else "Session(Studio(path))"
        raise TypeError(f"A session is begun with a studio, not {type(studio).__name__}. Write {remedy}.")
    if not isinstance(production, Production | None):
        raise TypeError(
            f"A session is begun with a production, not {type(production).__name__}. "
            'Write session.open("name") to open one by its name.'
        )


async def _end() -> None:
    """Let go of what still waits, and end the loop."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    asyncio.get_running_loop().stop()


Source: TypeAlias = Session | Studio | Production | None


def session_of(source: Source) -> Session:
    """The session a panel is given: itself, a new one over a studio, or the one that has the production open.

    Raises SettingError for a session that is closed, TypeError for what is none of these.
    """
    match source:
        case Session():
            source.check_not_closed()
            return source
        case Production():
            return next(iter(_with(source)), None) or Session(production=source)
        case Studio() | None:
            return Session(source)
    raise TypeError(f"A panel shows a session, a studio or a production, not {type(source).__name__}.")
