# SPDX-License-Identifier: GPL-3.0-or-later
"""The same questions asked of one cluster from the controller itself and through a bastion, and a climb on the bastion."""

from __future__ import annotations

import os
import signal
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed import Cluster, wait_until

from integration.lab import Lab

from . import system
from .plays import calls, results
from .sshd import Sshd
from .watched import LEASE, Watched, journal_states

PLANTED = "planted-entitlement"
LOCAL, REMOTE = "direct", "bastion"


@dataclass
class Bastion:
    """What came of it."""

    direct: dict[str, dict[str, Any]]
    remote: dict[str, dict[str, Any]]
    text: str
    interpreter_calls: list[str]
    left: list[str]
    climb: Climb


@dataclass
class Climb:
    """A climb on the bastion whose controller was killed with -9."""

    alive_after_kill: bool
    journal: list[str]
    left_processes: dict[int, str]
    left: list[str]
    seconds: float


def through_bastion(lab: Lab, cluster: Cluster) -> Bastion:
    """Ask, refuse, prepare; then climb on, and kill the controller meanwhile."""
    folder = lab.root / "bastion"
    folder.mkdir()
    sshd = Sshd(folder / "sshd", uuid.uuid4().hex)
    try:
        trap = _trap(folder)
        hosts = {LOCAL: {"ansible_python_interpreter": str(trap)}, REMOTE: sshd.variables()}
        watched = Watched(lab, _questions(lab, cluster, folder), hosts, "-vvv", variables={"planted": PLANTED})
        watched.ended()
        here, there = (results(folder, host) for host in (LOCAL, REMOTE))
        record = folder / "interpreter.log"
        trapped = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
        left = [*sshd.left_files(), *watched.left_files()]
        return Bastion(here, there, watched.text, trapped, left, _climb(lab, cluster, folder, sshd))
    finally:
        sshd.close()


def _trap(folder: Path) -> Path:
    """An interpreter that only writes down what it was asked to run: a module that is started on the controller falls into it."""
    path = folder / "interpreter"
    path.write_text(f'#!/bin/sh\necho "$*" >> "{folder}/interpreter.log"\nexit 1\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def _options(lab: Lab, cluster: Cluster) -> tuple[dict[str, Any], dict[str, Any]]:
    connection = {"kubeconfig": str(lab.identity(cluster)), "cluster_uid": cluster.uid}
    trust = {"entitlement_public_keys": lab.public_keys, "entry_urls": [cluster.entry_url]}
    install = {"chart": str(lab.bed.paths.charts / "mccp"), "helm": str(lab.bed.paths.helm), **trust}
    return connection, {**connection, **install}


def _export(lab: Lab, cluster: Cluster, folder: Path) -> dict[str, Any]:
    connection, _install = _options(lab, cluster)
    return {
        "weaveworks.wge.wge_state_export": {**connection, "archive_dir": str(folder / "archive"), "scope": "install", "format": "tar.gz"}
    }


def _upgrade(lab: Lab, cluster: Cluster, state: str, folder: Path) -> dict[str, Any]:
    """With the archive that the controller made: on a bastion there is no vault to make one."""
    _connection, install = _options(lab, cluster)
    times = {"baseline_seconds": 1, "rehearse_seconds": 1, "verify_seconds": 2, "soak_seconds": 3, "quiet_seconds": 2}
    return {
        "weaveworks.wge.wge_upgrade": {
            **install,
            **times,
            "state": state,
            "archive": f"{{{{ query('fileglob', '{folder}/archive/*') | first }}}}",
        }
    }


def _questions(lab: Lab, cluster: Cluster, folder: Path) -> Path:
    connection, install = _options(lab, cluster)
    remotely, locally = f"inventory_hostname == '{REMOTE}'", f"inventory_hostname == '{LOCAL}'"
    secret = {"weaveworks.wge.wge_preflight": {**install, "entitlement": "{{ planted }}", "fail_on": "never"}}
    return calls(
        folder,
        ping={"ansible.builtin.ping": {}},
        info={"weaveworks.wge.wge_info": connection},
        preflight=secret,
        in_a_file={**secret, "vars": {"ansible_pipelining": False}, "when": remotely},
        became={"weaveworks.wge.wge_info": connection, "become": True, "when": locally},
        validate={"weaveworks.wge.wge_validate": {}, "when": remotely},
        report={"weaveworks.wge.wge_report": {"run": "none"}, "when": remotely},
        unarchived={"weaveworks.wge.wge_upgrade": {**install, "state": "prepared"}, "when": remotely},
        exported={**_export(lab, cluster, folder), "when": locally},
        prepared={**_upgrade(lab, cluster, "prepared", folder), "when": remotely},
        again=_upgrade(lab, cluster, "prepared", folder),
    )


def _climb(lab: Lab, cluster: Cluster, folder: Path, sshd: Sshd) -> Climb:
    playbook = calls(folder, climb=_upgrade(lab, cluster, "parked", folder))
    watched = Watched(lab, playbook, {REMOTE: sshd.variables()})
    api = cluster.api()
    wait_until("the lock of the climb", lambda: api.find(LEASE), 120)
    began = time.monotonic()
    os.kill(watched.pid, signal.SIGKILL)
    watched.ended()
    time.sleep(1)
    alive = bool(sshd.processes())
    left = {**system.lingering(sshd.mark, seconds=90), **watched.left_processes()}
    return Climb(alive, journal_states(cluster), left, [*sshd.left_files(), *watched.left_files()], time.monotonic() - began)
