# SPDX-License-Identifier: GPL-3.0-or-later
"""One host for each kind of bad input: its variables, and what the sentence about it must say.

Each comes with a name of its own at the API server (so that the audit log tells who wrote) and an address of its own (so that the
inventory is not refused for naming a cluster twice).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import yaml
from cryptography.hazmat.primitives.asymmetric import ed25519
from testbed import Cluster, charts, entitlement

from .cast import BARE, CANARY, OLDER, UNENTITLED
from .lab import NAMESPACE, Lab, Variables
from .relay import closed_port

Clusters = dict[str, Cluster]


@dataclass(frozen=True)
class Mistake:
    """A host that cannot be upgraded as it is described."""

    variables: Variables
    verdict: str
    fact: str
    """A regular expression: what is wrong, and where."""
    next_step: str
    """A regular expression: what a person does about it."""
    cluster: str = ""
    """Where it could have written."""
    user: str = ""


def _at(lab: Lab, clusters: Clusters, where: str, user: str, **more: object) -> Variables:
    path = lab.relays.readdress(lab.identity(clusters[where], user))
    return {"wge_kubeconfig": str(path), **more}


def no_wg(lab: Lab, clusters: Clusters) -> Mistake:
    """A cluster without WG."""
    user = "no-wg"
    return Mistake(_at(lab, clusters, BARE, user), "blocked", "No Weave GitOps was found", "out of the inventory|wge_namespace", BARE, user)


def two_wg(lab: Lab, clusters: Clusters) -> Mistake:
    """Several WGs and no word about which."""
    user = "two-wg"
    fact = f"Two or more installations.*by-hand.*ww-gitops in namespace {NAMESPACE}"
    return Mistake(_at(lab, clusters, OLDER, user), "blocked", fact, "wge_namespace", OLDER, user)


def no_owner(lab: Lab, clusters: Clusters) -> Mistake:
    """A WG with Flux's labels whose HelmRelease is gone, and that names no release."""
    user = "no-owner"
    variables = _at(lab, clusters, OLDER, user, wge_namespace="no-owner")
    return Mistake(variables, "blocked", "namespace no-owner holds no name of a Helm release", "helm list -n no-owner", OLDER, user)


def closed(lab: Lab, clusters: Clusters) -> Mistake:
    """An API server that is not there."""
    path, port = lab.identity(clusters[CANARY], "closed"), closed_port()
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    variables = {"wge_kubeconfig": str(path), "wge_retry_seconds": 1}
    return Mistake(variables, "unreachable", f"127.0.0.1:{port}.*(refused|reach|answer)", r"\w")


def other_uid(lab: Lab, clusters: Clusters) -> Mistake:
    """The kubeconfig leads to another cluster than the inventory says."""
    user, wanted = "other-uid", "11111111-2222-3333-4444-555555555555"
    variables = _at(lab, clusters, CANARY, user, wge_cluster_uid=wanted)
    return Mistake(variables, "blocked", f"{clusters[CANARY].uid}.*{wanted}", "kubeconfig|context|wge_cluster_uid", CANARY, user)


def no_file(lab: Lab, _clusters: Clusters) -> Mistake:
    """A kubeconfig that is not there."""
    path = lab.root / "nowhere" / "config"
    return Mistake({"wge_kubeconfig": str(path)}, "blocked", f"{path}.*does not exist", "kubeconfig")


def no_context(lab: Lab, clusters: Clusters) -> Mistake:
    """A kubeconfig without the context that is named."""
    user = "no-context"
    variables = _at(lab, clusters, CANARY, user, wge_context="moon")
    return Mistake(variables, "blocked", "context.*moon|moon.*context", f"{CANARY}|wge_context", CANARY, user)


def expired(lab: Lab, clusters: Clusters) -> Mistake:
    """A client certificate of yesterday."""
    path = lab.root / "kubeconfigs" / "expired"
    then = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)
    clusters[CANARY].write_kubeconfig(path, "expired", ["system:masters"], not_after=then)
    lab.relays.readdress(path)
    variables = {"wge_kubeconfig": str(path), "wge_retry_seconds": 1}
    return Mistake(variables, "blocked", f"client certificate.*{path}.*expired on {then:%Y-%m-%d}", "new certificate", CANARY, "expired")


def no_helm(lab: Lab, clusters: Clusters) -> Mistake:
    """No helm program."""
    user = "no-helm"
    variables = _at(lab, clusters, CANARY, user, wge_helm="/nowhere/helm")
    return Mistake(variables, "blocked", "/nowhere/helm.*not", "[Ii]nstall|wge_helm", CANARY, user)


def no_chart(lab: Lab, clusters: Clusters) -> Mistake:
    """A chart path that leads nowhere."""
    user = "no-chart"
    variables = _at(lab, clusters, CANARY, user, wge_chart="/nowhere/mccp")
    return Mistake(variables, "blocked", "/nowhere/mccp", "wge_chart|chart", CANARY, user)


def _broken(lab: Lab, clusters: Clusters, user: str, make: Callable[..., object], fact: str) -> Mistake:
    variables = _at(lab, clusters, CANARY, user, wge_chart=str(make(lab.root / "charts" / user)))
    return Mistake(variables, "blocked", fact, "chart|0.38", CANARY, user)


def port_renamed(lab: Lab, clusters: Clusters) -> Mistake:
    """A chart whose Service calls its port something else."""
    return _broken(lab, clusters, "port-renamed", charts.renamed_service_port, "F2.*clusters-service.*'https'.*web")


def other_label(lab: Lab, clusters: Clusters) -> Mistake:
    """A chart whose pods have another label."""
    return _broken(lab, clusters, "other-label", charts.other_pod_label, "app=clusters-service.*F2")


def other_port(lab: Lab, clusters: Clusters) -> Mistake:
    """A chart whose container port has another name."""
    return _broken(lab, clusters, "other-port", charts.other_container_port, "port named 'server'.*F2")


def other_service(lab: Lab, clusters: Clusters) -> Mistake:
    """A chart whose Service has another name."""
    return _broken(lab, clusters, "other-service", charts.other_service_name, "F2.*no Service clusters-service")


def no_entitlement(lab: Lab, clusters: Clusters) -> Mistake:
    """None in the cluster, and none given."""
    user = "no-entitlement"
    fact = "EN-01.*weave-gitops-enterprise-credentials.*no entitlement was given"
    return Mistake(_at(lab, clusters, UNENTITLED, user), "blocked", fact, "wge_entitlement", UNENTITLED, user)


def forged_entitlement(lab: Lab, clusters: Clusters) -> Mistake:
    """A well formed one that the vendor has not signed."""
    user = "forged-entitlement"
    token = entitlement.issue(ed25519.Ed25519PrivateKey.generate(), "forged@example.com", until=4102444800)
    variables = _at(lab, clusters, UNENTITLED, user, wge_entitlement=token)
    return Mistake(variables, "blocked", "EN-02.*given is not genuine", "vendor", UNENTITLED, user)


MISTAKES: tuple[Callable[[Lab, Clusters], Mistake], ...] = (
    no_wg,
    two_wg,
    no_owner,
    closed,
    other_uid,
    no_file,
    no_context,
    expired,
    no_helm,
    no_chart,
    port_renamed,
    other_label,
    other_port,
    other_service,
    no_entitlement,
    forged_entitlement,
)
