"""Sound decoded as its bytes come, for who listens before all of them are there.

What is heard so may begin with silence, some ms of an encoder's delay, that a whole file tells to leave out; what is
kept is read by :mod:`luma_studio.audio.codec`.

Sources: RIFF WAVE (Microsoft, "Multimedia Programming Interface", 1991); Ogg pages (RFC 3533), Opus in them (RFC 7845).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeAlias, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.resampler import AudioResampler

from luma_studio.audio.clip import Samples
from luma_studio.audio.codec import ID3_HEAD, begins_mp3, id3_length, joined, mono
from luma_studio.errors import AudioError

_HEAD = 12  # bytes by which every kind is known
_RIFF, _CHUNK, _PAGE = 12, 8, 27  # bytes of their heads
_UNKNOWN = 0xFFFFFF00  # bytes of samples from which on a WAV that is streamed does not know its length; or 0
_WAVE_FORMAT = struct.Struct("<HHIIHH")
_NONE = np.zeros(0, np.int16)
_Packet: TypeAlias = "av.Packet[Any]"


class Incoming:
    """MP3, WAV, FLAC, AAC or Opus in Ogg that comes piece by piece, or bare samples of the rate ``pcm``.

    >>> incoming = Incoming(pcm=24000)
    >>> incoming.take(b"\\x01\\x00\\x02"), incoming.take(b"\\x00"), incoming.rate
    (array([1], dtype=int16), array([2], dtype=int16), 24000)
    """

    def __init__(self, pcm: int | None = None) -> None:
        self._begun = bytearray()
        self._skip = 0
        self._kind: _Kind | None = None if pcm is None else _Bare(pcm)

    @property
    def rate(self) -> int:
        """Samples a second; 0 while that is not known."""
        return 0 if self._kind is None else self._kind.rate

    def take(self, data: bytes) -> Samples:
        """What the next bytes bring to be heard: int16, mono, of shape (n,). Raises AudioError for what is no sound."""
        if self._kind is None:
            self._begun += data
            data = self._known()
        return self._kind.take(data) if self._kind is not None and data else _NONE

    def end(self) -> Samples:
        """What is left when all bytes have come. Raises AudioError."""
        return self._kind.end() if self._kind is not None else _NONE

    def _known(self) -> bytes:
        """The bytes to go on with once the kind is known."""
        if length := id3_length(bytes(self._begun[:ID3_HEAD])):
            self._skip = length
        head = bytes(self._begun[self._skip : self._skip + _HEAD])
        if len(head) < _HEAD:
            return b""
        self._kind = _kind_of(head)
        return bytes(self._begun[self._skip :])


class IncomingLines(Incoming):
    """Sound that comes in lines; ``sound_of`` finds in each, whole and not empty, its bytes."""

    def __init__(self, sound_of: Callable[[bytes], bytes], pcm: int | None = None) -> None:
        super().__init__(pcm)
        self._sound_of = sound_of
        self._line = bytearray()

    def take(self, data: bytes) -> Samples:
        """As ``Incoming``, of the lines that the next bytes end. Raises what ``sound_of`` raises, too."""
        first, *others = data.split(b"\n")
        self._line += first
        heard = [_NONE]
        for other in others:
            heard.append(self._of_line())
            self._line[:] = other
        return np.concatenate(heard)

    def end(self) -> Samples:
        """What is left, with a last line that nothing ends."""
        return np.concatenate([self._of_line(), super().end()])

    def _of_line(self) -> Samples:
        line = self._line.strip()
        return super().take(self._sound_of(bytes(line))) if line else _NONE


class _Kind(Protocol):
    @property
    def rate(self) -> int: ...
    def take(self, data: bytes) -> Samples: ...
    def end(self) -> Samples: ...


def _kind_of(head: bytes) -> _Kind:
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        return _Wave()
    if head[:4] == b"OggS":
        return _Ogg()
    if head[:4] == b"fLaC":
        return _Frames("flac")
    if begins_mp3(head):
        return _Frames("mp3float")
    if head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return _Frames("aac")
    raise AudioError("It begins like no sound that can be played while it comes.")


class _Bare:
    """Samples of 16 bit, little-endian, wherever they are cut."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._half = b""

    def take(self, data: bytes) -> Samples:
        data = self._half + data
        whole = len(data) & ~1
        self._half = data[whole:]
        return np.frombuffer(data[:whole], "<i2").astype(np.int16)

    def end(self) -> Samples:
        return _NONE


class _Wave:
    """WAV of 16 bit, mono; its head may not know how long it is."""

    rate = 0

    def __init__(self) -> None:
        self._head = bytearray()
        self._at = _RIFF
        self._bare: _Bare | None = None
        self._left = 0  # bytes of samples that are still to come

    def take(self, data: bytes) -> Samples:
        if self._bare is None:
            self._head += data
            data = self._samples_in_head()
        if self._bare is None:
            return _NONE
        data = data[: self._left]
        self._left -= len(data)
        return self._bare.take(data)

    def end(self) -> Samples:
        return _NONE

    def _samples_in_head(self) -> bytes:
        """What comes after the head, once the samples have begun."""
        while len(self._head) >= self._at + _CHUNK:
            name, size = struct.unpack_from("<4sI", self._head, self._at)
            body = self._at + _CHUNK
            if name == b"data":
                self._bare = _Bare(self.rate or _no_wave())
                self._left = size if 0 < size < _UNKNOWN else 1 << 62
                return bytes(self._head[body:])
            if name == b"fmt " and len(self._head) >= body + _WAVE_FORMAT.size:
                kind, channels, rate, _, _, bits = _WAVE_FORMAT.unpack_from(self._head, body)
                self.rate = rate if (kind, channels, bits) == (1, 1, 16) else _no_wave()
            if len(self._head) < body + size:
                break
            self._at = body + size + size % 2
        return b""


def _no_wave() -> int:
    raise AudioError("It is no WAV of 16 bit and one channel, which alone is played while it comes.")


class _Frames:
    """What is coded in frames that can be told apart as they come."""

    rate = 0

    def __init__(self, name: str, extradata: bytes | None = None) -> None:
        self._context = cast(AudioCodecContext, av.CodecContext.create(name, "r"))
        self._context.extradata = extradata
        self._resampler = AudioResampler(format="s16", layout="mono")
        self._begins = True

    def take(self, data: bytes) -> Samples:
        return self.decoded(self._context.parse(data))

    def end(self) -> Samples:
        heard = []
        while packets := self._context.parse(None):
            heard.append(self.decoded(packets))
        return np.concatenate([*heard, self.decoded([None])])

    def decoded(self, packets: Iterable[_Packet | None]) -> Samples:
        """The sound of packets; None for what the decoder holds back."""
        heard = []
        try:
            for packet in packets:
                if self._only_tells(packet):
                    continue
                for frame in self._context.decode(packet):
                    self.rate = frame.sample_rate
                    heard += [samples.copy() for _, samples in mono(frame, self._resampler)]
        except (av.FFmpegError, ValueError) as error:
            raise AudioError(f"It is damaged ({error}).") from error
        return joined(heard)

    def _only_tells(self, packet: _Packet | None) -> bool:
        """Whether it is the first frame of an MP3 that only tells of the others: it would be heard as silence."""
        begins, self._begins = self._begins, False
        return begins and packet is not None and any(name in bytes(packet)[:64] for name in (b"Xing", b"Info"))


class _Ogg:
    """Opus in the pages of an Ogg stream; other codecs in it are not played while they come."""

    rate = 48000

    def __init__(self) -> None:
        self._pages = bytearray()
        self._packet = b""
        self._frames: _Frames | None = None

    def take(self, data: bytes) -> Samples:
        self._pages += data
        return np.concatenate([_NONE, *map(self._heard, self._packets())])

    def end(self) -> Samples:
        return _NONE if self._frames is None else self._frames.decoded([None])

    def _heard(self, packet: bytes) -> Samples:
        if self._frames is None:
            if packet[:8] != b"OpusHead":
                raise AudioError("It is Ogg without Opus, which alone is played while it comes.")
            self._frames = _Frames("opus", packet)  # which leaves out what comes before the sound
        elif packet[:8] != b"OpusTags":
            return self._frames.decoded([av.Packet(packet)])
        return _NONE

    def _packets(self) -> Iterator[bytes]:
        """The packets of the pages that have come whole; one may go on over several."""
        while len(self._pages) >= _PAGE and len(self._pages) >= (begins := _PAGE + self._pages[_PAGE - 1]):
            lengths = self._pages[_PAGE:begins]
            ends = begins + sum(lengths)
            if self._pages[:4] != b"OggS":
                raise AudioError("It is damaged: an Ogg page does not begin where it should.")
            if len(self._pages) < ends:
                break
            for length in lengths:
                self._packet += self._pages[begins : begins + length]
                begins += length
                if length < 255:
                    yield self._packet
                    self._packet = b""
            del self._pages[:ends]
