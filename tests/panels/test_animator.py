"""The panel of stills that move: its bundle is checked first, quoted, made once, and listed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from helpers.camera import Camera, given
from PIL import Image

from luma_studio import Studio
from luma_studio.errors import SettingError, StillRunningError
from luma_studio.panels.animator import Animator
from luma_studio.panels.session import Session

BUNDLE: dict[str, Any] = {
    "photo": "mira.png",
    "prompt": "She breathes.",
    "negative_prompt": "blur",
    "seconds": 5,
    "guidance": 0.5,
    "orientation": "portrait",
}


@pytest.fixture
def camera(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Camera:
    studio.photos.folder.mkdir()
    Image.new("RGB", (64, 96), "teal").save(studio.photos.folder / "mira.png")
    return given(Camera(), monkeypatch)


@pytest.fixture
def animator(studio: Studio, camera: Camera) -> Iterator[Animator]:
    with Session(studio) as session:
        yield Animator(session)


def animated(animator: Animator, **changes: Any) -> dict[str, Any]:
    """What the panel shows after it had a still move."""
    animator.do_animate("preview", **{**BUNDLE, **changes})
    assert (work := animator.session.aside("animate")) is not None
    assert work.wait(30)
    return animator.do_state()


def test_a_still_moves_without_a_production_and_the_clip_can_be_fetched(animator):
    assert animator.do_quote("preview", **BUNDLE) == {"here": False, "cost": "0.5"}
    shown = animated(animator)
    (clip,) = shown["animations"]
    assert (clip["name"], clip["prompt"], clip["seconds"], clip["status"]) == ("mira", "She breathes.", 5, "completed")
    answer, (data,) = animator.do_part(clip["video"], 0, 1 << 20)
    assert (answer["total"], data[4:8]) == (len(data), b"ftyp")
    assert animator.do_part(clip["thumbnail"], 0, 1 << 20)[1][0].startswith(b"\xff\xd8")


def test_the_same_bundle_is_bought_once_and_another_prompt_anew(animator, camera):
    animated(animator)
    assert animator.do_quote("preview", **BUNDLE) == {"here": True, "cost": "0"}
    animated(animator)
    assert camera.bought == {"mira": 1}
    assert len(animated(animator, prompt="She smiles.")["animations"]) == 2
    assert camera.bought == {"mira": 2}


def test_one_that_a_vendor_still_makes_says_so_and_the_same_bundle_takes_it_up(animator, camera):
    camera.failing["mira"] = StillRunningError("It still makes the clip.", vendor="Camera")
    shown = animated(animator)
    assert (shown["waiting"], shown["animations"]) == ("It still makes the clip.", [])
    camera.failing.clear()
    assert animated(animator)["waiting"] is None
    assert camera.bought == {"mira": 1}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"photo": ""}, "Choose a photo first."),
        ({"photo": "gone.png"}, "There is no photo 'gone.png' any more."),
        ({"seconds": 7}, "A clip cannot have 7 seconds."),
        ({"guidance": 2}, "A prompt cannot be followed by 2."),
        ({"prompt": "x" * 2501}, "The prompt has 2501 characters"),
        ({"orientation": "round"}, "one of portrait, landscape"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_before_anything_is_asked_for(animator, camera, changes, sentence):
    for verb in (animator.do_quote, animator.do_animate):
        with pytest.raises(SettingError, match=sentence):
            verb("preview", **{**BUNDLE, **changes})
    assert not camera.bought


def test_without_a_mind_the_rules_write_a_bundle_that_can_be_sent_as_it_is(animator):
    written = animator.do_write("mira.png", "A woman breathes by a lake")
    assert written["by"] == ""
    assert "A woman breathes by a lake" in written["prompt"]
    fields = {name: written[name] for name in ("prompt", "negative_prompt", "seconds", "guidance")}
    assert animator.do_quote("preview", **{**BUNDLE, **fields})["here"] is False


def test_a_second_still_waits_its_turn_and_the_first_can_be_stopped(animator, camera):
    camera.waits_for = 2  # it never ends by itself
    animator.do_animate("preview", **BUNDLE)
    with pytest.raises(SettingError, match="on its way already"):
        animator.do_animate("preview", **BUNDLE)
    animator.do_stop()
    camera.waits_for = 1
    assert (work := animator.session.aside("animate")) is not None
    assert work.wait(30)
    assert animator.do_state()["work"]["status"] == "stopped"
