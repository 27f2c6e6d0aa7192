from __future__ import annotations

import numpy as np
from helpers.making import RATE, one_scene, productions, take
from hypothesis import given

from luma_studio.script.model import Pause
from luma_studio.settings import Sound
from luma_studio.timeline.arrange import SceneSpan, arrange

SOUND = Sound()


def test_a_pause_runs_from_the_last_sound_to_the_first_of_the_next_to_the_sample():
    timeline = arrange([take(), take()], [Pause(2.5), Pause(1.5)], one_scene(2), SOUND)
    assert timeline.speech_start[1] - timeline.speech_end[0] == round(2.5 * RATE)
    assert timeline.length - timeline.speech_end[1] == round(1.5 * RATE)


def test_the_silence_between_scenes_is_the_pause_and_the_lead_in_together():
    spans = [SceneSpan("scene_1", "", 0, 1), SceneSpan("scene_2", "", 1, 2, lead_in_seconds=3.0)]
    timeline = arrange([take(), take()], [Pause(2.0), Pause(0.0)], spans, SOUND)
    assert timeline.speech_start[1] - timeline.speech_end[0] == 5 * RATE
    assert timeline.speech_start[1] - timeline.scenes[1].start == 3 * RATE


def test_the_first_clip_keeps_its_lead_in_and_the_last_its_tail():
    timeline = arrange([take()], [Pause(0.0)], one_scene(1), SOUND)
    assert timeline.speech_start[0] - timeline.clip_start[0] == round(SOUND.lead_in * RATE)
    assert timeline.length - timeline.speech_end[0] == round(SOUND.tail * RATE)


def test_nothing_makes_an_empty_timeline():
    assert arrange([], [], [], SOUND).length == 0


@given(productions())
def test_order_is_kept_clips_never_overlap_and_scenes_cover_the_whole(made):
    takes, pauses, spans = made
    timeline = arrange(takes, pauses, spans, SOUND)
    edges = np.stack([timeline.clip_start, timeline.clip_end], axis=1).ravel()
    assert (np.diff(edges) >= 0).all()
    assert edges[0] >= 0
    assert edges[-1] <= timeline.length
    assert (timeline.offset >= 0).all()
    lengths = np.array([each.length for each in takes])
    assert (timeline.offset + timeline.clip_end - timeline.clip_start <= lengths).all()
    assert [scene.start for scene in timeline.scenes] == [0, *(scene.end for scene in timeline.scenes[:-1])]
    assert timeline.scenes[-1].end == timeline.length
    for scene in timeline.scenes:
        assert scene.start <= timeline.clip_start[scene.first]
        assert timeline.clip_end[scene.last - 1] <= scene.end


@given(productions())
def test_a_scene_alone_is_the_same_piece_of_the_whole(made):
    takes, pauses, spans = made
    timeline = arrange(takes, pauses, spans, SOUND)
    for scene in timeline.scenes:
        part = timeline.part(scene)
        assert part.length == scene.end - scene.start
        assert (part.clip_start + scene.start == timeline.clip_start[scene.first : scene.last]).all()
        assert (part.offset == timeline.offset[scene.first : scene.last]).all()
