"""The embedded engines and codecs, each of which does a little of its work."""

from __future__ import annotations

import asyncio
import io
from functools import partial
from typing import Literal

import av
import numpy as np

from luma_studio.audio import codec
from luma_studio.audio.clip import Samples
from luma_studio.audio.mp3 import encode_run
from luma_studio.errors import AudioError, VideoError, VoiceError
from luma_studio.health.model import Check
from luma_studio.studio import Studio
from luma_studio.voices import Utterance, VoiceChoice
from luma_studio.voices.embedded import ENGINE, languages

_RATE = 44100
_SIZE, _FRAMES = 64, 5
_AGAIN = "Install Luma Studio again."


def checks(studio: Studio) -> list[Check]:
    """How the embedded engines are tried."""
    return [
        Check("espeak-ng", "speaks without a key", partial(_speaks, studio), _AGAIN),
        Check("LAME", "MP3 masters and scenes", _encodes_mp3, _AGAIN),
        Check("FFmpeg", "FLAC, M4A (AAC) and WAV, and the audit", _encodes_others, _AGAIN),
        Check("H.264", "films", _encodes_pictures, _AGAIN),
    ]


def _speaks(studio: Studio) -> str:
    voice = studio.voice(VoiceChoice.parse(ENGINE))
    speech = asyncio.run(voice.speak(Utterance("Hello.", "en"), studio.account("health")))
    if not speech.samples.any():
        raise VoiceError("It spoke, but nothing is to be heard.")
    return f"Speaks {len(set(languages().values()))} languages."


def _encodes_mp3() -> str:
    run = encode_run(_tone(), _RATE, 128)
    _check_sound("mp3", run)
    return "Encodes MP3."


def _encodes_others() -> str:
    kinds: tuple[Literal["flac", "m4a", "wav"], ...] = ("flac", "m4a", "wav")
    for kind in kinds:
        file = io.BytesIO()
        codec.encode([_tone()], file, kind, _RATE)
        _check_sound(kind, file.getvalue())
    return f"FFmpeg {av.ffmpeg_version_info} encodes and decodes FLAC, M4A and WAV."


def _check_sound(kind: str, data: bytes) -> None:
    samples, _ = codec.read(data)
    if not samples.any():
        raise AudioError(f"{kind.upper()} was encoded, but nothing is to be heard.")


def _encodes_pictures() -> str:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = _SIZE, _SIZE, "yuv420p"
        for _ in range(_FRAMES):
            container.mux(stream.encode(av.VideoFrame(_SIZE, _SIZE, "yuv420p")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as seen:
        if len(list(seen.decode(video=0))) != _FRAMES:
            raise VideoError("Pictures were encoded, but not all of them are to be seen.")
    return "Encodes and decodes H.264."


def _tone() -> Samples:
    """A tenth of a second that can be heard."""
    samples: Samples = (8000 * np.sin(np.arange(_RATE // 10) * 0.06)).astype(np.int16)
    return samples
