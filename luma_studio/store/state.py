"""What ``production.json`` holds: the script, what was chosen, and for each clause its pause and its takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from luma_studio.errors import ChangedError, StoreError
from luma_studio.script.model import Pause
from luma_studio.settings import Choices
from luma_studio.store import files

FILE = "production.json"
_LOCK = ".production.lock"
_WAIT = 10.0  # seconds for another process to finish saving
_LONGEST_PAUSE = 24 * 3600.0  # seconds
_MOST_CHANGES = 20_000  # pauses that the undo history may hold

Signature = tuple[int, int, int]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _possible(pause: Pause) -> Pause:
    bounds = [pause.seconds, *(bound for bound in (pause.least, pause.most) if bound is not None)]
    if not all(0 <= seconds <= _LONGEST_PAUSE for seconds in bounds):
        raise ValueError(f"a pause of {pause.seconds} seconds cannot be")
    return pause


KeptPause = Annotated[Pause, AfterValidator(_possible)]


class TakeRef(_Frozen):
    """A take in the store, and the voice and seed that spoke it."""

    fingerprint: str
    voice: str
    seed: int = 0


class ClauseState(_Frozen):
    """A clause, what the script says of its pause, the pause it has now, and its takes, oldest first.

    ``voice`` and ``seed`` are set where this one clause was spoken again with others; ``take`` is the one in use.
    """

    text: str
    speaker: str | None = None
    written: KeptPause
    pause: KeptPause
    voice: str | None = None
    seed: int = 0
    takes: tuple[TakeRef, ...] = ()
    take: str | None = None


class Edit(_Frozen):
    """A change of pauses that can be undone: by clause index, before and after."""

    what: str
    before: dict[int, KeptPause]
    after: dict[int, KeptPause]


class Cut(_Frozen):
    """A clause in its pieces, and the seconds between them."""

    pieces: tuple[str, ...]
    pauses: tuple[Annotated[float, Field(ge=0, le=_LONGEST_PAUSE)], ...]


class Role(_Frozen):
    """Who speaks a clause and how, where the script does not say; ``before`` and ``after`` are its neighbours' texts.

    A speaker of None is the narrator.
    """

    before: str
    after: str
    speaker: str | None = None
    tags: tuple[str, ...] = ()


class Doubt(_Frozen):
    """A stretch, quoted from a line of the spoken text, that may not be meant to be spoken."""

    line: str
    quote: str
    kind: Literal["direction", "pause", "markup"]


class Decided(_Frozen):
    """What an agent did: ``by`` a mind as one writes it, or by ``rules`` and ``why``; ``when`` in epoch seconds."""

    agent: str
    by: str
    why: str
    when: float


class State(_Frozen):
    """A production as it is kept. ``gain`` is the last export's in dB, ``masters`` the names it has exported.

    ``cuts`` has clauses that an agent cut, ``roles`` those that it cast, by their text; ``doubts`` what it would not
    speak; ``decisions`` what each agent did last.
    """

    version: Literal[1] = 1
    text: str
    choices: Choices
    clauses: tuple[ClauseState, ...] = ()
    cuts: dict[str, Cut] = {}
    roles: dict[str, tuple[Role, ...]] = {}
    doubts: tuple[Doubt, ...] = ()
    decisions: tuple[Decided, ...] = ()
    gain: float | None = None
    masters: tuple[str, ...] = ()
    done: tuple[Edit, ...] = ()
    undone: tuple[Edit, ...] = ()

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """The pause after each clause."""
        return tuple(clause.pause for clause in self.clauses)

    def with_clause(self, index: int, clause: ClauseState) -> State:
        """The state with one clause changed."""
        clauses = (*self.clauses[:index], clause, *self.clauses[index + 1 :])
        return self.model_copy(update={"clauses": clauses})

    def with_pauses(self, pauses: Mapping[int, Pause]) -> State:
        """The state with some pauses changed, by clause index."""
        clauses = list(self.clauses)
        for index, pause in pauses.items():
            clauses[index] = clauses[index].model_copy(update={"pause": pause})
        return self.model_copy(update={"clauses": tuple(clauses)})


class StateFile:
    """The file of a production's state, which never overwrites what another process saved."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = folder / _LOCK
        self._known: Signature | None = None

    def load(self) -> State | None:
        """The state, or None where there is none yet. Raises StoreError if it is damaged."""
        with files.explained(self.path):
            try:
                with self.path.open("rb") as file:
                    self._known = _signature(os.fstat(file.fileno()))
                    data = file.read()
            except FileNotFoundError:
                return None
        try:
            return State.model_validate_json(data)
        except ValidationError as error:
            raise StoreError(
                f"{self.path} is damaged or from a newer version ({error.errors()[0]['msg']}). "
                "Put back a copy of it, or move it away to start anew: the takes are kept."
            ) from error

    def changed(self) -> bool:
        """Whether another process or object saved since this one loaded or saved."""
        return self._on_disk() != self._known

    def check(self) -> None:
        """Raise ChangedError if another process or object saved since this one loaded or saved, or it was deleted."""
        if self.changed():
            name = self.path.parent.name
            if self._on_disk() is None:
                raise ChangedError(
                    f"{name} was deleted since it was opened here. Put back {self.path}, or begin it anew with its "
                    "script; what was spoken is kept."
                )
            raise ChangedError(
                f"{name} was changed elsewhere since it was opened here; nothing was overwritten. Take that up with "
                "reload() and make your change again, or run the same command again."
            )

    def save(self, state: State) -> None:
        """Save, unless another process saved since this one loaded: then ChangedError, and nothing is overwritten.

        Two that come to the same state do not disturb each other.
        """
        if self._on_disk() is None:
            self.check()  # before a lock would make the folder of a production that was deleted
        busy = f"{self.path.parent.name} is being saved by another process. Try again."
        with files.locked(self._lock, wait=_WAIT, busy=busy):
            if self.changed() and self.load_if(lambda there: there == state):
                return
            self.check()
            files.write(self.path, state.model_dump_json(indent=1).encode(), durable=True)
            self._known = self._on_disk()

    def load_if(self, fits: Callable[[State], bool]) -> State | None:
        """What another process saved, where it fits; otherwise None, and it is still another's."""
        before = self._known
        state = self.load()
        if state is not None and fits(state):
            return state
        self._known = before
        return None

    def _on_disk(self) -> Signature | None:
        with files.explained(self.path):
            try:
                return _signature(self.path.stat())
            except FileNotFoundError:
                return None


def edited(state: State, what: str, pauses: Sequence[Pause]) -> State:
    """The state with other pauses, one a clause, as an edit that can be undone; the same where none differs."""
    changed = {index: pair for index, pair in enumerate(zip(state.pauses, pauses, strict=True)) if pair[0] != pair[1]}
    if not changed:
        return state
    before = {index: old for index, (old, _) in changed.items()}
    after = {index: new for index, (_, new) in changed.items()}
    return recorded(state.with_pauses(after), Edit(what=what, before=before, after=after))


def undo(state: State) -> State:
    """The state with the last edit taken back; the same where there is none."""
    if not state.done:
        return state
    *done, edit = state.done
    update = {"done": tuple(done), "undone": (*state.undone, edit)}
    return state.with_pauses(edit.before).model_copy(update=update)


def redo(state: State) -> State:
    """The state with the edit that was taken back last made again; the same where there is none."""
    if not state.undone:
        return state
    *rest, edit = state.undone
    update = {"done": (*state.done, edit), "undone": tuple(rest)}
    return state.with_pauses(edit.after).model_copy(update=update)


def recorded(state: State, edit: Edit) -> State:
    """The state with an edit added to what can be undone; the oldest are forgotten when it grows too long."""
    done = (*state.done, edit)
    while len(done) > 1 and sum(len(each.after) for each in done) > _MOST_CHANGES:
        done = done[1:]
    return state.model_copy(update={"done": done, "undone": ()})


def _signature(stat: os.stat_result) -> Signature:
    """Tells one saved file from the next: each is a new file with a new time."""
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
