"""States of productions made of words alone."""

from __future__ import annotations

from luma_studio.script.model import Clause, Pause
from luma_studio.settings import Choices
from luma_studio.store.carrying import begun
from luma_studio.store.state import State, TakeRef


def clause(text: str, pause: float = 1.5, speaker: str | None = None) -> Clause:
    return Clause(text, speaker, "en", (), Pause(pause), 1, 1, 0, len(text))


def state_of(texts: list[str], speaker: str | None = None) -> State:
    """Clauses whose pauses and takes tell which is which."""
    clauses = [
        begun(clause(text, speaker=speaker)).model_copy(
            update={
                "pause": Pause(10.0 + index, "tuned", locked=index % 2 == 0),
                "takes": (TakeRef(fingerprint=f"take {index}", voice="espeak"),),
                "take": f"take {index}",
            }
        )
        for index, text in enumerate(texts)
    ]
    return State(text=" ".join(texts), choices=Choices(), clauses=tuple(clauses))
