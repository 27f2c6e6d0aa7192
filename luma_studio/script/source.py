"""The author's text, the same text without what nobody sees, and the way back from one to the other."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate, count
from operator import add
from typing import NamedTuple

_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Characters that are in a file but not in speech: controls, direction marks, soft hyphens, lone surrogates.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]+"
    "|[\u200c\u200d]+"
)
_JOINERS = "\u200c\u200d"


class Place(NamedTuple):
    """Where something stands in the author's text: offset from 0, line and column from 1."""

    offset: int
    line: int
    column: int


class Source:
    """``text`` is the author's with line ends made ``\\n``; ``clean`` is what the reader reads."""

    def __init__(self, text: str) -> None:
        self.text = _LINE_END.sub("\n", text.removeprefix("\ufeff"))
        self.unclosed_comment: int | None = None
        # Position in clean, and how many characters of text are missing before it.
        self._marks: list[int] = [0]
        self._shifts: list[int] = [0]
        self.clean = self._without(sorted([*_unseen(self.text), *self._comments()]))

    def offset(self, clean_offset: int) -> int:
        """The offset in ``text`` of the character at an offset of ``clean``."""
        if len(self._marks) == 1:
            return clean_offset
        return clean_offset + self._shifts[bisect_right(self._marks, clean_offset) - 1]

    def place(self, clean_offset: int) -> Place:
        """Where the character at an offset of ``clean`` stands in ``text``."""
        offset = self.offset(clean_offset)
        line = bisect_right(self._line_starts, offset)
        return Place(offset, line, offset - self._line_starts[line - 1] + 1)

    def clean_offset(self, offset: int) -> int:
        """Where the character at an offset of ``text`` stands in ``clean``, or the next that does."""
        starts = list(map(add, self._marks, self._shifts))
        at = bisect_right(starts, offset) - 1
        end = self._marks[at + 1] if at + 1 < len(self._marks) else len(self.clean)
        return min(offset - self._shifts[at], end)

    @cached_property
    def _line_starts(self) -> list[int]:
        lengths = map(len, self.text.split("\n"))
        return [0, *map(add, accumulate(lengths), count(1))][:-1]

    def _comments(self) -> Iterator[tuple[int, int]]:
        """Spans of HTML comments, with the line end after one that has a line to itself."""
        text, at = self.text, 0
        while (start := text.find("<!--", at)) >= 0:
            end = text.find("-->", start + 4)
            if end < 0:
                self.unclosed_comment = start
                yield start, start + 4
                return
            at = end + 3
            alone = (start == 0 or text[start - 1] == "\n") and text.startswith("\n", at)
            yield start, at + alone

    def _without(self, spans: list[tuple[int, int]]) -> str:
        pieces: list[str] = []
        at = length = 0
        for start, end in spans:
            if end <= at:
                continue
            piece = self.text[at : max(start, at)]
            pieces.append(piece)
            length += len(piece)
            at = end
            self._marks.append(length)
            self._shifts.append(at - length)
        pieces.append(self.text[at:])
        return "".join(pieces)


def _unseen(text: str) -> Iterator[tuple[int, int]]:
    for match in _UNSEEN.finditer(text):
        start, end = match.span()
        inside_a_word = text[start] in _JOINERS and start > 0 and end < len(text)
        if inside_a_word and _shapes(text[start - 1]) and _shapes(text[end]):
            continue
        yield start, end


def _shapes(character: str) -> bool:
    """Whether a joiner beside this character can change how it is written: it is a letter, a mark or an emoji."""
    return ord(character) > 0x2FF and not character.isspace() and character not in "।॥…“”‘’،؟۔–—"
