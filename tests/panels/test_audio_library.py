"""The panel of all files: listed, fetched, packed, deleted and brought back, and never led out of its folder."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import queue
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.camera import Camera, given
from helpers.fakes import FakeVoice, give

from luma_studio import Studio, library
from luma_studio.errors import LumaError, SettingError, Stopped, StoreError, UnsafeNameError
from luma_studio.panels.audio_library import AudioLibrary
from luma_studio.panels.audio_players import AudioPlayers
from luma_studio.panels.session import Session
from luma_studio.progress import Event
from luma_studio.video.heygen_assets import FILE

SCRIPT = "Arriving\nClose your eyes. (2 sec)\nBreathe in.\n"
ELSEWHERE = ["..", "../calm", "/etc", "calm/../..", "a\0b", ".store", ".trash", "", "con"]


@pytest.fixture
def session(studio: Studio) -> Iterator[Session]:
    give(studio, FakeVoice())
    for name in ("calm", "other"):
        production = studio.production(name, SCRIPT)
        asyncio.run(production.speak())
        production.export("master.mp3")
    with Session(studio) as session:
        yield session


@pytest.fixture
def panel(session: Session) -> Iterator[AudioLibrary]:
    panel = AudioLibrary(session)
    yield panel
    panel.do_drop()


def told(panel: Any) -> queue.Queue[dict[str, Any]]:
    """What the panel sends from now on."""
    sent: queue.Queue[dict[str, Any]] = queue.Queue()
    panel.send = lambda content, buffers=None: sent.put(json.loads(json.dumps(content)))
    return sent


def names(panel: AudioLibrary, production: str = "calm") -> set[str]:
    return {file["name"] for file in json.loads(json.dumps(panel.do_files(production)))}


def packed(sent: queue.Queue[dict[str, Any]]) -> dict[str, Any]:
    """What is told of a ZIP at the end."""
    while True:
        value: dict[str, Any] = sent.get(timeout=30)["value"]
        if value["status"] != "packing":
            return value


def test_an_empty_workspace_is_no_fault(studio):
    with Session(studio) as session:
        assert AudioLibrary(session).do_state() == {"open": None, "productions": [], "deleted": []}


def test_productions_are_named_with_the_open_one_and_files_only_when_asked_for(session, panel, monkeypatch):
    monkeypatch.setattr(library, "files_of", None)  # calling it would be a fault
    session.open("calm")
    state = panel.do_state()
    assert state["open"] == "calm"
    assert {each["name"] for each in state["productions"]} == {"calm", "other"}


def test_the_files_of_a_production_come_with_kind_length_and_scene(panel):
    files = {file["name"]: file for file in panel.do_files("calm")}
    assert files["master.mp3"]["kind"] == "master"
    assert files["master.mp3"]["seconds"] > 1
    scene = next(file for file in files.values() if file["kind"] == "scene")
    assert (scene["scene"], scene["in_manifest"]) == ("scene_1", True)
    assert "production.json" not in files
    assert not any(name.startswith(".") for name in files)


def test_a_deleted_file_can_be_brought_back_whole(session, panel):
    path = session.studio.folder / "calm" / "master.mp3"
    before = path.read_bytes()
    key = panel.do_remove("calm", "master.mp3")
    assert not path.exists()
    assert "master.mp3" not in names(panel)
    panel.do_restore(key)
    assert path.read_bytes() == before
    with pytest.raises(StoreError, match="not in the trash any more"):
        panel.do_restore(key)  # it is back already


def test_what_was_deleted_is_listed_the_last_one_first_and_can_be_brought_back_in_another_window(
    session, panel, studio
):
    before = time.time()
    sizes = {name: (studio.folder / "calm" / name).stat().st_size for name in ("captions.srt", "master.mp3")}
    for name in sizes:
        panel.do_remove("calm", name)
    with Session(studio) as later:
        other = AudioLibrary(later)
        deleted = json.loads(json.dumps(other.do_state()))["deleted"]
        assert [(each["production"], each["name"]) for each in deleted] == [
            ("calm", "master.mp3"),
            ("calm", "captions.srt"),
        ]
        assert {each["name"]: each["bytes"] for each in deleted} == sizes
        assert all(before - 5 < each["when"] < time.time() + 5 for each in deleted)
        other.do_restore(deleted[0]["key"])
        assert "master.mp3" in names(other)
        assert [each["name"] for each in other.do_state()["deleted"]] == ["captions.srt"]


def test_what_lies_in_the_trash_and_is_no_deleted_file_is_not_listed(panel, studio, tmp_path):
    panel.do_remove("calm", "master.mp3")
    trash = studio.folder / ".trash"
    (trash / "loose.mp3").write_bytes(b"x")
    (trash / "empty").mkdir()
    (trash / "linked").symlink_to(tmp_path, target_is_directory=True)
    assert [each["name"] for each in panel.do_state()["deleted"]] == ["master.mp3"]


def test_a_file_that_is_deleted_twice_at_once_is_refused_in_a_sentence_without_a_path(panel, studio, monkeypatch):
    there = library._there
    gone = []

    def slow(path: Path) -> Path:
        if not gone:
            gone.append(there(path))
            path.unlink()  # by the other click, before this one has the lock
            return path
        return there(path)

    monkeypatch.setattr(library, "_there", slow)
    with pytest.raises(StoreError, match=r"calm has no master\.mp3 any more") as refused:
        panel.do_remove("calm", "master.mp3")
    assert str(studio.folder) not in str(refused.value)


def test_no_sentence_about_a_file_tells_where_the_workspace_lies(panel, studio, tmp_path):
    (studio.folder / "calm" / "link.mp3").symlink_to(tmp_path)
    for ask in (
        lambda: panel.do_part("calm", "gone.mp3", 0, 1),
        lambda: panel.do_remove("calm", "gone.mp3"),
    ):
        with pytest.raises(LumaError) as refused:
            ask()
        assert str(studio.folder) not in str(refused.value)


def test_files_stand_in_one_order_masters_first_and_2_before_10(session, panel):
    for name in ("take-10.wav", "take-2.wav", "Zen.mp3"):
        (session.studio.folder / "calm" / name).write_bytes(b"x")
    session.open("calm")
    found = [(file["kind"], file["name"]) for file in panel.do_files("calm")]
    masters = [name for kind, name in found if kind == "master"]
    assert masters == ["master.mp3", "take-2.wav", "take-10.wav", "Zen.mp3"]
    assert [kind for kind, _ in found[:4]] == ["master"] * 4
    shown = AudioPlayers(session).do_state()["production"]["masters"]
    assert [each["name"] for each in shown] == masters


def test_bringing_back_overwrites_nothing(session, panel):
    key = panel.do_remove("calm", "master.mp3")
    session.studio.production("calm").export("master.mp3")
    with pytest.raises(StoreError, match="another master"):
        panel.do_restore(key)


def test_deleting_is_told_to_every_panel(session, panel):
    sent = told(AudioLibrary(session))
    panel.do_remove("calm", "master.mp3")
    assert sent.get(timeout=5) == {"topic": "files", "value": None}


def test_the_production_itself_cannot_be_deleted(panel):
    with pytest.raises(UnsafeNameError, match="production itself"):
        panel.do_remove("calm", "production.json")


@pytest.mark.parametrize("production", ELSEWHERE)
def test_no_verb_is_led_out_of_the_folder_by_a_production(panel, production):
    for ask in (
        lambda: panel.do_files(production),
        lambda: panel.do_part(production, "passwd", 0, 100),
        lambda: panel.do_remove(production, "passwd"),
        lambda: panel.do_pack(production),
    ):
        with pytest.raises(UnsafeNameError):
            ask()


@pytest.mark.parametrize("name", [*ELSEWHERE, "../other/master.mp3", "/etc/passwd", "..\\other"])
def test_no_verb_is_led_out_of_the_folder_by_a_file(panel, name):
    for ask in (lambda: panel.do_part("calm", name, 0, 100), lambda: panel.do_remove("calm", name)):
        with pytest.raises(UnsafeNameError):
            ask()


def test_links_are_neither_shown_nor_read_nor_deleted(session, panel, tmp_path):
    secret = tmp_path / "secret.mp3"
    secret.write_bytes(b"secret")
    folder = session.studio.folder
    (folder / "calm" / "link.mp3").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path, target_is_directory=True)
    assert "link.mp3" not in names(panel)
    for ask in (
        lambda: panel.do_part("calm", "link.mp3", 0, 100),
        lambda: panel.do_remove("calm", "link.mp3"),
        lambda: panel.do_part("linked", "secret.mp3", 0, 100),
        lambda: panel.do_remove("linked", "secret.mp3"),
    ):
        with pytest.raises(UnsafeNameError):
            ask()
    assert secret.read_bytes() == b"secret"


@pytest.mark.parametrize("key", ["", "../..", "0", "no such key"])
def test_the_page_cannot_make_up_what_is_brought_back(panel, key):
    with pytest.raises(StoreError):
        panel.do_restore(key)


def test_a_zip_is_packed_behind_the_page_and_fetched_in_parts(session, panel):
    sent = told(panel)
    panel.do_pack("calm")
    end = packed(sent)
    assert (end["status"], end["production"]) == ("ready", "calm")
    data = b""
    while True:
        about, [part] = panel.do_packed(len(data), 7_000)
        data += part
        if len(data) == about["total"]:
            break
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == names(panel)
        assert archive.read("master.mp3") == (session.studio.folder / "calm" / "master.mp3").read_bytes()
    panel.do_drop()
    with pytest.raises(SettingError):
        panel.do_packed(0, 100)


def test_a_production_without_files_is_not_packed(session, panel):
    session.studio.production("bare", SCRIPT)
    with pytest.raises(SettingError, match="no files"):
        panel.do_pack("bare")


def test_packing_can_be_given_up_and_leaves_nothing(session, panel, monkeypatch):
    began, going, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(folder: Path, production: str, names: object, file: Any, listener: Any) -> None:
        began.set()
        assert going.wait(30)
        try:
            listener(Event("write", 0, 1))
        except Stopped:
            ended.set()
            raise

    monkeypatch.setattr(library, "zipped", slow)
    before = {path.name for path in session.studio.folder.iterdir()}
    panel.do_pack("calm")
    pack = panel._pack
    assert began.wait(30)
    panel.do_drop()
    going.set()
    assert ended.wait(30)
    with pytest.raises(SettingError):
        panel.do_packed(0, 100)
    assert pack is not None
    assert {path.name for path in session.studio.folder.iterdir()} == before


def test_a_full_disk_is_told_in_a_sentence(panel, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(library, "zipped", full)
    sent = told(panel)
    panel.do_pack("calm")
    end = packed(sent)
    assert end["status"] == "failed"
    assert "disk is full" in end["error"]


def test_what_was_deleted_long_ago_is_gone_for_good(panel, monkeypatch):
    kept = panel.do_remove("calm", "captions.srt")
    key = panel.do_remove("calm", "master.mp3")
    panel.do_restore(kept)
    monkeypatch.setattr("luma_studio.panels.audio_library._TRASH_AGE", 0.0)
    panel.do_remove("calm", "captions.vtt")
    with pytest.raises(StoreError, match="Export it again"):
        panel.do_restore(key)


@pytest.mark.parametrize(("start", "size"), [(-1, 10), (0, -1)])
def test_a_part_that_cannot_be_is_refused(panel, start, size):
    sent = told(panel)
    panel.do_pack("calm")
    assert packed(sent)["status"] == "ready"
    for ask in (lambda: panel.do_packed(start, size), lambda: panel.do_part("calm", "master.mp3", start, size)):
        with pytest.raises(SettingError):
            ask()


def test_every_refusal_is_a_sentence_for_the_page(panel):
    sent = told(panel)
    panel._asked(
        None, {"ask": "1", "verb": "part", "with": {"production": "..", "name": "x", "start": 0, "size": 1}}, []
    )
    answer = sent.get(timeout=5)
    assert answer["kind"] == "UnsafeNameError"
    assert issubclass(UnsafeNameError, LumaError)


def test_what_a_vendor_made_or_was_given_says_so_and_nothing_else(studio, monkeypatch):
    give(studio, FakeVoice())
    given(Camera(), monkeypatch)
    production = studio.production("calm", "Arriving\nBreathe in.\n", film="heygen")
    asyncio.run(production.speak())
    production.export("master.mp3", audit=False)
    made = asyncio.run(production.film())
    digest = hashlib.sha256((production.folder / "master.mp3").read_bytes()).hexdigest()
    asset = {"file_name": "master.mp3", "asset_id": "a1", "scene_id": "scene_1", "kind": "audio"}
    (studio.folder / FILE).write_text(json.dumps({"version": 1, "assets": {digest: asset}}))
    with Session(studio) as session:
        files = {each["name"]: each for each in AudioLibrary(session).do_files("calm")}
    assert {name for name, each in files.items() if each["vendor"] == "HeyGen"} == {"master.mp3", made.results[0].video}
    assert {files[name]["kind"] for name in (made.film, made.results[0].video, made.results[0].thumbnail)} == {
        "film", "video", "still",
    }  # fmt: skip
