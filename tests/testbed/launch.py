# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and ends supervisors so that a kill at any moment leaves nothing unknown.

A cluster's lock file is locked before its supervisor exists, and the supervisor inherits the lock. So whoever finds
the lock held knows that one lives or is about to, even when its pid is not written down yet.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

from . import network, records
from .cluster import Cluster, ClusterError, wait_until
from .layout import HERE

#: Supervisors that this process started: kept, so that they are reaped when they end.
_STARTED: list[subprocess.Popen[bytes]] = []


def _reap() -> None:
    for process in _STARTED:
        process.poll()


def _locked(path: Path) -> bool:
    """Does a supervisor (or one about to be) hold the lock?"""
    if not path.exists():
        return False
    with open(path, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def start(cluster: Cluster, programs: dict[str, str]) -> None:
    """Write the settings, then start the supervisor; returns at once."""
    paths = cluster.paths
    stop(cluster)
    for folder in (paths.root, paths.logs, paths.pods, paths.bed.pids):
        folder.mkdir(parents=True, exist_ok=True)
    paths.root.chmod(0o700)
    for former in paths.logs.iterdir():
        former.unlink()
    records.write_json(paths.settings, {"programs": programs, "entry_node_port": network.ENTRY_NODE_PORT})
    with open(paths.lock, "ab") as lock, open(paths.logs / "supervisor.log", "ab") as output:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [sys.executable, "-m", "testbed.supervisor", str(paths.bed.root), cluster.name],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=paths.bed.root,
            start_new_session=True,
            pass_fds=[lock.fileno()],
            env={**os.environ, "PYTHONPATH": str(HERE.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        )
    _STARTED.append(process)


def stop(cluster: Cluster) -> None:
    """End a cluster in whatever state it is, and remove its files."""
    paths = cluster.paths
    if paths.lock.exists():
        paths.stop.touch()
        end = time.monotonic() + 10
        while _locked(paths.lock) and not cluster.record.get("supervisor") and time.monotonic() < end:
            time.sleep(0.05)
    cluster.stop()
    end = time.monotonic() + 10
    while _locked(paths.lock):
        _reap()
        if time.monotonic() > end:
            raise ClusterError(f"the supervisor of {cluster.name} does not end; its log is {paths.logs / 'supervisor.log'}")
        time.sleep(0.05)
        cluster.stop()
    _reap()
    cluster.remove_files()


def wait_ready(cluster: Cluster, seconds: float = 120) -> None:
    """Until the API server is ready, the node too, and pods can be made."""

    def begun() -> bool:
        record = cluster.record
        if record.get("error"):
            raise ClusterError(record["error"])
        if not _locked(cluster.paths.lock):
            raise ClusterError(f"{cluster.name} ended while starting: see {cluster.paths.logs / 'supervisor.log'}")
        return bool(record.get("children")) and cluster.healthy()

    wait_until(f"API server of {cluster.name}", begun, seconds)
    api = cluster.api()

    def node_ready() -> bool:
        node = api.get(f"/api/v1/nodes/{network.NODE_NAME}")
        ready = any(item["type"] == "Ready" and item["status"] == "True" for item in node["status"].get("conditions", []))
        return ready and not node["spec"].get("taints")

    wait_until(f"node of {cluster.name}", node_ready, seconds)
    wait_until(f"ServiceAccounts of {cluster.name}", lambda: api.find("/api/v1/namespaces/default/serviceaccounts/default"), seconds)
    api.close()
