# SPDX-License-Identifier: GPL-3.0-or-later
"""A live object as git should hold it."""

from __future__ import annotations

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.gitops import NO_PRUNE
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.gitpatch.manifest import for_git
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import RBAC, thing


def test_what_a_controller_writes_again_and_again_stays_out_of_git() -> None:
    server = thing("apps/v1", "Deployment", "wge", "flux-system", spec={"replicas": 1}, status={"replicas": 1})
    server["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "3", "team": "a"}
    assert for_git(server)["metadata"]["annotations"] == {"team": "a", NO_PRUNE: "disabled"}
    whole = thing(RBAC, "ClusterRole", "whole", aggregationRule={"clusterRoleSelectors": []}, rules=[{"verbs": ["get"]}])
    assert "rules" not in for_git(whole)
    assert for_git(whole)["aggregationRule"] == {"clusterRoleSelectors": []}
    assert for_git(thing(RBAC, "ClusterRole", "plain", rules=[{"verbs": ["get"]}]))["rules"] == [{"verbs": ["get"]}]
