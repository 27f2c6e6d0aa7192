"""What can go wrong, as one tree. Every message is a sentence with the remedy in it.

LumaError
├── InputError            what the user gave cannot be used (exit code 2)
│   ├── ScriptError       a script that cannot be read or has nothing to speak
│   ├── UnsafeNameError        a name or path that would leave the workspace or means something to the system
│   ├── SettingError      a setting, option or voice that does not exist or is out of range
│   ├── PersonaError      a persona that there is not, or that cannot be used as it is written
│   ├── NoJobError        a job that does not exist, or not any more
│   ├── FitError          a total duration that the pauses cannot reach
│   └── FileTooLargeError    a file that is larger than may be
├── NoMindError          a text is to be written, and there is no mind that could
├── WritingError         a mind was asked to write, and what it answered cannot be used
├── VoiceError            a voice could not speak a clause; the other clauses are kept
├── VideoError            an engine could not film a scene; the other scenes are kept
├── TranscriptError       an engine could not transcribe a recording; what was transcribed of it is kept
├── VendorError           a vendor refused, failed or was not there
│   ├── NoKeyError        there is no key for it
│   ├── BadKeyError       it does not know the key
│   ├── NoCreditError     there is nothing left to pay with
│   ├── NotAllowedError   the key or plan may not do this
│   ├── NotFoundError     a voice, model or job that it does not have
│   ├── BadRequestError   it cannot make sense of what was asked; its own words are told
│   ├── RateLimitError    it is asked too much at once
│   ├── OverloadedError   it has trouble of its own
│   ├── UnreachableError  no connection, or none in time: nothing was sent
│   ├── OutcomeUnknownError  it was sent and no whole answer came: it may have been paid for
│   ├── StillRunningError    its job goes on after all patience; the next try takes it up
│   ├── JobFailedError       it began a job, and the job failed there
│   ├── BrokenAnswerError    an answer that is not what it should be; nothing of it is kept
│   └── TooLargeError        the request, or the answer, is larger than may be
├── BudgetError           buying this would pass the production's budget
├── StoreError            a file could not be written or read (full disk, read-only folder, damaged file)
│   ├── BusyError         another process holds this production
│   ├── ChangedError      this production was changed elsewhere since it was opened here
│   ├── LeaseLostError    a job that this worker held is another's by now, or has ended
│   └── StoreAwayError    the server that keeps jobs cannot be reached for now
├── AudioError            audio that cannot be decoded or encoded
│   ├── UnreadableError   a recording that is none, or is damaged
│   ├── NoSoundError      a file without any sound in it, such as a video without a sound track
│   └── SilentError       a recording in which nothing is heard
└── Stopped               a listener asked for the work to stop
"""

from __future__ import annotations


class LumaError(Exception):
    """Anything this package raises on purpose; its text is fit to show to a user."""

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the sentence. Where in this package it was raised tells its user nothing."""
        return [f"{type(self).__name__}: {self}"]


def shown_as(error: BaseException, sentence: str) -> None:
    """Have a notebook show a sentence in place of the traceback of an error that is not ours."""
    error._render_traceback_ = lambda: [sentence]  # type: ignore[attr-defined]


def counted(number: int, thing: str) -> str:
    """A number of things as a sentence has it: "1 scene", "2 scenes"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


class InputError(LumaError):
    """What the user gave cannot be used."""

    exit_code = 2


class ScriptError(InputError):
    """A script that cannot be read, or that has nothing to speak."""


class UnsafeNameError(InputError):
    """A name or path that would leave its folder or that file systems reserve."""


class SettingError(InputError):
    """A setting, option or voice that does not exist or is out of range."""


class PersonaError(InputError):
    """A persona that there is not, or that cannot be used as it is written."""


class FitError(InputError):
    """A total that the free pauses cannot reach.

    ``least`` and ``most`` are the nearest totals that can be reached, in samples (None: no limit that way);
    ``in_the_way`` holds the indices of the clauses whose pauses are locked or already at their bound.
    """

    def __init__(self, message: str, *, least: int, most: int | None, in_the_way: tuple[int, ...]) -> None:
        super().__init__(message)
        self.least = least
        self.most = most
        self.in_the_way = in_the_way

    def __reduce__(self) -> tuple[object, ...]:
        return (_fit_error, (str(self), self.least, self.most, self.in_the_way))


def _fit_error(message: str, least: int, most: int | None, in_the_way: tuple[int, ...]) -> FitError:
    return FitError(message, least=least, most=most, in_the_way=in_the_way)


class NoMindError(LumaError):
    """A text is to be written, which no rules can, and no mind can be asked; nothing was sent."""


class WritingError(LumaError):
    """A mind was asked to write, twice, and what it answered cannot be used."""


class FileTooLargeError(InputError):
    """A file that is larger than may be (``MAX_FILE_SIZE_MB``)."""


class NoJobError(InputError):
    """A job that does not exist, or not any more."""


class VoiceError(LumaError):
    """A voice could not speak a clause."""


class VideoError(LumaError):
    """An engine could not film a scene, move a still or put a film together."""


class TranscriptError(LumaError):
    """An engine could not transcribe a recording; what was transcribed of it is kept."""


class VendorError(LumaError):
    """A vendor refused, failed or was not there.

    ``vendor`` is its name, ``status`` the HTTP status, ``code`` and ``request_id`` the vendor's own, "" where it gave
    none. ``can_try_again`` says that another try buys nothing twice; ``retry_after`` is how many seconds it asked us to
    wait.
    """

    hopeless = False
    """Whether every other request to this vendor would meet the same."""

    def __init__(
        self,
        message: str,
        *,
        vendor: str = "",
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        retry_after: float | None = None,
        can_try_again: bool = False,
    ) -> None:
        super().__init__(message)
        self.vendor = vendor
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.can_try_again = can_try_again


class NoKeyError(VendorError):
    """There is no key for the vendor; nothing was sent."""

    hopeless = True


class BadKeyError(VendorError):
    """The vendor does not know the key."""

    hopeless = True


class NoCreditError(VendorError):
    """There is nothing left to pay the vendor with."""

    hopeless = True


class NotAllowedError(VendorError):
    """The key or plan may not do this."""


class NotFoundError(VendorError):
    """A voice, model or job that the vendor does not have."""


class BadRequestError(VendorError):
    """The vendor cannot make sense of what was asked; its own words are in the message."""


class RateLimitError(VendorError):
    """The vendor is asked too much at once."""


class OverloadedError(VendorError):
    """The vendor has trouble of its own."""


class UnreachableError(VendorError):
    """No connection, or none in time: nothing was sent."""

    hopeless = True


class OutcomeUnknownError(VendorError):
    """A request was sent and no whole answer came: it may have been paid for."""


class StillRunningError(VendorError):
    """A vendor's job that goes on after all patience; it is kept, and the next try takes it up."""


class JobFailedError(VendorError):
    """A vendor began a job, and the job failed there; the next try begins it anew."""


class BrokenAnswerError(VendorError):
    """An answer that is not what it should be; nothing of it is kept."""


class TooLargeError(VendorError):
    """The request, or the answer, is larger than may be."""


class BudgetError(LumaError):
    """Buying this would pass the production's budget; it was not bought."""


class StoreError(LumaError):
    """A file could not be written or read."""


class BusyError(StoreError):
    """Another process holds what this one wants to change."""


class ChangedError(StoreError):
    """What is to be saved was changed elsewhere: by another process, or another object on the same folder."""


class LeaseLostError(StoreError):
    """A job that this worker held is another's by now, or has ended."""


class StoreAwayError(StoreError):
    """The server that keeps jobs cannot be reached for now; trying again later is safe."""


class AudioError(LumaError):
    """Audio that cannot be decoded or encoded."""


class UnreadableError(AudioError):
    """A recording that is none, or is damaged."""


class NoSoundError(AudioError):
    """A file without any sound in it."""


class SilentError(AudioError):
    """A recording in which nothing is heard."""


class Stopped(LumaError):  # noqa: N818 - it is no fault
    """A listener asked for the work to stop."""

    exit_code = 130

    def __init__(self, message: str = "Stopped. What was made is kept; begin again to go on.") -> None:
        super().__init__(message)
