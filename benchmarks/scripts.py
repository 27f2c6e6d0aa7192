"""Narration scripts for the benchmarks: as long as asked, the same ones each time, no sentence twice.

A sentence that came twice would be spoken once only, which would flatter every figure.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

_ENGLISH = (
    (
        "Slowly", "For a moment", "With the next breath", "Without any hurry", "As the evening settles", "Once again",
        "Here and now", "When you are ready", "Little by little", "In your own time", "Before the next thought",
        "Just for tonight", "From the soles upward", "With nothing to prove", "Under the open sky", "One last time",
    ),
    (
        "let the shoulders soften", "notice the weight of your hands", "follow the breath inward",
        "listen to the quiet room", "feel the ground beneath your feet", "unclench the jaw", "picture a lantern",
        "count the waves arriving", "give your back to the chair", "welcome whatever appears", "rest behind the eyes",
        "watch the thoughts drift past", "remember a kind voice", "loosen the belly and the brow",
        "hear the farthest sound", "stand beside an old river", "gather the scattered day", "open the palms",
        "walk along the empty shore", "follow the smoke of a candle",
    ),
    (
        "", "and stay with it", "until it grows still", "like rain upon warm stone", "as though nothing were missing",
        "and let it pass", "the way snow gathers", "while the light fades", "and begin to smile", "without naming it",
        "as gently as you can", "and then a little more", "until only warmth remains", "as if for the first time",
    ),
)  # fmt: skip
_HINDI = (
    (
        "धीरे-धीरे", "अगली साँस के साथ", "बिना किसी जल्दी के", "बस एक पल के लिए", "जब मन तैयार हो", "एक बार फिर",
        "शाम की इस घड़ी में", "अपनी ही चाल से", "आँखें मूँदे हुए", "हल्की मुस्कान के साथ",
    ),
    (
        "अपने कंधों को ढीला छोड़ दें", "हथेलियों का भार महसूस करें", "साँस को भीतर आते देखें", "दूर की आवाज़ को सुनें",
        "पैरों के नीचे की धरती को छुएँ", "माथे की लकीरों को घुल जाने दें", "एक जलते दीये की कल्पना करें",
        "नदी के किनारे थोड़ा टहलें", "दिन भर का बोझ उतार दें", "मन में उठती लहरों को गिनें",
        "गीली मिट्टी की महक को याद करें", "पीठ को सहारा लेने दें",
    ),
    (
        "", "और वहीं ठहर जाएँ", "जैसे पहली बार हो", "और उसे जाने दें", "जब तक सब शांत न हो जाए", "जैसे बारिश थम रही हो",
        "और थोड़ा मुस्कुराएँ", "बिना कोई नाम दिए",
    ),
)  # fmt: skip
_HINDI_SHARE = 0.2
_WORDS = range(5, 15)
_PAUSES = (None, None, None, 1.0, 2.0, 2.0, 2.5, 3.0, 4.0, 5.0, 8.0)  # seconds written after a sentence; None: nothing
_DEFAULT_PAUSE = 1.5
_SECONDS_A_WORD = 0.355  # of espeak at its usual pace, these sentences; only to know when a script is long enough
_SPARE = 1.05  # estimated length of a script for what was asked, so that it is never shorter


def narration(minutes: float, scenes: int, seed: int) -> str:
    """Return a script that lasts ``minutes`` or a little more: so many scenes, speech for 55 to 60 % of the time."""
    chance = random.Random(seed)  # noqa: S311
    sentences, pauses = _sentences(chance), _dealt(_PAUSES, chance)
    budget = minutes * 60 * _SPARE
    lines: list[str] = []
    spent = 0.0
    for scene in range(1, scenes + 1):
        lines += ["", f"# Evening {scene}", ""]
        while spent < budget * scene / scenes:
            text, pause = next(sentences), next(pauses)
            spent += len(text.split()) * _SECONDS_A_WORD + (_DEFAULT_PAUSE if pause is None else pause)
            lines.append(text if pause is None else f"{text} ({pause:g} sec)")
    return "\n".join(lines).strip() + "\n"


def _sentences(chance: random.Random) -> Iterator[str]:
    """Sentences of 5 to 14 words, none twice; English, with Hindi between."""
    given = set()
    while True:
        hindi = chance.random() < _HINDI_SHARE
        opening, middle, ending = (chance.choice(part) for part in (_HINDI if hindi else _ENGLISH))
        comma = "" if hindi or len(opening.split()) < 2 else ","
        text = " ".join(f"{opening}{comma} {middle} {ending}".split()) + ("।" if hindi else ".")
        if text not in given and len(text.split()) in _WORDS:
            given.add(text)
            yield text


def _dealt(cards: Sequence[float | None], chance: random.Random) -> Iterator[float | None]:
    """Cards dealt from a shuffled pack, again and again: random in order, but not in how many of each."""
    while True:
        yield from chance.sample(cards, len(cards))
