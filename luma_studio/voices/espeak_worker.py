"""A process that speaks with espeak-ng: a JSON line in, a JSON line and raw samples out. It imports no package.

It is a process because two threads in espeak crash, and because a crash in it must not take the studio along. The
library is loaded afresh for each utterance: what it has spoken before would otherwise change the samples, and the same
clause must give the same bytes.

Run as ``python espeak_worker.py LIBRARY DATA``. A line in has text, voice, rate and pitch; a line out has rate, bytes
and words ([character from 1, length, milliseconds]), or error. Source: ``speak_lib.h`` of espeak-ng 1.52.
"""

from __future__ import annotations

import _ctypes
import ctypes
import json
import sys
from typing import Any, BinaryIO

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS
_PHONEME_EVENTS_OFF, _DONT_EXIT = 0, 1 << 15
_UTF8 = 1
_RATE, _PITCH = 1, 3
_END, _WORD = 0, 1


class _Identity(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Identity),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def _speak(library: ctypes.CDLL, data: str, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _PHONEME_EVENTS_OFF | _DONT_EXIT)
    if rate <= 0:
        return {"error": "its data files cannot be read"}, b""
    if library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        return {"error": f"it has no voice {request['voice']!r}"}, b""
    library.espeak_SetParameter(_RATE, int(request["rate"]), 0)
    library.espeak_SetParameter(_PITCH, int(request["pitch"]), 0)
    pieces: list[bytes] = []
    words: list[tuple[int, int, int]] = []

    def receive(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, count * 2))
        index = 0
        while events[index].type != _END:
            if events[index].type == _WORD:
                words.append((events[index].text_position, events[index].length, events[index].audio_position))
            index += 1
        return 0

    callback = _Callback(receive)  # must live as long as espeak may call it
    library.espeak_SetSynthCallback(callback)
    text = request["text"].encode("utf-8", "replace") + b"\0"
    if library.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, 1, 0, _UTF8, None, None) != 0:
        return {"error": "it could not speak this text"}, b""
    audio = b"".join(pieces)
    return {"rate": rate, "bytes": len(audio), "words": words}, audio


def _unload(library: ctypes.CDLL) -> None:
    library.espeak_Terminate()
    handle = library._handle
    if sys.platform == "win32":
        _ctypes.FreeLibrary(handle)
    else:
        _ctypes.dlclose(handle)


def serve(requests: BinaryIO, answers: BinaryIO, library_path: str, data: str) -> None:
    """Answer requests until there are no more."""
    for line in iter(requests.readline, b""):
        library = ctypes.CDLL(library_path)
        header, audio = _speak(library, data, json.loads(line))
        _unload(library)
        answers.write(json.dumps(header).encode() + b"\n" + audio)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, *sys.argv[1:3])
