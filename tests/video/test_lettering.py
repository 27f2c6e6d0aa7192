"""Text on pictures: shaped, broken and fitted as its writing asks; and said plainly where no font has its letters."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.filming import no_fonts
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.video.fonts import clusters, runs, unwritable
from luma_studio.video.lettering import Block, drawn, fitted, plain, writings_missing

HINDI = "अपनी आँखें बंद करें और धीरे-धीरे साँस लें"


def has_fonts_for(text: str) -> bool:
    return not writings_missing([text])


needs_hindi = pytest.mark.skipif(not has_fonts_for(HINDI), reason="no font here has Devanagari")


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.integers(60, 400), st.integers(1, 4))
def test_any_text_fits_or_is_said_to_have_no_font(text, width, lines):
    if writings_missing([text]):
        return
    block = fitted(text, 30, width, lines, 1000)
    assert len(block.lines) <= lines or block.size == 12
    picture = drawn(block, width)
    assert picture.width >= width


@given(st.text("abc de", min_size=1, max_size=120))
def test_no_word_is_lost_where_there_is_room(text):
    block = fitted(text, 20, 200, 100, 4000)
    assert "".join(block.lines).replace(" ", "") == text.replace(" ", "")
    assert block.size == 20


def test_lines_are_even():
    block = fitted("one two three four five six seven eight", 20, 300, 4, 400)
    lengths = [len(line) for line in block.lines]
    assert max(lengths) - min(lengths) <= 6


def test_a_long_word_is_broken_within_the_width():
    block = fitted("Donaudampfschifffahrtsgesellschaftskapitän", 30, 200, 9, 400)
    assert len(block.lines) > 2
    letters = np.asarray(drawn(block, 260, shadow=False))[..., 3]
    columns = np.flatnonzero(letters.max(axis=0) > 80)
    assert columns.min() >= 28
    assert columns.max() <= 232


def test_what_is_too_long_becomes_smaller_and_then_ends_in_dots():
    small = fitted("many words " * 6, 40, 300, 4, 60)
    assert 12 <= small.size < 40
    cut = fitted("many words " * 600, 40, 300, 4, 60)
    assert cut.lines[-1].endswith("…")
    assert len(cut.lines) == 3


@needs_hindi
def test_devanagari_is_shaped():
    """A short i is drawn before its letter, and a conjunct is narrower than its parts: raqm was asked."""
    (run,) = runs("क्ष")
    font = run.font.at(40)
    assert font.getlength("क्ष") < font.getlength("क") + font.getlength("ष") * 0.9
    assert "Devanagari" in run.font.path.stem or len(runs(HINDI + " Luma")) == 1


@needs_hindi
def test_letters_of_two_writings_come_from_fonts_that_have_them():
    pieces = runs("नमस्ते Luma, 😀 अच्छा")
    assert "".join(piece.text for piece in pieces).replace(" ", "").replace("😀", "") == "नमस्तेLuma,अच्छा"
    for piece in pieces:
        assert not unwritable(piece.text)


def test_marks_stay_with_their_letters():
    assert clusters("किक्षा") == ["कि", "क्षा"]
    assert clusters("e\u0301a") == ["e\u0301", "a"]


@pytest.mark.skipif(not has_fonts_for("שלום"), reason="no font here has Hebrew")
def test_what_is_read_from_the_right_begins_at_the_right():
    block = fitted("שלום Luma", 30, 300, 1, 60)
    assert block.rtl
    letters = np.asarray(drawn(block, 400, centred=False, shadow=False))[..., 3]
    alone = np.asarray(drawn(Block(("Luma",), block.size), 400, centred=False, shadow=False))[..., 3]
    wide = np.flatnonzero(alone.max(axis=0) > 80).max()
    columns = np.flatnonzero(letters.max(axis=0) > 80)
    assert columns.max() > 380
    left = letters[:, columns.min() : columns.min() + wide - 2]
    assert abs(int((left > 80).sum()) - int((alone[:, : wide - 2] > 80).sum())) < 80  # Luma is left of it


def test_what_would_turn_its_neighbours_or_break_lines_is_not_drawn():
    assert plain("a\u202eb\n\x00c\u2066 \ud800") == "ab c"


def test_emoji_that_no_font_has_are_left_out_and_letters_are_not():
    assert writings_missing(["ok 😀"]) == ""
    assert "".join(run.text for run in runs("ok \U0001f9ff!")) in {"ok !", "ok \U0001f9ff!"}
    assert writings_missing(["\U00018800\U00018801"]) != "" or has_fonts_for("\U00018800")


def test_without_fonts_every_writing_is_missing_by_its_name():
    with no_fonts():
        assert writings_missing([HINDI, "and"]) == "Devanagari and Latin"
        assert writings_missing([" ", "😀"]) == ""
    assert writings_missing(["and"]) == ""
