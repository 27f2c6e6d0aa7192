"""The embedded image to video: where the camera goes, how long, and how evenly."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from helpers.filming import TINY, seen
from PIL import Image

from luma_studio.errors import SettingError, Stopped
from luma_studio.video.base import ImageToVideo, Motion, Photo, untold
from luma_studio.video.camera import Canvas, View
from luma_studio.video.panning import Move, PreviewImageToVideo, move_of
from luma_studio.video.stills import look_at

ENGINE: ImageToVideo = PreviewImageToVideo()
LOOK = replace(TINY, width=128, height=96, fps=10)


def animate(motion, into, tell=untold):
    return asyncio.run(ENGINE.animate(motion, None, into, tell))


@pytest.fixture
def still(tmp_path):
    """Darker to the left, brighter to the right: what is seen tells where the camera is."""
    slope = np.repeat(np.linspace(20, 230, 400)[None], 150, 0).astype(np.uint8)
    Image.fromarray(slope).convert("RGB").save(tmp_path / "slope.png")
    return look_at(tmp_path / "slope.png")


@pytest.mark.parametrize(
    ("prompt", "move"),
    [
        ("", Move(zoom=1)),
        ("a calm lake in the morning", Move(zoom=1)),
        ("slowly zoom out", Move(zoom=-1)),
        ("Zooming in on her face", Move(zoom=1)),
        ("the camera pulls back", Move(zoom=-1)),
        ("Pan left, then tilt up", Move(across=-1, down=-1)),
        ("pan the camera slowly to the right and zoom out", Move(-1, 1, 0)),
        ("Still camera, leaves rustle", Move()),
        ("no camera movement", Move()),
        ("she is left in the pan of life", Move(zoom=1)),
    ],
)
def test_the_camera_goes_as_the_prompt_says(prompt, move):
    assert move_of(prompt) == move


@pytest.mark.parametrize("seconds", [5, 10])
def test_it_lasts_as_long_as_was_asked_and_is_silent(tmp_path, still, seconds):
    animate(Motion(Photo("x", still), seconds, look=LOOK), tmp_path / "m.mp4")
    made = seen(tmp_path / "m.mp4")
    assert made.lengths == {"video": Fraction(seconds)}
    assert len(made.pictures) == seconds * 10


@pytest.mark.parametrize(("prompt", "way"), [("pan left", -1), ("pan right", 1)])
def test_a_pan_goes_evenly_its_way_softly_begun_and_ended(tmp_path, still, prompt, way):
    animate(Motion(Photo("x", still), 5, prompt, look=LOOK), tmp_path / "m.mp4")
    steps = np.diff(seen(tmp_path / "m.mp4").pictures.mean(axis=(1, 2))) * way
    assert (steps > -0.3).all()
    assert steps[:5].mean() < steps[20:30].mean() / 2
    assert steps[-5:].mean() < steps[20:30].mean() / 2


@pytest.mark.parametrize(("prompt", "closer"), [("zoom in", True), ("zoom out", False)])
def test_a_zoom_shows_more_or_less_of_the_picture(tmp_path, still, prompt, closer):
    animate(Motion(Photo("x", still), 5, prompt, look=LOOK), tmp_path / "m.mp4")
    spread = np.ptp(seen(tmp_path / "m.mp4").pictures[[0, -1], 48].astype(int), axis=1)
    assert abs(spread[1] - spread[0]) > 5
    assert bool(spread[1] < spread[0]) is closer


def test_a_camera_that_is_to_stand_still_does(tmp_path, still):
    animate(Motion(Photo("x", still), 5, "static", look=LOOK), tmp_path / "m.mp4")
    pictures = seen(tmp_path / "m.mp4").pictures.astype(int)
    assert np.abs(pictures - pictures[0]).max() < 6


def test_the_move_is_smooth_to_a_fraction_of_a_pixel():
    """The middle of a bright square, followed through a slow pan, goes as far in each picture as in the others."""
    drawn = Image.new("RGB", (256, 256))
    drawn.paste("white", (100, 100, 150, 150))
    canvas = Canvas.of(drawn, replace(LOOK, width=256, height=256), 1.1)
    middles = []
    for number in range(100):
        planes = np.zeros((256, 256), np.uint8), np.zeros((128, 128), np.uint8), np.zeros((128, 128), np.uint8)
        canvas.show(View(1.1, number / 99, 0.5), planes)
        weights = planes[0].astype(float) - 16
        middles.append((weights.sum(0) * np.arange(256)).sum() / weights.sum())
    steps = -np.diff(middles)
    assert steps.min() > 0.2
    assert steps.max() - steps.min() < 0.05


@pytest.mark.parametrize("size", [(40, 300), (300, 40)])
def test_a_picture_that_is_contained_is_seen_whole_in_every_view(size):
    framed = Image.new("RGB", size, "white")
    framed.paste("black", (4, 4, size[0] - 4, size[1] - 4))
    canvas = Canvas.of(framed, replace(LOOK, width=256, height=256, fit="contain", background="#000000"), 1.2)
    for view in (View(1.0, 0, 0), View(1.2, 1, 1), View(1.2, 0.5, 0.16)):
        planes = np.zeros((256, 256), np.uint8), np.zeros((128, 128), np.uint8), np.zeros((128, 128), np.uint8)
        canvas.show(view, planes)
        rows, columns = np.nonzero(planes[0] > 100)
        high, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert abs(high / wide - size[1] / size[0]) < 0.15 * size[1] / size[0]


def test_who_stops_it_leaves_nothing(tmp_path, still):
    def tell(how_far):
        if how_far.share:
            raise Stopped

    with pytest.raises(Stopped):
        animate(Motion(Photo("x", still), 10, look=LOOK), tmp_path / "films" / "m.mp4", tell)
    assert list((tmp_path / "films").iterdir()) == []


def test_what_cannot_be_moved_is_refused(still):
    with pytest.raises(SettingError, match="5 or 10 seconds"):
        ENGINE.check(Motion(Photo("x", still), 7))
    with pytest.raises(SettingError, match="files here"):
        ENGINE.check(Motion(Photo("x", address="https://example.org/x.png")))


def test_only_what_changes_the_video_changes_what_it_is_known_by(still):
    motion = Motion(Photo("x", still), 5, "zoom out over a lake")
    assert ENGINE.identity(motion) == ENGINE.identity(replace(motion, prompt="zoom out over a forest"))
    assert ENGINE.identity(motion) != ENGINE.identity(replace(motion, prompt="zoom in over a lake"))
    assert ENGINE.identity(motion) != ENGINE.identity(replace(motion, seconds=10))
