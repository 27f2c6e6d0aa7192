"""Freepik as far as the studio asks it: tasks of Kling 2.1 that move through their states, and go wrong on request.

It answers through ``Vendors``. Shapes and rules follow the vendor's OpenAPI file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from helpers.films import film
from helpers.vendors import Answer, Refused, Request, Vendors, json_answer

BEGIN = "/v1/ai/image-to-video/kling-v2-1-std"
STATUS = "/v1/ai/image-to-video/kling-v2-1/"
MISSING = "missing"
"""A task in this state is answered with 404, as one that was just made."""
_KNOWN = {
    "webhook_url",
    "image",
    "prompt",
    "negative_prompt",
    "duration",
    "cfg_scale",
    "static_mask",
    "dynamic_masks",
}
_PAGE = 20  # tasks


@dataclass(slots=True)
class Task:
    """A task: what was asked for, when, and how often it was looked at; ``states`` in the order of the looks."""

    id: str
    asked: Mapping[str, Any]
    states: tuple[str, ...]
    at: float = field(default_factory=time.monotonic)
    looks: int = 0
    addresses: int = 0


class Freepik:
    """The vendor. ``schedule`` is what a task goes through, a state a look, and the last for ever.

    Where ``pace`` is set, each state lasts so many seconds instead. ``clips`` is how many a task gives out, ``twins``
    how many tasks a request makes, ``stale`` how many addresses, the next ones, have expired when they are given.
    ``listed`` is whether its list shows tasks, ``pages`` whether it knows pages.
    """

    def __init__(self, vendors: Vendors) -> None:
        self._vendors = vendors
        self.schedule: tuple[str, ...] = (MISSING, "CREATED", "IN_PROGRESS", "COMPLETED")
        self.pace: float | None = None
        self.clips = 1
        self.twins = 1
        self.stale = 0
        self.listed = True
        self.pages = True
        self.tasks: dict[str, Task] = {}
        self._expired: set[str] = set()

    # for tests

    def begun_elsewhere(self, prompt: str = "Another's.") -> str:
        """A task that somebody else began with the same key; its id."""
        return self._begun({"prompt": prompt, "duration": "5"})

    def expire(self) -> None:
        """All addresses given so far lead nowhere now."""
        self._expired |= {f"{task.id}.{n}" for task in self.tasks.values() for n in range(task.addresses + 1)}

    # as a vendor of film

    def answer(self, request: Request) -> Answer:
        match request.method, request.path:
            case "POST", path if path == BEGIN:
                return self._create(request.json)
            case "GET", path if path == BEGIN:
                return self._list(request.query)
            case "GET", path if path.startswith(STATUS):
                return json_answer({"data": self._told(path.removeprefix(STATUS))})
        raise Refused(404, {"message": "Not Found"})

    def result(self, name: str) -> Answer:
        task, number, clip = name.removesuffix(".mp4").split(".")
        if f"{task}.{number}" in self._expired:
            raise Refused(403, {"message": "Request has expired"})
        return Answer(200, (film(f"{task} {clip}"),), {"content-type": "video/mp4"})

    def refusal(self, status: int, code: str, message: str) -> Any:
        return {"message": message}

    def _create(self, asked: Any) -> Answer:
        if not isinstance(asked, dict):
            raise Refused(400, {"message": "Validation error"})
        if unknown := sorted(asked.keys() - _KNOWN):
            raise _invalid(unknown[0], "Unknown parameter")
        if asked.get("duration") not in ("5", "10"):
            raise _invalid("duration", "Parameter 'duration' must be one of '5', '10'")
        if not (asked.get("image") or asked.get("prompt")):
            raise _invalid("prompt", "Parameter 'prompt' is required without 'image'")
        if not 0 <= asked.get("cfg_scale", 0.5) <= 1:
            raise _invalid("cfg_scale", "Parameter 'cfg_scale' must be between 0 and 1")
        if asked.get("image"):
            _check_picture(asked["image"])
        ids = [self._begun(asked) for _ in range(self.twins)]
        told = {"task_id": ids[0], "status": "CREATED", "generated": []}
        return json_answer({"data": told}, charged=(f"freepik: {asked.get('prompt', '')}",) * self.twins)

    def _begun(self, asked: Mapping[str, Any]) -> str:
        name = str(uuid.UUID(bytes=hashlib.sha256(f"task {len(self.tasks)}".encode()).digest()[:16], version=4))
        self.tasks[name] = Task(name, asked, self.schedule)
        return name

    def _told(self, name: str) -> dict[str, Any]:
        task = self.tasks.get(name)
        if task is None:
            raise Refused(404, {"message": "Task not found"})
        step = task.looks if self.pace is None else int((time.monotonic() - task.at) / self.pace)
        task.looks += 1
        state = task.states[min(step, len(task.states) - 1)]
        if state == MISSING:
            raise Refused(404, {"message": "Task not found"})
        return {"task_id": name, "status": state, "generated": self._given(task) if state == "COMPLETED" else []}

    def _given(self, task: Task) -> list[str]:
        """Addresses, fresh at each look."""
        task.addresses += 1
        if self.stale:
            self.stale -= 1
            self._expired.add(f"{task.id}.{task.addresses}")
        folder = f"{self._vendors.address('results')}/freepik"
        return [f"{folder}/{task.id}.{task.addresses}.{clip}.mp4?token=a%2Fb" for clip in range(self.clips)]

    def _list(self, query: Mapping[str, str]) -> Answer:
        if query and not self.pages:
            raise _invalid(next(iter(query)), "Unknown parameter")
        newest = list(reversed(self.tasks.values())) if self.listed else []
        first = (int(query.get("page", 1)) - 1) * _PAGE
        listed = newest[first : first + _PAGE]
        for task in listed:
            task.looks = max(task.looks, task.states[0] == MISSING)  # what is listed is there
        return json_answer({"data": [{"task_id": task.id, "status": _word(task)} for task in listed]})


def _word(task: Task) -> str:
    return task.states[-1] if task.looks >= len(task.states) else "IN_PROGRESS"


def _invalid(name: str, reason: str) -> Refused:
    return Refused(
        400,
        {"message": "Your request parameters didn't validate.", "invalid_params": [{"name": name, "reason": reason}]},
    )


def _check_picture(image: str) -> None:
    if urlsplit(image).scheme in ("http", "https"):
        return
    try:
        with Image.open(io.BytesIO(base64.b64decode(image, validate=True))) as picture:
            width, height = picture.size
    except (binascii.Error, OSError) as error:
        raise _invalid("image", "Parameter 'image' is no picture") from error
    if min(width, height) < 300 or max(width, height) > 2.5 * min(width, height):
        raise _invalid("image", "Parameter 'image' must be at least 300x300 and 1:2.5 to 2.5:1")
