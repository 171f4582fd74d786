# SPDX-License-Identifier: GPL-3.0-or-later
"""Form A: WG as a plain Helm release. How Helm stores releases, and what that lets us read. PRIVATE.

Helm keeps each revision in a Secret ``sh.helm.release.v1.<release>.v<n>``: base64 of gzip of JSON, once more in
base64 as every Secret's data, found by its label ``owner=helm`` (K6).
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..._errors import SafeStop
from ..model import Object
from ..objects import labels_of, name_of
from ..yamls import documents

WG_CHART = "weave-gitops"
MARKETPLACE = "gitops"
"""Below this key lay the values of WG in the chart of AWS Marketplace (v0.7 to v0.9)."""
METERING = "wego-metering"
"""The Deployment that this chart had besides."""

_STORED = re.compile(r"^sh\.helm\.release\.v1\.(?P<release>.+)\.v(?P<revision>\d+)$")


@dataclass(frozen=True, slots=True)
class Revision:
    """One stored revision: the Secret, its number, and what its labels say."""

    secret: Object
    number: int
    owner: str
    status: str

    @property
    def is_real(self) -> bool:
        """Whether it holds a release; a tombstone holds none."""
        return bool(self.secret.get("data", {}).get("release"))

    def decoded(self) -> Object:
        """The release as Helm wrote it: chart, config, manifest, info. Raises SafeStop when it cannot be read."""
        try:
            return _unpacked(self.secret["data"]["release"])
        except (KeyError, ValueError, OSError, EOFError, binascii.Error) as problem:
            raise SafeStop(
                f"The Helm release Secret {name_of(self.secret)} cannot be decoded ({type(problem).__name__}).",  # a decoder quotes bytes
                "Look at it with helm; restore it from a backup or install WG once more.",
            ) from problem


@lru_cache(maxsize=8)
def _unpacked(data: str) -> Object:
    """Kept, since a climb reads the same revision again and again; nobody changes what comes out."""
    stored: Object = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(data))))
    return stored


@lru_cache(maxsize=8)
def _parsed(manifest: str) -> tuple[Object, ...]:
    return tuple(documents(manifest))


def storage_name(release: str, revision: int) -> str:
    """The name of the Secret that holds one revision."""
    return f"sh.helm.release.v1.{release}.v{revision}"


def revisions_of(secrets: Sequence[Object], release: str) -> list[Revision]:
    """All stored revisions of a release, oldest first, parked ones and a tombstone included."""
    found = []
    for secret in secrets:
        match = _STORED.match(name_of(secret))
        if match and match["release"] == release:
            labels = labels_of(secret)
            found.append(Revision(secret, int(match["revision"]), labels.get("owner", ""), labels.get("status", "")))
    return sorted(found, key=lambda revision: revision.number)


def newest(revisions: Sequence[Revision]) -> Revision | None:
    """The newest revision that holds a release."""
    real = [revision for revision in revisions if revision.is_real]
    return real[-1] if real else None


def manifest_of(stored: Object) -> list[Object]:
    """The objects of a stored release, hooks left out as Helm leaves them out."""
    return list(_parsed(stored.get("manifest") or ""))


def values_of(stored: Object) -> Object:
    """The chart's defaults with the user's values over them: what the templates saw (parent chart only)."""
    return merged(defaults_of(stored), given_of(stored))


def defaults_of(stored: Object) -> Object:
    """The defaults of WG's values, as far as they are stored: Helm does not store those of a chart inside another."""
    return _inner((stored.get("chart") or {}).get("values") or {}, stored)


def given_of(stored: Object) -> Object:
    """The values that people gave to WG."""
    return _inner(stored.get("config") or {}, stored)


def wrapper_of(stored: Object) -> str:
    """The name of the chart, when it is another than WG's own and has that inside; empty otherwise."""
    name = str(_about(stored).get("name") or "")
    return "" if name == WG_CHART else name


def _inner(values: Object, stored: Object) -> Object:
    """What is said to WG's own chart: in a chart around it that lies one level deeper."""
    found = values.get(_key(stored)) if wrapper_of(stored) and _key(stored) else values
    return found if isinstance(found, dict) else {}


def _key(stored: Object) -> str:
    inside = next((part for part in _about(stored).get("dependencies") or [] if part.get("name") == WG_CHART), None)
    if inside:
        return str(inside.get("alias") or WG_CHART)
    said = {**((stored.get("chart") or {}).get("values") or {}), **(stored.get("config") or {})}
    return MARKETPLACE if isinstance(said.get(MARKETPLACE), dict) else ""


def _about(stored: Object) -> Object:
    return (stored.get("chart") or {}).get("metadata") or {}


def chart_version_of(stored: Object) -> str:
    """The version of the chart a release was made from."""
    return str(_about(stored).get("version", ""))


def merged(under: Object, over: Object) -> Object:
    """Two values trees, ``over`` winning, maps merged and lists replaced, as Helm merges values files."""
    result: dict[str, Any] = dict(under)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result
