"""The studio: a workspace, its settings, its voices and its productions."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from luma_studio.production import Production
from luma_studio.settings import Settings, chosen, load_settings
from luma_studio.store import drafts, files
from luma_studio.store.state import FILE
from luma_studio.voices import Voice, VoiceChoice, make_voice

AUDIO = "generated_audio"
STORE = ".store"
_DRAFT = ".draft.txt"


@dataclass(frozen=True, slots=True)
class Recent:
    """A production, and when it was saved last: seconds since the epoch."""

    name: str
    changed: float


class Studio:
    """What a notebook or a program begins with.

    >>> with Studio() as studio:                                  # doctest: +SKIP
    ...     calm = studio.production("evening-calm", script)

    Settings come from the environment and ``.env``; ``workspace`` is the folder that holds ``generated_audio/``.
    """

    def __init__(self, workspace: Path | str | None = None, settings: Settings | None = None) -> None:
        self.settings = settings or load_settings()
        self.workspace = Path(self.settings.workspace if workspace is None else workspace).expanduser()
        self._voices: dict[VoiceChoice, Voice] = {}
        self._swept = False  # of what killed processes left in the store

    @property
    def folder(self) -> Path:
        """Where productions and the store lie."""
        return self.workspace / AUDIO

    def production(self, name: str, script: str | None = None, **changes: Any) -> Production:
        """Open a production, or begin it with a script's text; a changed script keeps every take it can.

        ``changes`` are settings for this production: ``voice="espeak:hi"``, ``granularity="clause"``, …
        Raises ScriptError, SettingError or UnsafeNameError before anything is written.
        """
        folder, store = files.confined(self.folder, name), self.folder / STORE
        if not self._swept:
            files.sweep(store)
            self._swept = True
        return Production(folder, store, self.voice, script, chosen(self.settings, {}), changes)

    def productions(self) -> list[str]:
        """The names of the productions in this workspace."""
        return sorted(recent.name for recent in self.recent())

    def recent(self) -> list[Recent]:
        """The productions in this workspace, the one that was saved last first. Reads none of them."""
        found = []
        with files.explained(self.folder):
            for path in self.folder.glob(f"*/{FILE}"):
                if not path.parent.name.startswith("."):
                    with suppress(FileNotFoundError):  # removed just now
                        found.append(Recent(path.parent.name, path.stat().st_mtime))
        return sorted(found, key=lambda each: (-each.changed, each.name))

    @property
    def draft(self) -> str | None:
        """What stands in the editor of a script that has no production yet; None where nothing does."""
        return drafts.draft(self.folder / _DRAFT)

    def keep_draft(self, text: str | None) -> None:
        """Keep that draft, so that no typing is lost; None removes it. Of two windows the one that wrote last wins."""
        drafts.keep_draft(self.folder / _DRAFT, text)

    def voice(self, choice: VoiceChoice) -> Voice:
        """A voice, made once. Raises SettingError if it does not exist."""
        if choice not in self._voices:
            self._voices[choice] = make_voice(choice)
        return self._voices[choice]

    def close(self) -> None:
        """Let go of voices and their processes."""
        for voice in self._voices.values():
            voice.close()
        self._voices.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
