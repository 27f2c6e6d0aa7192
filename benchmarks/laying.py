"""``arrange`` and ``fit`` over 5,000 clauses: the takes and pauses of the ten-minute production, again and again.

For ``fit`` every third pause gets a range from half to twice its length and every tenth is locked, and the total is
5 % more than it is, so that all of its work is asked for. pydub knows neither: a position there is what was added up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import cycle, islice

from benchmarks.bench import Bench
from benchmarks.result import Row
from benchmarks.timing import repeated
from luma_studio.script.model import Pause
from luma_studio.timeline.arrange import SceneSpan, arrange
from luma_studio.timeline.tune import fit

_CLAUSES = 5000
_SCENE = 50  # clauses
_MORE = 1.05
_TIMES = 30
_PYDUB = "pydub has nothing of the kind"


def laying(bench: Bench) -> list[Row]:
    """Measure both, best of thirty."""
    production = bench.ten.opened()
    sound = production.choices
    takes = list(islice(cycle(production.timeline.takes), _CLAUSES))
    pauses = [_varied(pause, index) for index, pause in enumerate(islice(cycle(production.pauses), _CLAUSES))]
    spans = [SceneSpan(f"scene_{i // _SCENE + 1}", "", i, i + _SCENE) for i in range(0, _CLAUSES, _SCENE)]
    timeline = arrange(takes, pauses, spans, sound)
    total = round(timeline.length * _MORE)
    fitted = arrange(takes, fit(takes, pauses, spans, sound, total), spans, sound)
    if fitted.length != total:
        raise RuntimeError(f"fit gave {fitted.length} samples and not {total}.")
    hours = timeline.length / timeline.rate / 3600
    return [
        _row(f"arrange of {_CLAUSES:,} clauses ({hours:.1f} hours)", lambda: arrange(takes, pauses, spans, sound), 10),
        _row(f"fit of {_CLAUSES:,} clauses", lambda: fit(takes, pauses, spans, sound, total), 20),
    ]


def _varied(pause: Pause, index: int) -> Pause:
    if index % 3 == 0:
        pause = replace(pause, least=pause.seconds / 2, most=pause.seconds * 2)
    return replace(pause, locked=index % 10 == 0)


def _row(what: str, work: Callable[[], object], most: float) -> Row:
    walls = repeated(work, _TIMES)
    best, middle = (each * 1000 for each in (walls[0], walls[len(walls) // 2]))
    measured = f"{best:.1f} ms (median of {_TIMES}: {middle:.1f} ms)"
    return Row("arrange", what, measured, f"≤ {most:.0f} ms", best <= most, _PYDUB, {"best": best, "median": middle})
