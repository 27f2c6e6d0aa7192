"""What ``batch_narration.ipynb`` does: its parameters checked, its production opened, its result recorded."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from filelock import FileLock

from luma_studio import agents, export
from luma_studio.batch.result import path_of, result_of
from luma_studio.batch.runs import PROGRESS, RESULT, Result
from luma_studio.errors import BusyError, SettingError
from luma_studio.export import Exported
from luma_studio.film import Film
from luma_studio.persona import Personas
from luma_studio.production import Production
from luma_studio.progress import Event, Listener
from luma_studio.settings import Choices, chosen, load_settings
from luma_studio.shipped import shipped
from luma_studio.store import files
from luma_studio.studio import Studio, read_script
from luma_studio.timeline.duration import samples_of
from luma_studio.voices import Names, VoiceChoice, make_voice
from luma_studio.voices.names import PERSONA
from luma_studio.wire import Wires

_LOCK = ".run.lock"
_WAIT = 120.0  # seconds until a run of the same production, whose worker may have died, must have ended
_BEAT = 0.1  # seconds
_TELL = 0.25  # seconds between two messages
_LIKE_KEY = re.compile(r"\bg?sk[-_][\w-]{0,80}?(?=[A-Za-z]*\d)[A-Za-z0-9]{16,}|\bBearer ")
_NAMES_OF_KEYS = re.compile(r"(^|_)(api_?key|key|token|secret|password)$", re.IGNORECASE)
_SHORTEST_KEY = 8  # characters

_making: dict[Path, FileLock] = {}  # what this kernel makes, until it ends


@dataclass(frozen=True, slots=True)
class Narration:
    """What is to be made: of which text, under which name, with what chosen, how long, and into which masters."""

    text: str
    name: str
    changes: Mapping[str, Any]
    fit: str
    masters: tuple[str, ...]

    def begin(self, studio: Studio) -> Production:
        """Open the production, or begin it, and be the only run that makes it until this process ends.

        Waits for a run whose worker has just died. Raises BusyError where another goes on, and as opening does.
        """
        folder = files.confined(studio.folder, self.name)
        until = time.monotonic() + _WAIT
        while folder not in _making:
            lock = files.hold(folder / _LOCK)
            if lock is not None:
                _making[folder] = lock
            elif time.monotonic() > until:
                raise BusyError(f"{self.name} is being made by another run. Try again when that has ended.")
            else:
                time.sleep(_BEAT)
        return studio.production(self.name, self.text, **self.changes)


def narration(
    script: str, production: str = "", fit: object = "", formats: object = "mp3", **choices: object
) -> Narration:
    """A run's parameters, checked; those that are empty are as the settings have them.

    ``script`` is a file's path, ``production`` a name (of the file's, where empty), ``fit`` a total such as ``10:00``,
    ``formats`` endings as a list or with commas; all others are settings of a production. Raises InputError, and then
    nothing has been made.
    """
    if not isinstance(script, str) or not script.strip():
        raise SettingError("Give the parameter script: the path of a script's file.")
    path = next((each for each in (Path(script).expanduser(), shipped("notebooks") / script) if each.is_file()), None)
    if path is None:
        raise SettingError(f"There is no file {script!r}. Correct the parameter script.")
    given = {name: _read(name, value) for name, value in choices.items() if value not in ("", None, [], {})}
    _check_minds_and_voices(chosen(load_settings(), given, called=lambda name: f"The parameter {name}"))
    name = files.safe_name(production.strip()) if production else files.name_from(path.stem)
    total = "" if fit in ("", None) else str(fit)
    if total:
        samples_of(total, load_settings().sample_rate)
    return Narration(read_script(path), name, given, total, _masters(formats))


def listening() -> Listener:
    """A listener that tells whoever runs this notebook how far it is, some times a second."""
    told = 0.0

    def listen(event: Event) -> None:
        nonlocal told
        if event.done == event.total or time.monotonic() - told > _TELL:
            told = time.monotonic()
            tell({"stage": event.stage, "done": event.done, "total": event.total})

    return listen


def tell(message: Mapping[str, Any]) -> None:
    """Tell whoever runs this notebook something that stays in no notebook."""
    _show({PROGRESS: dict(message)}, transient={"display_id": "luma-progress"}, update=True)


def _show(data: Mapping[str, Any], **options: Any) -> None:
    """Show something in this notebook, if this is one."""
    from IPython.core.getipython import get_ipython  # noqa: PLC0415 - there is one in a kernel only

    shell = get_ipython()
    if shell is not None and hasattr(shell, "kernel"):
        shell.display_pub.publish(dict(data), **options)


def record(production: Production, exported: Exported, bought: int, film: Film | None = None) -> Result:
    """Keep what was made: in the production's folder, and as this cell's output."""
    found = result_of(production, exported, bought, film)
    plain = found.model_dump(mode="json")
    files.write_json(path_of(production), plain)
    _show({RESULT: plain, "text/plain": found.audit or f"{found.seconds:.1f} s"})
    return found


def _check_minds_and_voices(choices: Choices) -> None:
    """Raise SettingError for one that cannot be, as far as that is known without asking a vendor."""
    agents.check_minds(choices)
    settings, wires = load_settings(), Wires()
    names = Names(wires, Personas(settings.workspace.expanduser()).voice)
    for voice in {choices.voice, *choices.speakers.values()}:
        choice = VoiceChoice.parse(voice)
        if choice.engine == PERSONA:
            choice = VoiceChoice.parse(names.written(voice))
        make_voice(choice, wires, settings.price).close()


def _masters(formats: object) -> tuple[str, ...]:
    endings = formats.split(",") if isinstance(formats, str) else formats
    if not isinstance(endings, Sequence) or not all(isinstance(each, str) for each in endings):
        raise SettingError(f"The parameter formats cannot be {formats!r}. Write endings, as in mp3,wav.")
    names = tuple(f"master.{each.strip().lstrip('.').lower()}" for each in endings if each.strip())
    for name in names:
        export.check_name(name)
    return names or (export.MASTER,)


def _read(name: str, value: object) -> object:
    """A parameter that came as text, as tables and command lines have it."""
    check_no_key(name, value)
    if name in ("speakers", "minds") and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            raise SettingError(
                f'The parameter {name} cannot be {value!r}. Write JSON, as in {{"Woman": "espeak:+f3"}}.'
            ) from None
    return value


def check_no_key(name: str, value: object) -> None:
    """Raise SettingError for what is a vendor's key, or looks like one or is called like one.

    Parameters stand in notebooks, and keys must not.
    """
    text = str(value)
    if _NAMES_OF_KEYS.search(name) or _LIKE_KEY.search(text) or any(key in text for key in _keys()):
        raise SettingError(
            f"The parameter {name} looks like a key. Keys belong into .env: what is a parameter stands in every "
            "notebook that is made."
        )


def _keys() -> set[str]:
    """The keys that there are."""
    there = {**dotenv_values(".env"), **os.environ}
    return {key for name, key in there.items() if name.endswith("_API_KEY") and key and len(key) >= _SHORTEST_KEY}
