"""The notebooks in JupyterLab: a server in the foreground, until it is told to end."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyter_server.serverapp import ServerApp
from jupyterlab.labapp import LabApp

from luma_studio import cleaning
from luma_studio.errors import InputError
from luma_studio.kernels import environment
from luma_studio.server import find_notebook
from luma_studio.server.address import Address, listen, show
from luma_studio.shipped import shipped
from luma_studio.store import files

FIRST_PORT = 8888
FIRST_NOTEBOOK = "narration_studio.ipynb"
OWN = "my_notebooks"
"""The folder of the workspace that holds copies of the studio's notebooks, to be changed."""

_COPIES = ".copies.json"  # what each copy was when it was made
_EXTENSIONS = ("jupyterlab", "jupyter_lsp", "jupyter_server_terminals")

Tell = Callable[[str], None]


def serve(notebook: str | None = None, *, host: str, port: int | None, browser: bool, tell: Tell = print) -> None:
    """Serve the workspace in JupyterLab until SIGINT or SIGTERM; kernels end with it. ``notebook`` is shown first.

    What the user is to know is told line by line. Raises InputError if nothing can be served at this host and port, or
    if there is no such notebook in the workspace; StoreError if nothing can be written there.
    """
    os.environ |= environment(os.environ)
    cleaning.begin()
    workspace = Path(os.environ["LUMA_WORKSPACE"])
    keep_copies(shipped("notebooks"), workspace / OWN)
    first = f"{OWN}/{FIRST_NOTEBOOK}" if notebook is None else place_of(notebook, workspace)
    address = _free(host, port)
    if not address.local:
        tell(f"Others who can reach this computer at {host} can use JupyterLab if they know its address.")
    with tempfile.TemporaryDirectory(prefix="luma-studio-") as runtime:
        os.environ["JUPYTER_RUNTIME_DIR"] = runtime  # where connections to kernels are described
        server = _server(workspace, address)
        for number in (signal.SIGINT, signal.SIGTERM):  # without a question
            signal.signal(number, lambda *_: server.stop(from_signal=True))
        url = address.url(f"/lab/tree/{quote(first)}")

        def announce() -> None:
            tell(f"JupyterLab is open at {url}\nCtrl-C ends it.")
            if browser:
                show(url)

        server.io_loop.add_callback(announce)  # it listens as soon as the loop runs
        server.start()


def _server(folder: Path, address: Address) -> ServerApp:
    # What else is installed for a Jupyter server is no part of the studio.
    server: ServerApp = LabApp.make_serverapp(jpserver_extensions=dict.fromkeys(_EXTENSIONS, True))
    server.aliases.update(LabApp.aliases)
    server.initialize(argv=_arguments(folder, address), starter_extension=LabApp.name, find_extensions=False)
    server.web_app.settings["page_config_hook"] = _without_news
    return server


def _without_news(handler: object, page: dict[str, Any]) -> dict[str, Any]:
    """JupyterLab's page, asking nobody outside for news, nor the user whether it may."""
    return page | {"disabledExtensions": [*page["disabledExtensions"], "@jupyterlab/apputils-extension:announcements"]}


def keep_copies(folder: Path, own: Path) -> None:
    """Copy the notebooks of a folder, and what lies beside them: what is given out is not for editing.

    A copy follows what it was made of, until the user changes it.
    """
    record = own / _COPIES
    with files.explained(own):
        made: dict[str, str] = json.loads(record.read_bytes()) if record.exists() else {}
        before = dict(made)
        for source in folder.rglob("*"):
            name, copy = source.relative_to(folder), own / source.relative_to(folder)
            if not source.is_file() or any(part.startswith(".") for part in name.parts):
                continue
            data = source.read_bytes()
            if not copy.exists() or _digest(copy.read_bytes()) == made.get(name.as_posix()) != _digest(data):
                files.write(copy, data)
                made[name.as_posix()] = _digest(data)
        if made != before:
            files.write_json(record, made)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def place_of(notebook: str, workspace: Path) -> str:
    """Where in the workspace a notebook lies that is named by its path, or as one of the copies.

    One of the studio's own means its copy. Raises InputError if there is none, or if it lies elsewhere.
    """
    own, given = workspace / OWN, shipped("notebooks").resolve()
    found = find_notebook(notebook, own)
    if found.is_relative_to(given):
        found = (own / found.relative_to(given)).resolve()
    if not found.is_relative_to(workspace.resolve()):
        raise InputError(
            f"{found} lies outside the workspace {workspace}. Move it there, or choose its folder by LUMA_WORKSPACE."
        )
    return found.relative_to(workspace.resolve()).as_posix()


def _free(host: str, port: int | None) -> Address:
    with listen(host, port, FIRST_PORT) as free:
        return Address(host, free.getsockname()[1])


def _arguments(folder: Path, address: Address) -> list[str]:
    settings: dict[str, object] = {
        "ServerApp.root_dir": folder,
        "ServerApp.ip": address.host,
        "ServerApp.port": address.port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.answer_yes": True,
        "ServerApp.allow_root": True,  # in a container there is nobody else
        "Application.log_level": "ERROR",
        "ServerApp.kernel_manager_class": "luma_studio.kernels.QuietKernels",
        "ServerApp.kernel_spec_manager_class": "luma_studio.kernels.OwnPython",
        "IdentityProvider.token": address.token,
        "PasswordIdentityProvider.allow_password_change": False,
        "ZMQChannelsWebsocketConnection.limit_rate": False,  # progress may come fast
        "LabApp.news_url": None,  # nothing is asked for outside
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
    }
    return [f"--{name}={value}" for name, value in settings.items()]
