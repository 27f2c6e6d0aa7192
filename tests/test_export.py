from __future__ import annotations

import asyncio
import json
import re

import numpy as np
import pytest
from helpers.fakes import FakeVoice, give

from luma_studio.audio import codec
from luma_studio.audio.mp3 import FRAME
from luma_studio.errors import SettingError, UnsafeNameError
from luma_studio.timeline.audit import audit
from luma_studio.timeline.master import Rendering, loudness, pieces

SCRIPT = """शुरुआत
Close your eyes. (4 sec)
Breathe in. (0 sec)
Let it go. (0.1 sec)
And rest.

Leaving
(2 sec)
Open your eyes.
"""
RATE = 44100


@pytest.fixture
def calm(studio):
    give(studio, FakeVoice())
    production = studio.production("calm", SCRIPT)
    asyncio.run(production.speak())
    return production


def rendering(production):
    timeline = production.timeline
    gain = loudness(timeline, production.choices).gain
    return Rendering(timeline, production.choices, gain, production._takes.samples, production._runs)


def sound(path):
    return codec.read(path)[0]


def test_an_export_holds_every_file_and_names_them(calm):
    exported = calm.export()
    names = {path.name for path in calm.folder.iterdir() if not path.name.startswith(".")}
    scenes = {path.name for path in exported.scenes.values()}
    assert names == scenes | {
        "master.mp3", "captions.srt", "captions.vtt", "chapters.json", "audit.json", "production.json",
        "scene_audio_map.json",
    }  # fmt: skip
    manifest = json.loads((calm.folder / "scene_audio_map.json").read_bytes())
    assert manifest == {scene: path.name for scene, path in exported.scenes.items()}
    assert all(re.fullmatch(r"scene_\d__[0-9a-f]{8}\.mp3", name) for name in scenes)


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_wav_and_flac_are_the_timeline_to_the_sample(calm, ending):
    calm.export(f"calm.{ending}", audit=False)
    assert (sound(calm.folder / f"calm.{ending}") == np.concatenate(list(pieces(rendering(calm))))).all()


@pytest.mark.parametrize("ending", ["mp3", "m4a"])
def test_the_length_is_exact_to_the_sample_and_the_sound_is_the_timelines(calm, ending):
    calm.fit("0:20")
    calm.export(f"calm.{ending}", audit=False)
    heard = sound(calm.folder / f"calm.{ending}").astype(float)
    asked = np.concatenate(list(pieces(rendering(calm)))).astype(float)
    assert len(heard) == len(asked) == 20 * RATE
    levels = [np.sqrt((each.reshape(-1, RATE // 4) ** 2).mean(axis=1)) for each in (heard, asked)]
    assert levels[0] == pytest.approx(levels[1], rel=0.25, abs=40)


def test_mp3_clips_start_within_half_a_frame_and_never_drift(studio):
    give(studio, FakeVoice())
    production = studio.production(
        "long", "Calm\n" + "\n".join(f"Line {n}. ({n % 7 / 3 + 0.4:.2f} sec)" for n in range(80))
    )
    asyncio.run(production.speak())
    production.export("long.mp3", audit=False)
    heard = np.abs(sound(production.folder / "long.mp3").astype(int))
    timeline = production.timeline
    errors = []
    for start, end in zip(timeline.clip_start, timeline.speech_start, strict=True):
        window = heard[max(0, start - FRAME) : end + 2 * FRAME]
        errors.append(max(0, start - FRAME) + int(np.argmax(window > 1500)) - end)
    assert np.ptp(errors) <= FRAME + 100  # a tone takes some samples to be heard
    assert abs(np.mean(errors[:20]) - np.mean(errors[-20:])) < FRAME / 2


def test_chapters_and_titles_are_in_the_file_and_beside_it(calm):
    calm.export("calm.mp3", "calm.m4a", "calm.flac", audit=False)
    beside = json.loads((calm.folder / "chapters.json").read_bytes())["chapters"]
    assert [each["title"] for each in beside] == ["शुरुआत", "Leaving"]
    for ending in ("mp3", "m4a", "flac"):
        found = codec.probe(calm.folder / f"calm.{ending}")
        assert found.tags.title == "calm"
        assert [chapter.title for chapter in found.chapters] == ["शुरुआत", "Leaving"]
        assert [chapter.start / RATE for chapter in found.chapters] == pytest.approx(
            [each["startTime"] for each in beside], abs=0.002
        )


def test_a_scene_has_its_title_and_lasts_as_long_as_in_the_master(calm):
    exported = calm.export(audit=False)
    for scene in calm.timeline.scenes:
        path = exported.scenes[scene.id]
        assert codec.probe(path).tags.title == scene.title
        assert len(sound(path)) == scene.end - scene.start


def test_the_same_edits_give_the_same_bytes_and_another_edit_another_name(calm, studio):
    first = calm.export(audit=False)
    name, data = first.scenes["scene_1"].name, first.scenes["scene_1"].read_bytes()
    calm.pauses[0] = 6.0
    second = calm.export(audit=False)
    assert second.scenes["scene_1"].name != name
    assert second.scenes["scene_2"] == first.scenes["scene_2"]
    assert not (calm.folder / name).exists()
    calm.undo()
    again = calm.export(audit=False)
    assert (again.scenes["scene_1"].name, again.scenes["scene_1"].read_bytes()) == (name, data)


def test_an_edit_of_a_pause_encodes_nothing_anew(calm, monkeypatch):
    calm.export(audit=False)
    monkeypatch.setattr("luma_studio.timeline.master.encode_run", None)
    calm.pauses[0] = 6.0
    calm.export(audit=False)


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: bytes(len(data)), lambda data: b""])
def test_a_damaged_run_is_encoded_again(calm, damage):
    calm.export(audit=False)
    whole = (calm.folder / "master.mp3").read_bytes()
    for run in (calm.folder.parent / ".store" / "runs").rglob("*.mp3"):
        run.write_bytes(damage(run.read_bytes()))
    calm.export(audit=False)
    assert (calm.folder / "master.mp3").read_bytes() == whole


def test_a_damaged_scene_file_is_written_again(calm):
    path = calm.export(audit=False).scenes["scene_1"]
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    calm.export(audit=False)
    assert path.read_bytes() == whole


def test_a_master_of_an_earlier_export_is_named(calm):
    assert calm.export("master.mp3", audit=False).older == ()
    assert calm.export("calm.wav", audit=False).older == (calm.folder / "master.mp3",)


def test_loudness_is_as_asked_or_as_near_as_the_peak_allows(calm):
    loud = calm.export(audit=False).loudness
    assert loud.true_peak <= -1
    assert loud.integrated == pytest.approx(-16, abs=0.3) or loud.true_peak == pytest.approx(-1, abs=0.02)
    peak = np.abs(sound(calm.folder / "master.mp3").astype(int)).max() / 32768
    assert 20 * np.log10(peak) <= -0.7  # coding adds a little


def test_the_gain_is_kept_through_edits_and_made_anew_when_the_target_moves(calm, studio):
    gain = calm.export(audit=False).loudness.gain
    calm.scale(0.3)
    assert calm.export(audit=False).loudness.gain == gain
    quieter = studio.production("calm", loudness=-25.0)
    assert quieter.export(audit=False).loudness.integrated == pytest.approx(-25, abs=0.1)


def test_the_audit_finds_every_pause_as_asked_in_every_format(calm):
    for name in ("calm.mp3", "calm.wav", "calm.flac", "calm.m4a"):
        found = calm.export(name).audit
        assert found.findings == ()
        assert found.found == found.asked
        assert [pause.clause for pause in found.pauses] == list(range(5))
    report = json.loads((calm.folder / "audit.json").read_bytes())
    assert report["findings"] == 0
    assert report["pauses"][0]["asked"] == 4.0
    assert report["pauses"][0]["text"] == "Close your eyes."


@pytest.mark.parametrize("change", [-0.1, 0.1])
def test_the_audit_tells_a_pause_that_is_not_as_asked(calm, change):
    calm.export("calm.wav")
    samples = sound(calm.folder / "calm.wav")
    timeline = calm.timeline
    middle = int(timeline.speech_end[0] + timeline.speech_start[1]) // 2
    count = round(change * RATE)
    wrong = np.concatenate([samples[:middle], np.zeros(max(0, count), np.int16), samples[middle + max(0, -count) :]])
    found = audit("wrong", [wrong], timeline)
    assert [pause.clause for pause in found.findings] == [0]
    assert found.findings[0].difference == pytest.approx(change, abs=0.02)
    assert found.found != found.asked


@pytest.mark.parametrize("fault", ["missing", "halved", "doubled", "burst"])
@pytest.mark.parametrize("which", [0, 7, 30])
def test_one_wrong_pause_is_one_finding_or_two(studio, fault, which):
    give(studio, FakeVoice())
    text = "Calm\n" + "\n".join(f"Line {n} of the {n % 9} calm ones. ({0.4 + n % 5 / 2} sec)" for n in range(40))
    production = studio.production("long", text)
    asyncio.run(production.speak())
    made = rendering(production)
    samples, timeline = np.concatenate(list(pieces(made))), made.timeline
    start, end = int(timeline.clip_end[which]), int(timeline.clip_start[which + 1])
    between = {
        "missing": samples[:0],
        "halved": samples[start : (start + end) // 2],
        "doubled": np.tile(samples[start:end], 2),
        "burst": samples[start:end].copy(),
    }[fault]
    if fault == "burst":
        middle = len(between) // 2
        between[middle - 2000 : middle + 2000] = 9000 * np.sin(np.arange(4000) * 0.05)
    found = audit("wrong", [np.concatenate([samples[:start], between, samples[end:]])], timeline)
    assert 1 <= len(found.findings) <= 2
    assert found.findings[0].clause == which


@pytest.mark.parametrize("name", ["calm", "calm.ogg", "calm.txt", "calm.mp3.exe"])
def test_an_ending_that_is_no_format_is_refused(calm, name):
    with pytest.raises(SettingError, match="Choose one of"):
        calm.export(name)


@pytest.mark.parametrize("name", ["../calm.mp3", "/tmp/calm.mp3", "a/b.mp3", ".mp3"])
def test_an_export_cannot_leave_its_folder(calm, name):
    with pytest.raises(UnsafeNameError):
        calm.export(name)


def test_a_master_cannot_take_the_name_of_a_scene(calm):
    with pytest.raises(SettingError, match="scene's file"):
        calm.export("scene_1__0123abcd.mp3")


def test_a_master_says_how_loud_it_is(calm):
    loud = calm.export("calm.mp3", audit=False).loudness
    tags = codec.probe(calm.folder / "calm.mp3").tags
    assert tags.track_gain == pytest.approx(-18 - loud.integrated, abs=0.01)
    assert tags.track_peak == pytest.approx(10 ** (loud.true_peak / 20), abs=0.001)


def test_progress_tells_every_step_to_its_end(studio):
    give(studio, FakeVoice())
    events = []
    production = studio.production("calm", SCRIPT)
    production.tune({0: 20.0})
    asyncio.run(production.speak(events.append))
    production.export("calm.mp3", listener=events.append)
    production.export("calm.wav", listener=events.append)
    stages = {}
    for event in events:
        about = event.subject if event.subject.startswith("calm.") else ""  # a master, or runs and scenes
        stages.setdefault((event.stage, about), []).append((event.done, event.total))
    assert stages["encode", ""] == sorted(stages["encode", ""])
    assert stages["encode", ""][-1] == (3, 3)
    whole = [(done, 3) for done in range(4)]  # stretches of ten seconds
    assert stages["encode", "calm.wav"] == stages["audit", "calm.wav"] == stages["audit", "calm.mp3"] == whole
    assert stages["write", "calm.mp3"] == stages["write", "calm.wav"] == [(1, 1)]
    assert stages["write", ""] == 2 * [(1, 2), (2, 2)]
