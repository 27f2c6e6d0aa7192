"""The fake HeyGen answers as the vendor's contract has it, so that what is tested with it is worth something."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from helpers import contracts
from helpers.heygen_shots import sound
from helpers.vendors import KEYS


@pytest.mark.skipif(bool(contracts.missing()), reason=contracts.missing())
def test_what_the_fake_answers_is_inside_the_contract(heygen, workspace):
    wav = sound(workspace).path.read_bytes()
    heygen.failing = {"Fails": ("face_not_found", "No face.")}
    with httpx.Client(
        base_url=heygen.vendors.address("heygen"), headers={"x-api-key": KEYS["heygen"]}, trust_env=False
    ) as client:

        def ask(method: str, path: str, **more: Any) -> Any:
            answer = client.request(method, path, **more)
            asked = heygen.vendors.requests[-1]
            assert contracts.check_answer(asked, answer.status_code, dict(answer.headers), answer.content) is None
            return answer.json().get("data")

        asset = ask("POST", "/v3/assets", files={"file": ("a.wav", wav, "audio/wav")})["asset_id"]
        for title in ("Works", "Fails"):
            video = {"type": "avatar", "avatar_id": "look_ben", "audio_asset_id": asset, "title": title}
            video["caption"] = {"style": "default"}  # type: ignore[assignment]
            made = ask("POST", "/v3/videos", json=video)["video_id"]
            states = [ask("GET", f"/v3/videos/{made}")["status"] for _ in range(5)]
            assert states[0] == "pending"
            assert states[-1] == ("completed" if title == "Works" else "failed")
        for path in ("videos", "videos/none", "avatars/looks", "avatars/looks/look_dev", "voices", "users/me"):
            ask("GET", f"/v3/{path}")
        ask("POST", "/v3/videos", json={"type": "avatar", "avatar_id": "nobody", "script": "Hello."})
