import unicodedata

import pytest

from luma_studio.script import parse
from luma_studio.script.clauses import LONGEST_CLAUSE
from luma_studio.settings import Reading

CUT = {
    "It is 1.5 miles. Go on.": 2,
    "Dr. Smith met Mrs. Jones. They spoke.": 2,
    "डॉ. शर्मा आए। श्री. वर्मा गए।": 2,
    "Bring fruit, e.g. apples. Then rest.": 2,
    "Bring fruit, e.g. Apples. Then rest.": 2,
    "We met at 5 p.m. on Monday. It rained.": 2,
    "We met at 5 p.m. Then it rained.": 2,
    "J. K. Rowling wrote it.": 1,
    "ए. पी. जे. अब्दुल कलाम आए. फिर गए.": 2,
    "He lives in the U.S. with her. Good.": 2,
    "He lives in the U.S. He is fine.": 2,
    "The U.S. Army came.": 1,
    "See No. 5 there. No. That is all.": 3,
    "Go to https://a.org/x.y?z=1!2 now. Done.": 2,
    "Write to me@x.org today. Done.": 2,
    "Use Python 3.11 and main.py here. Done.": 2,
    "Apples, pears, etc. are good. Figs etc. Then tea.": 3,
    "Wait... what? No.": 2,
    "Breathe... Let go… Rest.": 3,
    "“Really?” she asked. Yes.": 2,
    "“Stop!” He ran.": 2,
    '"Stop!", he said. Then left.': 2,
    "« Bonjour ! » dit-il. Oui.": 2,
    "(He left.) Then she came.": 2,
    "What?! No!! Yes.": 3,
    "क्या? हाँ। ठीक है॥": 3,
    "你好。今天好吗？很好！": 3,
    "مرحبا؟ نعم۔ حسنا.": 3,
    "አንድ። ሁለት።": 2,
    "1. Breathe in.\n2. Breathe out.": 2,
    "The year was 2024. Then it ended.": 2,
    "z. B. hier. Gut.": 2,
    "彼は「行く。」と言った。終わり。": 2,
    "「はい。」「いいえ。」": 2,
    "ई.पू. 500 में। ठीक।": 2,
    "रु. 500 दिए। ठीक।": 2,
    "EE.UU. es grande. Sí.": 2,
    "Vea la pág. 5 hoy. Fin.": 2,
    "She is 6 ft. tall. Good.": 2,
    "د. أحمد جاء. ثم ذهب.": 2,
}


@pytest.mark.parametrize(("text", "count"), CUT.items())
def test_sentences_end_where_they_end(text, count):
    clauses = list(parse(text).clauses)
    assert len(clauses) == count, [clause.text for clause in clauses]
    assert " ".join(" ".join(clause.text for clause in clauses).split()).replace(" ", "") == "".join(text.split())


ORDINALS = {
    ("de", "Am 3. Mai beginnt es. Gut."): 2,
    ("de", "Vom 1. bis 5. Juni. Gut."): 2,
    ("de", "Beim 2. Atemzug wird es still. Gut."): 2,
    ("de-AT", "Im 19. und 20. Jahrhundert."): 2,
    ("de", "Zähle bis 3. Dann atme aus."): 2,
    ("de", "Es war 1999. Mairegen fiel."): 2,
    ("cs", "Dne 3. května to začne. Dobře."): 2,
    ("da", "Den 3. maj begynder det. Godt."): 2,
    ("en", "Count to 3. then rest. Good."): 3,
    ("en", "Choose the 3. May it help."): 2,
}


@pytest.mark.parametrize(("written", "count"), ORDINALS.items())
def test_an_ordinal_goes_on_in_languages_that_write_it_with_a_full_stop(written, count):
    language, text = written
    assert len(texts(text, language=language)) == count
    assert len(texts(f"Language: {language}\n{text}")) == count


def texts(text, **settings):
    return [clause.text for clause in parse(text, Reading(**settings)).clauses]


def test_a_line_break_ends_a_clause():
    assert texts("The river runs\nThe mountain waits") == ["The river runs", "The mountain waits"]


@pytest.mark.parametrize("mark", list(",،、，;:—–"))
def test_a_line_that_ends_in_a_comma_or_its_kin_carries_on(mark):
    assert len(texts(f"> The river runs{mark}\n> The mountain waits.")) == 1


def test_a_line_that_begins_in_lower_case_is_wrapped_text():
    assert texts("The river runs\nto the sea.") == ["The river runs to the sea."]


def test_a_blank_line_always_ends_a_clause():
    assert texts("The river runs,\n\nto the sea.") == ["The river runs,", "to the sea."]


def test_wrapped_japanese_gets_no_space():
    assert texts("静かに、\n息を吸います。") == ["静かに、息を吸います。"]


def test_clauses_are_cut_at_commas_when_asked():
    assert texts("Breathe in, slowly; now: rest — so. I paid 1,000, at 10:30.", granularity="clause") == [
        "Breathe in,",
        "slowly;",
        "now:",
        "rest —",
        "so.",
        "I paid 1,000,",
        "at 10:30.",
    ]


def test_a_dash_between_spaces_is_a_comma():
    script = parse("> One – two -- three - four.", Reading(granularity="clause"))
    assert [clause.pause.seconds for clause in script.clauses] == [0.5, 0.5, 0.5, 1.5]


def test_default_pauses_depend_on_the_end_of_the_clause():
    reading = Reading(granularity="clause", sentence_pause=3, comma_pause=2, fragment_pause=1)
    script = parse("Breathe in, and “out.”\nRest\nSleep", reading)
    assert [clause.pause.seconds for clause in script.clauses] == [2, 3, 1, 1]
    assert {clause.pause.source for clause in script.clauses} == {"default"}


def test_tags_belong_to_the_clause_that_follows_or_to_the_last():
    script = parse("[warm] Hello. [whispers] Come [softly] here. [laughs]\nGood.\n\n[sighs]")
    assert [(clause.text, clause.tags) for clause in script.clauses] == [
        ("Hello.", ("warm",)),
        ("Come here.", ("whispers", "softly", "laughs")),
        ("Good.", ("sighs",)),
    ]


def test_a_tag_on_its_own_line_belongs_to_the_clause_that_follows():
    script = parse("Hello.\n[warm]\nGood night.")
    assert [clause.tags for clause in script.clauses] == [(), ("warm",)]


MARKDOWN = {
    "*Calm* and **still** and __deep__ and `so`.": "Calm and still and deep and so.",
    "Keep snake_case_words and 2*3 and 2 * 3.": "Keep snake_case_words and 2*3 and 2 * 3.",
    "- A mat.": "A mat.",
    "* A pillow.": "A pillow.",
    "> Quiet now.": "Quiet now.",
    "See [the page](https://x.org/a_b) now.": "See the page now.",
    "Go <!-- not said --> on.": "Go on.",
    "So <emphasis>calm</emphasis> here.": "So calm here.",
    "Do not ~~run~~ walk.": "Do not run walk.",
    "A 😀 smile.": "A 😀 smile.",
}


@pytest.mark.parametrize(("text", "spoken"), MARKDOWN.items())
def test_markdown_is_dropped_from_what_is_spoken(text, spoken):
    assert texts(text) == [spoken]


def test_rules_and_comment_lines_are_nothing():
    assert texts("One.\n---\nTwo.\n***\n<!-- a\nb -->\nThree.") == ["One.", "Two.", "Three."]


def test_emoji_alone_are_not_spoken_alone():
    assert texts("Hello. 😀\n🎉🎉\nBye.") == ["Hello. 😀", "Bye."]


def test_places_count_from_one_in_the_authors_text():
    script = parse("\ufeffHi.\r\n\r\n  \u200b**So** it\x00 is. <!-- x --> Bye.\u2028Now.")
    assert script.text == "Hi.\n\n  \u200b**So** it\x00 is. <!-- x --> Bye.\nNow."
    found = [(clause.text, clause.line, clause.column, script.text[clause.start]) for clause in script.clauses]
    assert found == [("Hi.", 1, 1, "H"), ("So it is.", 3, 6, "S"), ("Bye.", 3, 30, "B"), ("Now.", 4, 1, "N")]
    assert [script.text[clause.start : clause.end] for clause in script.clauses][1] == "So** it\x00 is."


@pytest.mark.parametrize(
    "text",
    [
        "word " * 5000,
        "one, two three four five, " * 300,
        "中" * 9000,
        "क्षि" * 3000,
        "a" * 10_000,
        "e\u0301" * 3000 + ".",
    ],
)
def test_a_sentence_too_long_for_one_breath_is_cut_and_nothing_of_it_is_lost(text):
    script = parse(text)
    clauses = list(script.clauses)
    assert all(len(clause.text) <= LONGEST_CLAUSE + 1 for clause in clauses)  # a full stop may follow
    assert "".join(clause.text for clause in clauses).replace(" ", "") == text.replace(" ", "")
    assert all(unicodedata.category(clause.text[0])[0] != "M" for clause in clauses)
    warnings = [each for each in script.diagnostics if each.level == "warning"]
    assert len(clauses) - 1 <= len(warnings) <= len(clauses)


def test_dates_go_on():
    texts = [clause.text for clause in parse("Meet me on 24 Dec. at noon. १९४७ ई. में मिले।").clauses]
    assert texts == ["Meet me on 24 Dec. at noon.", "१९४७ ई. में मिले।"]
