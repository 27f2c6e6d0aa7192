"""Jobs: what is to be run, read from scripts' names and from files with a row a run, checked before anything runs."""

from __future__ import annotations

import ast
import csv
import glob
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from luma_studio.batch.narrating import check_no_key, narration
from luma_studio.batch.runs import Parameters, Run
from luma_studio.errors import InputError, ScriptError, SettingError
from luma_studio.script import decode
from luma_studio.shipped import shipped
from luma_studio.store import files

NARRATION = "batch_narration.ipynb"
FILM = "batch_video.ipynb"
SPEAKING = (NARRATION, FILM)
"""The notebooks whose parameters are those of a narration, and are checked as such."""
_TABLES = (".csv", ".jsonl", ".yaml", ".yml")
_ID = 16  # hexadecimal digits
_FORMAT = 4  # of notebooks


def find_notebook(name: str) -> Path:
    """A notebook by its path, or one of the studio's own by its name. Raises SettingError."""
    for path in (Path(name).expanduser(), shipped("notebooks") / name, shipped("notebooks") / f"{name}.ipynb"):
        if path.is_file():
            return path.resolve()
    raise SettingError(f"There is no notebook {name!r}. Give its path.")


def read(sources: Iterable[str], settings: Parameters, notebook: Path) -> list[Run]:
    """The runs that scripts and files with a row a run stand for, in their order, all of them checked.

    ``sources`` are paths and patterns with ``*``: of scripts, a run each, or of CSV, JSONL and YAML files, whose
    columns are parameters. ``settings`` hold for every run that does not say otherwise. Raises InputError naming the
    row.
    """
    rows = [(where, {**settings, **row}) for source in sources for where, row in _rows(source)]
    if not rows:
        raise SettingError("There is nothing to run. Give scripts, or a file with a row a run.")
    known = _parameters(notebook)
    code = _code(notebook)
    runs = [_run(notebook, code, known, where, parameters) for where, parameters in rows]
    _check_apart(runs)
    return runs


def _rows(source: str) -> Iterator[tuple[str, Parameters]]:
    """Rows with where they stand."""
    paths = sorted(glob.glob(source, recursive=True)) if glob.has_magic(source) else [source]  # noqa: PTH207
    if not paths:
        raise SettingError(f"No file fits {source!r}. Correct the pattern.")
    for path in map(Path, paths):
        if not path.is_file():
            raise SettingError(f"There is no file {str(path)!r}. Correct its path.")
        if path.suffix.lower() in _TABLES:
            yield from _table(path)
        else:
            yield str(path), {"script": str(path.resolve())}


def _table(path: Path) -> Iterator[tuple[str, Parameters]]:
    with files.explained(path):
        data = path.read_bytes()
    try:
        text = decode(data) if data.strip() else ""
        rows = list(_READERS[path.suffix.lower()](text))
    except ScriptError as error:  # whose sentence is about scripts
        raise SettingError(f"{path.name} is no text. Save it as {path.suffix[1:].upper()} in UTF-8.") from error
    except (csv.Error, ValueError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise SettingError(f"{path.name} cannot be read as {path.suffix[1:].upper()}: {said}. Correct it.") from error
    for number, row in enumerate(rows, 1):
        where = f"{path.name}, row {number}"
        if not isinstance(row, dict) or not all(isinstance(name, str) for name in row):
            raise SettingError(f"{where} is no row of parameters by their names. Correct it.")
        given = {name.strip(): value for name, value in row.items() if value not in ("", None)}
        script = given.get("script")
        if isinstance(script, str) and "\0" not in script:  # as its writer sees it, beside the table
            given["script"] = str((path.parent / Path(script).expanduser()).resolve())
        yield where, given


def _csv(text: str) -> Iterator[object]:
    table = csv.DictReader(io.StringIO(text), strict=True)
    columns = [name.strip() for name in table.fieldnames or ()]
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"it has two columns {twice!r}")
    for number, row in enumerate(table, 1):
        if None in row:
            raise ValueError(f"row {number} has more cells than there are columns")
        yield row


def _jsonl(text: str) -> Iterator[object]:
    for number, line in enumerate(filter(str.strip, text.split("\n")), 1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise ValueError(f"row {number} is no JSON: {error}") from None


def _yaml(text: str) -> Iterator[object]:
    found = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it makes nothing but text, which 10:00 must stay
    if isinstance(found, dict):
        found = found.get("jobs", found)
    if not isinstance(found, list):
        raise ValueError("it must be a list, an entry a run")  # noqa: TRY004 - of the text, not of our types
    return iter(found)


_READERS = {".csv": _csv, ".jsonl": _jsonl, ".yaml": _yaml, ".yml": _yaml}


# Runs


def _run(notebook: Path, code: str, known: Parameters, where: str, given: Parameters) -> Run:
    for name, value in given.items():
        if name not in known:
            raise SettingError(f"{where}: {notebook.name} has no parameter {name!r}. There are: {', '.join(known)}.")
        check_no_key(name, value)
    parameters: dict[str, Any] = {name: _typed(value, known[name]) for name, value in given.items()}
    script = parameters.get("script")
    label = str(parameters.get("production") or (Path(str(script)).stem if script else where))
    if notebook.name in SPEAKING:
        try:
            label = narration(**parameters).name
        except InputError as error:
            raise SettingError(f"{where}: {error}") from error
        except TypeError:
            raise SettingError(f"{where} names no script. Give one, in a column script.") from None
    return Run(_id(code, parameters), label, notebook, parameters, where)


def _parameters(notebook: Path) -> Parameters:
    """The parameters of a notebook with their defaults, as far as these are plain values."""
    cells = [cell for cell in _cells(notebook) if "parameters" in cell.tags]
    if len(cells) != 1:
        raise SettingError(f"{notebook.name} has no cell tagged parameters, so it cannot be run with any. Tag one.")
    try:
        lines = ast.parse(cells[0].source).body
    except SyntaxError as error:
        raise SettingError(
            f"The parameters cell of {notebook.name} is no Python: {error.msg}, line {error.lineno}. Correct it."
        ) from error
    found: dict[str, Any] = {}
    for line in lines:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            found[line.targets[0].id] = _literal(line.value)
        elif isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None:
            found[line.target.id] = _literal(line.value)
    return found


def _literal(value: ast.expr) -> object:
    try:
        return ast.literal_eval(value)
    except ValueError:
        return None


def _typed(value: object, default: object) -> object:
    """Text from a table as what the notebook has there: a number, yes or no, a list; text that is none stays."""
    if not isinstance(value, str) or default is None or isinstance(default, str):
        return value
    try:
        found = json.loads(value.lower() if isinstance(default, bool) else value)
    except ValueError:
        return value
    return found if isinstance(found, type(default)) or isinstance(default, int | float) else value


@dataclass(frozen=True, slots=True)
class _Cell:
    """What counts of a notebook's cell."""

    kind: str
    source: str
    tags: tuple[str, ...]


def _code(notebook: Path) -> str:
    return "\n\n".join(cell.source for cell in _cells(notebook) if cell.kind == "code")


def _cells(notebook: Path) -> list[_Cell]:
    with files.explained(notebook):
        data = notebook.read_bytes()
    try:
        found = json.loads(data)
        if found["nbformat"] != _FORMAT:
            found = _converted(data.decode())
        return [
            _Cell(cell["cell_type"], "".join(cell["source"]), tuple(cell["metadata"].get("tags", ())))
            for cell in found["cells"]
        ]
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise SettingError(f"{notebook.name} is no notebook. Give the path of an .ipynb file.") from error


def _converted(text: str) -> Any:
    """A notebook of another format in the one that we read."""
    import nbformat  # noqa: PLC0415 - it takes over a second

    return nbformat.reads(text, as_version=_FORMAT)


def _id(code: str, parameters: Parameters) -> str:
    held = {name: _digest(Path(value)) for name, value in parameters.items() if _is_file(value)}
    told = json.dumps([code, dict(parameters), held], sort_keys=True, default=str)
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:_ID]


def _is_file(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(value) and Path(value).is_file()
    except (OSError, ValueError):  # too long for a path, or with a null in it: it is something else
        return False


def _digest(path: Path) -> str:
    with files.explained(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_apart(runs: Sequence[Run]) -> None:
    """Raise SettingError where two runs would make the same production: they would overwrite each other."""
    by_label: dict[tuple[Path, str], Run] = {}
    for run in runs:
        other = by_label.setdefault((run.notebook, run.label), run)
        if other is not run:
            raise SettingError(
                f"{other.where} and {run.where} both make {run.label!r}. Give one of them another production."
            )


def settings_of(pairs: Iterable[str]) -> dict[str, str]:
    """Parameters given as name=value. Raises SettingError."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise SettingError(f"{pair!r} is no parameter. Write name=value, as in fit=10:00.")
        found[name.strip()] = value.strip()
    return found
