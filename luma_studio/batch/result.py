"""What a run leaves behind for those who look at it later: figures and file names, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from luma_studio.batch.drawing import waveform
from luma_studio.export import Exported
from luma_studio.production import Production

MIME = "application/vnd.luma-studio.result+json"
"""The kind of the output by which an executed notebook holds its result."""
FILE = "result.json"


class Result(BaseModel):
    """What was made: names of files in the production's ``folder``, seconds, LUFS, dBTP, US dollars.

    ``cost`` is what the production has cost in all, ``bought`` the clauses that this run spoke and did not find in the
    store; ``waveform`` are levels from 0 to 1, evenly spaced.
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


def result_of(production: Production, exported: Exported, bought: int) -> Result:
    """The result of a production that has just been exported."""
    timeline, loud, audit = production.timeline, exported.loudness, exported.audit
    return Result(
        production=production.name,
        folder=str(production.folder.resolve()),
        masters=tuple(path.name for path in exported.masters),
        beside=tuple(path.name for path in exported.beside),
        seconds=timeline.length / timeline.rate,
        scenes=len(timeline.scenes),
        clauses=len(timeline.takes),
        bought=bought,
        loudness=_finite(loud.integrated),
        true_peak=_finite(loud.true_peak),
        pauses=0 if audit is None else len(audit.pauses),
        findings=0 if audit is None else len(audit.findings),
        audit="" if audit is None else audit.summary,
        cost=production.spent,
        waveform=waveform(timeline),
    )


def in_notebook(cells: Iterable[Any]) -> Result | None:
    """The result that an executed notebook's cells hold, the last one; None where there is none."""
    found = [
        output["data"][MIME] for cell in cells for output in cell.get("outputs", ()) if MIME in output.get("data", {})
    ]
    return Result.model_validate(found[-1]) if found else None


def path_of(production: Production) -> Path:
    """Where a production keeps the result of its last run."""
    return production.folder / FILE


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
