"""The script editor: what is read of a text as it is typed, what speaking it would buy, and that no typing is lost."""

from __future__ import annotations

import base64
import json
import os
import queue
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.fakes import FakeVoice, give
from helpers.hearing import all_of
from helpers.vendors import VOICES, Vendors
from hypothesis import given
from hypothesis import strategies as st

from luma_studio import Studio
from luma_studio.errors import ChangedError, ScriptError, SettingError, UnsafeNameError
from luma_studio.panels.front import module
from luma_studio.panels.script_editor import ScriptEditor
from luma_studio.panels.session import Session
from luma_studio.script import parse
from luma_studio.store import drafts

CALM = "Arriving\nClose your eyes. (2 sec)\nBreathe in, slowly.\nAnd out again.\n\nComing home\nOpen your eyes.\n"
VIDEO = '[Scene 1 – Bottle]\nVisual: a desk\nDialogue (Woman): "[warm] Hello. (1 sec)"\nDialogue (Man): "Good day."\n'


@pytest.fixture
def voice(studio: Studio) -> FakeVoice:
    voice = FakeVoice()
    give(studio, voice)
    return voice


@pytest.fixture
def session(studio: Studio, voice: FakeVoice) -> Iterator[Session]:
    with Session(studio) as session:
        yield session


@pytest.fixture
def editor(session: Session) -> ScriptEditor:
    return ScriptEditor(session)


def speak(editor: ScriptEditor, name: str, text: str, seen: str | None = None, **changes: Any) -> None:
    """Speak, and wait for the end."""
    ended = threading.Event()

    def heard(topic: str, value: Any) -> None:
        if topic == "work" and value["status"] in ("done", "failed"):
            ended.set()

    unlisten = editor.session.listen(heard)
    editor.do_speak(name, text, changes, seen)
    assert ended.wait(30)
    unlisten()


def asked(editor: ScriptEditor, verb: str, **given: Any) -> dict[str, Any]:
    """The answer that the page gets."""
    answers: queue.Queue[dict[str, Any]] = queue.Queue()
    editor.send = lambda content, buffers=None: answers.put(json.loads(json.dumps(content).encode("utf-8")))
    editor._asked(editor, {"ask": "1", "verb": verb, "with": given}, [])
    return answers.get(timeout=30)


def in_browser(text: str, start: int, end: int) -> str:
    """What a browser finds between two of its offsets."""
    return text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")


def marked(text: str, marks: list[Any], kind: str) -> list[str]:
    return [in_browser(text, start, end) for start, end, other in marks if other == kind]


# Reading


def test_each_kind_of_mark_covers_its_words(editor: ScriptEditor) -> None:
    marks = editor.do_read(VIDEO, {})["marks"]
    assert marked(VIDEO, marks, "header") == ["[Scene 1 – Bottle]"]
    assert marked(VIDEO, marks, "direction") == ["Visual: a desk"]
    assert marked(VIDEO, marks, "speaker") == ["Dialogue (Woman):", "Dialogue (Man):"]
    assert marked(VIDEO, marks, "tag") == ["[warm]"]
    assert marked(VIDEO, marks, "pause") == ["(1 sec)"]


@given(
    st.lists(
        st.sampled_from(["😀", "Breathe.", "सांस लें।", "(5 sec)", "[warm]", "\n", "\n\nHome\n", " ", "\ufeff"]),
        max_size=30,
    )
)
def test_marks_are_counted_as_a_browser_counts(pieces: list[str]) -> None:
    text = "".join(pieces) + "\nOne sentence is there to be spoken."
    with Session(Studio()) as session:
        marks = ScriptEditor(session).do_read(text, {})["marks"]
    script = parse(text)
    expected = [script.text[mark.start : mark.end] for mark in script.marks]
    assert [in_browser(text, start, end) for start, end, _ in marks] == expected


def test_a_diagnostic_points_at_the_note_it_is_about(editor: ScriptEditor) -> None:
    text = "😀 Begin.\nBreathe in. (5 blurbs later maybe sec) Breathe out.\nWait. (-3 sec)\n"
    found = editor.do_read(text, {})["diagnostics"]
    assert found
    assert {each["level"] for each in found} <= {"error", "warning", "note"}
    last = found[-1]
    assert (last["line"], in_browser(text, last["start"], last["end"])) == (3, "(-3 sec)")


def test_a_title_that_stands_alone_has_a_second_look_mark(editor: ScriptEditor) -> None:
    text = "शांति की साँस\n\n" + CALM
    [found] = editor.do_read(text, {})["diagnostics"]
    assert (found["line"], found["level"], found["start"]) == (1, "note", 0)
    assert "stands alone before the first header and is spoken" in found["message"]


def test_scenes_are_listed_with_where_they_begin(editor: ScriptEditor) -> None:
    text = "😀 First words.\n\n" + CALM
    scenes = editor.do_read(text, {})["scenes"]
    assert [(scene["title"], scene["line"], scene["clauses"]) for scene in scenes] == [
        ("😀 First words.", 1, 1),
        ("Arriving", 3, 3),
        ("Coming home", 8, 1),
    ]
    assert [in_browser(text, scene["offset"], scene["offset"] + 4) for scene in scenes] == ["😀 F", "Arri", "Comi"]


def test_figures_count_words_clauses_and_the_pauses(editor: ScriptEditor) -> None:
    read = editor.do_read(CALM, {})
    assert (read["words"], read["clauses"]) == (12, 4)
    assert read["seconds"] == pytest.approx(sum(scene["seconds"] for scene in read["scenes"]))
    longer = editor.do_read(CALM.replace("(2 sec)", "(12 sec)"), {})
    assert longer["seconds"] - read["seconds"] == pytest.approx(10)


def test_a_quicker_voice_is_estimated_to_speak_less_long(editor: ScriptEditor) -> None:
    usual = editor.do_read(CALM, {"sentence_pause": 0})["seconds"] - 2
    quick = editor.do_read(CALM, {"sentence_pause": 0, "voice": "espeak,rate=300"})["seconds"] - 2
    assert quick == pytest.approx(usual / 2)


def test_choices_change_the_reading_before_they_are_taken(editor: ScriptEditor) -> None:
    assert editor.do_read(CALM, {"granularity": "clause"})["clauses"] == 5
    assert editor.do_read(CALM, {})["clauses"] == 4


def test_speakers_come_with_a_sentence_of_theirs_and_their_voice(editor: ScriptEditor) -> None:
    woman, man = editor.do_read(VIDEO, {"speakers": {"Man": "espeak:+m5"}})["speakers"]
    assert (woman["name"], woman["sample"], woman["voice"].partition("+")[0]) == ("Woman", "Hello.", "espeak:")
    assert (man["name"], man["language"], man["voice"]) == ("Man", "en", "espeak:+m5")


def test_a_text_without_anything_to_speak_is_told_in_a_sentence(editor: ScriptEditor) -> None:
    answer = asked(editor, "read", text="(5 sec)\n", changes={})
    assert answer["kind"] == "ScriptError"
    assert "at least one sentence" in answer["error"]


def test_half_a_character_reaches_nobody(editor: ScriptEditor) -> None:
    text = "Home \ud83d\n\nSpeak \udc00 this. (5 secs \ud800)\n"
    answer = asked(editor, "read", text=text, changes={})  # would not be UTF-8
    assert answer["value"]["clauses"] >= 1
    asked(editor, "keep_draft", name=None, text=text)
    assert asked(editor, "state")["value"]["draft"] == re.sub("[\ud800-\udfff]", "?", text)


def test_reading_leaves_the_kernel_free_to_answer(editor: ScriptEditor, monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = threading.Event()
    monkeypatch.setattr(editor, "do_read", lambda text, changes: may_end.wait(30))
    answers: queue.Queue[dict[str, Any]] = queue.Queue()
    editor.send = lambda content, buffers=None: answers.put(content)
    editor._asked(editor, {"ask": "slow", "verb": "read", "with": {"text": CALM, "changes": {}}}, [])
    editor._asked(editor, {"ask": "quick", "verb": "ping"}, [])
    assert answers.get(timeout=30)["re"] == "quick"
    may_end.set()
    assert answers.get(timeout=30)["re"] == "slow"


# Names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (CALM, "Arriving"),
        ("Just one sentence.", "Just one sentence"),
        ("# A/B: why?\nWords.", "A-B- why"),
        ("शुरुआत\nसांस लें।", "शुरुआत"),
        ("Many words that go on and on until they are too long for a name.", "Many words that go on and on until they"),
    ],
)
def test_a_name_is_proposed_from_the_header_or_the_first_words(editor: ScriptEditor, text: str, name: str) -> None:
    assert editor.do_read(text, {})["name"] == name


def test_a_name_that_is_taken_is_not_proposed(editor: ScriptEditor, studio: Studio) -> None:
    studio.production("Arriving", CALM)
    assert editor.do_read(CALM, {})["name"] == "Arriving 2"
    long = "# " + "सांस लें और छोड़ें " * 20 + "\nसांस लें।\n"
    studio.production(editor.do_read(long, {})["name"], long)
    assert editor.do_read(long, {})["name"].endswith(" 2")


def test_a_name_that_has_a_production_says_so(editor: ScriptEditor, studio: Studio) -> None:
    studio.production("calm", CALM)
    assert editor.do_quote("calm", CALM, {})["exists"]
    assert not editor.do_quote("other", CALM, {})["exists"]


@pytest.mark.parametrize(
    ("text", "same", "another"),
    [(CALM, True, False), (CALM + "More.\n", False, False), ("Something else. Altogether.", False, True)],
)
def test_what_a_name_promises_is_what_speaking_does(
    editor: ScriptEditor, studio: Studio, text: str, *, same: bool, another: bool
) -> None:
    studio.production("calm", CALM)
    quote = editor.do_quote("calm", text, {})
    assert (quote["exists"], quote["same"], quote["another"]) == (True, same, another)
    if another:
        with pytest.raises(SettingError, match="Choose another name, or open calm") as refused:
            editor.do_speak("calm", text, {})
        assert "folder" not in str(refused.value)  # which a page cannot remove
    else:
        speak(editor, "calm", text)
        assert studio.production("calm").text == text


@pytest.mark.parametrize(("name", "shown"), [("a/b", "“/”"), ("why?", "“?”"), ("a\u202eb", "U+202E"), ("अ:ब", "“:”")])
def test_a_name_error_names_the_character_that_is_wrong(editor: ScriptEditor, name: str, shown: str) -> None:
    answer = asked(editor, "quote", name=name, text=CALM, changes={})
    assert (answer["kind"], shown in answer["error"]) == ("UnsafeNameError", True)


@pytest.mark.parametrize("name", ["", "../calm", "a/b", ".hidden", "con", "a\0b", "x" * 200])
def test_an_unsafe_name_is_refused_and_writes_nothing(editor: ScriptEditor, workspace: Path, name: str) -> None:
    with pytest.raises(UnsafeNameError):
        editor.do_quote(name, CALM, {})
    with pytest.raises(UnsafeNameError):
        editor.do_speak(name, CALM, {})
    assert not list(workspace.rglob("production.json"))


# Files and examples


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_decoded_and_gives_its_name(editor: ScriptEditor, encoding: str) -> None:
    data = base64.b64encode("सांस लें।\n".encode(encoding)).decode()
    assert editor.do_decode("My calm: 1.txt", data) == {"text": "सांस लें।\n", "name": "My calm- 1"}


def test_a_file_of_something_else_is_refused_in_a_sentence(editor: ScriptEditor) -> None:
    with pytest.raises(ScriptError, match="UTF-8"):
        editor.do_decode("photo.txt", base64.b64encode(b"\x89PNG\xff\xd8").decode())


def test_the_examples_are_offered_and_can_be_read(editor: ScriptEditor) -> None:
    examples = editor.do_about()["examples"]
    assert [each["title"] for each in examples] == ["Body scan", "Chai break", "Product video", "Shuruaat"]
    for each in examples:
        opened = editor.do_example(each["name"])
        read = editor.do_read(opened["text"], {})
        assert (read["language"], read["diagnostics"]) == (each["language"], [])
        assert read["seconds"] == pytest.approx(each["seconds"])


def test_an_example_is_not_named_by_a_path(editor: ScriptEditor, workspace: Path) -> None:
    (workspace / "secret.txt").write_text("Secret.", encoding="utf-8")
    assert "error" in asked(editor, "example", name=str(workspace / "secret"))


# Drafts


def test_what_is_typed_before_there_is_a_production_is_there_again(editor: ScriptEditor, session: Session) -> None:
    editor.do_keep_draft(None, CALM)
    again = ScriptEditor(session).do_state()
    assert (again["name"], again["draft"]) == (None, CALM)
    editor.do_keep_draft(None, "")
    assert editor.do_state()["draft"] is None


def test_what_is_typed_into_a_production_is_there_again(editor: ScriptEditor, session: Session) -> None:
    session.begin("calm", CALM)
    editor.do_keep_draft("calm", CALM + "More.\n")
    state = editor.do_state()
    assert (state["text"], state["draft"]) == (CALM, CALM + "More.\n")
    editor.do_keep_draft("calm", CALM)
    assert editor.do_state()["draft"] is None


def test_a_draft_that_comes_late_goes_to_the_production_it_was_typed_for(
    editor: ScriptEditor, session: Session, studio: Studio
) -> None:
    session.begin("calm", CALM)
    session.begin("other", "Another script. With two sentences.")
    editor.do_keep_draft("calm", CALM + "More.\n")
    assert editor.do_state()["draft"] is None
    assert studio.production("calm").draft == CALM + "More.\n"


def test_speaking_takes_the_draft_into_the_script(editor: ScriptEditor, studio: Studio) -> None:
    editor.do_keep_draft(None, CALM)
    speak(editor, "calm", CALM)
    assert studio.draft is None
    editor.do_keep_draft("calm", CALM + "More.\n")
    speak(editor, "calm", CALM + "More.\n")
    state = editor.do_state()
    assert (state["text"], state["draft"]) == (CALM + "More.\n", None)


def test_a_draft_that_became_another_production_is_no_draft_any_more(editor: ScriptEditor, studio: Studio) -> None:
    speak(editor, "calm", CALM)
    editor.do_keep_draft("calm", CALM + "More.\n")
    speak(editor, "calm-2", CALM + "More.\n")
    assert studio.production("calm").draft is None
    assert studio.production("calm").text == CALM


def test_another_script_under_this_name_is_refused_and_the_draft_stays(editor: ScriptEditor, studio: Studio) -> None:
    speak(editor, "calm", CALM)
    editor.do_keep_draft("calm", "Something else. Altogether.")
    with pytest.raises(SettingError, match="another script"):
        editor.do_speak("calm", "Something else. Altogether.", {})
    assert studio.production("calm").draft == "Something else. Altogether."
    assert editor.do_state()["text"] == CALM


# Two windows on one draft


@pytest.fixture
def windows(studio: Studio, voice: FakeVoice) -> Iterator[tuple[ScriptEditor, ScriptEditor]]:
    """Two windows, each with the same production open."""
    other = Studio(studio.workspace)
    give(other, voice)
    with Session(studio) as first, other, Session(other) as second:
        first.begin("calm", CALM)
        second.open("calm")
        yield ScriptEditor(first), ScriptEditor(second)


MINE, THEIRS = CALM + "Mine.\n", CALM + "Theirs.\n"


@pytest.mark.parametrize("name", ["calm", None])
def test_what_another_window_typed_is_not_overwritten_unseen(
    windows: tuple[ScriptEditor, ScriptEditor], name: str | None
) -> None:
    first, second = windows
    if name is None:
        first.session.leave()
        second.session.leave()
    seen = first.do_state()["standing"]
    second.do_keep_draft(name, THEIRS, seen)
    with pytest.raises(ChangedError, match="Another window typed"):
        first.do_keep_draft(name, MINE, seen)
    assert first.do_state()["standing"] == THEIRS
    first.do_keep_draft(name, MINE, THEIRS)
    assert second.do_state()["standing"] == MINE


def test_of_many_windows_that_type_at_once_one_is_kept_and_the_others_are_told(studio: Studio) -> None:
    texts = [f"Window {number}." for number in range(8)]
    start = threading.Barrier(len(texts))
    refused: list[str] = []

    def typed(text: str) -> None:
        start.wait(30)
        try:
            Studio(studio.workspace).keep_draft(text, "")
        except ChangedError:
            refused.append(text)

    threads = [threading.Thread(target=typed, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted([*refused, str(studio.draft)]) == texts


def test_a_window_that_rests_hears_of_what_another_one_typed_once(windows: tuple[ScriptEditor, ScriptEditor]) -> None:
    first, second = windows
    mark = first.do_state()["mark"]
    assert first.do_look("calm", mark) is None
    second.do_keep_draft("calm", THEIRS, CALM)
    found = first.do_look("calm", mark)
    assert found["text"] == THEIRS
    assert first.do_look("calm", found["mark"]) is None
    assert first.do_look("other", mark) is None


def test_a_draft_that_another_window_had_spoken_is_no_news(windows: tuple[ScriptEditor, ScriptEditor]) -> None:
    first, second = windows
    second.do_keep_draft("calm", THEIRS, CALM)
    speak(second, "calm", THEIRS, seen=THEIRS)
    first.do_keep_draft("calm", THEIRS + "And mine.\n", THEIRS)  # before it heard of the new script
    assert second.do_state()["standing"] == THEIRS + "And mine.\n"


def test_speaking_does_not_take_away_what_another_window_typed(windows: tuple[ScriptEditor, ScriptEditor]) -> None:
    first, second = windows
    second.do_keep_draft("calm", THEIRS, CALM)
    with pytest.raises(ChangedError):
        first.do_speak("calm", MINE, {}, CALM)
    assert first.do_state()["standing"] == THEIRS
    assert not first.session.works()


def test_a_command_line_that_changes_the_script_leaves_what_was_typed(editor: ScriptEditor, studio: Studio) -> None:
    studio.production("calm", CALM).keep_draft(MINE)
    studio.production("calm", THEIRS)
    assert studio.production("calm").draft is None
    assert [studio.left_text(each.key) for each in studio.left_texts()] == [MINE]


# Texts that made room for others


def test_a_text_that_made_room_is_found_and_taken_back(editor: ScriptEditor) -> None:
    key = editor.do_leave(CALM)
    [left] = editor.do_left()
    assert (left["key"], left["words"]) == (key, " ".join(CALM.split())[:80].rstrip() + "…")
    assert editor.do_take_back(left["key"], None, "") == {"text": CALM}
    assert (editor.do_state()["draft"], editor.do_left()) == (CALM, [])


def test_a_text_that_cannot_be_taken_back_stays_where_it_is(editor: ScriptEditor, studio: Studio) -> None:
    key = editor.do_leave(CALM)
    assert key is not None
    studio.keep_draft("Another window's.")
    with pytest.raises(ChangedError):
        editor.do_take_back(key, None, "")
    assert (studio.draft, len(editor.do_left())) == ("Another window's.", 1)


def test_the_same_text_is_left_once_and_an_example_never(editor: ScriptEditor) -> None:
    editor.do_leave(CALM)
    key = editor.do_leave(CALM)
    assert [each["key"] for each in editor.do_left()] == [key]
    editor.do_leave(VIDEO, key)
    assert [each["words"][:9] for each in editor.do_left()] == ["[Scene 1 "]
    assert editor.do_leave(editor.do_example("shuruaat")["text"]) is None


def test_texts_that_were_left_are_bounded_in_number_and_age(
    editor: ScriptEditor, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "_MOST", 3)
    for number in range(5):
        editor.do_leave(f"Text {number}.")
    assert [each["words"] for each in editor.do_left()] == ["Text 4.", "Text 3.", "Text 2."]
    month = 30 * 86_400
    for each, age in zip(studio.left_texts(), (0, month, 3 * month), strict=True):
        path = studio.folder / drafts.LEFT / f"{each.key}.txt"
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    editor.do_leave("Another.")
    assert [each["words"] for each in editor.do_left()] == ["Another.", "Text 4.", "Text 3."]


@pytest.mark.parametrize("key", ["../../secret", "/etc/passwd", "", ".."])
def test_a_text_is_taken_back_from_nowhere_else(editor: ScriptEditor, workspace: Path, key: str) -> None:
    (workspace / "secret.txt").write_text("Secret.", encoding="utf-8")
    assert "error" in asked(editor, "take_back", key=key, name=None)
    editor.session.studio.keep_draft("x")
    asked(editor, "forget", key=key)
    assert (workspace / "secret.txt").exists()


# Quotes


def test_a_quote_counts_what_is_new_and_changes_nothing(editor: ScriptEditor, workspace: Path) -> None:
    quote = editor.do_quote("calm", CALM, {})
    assert (quote["to_speak"], quote["here"], quote["spoken"]) == (4, 0, False)
    assert quote["cost"] == pytest.approx(0.01 * sum(len(clause.text) for clause in parse(CALM).clauses))
    assert not list(workspace.rglob("production.json"))


def test_only_a_changed_word_is_new(editor: ScriptEditor) -> None:
    speak(editor, "calm", CALM)
    assert editor.do_quote("calm", CALM, {})["spoken"]
    changed = editor.do_quote("calm", CALM.replace("Open", "Do open"), {})
    assert (changed["to_speak"], changed["here"], changed["spoken"]) == (1, 3, False)
    paused = editor.do_quote("calm", CALM.replace("(2 sec)", "(9 sec)"), {})
    assert (paused["to_speak"], paused["spoken"]) == (0, False)


def test_another_production_has_the_same_takes_for_nothing(editor: ScriptEditor) -> None:
    speak(editor, "calm", CALM)
    quote = editor.do_quote("copy", CALM, {})
    assert (quote["to_speak"], quote["here"], quote["spoken"]) == (0, 4, False)


def test_another_voice_is_new_in_every_clause(editor: ScriptEditor, studio: Studio) -> None:
    give(studio, FakeVoice("other"), "espeak:+f3")
    speak(editor, "calm", CALM)
    assert editor.do_quote("calm", CALM, {"voice": "espeak:+f3"})["to_speak"] == 4
    assert editor.do_quote("calm", CALM, {"voice": "espeak"})["spoken"]


def test_a_clause_with_a_voice_of_its_own_is_not_new_when_another_changes(
    editor: ScriptEditor, session: Session, studio: Studio
) -> None:
    give(studio, FakeVoice("other"), "espeak:+f3")
    session.begin("calm", CALM)
    for index in range(4):
        assert session.speak_again(index, "espeak:+f3").wait(30)
    quote = editor.do_quote("calm", CALM.replace("Open", "Do open"), {})
    assert quote["to_speak"] == 1


def test_a_quote_for_a_voice_that_cannot_speak_it_says_so(editor: ScriptEditor) -> None:
    answer = asked(editor, "quote", name="calm", text=CALM, changes={"voice": "espeak:klingonish"})
    assert answer["kind"] == "SettingError"


# Speaking


def test_speaking_begins_a_production_with_its_choices(
    editor: ScriptEditor, session: Session, voice: FakeVoice
) -> None:
    speak(editor, "calm", CALM, sentence_pause=2.5, granularity="clause")
    assert (session.production.choices.sentence_pause, len(session.production.clauses)) == (2.5, 5)
    assert sum(voice.spoken.values()) == 5


def test_choices_of_a_production_stay_until_others_are_made(editor: ScriptEditor, session: Session) -> None:
    speak(editor, "calm", CALM, sentence_pause=2.5)
    session.leave()
    speak(editor, "calm", CALM + "More.\n")
    assert session.production.choices.sentence_pause == 2.5
    assert editor.do_state()["choices"]["sentence_pause"] == 2.5


def test_speaking_an_unchanged_script_speaks_only_what_is_missing(
    editor: ScriptEditor, session: Session, voice: FakeVoice
) -> None:
    voice.failing = {"And out again."}
    speak(editor, "calm", CALM)
    before = session.production
    voice.failing = set()
    speak(editor, "calm", CALM)
    assert session.production is before
    assert editor.do_quote("calm", CALM, {})["spoken"]
    assert voice.spoken["Open your eyes."] == 1


def sample(editor: ScriptEditor, text: str, voice: str) -> tuple[Any, int]:
    """What is heard of a voice, and its rate."""
    heard, rate = all_of(editor, editor.do_hear(text, "en", voice))
    return heard, rate


def test_a_sample_is_heard_without_a_production(session: Session, workspace: Path) -> None:
    editor = ScriptEditor(session)
    heard, rate = sample(editor, "Breathe in, slowly.", "espeak:+f3,rate=200")
    assert 0.5 < len(heard) / rate < 5
    assert np.abs(heard).max() > 1000
    assert not (workspace / "generated_audio").exists()


def test_a_sample_of_a_long_text_is_short(session: Session) -> None:
    heard, rate = sample(ScriptEditor(session), "word " * 100_000, "espeak")
    assert len(heard) / rate < 30


# The page


def test_no_two_things_in_the_module_have_one_name() -> None:
    names = re.findall(
        r"^(?:export )?(?:async )?(?:const|let|function|class) ([\w$]+)", module("script_editor.js"), re.MULTILINE
    )
    assert len(names) == len(set(names))


# Voices of vendors


def test_what_vendors_offer_is_told_with_a_reason_where_there_is_nothing(session: Session) -> None:
    *offered, personas = ScriptEditor(session).do_offers()
    assert [each["vendor"] for each in offered] == ["ElevenLabs", "OpenAI"]
    assert "persona:asha" in [each["voice"] for each in personas["voices"]]
    assert all("needs a key" in each["problem"] and each["lacks_key"] for each in offered)


def test_voices_and_models_of_a_vendor_with_a_key_are_offered(session: Session, vendors: Vendors) -> None:
    elevenlabs, openai, _ = ScriptEditor(session).do_offers()
    assert len(elevenlabs["voices"]) == len(VOICES)  # they come on two pages
    assert elevenlabs["voices"][0]["voice"].startswith("elevenlabs:")
    assert elevenlabs["models"][0] == "eleven_multilingual_v2"
    assert "openai:nova" in [voice["voice"] for voice in openai["voices"]]
    assert "tts-1" in openai["models"]
    assert not vendors.bought


def test_a_sample_of_a_vendors_voice_is_bought_once(session: Session, vendors: Vendors) -> None:
    editor = ScriptEditor(session)
    for _ in range(2):
        heard, rate = sample(editor, "Breathe in.", "elevenlabs:21m00Tcm4TlvDq8ikWAM")
        assert len(heard) / rate > 0.5
    assert vendors.bought == {"Breathe in.": 1}
    assert [entry.production for entry in session.studio.ledger.entries()] == ["samples"]


# What agents left


@pytest.fixture
def thought(session, vendors):
    """An editor whose production a mind has cast, cut and looked through."""

    def answer(request: Any) -> str:
        about = json.loads(request.json["messages"][1]["content"])
        if "lines" in about:
            lines = [each["line"] for each in about["lines"] if "Music swells." in each["text"]]
            return json.dumps({"found": [{"line": n, "quote": "Music swells.", "kind": "direction"} for n in lines]})
        places = [each["clause"] for each in about["clauses"] if each["text"].startswith("Who is there")]
        if "speakers" in about:
            return json.dumps({"clauses": [{"clause": n, "speaker": "Meera", "tags": []} for n in places]})
        pieces = [{"text": "Who is there,", "pause": 2.5}, {"text": "asks Meera.", "pause": None}]
        return json.dumps({"clauses": [{"clause": n, "pieces": pieces} for n in places]})

    vendors.mind = answer
    session.begin("tale", TALE, mind="openai:gpt-5.5")
    for agent in ("analysis", "sanitizer", "segmentation"):
        assert session.think(agent).wait(30)
    return ScriptEditor(session)


TALE = "One\n🎬 A bell rings. (2 sec) Music swells. Who is there, asks Meera.\n"


def test_what_agents_left_is_read_with_the_text(thought):
    read = thought.do_read(TALE, {})
    (found,) = read["diagnostics"]
    assert (found["level"], found["line"]) == ("warning", 2)
    assert in_browser(TALE, found["start"], found["end"]) == "Music swells."
    assert [each["name"] for each in read["speakers"]] == [None, "Meera"]
    assert (read["clauses"], read["scenes"][0]["clauses"]) == (4, 4)


def test_the_marks_are_the_readers_whatever_agents_left(thought, studio):
    with Session(studio) as other:
        plain_read = ScriptEditor(other).do_read(TALE, {})
    read = thought.do_read(TALE, {})
    assert read["marks"] == plain_read["marks"]
    assert read["seconds"] > plain_read["seconds"]  # by the pause between the pieces


def test_what_agents_left_goes_with_the_words_it_is_about(thought):
    read = thought.do_read(TALE.replace("Music swells. ", "").replace("Who is", "Who was"), {})
    assert read["diagnostics"] == []
    assert [each["name"] for each in read["speakers"]] == [None]
    assert read["clauses"] == 2
