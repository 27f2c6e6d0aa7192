from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.errors import ChangedError, StoreError
from luma_studio.script.model import Clause, Pause
from luma_studio.settings import Choices
from luma_studio.store.state import Edit, State, StateFile, TakeRef, begun, carried, recorded


def clause(text: str, pause: float = 1.5) -> Clause:
    return Clause(text, None, "en", (), Pause(pause), 1, 1, 0, len(text))


def state_of(texts: list[str]) -> State:
    """Clauses whose pauses and takes tell which is which."""
    clauses = [
        begun(clause(text)).model_copy(
            update={
                "pause": Pause(10.0 + index, "tuned", locked=index % 2 == 0),
                "takes": (TakeRef(fingerprint=f"take {index}", voice="espeak"),),
                "take": f"take {index}",
            }
        )
        for index, text in enumerate(texts)
    ]
    return State(text=" ".join(texts), choices=Choices(), clauses=tuple(clauses))


def test_a_state_is_loaded_as_it_was_saved(workspace):
    state = recorded(state_of(["One.", "Two."]), Edit(what="tune", before={0: Pause(1)}, after={0: Pause(2)}))
    StateFile(workspace).save(state)
    assert StateFile(workspace).load() == state


def test_what_another_process_saved_is_never_overwritten(workspace):
    ours, theirs = StateFile(workspace), StateFile(workspace)
    ours.save(state_of(["One."]))
    theirs.load()
    theirs.save(state_of(["Two."]))
    with pytest.raises(ChangedError, match="Open it again"):
        ours.save(state_of(["Three."]))
    assert StateFile(workspace).load().clauses[0].text == "Two."


def test_two_that_come_to_the_same_state_do_not_disturb_each_other(workspace):
    ours, theirs = StateFile(workspace), StateFile(workspace)
    for state in (state_of(["One."]), state_of(["Two."])):
        ours.save(state)
        theirs.save(state)
    with pytest.raises(ChangedError):
        ours.save(state_of(["Three."]))
        theirs.save(state_of(["Four."]))


def test_two_that_begin_the_same_production_do_not_overwrite_each_other(workspace):
    ours, theirs = StateFile(workspace), StateFile(workspace)
    assert ours.load() is theirs.load() is None
    ours.save(state_of(["One."]))
    with pytest.raises(ChangedError):
        theirs.save(state_of(["Two."]))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"version": 1}', b"\xff"])
def test_a_damaged_state_is_told_with_the_remedy(workspace, data):
    (workspace / "production.json").write_bytes(data)
    with pytest.raises(StoreError, match="Put back a copy"):
        StateFile(workspace).load()


@given(st.lists(st.sampled_from("ABCDEF"), min_size=1, unique=True), st.randoms(use_true_random=False))
def test_a_clause_keeps_its_pause_lock_and_take_wherever_it_moved(texts, random):
    old = state_of(texts)
    moved = random.sample(texts, len(texts))
    new = carried(old, [clause(text) for text in moved])
    by_text = {each.text: each for each in old.clauses}
    assert list(new.clauses) == [by_text[text] for text in moved]


@given(st.lists(st.sampled_from("AB"), min_size=2, max_size=12), st.data())
def test_among_equal_clauses_each_keeps_its_own_when_one_is_taken_out(texts, data):
    old = state_of(texts)
    gone = data.draw(st.integers(0, len(texts) - 1))
    kept = [each for index, each in enumerate(old.clauses) if index != gone]
    new = carried(old, [clause(text) for index, text in enumerate(texts) if index != gone])
    assert [each.text for each in new.clauses] == [each.text for each in kept]
    assert len({each.take for each in new.clauses}) == len(kept)  # none is used twice


def test_among_equal_clauses_the_neighbours_decide():
    old = state_of(["Breathe.", "In.", "Breathe.", "Out.", "Breathe."])
    new = carried(old, [clause(text) for text in ["Breathe.", "Breathe.", "Out.", "Breathe."]])
    assert [each.take for each in new.clauses] == ["take 0", "take 2", "take 3", "take 4"]


def test_a_pause_that_the_author_changed_wins_unless_it_is_locked():
    old = state_of(["Locked.", "Free."])
    written = [replace(clause(text), pause=Pause(3.0, "written")) for text in ("Locked.", "Free.")]
    new = carried(old, written)
    assert [each.pause.seconds for each in new.clauses] == [10.0, 3.0]


def test_the_undo_history_follows_its_clauses():
    edit = Edit(what="tune", before={0: Pause(1), 1: Pause(2)}, after={0: Pause(3), 1: Pause(4)})
    new = carried(recorded(state_of(["One.", "Two."]), edit), [clause("Zero."), clause("Two.")])
    assert new.done == (Edit(what="tune", before={1: Pause(2)}, after={1: Pause(4)}),)
