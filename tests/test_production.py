from __future__ import annotations

import asyncio
import gc
import shutil
import threading
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from helpers.fakes import FakeVoice, give

from luma_studio.errors import (
    BusyError,
    ChangedError,
    FitError,
    ScriptError,
    SettingError,
    StoreError,
    UnsafeNameError,
    VoiceError,
)
from luma_studio.studio import Studio
from luma_studio.voices import Speech

SCRIPT = """Arriving
Close your eyes. (4 sec)
Breathe in, and out. (5-10 sec)
Let it go.

Leaving
(2 sec)
Open your eyes.
Breathe in, and out.
"""


@pytest.fixture
def voice(studio):
    voice = FakeVoice()
    give(studio, voice)
    return voice


@pytest.fixture
def calm(studio, voice):
    production = studio.production("calm", SCRIPT)
    asyncio.run(production.speak())
    return production


def reopened(workspace, script=None, voice=None, **changes):
    studio = Studio(workspace)
    give(studio, voice or FakeVoice())
    return studio.production("calm", script, **changes)


def seconds(production):
    return [pause.seconds for pause in production.pauses]


def test_the_same_words_are_bought_once(calm, voice):
    assert voice.spoken == {"Close your eyes.": 1, "Breathe in, and out.": 1, "Let it go.": 1, "Open your eyes.": 1}


def test_a_quote_says_what_speaking_would_buy_and_what_is_here(studio, voice):
    production = studio.production("calm", SCRIPT)
    quote = production.quote()
    assert (quote.to_speak, quote.here) == (4, 0)
    assert quote.characters == len("Close your eyes." + "Breathe in, and out." + "Let it go." + "Open your eyes.")
    assert quote.cost == voice.price * quote.characters
    asyncio.run(production.speak())
    assert (production.quote().to_speak, production.quote().here) == (0, 4)


def test_moving_every_pause_and_reordering_and_renaming_buys_nothing(calm, workspace):
    calm.scale(0.5)
    voice = FakeVoice()
    again = reopened(
        workspace, "Farewell\nOpen your eyes.\nLet it go. (9 sec)\nBreathe in, and out.\nClose your eyes.", voice
    )
    asyncio.run(again.speak())
    assert not voice.spoken


def test_changing_one_word_buys_one_clause_and_every_other_scene_stays_byte_for_byte(calm, workspace):
    before = {path.name: path.read_bytes() for path in calm.export(audit=False).scenes.values()}
    voice = FakeVoice()
    again = reopened(workspace, SCRIPT.replace("Open your eyes", "Close your eyes now"), voice)
    asyncio.run(again.speak())
    after = {path.name: path.read_bytes() for path in again.export(audit=False).scenes.values()}
    assert voice.spoken == {"Close your eyes now.": 1}
    assert len(before.items() & after.items()) == 1


def test_pauses_are_tuned_by_index_and_by_words(calm):
    calm.pauses[0] = 7.0
    calm.pauses["Let it go."] = 3.0
    calm.pauses[-1] = 0.5
    assert seconds(calm) == [7.0, 7.5, 3.0, 1.5, 0.5]
    assert calm.pauses[0].source == "tuned"


@pytest.mark.parametrize("key", [5, -6, "Nowhere", "eyes", "Breathe in, and out."])
def test_what_names_no_clause_or_several_is_refused(calm, key):
    with pytest.raises(SettingError):
        calm.pauses[key] = 1.0


def test_every_edit_can_be_undone_and_made_again_also_after_a_restart(calm, workspace):
    start = seconds(calm)
    calm.pauses[0] = 7.0
    calm.scale(2.0, source="tuned")
    calm.fit("1:00")
    end = seconds(calm)
    again = reopened(workspace)
    assert [again.undo() for _ in range(4)] == ["fit", "scale", "tune", None]
    assert seconds(again) == start
    again = reopened(workspace)
    assert [again.redo() for _ in range(4)] == ["tune", "scale", "fit", None]
    assert seconds(again) == end
    again.undo()
    again.pauses[1] = 6.0
    assert again.redo() is None


def test_scaling_by_what_stands_before_the_pause_by_source_and_by_scene(studio, voice):
    production = studio.production("calm", SCRIPT, granularity="clause")
    before = seconds(production)
    production.scale(0.8, after="comma")
    commas = [index for index, clause in enumerate(production.clauses) if clause.text.endswith(",")]
    changed = [index for index, pair in enumerate(zip(before, seconds(production), strict=True)) if len(set(pair)) > 1]
    assert changed == commas
    assert commas
    production.scale(2, scene="scene_2")
    assert seconds(production)[0] == before[0]
    with pytest.raises(SettingError, match="scene_9"):
        production.scale(2, scene="scene_9")


def test_fit_is_exact_to_the_sample_and_tells_what_cannot_be(calm):
    calm.fit("1:00")
    assert calm.timeline.length == 60 * 44100
    calm.lock(range(5))
    with pytest.raises(FitError, match=r"In the way: “Close your eyes\.”"):
        calm.fit("2:00")


def test_tuned_pauses_locks_and_takes_survive_an_edit_of_the_script(calm, workspace):
    calm.tune({0: 9.0, 2: 8.0})
    calm.lock([2])
    edited = SCRIPT.replace("Let it go.", "And rest.\nLet it go. (1 sec)").replace("Arriving", "Beginning")
    again = reopened(workspace, edited)
    assert [clause.text for clause in again.clauses][2:4] == ["And rest.", "Let it go."]
    assert seconds(again)[:4] == [9.0, 7.5, 1.5, 8.0]
    assert again.takes(3) == calm.takes(2)


def test_speaking_again_keeps_the_old_take_and_one_call_brings_it_back(calm, workspace):
    first = calm.audio(0)
    asyncio.run(calm.speak_again(0))
    second = calm.audio(0)
    assert first != second
    assert len(calm.takes(0)) == 2
    assert len(calm.takes("Let it go.")) == 1
    voice = FakeVoice()
    again = reopened(workspace, voice=voice)
    asyncio.run(again.speak())
    assert again.audio(0) == second
    again.take_back(0)
    assert again.audio(0) == first
    asyncio.run(again.speak())
    assert again.audio(0) == first
    assert not voice.spoken
    with pytest.raises(SettingError, match="no such earlier take"):
        again.take_back(0)
    again.take_back(0, again.takes(0)[1].fingerprint)
    assert again.audio(0) == second


def test_another_voice_for_one_clause(studio, calm):
    other = FakeVoice("other")
    give(studio, other, "espeak:+f3")
    asyncio.run(calm.speak_again(1, voice="espeak:+f3"))
    assert other.spoken == {"Breathe in, and out.": 1}
    assert calm.takes(1)[-1].voice == "espeak:+f3"


def test_a_clause_that_fails_leaves_the_others_and_is_tried_alone(studio, voice):
    production = studio.production("calm", SCRIPT)
    voice.failing = {"Let it go."}
    with pytest.raises(VoiceError, match=r"1 of 5 clauses .* on line 4"):
        asyncio.run(production.speak())
    with pytest.raises(VoiceError, match="1 clause still to be spoken, the first on line 4"):
        production.export()
    voice.failing = set()
    voice.spoken.clear()
    asyncio.run(production.speak())
    assert voice.spoken == {"Let it go.": 1}


def test_speakers_have_their_voices(studio):
    voices = {choice: FakeVoice(choice) for choice in ("espeak", "espeak:+f2", "espeak:+m1")}
    for choice, voice in voices.items():
        give(studio, voice, choice)
    script = '[Scene 1 – A]\nDialogue (VO): "One."\nDialogue (Woman): "Two."\nDialogue (Bob): "Three."\n'
    speakers = {"woman": "espeak:+f2", "Bob": "espeak:+m1"}
    asyncio.run(studio.production("calm", script, speakers=speakers).speak())
    assert [list(voice.spoken) for voice in voices.values()] == [["One."], ["Two."], ["Three."]]


def test_two_objects_on_one_production_never_overwrite_each_other(calm, workspace):
    other = reopened(workspace)
    other.pauses[0] = 1.0
    with pytest.raises(ChangedError):
        calm.pauses[0] = 2.0
    assert reopened(workspace).pauses[0].seconds == 1.0


@pytest.mark.parametrize(
    ("name", "script", "changes", "error"),
    [
        ("../out", SCRIPT, {}, UnsafeNameError),
        ("calm", "", {}, ScriptError),
        ("calm", "(5 sec)", {}, ScriptError),
        ("calm", None, {}, SettingError),
        ("calm", SCRIPT, {"sentence_pause": -1}, SettingError),
        ("calm", SCRIPT, {"no_such": 1}, SettingError),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(studio, workspace, name, script, changes, error):
    with pytest.raises(error):
        studio.production(name, script, **changes)
    assert list(workspace.rglob("*")) == []


def test_a_voice_that_does_not_exist_is_refused_before_anything_is_written(studio, workspace):
    with pytest.raises(SettingError):
        studio.production("calm", SCRIPT, voice="nobody")
    assert list(workspace.rglob("*")) == []


def test_the_studio_lists_its_productions(calm, studio):
    assert studio.productions() == ["calm"]


def test_choices_stay_with_the_production(studio, voice, workspace):
    studio.production("calm", SCRIPT, granularity="clause", sentence_pause=3.0)
    again = reopened(workspace)
    assert again.choices.granularity == "clause"
    assert seconds(again)[-1] == 3.0


def test_an_emoji_is_not_read_out_and_buys_nothing(studio, voice, calm):
    voice.spoken.clear()
    asyncio.run(studio.production("calm", SCRIPT.replace("Let it go.", "Let it go 🙏🏽✨.")).speak())
    assert [text.strip(" .") for text in voice.spoken] == ["Let it go"]


def test_an_object_that_another_has_overtaken_cannot_export(calm, workspace):
    calm.export(audit=False)
    reopened(workspace).pauses[0] = 9.0
    with pytest.raises(ChangedError):
        calm.export(audit=False)


def test_nothing_is_saved_when_nothing_changed(calm, workspace):
    asyncio.run(reopened(workspace, SCRIPT).speak())
    calm.pauses[0] = 2.0  # would be refused, had the other one saved


def test_a_damaged_take_that_cost_nothing_is_spoken_again_and_one_that_was_paid_for_is_told(studio, calm, workspace):
    for path in (workspace / "generated_audio" / ".store" / "takes").rglob("*.wav"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StoreError, match="damaged"):
        asyncio.run(reopened(workspace).speak())
    free = FakeVoice()
    free.price = Decimal(0)
    again = reopened(workspace, voice=free)
    asyncio.run(again.speak())
    assert sum(free.spoken.values()) == 4
    again.export(audit=False)


def test_a_name_that_holds_another_script_is_told_before_anything_is_lost(calm, workspace):
    calm.pauses[0] = 9.0
    with pytest.raises(SettingError, match="holds another script"):
        reopened(workspace, "Tea\nPut the kettle on.\nWait for it.")
    assert reopened(workspace).pauses[0].seconds == 9.0


@pytest.mark.parametrize("scene", ["scene_2", "Scene 2", "scene-2", "दृश्य २"])
def test_scenes_are_named_as_one_likes(calm, scene):
    before = seconds(calm)
    calm.scale(2, scene=scene)
    assert seconds(calm) == [*before[:3], *(2 * each for each in before[3:])]


@pytest.mark.parametrize("options", [{"source": "nobody"}, {"after": "colon"}, {"scene": "scene_9"}])
def test_what_no_pause_can_be_is_refused(calm, options):
    with pytest.raises(SettingError):
        calm.scale(2, **options)


@pytest.mark.parametrize("value", ["x", None, True, float("nan")])
def test_what_is_no_length_is_refused(calm, value):
    with pytest.raises(SettingError, match="cannot be"):
        calm.pauses[0] = value


def test_edits_from_many_threads_are_all_kept(studio, voice):
    text = "Calm\n" + "\n".join(f"Line number {n} here." for n in range(40))
    production = studio.production("threads", text)

    def tune(start):
        for index in range(start, 40, 4):
            production.pauses[index] = 9.0

    threads = [threading.Thread(target=tune, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seconds(production) == [9.0] * 40
    assert seconds(studio.production("threads")) == [9.0] * 40


def test_speaking_twice_at_once_buys_each_clause_once(studio, voice):
    production = studio.production("calm", SCRIPT)

    async def double():
        await asyncio.gather(production.speak(), production.speak(), production.speak())

    asyncio.run(double())
    assert set(voice.spoken.values()) == {1}


class _Waiting(FakeVoice):
    """A voice that waits, when asked, until it is told to go on."""

    concurrency = 1

    def __init__(self):
        super().__init__("waiting")
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def speak(self, utterance, account, hear=None):
        self.asked.set()
        await self.go_on.wait()
        return await super().speak(utterance, account)


@pytest.mark.parametrize("fails", [False, True])
def test_an_edit_made_while_a_clause_is_spoken_again_stays(studio, calm, fails):
    async def both():
        waiting = _Waiting()
        waiting.failing = {"Close your eyes."} if fails else set()
        give(studio, waiting, "espeak:+f2")
        speaking = asyncio.create_task(calm.speak_again(0, voice="espeak:+f2"))
        await asyncio.wait_for(waiting.asked.wait(), 20)
        calm.pauses[1] = 9.0
        waiting.go_on.set()
        await asyncio.wait([speaking])
        return speaking.exception()

    error = asyncio.run(both())
    assert isinstance(error, VoiceError) == fails
    assert calm.pauses[1].seconds == 9.0
    assert len(calm.takes(0)) == (1 if fails else 2)


def test_speaking_that_is_stopped_keeps_what_arrived(studio):
    async def stopped():
        waiting = _Waiting()
        give(studio, waiting)
        production = studio.production("calm", SCRIPT)
        speaking = asyncio.create_task(production.speak())
        await asyncio.wait_for(waiting.asked.wait(), 20)
        waiting.go_on.set()
        async with asyncio.timeout(20):
            while waiting.spoken.total() < 2:
                await asyncio.sleep(0)
        waiting.go_on.clear()
        speaking.cancel()
        await asyncio.wait([speaking])
        return production

    production = asyncio.run(stopped())
    voice = FakeVoice("waiting")
    give(studio, voice)
    asyncio.run(production.speak())
    assert 0 < sum(voice.spoken.values()) < 4


def test_undo_after_an_edit_of_the_script_does_not_bring_back_what_the_author_changed(calm, workspace):
    calm.pauses[2] = 4.0
    again = reopened(workspace, SCRIPT.replace("Let it go.", "Let it go. (6 sec)"))
    assert again.pauses[2].seconds == 6.0
    again.undo()
    assert again.pauses[2].seconds == 6.0


def test_another_default_pause_leaves_tuned_pauses_alone(calm, workspace):
    calm.pauses[2] = 4.0
    assert seconds(reopened(workspace, sentence_pause=3.0)) == [4.0, 7.5, 4.0, 3.0, 3.0]


def test_another_granularity_is_not_another_script(studio, voice):
    text = "One, two and three.\nFour, five and six.\nSeven, eight and nine.\nTen, or more.\n"
    studio.production("commas", text)
    assert len(studio.production("commas", granularity="clause").clauses) == 8


def test_another_voice_is_not_exported_before_it_has_spoken(calm, studio, workspace):
    other = FakeVoice("other")
    give(studio, other, "espeak:+f2")
    again = studio.production("calm", voice="espeak:+f2")
    with pytest.raises(VoiceError, match="Speak first"):
        again.export()
    asyncio.run(again.speak())
    assert sum(other.spoken.values()) == 4
    assert len(again.takes(0)) == 2


def test_taking_back_the_usual_voice_does_not_pin_it(studio, calm):
    asyncio.run(calm.speak_again(0))
    calm.take_back(0)
    give(studio, FakeVoice("other"), "espeak:+f2")
    again = studio.production("calm", voice="espeak:+f2")
    asyncio.run(again.speak())
    assert {again.takes(index)[-1].voice for index in range(5)} == {"espeak:+f2"}


@pytest.mark.parametrize("seed", [-1, 1.5, "2", True])
def test_a_seed_that_is_none_is_refused_before_anything_is_spoken(calm, voice, seed):
    voice.spoken.clear()
    with pytest.raises(SettingError, match="seed"):
        asyncio.run(calm.speak_again(0, seed=seed))
    assert not voice.spoken


def test_scaling_by_nothing_changes_nothing(calm):
    before = list(calm.pauses)
    calm.scale(1.0)
    assert list(calm.pauses) == before
    assert calm.undo() is None


def test_a_lone_surrogate_in_a_script_is_survived(studio, voice):
    production = studio.production("odd", "Calm\nBreathe \ud800 in.\n")
    asyncio.run(production.speak())
    production.export(audit=False)


def test_a_scene_in_which_nothing_is_heard_is_survived(studio):
    silent = FakeVoice()

    async def silence(utterance, account, hear=None):
        return Speech(np.zeros(2000, np.int16), 22050)

    silent.speak = silence
    give(studio, silent)
    production = studio.production("silent", "# One\nHush. (0 sec)\n\n# Two\nHush. (0 sec)\n")
    asyncio.run(production.speak())
    assert production.export().audit.pauses == ()


def test_a_voice_is_given_the_neighbours_and_they_change_no_fingerprint(studio, calm, voice):
    heard = {}
    speak = voice.speak

    async def listening(utterance, account, hear=None):
        heard[utterance.text] = (utterance.before, utterance.after)
        return await speak(utterance, account)

    voice.speak = listening
    asyncio.run(studio.production("other", "Calm\nFirst.\nSecond.\nThird.").speak())
    assert heard == {"First.": ("", "Second."), "Second.": ("First.", "Third."), "Third.": ("Second.", "")}
    heard.clear()
    asyncio.run(studio.production("other", "Calm\nThird.\nFirst.\nSecond.").speak())
    assert heard == {}


def test_a_mended_word_keeps_the_pause_its_lock_and_the_way_back_and_is_spoken_anew(calm, workspace):
    calm.pauses[2] = 8.0
    calm.lock([2])
    voice = FakeVoice()
    again = reopened(workspace, SCRIPT.replace("Let it go.", "Let it all go."), voice)
    assert again.pauses[2].seconds == 8.0
    assert again.pauses[2].locked
    assert again.takes(2) == ()
    assert [take is None for take in again.takes_in_use] == [False, False, True, False, False]
    asyncio.run(again.speak())
    assert voice.spoken == {"Let it all go.": 1}
    assert [again.undo(), again.undo()] == ["lock", "tune"]
    assert again.pauses[2].seconds == 1.5


def test_the_history_says_what_undo_and_redo_would_do(calm):
    assert calm.history == (None, None)
    calm.pauses[0] = 7.0
    calm.lock([0])
    assert calm.history == ("lock", None)
    assert calm.undo() == "lock"
    assert calm.history == ("tune", "lock")
    calm.undo()
    assert calm.history == (None, "tune")


def test_the_gain_is_what_an_export_applies(calm, studio, voice):
    assert calm.gain == calm.export(audit=False).loudness.gain != 0
    calm.scale(3)
    assert calm.gain == calm.export(audit=False).loudness.gain
    before = calm.gain
    quieter = studio.production("calm", loudness=-25.0)
    assert quieter.gain == quieter.export(audit=False).loudness.gain != before


def test_the_gain_is_nothing_while_clauses_are_unspoken(studio, voice):
    production = studio.production("calm", SCRIPT)
    assert production.gain == 0.0
    assert production.takes_in_use == (None,) * 5


def test_takes_in_use_are_those_of_the_timeline_and_are_read_once(calm, workspace, monkeypatch):
    again = reopened(workspace)
    takes = again.takes_in_use
    assert takes == again.timeline.takes
    monkeypatch.setattr("luma_studio.store.takes._opened", None)
    assert again.takes_in_use == takes


def test_a_take_is_given_by_its_fingerprint_in_use_or_not_and_no_other_productions_is(calm, studio):
    first = calm.takes_in_use[0]
    asyncio.run(calm.speak_again(0))
    for take in (first, *calm.takes_in_use):
        assert calm.take(take.fingerprint) is take
        samples = calm.samples(take.fingerprint)
        assert samples.dtype == np.int16
        assert samples.shape == (take.length,)
    assert (calm.samples(calm.takes_in_use[0].fingerprint) == calm.audio(0).samples).all()
    other = studio.production("other", "Tea\nPut the kettle on.")
    asyncio.run(other.speak())
    for fingerprint in (other.takes_in_use[0].fingerprint, "", "../../x", "0" * 64):
        with pytest.raises(SettingError, match="has no take"):
            calm.samples(fingerprint)


def test_a_take_that_is_gone_from_the_store_is_told(calm, workspace):
    again = reopened(workspace)
    for path in (workspace / "generated_audio" / ".store" / "takes").rglob("*.wav"):
        path.unlink()
    with pytest.raises(StoreError, match="Speak again"):
        again.samples(again.takes(0)[0].fingerprint)


def test_the_spans_are_the_scenes_clauses_and_the_text_is_the_authors(studio, voice):
    text = SCRIPT.replace("\n", "\r\n")
    production = studio.production("calm", text)
    assert [(span.id, span.title, span.first, span.last, span.lead_in_seconds) for span in production.spans] == [
        ("scene_1", "Arriving", 0, 3, 0.0),
        ("scene_2", "Leaving", 3, 5, 2.0),
    ]
    assert production.text == text
    assert studio.production("calm").text == text


def test_takes_that_were_deleted_are_missed_and_spoken_again_without_opening_anew(calm, voice, workspace):
    shutil.rmtree(workspace / "generated_audio" / ".store")
    with pytest.raises(StoreError, match=r"is gone\. Speak again\."):
        calm.export(audit=False)
    assert (calm.quote().to_speak, calm.quote().here) == (4, 0)
    voice.spoken.clear()
    asyncio.run(calm.speak())
    assert sum(voice.spoken.values()) == 4
    calm.export(audit=False)


def test_takes_that_were_damaged_are_spoken_again_without_opening_anew(calm, voice, workspace):
    voice.price = Decimal(0)
    for path in (workspace / "generated_audio" / ".store" / "takes").rglob("*.wav"):
        path.write_bytes(b"")
    with pytest.raises(StoreError, match="is damaged"):
        calm.audio(0)
    assert calm.quote().to_speak == 4
    asyncio.run(calm.speak())
    assert calm.audio(0).samples.any()


def test_a_production_in_use_is_one_object_however_often_it_is_opened(calm, studio):
    calm.pauses[0] = 9.0
    assert studio.production("calm") is studio.production(" calm ") is calm
    assert studio.production("calm", SCRIPT.replace("Let it go", "And rest"), sentence_pause=3.0) is calm
    assert (calm.clauses[2].text, calm.choices.sentence_pause) == ("And rest.", 3.0)
    assert calm.pauses[0].seconds == 9.0


def test_a_script_that_cannot_be_taken_up_leaves_a_production_in_use_as_it_is(calm, studio):
    for script, changes in (("", {}), (SCRIPT, {"voice": "nobody"}), ("One.\nTwo.\nThree.", {})):
        with pytest.raises((ScriptError, SettingError)):
            studio.production("calm", script, **changes)
    assert calm.clauses[0].text == "Close your eyes."
    calm.pauses[0] = 2.0


def test_a_production_that_nobody_uses_is_let_go(studio, calm):
    other = studio.production("other", SCRIPT)
    number = id(other)
    assert [id(each) for each in studio._open.values()].count(number) == 1
    del other
    gc.collect()
    assert list(studio._open.values()) == [calm]


def test_a_production_that_is_being_spoken_keeps_its_script_and_settings_until_then(studio, workspace):
    async def tried():
        waiting = _Waiting()
        give(studio, waiting)
        production = studio.production("calm", SCRIPT)
        speaking = asyncio.create_task(production.speak())
        await asyncio.wait_for(waiting.asked.wait(), 20)
        for script, changes in ((SCRIPT + "More.", {}), (None, {"granularity": "clause"})):
            with pytest.raises(BusyError, match="being worked on"):
                studio.production("calm", script, **changes)
        assert studio.production("calm", SCRIPT) is production
        reopened(workspace, SCRIPT + "More.")
        with pytest.raises(BusyError, match="being worked on"):
            production.reload()
        waiting.go_on.set()
        await asyncio.wait([speaking])
        assert isinstance(speaking.exception(), ChangedError)
        production.reload()
        assert production.clauses[-1].text == "More."

    asyncio.run(tried())


def test_a_script_may_be_the_path_of_its_file(studio, voice, workspace):
    (workspace / "my.txt").write_text(SCRIPT, encoding="utf-8")
    assert studio.production("calm", Path("my.txt")).text == SCRIPT
    with pytest.raises(StoreError, match=r"nowhere\.txt does not exist"):
        studio.production("calm", Path("nowhere.txt"))


def test_one_clause_or_several_are_locked(calm):
    calm.lock(0)
    calm.lock("Let it go.")
    calm.lock(np.array([3, 4]))
    assert [pause.locked for pause in calm.pauses] == [True, False, True, True, True]
    calm.lock({0, "Let it go."}, locked=False)
    assert [pause.locked for pause in calm.pauses] == [False, False, False, True, True]


@pytest.mark.parametrize(
    "mistake",
    [
        lambda calm, studio: studio.production("calm", 42),
        lambda calm, studio: studio.production(42, SCRIPT),
        lambda calm, studio: studio.production(None),
        lambda calm, studio: studio.production("calm", voice=42),
        lambda calm, studio: Studio(workspace=42),
        lambda calm, studio: calm.export(Path("x.mp3")),
        lambda calm, studio: calm.export(123),
        lambda calm, studio: calm.fit(None),
        lambda calm, studio: calm.fit(True),
        lambda calm, studio: calm.fit([10]),
        lambda calm, studio: calm.scale("x"),
        lambda calm, studio: calm.scale(None),
        lambda calm, studio: calm.scale(2, scene=3),
        lambda calm, studio: calm.pauses[:2],
        lambda calm, studio: calm.pauses.__setitem__(slice(0, 2), 3),
        lambda calm, studio: calm.pauses.__setitem__([0], 3),
        lambda calm, studio: calm.pauses[None],
        lambda calm, studio: calm.tune(3),
        lambda calm, studio: calm.lock(0.5),
        lambda calm, studio: calm.lock(None),
        lambda calm, studio: asyncio.run(calm.speak_again(0, voice=42)),
    ],
)
def test_what_is_of_another_type_is_told_in_a_sentence(calm, studio, mistake):
    before = seconds(calm)
    with pytest.raises((SettingError, ScriptError, UnsafeNameError), match=r"\.$") as caught:
        mistake(calm, studio)
    assert "slice(" not in str(caught.value)
    assert seconds(calm) == before


def test_a_master_that_is_named_twice_is_made_and_listed_once(calm):
    assert [path.name for path in calm.export("a.wav", "a.wav", "b.wav", audit=False).masters] == ["a.wav", "b.wav"]


def test_what_a_notebook_shows_is_short_and_names_no_place_in_memory(studio, voice, calm, workspace):
    one = studio.production("one", "Hello there.")
    assert repr(studio) == f"<Studio of the workspace {workspace.resolve()}>"
    assert repr(one) == "<Production 'one': 1 scene, 1 clause>"
    assert repr(calm) == "<Production 'calm': 2 scenes, 5 clauses>"
    assert repr(calm.pauses) == "<Pauses of 'calm': 5, 16.0 s in all>"
    length = calm.timeline.length / 44100
    assert repr(calm.timeline) == f"<Timeline: 5 clauses, 0:{length:06.3f}>"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"mp3_kbps": 7}, "mp3_kbps cannot be 7: it must be one of 64, 96, 128, 160, 192, 256, 320"),
        ({"fade": "x"}, "fade cannot be 'x': it must be a number from 0 to 0.1"),
        ({"loudness": float("nan")}, "loudness cannot be nan: it must be a number from -40 to -5"),
        ({"granularity": "word"}, "granularity cannot be 'word': it must be one of sentence, clause"),
        ({"voice": 1}, "voice cannot be 1: it must be text"),
        ({"speakers": {"A": 1}}, "speakers cannot be 1: it must be voices by speaker, such as"),
        ({"nonsense": 1}, "A production has no setting 'nonsense'. There are: assembly, background, budget, captions,"),
        (
            {"workspace": "x"},
            "A production has no setting 'workspace'. There are: assembly, background, budget, captions,",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_told_with_what_it_may_be(studio, voice, changes, sentence):
    with pytest.raises(SettingError) as caught:
        studio.production("calm", SCRIPT, **changes)
    assert str(caught.value).startswith(sentence)
