from __future__ import annotations

import pytest
from helpers.states import state_of

from luma_studio.errors import ChangedError, StoreError
from luma_studio.script.model import Pause
from luma_studio.store.state import Edit, StateFile, edited, recorded, redo, undo


def test_a_state_is_loaded_as_it_was_saved(workspace):
    state = recorded(state_of(["One.", "Two."]), Edit(what="tune", before={0: Pause(1)}, after={0: Pause(2)}))
    StateFile(workspace).save(state)
    assert StateFile(workspace).load() == state


def test_what_another_process_saved_is_never_overwritten(workspace):
    ours, theirs = StateFile(workspace), StateFile(workspace)
    ours.save(state_of(["One."]))
    theirs.load()
    theirs.save(state_of(["Two."]))
    with pytest.raises(ChangedError, match=r"reload\(\)"):
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


def test_an_edit_is_undone_and_made_again_and_where_nothing_differs_there_is_none():
    state = state_of(["One.", "Two."])
    longer = edited(state, "tune", [Pause(3), state.pauses[1]])
    assert longer.done == (Edit(what="tune", before={0: state.pauses[0]}, after={0: Pause(3)}),)
    assert undo(longer).pauses == state.pauses
    assert redo(undo(longer)) == longer
    assert edited(state, "tune", state.pauses) is undo(state) is redo(state) is state


def test_that_another_saved_is_seen_and_what_was_saved_here_is_not_told(workspace):
    ours, theirs = StateFile(workspace), StateFile(workspace)
    ours.save(state_of(["One."]))
    assert not ours.changed()
    theirs.load()
    theirs.save(state_of(["Two."]))
    assert ours.changed()
    assert not theirs.changed()
