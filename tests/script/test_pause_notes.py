import pytest
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.script import parse
from luma_studio.settings import Reading

TIMES = {
    "(5 sec)": 5,
    "*(10 sec)*": 10,
    "**[pause 5s]**": 5,
    "_(5 sec)_": 5,
    "[pause 5s]": 5,
    "(pause for 5 seconds)": 5,
    "(2 min)": 120,
    "(1 min 30 sec)": 90,
    "(1:30)": 90,
    "(0:05)": 5,
    "(1m30s)": 90,
    "(1.5 सेकंड)": 1.5,
    "(५ सेकंड)": 5,
    "(5 सेकंड़)": 5,
    "(5 से\u200dकंड)": 5,
    "(पाँच सेकंड)": 5,
    "(5 minat)": 300,
    "(5 segundos)": 5,
    "(1 minuto y 30 segundos)": 90,
    "(5 வினாடிகள்)": 5,
    "(5 సెకన్లు)": 5,
    "(৫ সেকেন্ড)": 5,
    "(५ सेकंद)": 5,
    "(5 સેકન્ડ)": 5,
    "(5 ਸਕਿੰਟ)": 5,
    "(5 secondes)": 5,
    "(5 Sekunden)": 5,
    "(5 secondi)": 5,
    "(٥ ثوان)": 5,
    "(١٫٥ ثانية)": 1.5,
    "（5秒）": 5,
    "(5秒間)": 5,
    "【暂停 5 秒】": 5,
    "(停顿三秒)": 3,
    "{5 sec}": 5,
    "((5 sec))": 5,
    "<5 sec>": 5,
    "<1:30>": 90,
    "＜5 sec＞": 5,
    "《5 sec》": 5,
    "\\(5 sec\\)": 5,
    "(5-second pause)": 5,
    "(5 से.)": 5,
    "(1 मि. 30 से.)": 90,
    "(5 সে.)": 5,
    "(5 సె.)": 5,
    "(5 સે.)": 5,
    "(ஐந்து வினாடிகள்)": 5,
    "(خمس ثوان)": 5,
    "(twelve seconds)": 12,
    "(twenty-five seconds)": 25,
    "(forty five seconds)": 45,
    "(half a minute)": 30,
    "(one and a half minutes)": 90,
    "(a minute and a half)": 90,
    "(eine halbe Minute)": 30,
    "（1分半）": 90,
    "（一分半钟）": 90,
    "(1:30.5)": 90.5,
    "(longer pause)": 4,
    "(थोड़ा रुकें)": 1,
    "(5\nsec)": 5,
    "(pause for\n5 seconds)": 5,
    '<break\ntime="1500ms"/>': 1.5,
    "<break time='1s'></break>": 1,
    "<pause>": 2,
    "(1500 ms)": 1.5,
    "(1,500 ms)": 1.5,
    "(1,5 sec)": 1.5,
    "(½ min)": 30,
    "(5 second pause)": 5,
    "(wait 5 seconds)": 5,
    "(hold it for 5 seconds)": 5,
    "(silence 10 sec)": 10,
    "(pause 5)": 5,
    "(pause - 5 sec)": 5,
    "(0 sec)": 0,
    "(no pause)": 0,
    "(pause)": 2,
    "[pause]": 2,
    "(विराम)": 2,
    "(short pause)": 1,
    "(छोटा विराम)": 1,
    "(long pause)": 4,
    "(pausa larga)": 4,
    '<break time="1500ms"/>': 1.5,
    "<break time='1.5s' />": 1.5,
    '<break strength="none"/>': 0,
    '<break strength="medium"/>': 1.5,
    '<break strength="x-strong"/>': 4,
    "<break/>": 1.5,
}
HOURS = {
    "(1 hour)": 3600,
    "(1 hr)": 3600,
    "(1 घंटा)": 3600,
    "(2 घंटे)": 7200,
    "(half an hour)": 1800,
    "(1h 30m)": 5400,
    "(pause 1h30)": 5400,
    "(1 Stunde)": 3600,
    "(1 heure 30)": 5400,
    "（1時間）": 3600,
    "(90 hours)": 24 * 3600,
}


@pytest.mark.parametrize(("note", "seconds"), HOURS.items())
def test_hours_are_a_pause_that_is_reported_as_long(note, seconds):
    script = parse(f"Sleep. {note}")
    assert [(clause.text, clause.pause.seconds) for clause in script.clauses] == [("Sleep.", seconds)]
    (found,) = script.diagnostics
    assert "over ten minutes" in found.message


@pytest.mark.parametrize(("note", "seconds"), TIMES.items())
def test_a_note_is_a_pause_and_is_not_spoken(note, seconds):
    script = parse(f"Breathe in. {note}\nBreathe out.")
    first, second = script.clauses
    assert (first.text, second.text) == ("Breathe in.", "Breathe out.")
    assert first.pause.seconds == pytest.approx(seconds)
    assert (first.pause.source, first.pause.least, first.pause.most) == ("written", None, None)
    assert script.diagnostics == ()


RANGES = [
    "(5-10 sec)",
    "(5 to 10 seconds)",
    "(5–10 sec)",
    "(5 से 10 सेकंड)",
    "(10-5 sec)",
    "(5〜10秒)",
    "(de 5 a 10 segundos)",
    "(from 5 to 10 seconds)",
    "(da 5 a 10 secondi)",
    "(five-ten seconds)",
]


@pytest.mark.parametrize("note", [*RANGES, "(between 5 and 10 seconds)", "(5 sec - 10 sec)"])
def test_a_range_gives_least_most_and_the_middle(note):
    pause = next(parse(f"Breathe. {note}").clauses).pause
    assert (pause.seconds, pause.least, pause.most) == (7.5, 5, 10)


SPOKEN = [
    "(5)",
    "(2024)",
    "(see page 5)",
    "(5 people)",
    "(gently)",
    "(the 80s)",
    "(1990s)",
    "(1990-2000)",
    "(John 3:16)",
    "(1:30 pm)",
    "(which is 5 seconds longer than before)",
    "(5 minutes later)",
    "(wait for it)",
    "(at 1:30)",
    "(5 m)",
    "(9h)",
    "(18:00 hours)",
    "(open 24 hours)",
    "(a few hours)",
    "(24 hours a day)",
    "(3 tours)",
    "(silence can heal us)",
    "「こんにちは」",
]


@pytest.mark.parametrize("aside", SPOKEN)
def test_an_aside_is_spoken(aside):
    (clause,) = parse(f"It was so {aside} and more.").clauses
    assert aside in clause.text


@pytest.mark.parametrize(
    "note",
    [
        "(5 secnds)",
        "(pause 5 xyz)",
        "(pause abc)",
        "(-5 sec)",
        "(NaN sec)",
        "(1/2 min)",
        "(a few seconds)",
        "(couple of seconds)",
        "(two pauses of 5 seconds)",
        "(pause before going on)",
        "(pause for a deep breath)",
        "(5 5 sec)",
        '<break time="5"/>',
    ],
)
def test_a_broken_note_is_not_spoken_and_is_reported_where_it_stands(note):
    script = parse(f"Hello there.\nBreathe in. {note} Breathe out.")
    assert [clause.text for clause in script.clauses] == ["Hello there.", "Breathe in.", "Breathe out."]
    assert list(script.clauses)[1].pause.source == "default"
    (found,) = script.diagnostics
    assert (found.line, found.column, found.level) == (2, 13, "warning")
    assert "pause note" in found.message


def test_time_that_is_told_is_spoken():
    (clause,) = parse("Hold it for 5 seconds, then let go.").clauses
    assert clause.text == "Hold it for 5 seconds, then let go."


def test_notes_in_a_row_add_up_with_their_ranges():
    pause = next(parse("Breathe. (5 sec)\n\n(5-10 sec)\n").clauses).pause
    assert (pause.seconds, pause.least, pause.most) == (12.5, 10, 15)


def test_a_note_on_its_own_line_belongs_to_the_clause_before():
    script = parse("Breathe in.\n\n(5 sec)\n\nBreathe out.")
    assert [clause.pause.seconds for clause in script.clauses] == [5, 1.5]


def test_a_note_before_the_first_clause_is_silence_at_the_start_of_the_scene():
    script = parse("# One\n(3 sec)\n(2 sec)\nHello.\n# Two\nBye.")
    assert [scene.lead_in_seconds for scene in script.scenes] == [5, 0]


def test_a_note_in_a_sentence_ends_the_clause():
    first, second = parse("Now close your eyes (5 sec) and breathe.").clauses
    assert (first.text, second.text, first.pause.seconds) == ("Now close your eyes", "and breathe.", 5)


def test_brackets_that_differ_are_a_note_and_are_reported():
    script = parse("Breathe in. (5 sec] Breathe out.")
    assert [(clause.text, clause.pause.seconds) for clause in script.clauses] == [
        ("Breathe in.", 5),
        ("Breathe out.", 1.5),
    ]
    assert [(found.line, found.column, found.level) for found in script.diagnostics] == [(1, 13, "warning")]


def test_a_note_over_a_line_end_leaves_the_places_of_what_follows():
    script = parse("Breathe in. (5\nsec) Breathe out.\nRest.")
    assert [(clause.line, clause.column) for clause in script.clauses] == [(1, 1), (2, 6), (3, 1)]


def test_an_aside_over_a_line_end_is_spoken():
    assert [clause.text for clause in parse("Breathe (as you\nlike) in.").clauses] == ["Breathe (as you like) in."]


def test_a_quote_behind_a_note_closes_what_was_quoted_before_it():
    clauses = parse('She said, "Wait for me. (3 sec)" Then she left. (1 sec) "Oh."').clauses
    assert [clause.text for clause in clauses] == ['She said, "Wait for me."', "Then she left.", '"Oh."']


def test_a_comma_between_or_behind_notes_is_not_doubled():
    clauses = parse("Breathe in, (5 sec), (5 sec), and out.").clauses
    assert [(clause.text, clause.pause.seconds) for clause in clauses] == [("Breathe in,", 10), ("and out.", 1.5)]


def test_a_broken_note_leaves_no_gap_before_a_full_stop():
    assert next(parse("Breathe out (exhale for 6 seconds).").clauses).text == "Breathe out."


def test_marks_after_a_note_stay_with_the_text_before_it():
    (clause,) = parse("Close your eyes (5 sec).").clauses
    assert (clause.text, clause.pause.seconds) == ("Close your eyes.", 5)


def test_a_pause_over_ten_minutes_is_kept_and_reported():
    script = parse("Sleep. (11 min)")
    assert next(script.clauses).pause.seconds == 660
    assert "over ten minutes" in script.diagnostics[0].message


@pytest.mark.parametrize("digits", ["9" * 30, "9" * 400])
def test_an_absurd_number_is_cut_and_reported(digits):
    script = parse(f"Sleep. ({digits} sec)")
    assert next(script.clauses).pause.seconds == 24 * 3600
    assert script.diagnostics


def test_the_silence_of_a_scene_with_nothing_to_say_is_not_lost():
    script = parse("# One\nHello.\n# Silence\n(2 min)\n# Two\nBye.")
    assert [(scene.title, scene.lead_in_seconds) for scene in script.scenes] == [("One", 0), ("Two", 120)]
    assert [found.line for found in script.diagnostics] == [3]


def test_named_pauses_come_from_the_settings():
    reading = Reading(plain_pause=7, short_pause=8, long_pause=9)
    script = parse("A. (pause) B. (short pause) C. (long pause)", reading)
    assert [clause.pause.seconds for clause in script.clauses] == [7, 8, 9]


@given(st.text(alphabet="0123456789०५.,:-–/ smincepaudtors()[]{}<>=\"'½٫秒分間से", max_size=40))
def test_any_bracket_is_survived(inside):
    parse(f"Hello. ({inside}) [{inside}] <break {inside}/> Bye.")


@pytest.mark.parametrize(
    ("note", "seconds"), [("(5 שניות)", 5), ("(2 דקות)", 120), ("(הפסקה ארוכה)", 4), ("(חמש שניות)", 5)]
)
def test_hebrew_notes_are_pauses(note, seconds):
    (clause,) = parse(f"נשום עמוק. {note}").clauses
    assert (clause.text, clause.pause.seconds) == ("נשום עמוק.", seconds)


def test_a_count_in_words_that_are_no_known_time_is_spoken_and_reported():
    script = parse("Atme ein. (5 Atemzüge) Gut.")
    assert "(5 Atemzüge)" in " ".join(clause.text for clause in script.clauses)
    (found,) = script.diagnostics
    assert found.level == "note"
    assert "no time the studio knows" in found.message
