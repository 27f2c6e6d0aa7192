"""What all tests share: a temporary workspace, no setting of the machine's own, and no way out of the machine."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import contracts
from helpers.creatomate import Creatomate
from helpers.freepik import Freepik
from helpers.heygen import HeyGen
from helpers.vendors import KEYS, LeftTheMachineError, Vendors
from hypothesis import settings

import luma_studio

# In CI the same examples each time: a submission is judged by what it changes; new ones are looked for at every desk.
settings.register_profile("luma", deadline=None, print_blob=True, derandomize="CI" in os.environ)
settings.load_profile("luma")

_NOT_THE_MACHINES = (
    "LUMA_",
    "ELEVENLABS_",
    "OPENAI_",
    "GROQ_",
    "HEYGEN_",
    "FREEPIK_",
    "CREATOMATE_",
    "JOB_STORAGE",
    "REDIS_URL",
    "WORKERS",
)


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background, and every process begun here, too
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one and the workspace; no setting, key or proxy of the machine reaches a test."""
    for name in os.environ:
        if name.startswith(_NOT_THE_MACHINES) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def studio(workspace: Path) -> Iterator[luma_studio.Studio]:
    with luma_studio.Studio(workspace) as studio:
        yield studio


@pytest.fixture
def vendors(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendors]:
    """The vendors, faked, with keys and addresses in the environment. A request outside a contract fails the test."""
    with Vendors(contracts.check) as vendors:
        vendors.film["heygen"] = HeyGen(vendors)
        vendors.film["freepik"] = Freepik(vendors)
        vendors.film["creatomate"] = Creatomate(vendors)
        for name, key in KEYS.items():
            monkeypatch.setenv(f"{name.upper()}_API_KEY", key)
            monkeypatch.setenv(f"{name.upper()}_BASE_URL", vendors.address(name))
        yield vendors
    assert vendors.violations == []


# No way out


@pytest.fixture(autouse=True, scope="session")
def _no_way_out() -> Iterator[None]:
    """Connecting to, or resolving, anything but this machine raises LeftTheMachineError at once."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded_socket(getattr(socket.socket, name)))
        patch.setattr(socket.socket, "sendto", _guarded_socket(socket.socket.sendto))
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
            patch.setattr(socket, name, _guarded_lookup(getattr(socket, name)))
        yield


def _guarded_socket(way: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, *args: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _check_stays(args[-1][0])  # the address is the last argument of all of them
        return way(self, *args)

    return guarded


def _guarded_lookup(way: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: str | bytes | None, *args: Any, **options: Any) -> Any:
        _check_stays(host)
        return way(host, *args, **options)

    return guarded


def _check_stays(host: str | bytes | None) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host or ""
    if name in ("", "localhost"):
        return
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        address = None
    if address is None or not (address.is_loopback or address.is_unspecified):
        raise LeftTheMachineError(
            f"A test tried to reach {name!r}. No test may leave this machine; use the fixture `vendors`."
        )
