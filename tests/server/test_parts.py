"""The small parts of serving: folders, addresses, what kernels are given, the bundle of scripts."""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest
from server.served import write_notebook

from luma_studio.errors import InputError, SettingError, StoreError
from luma_studio.kernels import OwnPython, environment
from luma_studio.server import PAGES, address, find_notebook, lab
from luma_studio.server.assets import bundle

ROOT = Path(__file__).parents[2]


def test_a_notebook_is_found_by_name_by_path_or_is_the_first_page(workspace):
    write_notebook(workspace / "mine.ipynb", [])
    assert find_notebook("mine.ipynb") == workspace / "mine.ipynb"
    for name in (None, "studio", "studio.ipynb", str(ROOT / "notebooks" / "studio.ipynb")):
        assert find_notebook(name) == ROOT / "notebooks" / PAGES[0]
    for unknown in ("nowhere", "mine", str(workspace)):
        with pytest.raises(InputError, match="There is no notebook"):
            find_notebook(unknown)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "line 1 is no JSON"),
        (b'{"cells":\n [', "line 2 is no JSON"),
        (b"\xff\xfe\x00", "it is no text"),
        (b"[]", "it has no cells"),
        (b'{"nbformat": 4}', "it has no cells"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused_with_the_reason(workspace, data, reason):
    (workspace / "bad.ipynb").write_bytes(data)
    with pytest.raises(InputError, match=f"bad.ipynb is no notebook: {reason}. Mend it"):
        find_notebook("bad.ipynb")


def test_without_a_port_the_next_free_one_is_taken():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"Port {port} is taken"):
            address.listen("127.0.0.1", port, 0)
        with address.listen("127.0.0.1", None, port) as free:
            assert free.getsockname()[1] > port


def test_a_host_that_is_not_this_computer_is_told():
    with pytest.raises(InputError, match="Choose --host or --port"):
        address.listen("192.0.2.1", 0, 0)


@pytest.mark.parametrize(
    ("host", "local", "begins"),
    [
        ("127.0.0.1", True, "http://127.0.0.1:80/lab?token="),
        ("localhost", True, "http://localhost:80/lab?token="),
        ("::1", True, "http://[::1]:80/lab?token="),
        ("192.0.2.1", False, "http://192.0.2.1:80/lab?token="),
        ("0.0.0.0", False, f"http://{socket.gethostname()}:80/lab?token="),  # noqa: S104
    ],
)
def test_an_address_knows_whether_it_is_local_and_has_a_token_of_its_own(host, local, begins):
    first, second = address.Address(host, 80), address.Address(host, 80)
    assert first.local is local
    assert first.url("/lab").startswith(begins)
    assert first.token != second.token
    assert first.token not in repr(first)


def test_kernels_know_the_workspace_the_paths_and_the_environment_file_wherever_they_run(workspace, monkeypatch):
    (workspace / ".env").write_text("LUMA_WORKSPACE=work\nA_KEY=from the file\nANOTHER=from the file\nEMPTY=\n")
    inherited = {"ANOTHER": "inherited", "PYTHONPATH": os.pathsep.join(["lib", "/elsewhere"])}
    assert environment(inherited) == {
        "LUMA_WORKSPACE": str(workspace / "work"),
        "A_KEY": "from the file",
        "PYTHONPATH": os.pathsep.join([str(workspace / "lib"), "/elsewhere"]),
    }
    (workspace / "work" / "generated_audio").rmdir()
    (workspace / "work").rmdir()
    (workspace / "work").touch()  # no folder can be made in it
    with pytest.raises(StoreError, match=f"{workspace / 'work'} is in the way.*LUMA_WORKSPACE"):
        environment(inherited)
    monkeypatch.setenv("LUMA_SAMPLE_RATE", "7")
    with pytest.raises(SettingError, match="LUMA_SAMPLE_RATE"):
        environment(inherited)


def test_the_only_kernel_is_this_python_whatever_is_installed(tmp_path, monkeypatch):
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": ["other"], "display_name": "Other", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    specs = OwnPython().get_all_specs()
    assert list(specs) == ["python3"]
    assert specs["python3"]["spec"]["argv"][0] == sys.executable


def test_the_bundle_holds_every_chunk_once_and_nothing_that_starts_by_itself(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    widgets = tmp_path / "labextensions" / "anywidget" / "static"
    for folder in (first, second, widgets):
        folder.mkdir(parents=True)
    (first / "1.voila.js").write_text('"use strict";a.push([[1]])')
    (second / "1.voila.js").write_text("b.push([[1]])")
    (first / "voila.js").write_text("c.push([[2]])")
    (widgets / "2.abc.js").write_text("d.push([[2]])")
    (widgets / "remoteEntry.abc.js").write_text("start()")
    made = bundle([str(first), str(second)], [str(tmp_path / "labextensions")])
    assert made.script.split() == [b";", b'"use', b'strict";a.push([[1]])', b";", b"d.push([[2]])"]
    assert made.version != bundle([str(second)], []).version


@pytest.fixture
def given(tmp_path):
    """A folder of notebooks as they are given out."""
    folder = tmp_path / "given" / "notebooks"
    (folder / "examples").mkdir(parents=True)
    for name in ("studio", "tutorial"):
        (folder / f"{name}.ipynb").write_text(f"{name}, as it was")
    (folder / "examples" / "calm.txt").write_text("Calm")
    return folder


def test_copies_are_edited_and_edits_are_kept_and_what_was_not_edited_follows_a_new_version(given, workspace):
    own = workspace / lab.OWN
    lab.keep_copies(given, own)
    assert (own / "examples" / "calm.txt").read_text() == "Calm"
    (own / "studio.ipynb").write_text("studio, edited")
    for name in ("studio", "tutorial"):
        (given / f"{name}.ipynb").write_text(f"{name}, new")
    for _ in range(2):
        lab.keep_copies(given, own)
        assert (own / "studio.ipynb").read_text() == "studio, edited"
        assert (own / "tutorial.ipynb").read_text() == "tutorial, new"


def test_what_lies_where_a_copy_is_to_be_made_is_kept(given, workspace):
    own = workspace / lab.OWN
    own.mkdir()
    (own / "studio.ipynb").write_text("the user's")
    lab.keep_copies(given, own)
    assert (own / "studio.ipynb").read_text() == "the user's"


def test_lab_finds_a_notebook_by_path_or_among_the_copies_and_only_in_the_workspace(workspace, tmp_path_factory):
    own = workspace / lab.OWN
    lab.keep_copies(ROOT / "notebooks", own)
    write_notebook(own / "mine.ipynb", [])
    write_notebook(workspace / "beside.ipynb", [])
    for name, place in {
        "mine": "my_notebooks/mine.ipynb",
        "my_notebooks/mine.ipynb": "my_notebooks/mine.ipynb",
        "beside.ipynb": "beside.ipynb",
        str(workspace / "beside.ipynb"): "beside.ipynb",
        str(ROOT / "notebooks" / "studio.ipynb"): "my_notebooks/studio.ipynb",  # never the studio's own
    }.items():
        assert lab.place_of(name, workspace) == place
    outside = tmp_path_factory.mktemp("outside") / "far.ipynb"
    write_notebook(outside, [])
    with pytest.raises(InputError, match=r"lies outside the workspace .* by LUMA_WORKSPACE"):
        lab.place_of(str(outside), workspace)
    with pytest.raises(InputError, match=r"There is no notebook 'nowhere'.*mine.ipynb"):
        lab.place_of("nowhere", workspace)
