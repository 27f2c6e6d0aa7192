"""A process killed at any operation on the disk leaves what was before or what comes after, and loses no take."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
from multiprocessing import get_context
from pathlib import Path

import pytest
from helpers.fakes import DyingDisk, FakeVoice, Killed, give

from luma_studio.audio import codec
from luma_studio.errors import LumaError, StoreError
from luma_studio.store import files
from luma_studio.store.ledger import Ledger
from luma_studio.store.takes import TakeStore
from luma_studio.studio import STORE, Studio

SCRIPT = "Calm\nClose your eyes. (1 sec)\nBreathe in. (1 sec)\nLet it go.\n"
EDITED = SCRIPT.replace("Breathe in", "Breathe out")


def work(workspace: Path, voice: FakeVoice, script: str) -> None:
    """Begin or take up a production, speak, tune and export it."""
    with Studio(workspace) as studio:
        give(studio, voice)
        production = studio.production("calm", script)
        asyncio.run(production.speak())
        production.pauses[0] = 2.0
        production.export()


def stored(workspace: Path) -> set[str]:
    """The texts whose takes are in the store, each read whole."""
    store = TakeStore(workspace / "generated_audio" / ".store" / "takes", 44100)
    names = [path.name.split(".")[0] for path in store.folder.rglob("[!.]*.wav")]
    assert all(store.get(name) is not None for name in names)
    return {store.recipe(name)["text"] for name in names}


def arrived(workspace: Path) -> set[str]:
    """The texts that were paid for and have arrived, whether their takes are in the store or not yet."""
    folder = workspace / "generated_audio"
    kept = {path.name for path in (folder / STORE / "arrived").glob("[!.]*")}
    return {entry.purchase.subject for entry in Ledger(folder).entries() if entry.key in kept}


def check_whole(folder: Path) -> None:
    """Every file that can be seen is whole."""
    for path in folder.glob("[!.]*"):
        if path.suffix == ".json":
            json.loads(path.read_bytes())
        if path.suffix == ".mp3":
            probe = codec.probe(path)
            assert sum(map(len, codec.decode(path))) == probe.samples


@pytest.mark.parametrize("kind", ["killed", "full"])
def test_dying_at_any_operation_loses_no_take_and_speaks_none_twice(workspace, monkeypatch, kind):
    error = Killed if kind == "killed" else OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    work(workspace / "whole", FakeVoice(), SCRIPT)
    work(workspace / "whole", FakeVoice(), EDITED)
    whole = workspace / "whole" / "generated_audio" / "calm"
    dies_at = 0
    while True:
        here = workspace / str(dies_at)
        work(here, FakeVoice(), SCRIPT)
        disk = DyingDisk(dies_at, error)
        with monkeypatch.context() as patch:
            patch.setattr(files, "disk", disk)
            try:
                work(here, FakeVoice(), EDITED)
                died = False
            except (Killed, StoreError):
                died = True
        check_whole(here / "generated_audio" / "calm")
        kept, waiting = stored(here), arrived(here)
        assert kept >= {"Close your eyes.", "Breathe in.", "Let it go."}
        voice = FakeVoice()
        work(here, voice, EDITED)
        assert set(voice.spoken) == {"Breathe out."} - kept - waiting
        for path in whole.glob("*.mp3"):
            assert (here / "generated_audio" / "calm" / path.name).read_bytes() == path.read_bytes()
        if not died:
            assert dies_at > 20
            return
        dies_at += 1


def test_dying_at_the_very_first_run_leaves_nothing_half(workspace, monkeypatch):
    for dies_at in range(0, 200, 3):
        here = workspace / str(dies_at)
        with monkeypatch.context() as patch:
            patch.setattr(files, "disk", DyingDisk(dies_at))
            voice = FakeVoice()
            with contextlib.suppress(Killed):
                work(here, voice, SCRIPT)
                return
        kept, waiting = stored(here), arrived(here)
        check_whole(here / "generated_audio" / "calm")
        again = FakeVoice()
        work(here, again, SCRIPT)
        assert set(again.spoken) == {"Close your eyes.", "Breathe in.", "Let it go."} - kept - waiting


@pytest.mark.skipif(os.name == "nt", reason="folders are not read-only there")
def test_a_read_only_folder_is_told(workspace):
    workspace.chmod(0o555)
    root = os.geteuid() == 0  # who may write anywhere
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(StoreError, match="may not be written"):
            work(workspace, FakeVoice(), SCRIPT)
    finally:
        if root:
            os.seteuid(0)


def test_what_is_read_only_is_named_and_not_what_was_to_be_in_it(workspace):
    for path in (workspace, workspace / ".production.lock", workspace / "generated_audio" / "calm"):
        with pytest.raises(StoreError) as caught, files.explained(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        assert str(caught.value).startswith(f"{workspace} may not be written or read. Choose another workspace (LUMA_")
        assert caught.value.__suppress_context__  # what Python says of it tells nothing more


@pytest.mark.parametrize("inside", ["", "deep/er"])
def test_the_file_that_is_in_the_way_of_a_workspace_is_named(workspace, inside):
    (workspace / "afile").write_text("")
    for tried in (
        lambda: work(workspace / "afile" / inside, FakeVoice(), SCRIPT),
        lambda: files.check_workspace(workspace / "afile" / inside),
    ):
        with pytest.raises(StoreError, match=r"/afile is in the way: a file where a folder.*LUMA_WORKSPACE"):
            tried()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no such folder there")
def test_a_workspace_that_cannot_be_made_is_named(workspace):
    for tried in (
        lambda: work(Path("/proc/foo"), FakeVoice(), SCRIPT),
        lambda: files.check_workspace(Path("/proc/foo/generated_audio")),
    ):
        with pytest.raises(StoreError, match=r"The folder /proc/foo cannot be made.*LUMA_WORKSPACE"):
            tried()


def test_a_workspace_that_is_well_holds_nothing_after_it_was_checked(workspace):
    files.check_workspace(workspace / "new" / "generated_audio")
    assert list((workspace / "new" / "generated_audio").iterdir()) == []


def test_a_file_where_a_folder_is_meant_is_told(workspace):
    (workspace / "generated_audio").write_text("in the way")
    with pytest.raises(StoreError, match="in the way"):
        work(workspace, FakeVoice(), SCRIPT)


def _narrate(workspace: Path, pause: float, results) -> None:
    try:
        with Studio(workspace) as studio:
            production = studio.production("calm", SCRIPT)
            asyncio.run(production.speak())
            production.pauses[0] = pause
            production.export()
        results.put((pause, None))
    except LumaError as error:
        results.put((pause, str(error)))


def test_two_processes_on_one_production_end_in_a_clear_error_or_a_right_result(workspace):
    context = get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_narrate, args=(workspace, pause, results)) for pause in (2.0, 3.0)]
    for process in processes:
        process.start()
    ends = dict(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
    check_whole(workspace / "generated_audio" / "calm")
    won = [pause for pause, error in ends.items() if error is None]
    assert won
    assert all(error is None or "another process" in error or "changed elsewhere" in error for error in ends.values())
    with Studio(workspace) as studio:
        production = studio.production("calm")
        assert production.pauses[0].seconds in won
        assert production.export().audit.findings == ()
