"""Serving the notebooks: as pages by Voilà, as notebooks by JupyterLab."""

from __future__ import annotations

import sys
from pathlib import Path

from luma_studio.errors import InputError
from luma_studio.shipped import shipped

# With it, what checks Jupyter's events compiles a grammar of addresses for 1.5 s, and no event has any.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] # None is how a module is said to be absent

PAGES = ("studio.ipynb", "narration_studio.ipynb")
"""The notebooks that are pages, the first choice first."""


def find_notebook(wanted: str | None = None) -> Path:
    """The notebook of this name in the folder of notebooks, or at this path; the first page if none is named.

    Raises InputError if there is none.
    """
    folder = shipped("notebooks")
    if wanted is None:
        candidates = [folder / name for name in PAGES]
    else:
        candidates = [Path(wanted), folder / wanted, folder / f"{wanted}.ipynb"]
    for path in candidates:
        if path.suffix == ".ipynb" and path.is_file():
            return path.resolve()
    there = ", ".join(sorted(path.name for path in folder.glob("*.ipynb"))) or "none"
    raise InputError(f"There is no notebook {wanted or PAGES[0]!r}. Name one of these, or a path: {there}.")
