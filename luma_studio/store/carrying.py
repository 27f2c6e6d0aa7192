"""What an edited script carries on: each clause's pause, lock, takes, and its place in the undo history."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from luma_studio.errors import SettingError
from luma_studio.script.clauses import ending_of
from luma_studio.script.model import Clause
from luma_studio.store.state import ClauseState, Edit, State

_ANOTHER = 4  # clauses that do not all vanish in one edit
_ALIKE = 0.5  # of two clauses' words, from which one may be the other, mended
_MOST_PAIRS = 2_500  # that are compared, in some 20 ms; an edit by hand leaves some dozens

Matches = list[int | None]
"""For each new clause the index of the old one that it continues."""


def carried(state: State, clauses: Sequence[Clause]) -> State:
    """The state for an edited script: a clause that is still there keeps its pause, lock and takes, wherever it moved.

    A clause whose words were changed keeps all but its takes. Where the author changed the pause that the script
    writes, that change wins, unless the pause is locked.
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
        update={"clauses": new, "done": moved(state.done, went_to), "undone": moved(state.undone, went_to)}
    )


def check_continues(name: str, state: State, clauses: Sequence[Clause]) -> None:
    """Raise SettingError for a name that holds another script, before its tuned pauses are lost."""
    texts = {clause.text for clause in state.clauses}
    if len(texts) >= _ANOTHER and texts.isdisjoint(clause.text for clause in clauses):
        raise SettingError(
            f"{name} holds another script: none of its {len(state.clauses)} clauses is in this one. "
            "Choose another name, or remove its folder to begin anew."
        )


def begun(clause: Clause) -> ClauseState:
    """The state of a clause that was not there before."""
    return ClauseState(text=clause.text, speaker=clause.speaker, written=clause.pause, pause=clause.pause)


def _continued(old: ClauseState, clause: Clause) -> ClauseState:
    nobody_wrote = clause.pause.source == old.written.source == "default"  # only a setting moved
    kept = clause.pause == old.written or old.pause.locked or (nobody_wrote and old.pause.source != "default")
    own = old if old.text == clause.text else old.model_copy(update={"takes": (), "take": None, "seed": 0})
    update = {"text": clause.text, "written": clause.pause, "pause": old.pause if kept else clause.pause}
    return own.model_copy(update=update)


def moved(edits: Sequence[Edit], went_to: Mapping[int, int]) -> tuple[Edit, ...]:
    """The edits of clauses that went to other indices; of those that are gone nothing can be undone."""
    found = (
        Edit(
            what=edit.what,
            before={went_to[i]: pause for i, pause in edit.before.items() if i in went_to},
            after={went_to[i]: pause for i, pause in edit.after.items() if i in went_to},
        )
        for edit in edits
    )
    return tuple(edit for edit in found if edit.after)


def _matches(old: Sequence[ClauseState], new: Sequence[Clause]) -> Matches:
    """Clauses by their words; then, between those, clauses whose words were changed. Of another script: none."""
    found = _same_words(old, new)
    if any(match is not None for match in found):
        _match_alike(old, new, found)
        _match_in_place(old, new, found)
    return found


def _same_words(old: Sequence[ClauseState], new: Sequence[Clause]) -> Matches:
    """By words and both neighbours, then one, then by words alone."""
    ours = _keys((each.speaker, each.text) for each in old)
    theirs = _keys((each.speaker, each.text) for each in new)
    found: Matches = [None] * len(new)
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


def _match_alike(old: Sequence[ClauseState], new: Sequence[Clause], found: Matches) -> None:
    """In each gap the most alike first, where clauses came or went beside the one that was mended."""
    pairs_left = _MOST_PAIRS
    for ours, theirs in _gaps(len(old), found):
        pairs = len(ours) * len(theirs)
        if pairs == 1 or pairs > pairs_left:  # a single one is matched by its place
            continue
        pairs_left -= pairs
        used: set[int] = set()
        for _, _, i, j in sorted(_pairs_alike([old[i] for i in ours], [new[j] for j in theirs])):
            if i not in used and found[theirs[j]] is None:
                found[theirs[j]] = ours[i]
                used.add(i)


def _pairs_alike(old: Sequence[ClauseState], new: Sequence[Clause]) -> Iterator[tuple[float, int, int, int]]:
    """Pairs that may be one clause, mended: how unlike they are, how far apart, and both indices.

    Likeness is the Sørensen-Dice coefficient of their pairs of neighbouring characters. Both have one speaker and one
    kind of ending, for the pause belongs to how a clause ends.
    """
    ours, theirs = [[(each.speaker, ending_of(each.text), _bigrams(each.text)) for each in side] for side in (old, new)]
    for i, (speaker, ending, ours_of) in enumerate(ours):
        for j, (other_speaker, other_ending, theirs_of) in enumerate(theirs):
            if speaker == other_speaker and ending == other_ending:
                likeness = 2 * len(ours_of & theirs_of) / max(1, len(ours_of) + len(theirs_of))
                if likeness >= _ALIKE:
                    yield 1 - likeness, abs(i - j), i, j


def _bigrams(text: str) -> frozenset[str]:
    return frozenset(map(str.__add__, text, text[1:]))


def _match_in_place(old: Sequence[ClauseState], new: Sequence[Clause], found: Matches) -> None:
    """One by one, in each gap that holds as many new clauses as old."""
    for ours, theirs in _gaps(len(old), found):
        if len(ours) == len(theirs):
            for i, j in zip(ours, theirs, strict=True):
                if old[i].speaker == new[j].speaker:
                    found[j] = i


def _gaps(count: int, found: Matches) -> Iterator[tuple[list[int], list[int]]]:
    """Old clauses and new ones that are left over between the same two matched neighbours, or an end."""
    left = sorted(set(range(count)).difference(match for match in found if match is not None))
    fresh: list[int] = []
    before = -1
    for index, match in enumerate([*found, count]):
        if match is None:
            fresh.append(index)
            continue
        first, last = bisect_right(left, before), bisect_left(left, match)
        if fresh and first < last:
            ours = left[first:last]
            del left[first:last]  # where clauses were moved, gaps overlap
            yield ours, fresh
        before, fresh = match, []
