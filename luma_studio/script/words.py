"""The words of pause notes and headers, by language: tables that anyone can extend.

Each table maps a language to its words, separated by spaces. ``*`` at a word's end lets any ending follow, for
languages that inflect (``வினாடி*`` knows ``வினாடிகள்``). Spelling differences that do not matter (case, accents, nuktas,
joiners, full width) are folded away before a word is looked up, so they need no entry of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

SECONDS = {
    "en": "s sec secs second seconds",
    "hi": "सेकंड* सेकण्ड* सेकन्ड* सेकेंड* सेकेण्ड* सेकेन्ड* सैकंड* सैकण्ड* सैकेंड* सैकिंड* सेक से",
    "hi-Latn": "sekand sekend sekund sekond secand sekands",
    "mr": "सेकंद* सेकन्द* से",
    "ta": "வினாடி* விநாடி* நொடி* செகண்ட்* செகன்ட்* செக்கண்ட்* வி",
    "te": "సెకను* సెకన్* సెకండ్* సెకెండ్* సెకండు* క్షణాలు సె",
    "bn": "সেকেন্ড* সেকেণ্ড* সেকন্ড* সে",
    "gu": "સેકન્ડ* સેકંડ* સેકેન્ડ* સેકેંડ* સે",
    "pa": "ਸਕਿੰਟ* ਸੈਕਿੰਡ* ਸਕਿੰਡ* ਸੈਕੰਡ* ਸੇਕੰਡ* ਸੈਕਿੰਟ* ਸ",
    "kn": "ಸೆಕೆಂಡ್* ಸೆಕೆಂಡು*",
    "ml": "സെക്കൻഡ്* സെക്കന്റ്* സെക്കൻ്റ്*",
    "ur": "سیکنڈ سیکنڈز",
    "es": "seg segs segundo segundos",
    "fr": "seconde secondes",
    "de": "sek sekunde sekunden",
    "pt": "segundo segundos",
    "it": "secondo secondi",
    "ru": "сек секунда секунды секунд секунду",
    "he": "שניות שנייה שניה שניית שנ",
    "ar": "ثانية ثانيه ثوان ثواني ثانيتين ث",
    "ja": "秒 秒間 びょう",
    "zh": "秒 秒钟 秒鐘",
    "ko": "초 초간",
}
MINUTES = {
    "en": "m min mins minute minutes",
    "hi": "मिनट* मिनिट* मि",
    "hi-Latn": "minat minut minit mint",
    "mr": "मिनिट* मिनीट* मि",
    "ta": "நிமிட* நிமிஷ* நிமி",
    "te": "నిమిష* నిముష* ని",
    "bn": "মিনিট* মি",
    "gu": "મિનિટ* મિનીટ* મિ",
    "pa": "ਮਿੰਟ* ਮਿਨਟ* ਮਿੰਨਟ* ਮਿ",
    "kn": "ನಿಮಿಷ*",
    "ml": "മിനിറ്റ്* മിനുട്ട്*",
    "ur": "منٹ",
    "es": "minuto minutos",
    "fr": "mn",
    "de": "minuten",
    "pt": "minuto minutos",
    "it": "minuto minuti",
    "ru": "мин минута минуты минут минуту",
    "he": "דקות דקה דק",
    "ar": "دقيقة دقيقه دقائق دقيقتين د",
    "ja": "分 分間",
    "zh": "分 分钟 分鐘",
    "ko": "분 분간",
}
HOURS = {
    "en": "h hr hrs hour hours",
    "hi": "घंटा घंटे घंटों घण्टा घण्टे घण्टों घन्टा घन्टे",
    "hi-Latn": "ghanta ghante",
    "mr": "तास",
    "ta": "மணிநேரம்",
    "te": "గంట గంటలు గంటల",
    "bn": "ঘণ্টা ঘন্টা",
    "gu": "કલાક",
    "pa": "ਘੰਟਾ ਘੰਟੇ",
    "kn": "ಗಂಟೆ ಗಂಟೆಗಳು",
    "ml": "മണിക്കൂർ",
    "ur": "گھنٹہ گھنٹے",
    "es": "hora horas",
    "fr": "heure heures",
    "de": "std stunde stunden",
    "pt": "hora horas",
    "it": "ora ore",
    "ru": "час часа часов",
    "he": "שעות שעה",
    "ar": "ساعة ساعه ساعات ساعتين",
    "ja": "時間",
    "zh": "小时 小時",
    "ko": "시간",
}
MILLISECONDS = {
    "en": "ms msec msecs millisec millisecs millisecond milliseconds",
    "hi": "मिलीसेकंड* मिलीसेकेंड* मिलिसेकंड*",
    "es": "milisegundo milisegundos",
    "fr": "milliseconde millisecondes",
    "de": "millisekunde millisekunden",
    "pt": "milissegundo milissegundos",
    "it": "millisecondo millisecondi",
    "ja": "ミリ秒",
    "zh": "毫秒",
}

# A word that asks for silence all by itself: "(pause)", "(विराम)".
PAUSES = {
    "en": "pause pauses silence silent beat",
    "hi": "विराम मौन खामोशी चुप्पी ठहराव पॉज रुकें रुके रुकिए रुकिये रुको ठहरें ठहरिए ठहरिये",
    "hi-Latn": "viraam viram maun ruken rukein rukiye ruko thehren thehrein theheriye thahren",
    "mr": "विराम थांबा थांब शांतता",
    "ta": "இடைநிறுத்த* இடைவெளி நிறுத்தம் மௌனம் மவுனம்",
    "te": "విరామం విరామ ఆగండి నిశ్శబ్దం మౌనం పాజ్",
    "bn": "বিরতি বিরাম থামুন নীরবতা",
    "gu": "વિરામ થોભો રોકાઓ મૌન",
    "pa": "ਵਿਰਾਮ ਰੁਕੋ ਠਹਿਰੋ ਚੁੱਪ ਮੌਨ",
    "kn": "ವಿರಾಮ ಮೌನ",
    "ml": "ഇടവേള നിശബ്ദത",
    "ur": "وقفہ خاموشی",
    "es": "pausa silencio espera",
    "fr": "silence",
    "de": "stille",
    "pt": "silencio",
    "it": "silenzio",
    "ru": "пауза паузу тишина",
    "he": "הפסקה השהיה השהייה שתיקה דממה",
    "ar": "وقفة وقفه توقف صمت سكتة سكون",
    "ja": "休止 ポーズ 間 沈黙 一時停止 無音",
    "zh": "停顿 停頓 暂停 暫停 静默 沉默",
    "ko": "멈춤 침묵 일시정지",
}
# A word that asks for silence next to a time, or alone in its brackets; elsewhere it is a word like any other.
WAITS = {
    "en": "wait waiting hold holding rest resting break stay",
    "hi": "रुकना रुकते प्रतीक्षा",
    "es": "esperar esperen mantener descanso",
    "fr": "attendre attendez",
    "de": "warten warte halten",
    "pt": "espere esperar aguarde aguardar",
    "it": "attesa attendi attendere",
    "he": "המתן המתינו המתנה",
    "ar": "انتظر انتظار استراحة",
    "ja": "待つ 待って",
    "zh": "等待 停",
}
SHORT = {
    "en": "short shorter brief briefly small quick slight slightly little tiny",
    "hi": "छोटा छोटी छोटे लघु अल्प संक्षिप्त थोड़ा थोड़ी ज़रा",
    "hi-Latn": "chhota chota chhoti choti thoda",
    "mr": "लहान छोटासा",
    "ta": "குறுகிய சிறிய சிறு",
    "te": "చిన్న స్వల్ప",
    "bn": "ছোট ছোটো সংক্ষিপ্ত",
    "gu": "નાનો નાનું નાની ટૂંકો ટૂંકું ટૂંકી",
    "pa": "ਛੋਟਾ ਛੋਟੀ",
    "ur": "مختصر چھوٹا",
    "es": "corta corto breve pequena",
    "fr": "courte court breve petite petit",
    "de": "kurz kurze kurzes kleine",
    "pt": "curta curto pequena",
    "it": "corta corto piccola",
    "ru": "короткая",
    "he": "קצרה קצר",
    "ar": "قصيرة قصيره قصير",
    "ja": "短い 短 少し",
    "zh": "短 短暂 短暫 稍",
}
LONG = {
    "en": "long longer longish lengthy extended big deep extra",
    "hi": "लंबा लम्बा लंबी लम्बी लंबे दीर्घ बड़ा",
    "hi-Latn": "lamba lambi",
    "mr": "मोठा दीर्घ",
    "ta": "நீண்ட நெடிய",
    "te": "దీర్ఘ సుదీర్ఘ పెద్ద",
    "bn": "দীর্ঘ লম্বা",
    "gu": "લાંબો લાંબું લાંબી લાંબા",
    "pa": "ਲੰਬਾ ਲੰਮਾ ਲੰਬੀ ਲੰਮੀ",
    "ur": "طویل لمبا",
    "es": "larga largo",
    "fr": "longue grande",
    "de": "lang lange langes",
    "pt": "longa longo",
    "it": "lunga lungo",
    "ru": "длинная",
    "he": "ארוכה ארוך",
    "ar": "طويلة طويله طويل",
    "ja": "長い 長",
    "zh": "长 長 较长 长时间 長時間",
}
# Between two times, a range: "5 to 10 seconds". Elsewhere they connect.
TO = {
    "en": "to till or",
    "hi": "से या",
    "hi-Latn": "se",
    "mr": "ते किंवा",
    "ta": "முதல்",
    "te": "నుండి నుంచి",
    "bn": "থেকে",
    "gu": "થી",
    "pa": "ਤੋਂ",
    "es": "a o",
    "fr": "a ou",
    "de": "bis oder",
    "pt": "ate ou",
    "it": "o",
    "ru": "до",
    "he": "עד או",
    "ar": "الى إلى أو",
    "ja": "から",
    "zh": "到 至",
}
BETWEEN = {"en": "between", "hi": "बीच", "es": "entre", "fr": "entre", "de": "zwischen", "it": "tra fra"}
AND = {"en": "and", "hi": "और व", "mr": "आणि", "es": "y", "fr": "et", "de": "und", "pt": "e", "it": "e", "ar": "و"}
WITHOUT = {
    "en": "no without",
    "hi": "बिना",
    "es": "sin",
    "fr": "sans",
    "de": "ohne keine",
    "pt": "sem",
    "it": "senza senza",
}
# Words that may stand in a note and change nothing.
CONNECTING = {
    "en": "for of a an the about around approximately approx roughly here now please take it in very"
    " more another just then moment medium dramatic gentle natural from at least most up minimum maximum",
    "hi": "के लिए लिये तक का की को लगभग करीब करें कीजिए करिए दें यहाँ यहां बहुत फिर देर",
    "hi-Latn": "ke liye tak ka ki ko karein karen lagbhag",
    "mr": "साठी सुमारे",
    "te": "పాటు",
    "bn": "জন্য",
    "gu": "માટે",
    "pa": "ਲਈ ਦਾ ਦੀ ਦੇ",
    "es": "de por durante unos unas un una haz para",
    "fr": "de d pendant durant une un environ faire",
    "de": "von fur etwa ca eine einen",
    "pt": "de por durante uma um",
    "it": "di da per circa una un",
    "he": "של במשך כ",
    "ar": "لمدة من",
    "ja": "の を する 入れる 置く おく 空ける あける 取る とる ほど くらい",
    "zh": "约 約 大约 的 一下 请 請 作 钟 鐘",
}
# Words after a time that make it a fact: "(5 minutes later)".
TELLING = {
    "en": "ago later earlier left remaining old each per before after every",
    "hi": "बाद पहले",
    "es": "despues antes",
    "fr": "apres plus avant",
    "de": "spater vorher",
    "pt": "depois antes",
    "it": "dopo prima",
    "ja": "後 前",
    "zh": "后 後 前",
}
# From one upward, without a gap.
NUMBERS = {
    "en": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty",
    "hi": "एक दो तीन चार पाँच छह सात आठ नौ दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस बीस",
    "hi-Latn": "ek do teen char paanch chhah saat aath nau das",
    "mr": "एक दोन तीन चार पाच सहा सात आठ नऊ दहा",
    "ta": "ஒன்று இரண்டு மூன்று நான்கு ஐந்து ஆறு ஏழு எட்டு ஒன்பது பத்து",
    "te": "ఒకటి రెండు మూడు నాలుగు ఐదు ఆరు ఏడు ఎనిమిది తొమ్మిది పది",
    "bn": "এক দুই তিন চার পাঁচ ছয় সাত আট নয় দশ",
    "gu": "એક બે ત્રણ ચાર પાંચ છ સાત આઠ નવ દસ",
    "pa": "ਇੱਕ ਦੋ ਤਿੰਨ ਚਾਰ ਪੰਜ ਛੇ ਸੱਤ ਅੱਠ ਨੌਂ ਦਸ",
    "es": "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince",
    "fr": "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze",
    "de": "eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf",
    "pt": "um dois tres quatro cinco seis sete oito nove dez onze doze treze quatorze quinze",
    "it": "uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici",
    "he": "אחת שתיים שלוש ארבע חמש שש שבע שמונה תשע עשר",
    "ar": "واحد اثنان ثلاث أربع خمس ست سبع ثمان تسع عشر",
    "zh": "一 二 三 四 五 六 七 八 九 十",
}
MORE_NUMBERS = {
    0.5: "half आधा आधे media medio demi demie halbe halb halben meio meia mezzo mezza نصف 半",
    1: "ஒரு ఒక",
    1.5: "डेढ़ anderthalb",
    2: "দু 两 兩",
    2.5: "ढाई",
    3: "ثلاثة",
    5: "पांच خمسة",
    6: "छः",
    10: "عشرة",
    15: "funfzehn",
    20: "veinte vingt zwanzig vinte venti",
    30: "thirty तीस treinta trente dreissig trinta trenta",
    40: "forty चालीस cuarenta quarante vierzig quarenta quaranta",
    50: "fifty पचास",
    60: "sixty साठ",
    90: "ninety",
}
ARTICLES = "a an un una une uma eine ein एक um ek"
"""One, next to a unit of time, and next to anything else nothing: "(una pausa de 5 segundos)"."""
VAGUE = "few couple some several कुछ algunos quelques einige alguns alcuni"
"""Numbers that are none: "(a few seconds)"."""

# Words before a number that make a line a header: "Scene 2", "दृश्य २", "第2幕" (the last by COUNTERS).
SCENES = {
    "en": "scene scenes",
    "hi": "दृश्य सीन",
    "hi-Latn": "drishya drishy seen",
    "mr": "प्रसंग",
    "ta": "காட்சி",
    "te": "దృశ్యం సన్నివేశం",
    "bn": "দৃশ্য",
    "gu": "દ્રશ્ય દૃશ્ય",
    "pa": "ਦ੍ਰਿਸ਼",
    "kn": "ದೃಶ್ಯ",
    "ml": "രംഗം",
    "ur": "منظر",
    "es": "escena",
    "fr": "scene",
    "de": "szene",
    "pt": "cena",
    "it": "scena",
    "ru": "сцена",
    "he": "סצנה סצינה",
    "ar": "مشهد المشهد",
    "ja": "シーン 場面",
    "zh": "场景 場景",
    "ko": "장면",
}
PARTS = {
    "en": "part chapter",
    "hi": "भाग अध्याय",
    "hi-Latn": "bhaag bhag adhyay",
    "mr": "भाग प्रकरण",
    "ta": "பகுதி அத்தியாயம் பாகம்",
    "te": "భాగం అధ్యాయం",
    "bn": "পর্ব অংশ অধ্যায় ভাগ",
    "gu": "ભાગ પ્રકરણ",
    "pa": "ਭਾਗ ਅਧਿਆਇ",
    "kn": "ಭಾಗ ಅಧ್ಯಾಯ",
    "ml": "ഭാഗം അധ്യായം",
    "ur": "حصہ باب",
    "es": "parte capitulo",
    "fr": "partie chapitre",
    "de": "teil kapitel",
    "pt": "parte capitulo",
    "it": "parte capitolo",
    "ru": "часть глава",
    "he": "חלק פרק",
    "ar": "جزء الجزء فصل الفصل",
    "ja": "パート チャプター",
    "zh": "部分 章节",
    "ko": "파트",
}
COUNTERS = "幕 章 部分 部 場 场 节 節 話 回 景 集"
"""After 第 and a number (第2幕)."""

# Names of production lines that are spoken, and of those that are not.
SPOKEN_LINES = {
    "en": "dialogue dialog",
    "hi": "संवाद डायलॉग",
    "mr": "संवाद",
    "ta": "உரையாடல்",
    "te": "సంభాషణ",
    "bn": "সংলাপ",
    "gu": "સંવાદ",
    "pa": "ਸੰਵਾਦ",
    "es": "dialogo",
    "fr": "dialogue",
    "pt": "dialogo",
    "it": "dialogo",
    "ar": "حوار",
    "ja": "セリフ 台詞",
    "zh": "台词 对白",
}
VOICE_OVERS = ("vo", "v.o.", "v/o", "voiceover", "voice over", "voice-over", "narrator", "narration")
DIRECTIONS = (
    "visual",
    "visuals",
    "talking photo",
    "heygen id",
    "sfx",
    "music",
    "camera",
    "on-screen text",
    "onscreen text",
    "text on screen",
    "super",
    "b-roll",
    "broll",
    "duration",
    "note",
    "notes",
    "location",
    "setting",
    "action",
    "props",
    "lighting",
    "background",
    "transition",
    "sound",
    "avatar",
)
SAYABLE_DIRECTIONS = "note notes duration action setting background sound super location transition"
"""Directions that in narration are words like any other: "Note: drink water."."""
LANGUAGE_LINES = (
    "language lang भाषा bhasha மொழி భాష ভাষা ભાષા ਭਾਸ਼ਾ ಭಾಷೆ ഭാഷ زبان"
    " idioma langue sprache lingua لغة اللغة שפה 言語 语言 語言 язык 언어"
)

_IGNORED = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc\u064b-\u0652\u0670\u0640"
    "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe0e\ufe0f\ufeff]"
)


def fold(text: str) -> str:
    """Text as it is looked up: compatibility forms decomposed, case, accents, nuktas and joiners gone."""
    if text.isascii():
        return text.lower()
    return _IGNORED.sub("", unicodedata.normalize("NFKD", text).casefold())


@lru_cache(maxsize=8192)
def fold_word(word: str) -> str:
    """The same for one word, remembered."""
    return fold(word)


def words(table: Mapping[str, str]) -> list[str]:
    """Every word of a table, folded."""
    return [fold(word) for line in table.values() for word in line.split()]


def folded(entries: Iterable[str]) -> frozenset[str]:
    """Entries as a set, folded; a plain text is a list of words."""
    return frozenset(map(fold, entries.split() if isinstance(entries, str) else entries))
