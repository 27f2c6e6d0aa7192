"""What the browser loads for a page: Voilà's front end, in few and large pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

EXTENSIONS = ("@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8", "anywidget")
"""The JupyterLab extensions a page needs: widgets, nothing else."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Many scripts as one."""

    script: bytes

    @property
    def version(self) -> str:
        """Changes whenever the script does."""
        return hashlib.sha256(self.script).hexdigest()[:16]


def bundle(static: Iterable[str], labextensions: Iterable[str]) -> Bundle:
    """The chunks of Voilà and of its extensions, found in these folders, as one script.

    A page needs a hundred of them, and a request takes a browser longer than the megabytes do. webpack takes a chunk
    that is there already; one that is missing here, it loads as ever.
    """
    files = _first(static, "*.voila.js")
    for name in EXTENSIONS:
        files += _first((f"{folder}/{name}/static" for folder in labextensions), "*.*.js")
    scripts = [path.read_bytes() for path in files]
    chunks = [script for script in scripts if b".push([[" in script[:400]]  # the others start something
    return Bundle(b"\n;\n".join([b"", *chunks]))  # what comes first must not make all of them "use strict"


def _first(folders: Iterable[str], pattern: str) -> list[Path]:
    """The files of the first folder that has any."""
    return next((found for folder in folders if (found := sorted(Path(folder).glob(pattern)))), [])
