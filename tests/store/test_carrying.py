from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest
from helpers.states import clause, state_of
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.script.model import Pause
from luma_studio.store.carrying import carried
from luma_studio.store.state import Edit, recorded

SENTENCES = [
    "Close your eyes and rest.",
    "Notice the weight of your hands.",
    "Let the shoulders soften.",
    "Listen to the quiet room,",
    "and follow the breath inward.",
    "Gather the scattered day.",
    "Walk along the empty shore.",
    "Open your eyes.",
]


def continued(old, texts):
    """For each text the index of the old clause whose pause it has, None for a pause of its own."""
    new = carried(old, [clause(text) for text in texts])
    return [int(each.pause.seconds - 10) if each.pause.seconds >= 10 else None for each in new.clauses]


@given(st.lists(st.sampled_from("ABCDEF"), min_size=1, unique=True), st.randoms(use_true_random=False))
def test_a_clause_keeps_its_pause_lock_and_take_wherever_it_moved(texts, chance):
    old = state_of(texts)
    moved = chance.sample(texts, len(texts))
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
    new = carried(recorded(state_of(["One.", "Two."]), edit), [clause("Two.")])
    assert new.done == (Edit(what="tune", before={0: Pause(2)}, after={0: Pause(4)}),)


def test_a_clause_whose_words_were_mended_keeps_pause_lock_voice_and_undo_but_no_take():
    old = state_of(["One.", "Tow.", "Three."])
    pinned = old.clauses[1].model_copy(
        update={"voice": "espeak:+f3", "seed": 2, "pause": Pause(9, "tuned", locked=True)}
    )
    edit = Edit(what="tune", before={1: Pause(1)}, after={1: pinned.pause})
    old = recorded(old.with_clause(1, pinned), edit)
    new = carried(old, [clause("One."), clause("Two."), clause("Three.")])
    assert new.clauses[1] == pinned.model_copy(update={"text": "Two.", "takes": (), "take": None, "seed": 0})
    assert new.done == (edit,)
    assert (new.clauses[0], new.clauses[2]) == (old.clauses[0], old.clauses[2])


@given(st.sets(st.integers(0, len(SENTENCES) - 1), max_size=len(SENTENCES) - 1), st.sampled_from(["teh ", "!", "eeee"]))
def test_wherever_words_are_mended_every_pause_stays_where_it_was(mended, typo):
    texts = [f"{typo}{text}" if index in mended else text for index, text in enumerate(SENTENCES)]
    assert continued(state_of(texts), SENTENCES) == list(range(len(SENTENCES)))


@given(st.permutations(SENTENCES), st.integers(1, len(SENTENCES)), st.permutations(SENTENCES), st.integers(0, 8))
def test_whatever_was_edited_no_clause_is_continued_twice_and_the_same_edit_gives_the_same(old, some, new, cut):
    state = state_of(old[:some])
    texts = [text if index < cut else text.replace("the", "teh") for index, text in enumerate(new)]
    found = continued(state, texts)
    kept = [index for index in found if index is not None]
    assert len(set(kept)) == len(kept)
    assert found == continued(state, texts)
    for index, text in zip(found, texts, strict=True):
        assert text not in old[:some] or old[index] == text  # the same words go before any others


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param([0, 1, 2], [0, "And now rest.", "~1", 2], [0, None, 1, 2], id="one put in before it"),
        pytest.param([0, 1, 2], [0, "~1", "And now rest.", 2], [0, 1, None, 2], id="one put in after it"),
        pytest.param([0, 1, 2, 5], [0, "~2", 5], [0, 2, 3], id="the one before it taken out"),
        pytest.param([0, 1, 2, 5], [0, "~1", 5], [0, 1, 3], id="the one after it taken out"),
        pytest.param([0, 1, 2, 5], [0, "~2", "~6", 5], [0, 2, None, 3], id="its neighbour replaced"),
        pytest.param([0, 1, 2, 5], [0, "~1", 5, 2], [0, 1, 3, 2], id="its neighbour moved away"),
        pytest.param([0, 1], ["~0", 1], [0, 1], id="the first"),
        pytest.param([0, 1], [0, "~1"], [0, 1], id="the last"),
        pytest.param([0, 3, 4, 5], [0, "Listen to the quiet room.", "~4", 5], [0, 1, 2, 3], id="a comma made a stop"),
        pytest.param([0, 1, 2], [0, "Something else entirely.", 2], [0, 1, 2], id="rewritten in its place"),
        pytest.param([0, 1, 2], ["~0", "~1", "~2"], [None, None, None], id="nothing is as it was"),
    ],
)
def test_a_mended_clause_is_found_between_its_neighbours(old, new, expected):
    def text(which):
        if isinstance(which, int):
            return SENTENCES[which]
        return SENTENCES[int(which[1:])].replace("e", "ee", 1) if which.startswith("~") else which

    assert continued(state_of([SENTENCES[index] for index in old]), [text(which) for which in new]) == expected


def test_a_long_part_written_anew_hides_no_word_that_was_mended_elsewhere():
    first, last = [f"Old line number {n} of many." for n in range(80)], ["One.", "Close your eyes and rest.", "Three."]
    found = continued(
        state_of([*first, *last]),
        [*(f"Wholly other words {n}." for n in range(90)), "One.", "And now.", "Close your eyes and rset.", "Three."],
    )
    assert found[-4:] == [80, None, 81, 82]


def test_another_speakers_words_are_another_clause():
    old = state_of(["One.", "Tow.", "Three."])
    new = carried(old, [clause("One."), clause("Two.", speaker="Woman"), clause("Three.")])
    assert new.clauses[1].pause == Pause(1.5)


def test_of_a_sentence_cut_at_its_commas_the_last_part_has_the_pause():
    old = state_of(["One.", "Breathe slowly in, and out again.", "Three."])
    assert continued(old, ["One.", "Breathe slowly in,", "and out again.", "Three."]) == [0, None, 1, 2]


def test_where_the_author_changed_the_pause_of_a_mended_clause_that_change_wins():
    old = state_of(["One.", "Tow.", "Three."])  # the second is free
    new = carried(old, [clause("One."), replace(clause("Two."), pause=Pause(3.0, "written")), clause("Three.")])
    assert new.clauses[1].pause == Pause(3.0, "written")


@pytest.mark.parametrize("every", [2, 3, 7])
def test_five_thousand_clauses_are_carried_in_a_blink_whatever_was_edited(every):
    chance = random.Random(every)  # noqa: S311
    words = " ".join(SENTENCES).split()
    texts = [" ".join(chance.choices(words, k=14)) + f" {number}." for number in range(5000)]
    old = state_of(texts)
    edited = [clause(text.replace("e", "ee", 1)) for index, text in enumerate(texts) if index % every]
    edited[::every] = [clause(text) for text in texts[: len(edited[::every])]]
    start = time.process_time()
    carried(old, edited)
    assert time.process_time() - start < 0.5  # 0.1 s on an idle machine
