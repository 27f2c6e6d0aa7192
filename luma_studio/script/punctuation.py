"""What ends a sentence, what carries it on, and which full stops do neither, in the scripts of the world."""

from __future__ import annotations

import re
import unicodedata

from luma_studio.script.words import folded

STOPS = ".．﹒․"
"""Full stops that also stand inside numbers, names and abbreviations."""

ELLIPSES = "…‥⋯"

ENDERS = (
    STOPS + ELLIPSES + "?!‽‼⁇⁈⁉⸮⸼。｡！？﹖﹗"  # Latin, Greek, Cyrillic, Chinese, Japanese
    "।॥؟۔܀܁܂։።፧፨။។៕᠃᠉᙮"  # Indic, Arabic, Syriac, Armenian, Ethiopic, Burmese, Khmer, Mongolian
    "།༎෴๚๛꓿꘎꘏꛳꛷꣎꣏꤯꧉꩝꩞꩟꫰꫱꯫𑁇𑁈𑅁𑅂𑇅𑇆𑑋𑑌"  # Tibetan, Sinhala, Thai and others
)

COMMAS = ",;:—–،؛、，；：﹐﹑﹔﹕､՝፣፤፥፦၊߸᠂᠈꓾꘍꛵꛶꧈"
"""A comma and its kin: a line that ends in one carries on, and clauses may be cut after one."""

COLONS = ":：﹕"

TIGHT_COMMAS = ",;:–"
"""Those of COMMAS that also stand inside numbers and times, and so need a space after them."""

QUOTES = {
    '"': '"',
    "“": "”",
    "”": "”",
    "„": "“”",
    "‟": "”",
    "«": "»",
    "»": "«",
    "‹": "›",
    "「": "」",
    "『": "』",
    "｢": "｣",
    "＂": "＂",
    "〝": "〞〟",
    "'": "'",
    "‘": "’",
    "‚": "‘’",
}
"""What opens a quotation, and what may close it."""

BRACKETS = {
    "(": ")",
    "[": "]",
    "{": "}",
    "（": "）",
    "［": "］",
    "｛": "｝",
    "【": "】",
    "〔": "〕",
    "「": "」",
    "⟨": "⟩",
    "〈": "〉",
    "《": "》",
    "＜": "＞",
}

OPENERS = "".join(sorted(set(QUOTES) | set(BRACKETS) | set("¿¡")))
CLOSERS = "".join(sorted({mark for marks in QUOTES.values() for mark in marks if mark != "«"} | set(BRACKETS.values())))

TITLES = folded(
    """dr mr mrs ms mx prof st rev hon gen col capt lt sgt maj gov mt messrs mme mlle sr sra srta dra dña sig dott hr
    डॉ डा प्रो श्री श्रीमती सुश्री पं स्व ডাঃ ডা ড মোঃ திரு டாக்டர் డా శ్రీ ડૉ શ્રી ਡਾ ਸ਼੍ਰੀ
    approx temp p.s e.g i.e eg viz cf vs z.b d.h u.a p.ej c.-à-d al г ул ई ud uds vd vds ee.uu د"""
)
"""Never end a sentence."""

BEFORE_NUMBERS = folded(
    """no nos nr num núm nº p pp pag pág vol fig ch sec art jan feb mar apr jun jul aug sept sep oct nov dec
    क्र सं नं रु पृ ক্র নং ન ਨੰ"""
)
"""End no sentence where a number follows."""

ORDINAL_LANGUAGES = folded("de lb cs sk pl hr sr bs sl da nb nn no fo is fi et lv hu tr eu")
"""Those that write an ordinal as digits and a full stop: "am 3. Mai"."""

BEFORE_ORDINALS = folded("am im vom zum zur beim ins der die das dem den des")
"""In German, where the noun behind an ordinal has a capital like a new sentence: "beim 2. Atemzug"."""

MONTHS = folded("januar jänner februar märz april mai juni juli august september oktober november dezember")

SOFT = folded(
    """etc inc ltd co corp jr dept est min hrs hr usw ca bzw evtl ggf resp a.m p.m am pm b.c a.d ph.d m.d
    jan feb apr jun jul aug sept sep oct nov dec ft tbsp tsp oz lb lbs km cm mm kg sec secs yr yrs"""
)
"""End a sentence only where a capital follows."""

STARTERS = frozenset(
    re.findall(
        r"\w+",
        """He She It They We The This That These Those There Then But And In I You Now If When So Let My Our His Her Its
    A An At On As For With Today Take Close Breathe""",
    )
)
"""Words that most likely begin a sentence after something like ``U.S.``"""

HINDI_INITIALS = folded("ए बी सी डी ई एफ जी एच आई जे के एल एम एन ओ पी क्यू आर एस टी यू वी डब्ल्यू एक्स वाई ज़ेड")


def is_word_character(character: str) -> bool:
    """Whether a character is part of a word: a letter, a digit, or a mark on one."""
    return character.isalnum() or unicodedata.category(character)[0] == "M"
