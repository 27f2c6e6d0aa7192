"""What a run leaves behind for those who look at it later: figures and file names, as JSON."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

from luma_studio.batch.drawing import waveform
from luma_studio.batch.runs import Result
from luma_studio.export import Exported
from luma_studio.film import Film
from luma_studio.production import Production

FILE = "result.json"


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


def path_of(production: Production) -> Path:
    """Where a production keeps the result of its last run."""
    return production.folder / FILE


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
