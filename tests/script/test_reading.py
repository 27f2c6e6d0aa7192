import json
import time
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from luma_studio.errors import ScriptError
from luma_studio.script import decode, draw_outline, language_of, outline, parse
from luma_studio.settings import Reading

WORDS = ["Breathe", "rest", "शांत", "साँस", "静か", "مرحبا", "5", "3.5", "१२", "Ünder", "e.g.", "Dr.", "don’t", "U.S."]
SEPARATORS = [
    " ",
    ", ",
    ". ",
    "… ",
    "। ",
    "! ",
    " — ",
    "\n",
    ",\n",
    ".\n",
    ".\n\n",
    " *",
    "* ",
    ' "',
    '" ',
    " 😀 ",
    "\u200b",
]
SILENT = [
    " (5 sec) ",
    "\n(1:30)\n",
    " [warm] ",
    " [pause] ",
    ' <break time="1s"/> ',
    "\n\n---\n\n",
    " <!-- x --> ",
    "（秒5秒）",
]

scripts = st.lists(
    st.one_of(st.sampled_from(WORDS), st.sampled_from(SEPARATORS), st.sampled_from(SILENT)), max_size=40
).map(lambda pieces: "> Begin " + "".join(pieces))


def letters(text):
    return [character for character in text if character.isalnum()]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*WORDS, "Hello, (gently) now."]),
            st.sampled_from(SEPARATORS),
            st.sampled_from(["", *SILENT]),
        ),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from(["sentence", "clause"]),
)
def test_every_letter_is_spoken_once_and_in_order(pieces, granularity):
    text = "".join(
        word + separator.replace("\n", "\n> ") + silent.replace("\n", "\n> ") for word, separator, silent in pieces
    )
    spoken = "".join(word for word, _, _ in pieces)
    script = parse("> " + text, Reading(granularity=granularity))
    assert letters("".join(clause.text for clause in script.clauses)) == letters(spoken)


def assert_laws(script):
    end = 0
    starts = [0]
    for line in script.text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for clause in script.clauses:
        assert any(map(str.isalnum, clause.text))
        assert clause.text == " ".join(clause.text.split())
        assert end <= clause.start < clause.end <= len(script.text)
        assert starts[clause.line - 1] + clause.column - 1 == clause.start
        assert clause.text[0] == script.text[clause.start]
        assert clause.pause.seconds >= 0
        end = clause.end
    assert len({scene.id for scene in script.scenes}) == len(script.scenes)
    for found in script.diagnostics:
        assert 1 <= found.line < len(starts)
        assert found.column >= 1
    json.dumps(outline(script)).encode()
    draw_outline(script)


anything = st.one_of(
    scripts,
    st.text(max_size=200),
    st.text(alphabet='aA1 .,"“”()[]{}<>*_#>-:\n\r\t\u200d\u200b\ufeff\x00\u2028अ।秒sS', max_size=200),
    st.lists(
        st.sampled_from(
            [
                "[Scene 1 – A]\n",
                "[Scene]\n",
                "Scene 2: B\n",
                "Visual: x\n",
                'Dialogue (VO): "',
                'Hello."\n',
                "Dialogue: hi\n",
                "plain line\n",
                "(5 sec)\n",
                "[warm]\n",
                "\n",
                "Language: xx\n",
                "Scene 2 heygen id: y\n",
                "# H\n",
                "<!-- ",
                "-->",
            ]
        ),
        max_size=20,
    ).map("".join),
)


@settings(max_examples=300)
@given(anything, st.sampled_from(["sentence", "clause"]))
@example("a\ud800b", "sentence")
@example("\u200d(a", "clause")
def test_any_text_is_survived(text, granularity):
    try:
        script = parse(text, Reading(granularity=granularity))
    except ScriptError:
        return
    assert_laws(script)


@given(scripts)
def test_what_can_be_spoken_is_never_refused(text):
    assert list(parse(text).clauses)


@given(st.binary(max_size=60))
def test_any_bytes_become_text_or_one_clear_error(data):
    try:
        assert isinstance(decode(data), str)
    except ScriptError as error:
        assert "\n" not in str(error)


def test_bytes_are_read_as_utf8_with_or_without_a_mark_and_utf16_with_one():
    assert decode("नमस्ते".encode()) == decode("नमस्ते".encode("utf-8-sig")) == decode("नमस्ते".encode("utf-16")) == "नमस्ते"


@pytest.mark.parametrize(("data", "byte"), [(b"Hi \xe9t\xe9", "byte 4"), (b"\xef\xbb\xbfHi \xff", "byte 7")])
def test_bytes_that_are_not_utf8_are_named(data, byte):
    with pytest.raises(ScriptError, match=f"{byte} .*UTF-8"):
        decode(data)


@pytest.mark.parametrize("text", ["", " \n\t", "# Only a header", "(5 sec)", "...", "😀", "<!-- x -->", "[warm]"])
def test_nothing_to_speak_is_one_clear_error(text):
    with pytest.raises(ScriptError, match="write at least one sentence"):
        parse(text)


def test_an_empty_file_is_one_clear_error():
    with pytest.raises(ScriptError, match="empty"):
        decode(b"")


@pytest.mark.parametrize(
    ("text", "fallback", "language"),
    [
        ("नमस्ते", "en", "hi"),
        ("नमस्ते", "mr", "mr"),
        ("नमस्ते", "mr-IN", "mr"),
        ("Namaste", "hi", "hi"),
        ("Bonjour", "fr", "fr"),
        ("Hello", "", "en"),
        ("مرحبا", "en", "ar"),
        ("سلام", "fa", "fa"),
        ("静か", "en", "ja"),
        ("安静", "en", "zh"),
        ("安静", "ja", "ja"),
        ("வணக்கம்", "hi", "ta"),
        ("OK नमस्ते दोस्तों", "en", "hi"),
        ("Hello everyone नमस्ते", "en", "en"),
        ("123", "hi", "hi"),
        ("Привет", "uk", "uk"),
    ],
)
def test_the_writing_system_tells_the_language(text, fallback, language):
    assert language_of(text, fallback) == language


@pytest.mark.parametrize(
    "line", ["Language: Hindi", "Language: hi", "**Language:** hi-IN", "भाषा: हिन्दी", "language : HINDI"]
)
def test_a_language_line_says_it_where_the_script_cannot(line):
    (clause,) = parse(f"{line}\nAb aap aankhen band karein.", Reading(language="fr")).clauses
    assert clause.language == "hi"


def test_a_sentence_about_a_language_is_spoken():
    script = parse("Hello.\nLanguage: Hindi is spoken here.\nBye.")
    assert [(clause.text, clause.language) for clause in script.clauses][1:] == [
        ("Language: Hindi is spoken here.", "en"),
        ("Bye.", "en"),
    ]


def test_an_unknown_language_is_reported():
    script = parse("Language: Klingonese\nHello there.")
    assert [clause.text for clause in script.clauses] == ["Hello there."]
    assert [(found.line, found.level) for found in script.diagnostics] == [(1, "warning")]


def test_bare_numbers_are_counted_in_the_language_around_them():
    assert [clause.language for clause in parse("> गिनें।\n> 5...\n> 4...").clauses] == ["hi", "hi", "hi"]


def test_the_outline_has_the_promised_shape():
    script = parse("# One\n(1 sec)\n[warm] Hello. (5-10 sec)\n(5 secnds)")
    found = outline(script)
    assert found["scenes"] == [
        {
            "id": "scene_1",
            "title": "One",
            "line": 1,
            "lead_in_seconds": 1.0,
            "clauses": [
                {
                    "text": "Hello.",
                    "speaker": None,
                    "tags": ["warm"],
                    "line": 3,
                    "pause": {"seconds": 7.5, "source": "written", "least": 5.0, "most": 10.0},
                }
            ],
        }
    ]
    assert [set(entry) for entry in found["diagnostics"]] == [{"line", "column", "level", "message"}]
    drawn = draw_outline(script)
    for shown in ("header “One”", "[warm] Hello.", "7.5 s written, 5 to 10 s", "4:1 warning:", "silence 1 s"):
        assert shown in drawn


LONG = {
    "english": "Intro\nClose your eyes, Dr. Smith said... (5 sec)\nIt is 3.5 *miles*, e.g. far.\n\n",
    "hindi": "अब अपनी सांस छोड़ें और कंधों को ढीला छोड़ दें। ",
    "production": '[Scene 1 – A]\nVisual: x\nDialogue (VO): "Welcome."\n\n',
    "unclosed": '[Scene 1]\nDialogue (VO): "a\n\nb\n',
    "verse": "The river runs\n\n",
    "notes": "(5 sec) ",
    "one note a mark": "a (5 sec) .",
    "broken notes": "(5 secnds) ",
    "notes over lines": "(5\nsec)\n",
    "unclosed over lines": "(5\n",
    "quotes around notes": '"a (1 sec)" ',
    "breaks": '<break time="1s"/>',
    **{
        repr(piece): piece
        for piece in [" ", "5", "(", "(1 ", "[", "[a](", "<break", "<!--", "\n", ",", ", ", '"', "“", "*", "* "]
    },
    **{
        repr(piece): piece
        for piece in ["_a", ".", ". ", "Dr. ", "e.g. ", "http://a.b/c?d!", "a\u200d", "> ", "- ", "「", "अ", "।"]
    },
}


def seconds_to_read(text, granularity):
    best = float("inf")
    for _ in range(3):
        begin = time.process_time()
        with suppress(ScriptError):
            parse(text, Reading(granularity=granularity))
        best = min(best, time.process_time() - begin)
    return best


@pytest.mark.parametrize("piece", LONG.values(), ids=LONG.keys())
def test_reading_takes_time_in_proportion_to_length(piece):
    size = 50_000
    text = piece * (4 * size // len(piece))
    short, long = seconds_to_read(text[:size], "clause"), seconds_to_read(text, "clause")
    # Four times the text: 4 is linear, 16 is quadratic. What takes no time at all cannot be compared.
    # Other work on the machine may make one of them twice as slow.
    assert long < 10 * short + 0.02
    assert long < 5
