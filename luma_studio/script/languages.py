"""Which language a text is in, as far as its writing system tells."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

from luma_studio.script.words import fold

# The language a writing system stands for by itself, and those that share it.
_WRITING: dict[str, tuple[str, str]] = {
    "DEVANAGARI": ("hi", "mr ne sa kok bho mai doi brx awa bgc raj sd ks new"),
    "BENGALI": ("bn", "as mni"),
    "GURMUKHI": ("pa", ""),
    "GUJARATI": ("gu", "kfr"),
    "ORIYA": ("or", ""),
    "TAMIL": ("ta", ""),
    "TELUGU": ("te", ""),
    "KANNADA": ("kn", "tcy kok"),
    "MALAYALAM": ("ml", ""),
    "SINHALA": ("si", "pi"),
    "ARABIC": ("ar", "fa ur ps sd ug ku ckb pa ks az ms skr"),
    "HEBREW": ("he", "yi lad"),
    "CYRILLIC": ("ru", "uk be bg sr mk kk ky tg mn tt ba cv uz az os sah"),
    "GREEK": ("el", "grc"),
    "ARMENIAN": ("hy", ""),
    "GEORGIAN": ("ka", "xmf"),
    "ETHIOPIC": ("am", "ti gez"),
    "THAI": ("th", ""),
    "LAO": ("lo", ""),
    "MYANMAR": ("my", "shn mnw"),
    "KHMER": ("km", ""),
    "TIBETAN": ("bo", "dz"),
    "MONGOLIAN": ("mn", ""),
    "HANGUL": ("ko", ""),
    "HIRAGANA": ("ja", ""),
    "KATAKANA": ("ja", "ain"),
    "CJK": ("zh", "ja yue cmn wuu ko lzh"),
    "THAANA": ("dv", ""),
    "SYRIAC": ("syr", ""),
    "CHEROKEE": ("chr", ""),
}
_KANA = frozenset({"HIRAGANA", "KATAKANA"})

_NAMES = {
    "en": "english inglés anglais englisch inglês अंग्रेज़ी अंग्रेजी",
    "hi": "hindi हिन्दी हिंदी hinglish hindustani",
    "ta": "tamil தமிழ்",
    "te": "telugu తెలుగు",
    "bn": "bengali bangla বাংলা",
    "mr": "marathi मराठी",
    "gu": "gujarati ગુજરાતી",
    "pa": "punjabi panjabi ਪੰਜਾਬੀ",
    "kn": "kannada ಕನ್ನಡ",
    "ml": "malayalam മലയാളം",
    "or": "odia oriya ଓଡ଼ିଆ",
    "as": "assamese অসমীয়া",
    "ne": "nepali नेपाली",
    "sa": "sanskrit संस्कृत संस्कृतम्",
    "kok": "konkani कोंकणी",
    "bho": "bhojpuri भोजपुरी",
    "mai": "maithili मैथिली",
    "sd": "sindhi سنڌي",
    "si": "sinhala sinhalese සිංහල",
    "ur": "urdu اردو",
    "fa": "persian farsi فارسی",
    "ar": "arabic العربية عربي",
    "es": "spanish español castellano espagnol spanisch",
    "fr": "french français francés französisch",
    "de": "german deutsch alemán allemand",
    "pt": "portuguese português",
    "it": "italian italiano",
    "nl": "dutch nederlands",
    "sv": "swedish svenska",
    "da": "danish dansk",
    "nb": "norwegian norsk bokmål",
    "fi": "finnish suomi",
    "pl": "polish polski",
    "cs": "czech čeština",
    "sk": "slovak slovenčina",
    "hu": "hungarian magyar",
    "ro": "romanian română",
    "tr": "turkish türkçe",
    "ru": "russian русский",
    "uk": "ukrainian українська",
    "bg": "bulgarian български",
    "sr": "serbian српски srpski",
    "hr": "croatian hrvatski",
    "el": "greek ελληνικά",
    "he": "hebrew עברית",
    "id": "indonesian bahasa",
    "ms": "malay melayu",
    "vi": "vietnamese việt",
    "th": "thai ไทย",
    "my": "burmese မြန်မာ",
    "km": "khmer ខ្មែរ",
    "lo": "lao ລາວ",
    "ja": "japanese 日本語",
    "zh": "chinese mandarin 中文 汉语 漢語 普通话",
    "yue": "cantonese 粵語 粤语 廣東話",
    "ko": "korean 한국어",
    "am": "amharic አማርኛ",
    "sw": "swahili kiswahili",
    "af": "afrikaans",
    "ca": "catalan català",
    "eu": "basque euskara",
    "ga": "irish gaeilge",
    "cy": "welsh cymraeg",
    "la": "latin latina",
    "eo": "esperanto",
    "bo": "tibetan བོད་སྐད་",
    "mn": "mongolian монгол",
    "ka": "georgian ქართული",
    "hy": "armenian հայերեն",
    "fil": "filipino tagalog",
}
_CODES = {fold(name): code for code, names in _NAMES.items() for name in names.split()}
_KNOWN = frozenset(_NAMES) | frozenset(code for own, shared in _WRITING.values() for code in (own, *shared.split()))


def language_named(name: str) -> str | None:
    """The primary subtag of a language given by its English or own name or a BCP-47 tag; None when it is unknown."""
    plain = fold(name).strip(" .\"'()[]*_")
    subtag = plain.replace("_", "-").partition("-")[0]
    if subtag in _KNOWN and plain.isascii() and all(len(part) <= 8 for part in plain.split("-")):
        return subtag
    return _CODES.get(plain) or next((_CODES[word] for word in plain.split()[:3] if word in _CODES), None)


def language_of(text: str, fallback: str) -> str:
    """The primary subtag of the language of a text, by the writing system of most of its letters.

    ``fallback`` decides where that writing system is shared: between some languages (Devanagari with ``mr``), or
    nearly all (Latin; Hinglish is Latin with ``hi``), and where there are no letters. Without one, Latin is English.
    """
    own = _primary(fallback) or "en"
    if text.isascii():
        return own
    systems = set(map(_writing_system, set(text))) - {""}
    if not systems:
        return own
    system = systems.pop() if len(systems) == 1 else _prevailing(text)
    if system == "CJK" and not _KANA.isdisjoint(systems):
        return "ja"
    if system not in _WRITING:
        return own
    language, shared = _WRITING[system]
    return own if own in shared.split() else language


def is_written_in(text: str, language: str) -> bool:
    """Whether a text's letters are those that a language is written in; Hindi in Latin letters is not."""
    own = _primary(language)
    if language_of(text, own) != own:
        return False
    has_writing_of_its_own = any(own == standing for standing, _ in _WRITING.values())
    return not has_writing_of_its_own or language_of(text, "en") != "en"


def _prevailing(text: str) -> str:
    """The writing system of most of the letters."""
    systems: Counter[str] = Counter()
    for character, times in Counter(text).items():
        systems[_writing_system(character)] += times
    del systems[""]
    return systems.most_common(1)[0][0]


def has_kana(text: str) -> bool:
    """Whether Japanese syllables occur in a text, so that Chinese characters in it are Japanese too."""
    return any(_writing_system(character) in _KANA for character in set(text))


@lru_cache(maxsize=64)
def _primary(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].strip().lower()


@lru_cache(maxsize=32768)
def _writing_system(character: str) -> str:
    """The first word of a letter's name (DEVANAGARI, LATIN, CJK); an empty string for what is no letter."""
    if not character.isalpha():
        return ""
    first = unicodedata.name(character, "").partition(" ")[0]
    return {"FULLWIDTH": "LATIN", "HALFWIDTH": "KATAKANA", "IDEOGRAPHIC": "CJK", "MODIFIER": ""}.get(first, first)
