"""A hot take as its folder has it: what it was to be made of, what it says, what it took, and how its steps stand."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from luma_studio.agents.hot_take import Kind
from luma_studio.errors import StoreError
from luma_studio.store import files
from luma_studio.voices.base import Value

FILE = "hot_take.json"

Step = Literal["transcribe", "write", "speak", "film"]
Standing = Literal["waiting", "running", "processing", "done", "skipped", "stopped", "failed"]

STEPS: tuple[Step, ...] = get_args(Step)

_WORDS = 5  # of its subject that a name has
_LONGEST_NAME = 48  # characters, before what tells it from others
_MODEL = ConfigDict(frozen=True, extra="ignore")


class Brief(BaseModel):
    """What a hot take is to be made of. One of ``pitch``, ``recording`` (a file's path) and ``text`` is needed.

    ``text`` are words that were typed: then no mind writes. ``seconds`` is how long it should take to speak, ``tags``
    allows delivery tags, another ``version`` is another text. ``mind``, ``transcriber`` and ``film`` (the engine of
    talking photos) are as the settings have them where they are empty; ``voice`` has settings of the persona's voice
    that differ. ``heygen_voice`` has HeyGen speak, with the persona's voice there, in place of that. ``budget`` is how
    many US dollars all of it may cost.
    """

    model_config = _MODEL

    persona: str
    pitch: str = ""
    recording: str = ""
    text: str = ""
    kind: Kind = "hot_take"
    context: str = ""
    seconds: float = 30.0
    tags: bool = False
    version: int = 1
    mind: str = ""
    transcriber: str = ""
    voice: Mapping[str, Value] = {}
    film: str = ""
    heygen_voice: bool = False
    budget: Decimal | None = None

    @property
    def name(self) -> str:
        """The name of its folder: the same for the same brief, so that making it again takes it up."""
        subject = self.text or self.pitch or Path(self.recording).stem
        words = filter(None, map(_letters, unicodedata.normalize("NFC", subject).casefold().split()[:_WORDS]))
        told = self.model_dump_json(exclude={"budget", "recording"}) + _looks(self.recording)
        digest = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:8]
        return files.name_from("-".join([self.persona, *words])[:_LONGEST_NAME] + f"-{digest}")


class StepState(BaseModel):
    """How a step stands, in a word and, where there is more to say, in a sentence; ``took`` is in seconds."""

    model_config = _MODEL

    state: Standing = "waiting"
    message: str = ""
    took: float | None = None


class Record(BaseModel):
    """A hot take, as ``hot_take.json`` has it.

    ``heard`` is what its recording says; ``text`` what is spoken, and ``written`` what the ``mind`` wrote: both are ""
    where the words were typed. ``asked`` and ``answered`` are its tokens, ``latency`` the seconds until it was there,
    ``cost`` the US dollars of all its steps as far as they are known. ``begun`` is in seconds since the epoch.
    """

    model_config = _MODEL

    name: str
    begun: float
    brief: Brief
    heard: str = ""
    text: str = ""
    written: str = ""
    mind: str = ""
    model: str = ""
    asked: int | None = None
    answered: int | None = None
    latency: float | None = None
    cost: Decimal = Decimal(0)
    steps: Mapping[Step, StepState] = {}

    @property
    def is_by_hand(self) -> bool:
        """Whether its words are not, or not quite, what a mind wrote."""
        return bool(self.text) and self.text != self.written

    @property
    def pitch(self) -> str:
        """What is answered: as it was given, or heard in the recording."""
        return self.brief.pitch or self.heard

    def step(self, step: Step) -> StepState:
        """How a step stands."""
        return self.steps.get(step, StepState())

    def with_step(self, step: Step, state: StepState) -> Record:
        """This one with a step that stands otherwise."""
        return self.model_copy(update={"steps": {**self.steps, step: state}})


def load(folder: Path) -> Record | None:
    """The hot take of a folder; None where it has none. Raises StoreError for a file that is damaged."""
    path = folder / FILE
    with files.explained(path):
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
    try:
        return Record.model_validate_json(data)
    except ValidationError:
        raise StoreError(
            f"{path} is damaged. Move it away, and make the hot take again: what was bought is kept."
        ) from None


def save(folder: Path, record: Record) -> None:
    """Write a hot take's file, whole."""
    files.write(folder / FILE, record.model_dump_json(indent=1).encode() + b"\n", durable=True)


def _letters(word: str) -> str:
    """The letters, with their marks, and figures of a word."""
    return "".join(each for each in word if unicodedata.category(each)[0] in "LMN")


def _looks(recording: str) -> str:
    """What tells one recording from another: its name and size."""
    if not recording:
        return ""
    path = Path(recording)
    size = path.stat().st_size if path.is_file() else 0
    return f"{path.name}:{size}"
