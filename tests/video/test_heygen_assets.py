"""What HeyGen was given is given once: by content, among all scenes, threads and processes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from helpers.heygen_shots import Workshop, shot, sound, still
from helpers.vendors import Fault

from luma_studio.errors import BadKeyError, BrokenAnswerError, NotFoundError, TooLargeError
from luma_studio.settings import Polling
from luma_studio.video.base import Shot
from luma_studio.video.heygen_assets import FILE, Assets, media_type
from luma_studio.wire import Wires


def uploads(heygen) -> int:
    return len(heygen.vendors.seen("/v3/assets"))


def kept(workshop) -> dict:
    return json.loads((workshop.folder / FILE).read_text(encoding="utf-8"))["assets"]


def film(workshop, scene, **options) -> None:
    asyncio.run(workshop.film(workshop.engine(**options), scene))


def test_what_was_uploaded_is_written_down_by_content(workshop, heygen, workspace):
    scene = shot(workspace)
    film(workshop, scene)
    picture, voice = scene.photo.still, scene.sound
    ids = {name: asset_id for asset_id, (name, _, _) in heygen.assets.items()}
    assert kept(workshop) == {
        picture.digest: {
            "file_name": picture.path.name,
            "asset_id": ids[f"{picture.digest[:16]}.png"],
            "scene_id": "scene_1",
            "kind": "image",
        },
        voice.digest: {
            "file_name": "scene_1.wav",
            "asset_id": ids[f"{voice.digest[:16]}.wav"],
            "scene_id": "scene_1",
            "kind": "audio",
        },
    }


def test_the_same_content_is_uploaded_once_however_it_is_called(workshop, heygen, workspace):
    scene = shot(workspace)
    film(workshop, scene)
    renamed = workspace / "renamed.wav"
    scene.sound.path.rename(renamed)
    film(workshop, replace(scene, motion="She nods.", sound=replace(scene.sound, path=renamed)))
    assert (uploads(heygen), len(heygen.videos)) == (2, 2)
    film(workshop, replace(scene, sound=sound(workspace, "other")))
    assert uploads(heygen) == 3


def test_it_is_uploaded_anew_once_where_that_is_forced(workshop, heygen, workspace):
    scenes = [shot(workspace, f"scene_{number}") for number in range(3)]
    for scene in scenes:
        film(workshop, scene)
    engine = workshop.engine(force_upload=True)
    for scene in scenes:
        asyncio.run(workshop.film(engine, replace(scene, motion="She nods.")))
    assert uploads(heygen) == 8  # one photo and three sounds, twice


def test_what_heygen_has_no_more_is_uploaded_anew_once_and_the_video_bought_once(workshop, heygen, workspace):
    scene = shot(workspace)
    film(workshop, scene)
    heygen.forget_assets()
    film(workshop, replace(scene, motion="She nods."))
    assert (uploads(heygen), len(heygen.videos)) == (4, 2)
    assert {each["asset_id"] for each in kept(workshop).values()} == set(heygen.assets)


def test_an_asset_that_heygen_never_knows_is_told(workshop, heygen, workspace):
    gone = Fault(404, heygen.refusal(404, "asset_not_found", "Asset not found."))
    heygen.vendors.misbehave(gone, times=99, when=lambda request: request.path == "/v3/videos")
    with pytest.raises(NotFoundError, match="Asset not found"):
        film(workshop, shot(workspace))
    assert uploads(heygen) == 4


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(401, {"error": {"code": "x", "message": "No."}}), BadKeyError),
        (Fault(413, {"error": {"code": "payload_too_large", "message": "No."}}), TooLargeError),
        (Fault(200, "done"), BrokenAnswerError),
        (Fault(200, {"data": {"asset_id": ""}}), BrokenAnswerError),
    ],
)
def test_an_upload_that_goes_wrong_buys_nothing_and_nothing_is_written_down(workshop, heygen, workspace, fault, error):
    heygen.vendors.misbehave(fault, when=lambda request: request.path == "/v3/assets")
    with pytest.raises(error):
        film(workshop, shot(workspace))
    assert not (workshop.folder / FILE).exists()
    assert workshop.ledger.entries() == []
    film(workshop, shot(workspace))


@pytest.mark.parametrize("content", [b"", b"{", b'[{"file_name": "scene_1.mp3", "asset_id": "f0eb"}]', b"\xff\xfe"])
def test_a_file_that_cannot_be_read_holds_nothing(workshop, heygen, workspace, content):
    workshop.folder.mkdir()
    (workshop.folder / FILE).write_bytes(content)
    film(workshop, shot(workspace))
    assert len(kept(workshop)) == 2


def test_a_scenes_sound_is_found_however_its_id_is_written(workshop, heygen, workspace):
    for name in ("scene_1", "scene_11"):
        film(workshop, shot(workspace, name))
    assets = Assets(workshop.folder)
    for written in ("scene_1", "Scene 1", "scene-1", "SCENE1", "1"):
        assert assets.of_scene(written).file_name == "scene_1.wav"
    assert assets.of_scene("scene 2") is None


@pytest.mark.parametrize("kind", ["mp3", "wav"])
def test_a_sound_is_what_it_is_and_not_what_it_is_called(workspace, kind):
    heard = sound(workspace, kind=kind)
    odd = heard.path.rename(workspace / "sound.bin")
    assert media_type(odd) == {"mp3": "audio/mpeg", "wav": "audio/wav"}[kind]


def test_pictures_are_known_and_others_are_none(workspace):
    assert media_type(still(workspace).path) == "image/png"
    assert media_type(still(workspace, "jpeg").path) == "image/jpeg"
    for body in (b"", b"\xff", b"GIF89a", b"<svg/>", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x18ftypM4A "):
        (workspace / "odd").write_bytes(body)
        assert media_type(workspace / "odd") == ""


def _film(folder: Path, scenes: list[Shot]) -> None:
    Polling.shortest, Polling.longest = 0.01, 0.02  # type: ignore[misc]
    wires = Wires()
    workshop = Workshop(folder, wires)
    for scene in scenes:
        film(workshop, scene)
    wires.close()


def test_two_processes_upload_and_buy_each_once(heygen, workspace):
    scenes = [shot(workspace, f"scene_{number}") for number in range(2)]
    context = get_context("spawn")
    processes = [context.Process(target=_film, args=(workspace / "generated_audio", scenes)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert (uploads(heygen), list(heygen.bought.values())) == (3, [1, 1])
