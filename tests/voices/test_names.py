"""Voices by name: asked for when they are chosen, once, and kept by their ids."""

from __future__ import annotations

import asyncio

import pytest
from click.testing import CliRunner
from helpers.vendors import VOICES, Fault, Request, Vendors
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.cli import main
from luma_studio.errors import BadKeyError, BrokenAnswerError, NoKeyError, SettingError, VendorError
from luma_studio.panels.script_editor import ScriptEditor
from luma_studio.panels.session import Session
from luma_studio.production import Production
from luma_studio.studio import Studio
from luma_studio.voices import Listed, names

RACHEL, DREW = (f"elevenlabs:{key}" for key in list(VOICES)[:2])
SCRIPT = "Calm\nClose your eyes. (2 sec)\nBreathe in, and out."
MEETING = '[Scene 1 – Hello]\nDialogue (Woman): "Hello."\nDialogue (Man): "Good day."'


def asked(vendors: Vendors) -> list[Request]:
    return vendors.seen("/v2/voices")


def kept(production: Production) -> str:
    return (production.folder / "production.json").read_text(encoding="utf-8")


# Wherever a voice is chosen


def test_a_production_keeps_the_id_of_a_voice_that_was_named(studio, vendors):
    production = studio.production("calm", SCRIPT, voice="elevenlabs:rachel,model=eleven_v3", speakers={"A": "espeak"})
    assert production.choices.voice == f"{RACHEL},model=eleven_v3"
    assert production.choices.speakers == {"A": "espeak"}
    assert "rachel" not in kept(production)
    asyncio.run(production.speak())
    assert all(f"/{RACHEL[11:]}/" in request.path for request in vendors.seen("/with-timestamps"))


def test_speakers_are_named_too(studio, vendors):
    production = studio.production(
        "meeting", MEETING, speakers={"Woman": "elevenlabs:Rachel", "Man": "elevenlabs:DREW"}
    )
    assert production.choices.speakers == {"Woman": RACHEL, "Man": DREW}


def test_settings_of_the_environment_name_voices_for_what_is_begun(vendors, workspace, monkeypatch):
    monkeypatch.setenv("LUMA_VOICE", "elevenlabs:Rachel")
    monkeypatch.setenv("LUMA_SPEAKERS", '{"Man": "elevenlabs:Drew"}')
    with Studio(workspace) as studio:
        choices = studio.production("meeting", MEETING).choices
        assert (choices.voice, choices.speakers) == (RACHEL, {"Man": DREW})
        assert studio.quote("other", MEETING).voices[0].voice == RACHEL


def test_a_setting_that_is_overridden_is_not_asked_for(vendors, workspace, monkeypatch):
    monkeypatch.setenv("LUMA_VOICE", "elevenlabs:Nobody at all")
    with Studio(workspace) as studio:
        assert studio.production("calm", SCRIPT, voice="espeak").choices.voice == "espeak"
    assert not vendors.requests


def test_one_clause_is_spoken_again_by_a_voice_that_is_named(studio, vendors):
    production = studio.production("calm", SCRIPT, voice=RACHEL)
    asyncio.run(production.speak())
    asyncio.run(production.speak_again(0, voice="elevenlabs:Drew"))
    assert [take.voice for take in production.takes(0)] == [RACHEL, DREW]


def test_a_sample_is_heard_and_a_quote_made_by_name(studio, vendors):
    asyncio.run(studio.hear("Breathe in.", "en", "elevenlabs:Rachel"))
    asyncio.run(studio.hear("Breathe in.", "en", RACHEL))
    assert vendors.bought == {"Breathe in.": 1}
    assert studio.quote("calm", SCRIPT, voice="elevenlabs:Rachel").voices[0].voice == RACHEL


def test_the_command_takes_names_and_shows_them(vendors, workspace):
    (workspace / "meeting.txt").write_text(MEETING, encoding="utf-8")
    options = ["--voice", "elevenlabs:Rachel", "--speaker", "Man=elevenlabs:drew,model=eleven_v3"]
    result = CliRunner().invoke(main, ["narrate", "meeting.txt", *options])
    assert result.exit_code == 0, result.output
    assert f"6 characters of Rachel ({RACHEL})" in result.stderr
    assert f"9 characters of Drew ({DREW},model=eleven_v3)" in result.stderr
    assert len(asked(vendors)) == 2


def test_the_page_is_given_the_id_quotes_by_name_and_finds_it_spoken(studio, vendors):
    with Session(studio) as session:
        editor = ScriptEditor(session)
        assert editor.do_written("elevenlabs:Rachel,speed=0.9") == f"{RACHEL},speed=0.9"
        assert editor.do_written("espeak:hi") == "espeak:hi"
        asyncio.run(studio.production("calm", SCRIPT, voice=RACHEL).speak())
        assert editor.do_quote("calm", SCRIPT, {"voice": "elevenlabs:Rachel"})["spoken"]


def test_the_page_shows_the_name_of_a_voice_whose_price_is_not_known(studio, vendors):
    with Session(studio) as session:
        editor = ScriptEditor(session)
        changes = {"voice": f"{RACHEL},model=eleven_v9"}
        assert editor.do_quote("calm", SCRIPT, changes)["unknown"] == [f"{RACHEL},model=eleven_v9"]
        editor.do_offers()
        assert editor.do_quote("calm", SCRIPT, changes)["unknown"] == [f"Rachel ({RACHEL},model=eleven_v9)"]


# What is kept stays


def test_the_same_name_again_changes_nothing(studio, vendors):
    production = studio.production("calm", SCRIPT, voice="elevenlabs:Rachel")
    asyncio.run(production.speak())
    before, takes = kept(production), production.takes_in_use
    again = studio.production("calm", SCRIPT, voice="elevenlabs:Rachel")
    assert (kept(again), again.takes_in_use) == (before, takes)
    assert again.quote().to_speak == 0


def test_a_production_opens_without_key_or_vendor_and_whatever_its_voice_is_called_by_now(
    vendors, workspace, monkeypatch
):
    monkeypatch.setenv("LUMA_VOICE", "elevenlabs:Rachel")
    with Studio(workspace) as studio:
        asyncio.run(studio.production("calm", SCRIPT).speak())
    vendors.voices[RACHEL[11:]] = "Rahel"
    with Studio(workspace) as studio:
        production = studio.production("calm", SCRIPT, sentence_pause=2.5)
        assert (production.choices.voice, production.quote().to_speak) == (RACHEL, 0)
    monkeypatch.delenv("ELEVENLABS_API_KEY")
    monkeypatch.delenv("ELEVENLABS_BASE_URL")
    vendors.requests.clear()
    with Studio(workspace) as studio:
        production = studio.production("calm", SCRIPT)
        production.tune({0: 4.0})
        assert production.timeline.length > 0
        assert studio.quote("calm", SCRIPT).to_speak == 0
    assert not vendors.requests


def test_a_name_that_an_older_version_kept_does_not_keep_a_production_from_being_opened(studio, workspace):
    production = studio.production("calm", SCRIPT, voice=RACHEL)
    (production.folder / "production.json").write_text(kept(production).replace(RACHEL, "elevenlabs:Rachel"))
    del production
    with Studio(workspace) as other:
        assert other.production("calm").choices.voice == "elevenlabs:Rachel"


# Asking


def test_a_name_is_asked_for_once_in_a_studio(studio, vendors):
    for name in ("Rachel", "rachel", "RACHEL"):
        for model in ("eleven_v3", "eleven_multilingual_v2"):
            studio.production("calm", SCRIPT, voice=f"elevenlabs:{name},model={model}")
    (request,) = asked(vendors)
    assert request.query["search"] == "Rachel"


def test_an_id_and_another_engines_voice_are_not_asked_for(studio, monkeypatch):
    for voice in (RACHEL, f"{RACHEL},speed=0.9", "espeak:hi", "openai:nova,model=tts-1"):
        assert studio.names.written(voice) == voice


def test_settings_that_cannot_be_are_told_before_a_name_is_asked_for(studio):
    with pytest.raises(SettingError, match="stability"):
        studio.names.written("elevenlabs:Rachel,stability=7")


def test_a_name_is_found_from_a_thread_in_which_an_event_loop_runs(studio, vendors):
    async def cell() -> Production:
        return studio.production("calm", SCRIPT, voice="elevenlabs:Rachel")

    assert asyncio.run(cell()).choices.voice == RACHEL


def test_a_voice_is_found_on_whichever_page_and_however_the_vendor_searches(studio, vendors):
    vendors.voices = {f"{number:020}": f"Voice number {number}" for number in range(30)}
    vendors.voices["x" * 20] = "Zoë - calm"
    assert studio.names.written("elevenlabs:voice number 29") == f"elevenlabs:{29:020}"
    decomposed = "Zoe\N{COMBINING DIAERESIS}"
    assert studio.names.written(f"elevenlabs:{decomposed}") == f"elevenlabs:{'x' * 20}"  # the fake's search misses it


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Rachel", "Rachel"),
        ("rachel  CALM", "Rachel calm"),
        ("Roger", "Roger - laid back, casual"),
        ("roger - laid", "Roger - laid back, casual"),
        ("राम", "राम (शांत)"),
        ("Ed", None),  # Eddie
        ("Roger - la", None),
        ("आर", None),  # आरा
        ("Rache", None),
    ],
)
def test_a_name_is_the_whole_name_or_else_its_first_words(name, found):
    called = ["Rachel", "Rachel calm", "Roger - laid back, casual", "Eddie", "राम (शांत)", "रामा", "आरा"]
    voices = [Listed(f"elevenlabs:{number:020}", each) for number, each in enumerate(called)]
    assert [each.name for each in names._called(name, voices)] == ([] if found is None else [found])


@given(st.lists(st.text("ab -", min_size=1, max_size=6).filter(str.strip), min_size=1, max_size=6), st.data())
def test_every_voice_is_found_by_its_own_name(called, data):
    voices = [Listed(f"elevenlabs:{number:020}", each) for number, each in enumerate(called)]
    wanted = data.draw(st.sampled_from(voices))
    found = names._called(wanted.name.upper(), voices)
    assert wanted in found
    assert {" ".join(each.name.split()) for each in found} == {" ".join(wanted.name.split())}


# What goes wrong


def test_a_name_that_nobody_has_is_told_with_some_that_there_are_and_begins_nothing(studio, vendors):
    with pytest.raises(
        SettingError, match=r"no voice 'Rachelle'. There are: Rachel \(21m00Tcm4TlvDq8ikWAM\), .*and 4 more"
    ):
        studio.production("calm", SCRIPT, voice="elevenlabs:Rachelle")
    with pytest.raises(SettingError, match="luma-studio voices"):
        studio.production("calm", SCRIPT, voice="elevenlabs:Rachelle")
    assert not (studio.folder / "calm").exists()
    assert [request.query.get("search") for request in asked(vendors)] == ["Rachelle", None, None]  # two pages of all


def test_a_name_that_was_not_there_is_asked_for_again_after_a_while(studio, vendors, monkeypatch):
    with pytest.raises(SettingError):
        studio.names.written("elevenlabs:Newcomer")
    vendors.voices["n" * 20] = "Newcomer"
    monkeypatch.setattr(names, "_REST", 0.0)
    assert studio.names.written("elevenlabs:Newcomer") == f"elevenlabs:{'n' * 20}"


def test_an_account_without_voices_is_told(studio, vendors):
    vendors.voices = {}
    with pytest.raises(SettingError, match="Your account has no voices there"):
        studio.names.written("elevenlabs:Rachel")


def test_a_name_that_several_have_is_told_with_their_ids(studio, vendors):
    vendors.voices |= {"a" * 20: "Bo - calm", "b" * 20: "Bo - news"}
    with pytest.raises(
        SettingError, match=rf"'Bo': Bo - calm \({'a' * 20}\), Bo - news \({'b' * 20}\). Choose one by its id"
    ):
        studio.names.written("elevenlabs:Bo")
    vendors.voices["c" * 20] = "Bo"
    assert names.Names(studio.wires, studio.personas.voice).written("elevenlabs:Bo") == f"elevenlabs:{'c' * 20}"


def test_without_a_key_a_name_says_what_it_needs(studio):
    with pytest.raises(NoKeyError, match=r"Put ELEVENLABS_API_KEY=… into \.env, or choose the embedded voice"):
        studio.production("calm", SCRIPT, voice="elevenlabs:Rachel")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=401, body={"detail": "no"}), BadKeyError),
        (Fault(how="cut"), VendorError),
        (Fault(body={"voices": None}), BrokenAnswerError),
        (Fault(body=[1]), BrokenAnswerError),
        (Fault(body=b"{"), BrokenAnswerError),
    ],
    ids=str,
)
def test_a_vendor_that_is_away_or_confused_is_told_and_asked_again(studio, vendors, fault, error):
    vendors.misbehave(fault)
    with pytest.raises(error):
        studio.names.written("elevenlabs:Rachel")
    assert studio.names.written("elevenlabs:Rachel") == RACHEL


def test_a_page_that_follows_itself_ends(studio, vendors):
    page = {"voices": [{"voice_id": "a" * 20, "name": "Bo"}], "has_more": True, "next_page_token": "again"}
    vendors.misbehave(Fault(body=page, charged=False), times=100)
    assert studio.names.written("elevenlabs:Bo")
    assert len(asked(vendors)) == 2


def test_what_makers_called_their_voices_stays_in_its_line(studio, vendors):
    page = {"voices": [{"voice_id": "a" * 20, "name": "Bo\n\x1b[31mred"}, {"voice_id": "x,model=y", "name": "Bad"}, 7]}
    vendors.misbehave(Fault(body=page), times=2)
    with pytest.raises(SettingError, match=rf"There are: Bo \[31mred \({'a' * 20}\)\."):
        studio.names.written("elevenlabs:Rachel")
