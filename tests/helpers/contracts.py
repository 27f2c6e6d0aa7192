"""The vendors' contracts: what their OpenAPI files say of a request, and of an answer.

The files are not in this repository. They are looked for in the folder that ``LUMA_VENDOR_SPECS`` names, else in
``shared/vendors`` beside the clone; without them nothing is checked.

The files allow what they do not name. Here a field or parameter that is not named is a violation: a misspelt one
would be ignored by the vendor, and nobody would notice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from email.parser import BytesParser
from email.policy import HTTP
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.vendors import Request

if TYPE_CHECKING:
    from openapi_core import OpenAPI

FOLDER = Path(os.environ.get("LUMA_VENDOR_SPECS") or Path(__file__).parents[3] / "shared" / "vendors")

_SPECS = {
    "elevenlabs": ("elevenlabs.openapi.json", "https://api.elevenlabs.io", ""),
    "openai": ("openai.openapi.json", "https://api.openai.com", "/v1"),
    "groq": ("openai.openapi.json", "https://api.groq.com", "/openai/v1"),
    "heygen": ("heygen.openapi.json", "https://api.heygen.com", ""),
    "freepik": ("freepik.openapi.json", "https://api.freepik.com", ""),
    "creatomate": ("creatomate.openapi.json", "https://api.creatomate.com", ""),
}
_OUTSIDE = ("/previews/",)  # paths of the fake that stand for files elsewhere


def missing() -> str:
    """Why nothing is checked; "" if all is."""
    absent = sorted({name for name, _, _ in _SPECS.values() if not (FOLDER / name).is_file()})
    return f"no {' and '.join(absent)} in {FOLDER} (set LUMA_VENDOR_SPECS)" if absent else ""


def check(request: Request) -> str | None:
    """What a request does outside its vendor's contract; None if it is inside, or if there is no contract at hand."""
    if missing() or request.path.startswith(_OUTSIDE) or request.vendor not in _SPECS:
        return None
    from openapi_core.exceptions import OpenAPIError  # noqa: PLC0415 - it takes seconds, and few tests need it

    contract = _contract(_SPECS[request.vendor][0])
    asked = _Asked(request, contract.numbers)
    try:
        contract.openapi.validate_request(asked)  # type: ignore[arg-type] - a protocol that properties fulfil
    except OpenAPIError as error:
        return f"{request.vendor}: {request.method} {request.path}: {'; '.join(_reasons(error))}"
    unknown = set(request.query) - contract.parameters(request.method, _template(contract, request.path))
    return f"{request.vendor}: {request.path} has no parameter {', '.join(sorted(unknown))}" if unknown else None


def check_answer(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """What an answer with JSON in it has outside the contract; None if it is inside or no contract is at hand."""
    if missing():
        return None
    from openapi_core.exceptions import OpenAPIError  # noqa: PLC0415

    contract = _contract(_SPECS[request.vendor][0])
    try:
        contract.openapi.validate_response(_Asked(request, contract.numbers), _Given(status, headers, body))  # type: ignore[arg-type]
    except OpenAPIError as error:
        return f"{request.vendor}: {status} of {request.path}: {'; '.join(_reasons(error))}"
    return None


class _Contract:
    """One OpenAPI file, made strict."""

    def __init__(self, spec: dict[str, Any]) -> None:
        from openapi_core import OpenAPI as Opened  # noqa: PLC0415

        if spec["openapi"].startswith("3.0"):
            spec["openapi"] = "3.1.0"  # which says the same of these, and lets what is made of parts be strict
        _make_strict(spec, frozenset(_parts(spec)))
        _let_forms_be_json(spec)
        self.numbers = frozenset(_numbers(spec))
        self.paths: Mapping[str, Any] = spec["paths"]
        self.openapi: OpenAPI = Opened.from_dict(spec)

    def parameters(self, method: str, template: str) -> set[str]:
        """The query parameters that an operation names."""
        told = self.paths[template][method.lower()].get("parameters", [])
        return {each["name"] for each in told if each["in"] == "query"}


@lru_cache
def _contract(name: str) -> _Contract:
    return _Contract(json.loads((FOLDER / name).read_text(encoding="utf-8")))


def _template(contract: _Contract, path: str) -> str:
    """The path as the contract has it, with names in braces; the contract has accepted it."""
    steps = path.split("/")
    for template in sorted(contract.paths, key=lambda each: each.count("{")):
        names = template.split("/")
        if len(names) == len(steps) and all(
            name in (step, f"{{{name[1:-1]}}}") for name, step in zip(names, steps, strict=True)
        ):
            return template
    raise LookupError(path)


def _make_strict(node: Any, parts: frozenset[str], *, is_part: bool = False) -> None:
    """Let no object have what it does not name, but for those that are parts of another.

    Discriminators go: the files name no mapping for them, and without one the validator looks for schemas that are
    called like the values.
    """
    if isinstance(node, list):
        for each in node:
            _make_strict(each, parts)
    if not isinstance(node, dict):
        return
    node.pop("discriminator", None)
    _take_bytes(node)
    if "allOf" in node and not is_part:
        node.setdefault("unevaluatedProperties", False)
    elif isinstance(node.get("properties"), dict) and not is_part:
        node.setdefault("additionalProperties", False)
    for key, value in node.items():
        match key:
            case "example" | "examples":
                pass
            case "allOf":
                for each in value:
                    _make_strict(each, parts, is_part=True)
            case "schemas":
                for name, schema in value.items():
                    _make_strict(schema, parts, is_part=name in parts)
            case _:
                _make_strict(value, parts)


def _take_bytes(node: dict[str, Any]) -> None:
    """Let a file in a form be bytes, which the validator takes for no string."""
    if node.get("format") == "binary":
        node.pop("type", None)
        node.pop("format")


def _parts(node: Any) -> Iterator[str]:
    """The names of schemas that are part of others, by allOf."""
    match node:
        case dict():
            for each in node.get("allOf", []):
                yield from [each["$ref"].rpartition("/")[2]] if "$ref" in each else []
            for value in node.values():
                yield from _parts(value)
        case list():
            for each in node:
                yield from _parts(each)


_FORM, _JSON = "multipart/form-data", "application/json"


def _let_forms_be_json(spec: dict[str, Any]) -> None:
    """Have a form's schema hold for the same as JSON, too: the validator takes all in a form for bytes."""
    for operations in spec["paths"].values():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {}) if isinstance(operation, dict) else {}
            if _FORM in content:
                content.setdefault(_JSON, content[_FORM])


def _numbers(node: Any) -> Iterator[str]:
    """The names of properties that are numbers."""
    match node:
        case dict():
            for name, schema in node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else ():
                if isinstance(schema, dict) and schema.get("type") in ("number", "integer"):
                    yield name
            for value in node.values():
                yield from _numbers(value)
        case list():
            for each in node:
                yield from _numbers(each)


def _form_as_json(request: Request, numbers: frozenset[str]) -> bytes:
    """A form as JSON: a field whose name ends with brackets is one of a list, a file is its name."""
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    found: dict[str, Any] = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + request.body).iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        value: Any = part.get_filename() or part.get_payload(decode=True).decode()
        if name.endswith("[]"):
            found.setdefault(name.removesuffix("[]"), []).append(value)
        else:
            found[name] = float(value) if name in numbers else value
    return json.dumps(found).encode()


def _reasons(error: BaseException) -> Iterator[str]:
    """What lies behind an error of the validator, in a line each."""
    inner = error.__cause__
    if inner is None:
        yield " ".join(str(error).split())[:300] or type(error).__name__
    elif problems := getattr(inner, "schema_errors", None):
        for each in problems:
            where = ".".join(map(str, each.absolute_path))
            yield f"{where}: {each.message[:200]}" if where else each.message[:200]
    else:
        yield from _reasons(inner)


class _Asked:
    """A request as the validator wants to see it: at the vendor's real address."""

    def __init__(self, request: Request, numbers: frozenset[str]) -> None:
        from openapi_core.datatypes import RequestParameters  # noqa: PLC0415
        from werkzeug.datastructures import Headers, ImmutableMultiDict  # noqa: PLC0415

        _, self.host_url, prefix = _SPECS[request.vendor]
        self.path = prefix + request.path
        self.method = request.method.lower()
        self.content_type = request.headers.get("content-type", _JSON)
        is_form = self.content_type.startswith(_FORM)
        self.body = _form_as_json(request, numbers) if is_form else request.body
        self.content_type = _JSON if is_form else self.content_type
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.query), header=Headers(dict(request.headers))
        )


class _Given:
    """An answer as the validator wants to see it."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        from werkzeug.datastructures import Headers  # noqa: PLC0415

        self.status_code = status
        self.headers = Headers(dict(headers))
        self.data = body
        self.content_type = headers.get("content-type", "")
