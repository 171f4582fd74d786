# SPDX-License-Identifier: GPL-3.0-or-later
"""The real servers of one cluster: their certificates, files and command lines.

Left out on purpose: TLS between API server and etcd (both on loopback of the same namespace), cloud and volume
controllers, leader election, the aggregation layer's certificates.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from . import kubeconfig, network, pki
from .layout import ClusterPaths

ISSUER = "https://kubernetes.default.svc"
ETCD = "http://127.0.0.1:2379"
ETCD_PEER = "http://127.0.0.1:2380"
CLIENTS = {
    "admin": ("testbed-admin", ["system:masters"]),
    "controller-manager": ("system:kube-controller-manager", []),
    "scheduler": ("system:kube-scheduler", []),
    "proxy": ("system:kube-proxy", []),
    "agent": (f"system:node:{network.NODE_NAME}", ["system:nodes"]),
}
UNUSED_CONTROLLERS = (
    "node-ipam-controller",
    "node-route-controller",
    "service-lb-controller",
    "cloud-node-lifecycle-controller",
    "persistentvolume-binder-controller",
    "persistentvolume-attach-detach-controller",
    "persistentvolume-expander-controller",
    "persistentvolume-protection-controller",
    "persistentvolumeclaim-protection-controller",
    "ephemeral-volume-controller",
    "certificatesigningrequest-signing-controller",
    "certificatesigningrequest-approving-controller",
    "certificatesigningrequest-cleaner-controller",
    "horizontal-pod-autoscaler-controller",
    "resourceclaim-controller",
    "storage-version-migrator-controller",
    "volumeattributesclass-protection-controller",
    "device-taint-eviction-controller",
    "kube-apiserver-serving-clustertrustbundle-publisher-controller",
)
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {
            "level": "None",
            "verbs": ["get", "list", "watch"],
            "users": [user for user, _groups in CLIENTS.values()] + ["system:apiserver", "system:anonymous"],
        },
        {"level": "None", "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}], "userGroups": ["system:nodes"]},
        {"level": "Metadata"},
    ],
}


@dataclass(frozen=True)
class Server:
    """One process of the control plane."""

    name: str
    command: list[str]
    environment: dict[str, str]


def prepare(paths: ClusterPaths, api_port: int) -> None:
    """Certificates, kubeconfigs and the audit policy; called once, before anything runs."""
    url = f"https://127.0.0.1:{api_port}"
    authority = pki.Authority.create(f"testbed-{paths.name}")
    authority.write(paths.pki)
    pki.write_signing_key(paths.pki)
    names = [
        "127.0.0.1",
        "localhost",
        network.NODE_ADDRESS,
        network.SERVICE_API,
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
    ]
    authority.issue("kube-apiserver", alternatives=names).write(paths.pki, "apiserver")
    for name, (user, groups) in CLIENTS.items():
        pair = authority.issue(user, groups)
        target = paths.kubeconfig if name == "admin" else paths.root / f"{name}.kubeconfig"
        kubeconfig.write(target, kubeconfig.document(paths.name, url, authority.pem, kubeconfig.client(pair), user))
        if name in ("admin", "agent"):
            pair.write(paths.pki, name)
    (paths.root / "audit-policy.json").write_text(json.dumps(AUDIT_POLICY), encoding="utf-8")


def _etcd(paths: ClusterPaths) -> list[str]:
    return [
        f"--data-dir={paths.root / 'etcd'}",
        "--unsafe-no-fsync",
        "--log-level=warn",
        "--snapshot-count=5000",
        "--auto-compaction-retention=5m",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        f"--listen-peer-urls={ETCD_PEER}",
        f"--initial-advertise-peer-urls={ETCD_PEER}",
        f"--initial-cluster=default={ETCD_PEER}",
    ]


def _apiserver(paths: ClusterPaths, api_port: int) -> list[str]:
    keys = paths.pki
    return [
        f"--etcd-servers={ETCD}",
        "--bind-address=0.0.0.0",
        f"--secure-port={api_port}",
        f"--advertise-address={network.NODE_ADDRESS}",
        f"--client-ca-file={keys / 'ca.crt'}",
        f"--tls-cert-file={keys / 'apiserver.crt'}",
        f"--tls-private-key-file={keys / 'apiserver.key'}",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={keys / 'sa.pub'}",
        f"--service-account-signing-key-file={keys / 'sa.key'}",
        f"--service-cluster-ip-range={network.SERVICE_CIDR}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--profiling=false",
        "--lease-reuse-duration-seconds=60",
        f"--audit-policy-file={paths.root / 'audit-policy.json'}",
        f"--audit-log-path={paths.audit}",
    ]


def _controller_manager(paths: ClusterPaths) -> list[str]:
    config = paths.root / "controller-manager.kubeconfig"
    return [
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--leader-elect=false",
        "--controllers=" + ",".join(["*", *(f"-{name}" for name in UNUSED_CONTROLLERS)]),
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={paths.pki / 'sa.key'}",
        f"--root-ca-file={paths.pki / 'ca.crt'}",
        "--bind-address=127.0.0.1",
        "--profiling=false",
        "--node-monitor-period=2s",
        "--node-monitor-grace-period=40s",
    ]


def _scheduler(paths: ClusterPaths) -> list[str]:
    config = paths.root / "scheduler.kubeconfig"
    return [
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        "--profiling=false",
    ]


def _proxy(paths: ClusterPaths) -> list[str]:
    return [
        f"--kubeconfig={paths.root / 'proxy.kubeconfig'}",
        f"--hostname-override={network.NODE_NAME}",
        "--proxy-mode=nftables",
        f"--cluster-cidr={network.POD_CIDR}",
        "--conntrack-max-per-core=0",
        "--conntrack-min=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
        "--healthz-bind-address=127.0.0.1:10256",
        "--metrics-bind-address=127.0.0.1:10249",
    ]


def servers(paths: ClusterPaths, programs: dict[str, str], api_port: int) -> list[Server]:
    """In the order in which they are started; the Go collector is told to keep heaps small, but where it would cost much time."""
    lines = (
        ("etcd", _etcd(paths), "40"),
        ("kube-apiserver", _apiserver(paths, api_port), "200"),
        ("kube-controller-manager", _controller_manager(paths), "40"),
        ("kube-scheduler", _scheduler(paths), "40"),
        ("kube-proxy", _proxy(paths), "40"),
    )
    return [Server(name, [programs[name], *options], {"GOGC": percent, "GOMAXPROCS": "2"}) for name, options, percent in lines]
