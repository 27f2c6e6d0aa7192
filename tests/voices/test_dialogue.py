"""Dialogues: speakers of one scene asked for together, parted into takes that are bought once and each on its own."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.fakes import DyingDisk, Killed
from helpers.vendors import KEYS, VOICES, Fault, Request, Vendors, spoken
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.errors import BrokenAnswerError, BudgetError, Stopped, VoiceError
from luma_studio.production import Production
from luma_studio.store import files
from luma_studio.store.ledger import Ledger
from luma_studio.studio import STORE, Studio
from luma_studio.timeline.take import Take
from luma_studio.voices import VoiceChoice, dialogue
from luma_studio.voices.dialogue import MOST_CHARACTERS, MOST_VOICES, Line

TOGETHER = "/text-to-dialogue/with-timestamps"
IDS = list(VOICES)
V3 = "model=eleven_v3,format=pcm_44100"
SPEAKERS = {
    name: f"elevenlabs:{IDS[number]},{V3}" for number, name in enumerate(("Anna", "Ben", "Cleo", "Dev", *"EFGHIJKL"))
}
SCRIPT = """[Scene 1 – Morning]
Dialogue (Anna): "[whispers] Are you awake?"
Dialogue (Ben): "I am now."
Dialogue (Anna): "Then get up."
Dialogue (Ben): "[sighs] In a while."

[Scene 2 – Evening]
Dialogue (Ben): "Good night."
Dialogue (Anna): "Sleep well."
"""
HINDI = """Language: hi
[Scene 1 – सुबह]
Dialogue (Anna): "आराम से बैठ जाइए।"
Dialogue (Ben): "[whispers] गहरी साँस लीजिए।"
Dialogue (Anna): "अब आँखें खोलिए।"
"""
WORDS = ["Are you awake?", "I am now.", "Then get up.", "In a while.", "Good night.", "Sleep well."]
MORNING = ("[whispers] Are you awake?", "I am now.", "Then get up.", "[sighs] In a while.")
EVENING = ("Good night.", "Sleep well.")


def begun(studio: Studio, script: str = SCRIPT, name: str = "day", **changes: Any) -> Production:
    return studio.production(name, script, **{"speakers": SPEAKERS, **changes})


def spoken_by(studio: Studio, script: str = SCRIPT, name: str = "day", **changes: Any) -> Production:
    production = begun(studio, script, name, **changes)
    asyncio.run(production.speak())
    return production


def lines(*said: tuple[str, str], title: str = "Morning") -> str:
    return "\n".join([f"[Scene 1 – {title}]", *(f'Dialogue ({speaker}): "{text}"' for speaker, text in said)])


def together(vendors: Vendors) -> list[tuple[str, ...]]:
    return [request.texts for request in vendors.seen(TOGETHER)]


def alone(vendors: Vendors) -> list[tuple[str, ...]]:
    return [request.texts for request in vendors.requests if "/text-to-speech/" in request.path]


def left(studio: Studio) -> list[Path]:
    """What is kept until it has become takes."""
    return [path for name in ("arrived", "claims", "shares") for path in (studio.folder / STORE / name).glob("[!.]*")]


def known(production: Production, index: int, form: str = "pcm_44100"):
    """What the fake spoke for a clause, and how many characters of tags it begins with."""
    clause = production.clauses[index]
    tags = "".join(f"[{tag}] " for tag in clause.tags)
    voice = VoiceChoice.parse(production.choices.speakers[clause.speaker]).voice
    rate = int(form.split("_")[1])
    return spoken(tags + clause.text, rate, voice=voice, model="eleven_v3"), len(tags)


# What is asked for together


def test_the_speakers_of_a_scene_are_asked_for_together(studio, vendors):
    spoken_by(studio)
    assert sorted(together(vendors)) == sorted([MORNING, EVENING])
    assert not alone(vendors)
    morning = next(request for request in vendors.requests if request.texts == MORNING)
    assert morning.query == {"output_format": "pcm_44100"}
    assert morning.json == {
        "inputs": [
            {"text": text, "voice_id": voice} for text, voice in zip(MORNING, [IDS[0], IDS[1]] * 2, strict=True)
        ],
        "model_id": "eleven_v3",
        "seed": 0,
        "language_code": "en",
    }
    assert left(studio) == []


def test_stability_is_the_one_setting_of_a_dialogue(studio, vendors):
    spoken_by(studio, speakers={name: f"{voice},stability=0.3" for name, voice in SPEAKERS.items()})
    assert [request.json["settings"] for request in vendors.seen(TOGETHER)] == [{"stability": 0.3}] * 2


def test_two_languages_in_a_dialogue_are_told_as_none(studio, vendors):
    spoken_by(studio, lines(("Anna", "Good morning."), ("Ben", "आराम से बैठ जाइए।")))
    (request,) = vendors.seen(TOGETHER)
    assert "language_code" not in request.json


@pytest.mark.parametrize(
    "changes",
    [
        {"Ben": f"elevenlabs:{IDS[1]},{V3},speed=0.9"},
        {"Ben": f"elevenlabs:{IDS[1]},{V3},style=0.1"},
        {"Ben": f"elevenlabs:{IDS[1]},{V3},similarity_boost=0.5"},
        {"Ben": f"elevenlabs:{IDS[1]},{V3},use_speaker_boost=true"},
        {"Ben": f"elevenlabs:{IDS[1]},{V3},stability=0.5"},
        {"Ben": f"elevenlabs:{IDS[1]},model=eleven_v3"},
        {"Ben": f"elevenlabs:{IDS[1]},model=eleven_flash_v2_5,format=pcm_44100"},
        {"Ben": SPEAKERS["Anna"]},
        {"Ben": "openai:nova,model=tts-1"},
        {"Ben": "espeak:+m1"},
    ],
    ids=lambda changes: changes["Ben"],
)
def test_who_has_another_model_format_or_setting_or_nobody_to_answer_is_asked_for_alone(studio, vendors, changes):
    production = spoken_by(studio, speakers={**SPEAKERS, **changes})
    assert not together(vendors)
    assert None not in production.takes_in_use


@pytest.mark.parametrize("setting", ["speed=0.9", "style=0.1", "similarity_boost=0.5", "use_speaker_boost=true"])
def test_settings_that_no_dialogue_knows_are_kept_by_asking_for_each_clause_alone(studio, vendors, setting):
    spoken_by(studio, speakers={name: f"{voice},{setting}" for name, voice in SPEAKERS.items()})
    assert not together(vendors)
    assert all(request.json["voice_settings"] for request in vendors.requests)


@pytest.mark.parametrize("own", [{"seed": 7}, {"voice": SPEAKERS["Cleo"]}], ids=["seed", "voice"])
def test_a_clause_with_a_voice_or_reading_of_its_own_is_asked_for_alone_and_ends_a_dialogue(studio, vendors, own):
    said = [("Anna", "One."), ("Ben", "Two."), ("Anna", "Three."), ("Ben", "Four."), ("Anna", "Five.")]
    production = begun(studio, lines(*said))
    asyncio.run(production.speak_again(2, **own))
    vendors.requests.clear()
    state = production._state.clauses[2].model_copy(update={"take": None})
    production._change(lambda now: now.with_clause(2, state))
    (studio.folder / STORE / "takes").rename(studio.folder / STORE / "lost")
    asyncio.run(studio.production("day").speak())
    assert sorted(together(vendors)) == [("Four.", "Five."), ("One.", "Two.")]
    assert alone(vendors) == [("Three.",)]


def test_what_is_said_twice_is_bought_once(studio, vendors):
    production = spoken_by(
        studio, lines(("Anna", "Yes."), ("Ben", "No."), ("Anna", "Yes."), ("Ben", "Why?"), ("Anna", "So."))
    )
    assert sorted(together(vendors)) == [("Why?", "So."), ("Yes.", "No.")]
    assert None not in production.takes_in_use
    assert set(vendors.bought.values()) == {1}


# Takes


@pytest.mark.parametrize("script", [SCRIPT, HINDI], ids=["English", "Hindi"])
@pytest.mark.parametrize("timed", ["timed", "not timed", "timed by other words", "timed by none"])
def test_each_clause_is_cut_out_at_its_sample(studio, vendors, script, timed):
    if timed != "timed":
        answer = changed(vendors, script)
        match timed:
            case "not timed":
                answer["alignment"] = None
            case "timed by other words":
                alike(answer, "x" * len(answer["alignment"]["characters"]))
            case _:
                answer["alignment"] = {name: [] for name in answer["alignment"]}
        vendors.misbehave(Fault(body=answer), times=9)
        script = script.partition("[Scene 2")[0]
    production = spoken_by(studio, script)
    assert together(vendors)
    for index, take in enumerate(production.takes_in_use):
        said, tags = known(production, index)
        assert abs(take.length - len(said.samples)) <= 1
        if timed == "timed":
            assert abs(take.speech_start - said.starts[tags]) <= 1
            assert abs(take.speech_end - said.ends[-1]) <= 1
        assert np.abs(production.samples(take.fingerprint)[: len(said.samples)] - said.samples).max() == 0


@pytest.mark.parametrize("script", [SCRIPT, HINDI], ids=["English", "Hindi"])
def test_words_have_the_times_of_their_characters(studio, vendors, script):
    production = spoken_by(studio, script)
    for index, (clause, take) in enumerate(zip(production.clauses, production.takes_in_use, strict=True)):
        said, tags = known(production, index)
        assert [clause.text[word.first : word.last] for word in take.words] == clause.text.split()
        for word in take.words:
            assert word.start == pytest.approx(said.starts[tags + word.first] / 44100, abs=1 / 44100)
            assert word.end == pytest.approx(said.ends[tags + word.last - 1] / 44100, abs=1 / 44100)


@pytest.mark.parametrize("form", ["mp3_44100_128", "wav_24000", "opus_48000_96"])
def test_any_format_is_cut_where_it_is_heard(studio, vendors, form):
    production = spoken_by(studio, speakers={n: v.replace("pcm_44100", form) for n, v in SPEAKERS.items()})
    assert len(together(vendors)) == 2
    for index, take in enumerate(production.takes_in_use):
        said, tags = known(production, index, form)
        assert abs(take.speech_start / 44100 - said.starts[tags] / said.rate) <= 1 / said.rate
        assert abs(take.speech_end / 44100 - said.ends[-1] / said.rate) <= 1 / said.rate


def test_a_take_of_a_dialogue_is_the_take_of_its_clause_alone(studio, vendors):
    here: dict[str, Take | None] = {}
    for name, script in (
        ("together", SCRIPT),
        ("apart", SCRIPT.replace("[Scene 2", "[Scene 9").replace('"\nDia', '"\n\n[Scene 3 – B]\nDia')),
    ):
        production = spoken_by(studio, script, name)
        fingerprints = {
            clause.text: state.take for clause, state in zip(production.clauses, production._state.clauses, strict=True)
        }
        assert here in ({}, fingerprints)
        here = fingerprints
    assert set(vendors.bought.values()) == {1}


# Bought once


def test_one_word_changed_buys_that_clause_and_nothing_else_and_by_itself(studio, vendors):
    spoken_by(studio)
    vendors.requests.clear()
    vendors.bought.clear()
    spoken_by(studio, SCRIPT.replace("I am now", "I am so"))
    assert vendors.bought == {"I am so.": 1}
    assert (together(vendors), alone(vendors)) == ([], [("I am so.",)])


def test_two_words_changed_that_are_not_side_by_side_answer_nobody(studio, vendors):
    spoken_by(studio)
    vendors.requests.clear()
    spoken_by(studio, SCRIPT.replace("awake", "asleep").replace("In a while", "Soon"))
    assert (together(vendors), len(alone(vendors))) == ([], 2)


def test_reordered_clauses_and_moved_scenes_buy_nothing(studio, vendors):
    spoken_by(studio)
    vendors.bought.clear()
    first, second = SCRIPT.split("\n\n")
    title, *said = first.splitlines()
    again = begun(studio, "\n\n".join([second, "\n".join([title, *reversed(said)])]))
    assert again.quote().to_speak == 0
    asyncio.run(again.speak())
    assert vendors.bought == {}


def test_the_quote_and_the_budget_are_those_of_the_clauses(studio, vendors):
    production = begun(studio, budget="0.0042")
    quote = production.quote()
    assert quote.characters == sum(map(len, WORDS))
    with pytest.raises(BudgetError, match="It was not bought"):
        asyncio.run(production.speak())
    assert not vendors.bought
    asyncio.run(begun(studio, budget="1").speak())
    assert vendors.bought == dict.fromkeys((*MORNING, *EVENING), 1)


def test_the_ledger_has_one_entry_a_dialogue(studio, vendors):
    production = spoken_by(studio)
    entries = sorted(studio.ledger.entries("day"), key=lambda each: -each.purchase.units)
    assert [(each.purchase.subject, each.purchase.units, each.outcome) for each in entries] == [
        (" ".join(words), sum(map(len, words)), "arrived") for words in (MORNING, EVENING)
    ]
    assert production.spent == sum(each.cost for each in entries)


def test_every_clause_is_told_as_it_begins_and_ends(studio, vendors):
    events = []
    asyncio.run(begun(studio).speak(events.append))
    for index in range(6):
        assert [each.outcome for each in events if each.clause == index] == ["began", "done"]
    assert [each.outcome for each in events[:4]] == ["began"] * 4
    assert [each.done for each in events if each.outcome == "done"] == [1, 2, 3, 4, 5, 6]


def test_speaking_that_is_stopped_at_any_event_keeps_what_arrived_and_buys_nothing_twice(workspace, vendors):
    at = 0
    while True:
        vendors.bought.clear()
        heard = 0

        def stopping(_event, at=at):
            nonlocal heard
            heard += 1
            if heard > at:
                raise Stopped

        with Studio(workspace / str(at)) as studio:
            production = begun(studio)
            stopped = False
            try:
                asyncio.run(production.speak(stopping))
            except Stopped:
                stopped = True
            kept = [take is not None for take in production.takes_in_use]
            assert sum(vendors.bought.values()) == sum(kept)
            asyncio.run(production.speak())
            assert vendors.bought == dict.fromkeys((*MORNING, *EVENING), 1)
        if not stopped:
            assert at == 12
            return
        at += 1


# Killed


THREE = lines(("Anna", "Are you awake?"), ("Ben", "I am now."), ("Anna", "Then get up."))


def words_in(studio: Studio) -> set[str]:
    """The texts for which something has arrived: a take, a body of their own, or one that is shared."""
    store = studio.folder / STORE
    production = begun(studio, THREE)
    arrived = {path.name.removesuffix(".0") for path in (store / "arrived").glob("[!.]*")}
    takes = {path.name.split(".")[0] for path in (store / "takes").rglob("[!.]*.wav")}
    for path in (store / "shares").glob("[!.]*.json"):
        if path.stem in arrived:
            arrived |= set(json.loads(path.read_bytes())["keys"])
    return {
        order.utterance.text
        for order in production._orders(production._state)
        if order.recipe.fingerprint in arrived | takes
    }


def plain(bought) -> dict[str, int]:
    """What was bought, without its tags."""
    return {text.rpartition("] ")[2]: number for text, number in bought.items()}


def test_killed_at_any_operation_no_clause_that_arrived_is_lost_or_bought_twice(workspace, vendors, monkeypatch):
    shared = 0
    for dies_at in range(1000):
        died = workspace / str(dies_at)
        with Studio(died) as studio:
            begun(studio, THREE)
            with monkeypatch.context() as patch, suppress(Killed):
                patch.setattr(files, "disk", DyingDisk(dies_at))
                asyncio.run(studio.production("day").speak())
        edited = shutil.copytree(died, workspace / f"{dies_at} edited")
        for folder, script in ((died, THREE), (edited, THREE.replace("I am now", "I am so"))):
            with Studio(folder) as studio:
                here = words_in(studio)
                shared += bool(here) and any((studio.folder / STORE / "shares").glob("[!.]*"))
                vendors.bought.clear()
                production = spoken_by(studio, script)
                wanted = {clause.text for clause in production.clauses}
                assert plain(vendors.bought) == dict.fromkeys(wanted - here, 1)
                assert None not in production.takes_in_use
                assert not list((studio.folder / STORE / "shares").glob("[!.]*"))
        if here == set(WORDS[:3]) and not left(studio):
            assert shared > 20
            return
    raise AssertionError("it never lived")


def test_a_dialogue_that_had_arrived_is_found_by_one_of_its_clauses_alone(studio, vendors, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(dialogue, "parted", _die)
        with pytest.raises(Killed):
            asyncio.run(begun(studio).speak())
    vendors.bought.clear()
    other = spoken_by(studio, lines(("Anna", "Then get up.")), "other")
    assert vendors.bought == {}
    said, _ = known(other, 0)
    assert np.array_equal(other.samples(other.takes_in_use[0].fingerprint), said.samples)
    spoken_by(studio)
    assert not set(MORNING) & set(vendors.bought)
    assert left(studio) == []


def _die(*_: Any, **__: Any) -> Any:
    raise Killed


def test_the_ledger_hears_of_a_dialogue_that_arrived_as_its_buyer_died(studio, vendors, monkeypatch):
    production = begun(studio, THREE)
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "settle", _die)
        with pytest.raises(Killed):
            asyncio.run(production.speak())
    assert [entry.outcome for entry in studio.ledger.entries("day")] == ["asked"]
    asyncio.run(production.speak())
    (entry,) = studio.ledger.entries("day")
    assert (entry.outcome, entry.cost) == ("arrived", entry.purchase.price)
    assert set(vendors.bought.values()) == {1}


def test_two_studios_that_speak_the_same_lines_in_another_order_buy_them_once(workspace, vendors):
    vendors.delay = 0.05
    said = [("Anna", "One."), ("Ben", "Two."), ("Anna", "Three."), ("Ben", "Four.")]

    async def both(one: Production, other: Production) -> None:
        await asyncio.gather(one.speak(), other.speak())

    with Studio(workspace) as first, Studio(workspace) as second:
        productions = (
            begun(first, lines(*said), "one"),
            begun(second, lines(*reversed(said)), "other"),
        )
        asyncio.run(asyncio.wait_for(both(*productions), 30))
        assert all(None not in production.takes_in_use for production in productions)
        assert set(vendors.bought.values()) == {1}
        assert left(first) == []


# Limits


@given(
    st.lists(
        st.builds(
            Line,
            st.sampled_from([f"voice {number}" for number in range(15)]),
            st.one_of(st.integers(1, 60), st.integers(300, 2200)).map(lambda length: "x" * length),
            st.just("en"),
        ),
        max_size=60,
    )
)
def test_dialogues_are_within_the_limits_in_order_and_each_line_is_in_one_at_most(said):
    found = dialogue.parts(said)
    for part in found:
        assert part.stop - part.start >= 2
        assert 2 <= len({line.voice for line in said[part]}) <= MOST_VOICES
        assert sum(len(line.text) for line in said[part]) <= MOST_CHARACTERS
    edges = [edge for part in found for edge in (part.start, part.stop)]
    assert edges == sorted(edges)
    if len({line.voice for line in said}) in range(2, MOST_VOICES + 1):
        whole = sum(len(line.text) for line in said) <= MOST_CHARACTERS
        assert (found == [slice(0, len(said))]) is whole


@given(st.integers(40, 400), st.integers(10, 100))
def test_a_long_scene_makes_as_few_dialogues_as_can_be_all_of_about_one_length(count, length):
    said = [Line("ab"[number % 2], "x" * length, "en") for number in range(count)]
    found = dialogue.parts(said)
    lengths = [sum(len(line.text) for line in said[part]) for part in found]
    assert sum(lengths) == count * length
    assert max(lengths) - min(lengths) <= max(2 * length, 0.5 * MOST_CHARACTERS)
    assert len(found) <= 2 * math.ceil(count * length / MOST_CHARACTERS)


def test_a_long_scene_of_many_voices_is_split_and_every_clause_is_asked_for_once(studio, vendors):
    vendors.at_once = None
    names = list(SPEAKERS)
    said = [(names[number * 5 % 12], f"Line {number} of this, {'and on ' * (number % 9)}.") for number in range(120)]
    production = spoken_by(studio, lines(*said))
    assert None not in production.takes_in_use
    asked = [text for request in vendors.requests for text in request.texts]
    assert sorted(asked) == sorted(clause.text for clause in production.clauses)
    order = {clause.text: index for index, clause in enumerate(production.clauses)}
    for texts in together(vendors):
        assert [order[text] for text in texts] == list(range(order[texts[0]], order[texts[0]] + len(texts)))
        assert sum(map(len, texts)) <= MOST_CHARACTERS
    assert all(len({each["voice_id"] for each in request.json["inputs"]}) <= 10 for request in vendors.seen(TOGETHER))
    assert 12 <= len(together(vendors)) <= 16  # eleven lines on end have eleven voices
    assert alone(vendors) == []


# What goes wrong


def changed(vendors: Vendors, script: str = SCRIPT, **other: Any) -> dict[str, Any]:
    """What the fake would answer for the first scene of a script, with this in place of its own."""
    with Studio(Path("elsewhere")) as studio:
        production = begun(studio, script)
        first = [order for order in production._orders(production._state) if order.scene == 0]
    said = [Line.of(order.voice, order.utterance) for order in first]
    body = dialogue.asked(first[0].voice.company, said)
    headers = {"xi-api-key": KEYS["elevenlabs"]}
    request = Request("elevenlabs", "POST", f"/v1{TOGETHER}", {"output_format": "pcm_44100"}, headers, b"", 0)
    object.__setattr__(request, "body", json.dumps(body).encode())
    answer = json.loads(vendors._dialogue(request, "with-timestamps").pieces[0])
    return {**answer, **other}


def segments(vendors: Vendors, number: int, **other: Any) -> dict[str, Any]:
    answer = changed(vendors)
    answer["voice_segments"][number] |= other
    return answer


def without(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != name}


def alike(answer: dict[str, Any], text: str) -> dict[str, Any]:
    answer["alignment"]["characters"] = list(text)
    return answer


BAD: dict[str, Any] = {
    "no segments": lambda v: without(changed(v), "voice_segments"),
    "null for segments": lambda v: changed(v, voice_segments=None),
    "empty segments": lambda v: changed(v, voice_segments=[]),
    "a line left out": lambda v: changed(v, voice_segments=changed(v)["voice_segments"][:-1]),
    "segments that are none": lambda v: changed(v, voice_segments=[1, 2, 3, 4]),
    "an index too high": lambda v: segments(v, 3, dialogue_input_index=4),
    "an index below": lambda v: segments(v, 3, dialogue_input_index=-1),
    "an index that is true": lambda v: segments(v, 1, dialogue_input_index=True),
    "an index that is broken": lambda v: segments(v, 1, dialogue_input_index=1.0),
    "another line's index": lambda v: segments(v, 0, dialogue_input_index=2),
    "another's voice": lambda v: segments(v, 0, voice_id=IDS[1]),
    "characters beyond the text": lambda v: segments(v, 3, character_end_index=10_000),
    "characters of another line": lambda v: segments(v, 1, character_start_index=0),
    "characters backwards": lambda v: segments(v, 0, character_start_index=9, character_end_index=3),
    "a time that is no number": lambda v: segments(v, 0, start_time_seconds=math.nan),
    "a time without end": lambda v: segments(v, 3, end_time_seconds=math.inf),
    "a time before all": lambda v: segments(v, 0, start_time_seconds=-1.0),
    "a time after all": lambda v: segments(v, 3, end_time_seconds=500.0),
    "times backwards": lambda v: segments(v, 0, start_time_seconds=0.5, end_time_seconds=0.4),
    "a time in words": lambda v: segments(v, 0, start_time_seconds="soon"),
    "no sound": lambda v: changed(v, audio_base64=""),
    "silence": lambda v: changed(v, audio_base64=base64.b64encode(bytes(400_000)).decode()),
    "an error": lambda v: {"error": {"message": "sorry"}},
    "a list": lambda v: [1],
    "no JSON": lambda v: b"{]",
    "nothing": lambda v: b"",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_an_answer_that_cannot_be_is_no_take_and_its_clauses_can_be_had_again(studio, vendors, bad):
    vendors.misbehave(Fault(body=bad(vendors)), when=lambda request: request.texts == MORNING)
    production = begun(studio)
    with pytest.raises(VoiceError, match="4 of 6 clauses could not be spoken; the others are kept") as caught:
        asyncio.run(production.speak())
    assert isinstance(caught.value.__cause__, BrokenAnswerError)
    assert [take is not None for take in production.takes_in_use] == [False] * 4 + [True] * 2
    vendors.requests.clear()
    asyncio.run(production.speak())
    assert together(vendors) == [MORNING]
    assert None not in production.takes_in_use
    assert left(studio) == []


def test_lines_in_another_order_than_they_were_asked_for_are_a_bad_answer(studio, vendors):
    answer = changed(vendors, alignment=None)
    first, second = answer["voice_segments"][:2]
    for name in ("start_time_seconds", "end_time_seconds"):
        first[name], second[name] = second[name], first[name]
    vendors.misbehave(Fault(body=answer), when=lambda request: request.texts == MORNING)
    with pytest.raises(VoiceError, match="in another order"):
        spoken_by(studio)


def test_segments_that_overlap_or_are_several_for_a_line_are_cut_by_the_characters(studio, vendors):
    answer = changed(vendors)
    whole = [dict(each) for each in answer["voice_segments"]]
    for each in answer["voice_segments"]:
        each["start_time_seconds"] = max(0, each["start_time_seconds"] - 0.2)
        each["end_time_seconds"] += 0.2
    answer["voice_segments"] += whole
    vendors.misbehave(Fault(body=answer), when=lambda request: request.texts == MORNING)
    production = spoken_by(studio)
    for index, take in enumerate(production.takes_in_use):
        assert abs(take.length - len(known(production, index)[0].samples)) <= 1


def test_without_characters_overlapping_segments_are_cut_in_their_middle(studio, vendors):
    answer = changed(vendors, alignment=None)
    for each in answer["voice_segments"]:
        each["start_time_seconds"] = max(0, each["start_time_seconds"] - 0.02)
        each["end_time_seconds"] += 0.02
    vendors.misbehave(Fault(body=answer), when=lambda request: request.texts == MORNING)
    production = spoken_by(studio)
    for index, take in enumerate(production.takes_in_use):
        assert abs(take.length - len(known(production, index)[0].samples)) <= 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=400, body={"detail": {"code": "unsupported_model", "message": "no dialogue"}}),
        Fault(status=422, body={"detail": [{"loc": ["body", "inputs"], "msg": "no", "type": "value_error"}]}),
        Fault(status=403, body={"detail": {"code": "feature_not_available", "message": "not in your plan"}}),
        Fault(status=404, body={"detail": "Not Found"}),
    ],
    ids=lambda fault: str(fault.status),
)
def test_where_dialogues_are_refused_the_clauses_are_asked_for_one_by_one(studio, vendors, fault):
    vendors.misbehave(fault, times=99, when=lambda request: request.path.endswith(TOGETHER))
    events = []
    production = begun(studio)
    asyncio.run(production.speak(events.append))
    assert None not in production.takes_in_use
    assert sorted(alone(vendors)) == sorted((text,) for text in (*MORNING, *EVENING))
    assert set(vendors.bought.values()) == {1}
    assert all([each.outcome for each in events if each.clause == index] == ["began", "done"] for index in range(6))
    assert {each.outcome for each in studio.ledger.entries("day") if " " in each.purchase.subject} >= {"refused"}
    assert left(studio) == []


def test_after_a_stop_a_refused_dialogue_is_not_asked_for_in_pieces(studio, vendors):
    refused = Fault(status=404, body={"detail": "Not Found"}, how="hang")
    vendors.misbehave(refused, when=lambda request: request.texts == MORNING)
    script = SCRIPT + '\n[Scene 3 – Night]\nDialogue (Cleo): "Hush."\n'

    def listener(event):
        if event.outcome == "done":
            vendors.release()
            raise Stopped

    production = begun(studio, script)
    with pytest.raises(Stopped):
        asyncio.run(production.speak(listener))
    assert vendors.bought == {"Hush.": 1}
    assert [take is not None for take in production.takes_in_use] == [False] * 6 + [True]


def test_a_voice_that_does_not_exist_fails_alone(studio, vendors):
    production = begun(studio, speakers={**SPEAKERS, "Ben": f"elevenlabs:{'x' * 20},{V3}"})
    with pytest.raises(VoiceError, match="3 of 6 clauses could not be spoken; the others are kept"):
        asyncio.run(production.speak())
    assert [take is not None for take in production.takes_in_use] == [True, False, True, False, False, True]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault(status=402, body={"detail": {"code": "insufficient_credits", "message": "no"}}), "refused"),
        (Fault(how="cut in body"), "unknown"),
        (Fault(how="cut"), "unknown"),
        (Fault(status=504, body=b"", charged=True), "unknown"),
    ],
    ids=str,
)
def test_a_dialogue_that_fails_for_another_reason_fails_whole_and_is_not_asked_for_in_pieces(
    studio, vendors, fault, outcome
):
    vendors.misbehave(fault, when=lambda request: request.texts == EVENING)
    production = begun(studio)
    events = []
    with pytest.raises(VoiceError, match="2 of 6 clauses could not be spoken; the others are kept"):
        asyncio.run(production.speak(events.append))
    assert not alone(vendors)
    assert {each.clause: bool(each.reason) for each in events if each.outcome == "failed"} == {4: True, 5: True}
    assert sorted(each.outcome for each in studio.ledger.entries("day")) == sorted(["arrived", outcome])
    vendors.requests.clear()
    asyncio.run(production.speak())
    assert together(vendors) == [EVENING]
    assert left(studio) == []


def test_a_wrong_key_is_asked_for_once_and_not_for_every_scene(studio, vendors, monkeypatch):
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk-wrong")
    scenes = [
        f'[Scene {n} – S]\nDialogue (Anna): "Ask {n}."\nDialogue (Ben): "Answer {n}."\nDialogue (Anna): "Then {n}."'
        for n in range(1, 41)
    ]
    with pytest.raises(VoiceError, match=r"120 of 120 clauses .* Correct ELEVENLABS_API_KEY"):
        spoken_by(studio, "\n\n".join(scenes))
    assert len(vendors.requests) == 1


def test_without_a_key_all_is_quoted_and_what_it_needs_is_said(studio):
    production = begun(studio)
    assert production.quote().to_speak == 6
    with pytest.raises(VoiceError, match=r"6 of 6 .* Put ELEVENLABS_API_KEY=… into \.env"):
        asyncio.run(production.speak())
