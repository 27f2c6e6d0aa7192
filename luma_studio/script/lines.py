"""The lines of a script that mean the same in both formats: headers that always are one, rules, ``Language:`` lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from luma_studio.script.headers import hash_title, marker, may_be_header
from luma_studio.script.languages import language_named
from luma_studio.script.passages import Report, Silence, Stretch, read_passage, shortened
from luma_studio.script.pauses import Kind, Timed, read_note
from luma_studio.script.punctuation import BRACKETS, ENDERS
from luma_studio.script.scenes import SceneDraft
from luma_studio.script.words import LANGUAGE_LINES, fold, folded


class RawLine(NamedTuple):
    """A line that is not blank, without the white space around it; offsets are into the clean text."""

    start: int
    end: int
    text: str
    after_blank: bool


_LINE = re.compile(r"\S[^\n]*")
_RULE = re.compile(r"[-*_=~–—•·\s]{3,}")
_LANGUAGE = re.compile(r"[*_]{0,3}([^\W\d_][^\s:：]{1,19})[ \t]{0,4}[*_]{0,3}[:：][*_]{0,3}[ \t]{0,4}([^:：]{1,60})")
_LANGUAGE_NAMES = folded(LANGUAGE_LINES)
_LONGEST_NAME = 4  # words
_OPENING = "([{（［｛【"


def raw_lines(clean: str) -> Iterator[RawLine]:
    """The lines of a text that are not blank; a rule (``---``) counts as a blank line."""
    end = 0
    after_blank = True
    for match in _LINE.finditer(clean):
        text = match.group().rstrip()
        after_blank = after_blank or clean.count("\n", end, match.start()) > 1
        end = match.end()
        if text.startswith("```") or (text[0] in "-*_=~–—•·" and _RULE.fullmatch(text)):
            after_blank = True
            continue
        yield RawLine(match.start(), match.start() + len(text), text, after_blank)
        after_blank = False


def header_scene(line: RawLine, report: Report) -> SceneDraft | None:
    """The scene that a line begins if it is always a header."""
    if not may_be_header(line.text):
        return None
    bare, notes, stretches = _without_notes(line)
    title = hash_title(bare)
    found = marker((bare if title is None else title).strip("*_` "))
    if found is None and title is None:
        return None
    for note in notes:
        report(note.offset, "note", "A pause note in a header is silence before the scene's first words.")
    shown = found.title if found else title or ""
    takes_number = found is not None and found.is_scene
    passage = read_passage(shown, 0, len(shown), _ignore)
    return SceneDraft(
        title=" ".join(passage.text.split()) or " ".join(shown.split()),
        offset=line.start,
        number=found.number if found and takes_number else None,
        wants_number=takes_number,
        lead_in=notes,
        stretches=[Stretch(line.start, line.start + len(bare), "header"), *stretches],
    )


class LanguageLine(NamedTuple):
    """A ``Language: …`` line: the primary subtag it names (None: a language nobody knows), and where it stands."""

    code: str | None
    stretch: Stretch


def language_line(line: RawLine, report: Report, *, early: bool) -> LanguageLine | None:
    """What a ``Language: …`` line says; None when it is no such line. ``early``: nothing is spoken before it."""
    has_colon = len(line.text) < 120 and (":" in line.text or "：" in line.text)
    match = _LANGUAGE.fullmatch(line.text) if has_colon else None
    if match is None or fold(match[1]) not in _LANGUAGE_NAMES:
        return None
    name = match[2]
    if not early and (len(name.split()) > _LONGEST_NAME or (" " in name and name[-1] in ENDERS)):
        return None  # "Language: Hindi is spoken here."
    code = language_named(name)
    if code is None and early:
        report(
            line.start,
            "warning",
            f"The language {shortened(name)} is not known and is passed over. "
            "Write its English name or its tag, such as “Hindi” or “hi”.",
        )
    return LanguageLine(code, Stretch(line.start, line.end, "setting")) if code or early else None


def _without_notes(line: RawLine) -> tuple[str, list[Silence], list[Stretch]]:
    """A line without the pause notes at its end, those, and where they stand."""
    text, notes, stretches = line.text, list[Silence](), list[Stretch]()
    for _ in range(4):
        text = text.rstrip("*_ \t")
        at = max(map(text.rfind, _OPENING))
        if at <= 0 or BRACKETS[text[at]] != text[-1]:
            break
        note = read_note(text[at + 1 : -1].strip())
        if not isinstance(note, Timed | Kind):
            break
        notes.insert(0, Silence(0, line.start + at, note))
        stretches.append(Stretch(line.start + at, line.start + len(text), "pause"))
        text = text[:at]
    return text.rstrip("*_ \t") if notes else line.text, notes, stretches


def _ignore(offset: int, level: str, message: str) -> None:
    """A title's markup needs no diagnostics."""
