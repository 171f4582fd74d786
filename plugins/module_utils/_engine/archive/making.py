# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive made: collected, written, read back and proven, and only then given its name. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..forms.helm import newest
from ..inherit import FLAG_PREFIX
from ..model import Cluster, Object
from ..snapshot import Snapshot
from .box import Box
from .checking import Checked, check
from .manifest import About
from .members import Writer
from .model import Cipher, Files, Sink
from .reading import Reader


class Package(Sink, Protocol):
    """Where it is written to; nothing counts before ``finish``."""

    @property
    def path(self) -> str:
        """The name it will have."""

    def files(self) -> Files:
        """What was put so far, read from the disk."""

    def finish(self) -> None:
        """Give it its name."""

    def abandon(self) -> None:
        """Remove what was written."""


@dataclass(frozen=True, slots=True)
class Keys:
    """How Secrets are put into the vault; ``encrypt`` None when only their hashes are kept."""

    vault_id: str
    encrypt: Cipher | None
    decrypt: Cipher


@dataclass(frozen=True, slots=True)
class Made:
    """An archive that counts."""

    path: str
    manifest: Object
    checked: Checked


@dataclass(frozen=True, slots=True)
class Trial:
    """How an archive is tried: on which cluster (None: it is not), and whether we must be allowed to create what is in it."""

    cluster: Cluster | None
    allowed: bool = True


def make(box: Box, about: About, configuration: Object, package: Package, keys: Keys, trial: Trial, tick: Callable[[], None]) -> Made:
    """Write, prove and name an archive. What failed is removed."""
    try:
        manifest = Writer(package, keys.encrypt).write(box, about, keys.vault_id, configuration)
        tick()
        checked = check(Reader(package.files(), keys.decrypt), box, trial.cluster, tick, allowed=trial.allowed)
        tick()
        package.finish()
    except BaseException:
        package.abandon()
        raise
    return Made(package.path, manifest, checked)


def about_of(snapshot: Snapshot, run: str, made: str, scope: str) -> About:
    """What an archive of this snapshot is of."""
    identity, wg = snapshot.identity, snapshot.installed.found
    return About(identity.uid, identity.version, snapshot.namespace, wg.release, run, made, scope)


def configuration_of(snapshot: Snapshot) -> Object:
    """What WG was configured with, for people: it holds secrets, so it lies in the vault."""
    wg = snapshot.installed
    last = newest(wg.revisions)
    variables = wg.found.container.get("env") or []
    return {
        "release": wg.found.release,
        "chart_version": wg.chart_version,
        "version": wg.found.version,
        "values": (last.decoded().get("config") or {}) if last else {},
        "arguments": wg.found.arguments,
        "environment": variables,
        "flags": sorted(str(v["name"]) for v in variables if str(v.get("name", "")).startswith(FLAG_PREFIX)),
    }
