"""The one state behind the panels, in Python: what an edit, a cell, another window and long work tell to whom."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from helpers.fakes import FakeVoice, give

from luma_studio import Studio, agents, panels
from luma_studio.errors import ChangedError, SettingError, Stopped, VoiceError
from luma_studio.panels import Session, front, session
from luma_studio.panels.panel import Panel
from luma_studio.panels.pause_timeline import PauseTimeline
from luma_studio.panels.productions import Productions
from luma_studio.panels.script_editor import ScriptEditor
from luma_studio.panels.session import _Seen, session_of
from luma_studio.production import Production
from luma_studio.store import files

SCRIPT = "Arriving\nClose your eyes. (2 sec)\nBreathe in.\n\nLeaving\nOpen your eyes.\nWelcome back.\n"
PANELS = [name for name in panels.__all__ if name != "Session"]


class Ear:
    """Hears a session, and waits for what it is to be told."""

    def __init__(self, heard_of: Session) -> None:
        self.told: list[tuple[str, Any]] = []
        self._news = threading.Condition()
        heard_of.listen(self)

    def __call__(self, topic: str, value: Any) -> None:
        with self._news:
            self.told.append((topic, value))
            self._news.notify_all()

    def of(self, topic: str) -> list[Any]:
        return [value for known, value in self.told if known == topic]

    def hears(self, topic: str, wanted: Callable[[Any], object] = lambda _: True) -> Any:
        """What was told first of a topic that is as wanted; waits for it."""

        def found() -> list[Any]:
            return [value for value in self.of(topic) if wanted(value)]

        with self._news:
            assert self._news.wait_for(found, 20), f"not told: {self.told}"
            return found()[0]


class SlowVoice(FakeVoice):
    """Speaks the first clause at once, and all others when it is let."""

    concurrency = 1

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.let = threading.Event()

    async def speak(self, utterance: Any, account: Any, hear: Any = None) -> Any:
        if self.spoken:
            self.asked.set()
            await asyncio.to_thread(self.let.wait, 20)
        return await super().speak(utterance, account, hear)


@pytest.fixture
def voice(studio: Studio) -> FakeVoice:
    voice = FakeVoice()
    give(studio, voice)
    return voice


@pytest.fixture
def calm(studio: Studio, voice: FakeVoice) -> Production:
    """A production that is spoken."""
    production = studio.production("calm", SCRIPT)
    asyncio.run(production.speak())
    return production


@pytest.fixture
def open_session(studio: Studio, calm: Production) -> Iterator[Session]:
    with Session(studio, calm) as made:
        yield made


@pytest.fixture
def window(workspace: Any, calm: Production) -> Iterator[Callable[[], Session]]:
    """Opens the production as another window would: with a studio of its own."""
    opened: list[Session] = []

    def another() -> Session:
        studio = Studio(workspace)
        give(studio, FakeVoice())
        opened.append(Session(studio))
        opened[-1].open("calm")
        return opened[-1]

    yield another
    for each in opened:
        each.close()
        each.studio.close()


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions look at once at what others did."""
    monkeypatch.setattr(session, "_WATCH", 0.02)


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions do not look at all."""
    monkeypatch.setattr(session, "_WATCH", 3600)


def seconds(production: Production) -> list[float]:
    return [pause.seconds for pause in production.pauses]


def sent_by(panel: Panel) -> list[dict[str, Any]]:
    """What a panel sends to its page from now on."""
    sent: list[dict[str, Any]] = []
    panel.send = lambda content, buffers=None: sent.append({**content, "buffers": buffers})  # type: ignore[method-assign]
    return sent


def asked(panel: Panel, verb: object, **given: Any) -> dict[str, Any]:
    """The answer that the page would get."""
    sent = sent_by(panel)
    panel._asked(panel, {"ask": "1", "verb": verb, "with": given}, [])
    return next(message for message in sent if message.get("re") == "1")


# Panels and their session


def test_panels_of_one_session_hear_of_one_edit(open_session):
    told = [sent_by(PauseTimeline(open_session)) for _ in range(2)]
    open_session.edit(lambda production: production.tune({1: 4.0}), by="a hand")
    for sent in told:
        (change,) = [message["value"] for message in sent if message["topic"] == "pauses"]
        assert change["pauses"] == {1: [4.0, "tuned", None, None, False]}
        assert (change["history"], change["by"]) == (("tune", None), "a hand")


def test_a_panel_hears_only_of_its_topics(open_session):
    sent = sent_by(Productions(open_session))
    open_session.edit(lambda production: production.tune({1: 4.0}))
    assert sent == []


def test_a_closed_panel_hears_nothing_more_and_its_session_goes_on(open_session):
    closed, open_panel = PauseTimeline(open_session), PauseTimeline(open_session)
    sent, goes_on = sent_by(closed), sent_by(open_panel)
    closed.close()
    sent.clear()
    open_session.edit(lambda production: production.tune({0: 1.0}))
    assert sent == []
    assert goes_on


def test_panels_over_the_same_production_join_its_session(open_session, calm):
    assert PauseTimeline(calm).session is open_session
    assert ScriptEditor(calm).session is open_session


def test_a_production_that_no_session_has_gets_one_of_its_own(calm):
    first = PauseTimeline(calm)
    assert PauseTimeline(calm).session is first.session
    assert first.session.production is calm
    first.session.close()


def test_a_production_that_was_left_is_joined_no_more(open_session, calm):
    open_session.leave()
    with session_of(calm) as own:
        assert own is not open_session


def test_nothing_given_is_a_studio_of_its_own(workspace):
    with session_of(None) as own:
        assert own.studio.workspace == own.studio.settings.workspace
        assert not own.is_open


@pytest.mark.parametrize("name", PANELS)
def test_an_unknown_argument_is_refused_by_its_name(open_session, name):
    with pytest.raises(TypeError, match=f"{name} has no argument 'height'. Give it one thing"):
        getattr(panels, name)(open_session, height=300)


def test_what_is_no_source_is_refused_with_what_is():
    with pytest.raises(TypeError, match="a session, a studio or a production, not str"):
        PauseTimeline("calm")


def test_what_is_no_studio_is_refused_with_the_remedy(workspace, calm):
    with pytest.raises(TypeError, match=r"begun with a studio, not str. Write Session\(Studio\(path\)\)"):
        Session("/some/path")
    with pytest.raises(TypeError, match="Write Session\\(production=…\\)"):
        Session(calm)
    with pytest.raises(TypeError, match=r'Write session.open\("name"\)'):
        Session(production="calm")


def test_a_production_alone_has_the_studio_of_its_folder_and_can_be_written_anew(studio, calm):
    with Session(production=calm) as alone:
        assert alone.studio.workspace == studio.workspace
        alone.begin("calm", SCRIPT + "One more.\n")
        assert alone.production is calm
        assert calm.clauses[-1].text == "One more."
        alone.begin("another", SCRIPT)
        assert studio.productions() == ["another", "calm"]


def test_panels_and_sessions_say_what_they_show_and_nothing_that_changes_from_run_to_run(studio, calm):
    made = Session(studio)
    panel = PauseTimeline(made)
    assert (repr(made), repr(panel)) == ("<Session without a production>", "<PauseTimeline without a production>")
    made.open("calm")
    assert (repr(made), repr(panel)) == ("<Session of 'calm'>", "<PauseTimeline of 'calm'>")
    assert panel._repr_mimebundle_()[0]["text/plain"] == repr(panel)
    made.close()
    assert repr(made) == "<Session closed>"


# Answers


def test_a_question_is_answered_once_with_what_was_asked(open_session):
    panel = PauseTimeline(open_session)
    fingerprint = open_session.production.takes_in_use[0].fingerprint
    answer = asked(panel, "samples", fingerprints=[fingerprint])
    assert answer["buffers"] == [open_session.production.samples(fingerprint).astype("<i2").tobytes()]
    assert "error" not in answer


def test_what_cannot_be_done_is_answered_with_its_sentence_and_kind(open_session):
    answer = asked(PauseTimeline(open_session), "tune", seconds={"99": 1.0}, by="a hand")
    assert answer["error"] == "There is no clause 99: calm has 4, counted from 0."
    assert answer["kind"] == "SettingError"


def test_without_a_production_an_edit_is_answered_with_the_remedy(studio):
    with Session(studio) as empty:
        answer = asked(PauseTimeline(empty), "undo")
    assert answer["error"] == "No production is open. Write or paste a script and give it a name to begin."


@pytest.mark.parametrize("verb", ["fly", "__init__", None])
def test_a_mistake_is_answered_and_logged_not_swallowed(open_session, verb, caplog):
    answer = asked(PauseTimeline(open_session), verb)
    assert answer["kind"] == "mistake"
    assert answer["error"].startswith("The studio made a mistake (LookupError")
    assert "PauseTimeline could not answer" in caplog.text


def test_arguments_that_a_verb_does_not_have_are_a_mistake_that_is_told(open_session, caplog):
    assert "TypeError" in asked(PauseTimeline(open_session), "undo", times=2)["error"]
    assert caplog.records


def test_an_error_of_the_page_is_kept_in_the_kernels_log(open_session, caplog):
    asked(PauseTimeline(open_session), "report", message="x is not a function")
    assert "PauseTimeline in the page: x is not a function" in caplog.text


# Edits in a cell of the notebook


EDITS: dict[str, Callable[[Production], object]] = {
    "tuned": lambda calm: calm.pauses.__setitem__(0, 4.0),
    "by words": lambda calm: calm.tune({"Breathe in": 4.0}),
    "scaled": lambda calm: calm.scale(1.5),
    "locked": lambda calm: calm.lock([2]),
    "fitted": lambda calm: calm.fit("0:40"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_in_a_cell_is_told_with_what_it_changed(watchful, open_session, calm, edit):
    ear, before = Ear(open_session), tuple(calm.pauses)
    edit(calm)
    change = ear.hears("pauses")
    now = {index: pause for index, pause in enumerate(calm.pauses) if pause != before[index]}
    assert {index: pause[0] for index, pause in change["pauses"].items()} == {i: p.seconds for i, p in now.items()}
    assert {index: pause[4] for index, pause in change["pauses"].items()} == {i: p.locked for i, p in now.items()}
    assert change["history"] == calm.history


def test_undoing_in_a_cell_is_told(watchful, open_session, calm):
    ear = Ear(open_session)
    calm.pauses[0] = 4.0
    ear.hears("pauses", lambda change: change["pauses"][0][0] == 4.0)
    calm.undo()
    ear.hears("pauses", lambda change: change["pauses"][0][0] == 2.0)


def test_an_edit_in_a_cell_that_was_not_told_yet_is_told_with_the_next_one_in_a_panel(unwatched, open_session, calm):
    ear = Ear(open_session)
    calm.pauses[0] = 4.0
    open_session.edit(lambda production: production.tune({1: 5.0}))
    assert {index: pause[0] for index, pause in ear.of("pauses")[-1]["pauses"].items()} == {0: 4.0, 1: 5.0}


def test_what_is_told_once_is_not_told_again(watchful, open_session, calm):
    ear = Ear(open_session)
    open_session.edit(lambda production: production.tune({1: 5.0}))
    calm.pauses[0] = 4.0  # by when this is told, the session has looked
    ear.hears("pauses", lambda change: 0 in change["pauses"])
    assert [list(change["pauses"]) for change in ear.of("pauses")] == [[1], [0]]


def test_takes_that_come_and_go_in_a_cell_are_told(watchful, studio, open_session, calm):
    ear = Ear(open_session)
    first = calm.takes_in_use[1].fingerprint
    asyncio.run(calm.speak_again(1))
    ear.hears("state", lambda state: state["takes"]["fingerprint"][1] not in (None, first))
    calm.take_back(1)
    ear.hears("state", lambda state: state["takes"]["fingerprint"][1] == first)


def test_a_script_that_a_cell_changed_is_told(watchful, studio, open_session):
    ear = Ear(open_session)
    studio.production("calm", SCRIPT + "One more.\n")
    ear.hears("state", lambda state: state["clauses"]["text"][-1] == "One more.")


# Two windows


def test_of_two_windows_the_second_is_told_and_when_the_first_closes_it_is_told_too(watchful, window, calm):
    assert calm.hold()  # stands for another process
    here = window()
    assert here.elsewhere
    ear = Ear(here)
    calm.release()
    assert ear.hears("elsewhere") is False
    assert not here.elsewhere


def test_a_cell_that_is_run_again_is_no_other_window(window):
    first, second = window(), window()
    assert (first.elsewhere, second.elsewhere) == (False, False)
    first.leave()
    assert not second.elsewhere


def test_an_edit_elsewhere_appears_here_with_a_word_about_it(watchful, window):
    first, second = window(), window()
    ear = Ear(second)
    first.edit(lambda production: production.tune({0: 7.0}))
    assert ear.hears("state", lambda state: state["pauses"][0][0] == 7.0)["history"] == ("tune", None)
    assert "changed outside these panels" in ear.hears("notice")["text"]  # it is the same kernel: no talk of windows


def test_that_it_was_another_window_is_said_where_another_process_has_the_production_open(watchful, calm, window):
    assert calm.hold()  # stands for another process
    here = window()
    ear = Ear(here)
    calm.pauses[0] = 7.0
    assert "changed in another window" in ear.hears("notice")["text"]


def test_what_is_undone_in_one_window_is_followed_by_the_other_within_a_second_and_a_half(window):
    first, second = window(), window()
    first.edit(lambda production: production.tune({0: 7.0}))
    ear = Ear(second)
    ear.hears("state", lambda state: state["pauses"][0][0] == 7.0)
    ear.told.clear()
    first.edit(lambda production: production.undo())
    began = time.monotonic()
    ear.hears("state", lambda state: state["pauses"][0][0] == 2.0)
    assert time.monotonic() - began < 1.5


TOUCHING_NOTHING_ELSE: dict[str, Callable[[Production], object]] = {
    "tuned": lambda calm: calm.pauses.__setitem__(1, 1.0),
    "locked": lambda calm: calm.lock([2]),
    "tuned to what it was made elsewhere, too": lambda calm: calm.tune({0: 7.0, 1: 1.0}),
    "another take": lambda calm: calm.take_back(1),
}


@pytest.mark.parametrize("edit", TOUCHING_NOTHING_ELSE.values(), ids=TOUCHING_NOTHING_ELSE)
def test_an_edit_that_touches_nothing_that_was_changed_elsewhere_is_made_upon_that(unwatched, window, calm, edit):
    asyncio.run(calm.speak_again(1))
    first, second = window(), window()
    first.edit(lambda production: production.tune({0: 7.0}))
    with first.production.rehearsing():
        edit(first.production)
        wanted = _Seen.of(first.production)
    second.edit(edit)
    assert _Seen.of(second.production) == wanted == _Seen.of(first.studio.production("calm"))
    assert wanted != _Seen.of(calm)
    assert wanted.pauses[0].seconds == 7.0


TOUCHING: dict[str, Callable[[Production], object]] = {
    "tuned": lambda calm: calm.tune({0: 1.0, 1: 1.0}),
    "scaled": lambda calm: calm.scale(2),
    "undone": lambda calm: calm.undo(),  # which would undo the other's edit, not one's own
}


@pytest.mark.parametrize("edit", TOUCHING.values(), ids=TOUCHING)
def test_an_edit_that_touches_what_was_changed_elsewhere_changes_nothing(unwatched, window, edit):
    first, second = window(), window()
    second.edit(lambda production: production.tune({2: 3.0}))
    first.studio.production("calm")  # up to date
    first.edit(lambda production: production.tune({0: 7.0}))
    before = first.production.folder.joinpath("production.json").read_bytes()
    with pytest.raises(ChangedError, match="outside these panels a moment ago"):
        second.edit(edit)
    assert first.production.folder.joinpath("production.json").read_bytes() == before
    assert seconds(second.production) == seconds(first.production)
    assert second.production.history == ("tune", None)


def test_of_two_edits_at_once_the_later_is_refused_and_nothing_is_overwritten(unwatched, window):
    first, second = window(), window()
    first.edit(lambda production: production.tune({0: 7.0}))
    ear = Ear(second)
    answer = asked(PauseTimeline(second), "tune", seconds={"0": 1.0, "1": 1.0}, by="a hand")
    assert answer["kind"] == "ChangedError"
    assert "please make your last edit again" in answer["error"]
    assert seconds(second.production)[:2] == seconds(first.production)[:2] == [7.0, 1.5]
    assert ear.of("state")[-1]["pauses"][0][0] == 7.0
    second.edit(lambda production: production.tune({1: 1.0}))  # made again, upon what is there
    assert seconds(second.studio.production("calm"))[:2] == [7.0, 1.0]


def test_what_another_window_saved_is_not_taken_up_while_speaking_is_on_its_way(unwatched, window):
    first, second = window(), window()
    voice = SlowVoice()
    give(second.studio, voice)
    second.begin("calm", SCRIPT + "One more. And another.\n")
    work = second.speak()
    assert voice.asked.wait(20)
    first.studio.production("calm").pauses[0] = 7.0
    with pytest.raises(ChangedError, match="when the work on it has ended"):
        second.edit(lambda production: production.tune({0: 1.0}))
    voice.let.set()
    work.wait(20)
    assert seconds(first.studio.production("calm"))[0] == 7.0


# Long work that a cell of the notebook begins


@pytest.fixture
def in_a_cell() -> Iterator[Callable[..., threading.Thread]]:
    """Runs what a cell awaits, as a kernel does while its panels go on."""
    running: list[threading.Thread] = []

    def run(work: Callable[[], Any]) -> threading.Thread:
        running.append(threading.Thread(target=lambda: asyncio.run(work())))
        running[-1].start()
        return running[-1]

    yield run
    for thread in running:
        thread.join(20)


@pytest.mark.parametrize("another_object", [False, True], ids=["the same object", "another object"])
def test_speaking_in_a_cell_is_the_panels_own_work(watchful, studio, workspace, in_a_cell, another_object):
    voice = SlowVoice()
    give(studio, voice)
    with Session(studio) as made:
        made.begin("calm", SCRIPT)
        ear = Ear(made)
        other = Studio(workspace)
        give(other, voice)
        cells = other.production("calm") if another_object else made.production
        cell = in_a_cell(cells.speak)
        assert voice.asked.wait(20)
        ear.hears("work", lambda work: work["status"] == "running")
        with pytest.raises(SettingError, match="already on its way"):
            made.speak()
        voice.let.set()
        cell.join(20)
        work = ear.hears("work", lambda work: work["status"] == "done")
        assert [clause[:2] for clause in work["clauses"]] == [[index, "done"] for index in range(4)]
        ear.hears("state", lambda state: None not in state["takes"]["fingerprint"])
        made.edit(lambda production: production.tune({0: 7.0}))
        assert ear.of("notice") == []
        assert voice.spoken.total() == 4


def test_speaking_in_a_cell_can_be_stopped_in_a_panel(studio, in_a_cell):
    voice = SlowVoice()
    give(studio, voice)
    ended: list[type] = []

    async def spoken() -> None:
        try:
            await made.production.speak()
        except Stopped as stopped:
            ended.append(type(stopped))

    with Session(studio) as made:
        made.begin("calm", SCRIPT)
        ear = Ear(made)
        cell = in_a_cell(spoken)
        assert voice.asked.wait(20)
        made.stop("speak")
        voice.let.set()
        ear.hears("work", lambda work: work["status"] == "stopped" and work["error"] is None)
        cell.join(20)
    assert ended == [Stopped]


def test_a_cell_that_is_interrupted_ends_the_work_and_one_that_fails_says_why(studio, voice, open_session):
    ear = Ear(open_session)

    async def interrupted() -> None:
        speaking = asyncio.create_task(open_session.production.speak_again(0))
        await asyncio.sleep(0)
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)

    asyncio.run(interrupted())
    voice.failing = {"Breathe in."}
    with pytest.raises(VoiceError):
        asyncio.run(open_session.production.speak_again(1))
    assert "could not speak" in ear.hears("work", lambda work: work["status"] == "failed")["error"]
    assert not any(work["status"] == "running" for work in open_session.works())


def test_an_export_in_a_cell_is_told_with_the_files_it_makes(open_session, calm):
    ear = Ear(open_session)
    calm.export("calm.wav")
    ear.hears("work", lambda work: (work["kind"], work["status"]) == ("export", "done"))
    ear.hears("files")


def test_a_session_that_is_closed_leaves_the_work_of_a_cell_alone(studio, in_a_cell):
    voice = SlowVoice()
    give(studio, voice)
    made = Session(studio)
    made.begin("calm", SCRIPT)
    calm = made.production
    cell = in_a_cell(calm.speak)
    assert voice.asked.wait(20)
    made.close()
    voice.let.set()
    cell.join(20)
    assert None not in calm.takes_in_use


# Long work


def test_speaking_is_told_as_it_goes_and_the_takes_at_its_end(studio, voice):
    with Session(studio) as made:
        made.begin("calm", SCRIPT)
        ear = Ear(made)
        made.speak()
        work = ear.hears("work", lambda work: work["status"] == "done")
        assert [clause[:2] for clause in work["clauses"]] == [[index, "done"] for index in range(4)]
        ear.hears("state", lambda state: None not in state["takes"]["fingerprint"])


def test_takes_are_told_while_others_are_still_being_spoken(watchful, studio, monkeypatch):
    monkeypatch.setattr("luma_studio.production._KEEP", 0.0)
    voice = SlowVoice()
    give(studio, voice)
    with Session(studio) as made:
        made.begin("calm", SCRIPT)
        ear = Ear(made)
        work = made.speak()
        assert voice.asked.wait(20)
        ear.hears("state", lambda state: state["takes"]["fingerprint"].count(None) == 3)
        assert work.running
        voice.let.set()


def test_speaking_that_is_stopped_keeps_what_was_spoken_and_asks_only_for_the_rest(studio):
    voice = SlowVoice()
    give(studio, voice)
    with Session(studio) as made:
        made.begin("calm", SCRIPT)
        ear = Ear(made)
        work = made.speak()
        assert voice.asked.wait(20)
        made.stop("speak")
        assert work.state()["status"] == "stopping"
        voice.let.set()
        ear.hears("work", lambda work: work["status"] == "stopped" and work["error"] is None)
        spoken = sum(voice.spoken.values())
        assert 1 <= spoken < 4
        made.speak()
        ear.hears("work", lambda work: work["status"] == "done")
        assert voice.spoken.total() == len(voice.spoken) == 4


def test_work_that_is_on_its_way_is_not_begun_twice_and_its_production_is_not_left(studio):
    voice = SlowVoice()
    give(studio, voice)
    with Session(studio) as made:
        made.begin("calm", SCRIPT)
        work = made.speak()
        assert voice.asked.wait(20)
        with pytest.raises(SettingError, match="already on its way"):
            made.speak()
        with pytest.raises(SettingError, match="still on its way"):
            made.leave()
        voice.let.set()
        assert work.wait(20)


def test_a_voice_that_fails_ends_the_work_with_its_sentence(studio, voice):
    voice.failing = {"Breathe in."}
    with Session(studio) as made:
        made.begin("calm", SCRIPT)
        ear = Ear(made)
        made.speak()
        work = ear.hears("work", lambda work: work["status"] == "failed")
        assert "could not speak 'Breathe in.'" in work["error"]
        ear.hears("state", lambda state: state["takes"]["fingerprint"].count(None) == 1)


def test_a_mistake_in_the_work_is_told_and_logged(open_session, caplog, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr(open_session.production, "export", broken)
    ear = Ear(open_session)
    open_session.export()
    work = ear.hears("work", lambda work: work["status"] == "failed")
    assert work["error"] == "The studio made a mistake (ZeroDivisionError: a mistake). What was done is kept."
    ear.hears("files")
    assert "export failed" in caplog.text


def test_an_export_gives_what_it_made_and_tells_of_files(open_session):
    made: list[Any] = []
    ear = Ear(open_session)
    assert open_session.export("calm.wav", done=made.append).wait(60)
    ear.hears("files")
    assert [path.name for path in made[0].masters] == ["calm.wav"]
    assert ear.of("work")[-1]["status"] == "done"


def test_an_export_can_be_stopped_and_leaves_no_master(open_session):
    ear = Ear(open_session)

    def stop(topic: str, value: Any) -> None:
        if topic == "work" and value["status"] == "running":
            open_session.stop("export")

    open_session.listen(stop)
    open_session.export("calm.wav")
    ear.hears("work", lambda work: work["status"] == "stopped")
    assert not (open_session.production.folder / "calm.wav").exists()


# The end


def session_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "luma-session"]


class SlowMind:
    """Thinks of nothing: of the first question at once, of all others when it is let."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.let = threading.Event()
        self._first = True

    def __call__(self, _request: Any) -> str:
        if not self._first:
            self.asked.set()
            self.let.wait(20)
        self._first = False
        return '{"clauses": []}'


@pytest.fixture
def slow_mind(vendors) -> Iterator[SlowMind]:
    vendors.mind = mind = SlowMind()
    yield mind
    mind.let.set()


MINDED = "".join(f"Scene {number}\nWe go {number} times.\n\n" for number in range(12))


def test_an_agent_is_told_as_it_goes_and_the_script_at_its_end(studio, vendors):
    vendors.mind = lambda request: '{"clauses": [{"clause": 0, "speaker": null, "tags": ["calm"]}]}'
    with Session(studio) as made:
        made.begin("minded", MINDED, mind="openai:gpt-5.5")
        ear = Ear(made)
        assert made.think("analysis").wait(20)
        stages = [work["stages"][-1] for work in ear.of("work") if work["stages"]]
        assert stages[-1] == {"stage": "think", "done": 12, "total": 12, "subject": "analysis", "share": 1.0}
        assert ear.hears("production") == "minded"
        assert {clause.tags for clause in made.production.clauses} == {("calm",)}


def test_an_agent_that_is_stopped_changes_nothing_and_says_so(studio, slow_mind):
    with Session(studio) as made:
        made.begin("minded", MINDED, mind="openai:gpt-5.5")
        work = made.think("analysis")
        assert slow_mind.asked.wait(20)
        made.stop("think")
        assert work.state()["status"] == "stopping"
        slow_mind.let.set()
        assert work.wait(20)
        assert work.state()["status"] == "stopped"
        assert made.production.decisions == ()


@pytest.mark.parametrize("begin", [Session.speak, lambda made: made.think("segmentation"), Session.leave])
def test_while_an_agent_is_at_work_nothing_else_is_begun_that_would_wait_for_it(studio, slow_mind, begin):
    with Session(studio) as made:
        made.begin("minded", MINDED, mind="openai:gpt-5.5")
        work = made.think("analysis")
        assert slow_mind.asked.wait(20)
        with pytest.raises(SettingError, match=r"on its way\. Wait for it, or stop it first"):
            begin(made)
        with pytest.raises(SettingError, match="Wait for it, or stop it first"):
            made.take_back_of("analysis")
        made.stop("think")
        slow_mind.let.set()
        assert work.wait(20)


def test_an_agent_is_not_begun_while_speaking_is_on_its_way(studio):
    voice = SlowVoice()
    give(studio, voice)
    with Session(studio) as made:
        made.begin("calm", SCRIPT)
        work = made.speak()
        assert voice.asked.wait(20)
        with pytest.raises(SettingError, match="Speaking is still on its way"):
            made.think("analysis")
        voice.let.set()
        assert work.wait(20)


def test_an_agent_in_a_cell_is_the_panels_own_work(studio, open_session, calm):
    ear = Ear(open_session)
    asyncio.run(calm.segment())
    assert [work["kind"] for work in ear.of("work")][-1] == "think"
    assert ear.of("work")[-1]["status"] == "done"


def test_an_agent_that_there_is_not_is_refused_with_those_there_are(open_session):
    with pytest.raises(SettingError, match="There are: analysis, planning, sanitizer, segmentation, splice"):
        open_session.think("oracle")
    with pytest.raises(SettingError, match="There are: analysis, segmentation"):
        open_session.take_back_of("splice")


def test_each_agent_can_be_begun_by_its_name():
    assert tuple(sorted(session._DECIDES)) == agents.NAMES


def test_cuts_are_taken_back_beside_a_pause_that_was_tuned_elsewhere_and_the_other_edit_stays(unwatched, window, calm):
    first, second = window(), window()
    first.edit(lambda production: production.tune({0: 7.0}))
    second.take_back_of("segmentation")
    assert second.production.pauses[0].seconds == 7.0


def test_nothing_is_taken_back_of_a_script_that_was_changed_elsewhere(unwatched, window, calm):
    first, second = window(), window()
    first.begin("calm", SCRIPT + "One more.\n")
    with pytest.raises(ChangedError):
        second.take_back_of("analysis")
    assert second.production.clauses[-1].text == "One more."


def test_a_mind_that_is_chosen_changes_nothing_but_itself_and_no_gain(open_session, calm):
    calm.export("master.wav", audit=False)
    gain = calm._state.gain
    assert gain is not None
    before = calm.text, calm.clauses, list(calm.pauses), calm.takes_in_use
    open_session.choose(mind="openai:gpt-5.5")
    assert open_session.production is calm
    assert calm.choices.mind == "openai:gpt-5.5"
    assert (calm.text, calm.clauses, list(calm.pauses), calm.takes_in_use) == before
    assert calm._state.gain == gain


def test_closing_ends_its_thread_and_lets_go_of_the_production(studio, calm):
    made = Session(studio, calm)
    assert session_threads()
    made.close()
    assert session_threads() == []
    assert not made.is_open
    with Session(studio, studio.production("calm")) as after:
        assert not after.elsewhere


def test_closing_stops_the_work_and_keeps_what_was_spoken(studio):
    voice = SlowVoice()
    give(studio, voice)
    made = Session(studio)
    made.begin("calm", SCRIPT)
    made.speak()
    assert voice.asked.wait(20)
    threading.Timer(0.05, voice.let.set).start()
    made.close()
    assert session_threads() == []
    again = studio.production("calm")
    assert 1 <= sum(take is not None for take in again.takes_in_use) < 4


def test_a_session_that_never_opened_anything_closes(studio):
    made = Session(studio)
    made.close()
    made.close()


def test_a_closed_session_says_so_and_its_panels_stay_as_they_were(studio, calm):
    made = Session(studio, calm)
    panel, ear = PauseTimeline(made), Ear(made)
    made.close()
    assert ear.of("production") == ear.of("state") == []  # else the page would show an empty studio
    assert "This session is closed" in ear.hears("notice")["text"]
    for verb in ("state", "undo"):
        answer = asked(panel, verb)
        assert answer["error"] == "This session is closed. Make a new one, Session(studio), and new panels over it."
    assert asked(panel, "ping")["value"] == "here"
    for refused in (lambda: PauseTimeline(made), lambda: made.open("calm"), lambda: made.begin("new", SCRIPT)):
        with pytest.raises(SettingError, match="This session is closed"):
            refused()
    assert studio.productions() == ["calm"]


def test_of_two_sessions_with_one_production_the_second_holds_on_to_it_when_the_first_is_closed(studio, calm, window):
    first, second = Session(studio, calm), Session(studio, calm)
    first.close()
    assert PauseTimeline(calm).session is second
    with Session(Studio.of(calm)) as other:
        assert not other.elsewhere
    assert not files.hold(calm.folder / ".open.lock")
    second.close()
    assert files.hold(calm.folder / ".open.lock")


# Drafts


def test_a_draft_is_kept_by_the_studio_and_then_by_the_production_and_is_gone_when_it_is_a_script(studio, voice):
    with Session(studio) as made:
        editor = ScriptEditor(made)
        editor.do_keep_draft(None, "Half a sen")
        assert editor.do_state()["draft"] == "Half a sen"
        made.begin("calm", SCRIPT)
        editor.do_keep_draft("calm", SCRIPT + "Half a sen")
        assert editor.do_state()["draft"] == SCRIPT + "Half a sen"
        assert "Half" not in made.production.text
        made.begin("calm", SCRIPT + "Half a sentence.\n")
        assert editor.do_state()["draft"] is None


# The front ends


@pytest.mark.parametrize("name", PANELS)
def test_a_notebook_keeps_no_code_of_a_panel_which_its_page_asks_for(open_session, name):
    panel = getattr(panels, name)(open_session)
    assert len(json.dumps(panel.get_state(), default=repr)) < 3500
    code = asked(panel, "code")["value"]
    assert code == {"module": front.module(f"{panel.front}.js"), "styles": front.styles(f"{panel.front}.css")}


MODULES = [getattr(panels, name).front for name in PANELS]
DECLARED = re.compile(r"^(?:async )?(?:function\*?|class|const|let|var) +(?:\{([^}]*)\}|([\w$]+))", re.MULTILINE)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_holds_every_file_once_and_is_one_module(name):
    text = front.module(f"{name}.js")
    files = re.findall(r"^// ([\w-]+\.js)$", text, re.MULTILINE)
    assert len(files) == len(set(files)) and files[-1] == f"{name}.js"
    assert files.index("kit.js") < files.index(f"{name}.js")
    assert not re.search(r"^\s*import\b|\bimport\(|\bfrom \"\./", text, re.MULTILINE)
    assert re.findall(r"^export .*", text, re.MULTILINE) == re.findall(r"^export default panel\(.*", text, re.MULTILINE)
    assert text.count("\nexport default ") == 1


@pytest.mark.parametrize("name", MODULES)
def test_no_two_files_of_a_module_declare_the_same_name(name):
    declared = [each.strip() for found in DECLARED.findall(front.module(f"{name}.js")) for each in found if each]
    assert declared
    assert sorted(declared) == sorted(set(declared))


@pytest.mark.parametrize("name", MODULES)
def test_a_modules_files_import_only_what_is_exported(name):
    """A browser that loads the files one by one would say so; linked into one text nobody would."""
    imported = re.compile(r'^import \{ ([^}]*) \} from "\./([\w-]+\.js)";$', re.MULTILINE)
    texts = [(front.FOLDER / file).read_text("utf-8") for file in files_of(name)]
    for names, file in [each for text in texts for each in imported.findall(text)]:
        exported = (front.FOLDER / file).read_text("utf-8")
        for each in names.split(", "):
            assert re.search(rf"^export (?:async )?(?:function\*?|const|class) {each}\b", exported, re.MULTILINE), each


def files_of(name: str) -> list[str]:
    return re.findall(r"^// ([\w-]+\.js)$", front.module(f"{name}.js"), re.MULTILINE)


@pytest.mark.parametrize("name", MODULES)
def test_nothing_of_a_front_end_is_loaded_from_elsewhere(name):
    for text in (front.module(f"{name}.js"), front.styles(f"{name}.css")):
        assert set(re.findall(r"\bhttps?://[^\s\"'`)]+", text)) <= {"http://www.w3.org/2000/svg"}
        assert "@import" not in text


@pytest.mark.parametrize("name", MODULES)
def test_a_style_sheet_is_the_shared_one_those_that_it_imports_and_its_own(name):
    own = (front.FOLDER / f"{name}.css").read_text("utf-8")
    imports = re.compile(r'^@import "\./([\w-]+\.css)";\n', re.MULTILINE)
    before = [(front.FOLDER / other).read_text("utf-8") for other in ("kit.css", *imports.findall(own))]
    assert front.styles(f"{name}.css") == "".join(before) + imports.sub("", own)
    assert own.count("{") == own.count("}")
