"""How a server begins and ends: where it listens, and that it leaves nothing behind."""

from __future__ import annotations

import json
import signal
import socket
from contextlib import closing

import psutil
import pytest
from server.served import until

OPEN = ("open", "studio.ipynb", "--no-browser", "--port", "0")


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where a server keeps what it needs while it runs."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def children(process: int) -> list[psutil.Process]:
    return psutil.Process(process).children(recursive=True)


def test_ctrl_c_while_warming_up_ends_it_cleanly(serve, notebooks, temporary):
    served = serve(notebooks, *OPEN)
    until(lambda: bool(children(served.process.pid)))
    kernels = children(served.process.pid)
    assert served.end() == 0
    assert served.printed == "Warming up…\n"
    assert not any(kernel.is_running() for kernel in kernels)
    assert list(temporary.iterdir()) == []


def test_sigterm_ends_it_cleanly_and_it_has_said_where_it_was_and_how_to_end_it(serve, notebooks, temporary):
    served = serve(notebooks, *OPEN)
    served.read_until("Ctrl-C")
    assert served.get("/voila/render/studio.ipynb").status == 200
    kernels = children(served.process.pid)
    assert kernels
    assert served.end(signal.SIGTERM) == 0
    said = ["Warming up…", f"The studio is open at {served.base}/?token={served.token}", "Ctrl-C ends it."]
    assert served.printed.splitlines() == said
    assert served.base.startswith("http://127.0.0.1:")
    assert len(served.token) >= 32
    assert not any(kernel.is_running() for kernel in kernels)
    assert list(temporary.iterdir()) == []


def test_jupyterlab_opens_asks_for_the_token_and_ends_without_a_question(serve, workspace, temporary):
    served = serve(workspace, "lab", "studio", "--no-browser", "--port", "0")
    served.read_until("Ctrl-C")
    assert "/lab/tree/my_notebooks/studio.ipynb?token=" in served.url
    assert served.get("/api/contents", known=False).status == 403
    assert served.get("/api/contents", Host="studio.example").status == 403
    assert "my_notebooks" in served.get("/api/contents").text
    assert "narration_studio.ipynb" in served.get("/api/contents/my_notebooks").text
    assert "@jupyterlab/apputils-extension:announcements" in served.get("/lab").text  # disabled: it asks outside
    assert list(json.loads(served.get("/api/kernelspecs").text)["kernelspecs"]) == ["python3"]
    assert served.get("/api/kernels", method="POST").status == 201
    kernels = children(served.process.pid)
    assert kernels
    assert served.end() == 0
    assert len(served.printed.splitlines()) == 2
    assert not any(kernel.is_running() for kernel in kernels)
    assert list(temporary.iterdir()) == []


def test_a_taken_port_is_told(serve, notebooks):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        served = serve(notebooks, "open", "studio.ipynb", "--no-browser", "--port", str(port))
        assert served.wait() == 2
    assert f"Port {port} is taken." in served.printed


@pytest.mark.parametrize("command", ["open", "lab"])
def test_a_workspace_that_cannot_be_is_told_before_anything_is_served(serve, workspace, command):
    (workspace / ".env").write_text("LUMA_WORKSPACE=file\n")
    (workspace / "file").touch()
    served = serve(workspace, command, "--no-browser", "--port", "0")
    assert served.wait() == 1
    assert f"{workspace / 'file'} is in the way" in served.printed
    assert "http" not in served.printed


def test_an_unknown_notebook_is_told_with_those_there_are(serve, workspace):
    served = serve(workspace, "open", "nowhere", "--no-browser")
    assert served.wait() == 2
    assert "There is no notebook 'nowhere'." in served.printed
    assert "studio.ipynb" in served.printed
