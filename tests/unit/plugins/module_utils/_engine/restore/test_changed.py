# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether somebody else changed an object since it was archived, told from the API server's own records."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.changed import changed_by
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.restore.archived import LATER, managed

HELM = managed("helm", "spec.selector", "metadata.labels.a", "metadata.labels.b")
OURS = "weaveworks-wge"


def item(*entries: Any, uid: str = "u1", version: str = "1") -> Any:
    return {"kind": "Service", "metadata": {"uid": uid, "resourceVersion": version, "managedFields": list(entries)}}


READ = item(HELM)


@pytest.mark.parametrize(
    "live",
    [
        item(),  # the very version that was archived
        item(HELM, version="2"),
        item(HELM, managed("kube-controller-manager", "status.x", time=LATER, subresource="status"), version="2"),
        item(managed("helm", "metadata.labels.a", "metadata.labels.b"), managed(OURS, "spec.selector", time=LATER), version="2"),
        item(managed(OURS, "spec.selector", time=LATER), uid="u2", version="2"),
    ],
)
def test_nobody_else_did(live: Any) -> None:
    assert changed_by(READ, live) == ""


@pytest.mark.parametrize(
    ("live", "who"),
    [
        (item(HELM, managed("kubectl-edit", "spec.type", time=LATER), version="2"), f"kubectl-edit at {LATER}"),
        (item(managed("helm", "spec.selector", "metadata.labels.a", "metadata.labels.b", time=LATER), version="2"), f"helm at {LATER}"),
        (item(managed("helm", "spec.selector", "metadata.labels.a"), version="2"), "somebody"),
        (item(version="2"), "somebody"),
        (item(HELM, managed("kubectl-scale", "spec.replicas", time=LATER, subresource="scale"), version="2"), f"kubectl-scale at {LATER}"),
        (item(managed("kubectl", "spec.selector", time=LATER), uid="u2"), f"kubectl at {LATER}, who created it anew"),
        (item(uid="u2"), "somebody, who created it anew"),
        (item(managed(OURS, "spec"), managed("kubectl", "spec.type", time=LATER), uid="u2"), f"kubectl at {LATER}"),
    ],
)
def test_somebody_else_did(live: Any, who: str) -> None:
    assert changed_by(READ, live) == who
