"""Cutting and joining: no sample twice, none of speech lost, and times in a piece that are those of the recording."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from helpers.recordings import talk, words
from helpers.transcripts import heard
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_studio.transcripts import Segment, TimedWord, TranscriberChoice
from luma_studio.transcripts.base import RATE, Heard, Span
from luma_studio.transcripts.cutting import Part, parts
from luma_studio.transcripts.incoming import packed
from luma_studio.transcripts.joining import joined

CHOICE = TranscriberChoice.parse("openai:whisper-1")


def cut(sound, longest, blocks=10_000):
    return list(parts((sound[at : at + blocks] for at in range(0, len(sound), blocks)), longest))


def told(piece: Part) -> tuple[tuple[Span, ...], Heard]:
    """What one hears in a piece."""
    found = heard(piece.samples, RATE)
    timed = tuple(TimedWord(word.text, word.start, word.end) for word in found)
    return piece.spans, Heard(" ".join(word.text for word in found), words=timed)


@st.composite
def talks(draw):
    """Lines with silences between them, short and long, and how long it lasts."""
    at, lines = draw(st.floats(0, 15)), []
    for _ in range(draw(st.integers(1, 8))):
        text = draw(st.sampled_from(["hello", "one more thing", "so it goes on and on for a while", "a"]))
        lines.append((at, text))
        at += len(text) * 0.06 + 0.08 + draw(st.sampled_from([0.15, 0.3, 1.0, 1.9, 2.1, 5.0, 30.0]))
    return lines, at + draw(st.floats(0, 10))


@settings(max_examples=30)
@given(talks(), st.integers(3, 30), st.integers(700, 200_000))
def test_every_word_is_heard_once_and_when_it_is_spoken(talked, longest, blocks):
    lines, seconds = talked
    sound = talk(lines, seconds, RATE)
    made = cut(sound, longest, blocks)
    assert all(len(piece.samples) <= longest * RATE for piece in made)
    spans = [span for piece in made for span in piece.spans]
    assert all(earlier.last <= later.first for earlier, later in itertools.pairwise(spans))
    for piece in made:
        kept = np.concatenate([sound[span.first : span.last] for span in piece.spans])
        assert np.array_equal(piece.samples[: len(kept)], kept)
        assert not piece.samples[len(kept) :].any()
    found = joined([told(piece) for piece in made], CHOICE, seconds).words
    expected = words(lines)
    assert [word.text for word in found] == [word.text for word in expected]
    for word, known in zip(found, expected, strict=True):
        assert (word.start, word.end) == pytest.approx((known.start, known.end), abs=0.001)


def test_long_silences_are_not_sent_and_short_ones_are():
    lines = [(1.0, "hello"), (3.0, "there"), (600.0, "thanks")]
    (piece,) = cut(talk(lines, 900.0, RATE), 300)
    assert len(piece.samples) < 6 * RATE
    assert [round(span.last / RATE - span.first / RATE, 1) for span in piece.spans] == [3.8, 1.4]


def test_speech_without_a_pause_is_cut_where_it_is_quietest_and_no_sample_is_lost():
    time = np.arange(60 * RATE) / RATE
    loudness = 0.4 + 0.35 * np.cos(2 * np.pi * time / 7)  # quietest at 3.5 s, 10.5 s, …
    sound = np.int16(20000 * loudness * np.sin(2 * np.pi * 300 * time))
    made = cut(sound, 20)
    assert np.array_equal(np.concatenate([piece.samples for piece in made]), sound)
    inner = [packed(piece).end for piece in made[:-1]]
    assert len(inner) >= 3
    assert all(abs((end - 3.5) % 7 - 7 * round((end - 3.5) % 7 / 7)) < 0.5 for end in inner)


def test_a_word_is_not_cut_where_there_is_a_pause():
    lines = [(float(second), "on and on") for second in range(120)]
    made = cut(talk(lines, 121.0, RATE), 10)
    assert len(made) > 10
    assert "".join(told(piece)[1].text.replace(" ", "") for piece in made) == "onandon" * 120


def test_a_sound_shorter_than_vendors_take_is_filled_up():
    (piece,) = cut(talk([(0.0, "a")], 0.12, RATE), 300)
    assert len(piece.samples) == 0.5 * RATE
    assert piece.spans == (Span(0, round(0.12 * RATE)),)


def test_nothing_that_sounds_is_no_piece():
    assert cut(np.zeros(RATE * 100, np.int16), 10) == []
    assert list(parts(iter([]), 10)) == []


def test_however_a_sound_comes_its_pieces_have_the_same_name():
    sound = talk([(float(second), f"line {second}") for second in range(0, 50, 2)], 50.0, RATE)
    names = [
        [packed(piece).key({"engine": "fake"}) for piece in cut(sound, 15, blocks)] for blocks in (333, 16_000, 10**6)
    ]
    assert names[0] == names[1] == names[2]
    assert len(set(names[0])) == len(names[0]) > 1
    assert packed(cut(sound, 15)[0]).key({"engine": "other"}) != names[0][0]


# Joining


SPANS = (Span(0, 3 * RATE, tail=RATE // 2), Span(100 * RATE, 103 * RATE, lead=RATE // 2))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0.5, 1.0, (0.5, 1.0)),
        (3.6, 4.0, (100.6, 101.0)),
        (2.7, 4.0, (100.5, 101.0)),  # begun in the silence before it: it begins with the first sound after that
        (1.0, 3.4, (1.0, 2.5)),  # ended in the silence after it
        (1.0, 4.0, (1.0, 101.0)),  # it goes over the silence
        (5.5, 99.0, (102.5, 103.0)),
        (2.0, 1.0, (2.0, 2.0)),
    ],
)
def test_times_beside_a_silence_that_was_left_out(start, end, expected):
    (word,) = joined([(SPANS, Heard("so", words=(TimedWord("so", start, end),)))], CHOICE, 110.0).words
    assert (word.start, word.end) == pytest.approx(expected)


def test_where_a_model_tells_no_times_each_piece_has_its_own():
    second = (Span(110 * RATE, 120 * RATE),)
    found = joined([(SPANS, Heard("one ")), (second, Heard(" two"))], CHOICE, 120.0)
    assert (found.text, found.times, found.words) == ("one two", "piece", ())
    assert found.segments == (Segment("one", 0.0, 103.0), Segment("two", 110.0, 120.0))


def test_pieces_in_which_nobody_heard_a_word_are_not_there():
    second = (Span(110 * RATE, 120 * RATE),)
    found = joined([(SPANS, Heard("")), (second, Heard("two", segments=(Segment("two", 1.0, 2.0),)))], CHOICE, 120.0)
    assert (found.text, found.times, found.segments) == ("two", "segment", (Segment("two", 111.0, 112.0),))
    assert joined([(SPANS, Heard(" "))], CHOICE, 110.0).text == ""


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["Hello.", "There."], "Hello. There."),
        (["आँखें बंद करें।", "साँस लें।"], "आँखें बंद करें। साँस लें।"),
        (["目を閉じて。", "息を吸って。"], "目を閉じて。息を吸って。"),
        (["ลืมตา", "หายใจ"], "ลืมตาหายใจ"),
        (["目を閉じて", "OK"], "目を閉じて OK"),
    ],
)
def test_texts_are_joined_as_they_are_written(parts, text):
    heard_in = [((Span(at * RATE, (at + 1) * RATE),), Heard(part)) for at, part in enumerate(parts)]
    assert joined(heard_in, CHOICE, 2.0).text == text


def test_the_language_is_the_one_that_is_spoken_longest_unless_one_was_chosen():
    heard_in = [
        ((Span(0, 5 * RATE),), Heard("hello", "en")),
        ((Span(5 * RATE, 60 * RATE),), Heard("नमस्ते", "hi")),
        ((Span(60 * RATE, 62 * RATE),), Heard("thanks", "en")),
    ]
    assert joined(heard_in, CHOICE, 62.0).language == "hi"
    assert joined(heard_in, TranscriberChoice.parse("openai:whisper-1,language=en"), 62.0).language == "en"


def test_speakers_of_several_pieces_are_not_taken_for_each_other():
    says = Heard("hello", segments=(Segment("hello", 0.0, 1.0, "A"),))
    one = joined([(SPANS, says)], CHOICE, 103.0)
    two = joined([(SPANS, says), ((Span(110 * RATE, 120 * RATE),), says)], CHOICE, 120.0)
    assert [each.speaker for each in one.segments] == ["A"]
    assert [each.speaker for each in two.segments] == ["A1", "A2"]
