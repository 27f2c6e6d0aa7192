"""The notebooks in JupyterLab: a server in the foreground, until it is told to end."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_server.serverapp import ServerApp
from jupyterlab.labapp import LabApp

from luma_studio.server.address import Address, listen, show
from luma_studio.server.kernels import environment
from luma_studio.shipped import shipped

FIRST_PORT = 8888
FIRST_NOTEBOOK = "narration_studio.ipynb"

_EXTENSIONS = ("jupyterlab", "jupyter_lsp", "jupyter_server_terminals")

Tell = Callable[[str], None]


def serve(*, host: str, port: int | None, browser: bool, tell: Tell = print) -> None:
    """Serve the folder of notebooks in JupyterLab until SIGINT or SIGTERM; kernels end with it.

    What the user is to know is told line by line. Raises InputError if nothing can be served at this host and port.
    """
    os.environ |= environment(os.environ)
    folder = own_folder(shipped("notebooks"), Path(os.environ["LUMA_WORKSPACE"]))
    address = _free(host, port)
    if not address.local:
        tell(f"Others who can reach this computer at {host} can use JupyterLab if they know its address.")
    with tempfile.TemporaryDirectory(prefix="luma-studio-") as runtime:
        os.environ["JUPYTER_RUNTIME_DIR"] = runtime  # where connections to kernels are described
        server = _server(folder, address)
        for number in (signal.SIGINT, signal.SIGTERM):  # without a question
            signal.signal(number, lambda *_: server.stop(from_signal=True))
        first = FIRST_NOTEBOOK if (folder / FIRST_NOTEBOOK).exists() else ""
        url = address.url(f"/lab/tree/{first}" if first else "/lab")

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


def own_folder(folder: Path, workspace: Path) -> Path:
    """The folder itself in a clone; else a copy in the workspace, as what is installed is not for editing."""
    if folder.parent.joinpath("pyproject.toml").exists() and os.access(folder, os.W_OK):
        return folder
    own = workspace / "notebooks"
    for source in folder.rglob("*"):
        target = own / source.relative_to(folder)
        if source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return own


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
        "ServerApp.kernel_manager_class": "luma_studio.server.kernels.QuietKernels",
        "ServerApp.kernel_spec_manager_class": "luma_studio.server.kernels.OwnPython",
        "IdentityProvider.token": address.token,
        "PasswordIdentityProvider.allow_password_change": False,
        "ZMQChannelsWebsocketConnection.limit_rate": False,  # progress may come fast
        "LabApp.news_url": None,  # nothing is asked for outside
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
    }
    return [f"--{name}={value}" for name, value in settings.items()]
