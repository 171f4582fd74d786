# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters that are broken in one way each, and the check that is to find it: the recipes of docs/docsite/rst/broken_clusters.rst.

A recipe says what somebody did to the cluster. How it is repaired is not written down: a `Bench` notes before each change how things
were, and puts them back in the opposite order.
"""

from __future__ import annotations

import base64
import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from testbed import Cluster, charts, entitlement, wait_until, workloads
from testbed.api import Api

from .lab import NAMESPACE, WG_SERVICE, Lab

Object = dict[str, Any]
HERE = f"/api/v1/namespaces/{NAMESPACE}"
WG = f"{workloads.DEPLOYMENTS}/{WG_SERVICE}"
ENTITLEMENT = f"{HERE}/secrets/{entitlement.SECRET_NAME}"
RELEASE_SECRET = f"{HERE}/secrets/sh.helm.release.v1.{workloads.RELEASE}.v1"
ROLE = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles/wge-upgrade"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_OF_THE_SERVER = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")


@dataclass
class Bench:
    """A cluster under the hammer. `options` are what the preflight is told besides the usual."""

    lab: Lab
    cluster: Cluster
    api: Api
    options: dict[str, Any] = field(default_factory=dict)
    _before: list[Callable[[], object]] = field(default_factory=list)

    def create(self, collection: str, item: Object) -> None:
        """One object more."""
        self.api.create(collection, item)
        path = f"{collection}/{item['metadata']['name']}"
        self._before.append(lambda: self._delete(path))

    def change(self, path: str, patch: Object) -> None:
        """A merge patch."""
        back = _way_back(patch, self.api.get(path))
        self.api.patch(path, patch)
        self._before.append(lambda: self.api.patch(path, back))

    def remove(self, path: str) -> None:
        """One object less."""
        item = self.api.get(path)
        item["metadata"] = {key: value for key, value in item["metadata"].items() if key not in _OF_THE_SERVER}
        self.api.delete(path)
        self._before.append(lambda: self.api.create(path.rpartition("/")[0], item))

    def repair(self) -> None:
        """As it was, WG answering again."""
        self.options.clear()
        while self._before:
            self._before.pop()()
        wait_until("WG as it was", lambda: workloads.rolled_out(self.cluster, WG), 60)
        wait_until("the dashboard at its address", lambda: workloads.answers(self.cluster.entry_url) == 200, 30)

    def _delete(self, path: str) -> None:
        self.api.delete(path)
        wait_until(f"the end of {path}", lambda: self.api.find(path) is None, 30)


@dataclass(frozen=True)
class Recipe:
    """`breaks` does it; `check` has `status` and says `seen` (a regular expression); `follows` are the checks that see it as well."""

    breaks: Callable[[Bench], None]
    check: str
    seen: str
    follows: dict[str, str] = field(default_factory=dict)
    status: str = "fail"

    @property
    def name(self) -> str:
        """In words."""
        return self.breaks.__name__.replace("_", " ").capitalize().replace("Wg", "WG").replace(" wg ", " WG ").replace("Api", "API")


def _way_back(patch: Object, before: Object) -> Object:
    return {
        key: _way_back(value, before[key]) if isinstance(value, dict) and isinstance(before.get(key), dict) else before.get(key)
        for key, value in patch.items()
    }


def _secret(key: str, text: str) -> Object:
    return {"data": {key: base64.b64encode(text.encode()).decode()}}


# -- the installation


def wg_scaled_to_nothing(bench: Bench) -> None:
    """Somebody took WG down."""
    bench.change(WG, {"spec": {"replicas": 0}})
    wait_until("WG down", lambda: not bench.api.get(WG)["status"].get("replicas") and workloads.answers(bench.cluster.entry_url) != 200, 30)


def wg_edited_by_hand(bench: Bench) -> None:
    """An argument that Helm knows nothing of."""
    found = bench.api.get(WG)["spec"]["template"]["spec"]["containers"]
    found[0]["env"] = [*found[0].get("env", []), {"name": "LOG_LEVEL", "value": "debug"}]
    bench.change(WG, {"spec": {"template": {"spec": {"containers": found}}}})
    wait_until("WG as edited", lambda: workloads.rolled_out(bench.cluster, WG), 60)


def two_runs_left_open(bench: Bench) -> None:
    """Journals of two upgrades that nobody ended."""
    for run in ("20260101-000000-aaaaaa", "20260102-000000-bbbbbb"):
        content = {"schema": 1, "run": run, "release": workloads.RELEASE, "started": "", "plan_hash": ""}
        labels = {"wge.weave.works/run": run, "wge.weave.works/journal": "open"}
        text = json.dumps({**content, "archive": {}, "entries": {}, "notes": {}})
        metadata = {"name": f"wge-journal-{run}", "labels": labels}
        bench.create(f"{HERE}/secrets", {"metadata": metadata, "type": "wge.weave.works/journal", **_secret("journal", text)})


# -- the entitlement


def no_entitlement(bench: Bench) -> None:
    """The vendor's Secret was never applied."""
    bench.remove(ENTITLEMENT)


def forged_entitlement(bench: Bench) -> None:
    """Signed by somebody who is not the vendor."""
    token = entitlement.issue(ed25519.Ed25519PrivateKey.generate(), "forger@example.com", time.time() + 365 * entitlement.DAY)
    bench.change(ENTITLEMENT, _secret("entitlement", token))


def expired_entitlement(bench: Bench) -> None:
    """The vendor's, of last year; this team wants no upgrade with it."""
    bench.options["fail_if_expired"] = True
    bench.change(ENTITLEMENT, _secret("entitlement", bench.lab.bed.paths.entitlement_expired.read_text(encoding="ascii")))


# -- the cluster


def webhook_without_a_server(bench: Bench) -> None:
    """A policy engine that was scaled down and left its webhook."""
    hook = {
        "name": "deployments.policies.example.com",
        "clientConfig": {"service": {"namespace": "default", "name": "policies"}},
        "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 2,
    }
    bench.create(
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", {"metadata": {"name": "policies"}, "webhooks": [hook]}
    )


def policy_that_denies(bench: Bench) -> None:
    """The cluster wants an owner on each new Deployment."""
    group = "/apis/admissionregistration.k8s.io/v1"
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}
    wanted = {
        "expression": "has(object.metadata.labels) && 'owner' in object.metadata.labels",
        "message": "Every Deployment needs an owner.",
    }
    spec = {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": [rule]}, "validations": [wanted]}
    bench.create(f"{group}/validatingadmissionpolicies", {"metadata": {"name": "owner"}, "spec": spec})
    binding = {"policyName": "owner", "validationActions": ["Deny"]}
    bench.create(f"{group}/validatingadmissionpolicybindings", {"metadata": {"name": "owner"}, "spec": binding})
    probe = copy.deepcopy(bench.api.get(WG))
    probe["metadata"] = {"name": "probe"}
    wait_until("the policy at work", lambda: bench.api.raw("POST", f"{workloads.DEPLOYMENTS}?dryRun=All", probe)[0] == 422, 30)


def api_without_a_server(bench: Bench) -> None:
    """Metrics that nobody serves any more."""
    spec = {
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {"namespace": "kube-system", "name": "metrics-server"},
    }
    path = "/apis/apiregistration.k8s.io/v1/apiservices"
    bench.create(path, {"metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": spec})

    def down() -> bool:
        conditions = bench.api.get(f"{path}/v1beta1.metrics.k8s.io").get("status", {}).get("conditions", [])
        return any(condition["type"] == "Available" and condition["status"] == "False" for condition in conditions)

    wait_until("the API server's word that nobody serves it", down, 30)


def quota_used_up(bench: Bench) -> None:
    """Room for WG and nobody else."""
    bench.create(f"{HERE}/resourcequotas", {"metadata": {"name": "team"}, "spec": {"hard": {"pods": "1"}}})
    wait_until("the quota counted", lambda: bench.api.get(f"{HERE}/resourcequotas/team").get("status", {}).get("used"), 30)


def flux_of_another_age(bench: Bench) -> None:
    """A Flux whose HelmReleases this WGE cannot read."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    spec = {
        "group": "helm.toolkit.fluxcd.io",
        "names": {"kind": "HelmRelease", "listKind": "HelmReleaseList", "plural": "helmreleases", "singular": "helmrelease"},
        "scope": "Namespaced",
        "versions": [{"name": "v2", "served": True, "storage": True, "schema": schema}],
    }
    bench.create(DEFINITIONS, {"metadata": {"name": "helmreleases.helm.toolkit.fluxcd.io"}, "spec": spec})
    wait_until("the new API", lambda: bench.api.find("/apis/helm.toolkit.fluxcd.io/v2"), 30)


# -- the target


def role_of_another_product(bench: Bench) -> None:
    """A ClusterRole with a name that WGE's chart is to take."""
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    bench.create(path, {"metadata": {"name": "gitops-pipelines-reader"}, "rules": []})


def chart_with_another_port(bench: Bench) -> None:
    """A chart of WGE that is not as those that are known."""
    bench.options["chart"] = str(charts.renamed_service_port(bench.lab.root / "charts" / "another-port"))


# -- the network


def route_that_speaks_https(bench: Bench) -> None:
    """An Ingress that speaks TLS to a server that does not."""
    backend = {"service": {"name": WG_SERVICE, "port": {"number": 9001}}}
    rule = {"host": "gitops.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    metadata = {"name": "gitops", "annotations": {"nginx.ingress.kubernetes.io/backend-protocol": "HTTPS"}}
    path = f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses"
    bench.create(path, {"metadata": metadata, "spec": {"ingressClassName": "nginx", "rules": [rule]}})


def service_to_a_port_that_goes(bench: Bench) -> None:
    """A Service of somebody's own to a port that WGE has not."""
    selector = bench.api.get(f"{HERE}/services/{WG_SERVICE}")["spec"]["selector"]
    ports = [{"name": "debug", "port": 6060, "targetPort": 6060}]
    bench.create(f"{HERE}/services", {"metadata": {"name": "gitops-debug"}, "spec": {"selector": selector, "ports": ports}})


def budget_for_wg_alone(bench: Bench) -> None:
    """A PodDisruptionBudget that will hold nothing after the flip."""
    selector = bench.api.get(f"{HERE}/services/{WG_SERVICE}")["spec"]["selector"]
    path = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets"
    bench.create(path, {"metadata": {"name": "gitops"}, "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector}}})


# -- the rights


def user_without_one_verb(bench: Bench) -> None:
    """Who may not watch where requests go."""
    rules = copy.deepcopy(bench.api.get(ROLE)["rules"])
    next(rule for rule in rules if "endpointslices" in rule["resources"])["verbs"].remove("watch")
    bench.change(ROLE, {"rules": rules})


RECIPES = (
    Recipe(wg_scaled_to_nothing, "CU-03", "0 of 0 replicas", {"CU-04": "fail", "CU-07": "warn", "NE-10": "fail"}),
    Recipe(wg_edited_by_hand, "CU-07", r"containers\[0\]\.env", status="warn"),
    Recipe(two_runs_left_open, "SA-03", "20260101-000000-aaaaaa, 20260102-000000-bbbbbb"),
    Recipe(no_entitlement, "EN-01", "no Secret weave-gitops-enterprise-credentials"),
    Recipe(forged_entitlement, "EN-02", "not genuine"),
    Recipe(expired_entitlement, "EN-04", "expired on"),
    Recipe(webhook_without_a_server, "CL-08", "Service policies in namespace default has no ready endpoint", {"CL-09": "fail"}),
    Recipe(policy_that_denies, "CL-09", "Every Deployment needs an owner"),
    Recipe(api_without_a_server, "CL-05", "v1beta1.metrics.k8s.io is not available", status="warn"),
    Recipe(quota_used_up, "CA-01", "ResourceQuota team: pods has 1 of 1 taken"),
    Recipe(flux_of_another_age, "FL-02", "reads helm.toolkit.fluxcd.io/v2beta1"),
    Recipe(role_of_another_product, "TA-05", "gitops-pipelines-reader"),
    Recipe(chart_with_another_port, "TA-03", "no port named 'https'"),
    Recipe(route_that_speaks_https, "NE-03", "speaks https to Service"),
    Recipe(service_to_a_port_that_goes, "NE-01", "port 6060 of Service gitops-debug"),
    Recipe(budget_for_wg_alone, "NE-06", "PodDisruptionBudget gitops holds WG's pods and not WGE's", status="warn"),
    Recipe(user_without_one_verb, "PE-02", "1 of .* missing: watch endpointslices"),
)
