"""From a line to what is spoken of it: notes, tags and Markdown taken out, and where each letter stood."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from luma_studio.script.model import MarkKind
from luma_studio.script.pauses import LONGEST_NOTE, Aside, Broken, Kind, Note, Timed, read_break, read_note
from luma_studio.script.punctuation import BRACKETS, COMMAS, ENDERS, is_word_character

Report = Callable[[int, str, str], None]
"""Takes an offset into the clean text, a level, and a message."""


class Stretch(NamedTuple):
    """A stretch of the clean text that is not spoken but means something: what becomes a ``Mark``."""

    start: int
    end: int
    kind: MarkKind


class Silence(NamedTuple):
    """A note, before character ``at`` of a passage; ``offset`` is its place in the clean text."""

    at: int
    offset: int
    note: Timed | Kind


class Tag(NamedTuple):
    """A delivery tag, before character ``at`` of a passage."""

    at: int
    text: str


@dataclass(slots=True)
class Passage:
    """Text that is spoken in one go until something in it ends a clause.

    ``anchors`` pair positions in ``text`` with offsets into the clean text, ascending; between two both run alike.
    """

    text: str
    anchors: Sequence[tuple[int, int]]
    silences: Sequence[Silence] = ()
    tags: Sequence[Tag] = ()
    stretches: Sequence[Stretch] = ()

    def offset(self, at: int) -> int:
        """Offset into the clean text of the character at a position."""
        anchor = self.anchors[0 if len(self.anchors) == 1 else bisect_right(self.anchors, at, key=_position) - 1]
        return anchor[1] + at - anchor[0]


_position = itemgetter(0)


def join(passages: Sequence[Passage]) -> Passage:
    """Lines of wrapped text as one passage, with a line end between each two."""
    if len(passages) == 1:
        return passages[0]
    texts: list[str] = []
    anchors: list[tuple[int, int]] = []
    silences: list[Silence] = []
    tags: list[Tag] = []
    stretches: list[Stretch] = []
    length = 0
    for passage in passages:
        texts.append(passage.text)
        anchors += [(at + length, offset) for at, offset in passage.anchors]
        silences += [silence._replace(at=silence.at + length) for silence in passage.silences]
        tags += [tag._replace(at=tag.at + length) for tag in passage.tags]
        stretches += passage.stretches
        length += len(passage.text) + 1
    return Passage("\n".join(texts), anchors, silences, tags, stretches)


_OPEN = "".join(map(re.escape, BRACKETS))
_CLOSE = "".join(map(re.escape, BRACKETS.values()))
_SPECIAL = re.compile(rf"[{_OPEN}<*_`~]")
# Every alternative stops at the next bracket, so that no character is looked at more than a few times.
_MARKUP = re.compile(
    r"!?\[(?P<link>[^\[\]()\n]{0,300})\]\((?P<address>[^()\s]{0,500})\)"
    rf"|(?P<open>[{_OPEN}])(?P<inside>[^{_OPEN}{_CLOSE}\n]{{0,{LONGEST_NOTE}}})(?P<close>[{_CLOSE}])"
    rf"|(?P<dangling>[{_OPEN}](?P<rest>[^{_OPEN}{_CLOSE}\n]{{1,60}}))\Z"
    r"|<break\b(?P<attributes>[^<>\n]{0,200})>"
    r"|(?P<unclosed>(?:<break\b(?:[ \t]{1,4}\w{1,20}=[\"'][^\"'<>\n]{0,40}[\"']){0,4}+[ \t]{0,4}+/?+)++)"
    r"|<(?P<autolink>[^\W\d][^\s<>@:]{0,100}[@:][^\s<>]{1,400})>"
    r"|<(?P<angle>[^<>\nA-Za-z/!?][^<>\n]{0,60}|[a-z ]{0,10}pause[^<>\n]{0,40})>"
    r"|<(?P<element>[/?!]?[A-Za-z][^<>\n]{0,400})>",
    re.IGNORECASE,
)
_AROUND = " \t*_`~\\"
_EMPHASIS = re.compile(r"[*_]+|`+|~~+")
_TAG = re.compile(r"[^\d\n.!?।。:/\\@#]{1,40}")
_LETTER = re.compile(r"[^\W\d_]")
_COUNTED = re.compile(r"\d{1,4}([.,:]\d{1,3})? ?[^\W\d_]\S{0,20}( \S{1,20})?")  # perhaps a time in words we do not know


class _Cut(NamedTuple):
    start: int
    end: int
    instead: str
    found: Timed | Kind | str | None = None  # a note, or the text of a tag
    stretch: Stretch | None = None


# A bracket that is closed one or two lines further on, none of them blank.
_LINE_END = r"\n(?![ \t]*+\n)"
_OVER_LINES = re.compile(
    rf"(?P<open>[{_OPEN}])(?P<inside>[^{_OPEN}{_CLOSE}\n]{{0,60}}+(?:{_LINE_END}[^{_OPEN}{_CLOSE}\n]{{0,60}}+){{1,2}}+)"
    rf"(?P<close>[{_CLOSE}])|<break\b[^<>\n]{{0,100}}+(?:{_LINE_END}[^<>\n]{{0,100}}+){{1,2}}+>"
)


def with_whole_notes(clean: str) -> str:
    """The text with spaces for the line ends inside pause notes: "(5\\nsec)"."""
    return _OVER_LINES.sub(_on_one_line, clean) if "\n" in clean else clean


def _on_one_line(match: re.Match[str]) -> str:
    if match["open"] is not None:
        note = read_note(match["inside"].strip(_AROUND + "\n")) if BRACKETS[match["open"]] == match["close"] else None
        if note is None or isinstance(note, Aside):
            return match.group()
    return match.group().replace("\n", " ")


def read_passage(clean: str, start: int, end: int, report: Report, *, without: tuple[int, ...] = ()) -> Passage:
    """What is spoken of ``clean[start:end]``; characters at the offsets ``without`` are not."""
    special = _SPECIAL.search(clean, start, end)
    if special is None and not without:
        return Passage(clean[start:end], ((0, start),))
    # "!" may stand before the first special character.
    first = max(special.start() - 1, start) if special else end
    cuts = [*_markup(clean, (start, end), first, report), *(_Cut(at, at + 1, "") for at in without)]
    if _EMPHASIS.search(clean, first, end):
        cuts += _emphasis(clean, start, end, sorted((cut.start, cut.end) for cut in cuts))
    cuts.sort(key=_cut_start)
    return _without(clean, start, end, cuts)


_cut_start = itemgetter(0)


def _without(clean: str, start: int, end: int, cuts: list[_Cut]) -> Passage:
    anchors = [(0, start)]
    silences: list[Silence] = []
    tags: list[Tag] = []
    stretches: list[Stretch] = []
    pieces: list[str] = []
    at, length = start, 0
    for cut in cuts:
        if cut.start < at:
            continue
        pieces += (clean[at : cut.start], cut.instead)
        length += cut.start - at + len(cut.instead)
        if isinstance(cut.found, str):
            tags.append(Tag(length, cut.found))
        elif cut.found is not None:
            silences.append(Silence(length, cut.start, cut.found))
        if cut.stretch is not None:
            stretches.append(cut.stretch)
        at = cut.end
        anchors.append((length, at))
    pieces.append(clean[at:end])
    return Passage("".join(pieces), anchors, silences, tags, stretches)


def _markup(clean: str, bounds: tuple[int, int], first: int, report: Report) -> Iterator[_Cut]:
    for match in _MARKUP.finditer(clean, first, bounds[1]):
        kind = match.lastgroup
        if kind == "close":
            yield from _bracket(clean, match, bounds, report)
        elif kind == "attributes":
            note = read_break(match["attributes"])
            yield _pause_cut(*match.span(), _heard(note, match, report))
        elif kind == "unclosed":
            _heard(Broken("is not closed with '>'"), match, report)
            stretch = Stretch(match.start(), match.start() + len(match.group().rstrip()), "pause")
            yield _Cut(*match.span(), " ", stretch=stretch)
        elif kind == "address":
            yield from _link(match)
        elif kind == "dangling":
            yield from _dangling(match, report)
        elif kind == "angle":
            found = read_note(match["angle"])
            if isinstance(found, Timed | Kind):
                yield _pause_cut(*match.span(), found)
        elif kind == "autolink":
            yield from (_Cut(match.start(), match.start() + 1, ""), _Cut(match.end() - 1, match.end(), ""))
        else:
            yield _element(match, report)


def _pause_cut(start: int, end: int, note: Timed | Kind | None) -> _Cut:
    return _Cut(start, end, " ", note, Stretch(start, end, "pause"))


def _element(match: re.Match[str], report: Report) -> _Cut:
    """Markup other than a break that opens; ``</break>`` still belongs to a pause."""
    name = match["element"].strip("/ ").partition(" ")[0].lower()
    if name == "break":
        return _pause_cut(*match.span(), None)
    if name != "speak":
        report(match.start(), "note", f"The tag {shortened(match.group())} is left out; only <break> is understood.")
    return _Cut(*match.span(), " ")


def _dangling(match: re.Match[str], report: Report) -> Iterator[_Cut]:
    """A note at the end of a line whose bracket nobody closed."""
    note = read_note(match["rest"].strip(_AROUND))
    if isinstance(note, Timed | Kind):
        report(match.start(), "warning", f"The pause note {shortened(match.group())} is not closed: close its bracket.")
        yield _pause_cut(*match.span(), note)


def _link(match: re.Match[str]) -> Iterator[_Cut]:
    text_start, text_end = match.span("link")
    note = read_note(match["address"])
    if isinstance(note, Timed | Kind):  # "[warm](5 sec)" is a tag and a note, with a space forgotten
        yield _Cut(match.start(), text_end + 1, " ", match["link"], Stretch(match.start(), text_end + 1, "tag"))
        yield _pause_cut(text_end + 1, match.end(), note)
    else:
        yield _Cut(match.start(), text_start, "")
        yield _Cut(text_end, match.end(), "")


def _bracket(clean: str, match: re.Match[str], bounds: tuple[int, int], report: Report) -> Iterator[_Cut]:
    opening, inside, closing = match["open"], match["inside"], match["close"]
    if not inside:
        return
    note = read_note(inside.strip(_AROUND))
    if BRACKETS[opening] != closing:
        if isinstance(note, Timed | Kind):
            report(
                match.start(),
                "warning",
                f"The brackets of the pause note {shortened(match.group())} differ: close it as it is opened.",
            )
            yield _pause_cut(*match.span(), note)
        return
    if opening == "「" and not isinstance(note, Timed):
        return  # a quotation
    if isinstance(note, Timed | Kind | Broken):
        start, end = _with_outer_brackets(clean, match.span(), bounds)
        start -= start > bounds[0] and clean[start - 1] == "\\"
        heard = _heard(note, match, report)
        cut = _pause_cut(start, end, heard)
        yield _before_mark(clean, cut, bounds) if heard is None else cut
    elif isinstance(note, Aside):
        report(
            match.start(),
            "note",
            f"{shortened(match.group())} speaks of time but reads as an aside: it is spoken. "
            "For a pause write only the time, such as (5 sec).",
        )
    elif opening in "(（" and _COUNTED.fullmatch(inside.strip(_AROUND)):
        report(
            match.start(),
            "note",
            f"{shortened(match.group())} counts something that is no time the studio knows: it is spoken. "
            "For a pause write (5 sec).",
        )
    elif opening in "[［" and _is_tag(inside):
        tag = " ".join(inside.split()).strip("*_")
        yield _before_mark(clean, _Cut(*match.span(), " ", tag, Stretch(*match.span(), "tag")), bounds)


def _before_mark(clean: str, cut: _Cut, bounds: tuple[int, int]) -> _Cut:
    """The cut, so that it leaves no space before a mark: "so [softly], and"."""
    if cut.end >= bounds[1] or clean[cut.end] not in ENDERS + COMMAS:
        return cut
    return cut._replace(start=cut.start - (cut.start > bounds[0] and clean[cut.start - 1] == " "), instead="")


def _is_tag(inside: str) -> bool:
    return bool(_TAG.fullmatch(inside)) and bool(_LETTER.search(inside)) and len(inside.split()) <= 5


def _with_outer_brackets(clean: str, span: tuple[int, int], bounds: tuple[int, int]) -> tuple[int, int]:
    """The span with brackets that hold nothing else: ``((5 sec))``."""
    start, end = span
    while True:
        outer_start = start - (clean[max(start - 1, bounds[0]) : start] == " ")
        outer_end = end + (clean[end : min(end + 1, bounds[1])] == " ")
        if outer_start <= bounds[0] or outer_end >= bounds[1]:
            return start, end
        if BRACKETS.get(clean[outer_start - 1]) != clean[outer_end]:
            return start, end
        start, end = outer_start - 1, outer_end + 1


def _heard(note: Note, match: re.Match[str], report: Report) -> Timed | Kind | None:
    if isinstance(note, Timed | Kind):
        return note
    if isinstance(note, Broken):
        report(
            match.start(),
            "warning",
            f"The pause note {shortened(match.group())} {note.why}: it is not spoken and the default pause stands. "
            "Write it as (5 sec), (1 min 30 sec) or (pause).",
        )
    return None


def _emphasis(clean: str, start: int, end: int, taken: list[tuple[int, int]]) -> Iterator[_Cut]:
    """Marks of Markdown emphasis; ``snake_case``, ``2*3`` and ``2 * 3`` keep theirs."""
    skip = iter([*taken, (end, end)])
    cut_start, cut_end = next(skip)
    for match in _EMPHASIS.finditer(clean, start, end):
        while cut_end <= match.start() and cut_end < end:
            cut_start, cut_end = next(skip)
        if cut_start <= match.start() < cut_end or _joins_words(clean, match, start, end):
            continue
        yield _Cut(*match.span(), "")


def _joins_words(clean: str, match: re.Match[str], start: int, end: int) -> bool:
    if match.group()[0] in "`~":
        return False
    before = clean[match.start() - 1] if match.start() > start else " "
    after = clean[match.end()] if match.end() < end else " "
    if is_word_character(before) and is_word_character(after):
        return len(match.group()) == 1 or before.isdigit() or match.group()[0] == "_"
    spaced_product = before == after == " " and match.group() == "*"
    return (
        spaced_product
        and clean[match.start() - 2 : match.start() - 1].isdigit()
        and clean[match.end() + 1 :][:1].isdigit()
    )


def shortened(text: str, most: int = 48) -> str:
    """Text in quotation marks as a diagnostic shows it, on one line and not too long."""
    line = " ".join(text.split())
    return f"“{line}”" if len(line) <= most else f"“{line[: most - 1]}…”"
