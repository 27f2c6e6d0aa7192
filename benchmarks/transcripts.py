"""A long video to its transcript: peak memory, time, and how right the times of its words are.

The video is synthetic speech whose words have known times, and the vendor is the tests' fake in a process of its own,
which hears what it is sent. What is measured is a process that does nothing but transcribe.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench, environment
from benchmarks.buying import Vendor
from benchmarks.memory import watched
from benchmarks.result import Row

_MOST = 400  # MB
_FLAT = 1.1
_RIGHT = 0.005  # seconds
_AT_ONCE = 8
_MAKE = """
import json, sys
from pathlib import Path
from helpers.recordings import record, words

lines = [(3.0 * number + 0.5, f"line {number}".replace("0", "o")) for number in range(int(sys.argv[2]) * 20)]
record(Path(sys.argv[1]), lines, int(sys.argv[2]) * 60.0)
print(json.dumps([(word.text, word.start, word.end) for word in words(lines)]))
"""
_TRANSCRIBE = """
import asyncio, json, sys
from pathlib import Path
from luma_studio.studio import Studio
from luma_studio.transcripts import TranscriberChoice, make_transcriber, transcribe

with Studio() as studio:
    choice = TranscriberChoice.parse("openai:whisper-1")
    transcriber = make_transcriber(choice, studio.wires, studio.settings.minute_price)
    made = asyncio.run(transcribe(sys.argv[1], transcriber, studio.account("pitch")))
Path(sys.argv[2]).write_text(json.dumps([(word.text, word.start, word.end) for word in made.words]))
"""

_Words = list[tuple[str, float, float]]


@dataclass(frozen=True, slots=True)
class _Run:
    """What it took: most memory in MB, seconds, the size of the video in MB, and the largest error of a time in s.

    ``words`` is None where they were not the right ones.
    """

    peak: float
    seconds: float
    size: float
    off: float
    words: int | None
    requests: int


def transcripts(bench: Bench) -> list[Row]:
    """Transcribe a video of an hour, and one of two."""
    one, two = _run(bench, 60), _run(bench, 120)
    growth = two.peak / one.peak
    right = two.words is not None
    return [
        Row(
            "transcripts",
            "peak memory, a 2-hour video to its transcript",
            f"{two.peak:.0f} MB; {growth:.2f} × that of one hour",
            f"≤ {_MOST} MB, flat: ≤ {_FLAT} ×",
            two.peak <= _MOST and growth <= _FLAT,
            f"its sound as samples at 16 kHz: {7200 * 16_000 * 2 / 1e6:.0f} MB; the video: {two.size:.0f} MB",
            figures={"peak": two.peak, "growth": growth},
        ),
        Row(
            "transcripts",
            f"the same: times of its {two.words or 0:,} words, across {two.requests - 1} cuts",
            f"off by {two.off * 1000:.1f} ms at most" if right else "words lost or doubled",
            f"≤ {_RIGHT * 1000:.0f} ms, none lost or doubled",
            right and two.off <= _RIGHT,
            figures={"off": two.off},
        ),
        Row(
            "transcripts",
            "the same: time, with a vendor that answers as soon as it has heard",
            f"{two.seconds:.0f} s: {7200 / two.seconds:.0f} × real time",
            figures={"seconds": two.seconds},
        ),
    ]


def _run(bench: Bench, minutes: int) -> _Run:
    folder = bench.folder / f"transcripts-{minutes}"
    folder.mkdir()
    video, answer = folder / "pitch.mp4", folder / "words.json"
    known: _Words = json.loads(_python(_MAKE, video, str(minutes)))
    with Vendor(0.0, _AT_ONCE) as vendor:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", _TRANSCRIBE, str(video), str(answer)], cwd=folder, env=environment()
        )
        peak = watched(process)
        seconds = time.perf_counter() - start
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "transcribe")
    found: _Words = json.loads(answer.read_text(encoding="utf-8"))
    is_right = [word for word, _, _ in found] == [word for word, _, _ in known]
    off = max(
        max(abs(found_start - start), abs(found_end - end))
        for (_, found_start, found_end), (_, start, end) in zip(found, known, strict=False)
    )
    size = video.stat().st_size / 1e6
    video.unlink()
    return _Run(peak.together, seconds, size, off, len(found) if is_right else None, vendor.counts[0])


def _python(program: str, *options: str | Path) -> str:
    tests = Path(__file__).parents[1] / "tests"
    path = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tests), str(tests.parent)))}
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, options)], env=path, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout
