"""The panel of films: what filming would buy, what is chosen, what is there of each scene, and the bytes of it."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from helpers.camera import Camera, given
from helpers.fakes import FakeVoice, give
from PIL import Image

from luma_studio import Studio
from luma_studio.errors import JobFailedError, SettingError, StillRunningError, StoreError
from luma_studio.panels.films import Films
from luma_studio.panels.session import Session
from luma_studio.video import engines

TALKING = engines.talking_photo
SCRIPT = "Arriving\nClose your eyes. (2 sec)\n\nLeaving\nOpen your eyes. (1 sec)\n"


@pytest.fixture
def camera(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Camera:
    give(studio, FakeVoice())
    return given(Camera(), monkeypatch)


@pytest.fixture
def session(studio: Studio, camera: Camera) -> Iterator[Session]:
    with Session(studio) as session:
        yield session


@pytest.fixture
def films(session: Session) -> Films:
    """The panel over a production that is spoken."""
    session.begin("calm", SCRIPT)
    assert session.speak().wait(30)
    return Films(session)


def filmed(films: Films, **given: Any) -> dict[str, Any]:
    """What the panel shows after it had the production filmed."""
    films.do_film(**given)
    ended(films)
    return films.do_state()["production"]


def ended(films: Films) -> None:
    assert films.session._works["film"].wait(30)


def told(panel: Any) -> list[dict[str, Any]]:
    """What the panel sends from now on, as JSON."""
    sent: list[dict[str, Any]] = []
    panel.send = lambda content, buffers=None: sent.append(json.loads(json.dumps(content)))
    return sent


def picture(size: tuple[int, int] = (64, 96)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, "PNG")
    return out.getvalue()


def test_without_a_production_it_shows_none(session):
    assert Films(session).do_state()["production"] is None


def test_before_it_is_spoken_nothing_can_be_quoted_and_it_says_how_many_clauses_are_missing(session):
    session.begin("calm", SCRIPT)
    shown = Films(session).do_state()["production"]
    assert (shown["unspoken"], shown["quote"], shown["scenes"]) == (2, None, [])


def test_it_tells_what_filming_would_buy_scene_by_scene_and_buys_nothing(films, camera):
    shown = films.do_state()["production"]
    assert shown["quote"] == {"engine": "preview", "to_film": 2, "cost": "1.0", "unknown": False, "changed": 0}
    assert [(each["id"], each["title"], each["cost"], each["drawn"]) for each in shown["scenes"]] == [
        ("scene_1", "Arriving", "0.5", True),
        ("scene_2", "Leaving", "0.5", True),
    ]
    assert not camera.bought
    json.dumps(films.do_state())


def test_a_film_is_shown_with_its_files_and_each_of_them_can_be_fetched_in_parts(films):
    shown = filmed(films)
    assert (shown["film"]["file"], shown["film"]["current"], shown["quote"]["to_film"]) == ("film.mp4", True, 0)
    for scene in shown["scenes"]:
        file = shown["files"][scene["result"]["video"]]
        answer, (data,) = films.do_part(file["name"], 0, 1 << 20)
        assert (answer["total"], len(data)) == (file["bytes"], file["bytes"])
        assert shown["files"][scene["result"]["thumbnail"]]["kind"] == "still"
    answer, (head,) = films.do_part("film.mp4", 4, 4)
    assert head == b"ftyp"


def test_progress_is_told_scene_by_scene_as_it_comes(films):
    sent = told(films)
    filmed(films)
    works = [message["value"] for message in sent if message["topic"] == "work"]
    assert works[-1]["status"] == "done"
    assert {scene: what[0] for scene, what in works[-1]["scenes"].items()} == {"scene_1": "done", "scene_2": "done"}
    assert works[-1]["stages"][-1]["stage"] == "join"
    assert {"topic": "files", "value": None} in sent


def test_a_scene_that_fails_says_why_and_trying_again_films_it_alone(films, camera):
    camera.failing["scene_2"] = JobFailedError("The camera could not make the video.", vendor="Camera")
    shown = filmed(films)
    assert [each["result"]["status"] for each in shown["scenes"]] == ["completed", "failed"]
    assert shown["scenes"][1]["result"]["message"] == "The camera could not make the video."
    assert not shown["film"]["file"]
    camera.failing.clear()
    assert filmed(films, scenes=["scene_2"])["film"]["current"]
    assert camera.filmed == {"scene_1": 1, "scene_2": 1}


def test_a_scene_that_a_vendor_still_makes_is_looked_at_again_without_being_bought_again(films, camera):
    camera.failing["scene_1"] = StillRunningError("It still makes the video.", vendor="Camera")
    assert filmed(films)["scenes"][0]["result"]["status"] == "processing"
    camera.failing.clear()
    assert films.do_look()
    ended(films)
    assert films.do_state()["production"]["film"]["current"]
    assert camera.bought == {"scene_1": 1, "scene_2": 1}
    assert not films.do_look()


def test_looking_again_never_begins_a_video_of_a_scene_that_changed_meanwhile(films, camera):
    camera.failing["scene_1"] = StillRunningError("It still makes the video.", vendor="Camera")
    filmed(films)
    films.session.edit(lambda production: production.pauses.__setitem__(0, 3.5))
    assert not films.do_look()
    assert camera.bought == {"scene_1": 1, "scene_2": 1}


def test_after_an_edit_the_film_is_older_and_the_quote_names_what_changed(films):
    filmed(films)
    films.session.edit(lambda production: production.pauses.__setitem__(0, 3.5))
    shown = films.do_state()["production"]
    assert (shown["film"]["current"], shown["film"]["file"]) == (False, "film.mp4")
    assert [each["changed"] for each in shown["scenes"]] == [True, False]


def test_a_choice_is_kept_in_the_production_and_a_wrong_one_is_refused_in_a_sentence(films):
    films.do_choose(orientation="landscape", crossfade=0.5)
    chosen = films.do_state()["production"]["choices"]
    assert (chosen["orientation"], chosen["crossfade"]) == ("landscape", 0.5)
    with pytest.raises(SettingError, match="crossfade cannot be 9: it must be a number from 0"):
        films.do_choose(crossfade=9)
    with pytest.raises(SettingError, match="A film has no setting 'voice'"):
        films.do_choose(voice="espeak:hi")


def test_an_engine_that_there_is_not_is_a_problem_in_a_sentence_and_what_was_filmed_is_shown_all_the_same(
    films, monkeypatch
):
    filmed(films)
    monkeypatch.setattr(engines, "talking_photo", TALKING)
    films.do_choose(film="cinema")
    shown = films.do_state()["production"]
    assert "cinema" in shown["problem"]
    assert (shown["quote"], len(shown["scenes"])) == (None, 2)
    assert shown["film"]["file"] == "film.mp4"


def test_what_two_engines_made_of_a_scene_can_be_fetched_for_both(films, camera, monkeypatch):
    filmed(films)

    class Other(Camera):
        def identity(self, what: Any) -> dict[str, Any]:
            return {**super().identity(what), "engine": "other"}

    monkeypatch.setattr(engines, "talking_photo", lambda text, _kit: camera if text == "preview" else Other())
    films.do_choose(film="heygen")
    kept = filmed(films)["scenes"][0]["kept"]
    assert set(kept) == {"preview", "heygen"}
    for each in kept.values():
        answer, (data,) = films.do_kept_part(each["fingerprint"], 0, 1 << 20)
        assert (answer["total"], data[4:8]) == (each["bytes"], b"ftyp")


@pytest.mark.parametrize("fingerprint", ["", "../../production", "f" * 64])
def test_only_videos_of_the_store_are_fetched_from_it(films, fingerprint):
    with pytest.raises(StoreError, match="not in the store"):
        films.do_kept_part(fingerprint, 0, 10)


def test_captions_are_those_of_the_scene_from_its_own_beginning_or_of_the_whole(films):
    whole, scene = films.do_captions(), films.do_captions("scene_2")
    assert "Close your eyes." in whole["srt"]
    assert "Close your eyes." not in scene["vtt"]
    assert scene["vtt"].startswith("WEBVTT")
    with pytest.raises(SettingError, match="no scene 'scene_9'"):
        films.do_captions("scene_9")


def test_each_scene_has_a_small_picture_of_its_photo_or_of_the_card_that_stands_for_it(films):
    films.do_state()
    _, (card,) = films.do_still("scene_1")
    with Image.open(io.BytesIO(card)) as small:
        assert (small.format, max(small.size)) == ("JPEG", 480)
    with pytest.raises(SettingError, match="no picture of scene_9"):
        films.do_still("scene_9")


# Photos


def sent_in_pieces(films: Films, name: str, data: bytes, piece: int = 100) -> Any:
    """The last answer to a picture that is sent in pieces."""
    answer = None
    for start in range(0, len(data), piece):
        answer = films.do_put_photo("key", name, len(data), start, data[start : start + piece])
    return answer


def test_a_photo_that_is_sent_in_pieces_is_there_whole_and_is_seen_in_the_scenes(films, studio):
    sent = told(films)
    assert sent_in_pieces(films, "मीरा.png", picture()) == "मीरा.png"
    assert (studio.photos.folder / "मीरा.png").read_bytes() == picture()
    assert {"topic": "photos", "value": None} in sent
    assert films.do_photos()["photos"] == ("मीरा.png",)
    assert films.do_photo(films.do_photos()["personas"][0]["photo"])[1][0].startswith(b"\xff\xd8")
    films.do_choose(photo="मीरा.png")
    assert [each["photo"] for each in films.do_state()["production"]["scenes"]] == ["मीरा", "मीरा"]
    assert films.do_photo("मीरा.png")[1][0].startswith(b"\xff\xd8")


def test_bytes_that_come_with_a_question_are_given_to_its_verb(films):
    sent = told(films)
    question = {"key": "1", "name": "mira.png", "size": len(picture()), "start": 0}
    films._answer({"ask": "7", "verb": "put_photo", "with": question}, [memoryview(picture())])
    assert sent[-1] == {"re": "7", "value": "mira.png"}


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("notes.txt", b"words", "notes.txt is no picture that can be read here"),
        ("mira.png", b"no picture at all", "mira.png is no picture that can be read here"),
        ("mira.png", picture((8, 8)), "too few to film"),
    ],
)
def test_what_is_wrong_with_a_picture_is_one_sentence_and_nothing_is_kept(films, studio, name, data, sentence):
    with pytest.raises(SettingError, match=sentence):
        sent_in_pieces(films, name, data)
    assert studio.photos.names() == ()


def test_a_picture_that_is_too_large_is_refused_before_it_is_sent(films):
    with pytest.raises(SettingError, match="has 90 MB, and a photo may have 64"):
        films.do_put_photo("key", "mira.png", 90 * 10**6, 0, b"")
    with pytest.raises(SettingError, match=r"mira.png is empty"):
        films.do_put_photo("key", "mira.png", 0, 0, b"")


def test_pieces_that_do_not_follow_one_another_make_no_photo(films, studio):
    data = picture()
    films.do_put_photo("one", "mira.png", len(data), 0, data[:50])
    for key, start in (("two", 50), ("one", 60)):
        with pytest.raises(SettingError, match="did not arrive whole"):
            films.do_put_photo(key, "mira.png", len(data), start, data[start:])
    assert studio.photos.names() == ()


def test_a_film_that_a_cell_has_made_is_shown_like_one_that_was_asked_for_here(films):
    sent = told(films)
    asyncio.run(films.session.production.film())
    works = [message["value"] for message in sent if message["topic"] == "work"]
    assert [works[0]["kind"], works[-1]["status"]] == ["film", "done"]
