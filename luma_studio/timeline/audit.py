"""The audit: decode a finished file and measure each pause in it, knowing nothing of how it was made.

The silences are found by level alone; the timeline only says which of them was asked for where.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luma_studio.audio.levels import LevelMeter, silences, window_start
from luma_studio.timeline.arrange import Timeline
from luma_studio.timeline.duration import clock

Span = tuple[int, int]

TOLERANCE = 0.060  # seconds; more is a finding
_LEAST = 0.02  # seconds; shorter gaps are the sound of speech


@dataclass(frozen=True, slots=True)
class PauseAudit:
    """A pause in a finished file: after which clause, and seconds asked, found and their difference."""

    clause: int
    at: float
    asked: float
    found: float

    @property
    def difference(self) -> float:
        """Found less asked, in seconds."""
        return self.found - self.asked

    @property
    def finding(self) -> bool:
        """Whether it is off by more than the tolerance."""
        return abs(self.difference) > TOLERANCE


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found in a file: its length asked and found in samples, and every pause."""

    file: str
    rate: int
    asked: int
    found: int
    pauses: tuple[PauseAudit, ...]

    @property
    def findings(self) -> tuple[PauseAudit, ...]:
        """The pauses that are off by more than the tolerance."""
        return tuple(pause for pause in self.pauses if pause.finding)

    @property
    def summary(self) -> str:
        """One sentence for people."""
        if not self.pauses:
            return f"{self.file}: {clock(self.found, self.rate)}, no pauses"
        off = np.abs([pause.difference for pause in self.pauses]) * 1000
        verdict = f"all {len(self.pauses)} pauses as asked"
        if self.findings:
            verdict = f"{len(self.findings)} of {len(self.pauses)} pauses off by more than {TOLERANCE * 1000:.0f} ms"
        spread = f"median {np.median(off):.1f} ms off, most {off.max():.1f} ms"
        return f"{verdict} ({spread}); length {clock(self.found, self.rate)}"

    def to_json(self, checksum: str) -> dict[str, Any]:
        """The audit as JSON, with the SHA-256 of the file it measured; times in seconds, lengths also in samples."""
        return {
            "file": self.file,
            "sha256": checksum,
            "sample_rate": self.rate,
            "length": {"asked": self.asked, "found": self.found, "difference": self.found - self.asked},
            "tolerance": TOLERANCE,
            "findings": len(self.findings),
            "summary": self.summary,
            "pauses": [
                {
                    "clause": pause.clause,
                    "at": round(pause.at, 4),
                    "asked": round(pause.asked, 4),
                    "found": round(pause.found, 4),
                    "difference": round(pause.difference, 4),
                    "finding": pause.finding,
                }
                for pause in self.pauses
            ],
        }


def audit(file: str, pieces: Iterable[NDArray[np.int16]], timeline: Timeline) -> Audit:
    """Measure the pauses in decoded ``pieces`` (1-D int16 at the timeline's rate) of a file against a timeline's.

    Clauses in which nothing is heard have no edges to measure; the silences around them count as one.
    """
    meter = LevelMeter(timeline.rate)
    found = 0
    for piece in pieces:
        meter.feed(piece)
        found += len(piece)
    spans = np.minimum(window_start(silences(meter.levels(), least_seconds=_LEAST), timeline.rate), found)
    heard = np.flatnonzero(timeline.speech_end > timeline.speech_start)
    starts = timeline.speech_end[heard]
    ends = np.append(timeline.speech_start[heard[1:]], timeline.length)[: len(heard)]
    lengths = _matching(spans, starts, ends, TOLERANCE * timeline.rate)
    return Audit(
        file,
        timeline.rate,
        timeline.length,
        found,
        tuple(
            PauseAudit(
                int(clause), int(start) / timeline.rate, int(end - start) / timeline.rate, length / timeline.rate
            )
            for clause, start, end, length in zip(heard, starts, ends, lengths, strict=True)
        ),
    )


def _matching(
    spans: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], tolerance: float
) -> list[int]:
    """The length of the found silence that overlaps each asked one most; 0 where none does.

    Each is looked for as far off as the one before it ended, began, or was looked for, and, if that one was more than
    ``tolerance`` samples wrong, as if it were missing; so that one wrong pause is one finding and not many.
    """
    found = [(int(start), int(end)) for start, end in spans]
    found_ends = [end for _, end in found]
    lengths = []
    offsets = [0]
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        tries = [(off, _overlapping(found, found_ends, start + off, end + off)) for off in offsets]
        off, span = min(tries, key=lambda each: abs(_length(each[1]) - (end - start)))
        lengths.append(_length(span))
        offsets = [off] if span is None else [span[1] - end, span[0] - start, off]
        if abs(lengths[-1] - (end - start)) > tolerance:
            offsets.append(off - (end - start))
    return lengths


def _overlapping(found: list[Span], found_ends: list[int], start: int, end: int) -> Span | None:
    """The found silence that shares most with ``start`` to ``end``."""
    best, most = None, 0
    for index in range(bisect_left(found_ends, start), len(found)):
        span = found[index]
        if span[0] > end:
            break
        shared = min(span[1], end) - max(span[0], start)
        if shared > most:
            best, most = span, shared
    return best


def _length(span: Span | None) -> int:
    return 0 if span is None else span[1] - span[0]
