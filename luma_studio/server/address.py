"""Where a server listens, and who is let in."""

from __future__ import annotations

import errno
import ipaddress
import secrets
import socket
import threading
import webbrowser
from dataclasses import dataclass, field

from luma_studio.errors import InputError

_TRIES = 50  # ports after the first


@dataclass(frozen=True, slots=True)
class Address:
    """A host, a port, and the token without which nothing is served."""

    host: str
    port: int
    token: str = field(default_factory=lambda: secrets.token_hex(24), repr=False)

    @property
    def local(self) -> bool:
        """Whether only this computer reaches it."""
        return is_local(self.host)

    def url(self, path: str = "/") -> str:
        """The address of a page, with the token that opens it."""
        everywhere = self.host in ("", "0.0.0.0", "::")  # noqa: S104 - asked about, not listened on
        host = socket.gethostname() if everywhere else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}{path}?token={self.token}"


def is_local(host: str) -> bool:
    """Whether a host means this computer and is reached from nowhere else."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int | None, first: int) -> socket.socket:
    """A socket that listens at ``port``, or at the next free one from ``first`` on if it is None.

    Raises InputError if there is none, or if the host is not this computer's.
    """
    for candidate in range(first, first + _TRIES) if port is None else [port]:
        try:
            return socket.create_server((host, candidate), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise InputError(
                    f"Nothing can be served at {host}, port {candidate}: {error.strerror}. Choose --host or --port."
                ) from error
    if port is None:
        raise InputError(f"The ports {first} to {first + _TRIES - 1} are all taken. Name a free one with --port.")
    raise InputError(f"Port {port} is taken. Name another one, or leave --port away for the next free one.")


def show(url: str) -> None:
    """Open a page in the browser, if there is one."""
    # A browser in the terminal returns when it is closed.
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
