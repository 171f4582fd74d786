# SPDX-License-Identifier: GPL-3.0-or-later
"""What an archive must be so that a cluster can go back with it. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable

from ..._errors import Blocked
from ..objects import labels_of, path_of
from ..parked import manifest_paths
from ..situation import Situation
from .model import HASHES_ONLY, Contents

_EXPORT = "Make a new one (playbooks/export.yml) and name it in wge_archive, or leave wge_archive out."
_SECRETS = "/secrets/"


def require_same_cluster(path: str, contents: Contents, uid: str) -> None:
    """Raises Blocked when an archive is of another cluster."""
    given = contents.manifest["cluster"].get("uid")
    if given != uid:
        raise Blocked(
            f"The archive {path} is of another cluster: its UID is {given}, that of this one is {uid}.",
            "Give the archive of this cluster in wge_archive.",
        )


def require_paths(path: str, contents: Contents, paths: Iterable[str], remedy: str) -> None:
    """Raises Blocked when an archive does not hold one of these objects; without a vault nobody can tell that of Secrets."""
    held = {entry.path for entry in contents.entries}
    missing = [one for one in paths if one not in held and (contents.opened or _SECRETS not in one)]
    if missing:
        raise Blocked(f"The archive {path} does not hold {missing[0]} ({len(missing)} of what is needed is missing).", remedy)


def require_way_back(now: Situation, path: str, contents: Contents) -> None:
    """Raises Blocked unless WG, as it is now, could be brought back from an archive that somebody made before."""
    require_same_cluster(path, contents, now.snapshot.identity.uid)
    if contents.manifest["secrets"] == HASHES_ONLY:
        raise Blocked(f"The archive {path} holds hashes of Secrets only: nobody could go back with it.", _EXPORT)
    release = now.snapshot.installed.found.release
    kept = [*now.kept_services, *now.snapshot.kept, *(r for r in now.snapshot.releases if labels_of(r).get("name") == release)]
    require_paths(path, contents, [*manifest_paths(now), *map(path_of, kept)], _EXPORT)
