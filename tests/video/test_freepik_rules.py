"""What Kling 2.1 takes: each rule is checked before anything is sent, and told in a sentence of its own."""

from __future__ import annotations

import base64
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from helpers import contracts
from helpers.engines import animated, freepik, moving, priced, unpriced
from helpers.films import still
from helpers.vendors import Request
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.errors import NoKeyError, SettingError, StoreError
from luma_studio.video import kling
from luma_studio.video.base import EngineChoice, Mask, Motion, Photo, Still, fingerprint
from luma_studio.video.freepik import Freepik
from luma_studio.wire import Wires

LINE = ((10, 10), (200, 10))
ADDRESS = "https://pictures.example.com/beach.png"


def refused(motion: Motion) -> str:
    with pytest.raises(SettingError) as told:
        kling.check(motion)
    return str(told.value)


def masked(picture: Still, count: int = 1, line: tuple[tuple[int, int], ...] = LINE) -> tuple[Mask, ...]:
    return tuple(Mask(picture, line) for _ in range(count))


@pytest.fixture
def beach(workspace: Path) -> Still:
    return still(workspace / "beach.png")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seconds": 7}, "lasts 5 or 10 seconds, not 7"),
        ({"seconds": "5"}, "lasts 5 or 10 seconds, not '5'"),
        ({"seconds": True}, "lasts 5 or 10 seconds"),
        ({"guidance": 7.5}, "from 0 to 1, not 7.5"),
        ({"guidance": -0.1}, "from 0 to 1"),
        ({"guidance": float("nan")}, "from 0 to 1"),
        ({"guidance": True}, "from 0 to 1"),
        ({"prompt": "x" * 2501}, "The prompt has 2,501 characters; Kling 2.1 takes 2,500"),
        ({"negative_prompt": "x" * 2501}, "The negative prompt has 2,501 characters"),
        ({"webhook": "http://hooks.example.com/x"}, "The webhook's address 'http://hooks.example.com/x' is none"),
        ({"webhook": "https://localhost/x"}, "that Freepik can reach"),
        ({"webhook": "https://10.0.0.7/x"}, "that Freepik can reach"),
        ({"webhook": "https://me:secret@hooks.example.com/x"}, "without name and password"),
        ({"webhook": "https://hooks.example.com:99999/x"}, "that Freepik can reach"),
        ({"webhook": "https://hooks.example.com/a b"}, "that Freepik can reach"),
        ({"webhook": "https://[::1"}, "that Freepik can reach"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_sent(beach, changes, words):
    assert words in refused(moving(beach, **changes))


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((299, 400), "beach.png (299x400) is too small: Kling 2.1 needs 300x300"),
        ((400, 299), "(400x299) is too small"),
        ((300, 751), "(300x751) is too long: Kling 2.1 takes shapes from 1:2.5 to 2.5:1"),
        ((751, 300), "(751x300) is too long"),
    ],
)
def test_a_picture_too_small_or_too_long_is_told(workspace, size, words):
    assert words in refused(moving(still(workspace / "beach.png", *size)))


@pytest.mark.parametrize("size", [(300, 300), (300, 750), (750, 300)])
def test_a_picture_at_the_bounds_may_be(workspace, size):
    kling.check(moving(still(workspace / "beach.png", *size)))


def test_a_picture_of_more_than_ten_megabytes_is_told(beach):
    os.truncate(beach.path, 10_000_000)
    kling.check(moving(beach))
    os.truncate(beach.path, 10_000_001)
    assert "beach.png has 10.0 MB; Kling 2.1 takes 10 MB at most" in refused(moving(beach))


def test_a_picture_that_is_gone_or_was_changed_is_told(beach):
    still(beach.path, colour="red")
    with pytest.raises(SettingError, match=r"beach\.png was changed meanwhile"):
        kling.body(moving(beach))
    beach.path.unlink()
    with pytest.raises(StoreError, match="does not exist"):
        kling.check(moving(beach))


def test_without_a_picture_there_must_be_a_prompt(beach):
    assert "neither a picture nor a prompt" in refused(moving(prompt=" "))
    kling.check(moving(prompt="Waves."))
    kling.check(moving(beach, prompt=""))
    kling.check(moving(prompt="", photo=Photo("beach", address=ADDRESS)))


def test_an_address_from_which_nobody_can_fetch_is_told():
    assert "The picture's address" in refused(moving(photo=Photo("beach", address="file:///etc/passwd")))
    assert "that Freepik can reach" in refused(moving(photo=Photo("beach", address="https://192.168.0.2/a.png")))


def test_another_vendors_avatar_is_told():
    assert "does not have the avatar 'look_1'" in refused(moving(photo=Photo("Anna", avatar="look_1")))


def test_masks_have_the_shape_of_the_picture_and_the_pixels_of_each_other(workspace, beach):
    flat = still(workspace / "flat.png", 400, 300)
    small, large = still(workspace / "small.png", 200, 200), still(workspace / "large.png", 800, 800)
    assert "The mask flat.png (400x300) and the picture beach.png (400x400) differ in shape" in refused(
        moving(beach, static_mask=flat)
    )
    assert "flat.png" in refused(moving(beach, masks=masked(flat)))
    assert "all must have the same width and height" in refused(moving(beach, static_mask=small, masks=masked(large)))
    kling.check(moving(beach, static_mask=small, masks=masked(small)))
    assert "A mask needs the picture" in refused(moving(static_mask=small))


@pytest.mark.parametrize(
    ("count", "line", "words"),
    [
        (7, LINE, "7 moving masks; Kling 2.1 takes 6"),
        (1, LINE[:1], "has 1 points; Kling 2.1 takes 2 to 77"),
        (1, (), "has 0 points"),
        (1, LINE * 39, "has 78 points"),
        (1, ((1.5, 2), (3, 4)), "whole pixels"),
        (1, ((True, 2), (3, 4)), "whole pixels"),
    ],
)
def test_moving_masks_are_few_and_their_points_are_whole(beach, count, line, words):
    assert words in refused(moving(beach, masks=masked(beach, count, line)))


def test_as_many_masks_and_points_as_there_may_be(beach):
    kling.check(moving(beach, masks=masked(beach, 6, (*LINE * 38, LINE[0]))))


@given(
    st.sampled_from([5, 10]),
    st.floats(0, 1),
    st.text(max_size=2500),
    st.text(max_size=50),
    st.integers(0, 6),
    st.lists(st.tuples(st.integers(-9, 9000), st.integers(0, 9000)), min_size=2, max_size=77),
)
def test_whatever_passes_the_check_is_within_the_contract(seconds, guidance, prompt, negative, count, line):
    motion = moving(
        photo=Photo("beach", address=ADDRESS),
        seconds=seconds,
        guidance=guidance,
        prompt=prompt,
        negative_prompt=negative,
        masks=masked(Still(Path(__file__), "", "png", 400, 400), count, tuple(line)),
        webhook="https://hooks.example.com/x",
    )
    kling.check(motion)
    asked = kling.shown(motion)
    assert asked["duration"] in ("5", "10")
    assert not asked.keys() & {"aspect_ratio", "image_tail"}
    kind = {"content-type": "application/json"}
    body = json.dumps(asked).encode()
    request = Request("freepik", "POST", "/v1/ai/image-to-video/kling-v2-1-std", {}, kind, body, 0.0)
    keyed = Request(**{name: getattr(request, name) for name in request.__slots__} | {"headers": _with_key(kind)})
    assert contracts.check(keyed) is None


def _with_key(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "x-freepik-api-key": "key"}


def test_what_is_sent_is_what_was_asked_for(beach, workspace, vendors):
    mask = still(workspace / "mask.png")
    motion = moving(
        beach,
        seconds=10,
        negative_prompt="Blur.",
        guidance=0.7,
        static_mask=mask,
        masks=masked(mask),
        webhook="https://hooks.example.com/x",
    )
    made = animated(motion, workspace)
    (sent,) = [each.json for each in vendors.seen("-std", "freepik") if each.method == "POST"]
    assert base64.b64decode(sent.pop("image")) == beach.path.read_bytes()
    assert base64.b64decode(sent.pop("static_mask")) == mask.path.read_bytes()
    (moves,) = sent.pop("dynamic_masks")
    assert moves["trajectories"] == [{"x": 10, "y": 10}, {"x": 200, "y": 10}]
    assert sent == {
        "duration": "10",
        "cfg_scale": 0.7,
        "prompt": "Waves roll in.",
        "negative_prompt": "Blur.",
        "webhook_url": "https://hooks.example.com/x",
    }
    assert made.request["image"] == "beach.png"


def test_a_picture_may_be_given_by_its_address(workspace, vendors):
    animated(moving(photo=Photo("beach", address=ADDRESS)), workspace)
    (sent,) = [each.json for each in vendors.seen("-std", "freepik") if each.method == "POST"]
    assert sent["image"] == ADDRESS


def test_a_still_that_only_stands_for_a_photo_is_not_sent(workspace, beach):
    shown = kling.shown(moving(photo=Photo("beach", beach, address=ADDRESS)))
    assert shown["image"] == ADDRESS
    assert "image" not in kling.shown(moving(photo=Photo("beach", beach, drawn=True)))
    small = still(workspace / "small.png", 10, 10)
    kling.check(moving(photo=Photo("beach", small, address=ADDRESS)))
    assert "neither a picture nor a prompt" in refused(moving(prompt="", photo=Photo("beach", beach, drawn=True)))


def test_a_picture_given_as_base64_becomes_a_file_that_can_be_looked_at(workspace, beach):
    data = beach.path.read_bytes()
    text = base64.b64encode(data).decode()
    for given_ in (text, f"data:image/png;base64,{text}", text[:60] + "\n" + text[60:]):
        path = kling.decoded(given_, workspace / "stills")
        assert (path.suffix, path.read_bytes()) == (".png", data)
    for wrong in ("no base64!", base64.b64encode(b"GIF89a").decode(), ""):
        with pytest.raises(SettingError, match="PNG or JPEG"):
            kling.decoded(wrong, workspace / "stills")
    assert len(list((workspace / "stills").iterdir())) == 1


def test_the_fingerprint_is_of_what_is_seen_and_of_nothing_else(beach, workspace):
    engine, motion = freepik(), moving(beach)
    same = [moving(beach, webhook="https://hooks.example.com/x"), moving(beach, photo=Photo("sea", beach))]
    other = [
        moving(still(workspace / "other.png", colour="red")),
        moving(beach, seconds=10),
        moving(beach, prompt="Wind."),
        moving(beach, negative_prompt="Blur."),
        moving(beach, guidance=0.6),
        moving(beach, static_mask=beach),
        moving(beach, masks=masked(beach)),
        moving(beach, masks=masked(beach, 1, (*LINE, (5, 5)))),
    ]
    name = fingerprint(engine.identity(motion))
    assert {fingerprint(engine.identity(each)) for each in same} == {name}
    other.append(moving(photo=Photo("beach", address=ADDRESS)))
    assert len({fingerprint(engine.identity(each)) for each in [motion, *other]}) == 10
    assert fingerprint(freepik("task=abc,again=yes").identity(motion)) == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("freepik:kling-v3", "no model 'kling-v3'. Write freepik:kling-v2-1-std"),
        ("freepik,aspect_ratio=1:1", "no setting 'aspect_ratio'. There are: interval, timeout, task, again"),
        ("freepik,again=perhaps", "'again' of freepik is yes or no, not 'perhaps'"),
        ("freepik,interval=0", "'interval' of freepik is a number of seconds up to 600, not '0'"),
        ("freepik,timeout=nan", "'timeout' of freepik is a number of seconds up to 86400"),
        ("freepik,task=../../v1/me", "is no job of Freepik"),
    ],
)
def test_a_choice_that_cannot_be_is_told(text, words):
    with pytest.raises(SettingError, match=words.replace(".", r"\.")):
        Freepik(EngineChoice.parse(text), Wires(), priced)


def test_it_can_be_chosen_and_quoted_without_a_key_and_says_what_it_needs(beach):
    assert freepik().price(moving(beach, seconds=10)) == Decimal("0.10")
    assert Freepik(EngineChoice.parse("freepik"), Wires(), unpriced).price(moving(beach)) is None
    with pytest.raises(NoKeyError, match=r"Put FREEPIK_API_KEY=… into \.env, or choose the preview engine"):
        freepik().check(moving(beach))


def test_how_often_it_is_asked_is_as_one_sets_it(monkeypatch):
    def polling(text: str):
        found = Freepik(EngineChoice.parse(text), Wires(), priced)._polling
        return found.status_poll_interval_seconds, found.status_max_attempts

    assert polling("freepik") == (None, None)
    assert polling("freepik,interval=4") == (4.0, None)
    assert polling("freepik,interval=4,timeout=10") == (4.0, 3)
    assert polling("freepik,timeout=60") == (5.0, 12)
    monkeypatch.setenv("STATUS_POLL_INTERVAL_SECONDS", "20")
    assert polling("freepik,timeout=60") == (20.0, 3)
