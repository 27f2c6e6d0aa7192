"""Serving the notebooks: as pages by Voilà, as notebooks by JupyterLab."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from luma_studio.errors import InputError
from luma_studio.shipped import shipped
from luma_studio.store import files

# With it, what checks Jupyter's events compiles a grammar of addresses for 1.5 s, and no event has any.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] # None is how a module is said to be absent

PAGES = ("studio.ipynb", "narration_studio.ipynb")
"""The notebooks that are pages, the first choice first."""


def find_notebook(wanted: str | None = None, folder: Path | None = None) -> Path:
    """The notebook at this path, or of this name in a folder (the shipped one); the first page if none is named.

    Raises InputError if there is none, or if what is there is no notebook.
    """
    folder = folder or shipped("notebooks")
    if wanted is None:
        candidates = [folder / name for name in PAGES]
    else:
        candidates = [Path(wanted), folder / wanted, folder / f"{wanted}.ipynb"]
    for path in candidates:
        if path.suffix == ".ipynb" and path.is_file():
            check_notebook(path)
            return path.resolve()
    there = ", ".join(sorted(path.name for path in folder.glob("*.ipynb"))) or "none"
    raise InputError(f"There is no notebook {wanted or PAGES[0]!r}. Name one of these, or a path: {there}.")


def check_notebook(path: Path) -> None:
    """Raise InputError, with the reason, if what a file holds is no notebook."""
    with files.explained(path):
        data = path.read_bytes()
    try:
        found = json.loads(data)
        reason = None if isinstance(found, dict) and {"cells", "worksheets"} & found.keys() else "it has no cells"
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno} is no JSON"
    except UnicodeDecodeError:
        reason = "it is no text"
    if reason is not None:
        raise InputError(f"{path} is no notebook: {reason}. Mend it, or name another one.")
