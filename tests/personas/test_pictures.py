"""A picture is whole, or is told to be damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from personas.conftest import png

from luma_studio.persona.pictures import Picture, look
from luma_studio.shipped import shipped

PNG = png(300, 400)
JPEG = (shipped("personas") / "avatars" / "otto.jpg").read_bytes()


def test_kind_and_size_are_told():
    assert look(PNG) == Picture("png", 300, 400)
    assert look(JPEG) == Picture("jpeg", 720, 1280)


@given(st.integers(0, len(PNG) - 1), st.integers(1, 255))
def test_one_changed_byte_of_a_png_is_found(place, change):
    data = bytearray(PNG)
    data[place] ^= change
    with pytest.raises(ValueError, match=r"damaged|no PNG"):
        look(bytes(data))


@given(st.sampled_from([PNG, JPEG]), st.floats(0, 0.999))
def test_a_picture_that_ends_too_early_is_found(data, share):
    with pytest.raises(ValueError, match=r"damaged|no PNG"):
        look(data[: int(len(data) * share)])


@given(st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"\xff\xd8\xff\xff", JPEG[:600]]), st.binary())
def test_any_bytes_are_a_picture_or_told(head, rest):
    with pytest.raises(ValueError, match=r"damaged|no PNG|pixels"):
        look(head + rest)
