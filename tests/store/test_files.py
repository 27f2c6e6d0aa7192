from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.fakes import DyingDisk, Killed
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_studio.errors import BusyError, StoreError, UnsafeNameError
from luma_studio.store import files


def test_a_file_appears_whole_or_keeps_what_it_held_whatever_operation_dies(workspace, monkeypatch):
    path = workspace / "deep" / "file.bin"
    for dies_at in range(50):
        files.write(path, b"before")
        disk = DyingDisk(dies_at)
        with monkeypatch.context() as patch:
            patch.setattr(files, "disk", disk)
            try:
                with files.replacing(path, durable=True) as file:
                    file.write(b"af")
                    file.write(b"ter")
            except Killed:
                assert path.read_bytes() in (b"before", b"after")
            else:
                assert path.read_bytes() == b"after"
                assert dies_at >= 6
                return
    pytest.fail("it never lived")


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.ENOSPC, "Free some space"), (errno.EROFS, "Choose another workspace")]
)
def test_a_disk_that_fails_is_one_sentence_with_the_remedy_and_leaves_nothing(workspace, monkeypatch, number, remedy):
    class Full(files.Disk):
        def sync(self, file):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files, "disk", Full())
    with pytest.raises(StoreError, match=remedy):
        files.write(workspace / "file", b"data", durable=True)
    assert list(workspace.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "/etc/passwd",
        ".hidden",
        "nul",
        "COM1.txt",
        "a\x00b",
        "a\nb",
        "x" * 200,
        "नमस्ते" * 30,
        "a\u202eb",
        "c:d",
        "trailing.",
    ],
)
def test_names_that_lead_elsewhere_or_mean_something_are_refused(workspace, name):
    with pytest.raises(UnsafeNameError):
        files.confined(workspace, name)


@pytest.mark.parametrize("name", ["evening-calm", "शुरुआत", "a b", "münchen.v2", "हिन्दी योग"])
def test_names_in_any_writing_are_kept(workspace, name):
    assert files.confined(workspace, name) == workspace / name


def test_a_link_out_of_the_folder_is_refused(workspace, tmp_path_factory):
    (workspace / "link").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(UnsafeNameError, match="leads out"):
        files.confined(workspace, "link")


@settings(max_examples=2000)
@given(st.text() | st.text("con. -\xa0\u2000/aux") | st.text(min_size=100))
def test_any_text_makes_a_safe_name(text):
    name = files.name_from(text)
    assert files.safe_name(name) == name


def test_a_lock_held_by_another_process_is_told_and_freed_when_that_process_dies(workspace):
    lock = workspace / ".lock"
    hold = "import sys, filelock as f; l = f.FileLock(sys.argv[1]); l.acquire(); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", hold, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(BusyError, match="busy"), files.locked(lock, wait=0.05, busy="busy"):
            pass
        holder.kill()
        holder.wait()
        with files.locked(lock, wait=5, busy="busy"):
            pass


def test_parts_that_a_killed_process_left_are_swept_once_they_are_old(workspace):
    old, new = workspace / ".a.1-0.part", workspace / ".b.1-0.part"
    for part in (old, new):
        part.touch()
    os.utime(old, (time.time() - 90_000,) * 2)
    files.sweep(workspace)
    assert list(workspace.iterdir()) == [new]


def test_a_missing_file_is_told_with_its_path():
    with pytest.raises(StoreError, match=r"nowhere\.json does not exist"), files.explained("nowhere.json"):
        Path("nowhere.json").read_bytes()
