"""The studio as pages: a server in the foreground, until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_server.services.kernels.handlers import KernelHandler
from tornado.httpserver import HTTPServer
from tornado.web import Application
from traitlets.config import Config
from voila.app import Voila
from voila.configuration import VoilaConfiguration
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler
from voila.voila_identity_provider import VoilaIdentityProvider

from luma_studio import cleaning
from luma_studio.kernels import OwnPython, environment
from luma_studio.server import PAGES
from luma_studio.server.address import Address, listen, show
from luma_studio.server.assets import EXTENSIONS, Bundle, bundle
from luma_studio.server.handlers import (
    POLICY,
    AssetHandler,
    BundleHandler,
    Home,
    LeaveHandler,
    MetricsHandler,
    Missing,
    PageHandler,
)
from luma_studio.server.pages import Limits, Pages
from luma_studio.server.working import doing_jobs

FIRST_PORT = 8866
TEMPLATE = Path(__file__).parent / "share" / "voila" / "templates" / "luma"

_NOT_WARMED = {"tutorial_pauses.ipynb"}  # running it speaks and exports, which nobody has asked for yet
_MOST_MESSAGE = 128 * 2**20  # bytes from a page to its kernel


@dataclass(frozen=True, slots=True)
class Options:
    """How the studio is served: ``port`` None is the next free one, ``most`` pages can be open at once.

    A page that was closed lets go of its kernel within ``idle`` seconds. ``tell`` is given each line for the user.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    browser: bool = True
    most: int = 8
    idle: float = 40.0
    tell: Callable[[str], None] = print


def serve(notebook: Path, options: Options) -> None:
    """Serve the notebooks of a folder as pages until SIGINT or SIGTERM; ``notebook`` is the first page.

    Raises InputError if nothing can be served at this host and port, SettingError if a setting is wrong.
    """
    os.environ |= environment(os.environ)
    _say_little()
    cleaning.begin()
    door = listen(options.host, options.port, FIRST_PORT)
    address = Address(options.host, door.getsockname()[1])
    if not address.local:
        options.tell(f"Whoever can reach this computer at {address.host} and knows the address can use the studio.")
    with tempfile.TemporaryDirectory(prefix="luma-studio-") as connections:
        voila = _voila(notebook.parent, connections, address)
        asyncio.run(_serve(voila, notebook.name, door, address, options))


def _say_little() -> None:
    """Let through what is worth a line in the terminal; what a notebook raises, its page says."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for name, level in {"traitlets": logging.CRITICAL, "Voila": logging.CRITICAL, "tornado": logging.ERROR}.items():
        logging.getLogger(name).setLevel(level)


async def _serve(voila: Voila, first: str, door: socket.socket, address: Address, options: Options) -> None:
    settings = voila.init_settings() | _settings(address) | {"luma_folder": Path(voila.root_dir)}
    script = bundle(voila.static_paths, voila.labextensions_path)
    warmed = [name for name in dict.fromkeys((first, *PAGES)) if name not in _NOT_WARMED]
    pages = Pages(voila, warmed, Limits(options.most, options.idle), f"/voila/luma/chunks.js?v={script.version}")
    server = HTTPServer(Application(_handlers(voila, pages, first, script), **settings))
    with _told_to_end() as end:
        try:
            door.setblocking(False)
            server.add_socket(door)
            if first in warmed:
                await _either(pages.warm(first), end.wait())
            if not end.is_set():
                options.tell(f"The studio is open at {address.url()}\nCtrl-C ends it.")
                if options.browser:
                    show(address.url())
                async with doing_jobs():
                    await end.wait()
        finally:
            server.stop()
            await pages.close()
            await server.close_all_connections()


def _voila(folder: Path, connections: str, address: Address) -> Voila:
    config = Config()
    config.VoilaConfiguration.template = "lab"
    config.VoilaConfiguration.allow_template_override = "NO"
    config.VoilaConfiguration.allow_theme_override = "NO"
    config.VoilaConfiguration.show_tracebacks = True
    config.VoilaConfiguration.extension_allowlist = list(EXTENSIONS)
    config.VoilaConfiguration.kernel_spec_manager_class = OwnPython
    config.Voila.identity_provider_class = VoilaIdentityProvider
    config.IdentityProvider.cookie_options = {"samesite": "Lax"}
    config.KernelRestarter.restart_limit = 0  # a page whose kernel died is lost; a new empty kernel does not help it
    config.KernelRestarter.time_to_dead = 1.0  # seconds between two looks whether it lives
    config.KernelManager.shutdown_wait_time = 2.0
    config.ZMQChannelsWebsocketConnection.limit_rate = False  # progress may come fast
    voila = Voila(
        config=config,
        log=logging.getLogger("Voila"),
        root_dir=str(folder),
        connection_dir=connections,
        ip=address.host,
        port=address.port,
        token=address.token,
    )
    # Not initialize(): it would read what the user has set for another Voilà, and take the signals.
    voila.voila_configuration = VoilaConfiguration(parent=voila)
    voila.setup_template_dirs()
    voila.template_paths = [str(TEMPLATE), *voila.template_paths]
    return voila


def _settings(address: Address) -> dict[str, Any]:
    return {
        "allow_remote_access": not address.local,  # else only a local Host is answered: no DNS rebinding
        "allow_unauthenticated_access": False,
        "default_handler_class": Missing,
        "headers": {
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        },
        "log_function": lambda handler: None,
        "websocket_max_message_size": _MOST_MESSAGE,
    }


def _handlers(voila: Voila, pages: Pages, first: str, script: Bundle) -> list[Any]:
    kernel = r"(?P<kernel_id>[\w-]+)"
    return [
        (r"/([^/]+\.ipynb)?", Home, {"first": first}),
        (r"/voila/render/(.+)", PageHandler, {"pages": pages}),
        (r"/voila/luma/chunks\.js", BundleHandler, {"bundle": script}),
        (r"/voila/static/(.+)", AssetHandler, {"paths": voila.static_paths}),
        (r"/voila/labextensions/(.+)", AssetHandler, {"paths": voila.labextensions_path}),
        (rf"/voila/luma/leave/{kernel}", LeaveHandler, {"pages": pages}),
        (r"/metrics", MetricsHandler),
        (rf"/voila/api/shutdown/{kernel}", VoilaShutdownKernelHandler),
        (rf"/api/kernels/{kernel}", KernelHandler),
        (rf"/api/kernels/{kernel}/channels", VoilaKernelWebsocketHandler),
    ]


@contextmanager
def _told_to_end() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set, however often they come."""
    end, loop = asyncio.Event(), asyncio.get_running_loop()
    before = {
        number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(end.set))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def _either(*works: Any) -> None:
    """Wait for the first of several, and give up the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
