"""Films by vendors, from a script to the file: HeyGen a scene or all at once, Creatomate by a template."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from helpers.creatomate import FLAT, Creatomate
from helpers.fakes import FakeVoice, give
from helpers.filming import picture
from helpers.heygen import HeyGen
from helpers.vendors import Fault, Vendors

from luma_studio.film import Film
from luma_studio.production import Production
from luma_studio.progress import Event
from luma_studio.studio import Studio

SCRIPT = """[Scene 1 – Dawn]
Dialogue (VO): "Close your eyes. (1 sec)"
Talking photo: mira
Background: teal
[Scene 2 – Day]
Dialogue (VO): "Breathe in, slowly. (1 sec)"
Talking photo: look_anna
"""
CHOICES = {"film": "heygen", "captions": "none"}


@pytest.fixture
def heygen(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> HeyGen:
    monkeypatch.setenv("STATUS_POLL_INTERVAL_SECONDS", "0.01")
    made = vendors.film["heygen"]
    assert isinstance(made, HeyGen)
    return made


@pytest.fixture
def creatomate(vendors: Vendors) -> Creatomate:
    made = vendors.film["creatomate"]
    assert isinstance(made, Creatomate)
    return made


@pytest.fixture
def studio(workspace: Path) -> Iterator[Studio]:
    picture(workspace / "photos" / "mira.png", (640, 800))
    with Studio(workspace) as made:
        give(made, FakeVoice())
        yield made


def production(studio: Studio, **choices) -> Production:
    made = studio.production("calm", SCRIPT, **{**CHOICES, **choices})
    asyncio.run(made.speak())
    return made


def filmed(made: Production, **options) -> Film:
    return asyncio.run(made.film(**options))


def requests(vendors: Vendors, vendor: str, method: str, path: str) -> list:
    return [each for each in vendors.seen(path, vendor) if each.method == method]


def test_heygen_films_each_scene_with_its_photo_and_sound_and_the_film_has_the_masters_sound(studio, heygen, vendors):
    calm = production(studio)
    made = filmed(calm)
    assert (made.status, made.errors) == ("success", ())
    first, second = (each.request_payload for each in made.results)
    assert (first["type"], second["type"], second["avatar_id"]) == ("image", "avatar", "look_anna")
    assert first["aspect_ratio"] == second["aspect_ratio"] == "9:16"
    assert all(each.video_url and each.status_detail["status"] == "completed" for each in made.results)
    with av.open(calm.folder / made.film) as container:
        assert container.duration / av.time_base == pytest.approx(made.seconds, abs=0.03)
    assert len(requests(vendors, "heygen", "POST", "/v3/assets")) == 3  # one picture, two sounds
    known = json.loads((studio.folder / "heygen_assets.json").read_text("utf-8"))
    assert len(known["assets"]) == 3
    assert filmed(calm).status == "success"
    assert sum(heygen.bought.values()) == 2


def test_what_heygen_was_given_is_given_anew_only_where_that_is_wanted(studio, heygen, vendors):
    calm = production(studio)
    filmed(calm)
    calm.pauses[0] = 2.0
    filmed(calm)
    assert len(requests(vendors, "heygen", "POST", "/v3/assets")) == 4  # the sound that changed
    calm.pauses[0] = 3.0
    filmed(calm, force_upload=True)
    assert len(requests(vendors, "heygen", "POST", "/v3/assets")) == 6  # that, and the picture again


def test_heygen_makes_the_whole_film_by_one_purchase(studio, heygen):
    calm = production(studio, assembly="heygen:avatar_iv")
    assert calm.film_quote().to_film == 2
    made = filmed(calm)
    assert (made.status, made.film, made.errors) == ("success", "film.mp4", ())
    assert sum(heygen.bought.values()) == 1
    assert {each.status for each in made.results} == {"completed"}
    assert filmed(calm).status == "success"
    assert sum(heygen.bought.values()) == 1
    assert calm.film_quote().cost == 0
    calm.pauses[0] = 2.0
    assert set(calm.film_quote().changed) == {"scene_1", "scene_2"}


def test_a_whole_film_that_cannot_be_is_told_and_names_what_is_missing(studio, heygen):
    calm = studio.production(
        "calm", SCRIPT.replace("Talking photo: mira\n", ""), **CHOICES, assembly="heygen:avatar_iv"
    )
    asyncio.run(calm.speak())
    made = filmed(calm)
    assert (made.status, made.missing_assets, made.film) == ("failed", ("scene_1",), "")
    assert "no photo" in made.errors[0]
    assert not heygen.bought


def test_creatomate_puts_heygens_scenes_together_by_a_template_that_the_rules_fill(studio, heygen, creatomate, vendors):
    calm = production(studio, assembly=f"creatomate:{FLAT},interval=0.01")
    made = filmed(calm)
    assert (made.status, made.errors) == ("success", ())
    (asked,) = [each.json for each in vendors.seen("/v2/renders", "creatomate") if not each.json.get("dry_run")]
    changed = asked["modifications"]
    assert changed["Video-1.source"] != changed["Video-2.source"]
    assert all("/results/heygen/" in changed[f"Video-{number}.source"] for number in (1, 2))
    assert any(each.agent == "template" and each.by == "rules" for each in calm.decisions)
    assert filmed(calm).status == "success"
    assert len([each for each in vendors.seen("/v2/renders", "creatomate") if not each.json.get("dry_run")]) == 1


def test_scenes_of_the_preview_have_no_address_for_creatomate_and_that_is_told(studio, heygen, creatomate, vendors):
    calm = production(studio, film="preview", assembly=f"creatomate:{FLAT},interval=0.01")
    made = filmed(calm)
    assert (made.status, made.film) == ("partial", "")
    assert "address" in made.errors[0]
    assert [each.status for each in made.results] == ["completed", "completed"]
    assert not [each for each in vendors.seen("/v2/renders", "creatomate") if not each.json.get("dry_run")]


def test_a_voice_of_heygens_is_not_spoken_over(studio, heygen):
    calm = production(studio, film="heygen:avatar_iv,voice=voice_1")
    with pytest.raises(Exception, match="as the assembly"):
        filmed(calm)
    whole = production(studio, assembly="heygen:avatar_iv,voice=voice_1")
    assert filmed(whole).status == "success"
    assert sum(heygen.bought.values()) == 1


def test_a_script_can_make_nobody_be_asked_but_the_vendor(studio, heygen, vendors):
    hostile = """[Scene 1 – ../../etc/passwd]
Dialogue (VO): "Close your eyes. (1 sec)"
Talking photo: https://evil.example/a.png
Background: url(https://evil.example/b.png)
Scene 1 heygen id: "https://evil.example/c.mp3"
[Scene 2 – <img src=x onerror=alert(1)>]
Dialogue (VO): "Breathe in. (1 sec)"
Talking photo: ../../../secret
"""
    calm = studio.production("calm", hostile, **CHOICES)
    asyncio.run(calm.speak())
    made = filmed(calm)
    assert made.status == "failed"
    assert not heygen.bought
    assert not vendors.requests
    calm = studio.production("calm", hostile, film="preview")
    assert filmed(calm).status == "success"
    assert not vendors.requests
    made_here = {path.name for path in calm.folder.iterdir()}
    assert {"film.mp4", "film.json"} <= made_here
    assert not any("passwd" in name or "evil" in name for name in made_here)


def test_a_job_that_is_lost_is_told_and_the_next_time_made(studio, heygen, vendors):
    heygen.failing = {"Dawn": ("bad_photo", "No face was found.")}
    calm = production(studio)
    made = filmed(calm)
    assert made.status == "partial"
    assert made.results[0].status == "failed"
    assert "No face was found" in made.results[0].message
    heygen.failing = {}
    assert filmed(calm).status == "success"


def test_killed_between_any_two_answers_each_video_is_bought_once(workspace, studio, heygen, vendors):
    """The process ends at an answer, whichever it is: the next one takes up what is there."""
    production(studio)
    for number in itertools.count():
        here = workspace / f"copy-{number}"
        shutil.copytree(workspace / "generated_audio" / "calm", here / "generated_audio" / "calm")
        shutil.copytree(workspace / "generated_audio" / ".store", here / "generated_audio" / ".store")
        shutil.copytree(workspace / "photos", here / "photos")
        heygen.bought.clear()
        heygen.videos.clear()
        asked = len(vendors.requests)
        with Studio(here) as first:
            give(first, FakeVoice())
            stopped = asyncio.run(_cut_off(first.production("calm"), vendors, asked + number))
        with Studio(here) as second:
            give(second, FakeVoice())
            assert filmed(second.production("calm")).status == "success"
        assert sorted(heygen.bought.values()) == [1, 1], number
        if not stopped:
            assert number > 5
            return


async def _cut_off(made: Production, vendors: Vendors, after: int) -> bool:
    """Film until so many requests were made, and end there, whatever is under way."""
    task = asyncio.ensure_future(made.film())
    while not task.done():
        if len(vendors.requests) > after:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return True
        await asyncio.sleep(0)
    await task
    return False


def test_a_result_whose_address_expired_is_asked_for_anew(studio, heygen, vendors):
    vendors.misbehave(Fault(403, "expired"), when=lambda request: request.vendor == "results")
    assert filmed(production(studio)).status == "success"
    assert sum(heygen.bought.values()) == 2


def test_how_far_a_vendor_is_is_told_scene_by_scene(studio, heygen):
    told: list[Event] = []
    filmed(production(studio), listener=told.append)
    film = [event for event in told if event.stage == "film"]
    assert {event.subject for event in film} == {"scene_1", "scene_2"}
    assert [event.outcome for event in film if event.outcome == "done"] == ["done", "done"]
