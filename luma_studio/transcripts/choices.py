"""The settings of a choice, checked: what engines have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from luma_studio.errors import SettingError
from luma_studio.transcripts.base import TranscriberChoice


def settings_of(choice: TranscriberChoice, known: Iterable[str], example: str) -> dict[str, str]:
    """The settings of a choice. Raises SettingError for one that the engine does not have."""
    settings = dict(choice.settings)
    for name in settings:
        if name not in known:
            raise SettingError(
                f"The transcriber {choice.engine} has no setting {name!r}; it has {', '.join(known)}, as in {example}."
            )
    return settings


def number(settings: Mapping[str, str], name: str, usual: float, least: float, most: float) -> float:
    """A setting that is a number. Raises SettingError."""
    text = settings.get(name)
    try:
        value = usual if text is None else float(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise SettingError(f"{name} is {text!r}; a transcriber's must be a number from {least:g} to {most:g}.")
    return value


def one_of(settings: Mapping[str, str], name: str, usual: str, known: tuple[str, ...]) -> str:
    """A setting that is one of some words. Raises SettingError."""
    value = settings.get(name, usual)
    if value not in known:
        raise SettingError(f"{name} is {value!r}; a transcriber's must be one of {', '.join(known)}.")
    return value


def spoken(settings: Mapping[str, str]) -> str:
    """The language, as the code that such models take; "" has them find it out. Raises SettingError."""
    tag = settings.get("language", "")
    code = tag.replace("_", "-").partition("-")[0].lower()
    if tag and not (code.isascii() and code.isalpha() and 2 <= len(code) <= 3):
        raise SettingError(f"language is {tag!r}; a transcriber's must be a code such as en or hi.")
    return code
