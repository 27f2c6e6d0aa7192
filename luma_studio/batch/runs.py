"""A run, how its kernel starts, how it ended and what it made: what the processes of a batch tell each other.

It loads quickly, for each of them needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from luma_studio.store import files

PROGRESS = "application/vnd.luma-studio.progress+json"
"""The kind of the messages by which a run tells how far it is; they stay in no notebook."""
RESULT = "application/vnd.luma-studio.result+json"
"""The kind of the output by which an executed notebook holds its result."""

Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """A run: the notebook, its parameters, and where they came from ("jobs.csv, row 3").

    ``id`` is made of the notebook's code, the parameters, and what the files that they name hold; ``label`` tells
    people which one it is.
    """

    id: str
    label: str
    notebook: Path
    parameters: Parameters = field(hash=False)
    where: str


@dataclass(frozen=True, slots=True)
class Start:
    """How kernels start: the ``folder`` they work in, and environment ``variables`` beyond those of the worker."""

    folder: Path
    variables: Mapping[str, str]


class Result(BaseModel):
    """What was made: names of files in the production's ``folder``, seconds, LUFS, dBTP, US dollars.

    ``cost`` is what the production has cost in all, ``bought`` the clauses that this run spoke and did not find in the
    store; ``waveform`` are levels from 0 to 1, evenly spaced. Where it was filmed, ``film`` is that file ("" for one
    that is not whole), and ``videos`` are those of the scenes that are there.
    """

    model_config = ConfigDict(frozen=True)

    production: str
    folder: str
    masters: tuple[str, ...]
    beside: tuple[str, ...]
    seconds: float
    scenes: int
    clauses: int
    bought: int
    loudness: float | None
    true_peak: float | None
    pauses: int
    findings: int
    audit: str
    cost: Decimal
    waveform: tuple[float, ...]
    film: str = ""
    videos: tuple[str, ...] = ()


class Outcome(BaseModel):
    """How a run ended: ``good``, or ``failed`` with its ``error`` in one line; ``seconds`` it took; what it made."""

    model_config = ConfigDict(frozen=True)

    run: str
    label: str
    parameters: dict[str, Any]
    notebook: str
    status: Literal["good", "failed"]
    error: str = ""
    began: float
    seconds: float
    result: Result | None = None


def outcome_path(folder: Path, run: str) -> Path:
    """Where the outcome of a run lies in a batch's folder."""
    return folder / "runs" / f"{run}.json"


def outcome_of(folder: Path, run: str) -> Outcome | None:
    """How a run ended; None where it has not."""
    path = outcome_path(folder, run)
    try:
        with files.explained(path):
            return Outcome.model_validate_json(path.read_bytes()) if path.exists() else None
    except ValidationError:  # of an older version: it is run again
        return None


def folder_of(folder: Path, result: Result) -> Path:
    """Where what a run made lies now: beside the batch's folder, wherever that was moved or is mounted."""
    beside = folder.parent / result.production
    return beside if beside.is_dir() else Path(result.folder)
