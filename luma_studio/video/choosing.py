"""What the settings of a film engine say, as one writes them: ``freepik,interval=5,timeout=600``."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable
from urllib.parse import urlsplit

from luma_studio.errors import SettingError
from luma_studio.settings import Polling, access, polling
from luma_studio.video.base import EngineChoice
from luma_studio.wire import HERE, Home

_INTERVAL = 5.0  # seconds between two looks, where only a timeout is given
_LONGEST = 2000  # characters of an address
_WORDS = {"yes": True, "no": False}


def settings_of(choice: EngineChoice, known: Iterable[str]) -> dict[str, str]:
    """The settings of a choice, by name. Raises SettingError for one that the engine does not have."""
    settings = dict(choice.settings)
    unknown = sorted(settings.keys() - set(known))
    if unknown:
        raise SettingError(f"{choice.engine} has no setting {unknown[0]!r}. There are: {', '.join(known)}.")
    return settings


def is_set(choice: EngineChoice, name: str) -> bool:
    """Whether a setting is ``yes``; without it, no. Raises SettingError for any other word."""
    word = dict(choice.settings).get(name, "no")
    if word not in _WORDS:
        raise SettingError(f"The setting {name!r} of {choice.engine} is yes or no, not {word!r}.")
    return _WORDS[word]


def polling_of(choice: EngineChoice) -> Polling:
    """How the vendor is asked whether a video is made: by ``interval`` and ``timeout``, in seconds, where they are set.

    Raises SettingError.
    """
    usual = polling()
    interval, timeout = _seconds(choice, "interval", 600), _seconds(choice, "timeout", 86_400)
    if timeout is not None and interval is None:
        interval = usual.status_poll_interval_seconds or _INTERVAL
    changes: dict[str, float | int] = {}
    if interval is not None:
        changes["status_poll_interval_seconds"] = interval
        if timeout is not None:
            changes["status_max_attempts"] = max(1, math.ceil(timeout / interval))
    return usual.model_copy(update=changes)


def check_reachable(home: Home, address: str, what: str) -> None:
    """Raise SettingError for an address from where a vendor cannot fetch ``what``, or where it cannot tell of it.

    It is one on the open network, by https. A vendor's server on this computer reaches this computer, too.
    """
    try:
        there = urlsplit(address)
        here = urlsplit(access(home.prefix).base_url).hostname in HERE
        if here and there.scheme == "http" and there.hostname in HERE:
            return
        good = there.scheme == "https" and _is_public(there.hostname or "") and "@" not in there.netloc
        there.port  # noqa: B018 - which raises for one that cannot be
    except ValueError:
        good = False
    plain = address.isascii() and address.isprintable() and " " not in address and len(address) <= _LONGEST
    if not (good and plain):
        raise SettingError(
            f"{what} {address[:80]!r} is none that {home.name} can reach. Give one that begins with https:// and is on "
            "the open network, without name and password."
        )


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.endswith((".local", ".localhost", ".internal"))


def _seconds(choice: EngineChoice, name: str, most: float) -> float | None:
    text = dict(choice.settings).get(name)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= most:
        raise SettingError(
            f"The setting {name!r} of {choice.engine} is a number of seconds up to {most:g}, not {text!r}."
        )
    return number
