# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of versions, read and checked: the one that is shipped, or a newer one that a user gave. PRIVATE."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from .._errors import InvalidSettings
from .._files import read_limited
from .compatibility import FLUX_GROUPS, UNKNOWN, Matrix, WgeRelease, WgRelease
from .compatibility_data import table
from .yamls import documents

SCHEMA_VERSION = 1
LIMIT = 4 * 1024 * 1024
ADVICE = "Begin with roles/preflight/files/compatibility.yml of this collection."


@lru_cache(maxsize=1)
def known() -> Matrix:
    """The table that is shipped."""
    return matrix_from(table(), "The table of versions")


def matrix_of(given: Any) -> Matrix:
    """The table of option ``compatibility``: a path or the mapping itself, the shipped one when there is none. Raises InvalidSettings."""
    content = content_of(given)
    if content is None:
        return known()
    return matrix_from(content, f"The file {given} (wge_compatibility)" if isinstance(given, str) else "wge_compatibility")


def content_of(given: Any) -> Mapping[str, Any] | None:
    """The plain data of option ``compatibility``, None when it was not given. Raises InvalidSettings."""
    if not given:
        return None
    if isinstance(given, Mapping):
        return given
    if not isinstance(given, str):
        raise InvalidSettings(f"wge_compatibility is a {type(given).__name__}, not a path or a mapping.", ADVICE)
    return _only_document(os.path.expanduser(given))


def matrix_from(content: Mapping[str, Any], name: str) -> Matrix:
    """A table out of plain data. Raises InvalidSettings with the first entry that does not hold; ``name`` says whose table it is."""
    if content.get("schema_version") != SCHEMA_VERSION:
        raise _wrong(name, f"has schema_version {content.get('schema_version')!r}, not {SCHEMA_VERSION}")
    return Matrix(
        tuple(_wge(entry) for entry in _entries(content, "wge_releases", name)),
        tuple(_wg(entry) for entry in _entries(content, "wg_releases", name)),
        _last_with(_entries(content, "flux_crds_served", name)),
        _controllers(_entries(content, "flux_releases", name)),
    )


class _Entry:
    """One mapping of the table, whose members are asked for by name; says where it is when one does not hold."""

    def __init__(self, content: Any, where: str, name: str) -> None:
        if not isinstance(content, Mapping):
            raise _wrong(name, f"has no mapping at {where}")
        self._content, self._where, self._name = content, where, name

    def text(self, key: str) -> str:
        value = self._content.get(key)
        if not isinstance(value, str) or not value:
            raise self._bad(key, "a text (put numbers like 2.0 in quotes)")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._content.get(key)
        if value == UNKNOWN:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(one, str) for one in value):
            raise self._bad(key, "a list of texts")
        return tuple(value)

    def inner(self, key: str) -> _Entry:
        return _Entry(self._content.get(key), f"{self._where}.{key}", self._name)

    def inners(self, key: str) -> list[_Entry]:
        return _listed(self._content.get(key), f"{self._where}.{key}", self._name)

    def keys(self, key: str) -> list[str]:
        value = self._content.get(key)
        if value == UNKNOWN:
            return []
        if not isinstance(value, Mapping):
            raise self._bad(key, "a mapping")
        return [str(one) for one in value]

    def _bad(self, key: str, wanted: str) -> InvalidSettings:
        return _wrong(self._name, f"has no {key} at {self._where} that is {wanted}")


def _wge(entry: _Entry) -> WgeRelease:
    flux, kubernetes = entry.inner("flux"), entry.inner("kubernetes")
    groups = flux.keys("crd_versions_used")
    used = flux.inner("crd_versions_used") if groups else None
    apis = [f"{FLUX_GROUPS[group]}/{v}" for group in groups if group in FLUX_GROUPS and used for v in used.texts(group)]
    return WgeRelease(
        entry.text("version"),
        entry.inner("bundled_wg").text("version"),
        flux.text("min"),
        flux.text("below"),
        tuple(apis),
        kubernetes.text("client_go"),
        kubernetes.texts("acceptance_kind_nodes"),
    )


def _wg(entry: _Entry) -> WgRelease:
    return WgRelease(entry.text("version"), entry.text("chart_version"), entry.text("flux_pinned_at_build"))


def _last_with(kinds: list[_Entry]) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind in kinds:
        for served in kind.inners("served"):
            last = re.search(r"\(Flux ([^)]+)\)", served.text("until"))
            if last:
                found.setdefault(served.text("version"), last[1])
    return found


def _controllers(releases: list[_Entry]) -> dict[str, str]:
    """Controllers of which one version belongs to several Flux versions are left to the first."""
    found: dict[str, str] = {}
    for release in releases:
        for version in release.text("source_controller").split(" or "):
            found.setdefault(version, release.text("flux"))
    return found


def _entries(content: Mapping[str, Any], key: str, name: str) -> list[_Entry]:
    return _listed(content.get(key), key, name)


def _listed(value: Any, where: str, name: str) -> list[_Entry]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise _wrong(name, f"has no list {where}")
    return [_Entry(entry, f"{where}[{index}]", name) for index, entry in enumerate(value)]


def _only_document(path: str) -> Mapping[str, Any]:
    try:
        found = documents(read_limited(path, LIMIT).decode())
    except UnicodeDecodeError:
        found = []
    except InvalidSettings as problem:
        if path in problem.what or "PyYAML" in problem.what:
            raise InvalidSettings(f"{problem.what.rstrip('.')} (wge_compatibility).", problem.next_step) from problem
        found = []
    if len(found) != 1:
        raise InvalidSettings(f"The file {path} (wge_compatibility) is not one YAML mapping.", ADVICE)
    return found[0]


def _wrong(name: str, text: str) -> InvalidSettings:
    return InvalidSettings(f"{name} {text}.", ADVICE)
