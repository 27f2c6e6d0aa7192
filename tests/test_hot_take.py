"""Hot takes: made whole or step by step, heard early, bought once, resumed, and never passed off as a model's."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import stamina
from helpers.camera import Camera, given
from helpers.fakes import DyingDisk, FakeVoice, Killed, give, tone
from helpers.hearing import PATIENCE, Ear
from helpers.heygen import HeyGen
from helpers.recordings import record
from helpers.vendors import VOICES, Fault, Vendors, elevenlabs_error, openai_error

from luma_studio import Studio
from luma_studio.errors import (
    BadKeyError,
    BudgetError,
    BusyError,
    FileTooLargeError,
    InputError,
    LumaError,
    NoCreditError,
    NoKeyError,
    NoMindError,
    NoSoundError,
    OutcomeUnknownError,
    PersonaError,
    RateLimitError,
    SettingError,
    SilentError,
    Stopped,
    StoreError,
    UnreadableError,
    VideoError,
    VoiceError,
    WritingError,
)
from luma_studio.hot_take import FILE, SOUND, Brief, HotTakes, Record
from luma_studio.progress import Event
from luma_studio.settings import Polling
from luma_studio.store import files
from luma_studio.store.ledger import Account
from luma_studio.voices import Hear, Speech, Utterance

PITCH = "An app that reminds cats to drink water."
GOOD = (
    "It is a charming thought, and somebody has costed the bowl and not the cat. A cat has no pocket, no thumb and no "
    "interest. Show me one owner who pays twice."
)
CLAUSES = ("It is a charming thought.", "A cat has no pocket.", "Show me one owner who pays twice.")
TYPED = " ".join(CLAUSES)
RACHEL = next(iter(VOICES))
SAID = "we sell water to cats"


@pytest.fixture
def takes(studio: Studio) -> HotTakes:
    return HotTakes(studio)


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Camera:
    return given(Camera(), monkeypatch)


@pytest.fixture
def minded(vendors: Vendors, monkeypatch: pytest.MonkeyPatch, workspace: Path) -> Iterator[HotTakes]:
    """With every vendor's key, a mind that writes well, and a persona with a voice and an avatar everywhere."""
    vendors.mind = lambda _request: json.dumps({"text": GOOD})
    monkeypatch.setenv("LUMA_MIND", "openai:gpt-5.5")
    monkeypatch.setenv("LUMA_TRANSCRIBER", "openai:whisper-1")
    monkeypatch.setattr(Polling, "shortest", 0.01)
    monkeypatch.setattr(Polling, "longest", 0.02)
    with Studio(workspace) as studio, stamina.set_testing(True, attempts=2, cap=True):
        studio.personas.change(
            "otto", elevenlabs_voice_id=RACHEL, heygen_avatar_id="look_anna", heygen_voice_id="voice_1"
        )
        yield HotTakes(studio)


def make(takes: HotTakes, what: Any, until: Any = "film", **options: Any) -> Record:
    return asyncio.run(takes.make(what, until, **options))


def brief(**fields: Any) -> Brief:
    return Brief(**{"persona": "otto", "seconds": 10, **fields})


def stands(record: Record) -> dict[str, str]:
    return {step: state.state for step, state in record.steps.items()}


def pitched(workspace: Path) -> Path:
    return record(workspace / "pitch.wav", [(0.2, SAID)], 4.0)


# The four ways


def test_a_recording_is_heard_answered_spoken_and_filmed_by_every_vendor(minded, vendors, workspace):
    made = make(minded, brief(recording=str(pitched(workspace)), context="Series A", film="heygen", budget=Decimal(50)))
    folder = minded.folder(made.name)
    assert stands(made) == dict.fromkeys(("transcribe", "write", "speak", "film"), "done")
    assert (made.heard, made.text, made.mind) == (SAID, GOOD, "openai:gpt-5.5")
    assert (made.asked or 0) > 100 < (made.answered or 0) * 10
    assert (made.latency or 0) > 0
    assert (folder / "film.mp4").stat().st_size > 0
    assert (folder / SOUND).stat().st_size > 0
    bought = {entry.purchase.vendor for entry in minded.studio.ledger.entries(made.name)}
    assert bought == {"OpenAI", "ElevenLabs", "HeyGen"}
    assert made.cost == minded.studio.ledger.spent(made.name) > 0
    told = json.loads((folder / FILE).read_text("utf-8"))
    assert (told["brief"]["persona"], told["brief"]["kind"], told["brief"]["context"]) == (
        "otto",
        "hot_take",
        "Series A",
    )
    assert (told["heard"], told["text"], told["mind"]) == (SAID, GOOD, "openai:gpt-5.5")


def test_a_pitch_is_answered_in_words_alone(minded, vendors):
    made = asyncio.run(minded.write(PITCH, "otto", seconds=10))
    assert (made.text, made.model, made.is_by_hand) == (GOOD, "gpt-5.5", False)
    assert stands(made) == {"transcribe": "skipped", "write": "done"}
    assert not vendors.bought
    with pytest.raises(SettingError):
        minded.production(made.name)


def test_typed_words_are_spoken_and_filmed_offline_and_are_no_models(takes, camera):
    spoken = asyncio.run(takes.speak(TYPED, "otto", voice={"rate": 200}))
    assert stands(spoken) == {"transcribe": "skipped", "write": "skipped", "speak": "done"}
    made = make(takes, spoken.name)
    assert (made.text, made.mind, made.model, made.written) == (TYPED, "", "", "")
    assert (made.is_by_hand, made.step("write").message) == (True, "The words were typed.")
    assert made.step("film").state == "done"
    production = takes.production(made.name)
    assert production.voice(0) == "espeak:en-gb+m3,pitch=32,rate=200"
    assert len(production.script.scenes) == 1
    assert production.choices.photo == "persona:otto"


def test_heygen_speaks_and_films_typed_words_by_one_purchase(minded, vendors):
    made = asyncio.run(minded.film(TYPED, "otto", heygen_voice=True))
    assert stands(made) == {"transcribe": "skipped", "write": "skipped", "speak": "skipped", "film": "done"}
    assert [entry.purchase.vendor for entry in minded.studio.ledger.entries(made.name)] == ["HeyGen"]
    (asked,) = [request.json for request in vendors.seen("/v3/videos", "heygen") if request.method == "POST"]
    (scene,) = asked["scenes"]
    assert "voice_1" in json.dumps(scene)
    assert TYPED in json.dumps(scene)
    assert not vendors.seen(vendor="elevenlabs")


def test_a_transcript_is_had_by_itself(minded, workspace):
    found = asyncio.run(minded.transcribe(pitched(workspace)))
    assert found.text == SAID


# Early, at once, in order


class _Waiting(FakeVoice):
    """Speaks its first clause at once, and the others once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()

    async def speak(self, utterance: Utterance, account: Account, hear: Hear | None = None) -> Speech:
        if utterance.text != CLAUSES[0]:
            await asyncio.to_thread(self.let.wait, PATIENCE)
        speech = await super().speak(utterance, account)
        if hear is not None:
            hear(speech.samples, speech.rate)
        return speech


def test_the_first_sound_is_heard_while_the_rest_is_still_spoken(takes):
    ear, voice = Ear(), _Waiting()
    give(takes.studio, voice, "espeak:en-gb+m3,pitch=32,rate=140")
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(make, takes, brief(text=TYPED), "speak", hear=ear)
        try:
            assert ear.began.wait(PATIENCE)
            assert not made.done()
        finally:
            voice.let.set()
    assert made.result().step("speak").state == "done"
    (rate,) = ear.rates
    assert len(ear.samples) == sum(len(tone(each)[0]) for each in CLAUSES) + 2 * round(0.4 * rate)


def test_what_is_here_already_is_heard_whole_and_in_order(takes):
    first, again = Ear(), Ear()
    made = make(takes, brief(text=TYPED), "speak", hear=first)
    make(takes, made.name, "speak", hear=again)
    production = takes.production(made.name)
    pauses = 2 * 0.4
    lengths = [len(production.audio(index).samples) / production.audio(index).rate for index in range(3)]
    assert len(again.samples) / again.rate == pytest.approx(sum(lengths) + pauses, abs=0.01)
    assert len(first.samples) / first.rate == pytest.approx(sum(lengths) + pauses, abs=0.05)


def test_clauses_that_wait_for_none_are_spoken_at_once(minded, vendors):
    vendors.delay = 0.2
    make(minded, brief(text=TYPED), "speak")
    assert vendors.busiest["elevenlabs"] == 2  # after the first, which tells whether the key is right


def test_each_change_is_told_and_what_is_told_stands_in_the_file(takes, camera):
    seen: list[Record] = []

    def watch(made: Record) -> None:
        seen.append(made)
        assert json.loads((takes.folder(made.name) / FILE).read_text("utf-8"))["steps"].keys() == made.steps.keys()

    make(takes, brief(text=TYPED), watch=watch)
    running = [[step for step, state in stands(each).items() if state == "running"] for each in seen]
    assert [step for step, _ in itertools.groupby(filter(None, running))] == [["speak"], ["film"]]


# Once, and taken up


def test_the_same_brief_is_the_same_hot_take_and_nothing_of_it_is_bought_twice(minded, vendors, camera):
    wanted = brief(pitch=PITCH)
    first, second = make(minded, wanted), make(minded, wanted)
    assert first.name == second.name
    assert first.cost == second.cost
    assert vendors.thought == {"openai": 1}
    assert set(vendors.bought.values()) == {1}
    assert camera.bought == {"scene_1": 1}
    assert brief(pitch=PITCH, version=2).name != first.name
    assert brief(pitch=PITCH, budget=Decimal(3)).name == first.name


def test_words_that_are_edited_are_spoken_and_only_what_changed_is_bought(minded, vendors):
    made = make(minded, brief(pitch=PITCH), "speak")
    edited = minded.edit(made.name, GOOD.replace("pays twice", "pays  once"))
    assert (edited.text.endswith("pays once."), edited.is_by_hand, edited.written) == (True, True, GOOD)
    assert (edited.mind, edited.step("speak").state) == ("openai:gpt-5.5", "waiting")
    before = set(vendors.bought)
    make(minded, made.name, "speak")
    assert set(vendors.bought) - before == {"Show me one owner who pays once."}
    assert vendors.thought == {"openai": 1}
    with pytest.raises(InputError, match="no words left"):
        minded.edit(made.name, "  ")


def test_a_step_that_failed_is_tried_alone_the_next_time(minded, vendors, camera):
    camera.failing["scene_1"] = VideoError("The camera could not make the video.")
    with pytest.raises(VideoError, match="The camera could not make the video"):
        make(minded, brief(pitch=PITCH))
    failed = minded.get(brief(pitch=PITCH).name)
    assert stands(failed) == {"transcribe": "skipped", "write": "done", "speak": "done", "film": "failed"}
    assert failed.step("film").message == "The camera could not make the video."
    camera.failing.clear()
    assert make(minded, failed.name).step("film").state == "done"
    assert vendors.thought == {"openai": 1}
    assert set(vendors.bought.values()) == {1}


def test_a_film_that_a_vendor_still_makes_is_processing_and_taken_up(minded, vendors, monkeypatch):
    fake = vendors.film["heygen"]
    assert isinstance(fake, HeyGen)
    fake.looks_until_done = 1000
    monkeypatch.setenv("STATUS_MAX_ATTEMPTS", "2")
    wanted = brief(text=TYPED, film="heygen")
    assert make(minded, wanted).step("film").state == "processing"
    fake.looks_until_done = 1
    assert make(minded, wanted).step("film").state == "done"
    assert sum(fake.bought.values()) == 1


def test_stopped_it_says_so_and_goes_on_from_there(minded, vendors):
    def stop(event: Event) -> None:
        if event.stage == "speak":
            raise Stopped

    with pytest.raises(Stopped):
        make(minded, brief(pitch=PITCH), listener=stop)
    (stopped,) = minded.history()
    assert stands(stopped) == {"transcribe": "skipped", "write": "done", "speak": "stopped"}
    make(minded, stopped.name, "speak")
    assert vendors.thought == {"openai": 1}
    assert set(vendors.bought.values()) == {1}


def test_one_at_a_time_makes_it(takes, camera):
    async def both() -> list[Any]:
        wanted = brief(text=TYPED)
        return await asyncio.gather(takes.make(wanted), takes.make(wanted), return_exceptions=True)

    assert sorted(type(each).__name__ for each in asyncio.run(both())) == ["BusyError", "Record"]
    assert issubclass(BusyError, LumaError)


def test_killed_at_operations_on_the_disk_it_ends_the_next_time_with_each_thing_bought_once(
    minded, vendors, workspace, monkeypatch, camera
):
    minded.studio.personas.change("otto", elevenlabs_voice_id=None)
    for dies_at in itertools.count(start=1, step=13):  # of some hundreds
        here, disk = workspace / str(dies_at), DyingDisk(dies_at)
        shutil.copytree(workspace / "personas", here / "personas")
        vendors.thought.clear()
        camera.bought.clear()
        with monkeypatch.context() as patch:
            patch.setattr(files, "disk", disk)
            died = made_in(here) is None
        made = made_in(here)
        assert made is not None, dies_at
        assert made.step("film").state == "done"
        assert (vendors.thought, camera.bought) == ({"openai": 1}, {"scene_1": 1}), dies_at
        shutil.rmtree(here)
        if not died:
            assert dies_at > 40
            return


def made_in(workspace: Path) -> Record | None:
    """What a process makes of it; None where it is killed."""
    try:
        with Studio(workspace) as studio:
            return make(HotTakes(studio), brief(pitch=PITCH))
    except Killed:
        return None


def test_a_hot_take_whose_process_died_was_broken_off(takes):
    made = takes.begin(brief(text=TYPED))
    path = takes.folder(made.name) / FILE
    told = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**told, "steps": {"speak": {"state": "running"}}}), "utf-8")
    assert takes.get(made.name).step("speak").state == "running"  # nobody ever held it: it is as its file has it
    (path.parent / ".hot_take.lock").touch()
    assert takes.get(made.name).step("speak").state == "stopped"


def test_the_newest_stands_first_and_a_damaged_one_takes_no_other_away(takes):
    first, second = takes.begin(brief(text="One.")), takes.begin(brief(text="Two."))
    assert [each.name for each in takes.history()] == [second.name, first.name]
    (takes.folder(second.name) / FILE).write_text("{", "utf-8")
    assert [each.name for each in takes.history()] == [first.name]
    with pytest.raises(StoreError, match="is damaged"):
        takes.get(second.name)


# What it would cost


def test_a_quote_tells_each_step_before_its_words_are_there(minded, workspace, monkeypatch):
    monkeypatch.setenv("LUMA_PRICES", '{"openai:gpt-5.5": [2, 8], "openai:whisper-1": 0.006}')
    with Studio(workspace) as studio:
        quote = HotTakes(studio).quote(brief(recording=str(pitched(workspace)), film="heygen"))
        assert [each.step for each in quote] == ["transcribe", "write", "speak", "film"]
        assert all(each.cost is not None and each.cost > 0 for each in quote)
        assert not studio.ledger.entries()
    assert [each.step for each in minded.quote(brief(text=TYPED, heygen_voice=True))] == ["film"]
    assert {each.cost for each in minded.quote(brief(text=TYPED, persona="juno", film="preview"))[1:]} == {Decimal(0)}


def test_what_is_made_costs_nothing_more(minded):
    made = make(minded, brief(pitch=PITCH), "speak")
    assert {each.step: each.cost for each in minded.quote(made.name, "speak")} == {"speak": 0}


# What goes wrong: told before anything is bought, where that can be known


class Wrong(NamedTuple):
    fields: dict[str, Any]
    error: type[LumaError]
    words: str
    until: Any = "film"


BEFORE = {
    "no pitch": Wrong({}, InputError, "There is no pitch to answer"),
    "no persona": Wrong({"pitch": PITCH, "persona": "nobody"}, PersonaError, "There is no persona 'nobody'"),
    "no such kind of length": Wrong({"pitch": PITCH, "seconds": 3000}, InputError, "ask for 3 to 300"),
    "file not there": Wrong({"recording": "gone.mp3"}, UnreadableError, "gone.mp3 is no file that is here"),
    "file too large": Wrong({"recording": "large.wav"}, FileTooLargeError, "MAX_FILE_SIZE_MB"),
    "invalid format": Wrong({"recording": "notes.mp4"}, UnreadableError, "no audio or video that can be read here"),
    "without sound": Wrong({"recording": "mute.mp4"}, NoSoundError, "has no sound"),
    "no such voice setting": Wrong({"text": TYPED, "voice": {"colour": 3}, "persona": "asha"}, SettingError, "colour"),
    "no such engine": Wrong({"text": TYPED, "film": "hollywood"}, SettingError, "There is no engine 'hollywood'"),
    "no such step": Wrong({"text": TYPED}, InputError, "There is no step 'sing'", "sing"),
    "no HeyGen voice": Wrong(
        {"text": TYPED, "heygen_voice": True, "persona": "juno"}, SettingError, "no voice of HeyGen"
    ),
    "HeyGen's voice elsewhere": Wrong(
        {"text": TYPED, "heygen_voice": True, "film": "preview"}, SettingError, "Choose either"
    ),
    "too many words": Wrong({"text": "word " * 5000}, InputError, "Shorten them"),
    "a context that nobody reads": Wrong({"pitch": PITCH, "context": "x" * 30_000}, InputError, "Shorten it"),
}


@pytest.mark.parametrize("situation", BEFORE)
def test_what_can_be_known_is_told_before_anything_is_begun(minded, vendors, workspace, monkeypatch, situation):
    fields, error, words, until = BEFORE[situation]
    (workspace / "notes.mp4").write_text("not a video")
    record(workspace / "large.wav", [(0.1, "hello")], 3.0)
    if situation == "file too large":
        monkeypatch.setenv("MAX_FILE_SIZE_MB", "0.01")
    if situation == "without sound":
        from helpers.recordings import write  # noqa: PLC0415

        write(workspace / "mute.mp4", np.zeros(44100, np.int16), 44100, "", "libx264")
    with pytest.raises(error, match=words):
        make(minded, brief(**fields), until)
    assert not vendors.requests
    assert minded.history() == ()


def test_a_silent_recording_is_told_and_nothing_of_it_is_bought(minded, vendors, workspace):
    with pytest.raises(SilentError, match="nothing is heard"):
        make(minded, brief(recording=str(record(workspace / "silent.wav", [], 3.0))))
    assert not vendors.requests
    assert minded.history()[0].step("transcribe").state == "failed"


def test_without_a_mind_it_says_how_to_get_one_and_that_words_can_be_typed(takes):
    with pytest.raises(NoMindError, match=r"OPENAI_API_KEY=.*Or type the words yourself"):
        make(takes, brief(pitch=PITCH))
    assert takes.history() == ()


def test_without_a_transcriber_it_says_how_to_choose_one(takes, workspace):
    with pytest.raises(SettingError, match="No transcriber is chosen"):
        make(takes, brief(recording=str(pitched(workspace))), "transcribe")


def test_without_a_key_of_heygen_it_says_so_before_anything_is_spoken(takes):
    with pytest.raises(NoKeyError, match="HEYGEN_API_KEY"):
        make(takes, brief(text=TYPED, film="heygen"))
    assert takes.history() == ()


@pytest.mark.parametrize("name", ["nowhere", "../out"])
def test_a_hot_take_that_is_not_there_is_told_and_no_folder_is_made(takes, workspace, name):
    for ask in (takes.get, lambda name: takes.edit(name, "Hello."), lambda name: make(takes, name)):
        with pytest.raises(InputError):
            ask(name)
    assert not (workspace / "generated_audio" / name).exists()


# What goes wrong: at a vendor


class Failing(NamedTuple):
    vendor: str
    fault: Fault
    error: type[LumaError]
    words: str
    step: str


AT_VENDORS = {
    "writing, key invalid": Failing(
        "openai",
        Fault(401, openai_error("Incorrect API key", "invalid_api_key")),
        BadKeyError,
        "OPENAI_API_KEY",
        "write",
    ),
    "writing, timed out": Failing("openai", Fault(how="cut"), OutcomeUnknownError, "OpenAI", "write"),
    "writing, too fast": Failing(
        "openai",
        Fault(429, openai_error("Rate limit reached", "rate_limit_exceeded")),
        RateLimitError,
        "OpenAI",
        "write",
    ),
    "writing, no credit": Failing(
        "openai",
        Fault(429, openai_error("You exceeded your quota", "insufficient_quota")),
        NoCreditError,
        "OpenAI",
        "write",
    ),
    "speaking, key invalid": Failing(
        "elevenlabs",
        Fault(401, elevenlabs_error("invalid_api_key", "Invalid")),
        VoiceError,
        "ELEVENLABS_API_KEY",
        "speak",
    ),
    "filming, key invalid": Failing(
        "heygen",
        Fault(401, {"error": {"code": "authentication_failed", "message": "No.", "param": None, "doc_url": None}}),
        VideoError,
        "HEYGEN_API_KEY",
        "film",
    ),
}


@pytest.mark.parametrize("situation", AT_VENDORS)
def test_what_a_vendor_refuses_stands_with_its_step_and_the_rest_is_kept(minded, vendors, situation):
    vendor, fault, error, words, step = AT_VENDORS[situation]
    vendors.misbehave(fault, times=20, when=lambda request: request.vendor == vendor)
    wanted = brief(pitch=PITCH, film="heygen")
    with pytest.raises(error, match=words):
        make(minded, wanted)
    failed = minded.get(wanted.name)
    assert failed.step(step).state == "failed"
    assert words in failed.step(step).message
    vendors.calm_down()
    made = make(minded, wanted)
    assert made.step("film").state == "done"
    assert set(vendors.bought.values()) == {1}


def test_a_mind_that_twice_writes_nothing_usable_is_told(minded, vendors):
    vendors.mind = lambda _request: json.dumps({"text": "Too short."})
    with pytest.raises(WritingError, match="Ask for another version or length"):
        make(minded, brief(pitch=PITCH), "write")
    assert minded.history()[0].text == ""


def test_a_film_that_failed_at_its_vendor_is_told(minded, vendors):
    fake = vendors.film["heygen"]
    assert isinstance(fake, HeyGen)
    wanted = brief(text=TYPED, film="heygen")
    fake.failing[""] = ("rendering_failed", "The face could not be found.")
    with pytest.raises(VideoError, match="The face could not be found"):
        make(minded, wanted)
    assert minded.get(wanted.name).step("speak").state == "done"


def test_a_budget_is_never_passed_by_all_steps_together(minded, vendors, monkeypatch, workspace):
    monkeypatch.setenv("LUMA_PRICES", '{"openai:gpt-5.5": [20, 80], "elevenlabs:eleven_multilingual_v2": 1000}')
    with Studio(workspace) as studio:
        takes = HotTakes(studio)
        with pytest.raises((BudgetError, VoiceError), match="budget"):
            make(takes, brief(pitch=PITCH, budget=Decimal("0.5")), "speak")
        (made,) = takes.history()
        assert made.text == GOOD
        assert Decimal(0) < made.cost <= Decimal("0.5")
        assert not vendors.bought
