"""Progress as a stream of events: the command line shows it as bars, a page as widgets. A listener may end the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Stage = Literal["think", "speak", "encode", "write", "audit", "transcribe", "film", "join"]
STAGES: Mapping[Stage, str] = {
    "think": "Thinking",
    "speak": "Speaking",
    "encode": "Encoding",
    "write": "Writing",
    "audit": "Auditing",
    "transcribe": "Listening",
    "film": "Filming",
    "join": "Joining",
}
"""The stages as people read them."""
Outcome = Literal["began", "done", "cached", "failed"]


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a stage: ``done`` of ``total`` are behind us; ``subject`` is what this step was about.

    What is counted: questions that an agent (the subject) decided, clauses spoken, runs or stretches of ten seconds
    encoded, files written, stretches audited, seconds of a recording transcribed, scenes filmed, films put together. A
    step that takes long is told more than once, with the same ``done``; ``share`` is what is done of it, where that is
    known.

    For ``speak``, ``clause`` is the clause's index. ``began`` says that its request goes out now: its take is not in
    the store, and one of the voice's places is free. It is not counted in ``done``; ``done``, ``cached`` (it was in the
    store) and ``failed`` are, and one of them follows for each clause. ``reason`` is why it failed, in one sentence, or
    how far it is in words. ``film`` tells the same of scenes, whose ids are the subjects, and ``transcribe`` of the
    pieces of a recording, whose file the ``subject`` is.
    """

    stage: Stage
    done: int
    total: int
    subject: str = ""
    outcome: Outcome = "done"
    clause: int | None = None
    reason: str = ""
    share: float | None = None


Listener = Callable[[Event], None]
"""Hears of each event, in the thread that does the work, and returns at once.

It may raise ``errors.Stopped`` to end the work. Speaking and agents then ask for nothing more, what was asked for
arrives and is kept, and exporting leaves each file whole: as it was, or new. The work then raises Stopped itself.
"""


def unheard(event: Event) -> None:
    """A listener that does nothing."""


Follower = Callable[[str, object], AbstractContextManager[Listener]]
"""Is told of work in a folder when it begins: its kind ("think", "speak", "export", "film") and what object does it.

Its context lasts as long as the work; the listener that it gives hears each event, too, and may end the work.
"""

_followers: dict[Path, list[Follower]] = {}


def follow(folder: Path, follower: Follower) -> Callable[[], None]:
    """Be told of all work of this process in a folder, whoever begins it, until the answer is called."""
    place = folder.resolve()
    _followers.setdefault(place, []).append(follower)

    def unfollow() -> None:
        _followers[place].remove(follower)
        if not _followers[place]:
            del _followers[place]

    return unfollow


@contextmanager
def followed(folder: Path, kind: str, by: object, listener: Listener) -> Iterator[Listener]:
    """The listener for a piece of work in a folder: the one that was given, and those who follow what is done there."""
    with ExitStack() as followers:
        found = tuple(_followers.get(folder.resolve(), ()))
        listeners = [listener, *(followers.enter_context(follower(kind, by)) for follower in found)]

        def heard(event: Event) -> None:
            for each in listeners:
                each(event)

        yield heard
