"""Exporting again after one pause was moved, in one process, on the production of a hundred minutes.

The first export is of a production that is spoken but not encoded: no runs in the cache, no master, no scenes. Then one
pause is made a second longer and it is exported again, five times in five places. Two things are timed: the master
alone, and the whole call (``Production.export(audit=False)``), which also writes captions, chapters and the changed
scene. The audit is left out of both, since it decodes the whole file by design.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from statistics import median

from pydub import AudioSegment

from benchmarks.bench import Bench, Made
from benchmarks.result import Row
from benchmarks.timing import repeated, seconds
from luma_studio.export import MASTER, About, write_master
from luma_studio.production import Production
from luma_studio.progress import unheard

_EDITS = 5
_MOST = 0.25  # seconds
_PART = 50  # the first export takes at least so many times as long


def reexport(bench: Bench) -> list[Row]:
    """Measure both, and what a plain write of the same bytes and pydub's way would take."""
    made = bench.hundred
    production = made.opened()
    _unencoded(made)
    start = time.perf_counter()
    gain = production.export(audit=False).loudness.gain
    first = time.perf_counter() - start
    _unencoded(made)
    first_master = seconds(lambda: _write_master(made, production, gain))
    tunes, masters, calls = [], [], []
    for edit in range(_EDITS):
        production.export(audit=False)  # up to date, so that the next one has one change to make
        clause = (edit + 1) * len(production.clauses) // (_EDITS + 1)
        tunes.append(seconds(lambda clause=clause: _longer(production, clause)))  # type: ignore[misc]
        calls.append(seconds(lambda: production.export(audit=False)))
        _longer(production, clause + 1)
        masters.append(seconds(lambda: _write_master(made, production, gain)))
    master = (made.folder / MASTER).read_bytes()
    plain = median(repeated(lambda: _plain(made.folder / "plain.mp3", master), _EDITS))
    (made.folder / "plain.mp3").unlink()
    beside = f"plain write of its {len(master) / 1e6:.0f} MB: {plain:.2f} s"
    length = production.timeline.length / production.timeline.rate
    return [
        _row("the master alone", masters, first_master, f"{beside}; {_pydub(bench, length)}"),
        _row(
            "the whole call: master, changed scene, captions, chapters",
            calls,
            first,
            f"saving the edit itself: {median(tunes):.3f} s",
        ),
    ]


def _row(what: str, again: list[float], first: float, beside: str) -> Row:
    middle = median(again)
    return Row(
        "reexport",
        f"re-export of a 100-minute MP3 after one pause edit: {what}",
        f"{middle:.3f} s, 1/{first / middle:.0f} of the first ({first:.1f} s)",
        f"≤ {_MOST} s, ≤ 1/{_PART}",
        middle <= _MOST and first / middle >= _PART,
        beside,
        {"again": again, "first": first, "ratio": first / middle},
    )


def _unencoded(made: Made) -> None:
    """Take away what an export has made."""
    shutil.rmtree(made.runs, ignore_errors=True)
    for path in made.folder.glob("*.mp3"):
        path.unlink()


def _longer(production: Production, clause: int) -> None:
    production.pauses[clause] = production.pauses[clause].seconds + 1


def _write_master(made: Made, production: Production, gain: float) -> None:
    """What the whole call does for the master: arrange, measure, encode what is missing, put together."""
    rendering, loud = made.rendering(production, gain)
    write_master(rendering, made.folder / MASTER, About(production.name, "en", loud), unheard)


def _plain(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def _pydub(bench: Bench, length: float) -> str:
    """How long pydub's export of as much sound would take: it encodes everything again, through an ffmpeg program."""
    if shutil.which("ffmpeg") is None:
        return "pydub: needs an ffmpeg program for MP3, there is none here"
    samples = bench.speech
    segment = AudioSegment(samples.tobytes(), sample_width=2, frame_rate=44100, channels=1)
    path = bench.folder / "pydub.mp3"
    took = seconds(lambda: segment.export(path, format="mp3", bitrate="128k"))
    path.unlink()
    scaled = took * length / (len(samples) / 44100)
    return f"pydub's export: {scaled:.0f} s ({took:.1f} s for {len(samples) / 44100 / 60:.0f} minutes, scaled)"
