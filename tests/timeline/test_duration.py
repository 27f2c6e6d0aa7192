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
        (1.5, 1.5),
        (100 / 3, 100 / 3),
    ],
)
def test_durations_are_read_as_people_write_them(written, seconds):
    assert samples_of(written, 44100) == round(seconds * 44100)


@pytest.mark.parametrize(
    "written", ["", "ten", "-5", "1:2:3:4", "10:75", "nan", float("nan"), "1e9", float("inf"), "25:00:00", "9" * 400]
)
def test_what_is_no_duration_is_refused_with_the_remedy(written):
    with pytest.raises(SettingError, match="Write"):
        samples_of(written, 44100)


@given(st.integers(0, 3600 * 44100))
def test_a_clock_reads_back_within_a_millisecond(samples):
    assert abs(samples_of(clock(samples, 44100), 44100) - samples) <= 44.1 / 2 + 1
