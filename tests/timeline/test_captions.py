from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from helpers.fakes import words
from helpers.making import RATE, one_scene, take
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.script.model import Clause, Pause
from luma_studio.settings import Sound
from luma_studio.timeline.arrange import arrange
from luma_studio.timeline.captions import LINE, captions, to_srt, to_vtt

TEXTS = st.text(st.sampled_from("abc अआा漢字、。.<>&-"), min_size=1, max_size=400).map(
    lambda t: " ".join(t.split()) or "a"
)


def spoken(*texts: str, speaker: str | None = None):
    clauses = [Clause(text, speaker, "en", (), Pause(1.0), 1, 1, 0, len(text)) for text in texts]
    takes = [
        replace(
            take(int((len(text) * 0.06 + 0.3) * RATE), RATE // 10, int((0.1 + len(text) * 0.06) * RATE)),
            words=words(text),
        )
        for text in texts
    ]
    timeline = arrange(takes, [clause.pause for clause in clauses], one_scene(len(takes)), Sound())
    return captions(timeline, clauses), timeline


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_every_cue_has_at_most_two_lines_of_42_characters_and_all_text_is_there(texts):
    cues, _ = spoken(*texts)
    for cue in cues:
        assert 1 <= len(cue.lines) <= 2
        assert all(0 < len(line) <= LINE for line in cue.lines)
    shown = "".join("".join(cue.lines) for cue in cues).replace(" ", "")
    assert shown == "".join(texts).replace(" ", "")


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_cues_are_in_order_and_never_two_at_once(texts):
    cues, timeline = spoken(*texts)
    assert cues[0].start >= 0
    assert cues[-1].end <= timeline.length / RATE + 1e-9
    assert all(cue.start <= cue.end for cue in cues)
    assert all(first.end <= second.start for first, second in pairwise(cues))


def test_a_long_clause_is_broken_where_its_words_are_heard():
    text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    (first, second), timeline = spoken(text)
    at = text.index(second.lines[0])
    assert second.start == pytest.approx(timeline.speech_start[0] / RATE + at * 0.06, abs=0.001)
    assert first.end <= second.start


def test_lines_are_about_as_long_as_each_other():
    (cue,), _ = spoken("Close your eyes now and breathe in very slowly.")
    assert max(map(len, cue.lines)) - min(map(len, cue.lines)) <= 8


def test_srt_and_vtt_are_written_as_players_read_them():
    cues, _ = spoken("Is 1 < 2 & 3 > 2?", speaker="Woman <1>")
    start = "00:00:00,030 --> 00:00:01,650"
    assert to_srt(cues) == f"1\n{start}\nIs 1 < 2 & 3 > 2?\n\n"
    assert to_vtt(cues) == (
        f"WEBVTT\n\n{start.replace(',', '.')}\n<v Woman &lt;1&gt;>Is 1 &lt; 2 &amp; 3 &gt; 2?</v>\n\n"
    )
