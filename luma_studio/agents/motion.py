"""Motion: how a still is to move, as a bundle of prompts, seconds and guidance that one sees, and can change, first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from luma_studio.agents.base import Agent, Case, Decision, Thinking, decide

_MOST = 1000  # characters of a prompt; engines take more, and follow less
_SHOWN = 2000  # characters of a text that are told
_SHORT, _LONG = 5, 10  # seconds
_PACE = 15  # characters that are spoken in a second
_USUAL = 0.5
_NEGATIVE = (
    "blur, flicker, distortion, warped faces, deformed hands, extra limbs, sudden cuts, camera shake, text, captions, "
    "watermark, logo"
)

_GENTLE = "The camera moves in slowly and steadily; what is alive moves naturally, light and air a little."
_MOVEMENTS = (  # by words that tell the mood
    (
        re.compile(r"\b(danc(e|ing)|run(s|ning)?\b|jump|rac(e|ing)\b|party|sport|celebrat|energetic|नाच|दौड़)"),
        "The camera follows the movement smoothly; people and things move with energy, and naturally.",
    ),
    (
        re.compile(r"\b(breath|calm|rest\b|resting|relax|meditat|sleep|quiet|peace|साँस|शांत|ध्यान|आराम)"),
        "The camera moves in very slowly, without a shake; there is only breath, light and air, and all is calm.",
    ),
)


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of a still: its ``title``, a ``description`` of what is seen, and the ``words`` spoken over it.

    ``seconds`` is how long it is to be seen; 0 where nobody knows.
    """

    title: str = ""
    description: str = ""
    words: str = ""
    seconds: float = 0.0


class Bundle(BaseModel):
    """How a still is to move: what is wanted and what is not, 5 or 10 seconds, how closely it is followed (0 to 1)."""

    prompt: str
    negative_prompt: str
    seconds: int
    guidance: float


AGENT = Agent("motion", Bundle)


def question(described: Described) -> dict[str, Any]:
    """What is asked: all that is known of the still."""
    return {
        "title": described.title[:_SHOWN],
        "description": described.description[:_SHOWN],
        "words": described.words[:_SHOWN],
        "seconds_shown": described.seconds or None,
    }


def check(answer: Bundle) -> str | None:
    """What is wrong with an answer: an empty or long prompt, or a number out of its bounds."""
    if not answer.prompt.strip():
        return "The prompt is empty; say how the picture moves."
    for name, text in (("prompt", answer.prompt), ("negative_prompt", answer.negative_prompt)):
        if len(text) > _MOST:
            return f"The {name} has {len(text)} characters; it may have {_MOST}."
    if answer.seconds not in (_SHORT, _LONG):
        return f"seconds is {_SHORT} or {_LONG}, not {answer.seconds}."
    if not 0 <= answer.guidance <= 1:
        return f"guidance is from 0 to 1, not {answer.guidance}."
    return None


def rules(described: Described) -> Bundle:
    """What is seen, moved gently: the slower, the calmer the words are."""
    subject = _sentence(described.description) or _sentence(described.title)
    known = f"{described.title} {described.description} {described.words}".casefold()
    movement = next((words for mood, words in _MOVEMENTS if mood.search(known)), _GENTLE)
    shown = described.seconds or len(described.words) / _PACE
    return Bundle(
        prompt=f"{subject} {movement} Everything that is in the picture stays in it.".strip(),
        negative_prompt=_NEGATIVE,
        seconds=_LONG if shown > (_SHORT + _LONG) / 2 else _SHORT,
        guidance=_USUAL,
    )


async def bundled(described: Described, thinking: Thinking) -> Decision[Bundle]:
    """The bundle for a still, to be shown and changed before anything is sent. Raises as ``decide``."""
    return await decide(AGENT, Case(question(described), check, rules(described)), thinking)


def _sentence(text: str) -> str:
    """A text as a sentence in one line, cut between words where it is long."""
    plain = " ".join(text.split())
    if len(plain) > _MOST // 2:
        plain = plain[: _MOST // 2].rpartition(" ")[0] or plain[: _MOST // 2]
    return plain if not plain or plain[-1] in ".!?।…" else f"{plain}."
