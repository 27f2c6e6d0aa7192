"""ElevenLabs: exact times, rules of the models, and a clause that is bought once whatever happens."""

from __future__ import annotations

import asyncio
import base64
import io
import json

import pytest
from helpers.vendors import Fault, Spoken, Vendors, spoken

from luma_studio.audio import codec
from luma_studio.errors import SettingError, VoiceError
from luma_studio.production import Production
from luma_studio.studio import STORE, Studio

RACHEL = "elevenlabs:21m00Tcm4TlvDq8ikWAM"
EXACT = f"{RACHEL},format=pcm_44100"
SCRIPT = "Calm\nClose your eyes. (2 sec)\nBreathe in, and out.\nLet it go."
HINDI = "शांति\nआराम से बैठ जाइए। (2 sec)\nगहरी साँस लीजिए।"


def spoken_by(studio: Studio, script: str = SCRIPT, name: str = "calm", **changes: str):
    production = studio.production(name, script, **{"voice": RACHEL, **changes})
    asyncio.run(production.speak())
    return production


@pytest.mark.parametrize("script", [SCRIPT, HINDI])
def test_takes_are_cut_at_the_sample_that_the_vendor_tells(studio, vendors, script):
    production = spoken_by(studio, script, voice=EXACT)
    for clause, take in zip(production.clauses, production.takes_in_use, strict=True):
        known = spoken(clause.text, 44100, voice="21m00Tcm4TlvDq8ikWAM", model="eleven_multilingual_v2")
        assert abs(take.speech_start - known.starts[0]) <= 1
        assert abs(take.speech_end - known.ends[-1]) <= 1
        assert take.length == len(known.samples)


@pytest.mark.parametrize("script", [SCRIPT, HINDI])
def test_words_have_the_times_of_their_characters(studio, vendors, script):
    production = spoken_by(studio, script, voice=EXACT)
    for clause, take in zip(production.clauses, production.takes_in_use, strict=True):
        known = spoken(clause.text, 44100, voice="21m00Tcm4TlvDq8ikWAM", model="eleven_multilingual_v2")
        assert [clause.text[word.first : word.last] for word in take.words] == clause.text.split()
        for word in take.words:
            assert word.start == pytest.approx(known.starts[word.first] / 44100, abs=1 / 44100)
            assert word.end == pytest.approx(known.ends[word.last - 1] / 44100, abs=1 / 44100)


def test_mp3_keeps_its_place(studio, vendors):
    production = spoken_by(studio)
    known = spoken("Close your eyes.", 44100)
    take = production.takes_in_use[0]
    assert abs(take.speech_start - known.starts[0]) <= 1
    assert abs(take.length - len(known.samples)) <= 1152 * 3  # frames


def test_one_word_changed_among_sixty_scenes_buys_one_clause_and_leaves_every_other_file_as_it_was(studio, vendors):
    vendors.at_once = None
    scenes = [f"# Scene {n}\nRest in place {n}.\nListen to sound {n}." for n in range(1, 61)]
    production = spoken_by(studio, "\n\n".join(scenes))
    production.export("master.wav", audit=False)
    before = scenes_of(production)
    vendors.bought.clear()
    again = spoken_by(studio, "\n\n".join(scenes).replace("Listen to sound 30.", "Listen to silence 30."))
    again.export("master.wav", audit=False)
    after = scenes_of(again)
    assert vendors.bought == {"Listen to silence 30.": 1}
    assert len(before) == 60
    assert [scene for scene in before if after[scene] != before[scene]] == ["scene_30"]


def scenes_of(production: Production) -> dict[str, tuple[str, bytes]]:
    """The file of each scene: its name and what it holds."""
    named = json.loads((production.folder / "scene_audio_map.json").read_bytes())
    return {scene: (name, (production.folder / name).read_bytes()) for scene, name in named.items()}


def test_moved_pauses_reordered_clauses_and_renamed_scenes_buy_nothing(studio, vendors):
    production = spoken_by(studio)
    vendors.bought.clear()
    production.scale(2.0)
    assert production.quote().to_speak == 0
    again = spoken_by(studio, "Peace\nLet it go.\nBreathe in, and out. (9 sec)\nClose your eyes.")
    assert (again.quote().to_speak, vendors.bought) == (0, {})


def test_older_models_are_given_the_neighbours_and_v3_is_given_the_tags(studio, vendors):
    script = "Calm\n[whispers] Close your eyes.\nBreathe in."
    spoken_by(studio, script, name="old")
    spoken_by(studio, script, name="new", voice=f"{RACHEL},model=eleven_v3,stability=0.5")
    old, new = ({request.json["text"]: request.json for request in requests} for requests in by_model(vendors))
    assert old["Close your eyes."]["next_text"] == "Breathe in."
    assert old["Breathe in."]["previous_text"] == "Close your eyes."
    assert "language_code" not in old["Breathe in."]
    assert set(new) == {"[whispers] Close your eyes.", "Breathe in."}
    assert not {"previous_text", "next_text"} & set(new["Breathe in."])
    assert new["Breathe in."]["language_code"] == "en"
    assert new["Breathe in."]["voice_settings"] == {"stability": 0.5}
    words = studio.production("new").takes_in_use[0].words
    assert (words[0].first, words[0].last) == (0, 5)


def by_model(vendors: Vendors):
    requests = vendors.seen("/with-timestamps")
    return [
        [each for each in requests if each.json["model_id"] == model]
        for model in ("eleven_multilingual_v2", "eleven_v3")
    ]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(body=b"{]"),
        Fault(body={"alignment": None}),
        Fault(body={"audio_base64": "bm8gc291bmQ=", "alignment": None}),
        Fault(body={"audio_base64": "%%%", "alignment": None}),
        Fault(body={"error": {"message": "sorry"}}),
        Fault(body=b""),
        Fault(body=[1]),
        Fault(status=400, body={"detail": {"code": "unsupported_model", "message": "no"}}),
        Fault(how="cut in body"),
    ],
    ids=str,
)
def test_a_bad_answer_never_becomes_a_take_and_its_clause_alone_is_tried_again(studio, vendors, fault):
    vendors.misbehave(fault, when=lambda request: "Breathe in, and out." in request.texts)
    with pytest.raises(VoiceError, match="1 of 3 clauses could not be spoken; the others are kept"):
        spoken_by(studio)
    production = studio.production("calm")
    assert [take is not None for take in production.takes_in_use] == [True, False, True]
    sent = len(vendors.requests)
    asyncio.run(production.speak())
    assert [request.texts for request in vendors.requests[sent:]] == [("Breathe in, and out.",)]
    assert None not in production.takes_in_use
    store = studio.folder / STORE
    assert not [path for name in ("arrived", "claims") for path in (store / name).glob("*")]


def test_times_that_cannot_be_are_a_bad_answer(studio, vendors):
    alignment = {
        "characters": list("Rest."),
        "character_start_times_seconds": [0, 1, 2, 3, 4],
        "character_end_times_seconds": [1, 2, 3, 4, 500],
    }
    good = spoken("Rest.", 44100)
    vendors.misbehave(Fault(body={"audio_base64": wave(good), "alignment": alignment}))
    with pytest.raises(VoiceError, match="less sound than it tells times of"):
        spoken_by(studio, "Rest.")


def wave(known: Spoken) -> str:
    file = io.BytesIO()
    codec.encode([known.samples], file, "wav", known.rate)
    return base64.b64encode(file.getvalue()).decode()


def test_a_wrong_key_is_asked_for_once_and_not_for_every_clause(studio, vendors, monkeypatch):
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk-wrong")
    script = "Calm\n" + "\n".join(f"Rest {n}." for n in range(100))
    with pytest.raises(VoiceError, match=r"Correct ELEVENLABS_API_KEY") as raised:
        spoken_by(studio, script)
    assert "sk-wrong" not in str(raised.value)
    assert len(vendors.requests) <= 4  # those that were under way


def test_without_a_key_it_can_be_chosen_and_quoted_and_says_what_it_needs(studio, monkeypatch):
    production = studio.production("calm", SCRIPT, voice=RACHEL)
    quote = production.quote()
    assert (quote.to_speak, quote.characters) == (3, len("Close your eyes.Breathe in, and out.Let it go."))
    with pytest.raises(VoiceError, match=r"Put ELEVENLABS_API_KEY=… into \.env, or choose the embedded voice"):
        asyncio.run(production.speak())


@pytest.mark.parametrize(
    "choice",
    [
        "elevenlabs",
        "elevenlabs:x,colour=red",
        "elevenlabs:x,stability=2",
        "elevenlabs:x,stability=soft",
        "elevenlabs:x,speed=true",
    ],
)
def test_a_choice_that_cannot_be_is_refused_before_anything_is_begun(studio, choice):
    with pytest.raises(SettingError):
        studio.production("calm", SCRIPT, voice=choice)
    assert not (studio.folder / "calm").exists()
