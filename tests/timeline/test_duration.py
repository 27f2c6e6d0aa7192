from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.errors import SettingError
from luma_studio.timeline.duration import clock, samples_of


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("10:00", 600),
        ("1:02:03.5", 3723.5),
        (600, 600),
        ("90", 90),
        ("90 s", 90),
        ("26460000 samples", 600),
        ("10 min", 600),
        ("१०:००", 600),
        ("१० मिनट", 600),
        ("1,5 min", 90),
        ("1,5", 1.5),
        ("٣٠ ثانية", 30),
        ("1m 30s", 90),
        ("1 hour", 3600),
        (1.5, 1.5),
        (100 / 3, 100 / 3),
    ],
)
def test_durations_are_read_as_people_write_them(written, seconds):
    assert samples_of(written, 44100) == round(seconds * 44100)


@pytest.mark.parametrize(
    "written", ["", "ten", "-5", "1:2:3:4", "10:75", "nan", float("nan"), "1e9", float("inf"), "25:00:00", "9" * 400,
     "25 hours", "24 hours", "5-10 sec", "pause", "10 min later", "9" * 600, "1.5.5", "5 apples"]
)  # fmt: skip
def test_what_is_no_duration_is_refused_with_the_remedy(written):
    with pytest.raises(SettingError, match="Write") as refused:
        samples_of(written, 44100)
    assert "samples" not in str(refused.value)  # nobody counts in them
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize("written", ["", "  "])
def test_an_empty_duration_is_answered_with_what_to_write(written):
    with pytest.raises(SettingError, match=r"^Write how long it is to last: 10:00, 10 min or 600"):
        samples_of(written, 44100)


@given(st.integers(0, 3600 * 44100))
def test_a_clock_reads_back_within_a_millisecond(samples):
    assert abs(samples_of(clock(samples, 44100), 44100) - samples) <= 44.1 / 2 + 1
