# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of a cluster, and the data path inside its network namespace.

Every pod address is local to the namespace, so a listener bound to one of them is reached by that address alone;
kube-proxy's own nftables rules carry ClusterIP and NodePort traffic to them. Each cluster has the same
addresses: nothing leaves its namespace.

One setting differs from a real node's: the kernel forgets a closed or refused connection after 2 s, not 120 s. Until then a new
connection from the same port would be led to the pod of the old one, or refused as the old one was: tests that park WG sooner than
users do, or that took its endpoints away a minute ago, would meet it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .linux import system_path

POD_CIDR = "10.244.0.0/16"
SERVICE_CIDR = "10.96.0.0/16"
SERVICE_API = "10.96.0.1"
NODE_ADDRESS = "192.168.77.10"
NODE_NAME = "node-1"
ENTRY_NODE_PORT = 30901
INGRESS_PORT = 80


FORGET_CLOSED = {
    "nf_conntrack_tcp_timeout_syn_sent": 2,
    "nf_conntrack_tcp_timeout_time_wait": 2,
    "nf_conntrack_tcp_timeout_close": 2,
    "nf_conntrack_tcp_timeout_last_ack": 2,
}


def set_up() -> None:
    """Called inside the new namespace."""
    commands = (
        f"address add {NODE_ADDRESS}/32 dev lo",
        "link set lo up",
        f"route add local {POD_CIDR} dev lo",
        f"route add {SERVICE_CIDR} dev lo src {NODE_ADDRESS}",  # without src the answers are dropped
    )
    for command in commands:
        subprocess.run(["ip", *command.split()], check=True, env={**os.environ, "PATH": system_path()}, capture_output=True)
    _forget_closed_connections()


def _forget_closed_connections() -> None:
    folder = Path(os.sep, "proc", "sys", "net", "netfilter")
    for name, seconds in FORGET_CLOSED.items():
        try:
            (folder / name).write_text(str(seconds), encoding="ascii")
        except OSError:
            pass  # older kernels keep these from user namespaces: then it is as on a real node
