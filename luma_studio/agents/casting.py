"""Clauses given to those who speak them, and the way they do, where the script itself does not say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from luma_studio.script.model import Clause, Script
from luma_studio.store.state import Role

Roles = Mapping[str, tuple[Role, ...]]
"""By a clause's text who speaks it and how; several where the same words stand in several places."""


def cast(script: Script, roles: Roles) -> Script:
    """The script with speakers and tags for clauses that it gives none; what the author marked stays.

    Where the same words have several roles, the neighbours tell which is which.
    """
    if not roles:
        return script
    around = neighbours(tuple(script.clauses))
    scenes = tuple(
        replace(scene, clauses=tuple(_cast(clause, roles, next(around)) for clause in scene.clauses))
        for scene in script.scenes
    )
    return replace(script, scenes=scenes)


def neighbours(clauses: Sequence[Clause]) -> Iterator[tuple[str, str]]:
    """The texts before and after each clause, "" where there is none."""
    texts = ["", *(clause.text for clause in clauses), ""]
    return zip(texts, texts[2:], strict=False)


def _cast(clause: Clause, roles: Roles, around: tuple[str, str]) -> Clause:
    known = roles.get(clause.text)
    if not known:
        return clause
    role = max(known, key=lambda each: (each.before == around[0]) + (each.after == around[1]))
    return replace(clause, speaker=clause.speaker or role.speaker, tags=clause.tags or role.tags)
