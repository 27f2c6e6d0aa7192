"""HeyGen v3 as far as the studio asks it: assets, looks, voices, and videos that take their time, and may go wrong.

It answers through ``Vendors``, whose faults, delays and counting hold for it, too. What it makes is real: an MP4 as
long as the sound that was uploaded for it.
"""

from __future__ import annotations

import email
import hashlib
import io
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from PIL import Image

from helpers.vendors import Answer, Refused, Request, json_answer
from luma_studio.audio import codec

if TYPE_CHECKING:
    from helpers.vendors import Vendors

LOOKS = {
    "look_anna": ("photo_avatar", "completed", ["avatar_iv", "avatar_iii"]),
    "look_ben": ("digital_twin", "completed", ["avatar_v", "avatar_iv", "avatar_iii"]),
    "look_cleo": ("studio_avatar", None, ["avatar_iii", "avatar_iv"]),
    "look_dev": ("photo_avatar", "processing", ["avatar_iv"]),
}
"""Kind, state and engines of the looks, by id."""
VOICES = {f"voice_{number}": f"Voice {number}" for number in range(1, 8)}
_PAGE = 3  # entries on a page, however many were asked for, so that there are several
_LARGEST = 32 * 1024 * 1024
_CHARACTER = 0.06  # seconds of a character that a voice of HeyGen's speaks
_SIZES = {"9:16": (36, 64), "16:9": (64, 36), "4:5": (48, 60), "5:4": (60, 48), "1:1": (48, 48)}
_FPS = 5


@dataclass(slots=True)
class Video:
    """A video that was asked for, and how it stands."""

    video_id: str
    asked: dict[str, Any]
    seconds: float
    begun: float
    looks: int = 0
    without: int = 0
    """Looks at which it is completed and has no address yet."""
    failure: tuple[str, str] | None = None
    gone: bool = False
    serial: int = 0
    """Of its newest address."""

    @property
    def title(self) -> str:
        return str(self.asked.get("title") or "")


@dataclass(slots=True)
class HeyGen:
    """The fake; its attributes may be set and read at any time."""

    vendors: Vendors = field(repr=False)
    looks_until_done: int = 3
    """Looks at which a video is not done yet."""
    lasts: float | None = None
    """Seconds until a video is done, in place of looks."""
    at_once: int | None = None
    """Videos that may be under way; more are refused."""
    retry_after: str = ""
    """What it says then of when to try again."""
    word: str = "processing"
    """What it says of a video that is being made."""
    failing: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Code and words of why a video fails half-way, by what is in its title."""
    without_address: int = 0
    """Looks at which new videos are completed and have no address."""
    expiring: int = 0
    """Addresses that have expired before anybody fetches them: the next ones."""
    no_video: bool = False
    """Whether what it made is something else."""
    listed: bool = True
    """Whether its list has the videos."""
    balance: float = 42.5
    assets: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    """Name, kind and bytes, by id."""
    videos: dict[str, Video] = field(default_factory=dict)
    bought: Counter[str] = field(default_factory=Counter)
    """How often a video was begun, by its title."""
    busiest: int = 0
    """Videos that were under way at once, at most."""
    _ids: Any = field(default_factory=lambda: itertools.count(1), repr=False)
    _expired: set[str] = field(default_factory=set, repr=False)

    # for tests

    def forget_assets(self) -> None:
        """Know none of what was uploaded."""
        self.assets.clear()

    def expire(self) -> None:
        """Have every address expire that was given."""
        for video in self.videos.values():
            self._expired.add(f"{video.video_id}.{video.serial}.mp4")

    # as the vendors ask it

    def refusal(self, _status: int, code: str, message: str, param: str | None = None) -> Any:
        """The body of an error in its shape."""
        return {"error": {"code": code, "message": message, "param": param, "doc_url": None}}

    def answer(self, request: Request) -> Answer:  # noqa: PLR0911 - an answer each
        """The answer to a request with the right key. Raises Refused."""
        match request.method, *request.path.strip("/").split("/"):
            case "POST", "v3", "assets":
                return self._uploaded(request)
            case "POST", "v3", "videos":
                return self._created(request.json)
            case "GET", "v3", "videos":
                return self._listed(request)
            case "GET", "v3", "videos", video_id:
                return json_answer({"data": self._shown(self._video(video_id), looked=True)})
            case "GET", "v3", "avatars", "looks":
                return self._page(request, [_look(look_id) for look_id in LOOKS])
            case "GET", "v3", "avatars", "looks", look_id:
                if look_id not in LOOKS:
                    raise self._refused(404, "avatar_not_found", "Avatar look not found.")
                return json_answer({"data": _look(look_id)})
            case "GET", "v3", "voices":
                return self._page(request, [_voice(voice_id) for voice_id in VOICES])
            case "GET", "v3", "users", "me":
                return json_answer({"data": self._me()})
        raise self._refused(404, "not_found", "Not found.")

    def result(self, name: str) -> Answer:
        """What it made, by the last part of its address. Raises Refused for an address that has expired."""
        video_id, _, rest = name.partition(".")
        video = self.videos[video_id]
        if rest.endswith("jpg"):
            return Answer(200, (_thumbnail(),), {"content-type": "image/jpeg"})
        if name.replace(".captioned", "") in self._expired:
            raise Refused(403, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
        if self.no_video:
            return Answer(200, (b"<html>Gone</html>",), {"content-type": "video/mp4"})
        body = made(video.seconds, video.asked.get("aspect_ratio") or "16:9")
        return Answer(200, (body,), {"content-type": "video/mp4"})

    # assets

    def _uploaded(self, request: Request) -> Answer:
        head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
        (part,) = email.message_from_bytes(head + request.body).get_payload()
        body = part.get_payload(decode=True)
        kind, name = part.get_content_type(), part.get_filename()
        if len(body) > _LARGEST:
            raise self._refused(413, "payload_too_large", "File exceeds 32 MB.", "file")
        if kind not in ("image/png", "image/jpeg", "audio/mpeg", "audio/wav"):
            raise self._refused(400, "invalid_parameter", f"Unsupported file type {kind}.", "file")
        asset_id = f"asset_{next(self._ids)}_{hashlib.sha256(body).hexdigest()[:8]}"
        self.assets[asset_id] = (name, kind, body)
        told = {"asset_id": asset_id, "url": f"https://resource.heygen.com/{asset_id}", "mime_type": kind}
        return json_answer({"data": {**told, "size_bytes": len(body)}})

    # videos

    def _created(self, asked: Any) -> Answer:
        if not isinstance(asked, dict):
            raise self._refused(400, "validation_error", "A JSON object is expected.")
        scenes = [each["input"] for each in asked["scenes"]] if asked["type"] == "studio" else [asked]
        seconds = sum(self._checked(scene) for scene in scenes)
        under_way = [each for each in self.videos.values() if self._state(each) in ("waiting", "pending", self.word)]
        if self.at_once is not None and len(under_way) >= self.at_once:
            refused = self._refused(429, "rate_limit_exceeded", "Too many videos at once.")
            if self.retry_after:
                refused.answer.headers["retry-after"] = self.retry_after  # type: ignore[index]
            raise refused
        video = Video(f"video_{next(self._ids)}", asked, seconds, time.monotonic(), without=self.without_address)
        video.failure = next((why for words, why in self.failing.items() if words in video.title), None)
        self.videos[video.video_id] = video
        self.bought[video.title] += 1
        self.busiest = max(self.busiest, len(under_way) + 1)
        told = {"video_id": video.video_id, "status": "waiting", "output_format": "mp4"}
        return json_answer({"data": told}, charged=(video.title,))

    def _checked(self, asked: dict[str, Any]) -> float:
        """Seconds that are spoken. Raises Refused for what the vendor does not take."""
        if asked["type"] == "avatar" and asked["avatar_id"] not in LOOKS:
            raise self._refused(404, "avatar_not_found", "Avatar look not found.", "avatar_id")
        if asked["type"] == "image" and asked["image"]["type"] == "asset_id":
            self._asset(asked["image"]["asset_id"], "image")
        if sum(name in asked for name in ("script", "audio_url", "audio_asset_id")) != 1:
            raise self._refused(400, "invalid_parameter", "Give exactly one speech source.")
        if "script" in asked:
            if asked.get("voice_id") not in VOICES:
                raise self._refused(400, "invalid_parameter", "The voice does not exist.", "voice_id")
            return len(asked["script"]) * _CHARACTER
        return _seconds(self._asset(asked["audio_asset_id"], "audio_asset_id"))

    def _asset(self, asset_id: str, param: str) -> bytes:
        if asset_id not in self.assets:
            raise self._refused(404, "asset_not_found", f"Asset {asset_id} not found.", param)
        return self.assets[asset_id][2]

    def _video(self, video_id: str) -> Video:
        video = self.videos.get(video_id)
        if video is None or video.gone:
            raise self._refused(404, "video_not_found", "Video not found.")
        return video

    def _state(self, video: Video) -> str:
        if self.lasts is None:
            share = video.looks / self.looks_until_done if self.looks_until_done else 1.0
        else:
            share = (time.monotonic() - video.begun) / self.lasts
        if video.failure is not None and share >= 0.5:
            return "failed"
        return "completed" if share >= 1 else "pending" if share < 0.3 else self.word

    def _shown(self, video: Video, *, looked: bool = False) -> dict[str, Any]:
        state = self._state(video)
        video.looks += looked
        told = {"id": video.video_id, "status": state, "title": video.title, "created_at": 1_790_000_000}
        if state == "failed" and video.failure is not None:
            return {**told, "failure_code": video.failure[0], "failure_message": video.failure[1]}
        if state != "completed":
            return told
        if looked and video.without:
            video.without -= 1
            return {**told, "video_url": None, "duration": None}
        home = f"{self.vendors.address('results')}/heygen/{video.video_id}"
        address = self._address(home, video, looked=looked)
        burned = (video.asked.get("caption") or {}).get("style")
        return {
            **told,
            "video_url": address,
            "captioned_video_url": address.replace(".mp4", ".captioned.mp4") if burned else None,
            "thumbnail_url": f"{home}.jpg",
            "duration": video.seconds,
            "completed_at": 1_790_000_300,
        }

    def _address(self, home: str, video: Video, *, looked: bool) -> str:
        """Where it can be fetched: a new address where the last one expired."""
        if f"{video.video_id}.{video.serial}.mp4" in self._expired:
            video.serial += 1
        if looked and self.expiring:
            self.expiring -= 1
            self._expired.add(f"{video.video_id}.{video.serial}.mp4")
        return f"{home}.{video.serial}.mp4?X-Amz-Expires=604800"

    # lists

    def _listed(self, request: Request) -> Answer:
        wanted = request.query.get("title", "")
        found = [each for each in self.videos.values() if self.listed and not each.gone and wanted in each.title]
        return self._page(request, [self._shown(each) for each in found])

    def _page(self, request: Request, found: list[dict[str, Any]]) -> Answer:
        first = int(request.query.get("token") or 0)
        last = first + min(_PAGE, int(request.query.get("limit", 10)))
        more = last < len(found)
        return json_answer({"data": found[first:last], "has_more": more, "next_token": str(last) if more else None})

    def _me(self) -> dict[str, Any]:
        wallet = {"currency": "usd", "remaining_balance": self.balance, "auto_reload": None}
        names = {"username": "u", "email": "a@example.com", "first_name": "A", "last_name": "B"}
        return {**names, "billing_type": "wallet", "wallet": wallet, "subscription": None, "usage_based": None}

    def _refused(self, status: int, code: str, message: str, param: str | None = None) -> Refused:
        return Refused(status, self.refusal(status, code, message, param))


def _look(look_id: str) -> dict[str, Any]:
    kind, status, engines = LOOKS[look_id]
    return {
        "id": look_id,
        "name": look_id.removeprefix("look_").title(),
        "avatar_type": kind,
        "group_id": "group_1",
        "default_voice_id": "voice_1",
        "preferred_orientation": "portrait",
        "preview_image_url": f"https://files.heygen.com/{look_id}.jpg",
        "status": status,
        "supported_api_engines": engines,
    }


def _voice(voice_id: str) -> dict[str, Any]:
    number = int(voice_id.rpartition("_")[2])
    return {
        "voice_id": voice_id,
        "name": VOICES[voice_id],
        "language": "Hindi" if number % 2 else "English",
        "gender": "female" if number % 3 else "male",
        "support_pause": True,
        "support_locale": False,
        "type": "public",
        "preview_audio_url": f"https://files.heygen.com/{voice_id}.mp3" if number % 2 else None,
    }


def _seconds(sound: bytes) -> float:
    samples, rate = codec.read(io.BytesIO(sound))
    return len(samples) / rate


@lru_cache(maxsize=32)
def made(seconds: float, ratio: str = "9:16") -> bytes:
    """An MP4 of so many seconds: tiny pictures that change, and silence; the same bytes each time."""
    width, height = _SIZES[ratio]
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        pictures = container.add_stream("libx264", rate=_FPS, options={"preset": "ultrafast", "threads": "1"})
        pictures.width, pictures.height, pictures.pix_fmt = width, height, "yuv420p"
        sound = container.add_stream("aac", rate=22050, layout="mono")
        for index in range(max(1, round(seconds * _FPS))):
            grey = np.full((height, width, 3), index * 7 % 256, np.uint8)
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, max(1, round(seconds * 22050))), np.int16), "s16", "mono")
        silence.sample_rate = 22050
        container.mux([*pictures.encode(None), *sound.encode(silence), *sound.encode(None)])
    return file.getvalue()


@lru_cache(maxsize=1)
def _thumbnail() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (36, 64), (80, 90, 120)).save(file, "JPEG")
    return file.getvalue()
