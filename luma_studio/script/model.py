"""What a script is once it is read: scenes of clauses with their pauses, and where each stood in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

PauseSource = Literal["written", "default", "agent", "tuned", "fitted"]
Level = Literal["error", "warning", "note"]
Format = Literal["production", "narration"]
MarkKind = Literal["header", "pause", "tag", "speaker", "direction", "setting"]

_NAME = 40  # characters of a clause that may name its scene


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence from the last sound of one clause to the first sound of the next.

    ``seconds`` is the length asked for; ``least`` and ``most`` bound it in seconds (None: no bound);
    a locked pause is never stretched.
    """

    seconds: float
    source: PauseSource = "default"
    least: float | None = None
    most: float | None = None
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """The smallest thing spoken in one breath.

    ``text`` is what is spoken (no notes, tags or Markdown; white space folded). ``speaker`` is None for narration.
    ``language`` is a primary language subtag such as ``hi``. ``line`` and ``column`` count from 1;
    ``start`` and ``end`` are character offsets into the script's text.
    """

    text: str
    speaker: str | None
    language: str
    tags: tuple[str, ...]
    pause: Pause
    line: int
    column: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Direction:
    """A line that is kept but not spoken: ``Visual:``, ``SFX:``, ``Talking photo:``, ``Scene 1 heygen id:``.

    ``name`` is folded to lower case with single spaces (``talking photo``, ``heygen id``); ``text`` has no quotes
    around it.
    """

    name: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A named part of a script. ``lead_in_seconds`` is silence before its first clause; ``line`` counts from 1."""

    id: str
    title: str
    line: int
    lead_in_seconds: float
    clauses: tuple[Clause, ...]
    directions: tuple[Direction, ...] = ()

    @property
    def name(self) -> str:
        """What it is called on the screen and in chapters: its title, or else its first words; "" if it has neither."""
        if self.title or not self.clauses:
            return self.title
        words = self.clauses[0].text
        return words if len(words) <= _NAME else (words[:_NAME].rpartition(" ")[0] or words[:_NAME])


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What the reader noticed, as a compiler says it: where (from 1), what was read, what to do.

    ``length`` is how many characters it is about, where that is more than what stands there tells; else 0.
    """

    line: int
    column: int
    level: Level
    message: str
    length: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of the text with a meaning of its own: characters ``start`` up to ``end`` (exclusive), of a ``kind``.

    A scene's header line; a pause note, understood or broken; a delivery tag; a speaker's label with its colon; a
    direction; a setting such as ``Language: hi``. Notes and tags inside a label or a direction belong to that.
    """

    start: int
    end: int
    kind: MarkKind


@dataclass(frozen=True, slots=True)
class Script:
    """A script, read.

    ``text`` is the author's, with line ends made ``\\n`` and no byte-order mark: where there was neither ``\\r\\n``
    nor such a mark, offsets are those of the text given. ``marks`` are in its order, do not overlap, and none has a
    spoken character in it.
    """

    text: str
    format: Format
    scenes: tuple[Scene, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def clauses(self) -> Iterator[Clause]:
        """Every clause, in the order they are spoken."""
        return (clause for scene in self.scenes for clause in scene.clauses)
