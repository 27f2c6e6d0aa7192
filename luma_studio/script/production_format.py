"""The production format: ``[Scene 1 – …]``, dialogue that is spoken, directions that are kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from luma_studio.script.headers import canonical_scene_id, marker
from luma_studio.script.lines import RawLine, header_scene, language_line, raw_lines
from luma_studio.script.model import Direction
from luma_studio.script.passages import Passage, Silence, Stretch, join, read_passage, shortened
from luma_studio.script.pauses import Kind, Timed, read_note
from luma_studio.script.punctuation import COMMAS, ENDERS, OPENERS, QUOTES, is_word_character
from luma_studio.script.scenes import Drafting, SceneDraft
from luma_studio.script.words import DIRECTIONS, SAYABLE_DIRECTIONS, SPOKEN_LINES, VOICE_OVERS, fold, folded, words

_LABEL = (
    r"[ \t*_•>-]{0,8}(?P<name>[^\W\d_][^:：\n()（）\"“]{0,40}?)[ \t]{0,4}"
    r"(?:[(（](?P<speaker>[^()（）\n]{0,60})[)）][ \t]{0,4}(?:[(（](?P<manner>[^()（）\n]{0,60})[)）])?)?"
)
_NAMED = re.compile(_LABEL + r"[*_ \t]{0,6}(?:[:：][*_]{0,3}|(?<=[)）])[ \t]{1,4}(?=[\"“«「]))[ \t]*")
_ANY_NAMED = re.compile("^" + _LABEL + r"[*_ \t]{0,6}[:：][*_]{0,3}[ \t]*(?P<quote>[\"“«„「]?)", re.MULTILINE)
_ASSET = re.compile(
    r"(?P<scene>[^\W\d_][^\s\d]{0,20}[\s_-]{0,3}\d{1,9})[\s_–:-]{0,4}(?P<name>[^\W\d_][^:：\n\"“]{0,40}?)\s{0,4}[:：]\s*"
)
_SCENE_LINE = re.compile(r"^[ \t*_#]{0,9}(?:[\[［【][^\]］】\n]{1,300}[\]］】]|\w[^\n]{0,300})", re.MULTILINE)
_BRACKETS_OPEN = tuple("[［【")
_MANNERS = re.compile(r"[,;،]|\s[–—-]\s")
_BRACKETED = re.compile(r"[(\[{（［｛【][^()\[\]{}（）［］｛｝【】\n]{0,500}[)\]}）］｝】]|<[^<>\n]{0,300}>")
_SPEAKABLE = re.compile(r"[^\W_]")

_DIALOGUE = frozenset(words(SPOKEN_LINES))
_VOICE_OVERS = folded(VOICE_OVERS)
_DIRECTIONS = folded(DIRECTIONS)
# These are also what a narrator may say: "Note: drink water."
_TELLING_DIRECTIONS = _DIRECTIONS - folded(SAYABLE_DIRECTIONS)


def is_production(clean: str) -> bool:
    """Whether a script has ``Dialogue (…):`` lines, or scenes over ``VO:`` lines, or ``[Scene …]`` over ``Visual:``."""
    if ":" not in clean and "：" not in clean:
        return False
    directed = voiced = False
    for match in _ANY_NAMED.finditer(clean):
        name = _plain(match["name"])
        if name in _DIALOGUE and (match["speaker"] is not None or match["quote"]):
            return True
        voiced = voiced or name in _VOICE_OVERS or _dialogue_name(name) is not None
        directed = directed or name in _TELLING_DIRECTIONS
    if not (voiced or directed):
        return False
    scenes = (match.group().strip(" \t*_#") for match in _SCENE_LINE.finditer(clean))
    return any(_is_scene(line) for line in scenes if voiced or line[:1] in _BRACKETS_OPEN)


def _is_scene(line: str) -> bool:
    found = marker(line)
    return found is not None and found.is_scene


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    return " ".join(fold(name).replace("_", " ").strip("* ").split())


class _Label(NamedTuple):
    """The ``Name (speaker, manner):`` of a line, and where its text starts on the line."""

    name: str
    speaker: str | None
    start: int
    spoken: bool
    known: bool
    manners: tuple[str, ...] = ()
    scene_id: str | None = None  # scene_1 of "Scene 1 heygen id"


class _Asset(NamedTuple):
    """A direction that names its scene ("Scene 2 heygen id"), and where it stands."""

    scene_id: str
    direction: Direction
    scene: SceneDraft
    offset: int


class _Quotation(NamedTuple):
    """Dialogue over some lines, from an offset in the first; ``quotes`` are the offsets of its outer marks."""

    lines: Sequence[RawLine]
    start: int
    quotes: tuple[int, ...]
    quoted: bool = False
    closed: bool = True


def read_production(drafting: Drafting) -> None:
    """Read all lines into the drafting's scenes."""
    lines = list(raw_lines(drafting.source.clean))
    labels = [_label(line) for line in lines]
    reader = _Reader(drafting, lines, labels)
    at = 0
    while at < len(lines):
        at = reader.read(at)
    _send_home(reader.assets, drafting)


def _label(line: RawLine) -> _Label | None:
    asset = _ASSET.match(line.text)
    scene_id = canonical_scene_id(asset["scene"]) if asset else None
    if asset and scene_id:
        name = _plain(asset["name"]).replace("-", " ")
        return _Label(name, None, asset.end(), spoken=False, known=True, scene_id=scene_id)
    bracketed = line.text[0] in "[(" and line.text[-1] in "])"
    named = _NAMED.match(line.text, int(bracketed))
    label = _named_label(named) if named else None
    return label if label is None or not bracketed or (label.known and not label.spoken) else None


class _DialogueName(NamedTuple):
    name: str
    speaker: str | None


def _dialogue_name(name: str) -> _DialogueName | None:
    """What "Dialogue", "Dialogue VO", "Dialogue – VO" or "Dialogue [VO]" says; None for any other name."""
    first, _, speaker = name.partition(" ")
    return _DialogueName(_plain(first), speaker.strip("–—-[] \t") or None) if _plain(first) in _DIALOGUE else None


def _named_label(named: re.Match[str]) -> _Label | None:
    name, start = named["name"].strip(), named.end()
    plain = _plain(name)
    dialogue = _dialogue_name(name)
    if dialogue or plain in _VOICE_OVERS:
        manners = [part.strip() for part in _MANNERS.split(f"{named['speaker'] or ''},{named['manner'] or ''}")]
        if isinstance(read_note(manners[0]), Timed | Kind):  # "Dialogue (2 sec)" names nobody
            manners.insert(0, "")
        speaker = manners[0] or (dialogue.speaker if dialogue else name)
        rest = tuple(filter(None, manners[1:]))
        return _Label(dialogue.name if dialogue else plain, speaker, start, spoken=True, known=True, manners=rest)
    known = next((form for form in (plain, plain.replace("-", " ")) if form in _DIRECTIONS), None)
    if known is None and (name[0].islower() or len(name.split()) > 4):
        return None
    return _Label(known or " ".join(name.lower().split()), None, start, spoken=False, known=known is not None)


class _Reader:
    """Where the reading stands: the last line read decides what a line without a name belongs to."""

    def __init__(self, drafting: Drafting, lines: list[RawLine], labels: list[_Label | None]) -> None:
        self.drafting = drafting
        self.lines = lines
        self.labels = labels
        # Without any dialogue line, plain lines are all there is to speak.
        self.no_dialogue = not any(label and label.spoken for label in labels)
        self.open_speech = self.no_dialogue
        self.speakers = {fold(label.speaker) for label in labels if label and label.speaker}
        self.speaker: str | None = None
        self.after_direction = False
        self.assets: list[_Asset] = []

    def read(self, at: int) -> int:
        """Read what begins on a line; returns the number of the line after it."""
        line, label = self.lines[at], self.labels[at]
        language = language_line(line, self.drafting.report, early=not self.drafting.anything_spoken)
        if language is not None:
            self.drafting.state_language(language.code, language.stretch)
            return at + 1
        if label is None or not label.known:
            scene = header_scene(line, self.drafting.report)
            if scene is not None:
                self._forget()
                self.drafting.open(scene)
                return at + 1
        if label is not None and label.spoken:
            return self._dialogue(at, label)
        if label is not None:
            self._direction(line, label)
            return at + 1
        self._plain_line(line)
        return at + 1

    def _forget(self) -> None:
        self.open_speech = self.no_dialogue
        self.speaker, self.after_direction = None, False

    def _dialogue(self, at: int, label: _Label) -> int:
        self.drafting.stretches.append(_label_stretch(self.lines[at], label))
        first = at
        start = self.lines[at].start + label.start
        if not self.lines[at].text[label.start :].strip() and self._goes_on(at + 1):
            first, start = at + 1, self.lines[at + 1].start
        quotation = self._quotation(first, start)
        self.speaker, self.after_direction = label.speaker, False
        self.open_speech = not quotation.quoted
        if not quotation.closed:
            self.drafting.report(
                quotation.quotes[0],
                "warning",
                f"The quotation that begins {shortened(self.lines[first].text[-40:])} is not closed: "
                "it is read up to the next blank line or named line. Put a closing quote behind its last word.",
            )
        if not _SPEAKABLE.search(self.drafting.source.clean, start, quotation.lines[-1].end):
            self.drafting.report(
                self.lines[at].start,
                "warning",
                f"{shortened(self.lines[at].text)} has no words. "
                "Write what is said behind the colon, or remove the line.",
            )
        self._speak(quotation, self._without_notes(at, label.manners))
        return first + len(quotation.lines)

    def _without_notes(self, at: int, manners: Sequence[str]) -> list[str]:
        """The manners that are no pause notes; those are silence before the words: "Dialogue (VO, 2 sec)"."""
        offset = self.lines[at].start
        tags: list[str] = []
        for manner in manners:
            note = read_note(manner)
            if isinstance(note, Timed | Kind):
                self.drafting.add(Passage("", [(0, offset)], [Silence(0, offset, note)]))
            else:
                tags.append(manner)
        return tags

    def _goes_on(self, at: int) -> bool:
        return at < len(self.lines) and self.labels[at] is None and not self._is_header(at)

    def _is_header(self, at: int) -> bool:
        return header_scene(self.lines[at], _ignore) is not None

    def _quotation(self, first: int, start: int) -> _Quotation:
        """The lines of a dialogue: up to its closing quote, or one line when it has no quotes."""
        clean, line = self.drafting.source.clean, self.lines[first]
        opening = _opening(clean, start, line.end)
        if opening is None:
            return _Quotation([line], start, ())
        closing = QUOTES[clean[opening]]
        read: list[RawLine] = []
        for at in range(first, len(self.lines)):
            if at > first and not self._goes_on(at):
                break
            here = self.lines[at]
            read.append(here)
            end = _closing(clean, max(here.start, opening + 1), here.end, closing)
            if end is not None:
                return _Quotation(read, start, _outer(clean, opening, end), quoted=True)
        if any(mark in clean[opening + 1 : line.end] for mark in closing):
            # Only a word of it is quoted.
            return _Quotation([line], start, ())
        unbroken = next((n for n, here in enumerate(read) if n and here.after_blank), len(read))
        return _Quotation(read[:unbroken], start, (opening,), quoted=True, closed=False)

    def _speak(self, quotation: _Quotation, tags: Sequence[str]) -> None:
        run: list[Passage] = []
        for at, line in enumerate(quotation.lines):
            start = quotation.start if at == 0 else line.start
            passage = read_passage(
                self.drafting.source.clean,
                start,
                line.end,
                self.drafting.report,
                without=tuple(mark for mark in quotation.quotes if start <= mark < line.end),
            )
            if run and (line.after_blank or not _wraps(run[-1].text, passage.text)):
                self.drafting.add(join(run), self.speaker, tags)
                run, tags = [], ()
            run.append(passage)
        if run:
            self.drafting.add(join(run), self.speaker, tags)

    def _direction(self, line: RawLine, label: _Label) -> None:
        text = line.text[label.start :].strip(" \t*_")
        if line.text[0] in "[(":
            text = text.rstrip("])")
        if not label.known and text:
            self._report_unknown(line, label, text)
        self.drafting.stretches.append(Stretch(line.start, line.end, "direction"))
        place = self.drafting.source.place(line.start)
        direction = Direction(label.name, _unquoted(text), place.line)
        if label.scene_id is None:
            self.drafting.scene.directions.append(direction)
        else:
            self.assets.append(_Asset(label.scene_id, direction, self.drafting.scene, line.start))
        self.open_speech, self.after_direction = self.no_dialogue, True

    def _report_unknown(self, line: RawLine, label: _Label, text: str) -> None:
        """Say so where a direction of a name nobody knows may well have been meant as dialogue."""
        said = text[0] in QUOTES or label.name in self.speakers
        if said or text[-1] in ENDERS:
            self.drafting.report(
                line.start,
                "warning" if said else "note",
                f"{shortened(line.text)} is kept as a direction and not spoken. "
                f"Write “Dialogue ({label.name.title()}):” to have it spoken.",
            )

    def _plain_line(self, line: RawLine) -> None:
        passage = read_passage(self.drafting.source.clean, line.start, line.end, self.drafting.report)
        if not _SPEAKABLE.search(passage.text):
            if passage.tags and line.after_blank and passage.tags[0].text[0].isupper():
                self.drafting.report(
                    line.start,
                    "note",
                    f"{shortened(line.text)} is read as a delivery tag. For a header write [Scene 2 – …] or “# …”.",
                )
            passage.text = ""
            self.drafting.add(passage)
        elif self.open_speech:
            self.drafting.add(passage, self.speaker)
        else:
            self._report_stray(line)

    def _report_stray(self, line: RawLine) -> None:
        directions = self.drafting.scene.directions
        if self.after_direction and directions and not line.after_blank:
            directions[-1] = replace(directions[-1], text=f"{directions[-1].text} {line.text}".strip())
            self.drafting.stretches.append(Stretch(line.start, line.end, "direction"))
        self.drafting.report(
            line.start,
            "warning",
            f"{shortened(line.text)} is neither a header, dialogue nor a direction: it is not spoken. "
            "Write “Dialogue (VO):” before it to have it spoken.",
        )


def _label_stretch(line: RawLine, label: _Label) -> Stretch:
    """Where a label stands, without the Markdown around it: "- **Dialogue (VO):** Hello"."""
    written = line.text[: label.start]
    start = len(written) - len(written.lstrip(" \t*_•>-"))
    return Stretch(line.start + start, line.start + len(written.rstrip(" \t*_")), "speaker")


def _ignore(offset: int, level: str, message: str) -> None:
    """Asked only whether a line is a header."""


def _wraps(text: str, following: str) -> bool:
    return text.rstrip()[-1:] in COMMAS or following.lstrip(" \t" + OPENERS)[:1].islower()


def _opening(clean: str, start: int, end: int) -> int | None:
    """The offset of the quote that a text begins with, behind notes, tags and emphasis."""
    at = start
    while at < end:
        bracketed = _BRACKETED.match(clean, at, end) if clean[at] in "([{（［｛【<" else None
        if bracketed:
            at = bracketed.end()
        elif clean[at] in " \t*_":
            at += 1
        else:
            return at if clean[at] in QUOTES and clean[at] != "”" else None
    return None


def _closing(clean: str, start: int, end: int, closing: str) -> int | None:
    """The offset of the quote that a line ends with, before notes, tags and marks."""
    at = max(clean.rfind(mark, start, end) for mark in closing)
    if at < start or _SPEAKABLE.search(_BRACKETED.sub("", clean[at + 1 : end])):
        return None
    return at


def _outer(clean: str, opening: int, end: int) -> tuple[int, ...]:
    """The outer marks of a quotation; none when they are no pair, as in “One.” “Two.”"""
    closing = QUOTES[clean[opening]]
    inner = min((at for at in (clean.find(mark, opening + 1, end) for mark in closing) if at > 0), default=-1)
    if inner < 0 or clean[opening] in "'‘" or is_word_character(clean[inner + 1]):
        return opening, end
    reopened = clean[opening] not in closing and clean.find(clean[opening], opening + 1, inner) > 0
    return (opening, end) if reopened else ()


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] in QUOTES and text[-1] in QUOTES[text[0]]:
        return text[1:-1].strip()
    return text


def _send_home(assets: Sequence[_Asset], drafting: Drafting) -> None:
    """Give each asset to the scene it names."""
    homes = {f"scene_{scene.number}": scene for scene in reversed(drafting.scenes) if scene.number is not None}
    for asset in assets:
        home = homes.get(asset.scene_id)
        (home or asset.scene).directions.append(asset.direction)
        (home or asset.scene).directions.sort(key=attrgetter("line"))
        if home is asset.scene or (home is None and asset.scene.number is None):
            continue
        fate = "it is kept for that scene" if home else "there is no such scene, so it is kept where it stands"
        drafting.report(
            asset.offset,
            "warning",
            f"A line about {asset.scene_id} in the scene “{asset.scene.title}”: {fate}. "
            "Correct its number or put it under its own scene.",
        )
