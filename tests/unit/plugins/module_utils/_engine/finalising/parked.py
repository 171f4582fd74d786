# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that was parked long enough for WG to be removed, and what outlives it there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import KEPT, climb, finalise, later, lived_in
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

WRITES = 12
"""Writes of a removal from the lived-in cluster, with those of the lock."""

STAYS = (
    *(("Service", name) for name in KEPT),
    ("Ingress", WG_NAME),
    ("Secret", "cluster-user-auth"),
    ("ClusterRole", "wego-admin-cluster-role"),
    ("ClusterRoleBinding", "admin-user-read-resources-cr"),
    ("Role", "wego-admin-role"),
    ("RoleBinding", "admin-user-read-resources"),
    ("NetworkPolicy", "wge-twin-allow-dashboard-ingress"),
)


def parked_long_ago(folder: Path) -> World:
    """A cluster that was lived in, parked eight days ago."""
    made = lived_in(folder)
    climb(made)
    later(made, days=8)
    return made


def journal_secret(world: World) -> Object:
    """The Secret that the journal is kept in."""
    return next(item for item in world.cluster.all("Secret") if item["metadata"]["name"].startswith("wge-journal-"))


def refused(world: World, words: str) -> Blocked:
    """A finalise that is refused with a sentence, before its first write."""
    fault = Fault()
    with pytest.raises(Blocked, match=words) as raised:
        finalise(world, fault)
    assert fault.sent == []
    assert raised.value.next_step and raised.value.verdict == "blocked"
    return raised.value
