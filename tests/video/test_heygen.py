"""HeyGen: what is asked for, by its own rules, and what a video is named and priced by."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import av
import pytest
from helpers.heygen import HeyGen
from helpers.heygen_shots import RATE, shot, sound, still

from luma_studio.errors import BudgetError, LumaError, NoKeyError, NotFoundError, SettingError
from luma_studio.store.ledger import Account
from luma_studio.video.base import EngineChoice, Look, Photo, SceneSound, untold
from luma_studio.video.heygen_asked import read_choice

LANDSCAPE = Look(1280, 720, captions="none")


def asked(heygen: HeyGen) -> Any:
    """What the last video was asked for with."""
    return list(heygen.videos.values())[-1].asked


# What is sent


def test_a_photo_talks_with_the_sound_of_its_scene_and_is_as_long(workshop, heygen, workspace):
    engine, scene = workshop.engine(), shot(workspace)
    told = []
    made = asyncio.run(workshop.film(engine, scene, told.append))
    request = asked(heygen)
    photo, voice = request["image"].pop("asset_id"), request.pop("audio_asset_id")
    assert heygen.assets[photo][1:] == ("image/png", scene.photo.still.path.read_bytes())
    assert heygen.assets[voice][1:] == ("audio/wav", scene.sound.path.read_bytes())
    assert request == {
        "type": "image",
        "image": {"type": "asset_id"},
        "title": f"Scene 1 [{workshop.place(engine, scene).stem[:16]}]",
        "aspect_ratio": "9:16",
        "resolution": "720p",
        "fit": "cover",
        "output_format": "mp4",
    }
    with av.open(workshop.place(engine, scene)) as video:
        assert video.duration / 1e6 == pytest.approx(scene.sound.seconds, abs=0.05)
    assert (made.video_id, made.status["status"]) == (next(iter(heygen.videos)), "completed")
    assert made.request["title"] == request["title"]
    assert made.thumbnail_url.endswith(f"{made.video_id}.jpg")
    assert [each.stage for each in told][:2] == ["submitted", "submitted"]
    assert told[-1].stage == "completed"
    assert {each.video_id for each in told} == {made.video_id}
    assert sum(heygen.bought.values()) == 1


@pytest.mark.parametrize(
    ("choice", "changes", "sent"),
    [
        ("heygen", {"look": LANDSCAPE}, {"aspect_ratio": "16:9", "resolution": "720p"}),
        ("heygen", {"look": Look(1080, 1080, captions="none")}, {"aspect_ratio": "1:1", "resolution": "1080p"}),
        ("heygen:avatar_iv,resolution=4k", {}, {"resolution": "4k"}),
        ("heygen:avatar_iv,expressiveness=high", {"motion": "She nods."}, {"expressiveness": "high"}),
        ("heygen", {"motion": "She nods."}, {"motion_prompt": "She nods."}),
        ("heygen", {"look": Look()}, {"caption": {"style": "default"}}),
        (
            "heygen",
            {"look": Look(fit="contain", background="#a0B1c2")},
            {"fit": "contain", "background": {"type": "color", "value": "#a0B1c2"}},
        ),
        ("heygen", {"photo": Photo("Far", address="https://a.example/b.png")}, {"type": "image"}),
        ("heygen", {"photo": Photo("Ben", avatar="look_ben")}, {"engine": {"type": "avatar_iv"}, "type": "avatar"}),
        (
            "heygen:avatar_v",
            {"photo": Photo("Ben", avatar="look_ben"), "motion": "He waves."},
            {"avatar_id": "look_ben", "engine": {"type": "avatar_v"}, "motion_prompt": "He waves."},
        ),
        (
            "heygen:avatar_iv,voice=voice_3,speed=0.9,pitch=-2",
            {},
            {"script": "Close your eyes.", "voice_id": "voice_3", "voice_settings": {"speed": 0.9, "pitch": -2.0}},
        ),
    ],
)
def test_what_is_chosen_is_what_is_asked(workshop, heygen, workspace, choice, changes, sent):
    asyncio.run(workshop.film(workshop.engine(choice), shot(workspace, **changes)))
    assert asked(heygen) == {**asked(heygen), **sent}


def test_a_picture_may_be_an_asset_and_a_sound_one_that_the_script_names(workshop, heygen, workspace):
    heygen.assets |= {"pic": ("p", "image/png", b""), "voice": ("v", "audio/wav", sound(workspace).path.read_bytes())}
    silent = SceneSound(workspace / "none.wav", "", 0, RATE)
    scene = shot(workspace, photo=Photo("Anna", avatar="asset:pic"), sound=silent, asset="voice")
    asyncio.run(workshop.film(workshop.engine(), scene))
    assert (asked(heygen)["image"]["asset_id"], asked(heygen)["audio_asset_id"]) == ("pic", "voice")
    assert len(heygen.assets) == 2


def test_scenes_are_made_one_film_by_one_purchase(workshop, heygen, vendors, workspace):
    engine = workshop.film_engine("heygen:avatar_iv,resolution=1080p")
    shots = [
        shot(workspace, "scene_1"),
        shot(workspace, "scene_2", photo=Photo("Anna", avatar="look_anna"), motion="She smiles."),
    ]
    engine.check(shots)
    into = workspace / "film.mp4"
    account = Account(workshop.ledger, workshop.folder / ".store", "calm", key="film")
    for _ in range(2):  # the second time it is taken up where it was
        asyncio.run(engine.film("Calm", shots, account, into, untold))
    assert list(heygen.bought.values()) == [1]
    request = asked(heygen)
    assert [scene["type"] for scene in request.pop("scenes")] == ["avatar_video", "avatar_video"]
    assert request == {"type": "studio", "title": "Calm [film]", "aspect_ratio": "9:16", "resolution": "1080p"}
    with av.open(into) as video:
        assert video.duration / 1e6 == pytest.approx(2.0, abs=0.05)
    assert len(heygen.assets) == 3  # the second scene shows a look
    (entry,) = workshop.ledger.entries()
    assert (entry.purchase.units, entry.purchase.price) == (
        2,
        pytest.approx(engine.price(shots), abs=Decimal("0.000001")),
    )


def test_a_film_has_one_to_fifty_scenes_of_one_look_that_fills_the_frame(workshop, heygen, workspace):
    engine, scene = workshop.film_engine(), shot(workspace)
    for shots, why in (
        ([], "1 to 50"),
        ([scene] * 51, "1 to 50"),
        ([scene, replace(scene, look=LANDSCAPE)], "another look"),
        ([replace(scene, look=Look(fit="contain"))], "fit cover"),
        ([replace(scene, photo=Photo("Nobody"))], "neither"),
    ):
        with pytest.raises(SettingError, match=why):
            engine.check(shots)
    engine.check([scene] * 50)
    assert not heygen.vendors.requests


# Rules


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        ("heygen:avatar_vi", "model 'avatar_vi'"),
        ("heygen:avatar_iv,resolution=8k", "resolution '8k'.*720p, 1080p, 4k"),
        ("heygen:avatar_iv,expressiveness=wild", "expressiveness 'wild'.*low, medium, high"),
        ("heygen:avatar_v,expressiveness=low", "Only the model avatar_iv"),
        ("heygen:avatar_iv,tone=warm", "no setting 'tone'"),
        ("heygen:avatar_iv,voice=", "no id of a voice"),
        ("heygen:avatar_iv,voice=a warm one", "no id of a voice"),
        ("heygen:avatar_iv,voice=v,speed=2", "speed of heygen cannot be '2'; it may be 0.5 to 1.5"),
        ("heygen:avatar_iv,voice=v,pitch=high", "pitch of heygen cannot be 'high'; it may be -50 to 50"),
        ("heygen:avatar_iv,voice=v,speed=nan", "cannot be 'nan'"),
        ("heygen:avatar_iv,speed=0.9", "voice=VOICE_ID"),
    ],
)
def test_a_choice_that_cannot_be_is_told(choice, why):
    with pytest.raises(SettingError, match=why):
        read_choice(EngineChoice.parse(choice))


def file(path: Path, body: bytes, size: int = 0) -> Path:
    path.write_bytes(body)
    if size:
        with path.open("rb+") as opened:
            opened.truncate(size)
    return path


MB = 1024 * 1024


def test_what_heygen_would_refuse_is_told_before_anything_is_sent(workshop, heygen, workspace):
    picture, heard = still(workspace), sound(workspace)
    png, wav = picture.path.read_bytes(), heard.path.read_bytes()
    large = replace(picture, path=file(workspace / "large.png", png, 33 * MB))
    rows: list[tuple[str, dict[str, Any], str]] = [
        ("heygen", {"photo": Photo("Nobody")}, "neither a picture nor a look"),
        ("heygen", {"photo": Photo("Ben", avatar="Ben!")}, "no id of a look"),
        ("heygen", {"photo": Photo("Ben", avatar="asset:../x")}, "no asset of HeyGen"),
        ("heygen:avatar_v", {}, "Photos are filmed by the model avatar_iv"),
        ("heygen", {"photo": Photo("Far", address="http://a.example/b.png")}, "by https only"),
        ("heygen", {"photo": Photo("Far", address="https://me:pw@a.example/b.png")}, "by https only"),
        ("heygen", {"photo": Photo("Far", address="https://a.example/" + "b" * 2048)}, "by https only"),
        ("heygen", {"photo": Photo("Far", address="https://[bad/b.png")}, "by https only"),
        ("heygen", {"photo": Photo("Large", large)}, "35 MB, and HeyGen takes 34 MB at most. Make the picture smaller"),
        ("heygen", {"photo": Photo("Odd", replace(picture, path=file(workspace / "a.png", wav)))}, "PNG or JPEG"),
        ("heygen", {"photo": Photo("Gone", replace(picture, path=workspace / "b.png"))}, "not there, or empty"),
        ("heygen", {"sound": replace(heard, length=0)}, "has no sound"),
        ("heygen:avatar_iv,voice=v", {"text": " "}, "has no text"),
        ("heygen:avatar_iv,voice=v", {"text": "x" * 5001}, "5,001 characters"),
        ("heygen", {"look": Look(700, 1280)}, "no video of 700 × 1280"),
        ("heygen", {"look": Look(background="blue")}, "no colour"),
    ]
    for choice, changes, why in rows:
        with pytest.raises(SettingError, match=why):
            workshop.engine(choice).check(shot(workspace, **changes))
    with pytest.raises(SettingError, match="the heygen id of scene_1"):
        workshop.engine().check(shot(workspace, asset="my asset"))
    for made, why in (
        (replace(heard, path=file(workspace / "a.wav", png)), "MP3 or WAV"),
        (replace(heard, path=file(workspace / "c.wav", wav, 33 * MB)), "Export the scene as MP3"),
    ):  # which is not written yet when a film is quoted
        with pytest.raises(SettingError, match=why):
            asyncio.run(workshop.film(workshop.engine(), shot(workspace, sound=made)))
    workshop.engine().check(shot(workspace, sound=sound(workspace, kind="mp3")))
    workshop.engine().check(shot(workspace, photo=Photo("Anna", still(workspace, "jpeg"))))
    assert not heygen.vendors.requests


@pytest.mark.parametrize(
    ("choice", "look", "motion", "why"),
    [
        ("heygen", "look_nobody", "", "does not have"),
        ("heygen", "look_dev", "", r"not ready \(processing\)"),
        ("heygen:avatar_v", "look_anna", "", "There are: avatar_iv, avatar_iii"),
        ("heygen", "look_ben", "He waves.", "told to avatar_v only"),
        ("heygen:avatar_iv,expressiveness=high", "look_cleo", "", "Only photos have expressiveness"),
    ],
)
def test_a_look_that_cannot_be_filmed_so_is_told_and_nothing_is_bought(
    workshop, heygen, workspace, choice, look, motion, why
):
    scene = shot(workspace, photo=Photo("Look", avatar=look), motion=motion)
    with pytest.raises((SettingError, NotFoundError), match=why):
        asyncio.run(workshop.film(workshop.engine(choice), scene))
    assert workshop.ledger.entries() == []
    assert not heygen.vendors.bought


def test_without_a_key_it_can_be_quoted_and_says_what_to_do(workshop, workspace):
    engine, scene = workshop.engine(), shot(workspace)
    assert engine.price(scene) == Decimal(3) / 60
    with pytest.raises(NoKeyError, match=r"HEYGEN_API_KEY=… into .env, or choose the preview engine: preview"):
        engine.check(scene)


# Names and prices


def test_a_video_is_named_by_what_decides_how_it_looks_and_sounds(workshop, workspace):
    scene = shot(workspace)
    same = [replace(scene, title="Other"), replace(scene, look=replace(scene.look, background="#ffffff"))]
    same.append(replace(scene, text="Others.", language="hi"))
    others = [
        replace(scene, sound=sound(workspace, "other")),
        replace(scene, photo=Photo("B", still(workspace, colour=(1, 2, 3)))),
        replace(scene, photo=Photo("B", avatar="look_anna")),
        replace(scene, look=LANDSCAPE),
        replace(scene, look=replace(scene.look, fit="contain")),
        replace(scene, motion="She nods."),
        replace(scene, look=Look()),
    ]
    identity = workshop.engine().identity
    assert json.loads(json.dumps(identity(scene))) == identity(scene)
    assert all(identity(each) == identity(scene) for each in same)
    names = [json.dumps(identity(each), sort_keys=True) for each in (scene, *others)]
    voice = workshop.engine("heygen:avatar_iv,voice=voice_1").identity
    names += [json.dumps(voice(each), sort_keys=True) for each in (scene, replace(scene, text="Others."))]
    assert len(set(names)) == len(others) + 3


def test_videos_are_priced_by_the_minute_and_unknown_is_unknown(workshop, heygen, workspace, monkeypatch):
    scene = shot(workspace, sound=sound(workspace, seconds=3))
    look = replace(scene, photo=Photo("Ben", avatar="look_ben"))
    assert workshop.engine().price(scene) == Decimal("0.15")
    assert workshop.engine().price(look) == Decimal("0.20")
    assert workshop.engine("heygen:avatar_iii").price(look) is None
    assert workshop.engine("heygen:avatar_iv,resolution=4k").price(scene) is None
    workshop.budget = Decimal(1)
    with pytest.raises(BudgetError, match="avatar_iv-4k costs is not known"):
        asyncio.run(workshop.film(workshop.engine("heygen:avatar_iv,resolution=4k"), scene))
    monkeypatch.setenv("LUMA_PRICES", '{"heygen:avatar_iv": 60}')
    assert workshop.engine().price(scene) == Decimal(3)
    with pytest.raises(BudgetError, match=r"would cost \$3"):
        asyncio.run(workshop.film(workshop.engine(), scene))
    assert not heygen.bought


def test_every_error_is_ours(workshop, heygen, workspace):
    with pytest.raises(LumaError, match="not there"):
        asyncio.run(workshop.film(workshop.engine(), shot(workspace, sound=replace(sound(workspace), path=workspace))))
