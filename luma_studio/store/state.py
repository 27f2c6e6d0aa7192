"""What ``production.json`` holds: the script, what was chosen, and for each clause its pause and its takes."""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from luma_studio.errors import ChangedError, StoreError
from luma_studio.script.model import Clause, Pause
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


class State(_Frozen):
    """A production as it is kept. ``gain`` is the last export's in dB, ``masters`` the names it has exported."""

    version: Literal[1] = 1
    text: str
    choices: Choices
    clauses: tuple[ClauseState, ...] = ()
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

    def check(self) -> None:
        """Raise ChangedError if another process saved since this one loaded or saved."""
        if self._on_disk() != self._known:
            raise ChangedError(
                f"{self.path.parent.name} was changed by another process or window since it was opened here. "
                "Open it again, or run the same command again; nothing was overwritten."
            )

    def save(self, state: State) -> None:
        """Save, unless another process saved since this one loaded: then ChangedError, and nothing is overwritten.

        Two that come to the same state do not disturb each other.
        """
        busy = f"{self.path.parent.name} is being saved by another process. Try again."
        with files.locked(self._lock, wait=_WAIT, busy=busy):
            if self._on_disk() != self._known and self._same_on_disk(state):
                return
            self.check()
            files.write(self.path, state.model_dump_json(indent=1).encode(), durable=True)
            self._known = self._on_disk()

    def _same_on_disk(self, state: State) -> bool:
        before = self._known
        same = self.load() == state
        if not same:
            self._known = before
        return same

    def _on_disk(self) -> Signature | None:
        with files.explained(self.path):
            try:
                return _signature(self.path.stat())
            except FileNotFoundError:
                return None


def recorded(state: State, edit: Edit) -> State:
    """The state with an edit added to what can be undone; the oldest are forgotten when it grows too long."""
    done = (*state.done, edit)
    while len(done) > 1 and sum(len(each.after) for each in done) > _MOST_CHANGES:
        done = done[1:]
    return state.model_copy(update={"done": done, "undone": ()})


def carried(state: State, clauses: Sequence[Clause]) -> State:
    """The state for an edited script: a clause that is still there keeps its pause, lock and takes, wherever it moved.

    Where the author changed the pause that the script writes, that change wins, unless the pause is locked.
    """
    came_from = _matches(state.clauses, clauses)
    new = tuple(
        _continued(state.clauses[old], clause) if old is not None else begun(clause)
        for clause, old in zip(clauses, came_from, strict=True)
    )
    went_to = {
        old: index
        for index, old in enumerate(came_from)
        if old is not None and new[index].pause == state.clauses[old].pause  # where the author's pause won, it stays
    }
    return state.model_copy(
        update={"clauses": new, "done": _moved(state.done, went_to), "undone": _moved(state.undone, went_to)}
    )


def begun(clause: Clause) -> ClauseState:
    """The state of a clause that was not there before."""
    return ClauseState(text=clause.text, speaker=clause.speaker, written=clause.pause, pause=clause.pause)


def _continued(old: ClauseState, clause: Clause) -> ClauseState:
    nobody_wrote = clause.pause.source == old.written.source == "default"  # only a setting moved
    kept = clause.pause == old.written or old.pause.locked or (nobody_wrote and old.pause.source != "default")
    return old.model_copy(update={"written": clause.pause, "pause": old.pause if kept else clause.pause})


def _matches(old: Sequence[ClauseState], new: Sequence[Clause]) -> list[int | None]:
    """For each new clause the old one it continues: by its words and both neighbours, then one, then by itself."""
    ours = _keys((each.speaker, each.text) for each in old)
    theirs = _keys((each.speaker, each.text) for each in new)
    found: list[int | None] = [None] * len(new)
    used: set[int] = set()
    contexts: list[Callable[[list[Hashable], int], Hashable]] = [
        lambda keys, i: (keys[i - 1], keys[i], keys[i + 1]),
        lambda keys, i: (keys[i - 1], keys[i]),
        lambda keys, i: (keys[i], keys[i + 1]),
        lambda keys, i: keys[i],
    ]
    for context in contexts:
        places: defaultdict[Hashable, deque[int]] = defaultdict(deque)
        for index in range(len(old)):
            if index not in used:
                places[context(ours, index + 1)].append(index)
        for index in range(len(new)):
            if found[index] is None and (waiting := places.get(context(theirs, index + 1))):
                match = waiting.popleft()
                found[index] = match
                used.add(match)
    return found


def _keys(clauses: Iterable[tuple[str | None, str]]) -> list[Hashable]:
    """What tells clauses apart, with an end mark on both sides."""
    return [None, *clauses, None]


def _moved(edits: Sequence[Edit], went_to: dict[int, int]) -> tuple[Edit, ...]:
    moved = (
        Edit(
            what=edit.what,
            before={went_to[i]: pause for i, pause in edit.before.items() if i in went_to},
            after={went_to[i]: pause for i, pause in edit.after.items() if i in went_to},
        )
        for edit in edits
    )
    return tuple(edit for edit in moved if edit.after)


def _signature(stat: os.stat_result) -> Signature:
    """Tells one saved file from the next: each is a new file with a new time."""
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
