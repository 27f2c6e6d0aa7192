"""Creatomate (version 2) as far as the studio asks it: templates, dry runs, and renders that move through their states.

It answers through ``Vendors``. Shapes and rules follow the vendor's OpenAPI file.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from helpers.films import film
from helpers.vendors import Answer, Refused, Request, Vendors, json_answer


def element(kind: str, name: str, *, dynamic: bool = True, **more: Any) -> dict[str, Any]:
    """An element of a template."""
    return {"id": f"id-{name}", "type": kind, "name": name, "dynamic": dynamic, **more}


FLAT = "11111111-1111-4111-8111-111111111111"
NESTED = "22222222-2222-4222-8222-222222222222"
TEMPLATES: Mapping[str, tuple[str, list[dict[str, Any]]]] = MappingProxyType(
    {
        FLAT: (
            "Two scenes",
            [
                element("text", "Title"),
                element("video", "Video-1"),
                element("video", "Video-2"),
                element("image", "Logo", dynamic=False),
                element("audio", "Music"),
                element("audio", "Voiceover"),
                element("text", "Subtitles", transcript_source="id-Video-1"),
            ],
        ),
        NESTED: (
            "Nested",
            [
                element(
                    "composition",
                    f"Scene {number}",
                    dynamic=False,
                    elements=[
                        element("text", f"Caption-{number}"),
                        element("composition", "", dynamic=False, elements=[element("video", f"Picture {letter}")]),
                        element("text", f"Title-{number}"),
                    ],
                )
                for number, letter in ((2, "a"), (1, "b"))
            ],
        ),
    }
)
"""Names and elements of the templates that there are, by id."""


@dataclass(slots=True)
class Render:
    """A render: what was asked for, when, and how often it was looked at."""

    id: str
    asked: Mapping[str, Any]
    states: tuple[str, ...]
    at: float = field(default_factory=time.monotonic)
    looks: int = 0
    addresses: int = 0
    done: bool = False


class Creatomate:
    """The vendor. ``schedule`` is what a render goes through, a state a look, and the last for ever.

    Where ``pace`` is set, each state lasts so many seconds instead. ``errors`` and ``warnings`` are what it says of
    every request, ``why`` is what a render failed of, ``stale`` is how many addresses, the next ones, have expired
    when they are told by a render that succeeded.
    """

    def __init__(self, vendors: Vendors) -> None:
        self._vendors = vendors
        self.templates = dict(TEMPLATES)
        self.schedule: tuple[str, ...] = ("planned", "waiting", "transcribing", "rendering", "succeeded")
        self.pace: float | None = None
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.why = "The video file could not be downloaded."
        self.stale = 0
        self.renders: dict[str, Render] = {}
        self._expired: set[str] = set()

    # as a vendor of film

    def answer(self, request: Request) -> Answer:
        match request.method, *request.path.strip("/").split("/"):
            case "POST", "v2", "renders":
                return self._create(request.json)
            case "GET", "v2", "renders", name:
                return json_answer(self._looked_at(name))
            case "GET", "v2", "templates":
                listed = [{"id": key, "name": name, "tags": []} for key, (name, _) in self.templates.items()]
                return json_answer(listed)
            case "GET", "v2", "templates", name:
                return json_answer(self._template(name))
        raise Refused(404, self.refusal(404, "", "Not found"))

    def result(self, name: str) -> Answer:
        render, number = name.removesuffix(".mp4").split(".")
        if f"{render}.{number}" in self._expired or not self.renders[render].done:
            raise Refused(404, "<Error><Code>NoSuchKey</Code></Error>")
        return Answer(200, (film(render),), {"content-type": "video/mp4"})

    def refusal(self, status: int, code: str, message: str) -> Any:
        return {"hint": message, "documentation_url": "https://creatomate.com/docs/api/reference/introduction"}

    def _template(self, name: str) -> dict[str, Any]:
        if name not in self.templates:
            raise Refused(404, self.refusal(404, "", "Not found"))
        title, elements = self.templates[name]
        source = {"output_format": "mp4", "width": 720, "height": 1280, "elements": elements}
        return {"id": name, "name": title, "tags": [], "source": source}

    def _create(self, asked: Any) -> Answer:
        if not isinstance(asked, dict) or not asked.get("template_id"):
            raise Refused(400, self.refusal(400, "", "A template_id or elements are required."))
        if asked["template_id"] not in self.templates:
            raise Refused(400, self.refusal(400, "", "The template does not exist."))
        template = self._template(asked["template_id"])
        names = {each["name"] for each in _walk(template["source"]) if each.get("name")}
        changes = asked.get("modifications", {})
        unmatched = [key for key in changes if key.rpartition(".")[0] not in names and key not in names]
        warnings = [*self.warnings, *(f"The modification '{key}' matches no element." for key in unmatched)]
        if asked.get("dry_run"):
            told = {"valid": not self.errors, "errors": self.errors, "warnings": warnings}
            return json_answer({**told, "source": template["source"]})
        number = len(self.renders)
        name = str(uuid.UUID(bytes=hashlib.sha256(f"render {number}".encode()).digest()[:16], version=4))
        self.renders[name] = Render(name, asked, self.schedule)
        told = {**self._told(self.renders[name], "planned"), "errors": self.errors, "warnings": warnings}
        return json_answer(told, 202, charged=(f"creatomate: {template['name']}",))

    def _looked_at(self, name: str) -> dict[str, Any]:
        render = self.renders.get(name)
        if render is None:
            raise Refused(404, self.refusal(404, "", "Not found"))
        step = render.looks if self.pace is None else int((time.monotonic() - render.at) / self.pace)
        render.looks += 1
        return self._told(render, render.states[min(step, len(render.states) - 1)])

    def _told(self, render: Render, state: str) -> dict[str, Any]:
        """A render as it stands; its address is there from the beginning, its file is not."""
        render.done = render.done or state == "succeeded"
        render.addresses += 1
        if render.done and self.stale:
            self.stale -= 1
            self._expired.add(f"{render.id}.{render.addresses}")
        folder = f"{self._vendors.address('results')}/creatomate"
        return {
            "id": render.id,
            "status": state,
            "url": f"{folder}/{render.id}.{render.addresses}.mp4",
            "snapshot_url": f"{folder}/{render.id}.jpg",
            "template_id": render.asked["template_id"],
            "template_name": self.templates[render.asked["template_id"]][0],
            "template_tags": [],
            "output_format": "mp4",
            "modifications": render.asked.get("modifications", {}),
            "metadata": render.asked.get("metadata", ""),
            **({"error_message": self.why} if state == "failed" else {}),
            **({"width": 720, "height": 1280, "frame_rate": 25, "duration": 1.0} if state == "succeeded" else {}),
        }


def _walk(element: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield element
    for inner in element.get("elements", []):
        yield from _walk(inner)
