"""How long a text takes to speak, about, before anybody has spoken it."""

from __future__ import annotations

from functools import lru_cache

from luma_studio.voices.base import VoiceChoice
from luma_studio.voices.embedded import ENGINE

# Characters a second, measured on espeak at 150 words a minute: the examples, and a paragraph in each of 38 languages.
_PACE = 14.0
_FIGURE = 0.35  # seconds that a figure takes beyond a letter: "123" is said as five words
_LANGUAGE_PACES = {"en": 16.5, "de": 16.0, "fr": 20.0, "es": 15.5, "it": 16.0, "ru": 17.0, "uk": 17.0, "el": 17.5}
_WRITING_PACES = (
    ("\u0590", "\u05ff", 13.0),  # Hebrew
    ("\u0600", "\u08ff", 11.0),  # Arabic
    ("\u0900", "\u0dff", 12.0),  # Devanagari to Sinhala
    ("\u0e00", "\u109f", 7.5),  # Thai, Lao, Tibetan, Burmese
    ("\u1200", "\u139f", 7.5),  # Ethiopic
    ("\u3040", "\u30ff", 6.5),  # kana
    ("\u3400", "\u9fff", 3.2),  # Han
    ("\uac00", "\ud7af", 6.0),  # Hangul
)


_LANGUAGES_OF_A_WRITING = {
    "hi mr ne sa kok bho mai bn as pa gu or ta te kn ml si": 12.0,
    "he yi": 13.0,
    "ar fa ur ps sd ug": 11.0,
    "th lo my bo km am ti": 7.5,
    "ko": 6.0,
    "ja": 5.0,  # kana and kanji
    "zh yue": 3.2,
}
_PACES = {name: pace for names, pace in _LANGUAGES_OF_A_WRITING.items() for name in names.split()} | _LANGUAGE_PACES
_USUAL_RATE = 150  # words a minute, at which estimates are made


@lru_cache(maxsize=8192)  # an edit changes few clauses
def estimated(text: str, language: str) -> float:
    """Seconds of speech that a clause will take, about, before anybody has spoken it.

    Characters at the pace that the embedded voice has at its default 150 words a minute: 14 a second, or its
    ``language``'s own; and by their writing where it is another than Latin, Greek or Cyrillic (Devanagari 12, Han 3).
    The examples' speech is met within 6 %, a paragraph of another language within 20 %. Other voices have other paces.
    """
    usual = _LANGUAGE_PACES.get(_primary(language), _PACE)
    figures = sum(map(str.isdigit, text)) * _FIGURE
    if text.isascii():
        return len(text) / usual + figures
    return sum(1 / (_writing_pace(character) or usual) for character in text) + figures


def pace(language: str) -> float:
    """Characters of a language that are spoken in a second, about, as ``estimated`` takes them."""
    return _PACES.get(_primary(language), _PACE)


def quickness(voice: VoiceChoice) -> float:
    """How much faster than usual a voice speaks, by its settings."""
    settings = dict(voice.settings)
    quicker = settings.get("rate", _USUAL_RATE) if voice.engine == ENGINE else settings.get("speed", 1.0)
    if isinstance(quicker, str) or quicker <= 0:
        return 1.0
    return quicker / _USUAL_RATE if voice.engine == ENGINE else float(quicker)


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()


@lru_cache(maxsize=8192)
def _writing_pace(character: str) -> float | None:
    """A character's own pace; None where its language's holds."""
    return next((pace for first, last, pace in _WRITING_PACES if first <= character <= last), None)
