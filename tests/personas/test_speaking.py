"""A persona speaks in productions: resolved when it is chosen; what is kept is a voice."""

from __future__ import annotations

import asyncio

import pytest
from helpers.vendors import VOICES

from luma_studio.errors import PersonaError, SettingError
from luma_studio.panels.script_editor import ScriptEditor
from luma_studio.panels.session import Session
from luma_studio.studio import Studio

RACHEL = next(iter(VOICES))
BOUGHT = f"elevenlabs:{RACHEL},stability=0.4"
EMBEDDED = "espeak:en+f3,rate=140"
MEETING = '[Scene 1 – Hello]\nDialogue (Woman): "Hello."\nDialogue (Man): "Good day."'


@pytest.fixture(autouse=True)
def _bo(written):
    written(
        bo={"voice": EMBEDDED, "elevenlabs_voice_id": RACHEL, "elevenlabs_settings": {"stability": 0.4}},
        ann={"voice": "espeak:+f2"},
    )


def test_without_a_key_it_is_the_embedded_voice_that_is_kept(studio):
    production = studio.production("meeting", MEETING, voice="persona:ann", speakers={"Woman": "persona:bo"})
    assert (production.choices.voice, production.choices.speakers) == ("espeak:+f2", {"Woman": EMBEDDED})
    asyncio.run(production.speak())
    assert "persona" not in (production.folder / "production.json").read_text()


def test_with_a_key_it_is_elevenlabs_voice_and_one_without_stays_embedded(studio, vendors):
    production = studio.production("meeting", MEETING, voice="persona:ann", speakers={"Woman": "persona:Bo"})
    assert (production.choices.voice, production.choices.speakers) == ("espeak:+f2", {"Woman": BOUGHT})
    assert studio.names.shown(BOUGHT) == f"Bo ({BOUGHT})"
    assert not vendors.requests
    asyncio.run(production.speak())
    assert vendors.bought == {"Hello.": 1}


def test_without_the_key_again_the_same_choice_keeps_the_bought_voice_and_its_takes(workspace, vendors, monkeypatch):
    chosen = {"voice": "persona:bo", "speakers": {"Woman": "persona:bo"}}
    with Studio(workspace) as studio:
        asyncio.run(studio.production("meeting", MEETING, **chosen).speak())
    monkeypatch.delenv("ELEVENLABS_API_KEY")
    monkeypatch.delenv("ELEVENLABS_BASE_URL")
    with Studio(workspace) as studio:
        again = studio.production("meeting", MEETING, **chosen)
        assert (again.choices.voice, again.choices.speakers) == (BOUGHT, {"Woman": BOUGHT})
        assert again.quote().to_speak == 0
        assert studio.production("new", MEETING, **chosen).choices.voice == EMBEDDED


def test_with_a_key_at_last_the_same_choice_is_the_bought_voice_and_takes_of_the_other_stay(
    workspace, studio, vendors, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.delenv("ELEVENLABS_API_KEY")
        patch.delenv("ELEVENLABS_BASE_URL")
        asyncio.run(studio.production("meeting", MEETING, voice="persona:bo").speak())
    again = studio.production("meeting", MEETING, voice="persona:bo")
    assert again.choices.voice == BOUGHT
    assert again.quote().to_speak == 2
    assert studio.production("meeting", MEETING, voice=EMBEDDED).quote().to_speak == 0


def test_a_production_opens_when_its_persona_is_gone(studio, workspace):
    production = studio.production("meeting", MEETING, voice="persona:bo")
    asyncio.run(production.speak())
    studio.personas.remove("bo")
    with Studio(workspace) as other:
        assert other.production("meeting").quote().to_speak == 0


@pytest.mark.parametrize(
    ("voice", "kind", "told"),
    [
        ("persona:nobody", PersonaError, "There is no persona 'nobody'. There are: bo, ann, asha, otto, juno."),
        ("persona:", PersonaError, "There is no persona ''"),
        ("persona", PersonaError, "There is no persona ''"),
        ("persona:../bo", PersonaError, "There is no persona '../bo'"),
        ("persona:bo,rate=140", SettingError, "has settings, which a persona's voice has in personas.json"),
    ],
)
def test_a_persona_that_cannot_be_is_told_before_anything_is_written(studio, workspace, voice, kind, told):
    with pytest.raises(kind) as error:
        studio.production("meeting", MEETING, voice=voice)
    assert told in str(error.value)
    assert not (workspace / "generated_audio" / "meeting").exists()


def test_the_environment_may_name_one_and_a_clause_may_be_spoken_again_by_one(workspace, monkeypatch):
    monkeypatch.setenv("LUMA_VOICE", "persona:ann")
    with Studio(workspace) as studio:
        production = studio.production("meeting", MEETING)
        assert production.choices.voice == "espeak:+f2"
        asyncio.run(production.speak())
        asyncio.run(production.speak_again(0, voice="persona:bo"))
        assert production.takes(0)[-1].voice == EMBEDDED


def test_the_page_lists_them_and_is_given_their_voice(studio):
    with Session(studio) as session:
        editor = ScriptEditor(session)
        offer = editor.do_offers()[-1]
        assert [each["voice"] for each in offer["voices"]][:3] == ["persona:bo", "persona:ann", "persona:asha"]
        assert editor.do_written("persona:bo") == EMBEDDED
        assert editor.do_quote("new", MEETING, {"voice": "persona:bo"})["to_speak"] == 2
