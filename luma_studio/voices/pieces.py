"""A text that is longer than a vendor takes at once: cut into pieces, and what was spoken of them joined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from luma_studio.timeline.take import Word
from luma_studio.voices.base import Speech


def pieces(text: str, limit: int, taken: int = 0) -> list[str]:
    """A text cut into pieces of at most ``limit`` characters, at spaces if there are any; joined they are the text.

    ``taken`` characters of the first piece's are taken by something else, as tags.
    """
    cut = []
    room = max(1, limit - taken)
    while len(text) > room:
        at = min(text.rfind(" ", 1, room + 1) + 1 or room, room)
        cut.append(text[:at])
        text = text[at:]
        room = limit
    return [*cut, text]


def joined(spoken: Sequence[tuple[str, Speech]]) -> Speech:
    """Pieces of one clause, each with its text, as one: their sound end to end, their words where they stand in it."""
    if len(spoken) == 1:
        return spoken[0][1]
    rate = spoken[0][1].rate
    words: list[Word] = []
    letters = 0
    seconds = 0.0
    for text, speech in spoken:
        words += [
            Word(letters + each.first, letters + each.last, seconds + each.start, seconds + each.end)
            for each in speech.words
        ]
        letters += len(text)
        seconds += len(speech.samples) / rate
    whole = all(speech.bounds for _, speech in spoken)
    bounds = (words[0].start, words[-1].end) if whole else None
    return Speech(np.concatenate([speech.samples for _, speech in spoken]), rate, tuple(words), bounds)
