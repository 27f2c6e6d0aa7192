"""Voices by name: a vendor is asked for it when it is chosen, and the voice's id is what is kept."""

from __future__ import annotations

import re
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from luma_studio.errors import SettingError
from luma_studio.settings import Choices, chosen
from luma_studio.voices import elevenlabs
from luma_studio.voices.base import VoiceChoice
from luma_studio.voices.vendors import Listed
from luma_studio.wire import Vendor, Wires, waited

PERSONA = "persona"
"""What stands in an engine's place where a persona is to speak: ``persona:asha``."""

PersonaVoice = Callable[[str, str], Listed]
"""The voice that a persona, given by its id, speaks with now; and the one that spoke so far, "" if none did."""

_ID = re.compile(r"[0-9A-Za-z]{20}")
_FEW = 8  # voices that a sentence lists
_REST = 30.0  # seconds for which a name that no voice has is not asked for again: a page asks while one types


class Names:
    """What voices are called, each name asked for once; and with what voice a persona speaks.

    From any thread, whether an event loop runs in it or not; it may take some seconds.
    """

    def __init__(self, wires: Wires, persona: PersonaVoice) -> None:
        self._wires = wires
        self._persona = persona
        self._asking = threading.Lock()
        self._found: dict[tuple[Vendor, str], Listed] = {}
        self._missed: dict[tuple[Vendor, str], tuple[float, str]] = {}
        self._known: dict[str, Listed] = {}

    def written(self, text: str, kept: str = "") -> str:
        """A voice as one writes it, with its engine, and with its id where its name stood; otherwise as it is.

        Where a persona stood it is the persona's voice; ``kept`` is the voice that is kept so far. Raises SettingError
        for a name that no voice has, or several have, PersonaError, and VendorError.
        """
        choice = VoiceChoice.parse(text)
        if choice.engine == PERSONA:
            return self._of_persona(choice, kept)
        if choice.engine != elevenlabs.ENGINE or _ID.fullmatch(choice.voice):
            return text if text.strip().startswith(choice.engine) else str(choice)
        elevenlabs.checked(choice)
        return str(replace(choice, voice=_id(self._asked(choice.voice))))

    def chosen(self, kept: Choices | None, usual: Choices, changes: Mapping[str, Any]) -> Choices:
        """The choices that are ``kept``, or else the ``usual`` ones, with some changed and voices by their ids.

        What is kept is not asked for: a production opens without a key and without a network. Raises as ``written``.
        """
        choices = chosen(usual if kept is None else kept, changes)
        new = {"voice", "speakers"}.intersection(changes if kept is not None else Choices.model_fields)
        update: dict[str, Any] = {}
        if "voice" in new:
            update["voice"] = self.written(choices.voice, kept.voice if kept else "")
        if "speakers" in new:
            before = kept.speakers if kept else {}
            update["speakers"] = {
                name: self.written(voice, before.get(name, "")) for name, voice in choices.speakers.items()
            }
        return choices.model_copy(update=update)

    def learn(self, voices: Iterable[Listed]) -> None:
        """Take note of what voices are called."""
        self._known.update({each.voice: each for each in voices})

    def known(self, text: str) -> Listed | None:
        """What is known of a voice. Asks nobody."""
        return self._known.get(str(replace(VoiceChoice.parse(text), settings=())))

    def shown(self, text: str) -> str:
        """A voice as one reads it, with what it is called if that is known. Asks nobody."""
        known = self.known(text)
        return f"{known.name} ({text})" if known else text

    def _of_persona(self, choice: VoiceChoice, kept: str) -> str:
        if choice.settings:
            raise SettingError(
                f"{choice} has settings, which a persona's voice has in personas.json. Write {PERSONA}:{choice.voice}."
            )
        speaks = self._persona(choice.voice, kept)
        if VoiceChoice.parse(speaks.voice).engine == elevenlabs.ENGINE:
            self.learn([replace(speaks, voice=speaks.voice.partition(",")[0])])
        return speaks.voice

    def _asked(self, name: str) -> Listed:
        asked = self._wires.to(elevenlabs.HOME).vendor, _plain(name)
        with self._asking:
            if asked not in self._found:
                self._check_worth_asking(asked)
                try:
                    self._found[asked] = waited(_named(name, self._wires))
                except SettingError as error:
                    self._missed[asked] = time.monotonic(), str(error)
                    raise
                self.learn([self._found[asked]])
            return self._found[asked]

    def _check_worth_asking(self, asked: tuple[Vendor, str]) -> None:
        when, why = self._missed.get(asked, (0.0, ""))
        if why and time.monotonic() - when < _REST:
            raise SettingError(why)


async def _named(name: str, wires: Wires) -> Listed:
    """The one voice of this name. Raises SettingError, VendorError."""
    found = _called(name, await elevenlabs.listed(wires, search=name))
    if not found:  # how the vendor searches is its own business: look through all of them
        voices = await elevenlabs.listed(wires)
        found = _called(name, voices)
        if not found:
            raise SettingError(_nobody(name, voices))
    if len(found) > 1:
        raise SettingError(
            f"{elevenlabs.HOME.name} has several voices {name!r}: {_told(found)}. Choose one by its id, as in "
            f"{found[0].voice}."
        )
    return found[0]


def _called(name: str, voices: Sequence[Listed]) -> list[Listed]:
    """The voices of this very name, or else those whose names begin with its words."""
    wanted = _plain(name)
    exact = [each for each in voices if _plain(each.name) == wanted]
    return exact or [each for each in voices if _begins(_plain(each.name), wanted)]


def _begins(name: str, words: str) -> bool:
    """Whether a name begins with these words, whole: "rachel - calm" with "rachel", "rachelle" not."""
    return name.startswith(words) and not _is_of_a_word(name[len(words)])


def _is_of_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"  # vowel signs are marks


def _plain(name: str) -> str:
    """A name as names are compared: however its letters and spaces are written."""
    return " ".join(unicodedata.normalize("NFC", name.casefold()).split())


def _id(voice: Listed) -> str:
    """What its vendor knows it by."""
    return voice.voice.partition(":")[2]


def _nobody(name: str, voices: Sequence[Listed]) -> str:
    there = f" There are: {_told(voices)}." if voices else " Your account has no voices there."
    return f"{elevenlabs.HOME.name} has no voice {name!r}.{there} To see them all: luma-studio voices."


def _told(voices: Sequence[Listed]) -> str:
    """Some voices with their ids, for a sentence."""
    few = [f"{each.name} ({_id(each)})" for each in voices[:_FEW]]
    more = len(voices) - len(few)
    return ", ".join([*few, *([f"and {more} more"] if more else [])])
