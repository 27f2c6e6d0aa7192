"""What a run leaves behind for those who look at it later: figures and file names, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from luma_studio.export import Exported
from luma_studio.film import Film
from luma_studio.production import Production
from luma_studio.timeline.arrange import Timeline
from luma_studio.timeline.energies import energies_of

MIME = "application/vnd.luma-studio.result+json"
"""The kind of the output by which an executed notebook holds its result."""
FILE = "result.json"
_STEPS = 160  # of a waveform that is a thumbnail
_QUIETEST = -45.0  # dB below the loudest step, at which nothing is drawn


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


def result_of(production: Production, exported: Exported, bought: int, film: Film | None = None) -> Result:
    """The result of a production that has just been exported, and filmed or not."""
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
        film="" if film is None else film.film,
        videos=() if film is None else tuple(each.video for each in film.results if each.video),
    )


def waveform(timeline: Timeline) -> tuple[float, ...]:
    """How loud a timeline is at evenly spaced steps, from 0 to 1, where 1 is its loudest; for a picture of it."""
    energies = np.concatenate([hops for _, hops in energies_of(timeline)] or [np.zeros(1)])
    edges = np.linspace(0, len(energies), _STEPS + 1).astype(int)
    sums = np.add.reduceat(np.append(energies, 0.0), edges[:-1]) / np.maximum(np.diff(edges), 1)
    if not sums.any():
        return (0.0,) * _STEPS
    level = 10 * np.log10(np.maximum(sums / sums.max(), 1e-12))
    return tuple(round(float(each), 3) for each in np.clip(1 - level / _QUIETEST, 0, 1))


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
    return value if np.isfinite(value) else None
