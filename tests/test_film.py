"""A film: each scene's video is made once and kept, whatever happens; the film is cut from the master's timeline."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import av
import pytest
from helpers.camera import Camera, given
from helpers.fakes import DyingDisk, FakeVoice, Killed, give

from luma_studio import Studio, film
from luma_studio.errors import BusyError, JobFailedError, StillRunningError, Stopped, VoiceError
from luma_studio.production import Production
from luma_studio.progress import Event
from luma_studio.store import files

SCRIPT = """[Scene 1 – Dawn]
Dialogue (VO): "Close your eyes. (1 sec)"
Talking photo: Mira_inLinen
[Scene 2 – Day]
Dialogue (VO): "Breathe in, slowly. (2 sec)"
[Scene 3 – Dusk]
Dialogue (VO): "Let it go. (1 sec)"
[Scene 4 – Night]
Dialogue (VO): "Sleep well. (1 sec)"
"""
SCENES = ("scene_1", "scene_2", "scene_3", "scene_4")


@pytest.fixture
def camera(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Camera:
    give(studio, FakeVoice())
    return given(Camera(), monkeypatch)


@pytest.fixture
def calm(studio: Studio, camera: Camera) -> Iterator[Production]:
    production = studio.production("calm", SCRIPT)
    asyncio.run(production.speak())
    yield production


def filmed(production: Production, **options) -> film.Film:
    return asyncio.run(production.film(**options))


def test_a_film_has_a_video_and_a_thumbnail_for_each_scene_and_is_as_long_as_its_timeline(calm, camera):
    made = filmed(calm)
    assert (made.status, made.film, made.errors, made.missing_assets) == ("success", "film.mp4", (), ())
    assert [each.scene_id for each in made.results] == list(SCENES)
    for each in made.results:
        assert (each.status, each.video_id) == ("completed", f"video-{each.scene_id}")
        assert (each.request_payload, each.status_detail) == ({"scene": each.scene_id}, {"status": "completed"})
        assert (calm.folder / each.video).stat().st_size > 0
        assert (calm.folder / each.thumbnail).read_bytes().startswith(b"\xff\xd8")
    assert made.seconds == pytest.approx(calm.timeline.length / 44100, abs=0.001)
    (cut,) = camera.joined
    assert [(part.start, part.start + part.length) for part in cut.parts] == [
        (scene.start, scene.end) for scene in calm.timeline.scenes
    ]
    assert cut.sound.length == calm.timeline.length
    with av.open(calm.folder / "film.mp4") as container:
        assert container.duration / av.time_base == pytest.approx(made.seconds, abs=0.1)


def test_what_was_filmed_is_kept_and_told_by_every_later_object(calm, camera, workspace):
    made = filmed(calm)
    assert calm.filmed == made
    assert json.loads((calm.folder / "film.json").read_text())["status"] == "success"
    with Studio(workspace) as other:
        give(other, FakeVoice())
        assert other.production("calm").filmed == made


def test_nothing_that_is_filmed_is_filmed_again(calm, camera):
    filmed(calm)
    told: list[Event] = []
    assert filmed(calm, listener=told.append).status == "success"
    assert {event.outcome for event in told if event.stage == "film"} == {"cached"}
    assert camera.bought == dict.fromkeys(SCENES, 1)
    assert len(camera.joined) == 1


def test_changing_a_pause_films_its_scene_anew_and_only_that_and_the_quote_says_so_first(calm, camera):
    filmed(calm)
    calm.pauses["Breathe in"] = 3.0
    quote = calm.film_quote()
    assert (quote.to_film, quote.changed, quote.cost) == (1, ("scene_2",), Decimal("0.5"))
    assert filmed(calm).status == "success"
    assert camera.bought == {**dict.fromkeys(SCENES, 1), "scene_2": 2}
    assert len(camera.joined) == 2


def test_a_film_is_current_until_anything_that_it_is_made_of_changes(calm, camera, studio):
    assert not calm.film_quote().current
    filmed(calm)
    assert calm.film_quote().current
    for changes in ({"crossfade": 0.5}, {"title_card": 2.0}, {"crossfade": 0.0, "title_card": 0.0}):
        changed = studio.production("calm", **changes)
        assert changed.film_quote().current == (changes.get("crossfade") == 0.0)
    assert camera.bought == dict.fromkeys(SCENES, 1)
    calm.pauses[0] = 5.0
    assert not calm.film_quote().current


def test_the_quote_of_what_was_never_filmed_names_each_scene_and_buys_nothing(calm, camera):
    quote = calm.film_quote()
    assert [(each.scene_id, each.here, each.changed) for each in quote.scenes] == [
        (scene, False, False) for scene in SCENES
    ]
    assert (quote.cost, quote.unknown, quote.changed) == (Decimal("2.0"), False, ())
    assert not camera.bought


def test_a_price_that_nobody_knows_is_told_to_be_unknown(studio, camera):
    camera.cost = None
    production = studio.production("calm", SCRIPT)
    asyncio.run(production.speak())
    assert production.film_quote().unknown


def test_renaming_a_scene_films_nothing_anew(calm, camera, studio):
    filmed(calm)
    renamed = studio.production("calm", SCRIPT.replace("– Day]", "– Noon]"))
    assert filmed(renamed).status == "success"
    assert camera.bought == dict.fromkeys(SCENES, 1)


def test_a_scene_that_fails_leaves_the_others_and_is_tried_alone_the_next_time(calm, camera):
    camera.failing["scene_3"] = JobFailedError("The camera could not make the video.", vendor="Camera")
    made = filmed(calm)
    assert (made.status, made.film) == ("partial", "")
    assert [each.status for each in made.results] == ["completed", "completed", "failed", "completed"]
    assert made.errors == ("scene_3: The camera could not make the video.",)
    camera.failing.clear()
    assert filmed(calm).status == "success"
    assert camera.filmed == dict.fromkeys(SCENES, 1)


def test_a_scene_that_still_runs_is_processing_and_taken_up_without_being_bought_again(calm, camera):
    camera.failing["scene_1"] = StillRunningError("It still makes the video.", vendor="Camera")
    made = filmed(calm)
    assert (made.status, made.results[0].status) == ("partial", "processing")
    assert made.errors == ()
    camera.failing.clear()
    assert filmed(calm).status == "success"
    assert camera.bought == dict.fromkeys(SCENES, 1)


def test_a_request_of_unknown_outcome_is_looked_for_and_its_video_bought_once(calm, camera):
    camera.unheard = {"scene_2"}
    assert filmed(calm).status == "success"
    assert camera.bought == dict.fromkeys(SCENES, 1)


def test_a_film_of_which_no_scene_could_be_made_failed(calm, camera):
    camera.failing.update({scene: JobFailedError("No.") for scene in SCENES})
    assert filmed(calm).status == "failed"


def test_a_listener_that_stops_it_ends_it_and_what_was_bought_is_taken_up(calm, camera):
    def stop(event: Event) -> None:
        if event.share == 0.5:
            raise Stopped

    with pytest.raises(Stopped):
        filmed(calm, listener=stop)
    assert filmed(calm).status == "success"
    assert camera.bought == dict.fromkeys(SCENES, 1)


def test_each_step_is_told(calm, camera):
    told: list[Event] = []
    filmed(calm, listener=told.append)
    film_events = [event for event in told if event.stage == "film"]
    assert {event.subject for event in film_events} == set(SCENES)
    assert sorted(event.done for event in film_events if event.outcome == "done") == [1, 2, 3, 4]
    assert any(event.share == 0.5 for event in film_events)
    assert told[-1] == Event("join", 1, 1, "film.mp4")


def test_several_scenes_are_filmed_at_once_but_not_more_than_the_engine_bears(calm, camera):
    camera.waits_for = camera.concurrency
    filmed(calm)
    assert camera.busiest == camera.concurrency


def test_a_budget_is_never_passed(studio, camera):
    production = studio.production("calm", SCRIPT)
    asyncio.run(production.speak())
    production = studio.production("calm", budget=production.spent + Decimal("1.2"))
    made = filmed(production)
    assert sum(camera.bought.values()) == 2
    assert made.status == "partial"
    assert all("budget" in error for error in made.errors)


def test_what_is_not_spoken_cannot_be_filmed(studio, camera):
    production = studio.production("calm", SCRIPT)
    with pytest.raises(VoiceError, match="Speak first"):
        filmed(production)


def test_a_production_is_filmed_by_one_at_a_time(calm, camera):
    async def both() -> list[object]:
        return await asyncio.gather(calm.film(), calm.film(), return_exceptions=True)

    results = asyncio.run(both())
    assert sorted(type(each).__name__ for each in results) == ["BusyError", "Film"]
    assert any(isinstance(each, BusyError) for each in results)


def test_files_of_scenes_that_were_superseded_go(calm, camera):
    filmed(calm)
    before = set(calm.folder.glob("scene_2__*.mp4"))
    calm.pauses["Breathe in"] = 3.0
    filmed(calm)
    after = set(calm.folder.glob("scene_2__*.mp4"))
    assert len(after) == 1
    assert after != before


def test_nothing_is_left_where_videos_are_made(calm, camera, workspace):
    filmed(calm)
    making = workspace / "generated_audio" / ".store" / "videos" / "making"
    assert list(making.iterdir()) == []


def test_a_manifest_that_is_damaged_is_as_none(calm, camera):
    filmed(calm)
    (calm.folder / film.MANIFEST).write_text("{", "utf-8")
    assert calm.filmed.results == ()
    assert filmed(calm).status == "success"
    assert camera.bought == dict.fromkeys(SCENES, 1)


def test_scenes_that_are_named_are_filmed_alone(calm, camera):
    made = filmed(calm, scenes=["scene_2"])
    assert camera.bought == {"scene_2": 1}
    assert (made.status, [each.status for each in made.results]) == (
        "partial",
        ["failed", "completed", "failed", "failed"],
    )
    assert calm.videos("preview")[1] is not None
    assert calm.videos("preview")[0] is None


def test_killed_at_operations_on_the_disk_each_video_is_bought_once_and_the_film_is_whole(workspace, monkeypatch):
    spoken = workspace / "spoken"
    with Studio(spoken) as studio:
        give(studio, FakeVoice())
        asyncio.run(studio.production("calm", SCRIPT).speak())
    for dies_at in itertools.count(step=7):  # of some hundreds; scenes end in another order each time
        here, camera, disk = workspace / str(dies_at), given(Camera(), monkeypatch), DyingDisk(dies_at)
        shutil.copytree(spoken, here)
        with monkeypatch.context() as patch:
            patch.setattr(files, "disk", disk)
            died = film_of(here) is None
        made = film_of(here)
        assert made is not None
        assert (made.status, camera.bought) == ("success", dict.fromkeys(SCENES, 1)), dies_at
        folder = here / "generated_audio" / "calm"
        for name in ("film.mp4", *(each.video for each in made.results)):
            with av.open(folder / name) as container:
                assert container.duration
        if not died:
            assert dies_at > 100
            return
        shutil.rmtree(here)


def film_of(workspace: Path) -> film.Film | None:
    """What a process makes of it; None where it is killed."""
    try:
        with Studio(workspace) as studio:
            give(studio, FakeVoice())
            return filmed(studio.production("calm"))
    except Killed:
        return None
