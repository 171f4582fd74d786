# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clusters read which path of git, and whether that path may change: cluster first, git last. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._errors import InvalidSettings
from ..model import Object, Rung
from .changes import Wanted
from .kustomizations import folder_of

GIT = "GitRepository"
_COMMIT = re.compile(r"\b([0-9a-f]{40})$")

Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """One path of one repository, and the clusters that read it: their names, and what each of them said."""

    url: str
    ref: str
    path: str
    hosts: tuple[str, ...]
    said: tuple[Object, ...]
    rungs: tuple[Rung, ...]

    @property
    def commits(self) -> list[str]:
        """The commits that these clusters have applied."""
        found = (_COMMIT.search(str(git.get("revision") or "")) for git in self.said)
        return sorted({match[1] for match in found if match})

    @property
    def notes(self) -> list[str]:
        """What a person has to know."""
        return sorted({str(note) for git in self.said for note in git.get("notes") or []})

    @property
    def is_plain_git(self) -> bool:
        """Whether what the clusters read is git itself, and not an artifact that somebody makes of it."""
        return all(git.get("source") == GIT for git in self.said)


def groups_of(clusters: Sequence[Result]) -> list[Group]:
    """The clusters that read git, by what they read. Raises InvalidSettings for what is no result of a module."""
    found: dict[tuple[str, str, str], list[tuple[str, Object, Rung]]] = {}
    for number, result in enumerate(clusters, 1):
        git = result.get("git")
        if not isinstance(git, dict):
            raise InvalidSettings(f"Entry {number} of clusters has no key git.", "Give results of wge_upgrade or wge_info.")
        if git.get("kustomization"):
            key = (str(git.get("url")), str(git.get("ref")), folder_of(str(git.get("path"))))
            found.setdefault(key, []).append((str(result.get("host") or f"cluster {number}"), git, _rung(result, number)))
    return [
        Group(*key, tuple(m[0] for m in members), tuple(m[1] for m in members), tuple(m[2] for m in members))
        for key, members in sorted(found.items())
    ]


def why_held(group: Group) -> str:
    """Why this path must not change yet, empty when it may: every cluster that reads it has to be there, and to be the same."""
    if not group.is_plain_git:
        return "its source is no GitRepository: what it is made of is not known here"
    behind = [f"{host} is {rung.word}" for host, rung in zip(group.hosts, group.rungs, strict=True) if rung < Rung.FLIPPED]
    if behind:
        return f"{', '.join(behind)}: git changes when every cluster that reads this path is upgraded"
    texts = {wanted_by(git).text for git in group.said}
    return "" if len(texts) == 1 else f"{', '.join(group.hosts)} read the same path, and what git should hold differs between them"


def wanted_by(git: Object) -> Wanted:
    """What one cluster wants of git. Raises InvalidSettings when it did not say so."""
    try:
        return Wanted(str(git["path"]), list(git["objects"]), list(git["drop"]), list(git.get("alters") or []))
    except (KeyError, TypeError) as problem:
        raise InvalidSettings(f"The result's key git has no {problem}.", "Give results of wge_upgrade or wge_info.") from problem


def _rung(result: Result, number: int) -> Rung:
    word = str(result.get("rung") or (result.get("installed") or {}).get("rung") or "")
    try:
        return Rung.of(word)
    except KeyError as problem:
        raise InvalidSettings(f"Entry {number} of clusters does not say its rung.", "Give results of wge_upgrade or wge_info.") from problem
