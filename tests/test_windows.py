"""Several windows on one studio: drafts, what was saved elsewhere, who has a production open."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading

import pytest
from helpers.fakes import FakeVoice, give

from luma_studio.errors import ChangedError, SettingError
from luma_studio.store import files
from luma_studio.studio import Recent, Studio

SCRIPT = "Arriving\nClose your eyes. (4 sec)\nBreathe in, and out.\nLet it go.\n\nLeaving\nOpen your eyes.\n"


def opened(workspace, script=None, **changes):
    studio = Studio(workspace)
    give(studio, FakeVoice())
    return studio.production("calm", script, **changes)


@pytest.fixture
def calm(workspace):
    return opened(workspace, SCRIPT)


def test_a_draft_outlives_its_window_and_is_one_for_all(calm, workspace):
    assert calm.draft is None
    calm.keep_draft("Arriving\nClose your ey\n")
    assert opened(workspace).draft == "Arriving\nClose your ey\n"
    opened(workspace).keep_draft("later")
    assert calm.draft == "later"


@pytest.mark.parametrize("text", [None, SCRIPT])
def test_a_draft_that_says_nothing_new_is_no_draft(calm, text):
    calm.keep_draft("something")
    calm.keep_draft(text)
    assert calm.draft is None
    assert not (calm.folder / "draft.txt").exists()


def test_line_ends_of_another_system_make_no_draft(workspace):
    calm = opened(workspace, SCRIPT.replace("\n", "\r\n"))
    calm.keep_draft(SCRIPT)  # as a page gives it back
    assert calm.draft is None


@pytest.mark.parametrize("text", ["", "\r\n\t ", "धीरे-धीरे 🙏🏽", "a\ud800b", "x" * 100_000])
def test_a_draft_comes_back_as_it_was_typed(calm, text):
    calm.keep_draft(text)
    assert calm.draft == text.encode("utf-8", "replace").decode()


def test_taking_a_script_in_removes_the_draft_and_opening_the_production_does_not(calm, workspace):
    calm.keep_draft("something")
    assert opened(workspace).draft == "something"
    assert opened(workspace, SCRIPT).draft == "something"
    assert opened(workspace, SCRIPT.replace("Let it go", "And rest")).draft is None


def test_a_script_without_a_production_has_a_draft_too(studio, workspace):
    assert studio.draft is None
    studio.keep_draft("Once upon")
    assert Studio(workspace).draft == "Once upon"
    assert studio.productions() == []
    studio.keep_draft(None)
    assert studio.draft is None


def test_a_draft_that_cannot_be_written_leaves_the_one_before(calm, monkeypatch):
    calm.keep_draft("before")

    class Full(files.Disk):
        def sync(self, file):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "disk", Full())
    with pytest.raises(files.StoreError, match="Free some space"):
        calm.keep_draft("after")
    assert calm.draft == "before"


def test_productions_come_newest_first_and_nothing_of_them_is_read(studio, workspace):
    for number, name in enumerate(["one", "two", "three"]):
        folder = studio.folder / name
        folder.mkdir(parents=True)
        (folder / "production.json").write_bytes(b"damaged")
        os.utime(folder / "production.json", (number, number))
    (studio.folder / "empty").mkdir()
    (studio.folder / ".trash").mkdir()
    (studio.folder / ".trash" / "production.json").write_bytes(b"")
    assert studio.recent() == [Recent("three", 2.0), Recent("two", 1.0), Recent("one", 0.0)]
    assert studio.productions() == ["one", "three", "two"]


def test_a_studio_without_a_folder_has_no_productions(studio):
    assert studio.recent() == []
    assert list(studio.workspace.iterdir()) == []


def test_what_another_window_saved_is_seen_and_what_this_one_saved_is_not(calm, workspace):
    calm.pauses[0] = 5.0
    assert not calm.saved_elsewhere()
    other = opened(workspace)
    other.pauses[0] = 6.0
    assert calm.saved_elsewhere()
    assert not other.saved_elsewhere()


def test_while_this_window_saves_nothing_was_saved_elsewhere(calm, monkeypatch):
    seen = []
    replace = files.Disk.replace

    def watched(disk, part, path):
        replace(disk, part, path)
        looking = threading.Thread(target=lambda: seen.append(calm.saved_elsewhere()))
        looking.start()
        looking.join(20)

    monkeypatch.setattr(files.Disk, "replace", watched)
    calm.pauses[0] = 5.0
    assert seen == [False]


def test_reloading_takes_up_script_choices_pauses_and_takes_of_another_window(calm, workspace):
    asyncio.run(calm.speak())
    other = opened(workspace, SCRIPT.replace("Let it go", "And rest, and rest"), granularity="clause")
    asyncio.run(other.speak())
    other.pauses[0] = 7.0
    with pytest.raises(ChangedError):
        calm.pauses[0] = 6.0
    calm.reload()
    assert (calm.text, calm.clauses, calm.spans, calm.choices) == (
        other.text, other.clauses, other.spans, other.choices,
    )  # fmt: skip
    assert list(calm.pauses) == list(other.pauses)
    assert calm.history == other.history
    assert [take.fingerprint for take in calm.takes_in_use] == [take.fingerprint for take in other.takes_in_use]
    calm.pauses[0] = 6.0
    assert not calm.saved_elsewhere()


def test_a_production_that_is_gone_cannot_be_reloaded_and_stays_as_it_is(calm):
    (calm.folder / "production.json").unlink()
    with pytest.raises(SettingError, match="no production 'calm' yet"):
        calm.reload()
    assert calm.clauses[0].text == "Close your eyes."


def test_what_cannot_be_taken_up_is_not_overwritten_either(calm):
    path = calm.folder / "production.json"
    path.write_bytes(path.read_bytes().replace(b'"voice": "espeak"', b'"voice": "nobody"'))
    with pytest.raises(SettingError, match="nobody"):
        calm.reload()
    assert calm.choices.voice == "espeak"
    with pytest.raises(ChangedError):
        calm.pauses[0] = 6.0


def test_one_window_holds_a_production_until_it_lets_go_or_is_gone(calm, workspace):
    other = opened(workspace)
    assert calm.hold()
    assert calm.hold()
    assert not other.hold()
    other.pauses[0] = 5.0  # nobody is kept from anything
    calm.release()
    assert other.hold()
    assert not calm.hold()
    other.release()
    other.release()
    assert calm.hold()


def test_a_production_may_be_let_go_by_another_thread(calm, workspace):
    assert calm.hold()
    thread = threading.Thread(target=calm.release)
    thread.start()
    thread.join()
    assert opened(workspace).hold()


def test_who_drops_a_production_lets_it_go(calm, workspace):
    other = opened(workspace)
    assert other.hold()
    assert not calm.hold()
    del other
    assert calm.hold()


_HOLDER = """
import sys
from luma_studio import Studio
print(Studio(sys.argv[1]).production("calm").hold(), flush=True)
production = Studio(sys.argv[1]).production("calm")
print(production.hold(), flush=True)
sys.stdin.read()
"""


def test_a_production_that_another_process_holds_is_free_once_that_is_killed(calm, workspace):
    command = [sys.executable, "-c", _HOLDER, str(workspace)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == process.stdout.readline() == b"True\n"
        assert not calm.hold()
        process.kill()
        process.wait(20)
        assert calm.hold()


def test_takes_are_kept_beside_pauses_that_another_window_tuned_meanwhile(calm, workspace):
    other = opened(workspace)

    def tuned_elsewhere(event):
        if event.done == 1:
            other.tune({0: 7.0})

    asyncio.run(calm.speak(tuned_elsewhere))
    assert None not in calm.takes_in_use
    assert calm.pauses[0].seconds == 7.0
    kept = [take and take.fingerprint for take in opened(workspace).takes_in_use]
    assert kept == [take.fingerprint for take in calm.takes_in_use]


def test_takes_do_not_overwrite_another_script_that_another_window_saved_meanwhile(calm, workspace):
    def rewritten_elsewhere(event):
        if event.done == 1:
            opened(workspace, SCRIPT.replace("Let it go.", "Let it all go."))

    with pytest.raises(ChangedError):
        asyncio.run(calm.speak(rewritten_elsewhere))
    with pytest.raises(ChangedError):
        calm.tune({0: 1.0})
    assert "Let it all go." in opened(workspace).text


def test_two_event_loops_speak_one_after_the_other(calm, workspace):
    first = threading.Thread(target=asyncio.run, args=(calm.speak(),))
    first.start()
    asyncio.run(calm.speak())
    first.join(20)
    assert not first.is_alive()
    assert None not in calm.takes_in_use


@pytest.mark.parametrize(
    "change",
    [
        lambda calm: calm.tune({0: 4.0}),
        lambda calm: calm.lock([]),
        lambda calm: calm.scale(1),
        lambda calm: calm.undo(),
        lambda calm: calm.redo(),
    ],
)
def test_a_change_that_would_change_nothing_here_does_not_hide_what_was_saved_elsewhere(calm, workspace, change):
    opened(workspace).pauses[1] = 6.5
    assert calm.pauses[0].seconds == 4.0
    with pytest.raises(ChangedError, match=r"changed elsewhere .* reload\(\)"):
        change(calm)
    calm.reload()
    assert calm.pauses[1].seconds == 6.5
    change(calm)


def test_what_was_saved_elsewhere_is_seen_in_what_a_notebook_shows(calm, workspace):
    opened(workspace).pauses[1] = 6.5
    assert "reload()" in repr(calm)
    assert "reload()" in repr(calm.pauses)
    calm.reload()
    assert "reload()" not in repr(calm) + repr(calm.pauses)


def test_opening_again_in_one_studio_takes_up_what_was_saved_elsewhere(studio, workspace):
    give(studio, FakeVoice())
    calm = studio.production("calm", SCRIPT)
    opened(workspace).pauses[1] = 6.5
    assert studio.production("calm") is calm
    assert calm.pauses[1].seconds == 6.5


def test_speaking_takes_up_pauses_that_were_saved_elsewhere_also_where_nothing_is_to_be_spoken(calm, workspace):
    asyncio.run(calm.speak())
    opened(workspace).pauses[1] = 6.5
    asyncio.run(calm.speak())
    assert calm.pauses[1].seconds == 6.5


@pytest.mark.parametrize(
    "change",
    [lambda calm: calm.tune({0: 9.0}), lambda calm: calm.undo(), lambda calm: calm.export(audit=False)],
)
def test_of_a_production_that_was_deleted_that_is_told_and_nothing_is_made(calm, change):
    asyncio.run(calm.speak())
    shutil.rmtree(calm.folder)
    with pytest.raises(ChangedError, match="calm was deleted"):
        change(calm)
    assert not calm.hold()
    assert not calm.folder.exists()


def test_a_production_that_was_deleted_can_be_begun_anew_in_the_same_studio(studio, workspace):
    give(studio, FakeVoice())
    calm = studio.production("calm", SCRIPT, sentence_pause=9.0)
    shutil.rmtree(calm.folder)
    with pytest.raises(SettingError, match="no production 'calm' yet"):
        studio.production("calm")
    assert studio.production("calm", SCRIPT) is calm
    assert calm.pauses[2].seconds == 1.5
    calm.pauses[0] = 2.0
