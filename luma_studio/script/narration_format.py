"""The narration format: headers, text, pause notes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

from luma_studio.script.headers import Line, is_header_by_place, last_mark
from luma_studio.script.lines import LanguageLine, RawLine, header_scene, language_line, raw_lines
from luma_studio.script.passages import Stretch, join, read_passage, shortened
from luma_studio.script.punctuation import COLONS, COMMAS, OPENERS
from luma_studio.script.scenes import Drafting, SceneDraft

Entry = Line | SceneDraft | LanguageLine

_QUOTED = re.compile(r"(?:>[ \t]?)+")
_BULLET = re.compile(r"[-*+•‣◦▪●○][ \t]+(?:\[[ xX]\][ \t]+)?")
_NUMBERED = re.compile(r"\d{1,3}[.)][ \t]")


def read_narration(drafting: Drafting) -> None:
    """Read all lines into the drafting's scenes."""
    entries = _entries(drafting)
    headers = _headers_by_place(entries)
    _report_title(entries, headers, drafting)
    run: list[Line] = []
    for at, entry in enumerate(entries):
        is_text = isinstance(entry, Line) and at not in headers
        if run and not (is_text and _wraps(run[-1], entry)):
            drafting.add(join([line.passage for line in run]))
            run = []
        if isinstance(entry, LanguageLine):
            drafting.state_language(entry.code, entry.stretch)
        elif isinstance(entry, SceneDraft):
            drafting.open(entry)
        elif is_text:
            run.append(entry)
        else:
            header = Stretch(entry.start, entry.end, "header")
            drafting.open(SceneDraft(entry.text.rstrip(COLONS + " \t"), entry.start, stretches=[header]))
            _report_guess(entries, at, drafting)
    if run:
        drafting.add(join([line.passage for line in run]))


def _entries(drafting: Drafting) -> list[Entry]:
    entries: list[Entry] = []
    early = True
    for raw in raw_lines(drafting.source.clean):
        if entries and isinstance(entries[-1], LanguageLine):
            raw = raw._replace(after_blank=True)  # noqa: PLW2901
        entry = _entry(raw, drafting, early=early)
        early = early and not (isinstance(entry, Line) and not entry.only_note)
        entries.append(entry)
    return entries


def _entry(raw: RawLine, drafting: Drafting, *, early: bool) -> Entry:
    entry = header_scene(raw, drafting.report) or language_line(raw, drafting.report, early=early)
    return entry or _line(raw, drafting)


def _line(raw: RawLine, drafting: Drafting) -> Line:
    quoted = bullet = numbered = None
    start = 0
    if not raw.text[0].isalpha():
        quoted = _QUOTED.match(raw.text)
        start = quoted.end() if quoted else 0
        bullet = _BULLET.match(raw.text, start)
        numbered = _NUMBERED.match(raw.text, start)
        start = bullet.end() if bullet else start
    passage = read_passage(drafting.source.clean, raw.start + start, raw.end, drafting.report)
    text = passage.text.strip()
    if passage.tags and not text and raw.after_blank and passage.tags[0].text[0].isupper():
        drafting.report(
            raw.start,
            "note",
            f"{shortened(raw.text)} is read as a delivery tag. Put “# ” before it to make it a header.",
        )
    return Line(raw.start, raw.end, passage, raw.after_blank, bool(quoted), bool(bullet or numbered), text)


def _wraps(line: Line, following: Entry) -> bool:
    """Whether the next line goes on with what this one says."""
    if not isinstance(following, Line) or following.after_blank or following.item:
        return False
    return last_mark(line.text) in _COMMAS or following.text.lstrip(OPENERS)[:1].islower()


_COMMAS = frozenset(COMMAS)


def _headers_by_place(entries: Sequence[Entry]) -> frozenset[int]:
    """Which entries are headers though nothing on the line says so."""
    at_entry = [at for at, entry in enumerate(entries) if isinstance(entry, Line)]
    lines = [entry for entry in entries if isinstance(entry, Line)]
    scenes = [0, *accumulate(isinstance(entry, SceneDraft) for entry in entries)]
    breaks = [False, *(scenes[here] > scenes[before] for before, here in pairwise(at_entry))]
    verdicts: dict[int, bool] = {}
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        if line.after_blank and line.looks_like_header:
            verdicts[at] = is_header_by_place(lines, at, breaks, verdicts)
    return frozenset(at_entry[at] for at, verdict in verdicts.items() if verdict)


def _report_title(entries: Sequence[Entry], headers: frozenset[int], drafting: Drafting) -> None:
    """Say so where a line or two alone before the first header may well be the script's title."""
    first = next((at for at, entry in enumerate(entries) if at in headers or isinstance(entry, SceneDraft)), 0)
    lines = [entry for entry in entries[:first] if isinstance(entry, Line)]
    if 1 <= len(lines) <= 2 and all(line.looks_like_header for line in lines):
        drafting.report(
            lines[0].start,
            "note",
            f"{shortened(lines[0].text)} stands alone before the first header and is spoken. "
            "If it is the title, put “# ” before it; if it is to be heard, a pause behind it, such as (2 sec).",
        )


def _report_guess(entries: Sequence[Entry], at: int, drafting: Drafting) -> None:
    """Say so where a header may well have been meant for narration."""
    line, following = entries[at], entries[at + 1]
    if not isinstance(line, Line):
        return
    apart = isinstance(following, Line) and following.after_blank
    if apart or last_mark(line.text) in COLONS or len(line.text.split()) >= 4:
        drafting.report(
            line.start,
            "note",
            f"{shortened(line.text)} is read as a header and not spoken. "
            "Put “> ” before it if it is narration, or “# ” if it is a header.",
        )
