from __future__ import annotations

import asyncio
import io
import os
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.fakes import DyingDisk, FakeVoice, Killed, give

from luma_studio import library
from luma_studio.errors import BusyError, SettingError, Stopped, StoreError, UnsafeNameError
from luma_studio.export import LOCK
from luma_studio.library import AudioFile, empty_trash, files_of, read_part, remove, restore, zipped
from luma_studio.store import files

SCRIPT = "Calm\nClose your eyes. (4 sec)\nBreathe in.\n\nRest\nLet it go.\n"
HOSTILE = ["../calm/master.mp3", "/etc/passwd", ".store", "..", "", "a/b", "x\x00", ".export.lock", "con"]


@pytest.fixture
def calm(studio):
    give(studio, FakeVoice())
    production = studio.production("calm", SCRIPT)
    asyncio.run(production.speak())
    production.export("master.mp3", "calm.wav")
    return production


@pytest.fixture
def folder(calm, studio):
    return studio.folder


def by_name(folder):
    return {file.name: file for file in files_of(folder)}


def test_every_file_of_an_export_is_listed_with_what_it_is(calm, folder):
    found = by_name(folder)
    kinds = {name: file.kind for name, file in found.items() if file.kind != "scene"}
    assert kinds == {
        "master.mp3": "master", "calm.wav": "master", "captions.srt": "captions", "captions.vtt": "captions",
        "chapters.json": "chapters", "audit.json": "audit", "scene_audio_map.json": "manifest",
    }  # fmt: skip
    scenes = [file for file in found.values() if file.kind == "scene"]
    assert sorted(file.scene for file in scenes) == ["scene_1", "scene_2"]
    assert all(file.in_manifest for file in scenes)
    length = calm.timeline.length / calm.timeline.rate
    assert found["master.mp3"].seconds == found["calm.wav"].seconds == pytest.approx(length)
    assert sum(file.seconds for file in scenes) == pytest.approx(length)
    for name, file in found.items():
        about = (calm.folder / name).stat()
        assert (file.production, file.bytes, file.changed) == ("calm", about.st_size, about.st_mtime)
    assert files_of(folder) == sorted(files_of(folder), key=lambda file: (file.production, file.name))


def test_one_productions_files_are_listed_alone(folder, studio):
    other = studio.production("other", SCRIPT)
    asyncio.run(other.speak())
    other.export(audit=False)
    assert {file.production for file in files_of(folder)} == {"calm", "other"}
    assert {file.production for file in files_of(folder, "other")} == {"other"}
    assert files_of(folder, "nobody") == []


def test_a_scene_file_that_a_newer_one_superseded_is_told(calm, folder):
    (calm.folder / "scene_1__00000000.mp3").write_bytes(b"old")
    old = by_name(folder)["scene_1__00000000.mp3"]
    assert (old.kind, old.in_manifest, old.scene, old.seconds) == ("scene", False, None, None)


@pytest.mark.parametrize("manifest", [b"", b"[]", b"null", b'{"scene_1": 3}', b"\xff"])
def test_a_damaged_manifest_names_no_scene_and_hides_no_file(calm, folder, manifest):
    names = set(by_name(folder))
    (calm.folder / "scene_audio_map.json").write_bytes(manifest)
    assert set(by_name(folder)) == names
    assert not any(file.in_manifest for file in files_of(folder))


def test_what_is_hidden_foreign_or_a_link_is_not_listed(calm, folder, tmp_path_factory):
    names = set(by_name(folder))
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.mp3").write_bytes(b"secret")
    for name in (".hidden.mp3", "notes.txt", "draft.txt", "program.exe", "bad\u202ename.mp3"):
        (calm.folder / name).write_bytes(b"x")
    (calm.folder / "link.mp3").symlink_to(outside / "secret.mp3")
    (calm.folder / "inner.mp3").symlink_to(calm.folder / "master.mp3")
    (calm.folder / "folder.mp3").mkdir()
    (folder / "elsewhere").symlink_to(outside)
    (folder / "loose.mp3").write_bytes(b"x")
    assert set(by_name(folder)) == names
    assert files_of(folder, "calm") == files_of(folder)
    with pytest.raises(UnsafeNameError):
        files_of(folder, "elsewhere")


def test_a_workspace_without_productions_has_no_files(studio):
    assert files_of(studio.folder) == []
    assert empty_trash(studio.folder) == 0
    assert not studio.folder.exists()


def test_a_length_is_read_again_only_when_the_file_changed(calm, folder, monkeypatch):
    files_of(folder)
    read = []
    probe = library.codec.probe
    monkeypatch.setattr(library.codec, "probe", lambda path: read.append(path.name) or probe(path))
    files_of(folder)
    assert read == []
    calm.fit("0:20")
    calm.export("calm.wav", audit=False)
    assert by_name(folder)["calm.wav"].seconds == 20
    assert "calm.wav" in read
    assert "master.mp3" not in read


def test_a_thousand_files_are_listed_in_a_blink(folder, studio):
    audio = (folder / "calm" / "master.mp3").read_bytes()
    for production in range(10):
        place = studio.folder / f"many {production}"
        place.mkdir()
        for number in range(100):
            (place / f"master {number}.mp3").write_bytes(audio[:20_000])
    assert len(files_of(folder)) > 1000
    start = time.process_time()
    files_of(folder)
    assert time.process_time() - start < 0.3


def test_what_is_removed_is_gone_from_the_list_and_comes_back_as_it_was(calm, folder):
    before = by_name(folder)["master.mp3"], (calm.folder / "master.mp3").read_bytes()
    removed = remove(folder, "calm", "master.mp3")
    assert "master.mp3" not in by_name(folder)
    assert "master.mp3" not in {file.name for file in files_of(folder)}
    restore(folder, removed)
    assert (by_name(folder)["master.mp3"], (calm.folder / "master.mp3").read_bytes()) == before
    assert list((folder / ".trash").iterdir()) == []


def test_two_files_of_one_name_lie_apart_in_the_trash(calm, folder):
    first = remove(folder, "calm", "master.mp3")
    calm.pauses[0] = 1.0
    calm.export(audit=False)
    second = remove(folder, "calm", "master.mp3")
    restore(folder, first)
    with pytest.raises(StoreError, match=r"another master\.mp3 by now"):
        restore(folder, second)
    remove(folder, "calm", "master.mp3")
    restore(folder, second)


def test_what_came_in_between_is_never_overwritten(calm, folder):
    removed = remove(folder, "calm", "audit.json")
    (calm.folder / "audit.json").write_bytes(b"newer")
    with pytest.raises(StoreError):
        restore(folder, removed)
    assert (calm.folder / "audit.json").read_bytes() == b"newer"
    (calm.folder / "audit.json").unlink()
    restore(folder, removed)


def test_an_emptied_trash_gives_nothing_back_and_what_is_young_stays(calm, folder):
    old, young = remove(folder, "calm", "master.mp3"), remove(folder, "calm", "calm.wav")
    sizes = {place: path.stat().st_size for place in (old.place, young.place)
             for path in (folder / ".trash" / place).rglob("*.*") if path.is_file()}  # fmt: skip
    hour_ago = time.time() - 3600
    os.utime(folder / ".trash" / old.place, (hour_ago, hour_ago))
    assert empty_trash(folder, older_than=60) == sizes[old.place]
    with pytest.raises(StoreError, match="not in the trash any more"):
        restore(folder, old)
    restore(folder, young)
    remove(folder, "calm", "calm.wav")
    assert empty_trash(folder) == sizes[young.place]
    assert list((folder / ".trash").iterdir()) == []


def test_emptying_the_trash_deletes_nothing_outside_it(calm, folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "kept").write_bytes(b"kept")
    removed = remove(folder, "calm", "master.mp3")
    (folder / ".trash" / removed.place / "link").symlink_to(outside)
    (folder / ".trash" / removed.place / "calm" / "file link").symlink_to(outside / "kept")
    empty_trash(folder)
    assert (outside / "kept").read_bytes() == b"kept"
    (folder / ".trash").rmdir()
    (folder / ".trash").symlink_to(outside)
    for trash in (lambda: empty_trash(folder), lambda: remove(folder, "calm", "calm.wav")):
        with pytest.raises(UnsafeNameError):
            trash()
    assert [path.name for path in outside.iterdir()] == ["kept"]


def test_the_production_itself_cannot_be_removed(calm, folder):
    with pytest.raises(UnsafeNameError, match="the production itself"):
        remove(folder, "calm", "production.json")
    assert calm.draft is None
    assert (calm.folder / "production.json").exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leads_out_of_the_production(calm, folder, name):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    removed = library.Removed("calm", "master.mp3", "place")
    for use in (
        lambda: remove(folder, "calm", name),
        lambda: remove(folder, name, "master.mp3"),
        lambda: read_part(folder, "calm", name, 0, 10),
        lambda: read_part(folder, name, "master.mp3", 0, 10),
        lambda: zipped(folder, "calm", [name], io.BytesIO()),
        lambda: restore(folder, replace(removed, name=name)),
        lambda: restore(folder, replace(removed, production=name)),
        lambda: restore(folder, replace(removed, place=name)),
    ):
        with pytest.raises((UnsafeNameError, StoreError)):
            use()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_link_is_not_followed_wherever_it_leads(calm, folder):
    (calm.folder / "link.mp3").symlink_to(calm.folder / "master.mp3")
    (folder / "twin").symlink_to(calm.folder)
    for production, name in (("calm", "link.mp3"), ("twin", "master.mp3")):
        with pytest.raises(UnsafeNameError, match="is a link"):
            read_part(folder, production, name, 0, 10)
        with pytest.raises(UnsafeNameError, match="is a link"):
            remove(folder, production, name)


@pytest.mark.parametrize(("production", "name"), [("calm", "nothing.mp3"), ("nobody", "master.mp3")])
def test_what_is_not_there_is_told_and_nothing_is_made(folder, production, name):
    for use in (
        lambda: remove(folder, production, name),
        lambda: read_part(folder, production, name, 0, 10),
        lambda: zipped(folder, production, [name], io.BytesIO()),
    ):
        with pytest.raises(StoreError):
            use()
    assert not (folder / "nobody").exists()
    assert not (folder / ".trash").exists()


def test_nothing_is_moved_while_the_production_is_exported(calm, folder, monkeypatch):
    monkeypatch.setattr(library, "_WAIT", 0.1)
    held = files.hold(calm.folder / LOCK)
    with pytest.raises(BusyError, match="is being exported"):
        remove(folder, "calm", "master.mp3")
    held.release()
    removed = remove(folder, "calm", "master.mp3")
    held = files.hold(calm.folder / LOCK)
    with pytest.raises(BusyError):
        restore(folder, removed)
    held.release()
    restore(folder, removed)


@pytest.mark.parametrize("error", [Killed, OSError(28, "No space left on device")])
def test_dying_at_any_operation_leaves_a_file_in_one_place_or_the_other(calm, folder, monkeypatch, error):
    data = (calm.folder / "master.mp3").read_bytes()

    def where():
        return [path for path in folder.rglob("master.mp3") if path.read_bytes() == data]

    for dies_at in range(20):
        disk = DyingDisk(dies_at, error)
        removed = None
        with monkeypatch.context() as patch:
            patch.setattr(files, "disk", disk)
            try:
                removed = remove(folder, "calm", "master.mp3")
                restore(folder, removed)
            except (Killed, StoreError):
                assert len(where()) == 1
            else:
                return
        if removed is not None and not (calm.folder / "master.mp3").exists():
            restore(folder, removed)
        assert where() == [calm.folder / "master.mp3"]
    pytest.fail("it never lived")


def test_a_zip_holds_the_files_as_they_are(calm, folder):
    names = [file.name for file in files_of(folder)]
    file, events = io.BytesIO(), []
    zipped(folder, "calm", [*names, names[0]], file, events.append)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == names
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        for name in names:
            assert archive.read(name) == (calm.folder / name).read_bytes()
    assert (events[-1].done, events[-1].total) == (len(names), len(names))
    assert [event.done for event in events] == sorted(event.done for event in events)


class _Pipe(io.RawIOBase):
    """What takes bytes and cannot go back; it keeps the largest piece that it was given."""

    def __init__(self):
        self.data, self.largest = b"", 0

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        self.largest = max(self.largest, len(data))
        return len(data)


def test_a_zip_is_streamed_into_what_cannot_seek_a_piece_at_a_time(calm, folder, monkeypatch):
    monkeypatch.setattr(library, "_PIECE", 1000)
    pipe = _Pipe()
    zipped(folder, "calm", ["calm.wav"], pipe)
    assert pipe.largest <= 1000
    with zipfile.ZipFile(io.BytesIO(pipe.data)) as archive:
        assert archive.read("calm.wav") == (calm.folder / "calm.wav").read_bytes()


def test_a_zip_can_be_stopped_within_a_file(folder, monkeypatch):
    monkeypatch.setattr(library, "_PIECE", 1000)
    heard = []

    def listener(event):
        heard.append(event)
        if len(heard) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        zipped(folder, "calm", ["calm.wav"], io.BytesIO(), listener)
    assert [(event.done, event.total, event.subject) for event in heard] == 3 * [(0, 1, "calm.wav")]


def test_a_disk_that_is_full_stops_a_zip_with_the_systems_own_error(folder):
    class Full(_Pipe):
        def write(self, data):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        zipped(folder, "calm", ["calm.wav"], Full())


@pytest.mark.parametrize("size", [1, 4096, 10**9])
def test_the_parts_of_a_file_are_the_file(calm, folder, size):
    whole = (calm.folder / "captions.srt").read_bytes() if size == 1 else (calm.folder / "calm.wav").read_bytes()
    name = "captions.srt" if size == 1 else "calm.wav"
    parts, start = [], 0
    while part := read_part(folder, "calm", name, start, size).data:
        parts.append(part)
        start += len(part)
    assert b"".join(parts) == whole
    assert all(len(part) == size for part in parts[:-1])


def test_the_stamp_of_a_part_is_of_the_file_that_was_read_whatever_has_its_name_now(calm, folder, monkeypatch):
    path = calm.folder / "calm.wav"
    before, stamp = path.read_bytes(), path.stat()
    opened = Path.open

    def replaced_once_open(self, *args, **more):
        file = opened(self, *args, **more)
        if self == path:
            other = path.with_suffix(".part")
            with opened(other, "wb") as newer:
                newer.write(b"newer")
            other.replace(path)
        return file

    monkeypatch.setattr(Path, "open", replaced_once_open)
    part = read_part(folder, "calm", "calm.wav", 0, 100)
    assert path.stat().st_size == 5
    assert (part.data, part.total, part.changed) == (before[:100], stamp.st_size, stamp.st_mtime)


@pytest.mark.parametrize("production", [None, "calm"])
def test_a_folder_that_is_in_the_way_of_the_manifest_is_told_in_a_sentence(calm, folder, production):
    (calm.folder / "scene_audio_map.json").unlink(missing_ok=True)
    (calm.folder / "scene_audio_map.json").mkdir()
    with pytest.raises(StoreError, match="in the way"):
        files_of(folder, production)


@pytest.mark.parametrize(("start", "size"), [(-1, 5), (0, -1)])
def test_a_part_that_cannot_be_is_refused(folder, start, size):
    with pytest.raises(SettingError, match="cannot begin"):
        read_part(folder, "calm", "calm.wav", start, size)


def test_a_file_is_listed_even_if_its_sound_cannot_be_read(calm, folder):
    (calm.folder / "broken.mp3").write_bytes(b"this is no sound")
    assert by_name(folder)["broken.mp3"] == AudioFile(
        "calm", "broken.mp3", "master", 16, (calm.folder / "broken.mp3").stat().st_mtime
    )
