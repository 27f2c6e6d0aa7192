"""What is told of something that was tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from luma_studio.errors import LumaError, NoKeyError


@dataclass(frozen=True, slots=True)
class Engine:
    """Something the studio works with: what for, whether it is ``ready``, and in a sentence what was found.

    ``remedy`` is what to do where it is not ready, and empty where it is. What is not ``needed`` makes things better:
    all that the studio is for works without.
    """

    name: str
    what_for: str
    ready: bool
    detail: str
    remedy: str
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """How something is tried: ``found`` answers a sentence; what it raises of ours, or of the system, is the reason.

    ``remedy`` is what to do then, ``unset`` what to do where there is no key.
    """

    name: str
    what_for: str
    found: Callable[[], str]
    remedy: str
    needed: bool = True
    unset: str = ""

    def tried(self) -> Engine:
        """What is told of it. Raises a mistake of ours."""
        try:
            return Engine(self.name, self.what_for, True, self.found(), "", self.needed)
        except NoKeyError:
            return self.failed("No key is set.", self.unset)
        except (LumaError, ImportError, OSError) as error:
            return self.failed(str(error), self.remedy)

    def failed(self, detail: str, remedy: str) -> Engine:
        """What is told of it where it is not ready."""
        return Engine(self.name, self.what_for, False, detail, remedy, self.needed)
