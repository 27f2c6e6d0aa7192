"""Marks: which stretches of a text mean something of their own, for whoever colours it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_studio.errors import ScriptError
from luma_studio.script import Mark, Script, parse
from luma_studio.settings import Reading

EXAMPLES = sorted((Path(__file__).parents[2] / "notebooks" / "examples").glob("*.txt"))


def marked(text):
    script = parse(text)
    return [(script.text[mark.start : mark.end], mark.kind) for mark in script.marks]


HINDI = """Language: hi
# शुरुआत (2 sec)
[warm] आँखें बंद करें, (५ सेकंड) और साँस लें।
(विराम)

जगह और पोज़शन
यहाँ <break time="1s"/> रहें।
"""


def test_a_narration_is_marked_as_it_was_read():
    assert marked(HINDI) == [
        ("Language: hi", "setting"),
        ("# शुरुआत", "header"),
        ("(2 sec)", "pause"),
        ("[warm]", "tag"),
        ("(५ सेकंड)", "pause"),
        ("(विराम)", "pause"),
        ("जगह और पोज़शन", "header"),
        ('<break time="1s"/>', "pause"),
    ]


PRODUCTION = """Language: hi
[Scene 1 – Introduction]
(1 sec)
Visual: a desk (2 sec)
  in the morning
Dialogue (Woman, warm): [softly] "Hello [pause 5s] there." (3 sec)
- **Dialogue (VO):** "Welcome,
(2 sec) all."
[laughs]
Scene 1 heygen id: "x"
"""


def test_a_production_is_marked_as_it_was_read():
    assert marked(PRODUCTION) == [
        ("Language: hi", "setting"),
        ("[Scene 1 – Introduction]", "header"),
        ("(1 sec)", "pause"),
        ("Visual: a desk (2 sec)", "direction"),
        ("in the morning", "direction"),
        ("Dialogue (Woman, warm):", "speaker"),
        ("[softly]", "tag"),
        ("[pause 5s]", "pause"),
        ("(3 sec)", "pause"),
        ("Dialogue (VO):", "speaker"),
        ("(2 sec)", "pause"),
        ("[laughs]", "tag"),
        ('Scene 1 heygen id: "x"', "direction"),
    ]


PAUSES = [
    "(5 sec)",
    "((5 sec))",
    "( (5 sec) )",
    "\\(5 sec\\)",
    "[pause 5s]",
    "(1:30)",
    "（5秒）",
    "(pause for\n5 seconds)",
    '<break\ntime="1500ms"/>',
    "<break time='1s'>",
    "<pause>",
    "(5 sec]",
    "(5 secnds)",
    '<break time="5"/>',
    "(5 <!-- or six --> sec)",
    "(5\u200b sec)",
]


@pytest.mark.parametrize("note", PAUSES)
@pytest.mark.parametrize("around", ["Breathe in. {} Breathe out.", "In **{}**, out.", "Wait {}."])
def test_a_pause_note_is_marked_from_bracket_to_bracket(note, around):
    assert marked(around.format(note)) == [(note, "pause")]


def test_a_note_that_nobody_closed_is_marked():
    assert marked("Breathe in. (5 sec") == [("(5 sec", "pause")]
    assert marked('Breathe in. <break time="1s" Breathe out.') == [('<break time="1s"', "pause")]


def test_both_ends_of_a_break_are_marked():
    assert marked("In <break time='1s'></break> out.") == [("<break time='1s'>", "pause"), ("</break>", "pause")]


@pytest.mark.parametrize("note", ["(5 sec)", "(5s)"])  # the second reads like a Markdown link
def test_a_tag_and_a_note_with_no_space_between_are_two_marks(note):
    assert marked(f"In [warm]{note} out.") == [("[warm]", "tag"), (note, "pause")]


def test_a_mark_ends_before_a_comment_behind_it():
    assert marked("Breathe in. (5 sec)<!-- or six --> Out.") == [("(5 sec)", "pause")]


def test_a_tag_before_a_comma_is_marked_without_the_space_before_it():
    assert marked("Breathe [softly], and rest.") == [("[softly]", "tag")]


HEADERS = [
    "# The forest",
    "## **The forest** ##",
    "[Scene 2 – The forest]",
    "Scene 2: The forest",
    "दृश्य २: जंगल",
    "**Scene 2**",
]


@pytest.mark.parametrize("line", HEADERS)
def test_a_header_is_marked_as_it_was_written(line):
    assert marked(f"Hello there.\n{line}\nGood night.") == [(line, "header")]


def test_a_header_by_its_place_is_marked_to_the_end_of_its_line():
    assert marked("Beginning:\n  Close your eyes.") == [("Beginning:", "header")]


def test_a_title_that_is_spoken_is_not_marked():
    assert marked("Evening Calm\n\n# Arriving\nClose your eyes.") == [("# Arriving", "header")]


@pytest.mark.parametrize(
    "spoken", ["So (gently) now.", "It took (5 minutes later) long.", "Note: drink.", "*So* it is."]
)
def test_what_is_spoken_is_not_marked(spoken):
    assert marked(spoken) == []


def letters(text):
    return [character for character in text if character.isalnum()]


def unmarked(script: Script, start: int, end: int) -> str:
    """The text from ``start`` to ``end`` without the stretches that are marked."""
    pieces = []
    for mark in script.marks:
        if mark.end > start and mark.start < end:
            pieces.append(script.text[start : max(start, mark.start)])
            start = mark.end
    return "".join(pieces) + script.text[start:end]


def assert_marks_are_true(script):
    at = 0
    for mark in script.marks:
        assert at <= mark.start < mark.end <= len(script.text)
        stretch = script.text[mark.start : mark.end]
        assert stretch == stretch.strip()
        at = mark.end
    for clause in script.clauses:
        # Nothing that is spoken is inside a mark: outside them stands all of it, in order.
        left = iter(unmarked(script, clause.start, clause.end))
        assert all(character in left for character in clause.text if not character.isspace()), clause


PIECES = [
    "Breathe ",
    "शांत ",
    "5 ",
    "in. ",
    ", ",
    "“Come.” ",
    '"',
    "*",
    "\n",
    "\n\n",
    "(5 sec)",
    "( (५ सेकंड) )",
    "(1 hour)",
    "[warm]",
    "[a](5s)",
    '<break time="1s"/>',
    "</break>",
    "(5 secnds)",
    "(pause for\n2 sec)",
    "\n# Forest (2 sec)\n",
    "\n**Scene 2** (1:30) (2 sec)\n",
    "\n\nBeginning\n",
    "\n[Scene 1 – A]\n",
    "\nVisual: x (5 sec)\n",
    '\nDialogue (VO, 2 sec): "',
    "\n- **Dialogue (Woman):** ",
    "\nLanguage: hi\n",
    "\nSFX: birds\nand bees\n",
    "<!-- x -->",
    "\u200b",
    "\ufeff",
    "- ",
    "> ",
    "\\",
    "(",
    ")",
    "[",
    "]",
    "\r\n",
    "\u2028",
]
pieced = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
anything = st.one_of(
    pieced, st.text(max_size=200), st.text('aA1 .,"“”()[]{}<>*_#>-:\n\r\u200d\u200b\ufeff\\अ।秒s', max_size=200)
)


@settings(max_examples=500)
@given(anything, st.sampled_from(["sentence", "clause"]))
def test_marks_are_in_order_and_apart_and_never_on_what_is_spoken(text, granularity):
    try:
        script = parse(text, Reading(granularity=granularity))
    except ScriptError:
        return
    assert_marks_are_true(script)


DROPPED = ["(5 sec)", "((५ सेकंड))", "[warm]", '<break time="1s"/>', "(5 secnds)", "[a](2s)", "(pause for\n2 sec)"]
LINES = ["# Forest (2 sec)", "Scene 2: A", "Language: hi", "(3 sec)", "[sighs]", "[Scene 3 – B]", "**Part 2**"]
NARRATED = ["Breathe in, ", "शांत ", "So. ", "“Come (gently).” ", "*Now* ", "1. Sit "]
narrations = st.lists(
    st.one_of(
        st.lists(st.sampled_from([*NARRATED, *DROPPED]), min_size=1, max_size=6).map(lambda line: "> " + "".join(line)),
        st.sampled_from(LINES),
        st.just(""),
    ),
    max_size=12,
).map(lambda lines: "\n".join(["> Begin.", *lines]))


DIALOGUE = ["Breathe in, ", "शांत। ", "So (gently) now. ", "*Now* ", *DROPPED]
SAID = ["Dialogue (VO): ", "- **Dialogue (Woman, warm):** ", "VO: ", "संवाद (महिला, 2 sec): "]
KEPT = ["Visual: a desk (5 sec)", "SFX: birds\n  and bees", "(Music: a flute)", "Scene 1 heygen id: x", *LINES]
quoted = st.lists(st.sampled_from(DIALOGUE), min_size=1, max_size=6).map(lambda said: f'"Yes. {"".join(said)}"')
productions = st.lists(
    st.one_of(st.tuples(st.sampled_from(SAID), quoted).map("".join), st.sampled_from(KEPT), st.just("")), max_size=12
).map(lambda lines: "\n".join(["[Scene 1 – A]", 'Dialogue (VO): "Begin."', *lines]))


@settings(max_examples=300)
@given(st.one_of(narrations, productions))
def test_whatever_is_not_spoken_is_marked(text):
    script = parse(text)
    spoken = "".join(clause.text for clause in script.clauses)
    assert letters(unmarked(script, 0, len(script.text))) == letters(spoken)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_in_the_examples_everything_is_either_spoken_or_marked(path):
    script = parse(path.read_text(encoding="utf-8"))
    assert_marks_are_true(script)
    spoken = "".join(clause.text for clause in script.clauses)
    assert letters(unmarked(script, 0, len(script.text))) == letters(spoken)


LINE_ENDS = str.maketrans(dict.fromkeys("\x0b\x0c\x85\u2028\u2029", "\n"))


@given(anything.filter(lambda text: "\r" not in text and not text.startswith("\ufeff")))
def test_offsets_into_a_text_from_a_page_are_offsets_into_the_scripts(text):
    try:
        script = parse(text)
    except ScriptError:
        return
    assert script.text == text.translate(LINE_ENDS)  # one character for one
    assert all(text[clause.start] == clause.text[0] for clause in script.clauses)


def test_places_count_characters_not_bytes_or_utf16():
    assert parse("\ufeff😀 नमस्ते। (5 sec)\r\nRest. (2 sec)").marks == (Mark(10, 17, "pause"), Mark(24, 31, "pause"))
