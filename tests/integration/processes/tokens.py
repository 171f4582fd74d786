# SPDX-License-Identifier: GPL-3.0-or-later
"""A climb with credentials that die several times on the way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed import Cluster
from witness.load import Load, Target

from integration.lab import Lab

from . import credential
from .plays import calls, results
from .watched import Watched

ACCOUNT = "short-lived"
TOLD_SECONDS = 15.0
UNTOLD_SECONDS = 8.0
CACHE_SECONDS = 10.0
"""An API server may take a token for so much longer."""

SOAK_SECONDS = UNTOLD_SECONDS + CACHE_SECONDS
"""So the second half lasts longer than any of its tokens."""


@dataclass
class Tokens:
    """What was handed out, to whom, and where it ended up."""

    answers: dict[str, dict[str, Any]]
    told: list[dict[str, str]]
    untold: list[dict[str, str]]
    text: str
    folders: list[Path]
    visitors: dict[str, Any]

    @property
    def leaks(self) -> list[str]:
        """Files and outputs that hold a token."""
        secrets = [call["token"].encode() for call in self.told + self.untold]
        texts = {str(path): path.read_bytes() for folder in self.folders for path in folder.rglob("*") if path.is_file()}
        texts["output"] = self.text.encode()
        return [name for name, content in texts.items() if any(secret in content for secret in secrets)]


def dying_tokens(lab: Lab, cluster: Cluster) -> Tokens:
    """To `rehearsed` with tokens whose end is told, on to `parked` with tokens whose end is found out."""
    kept = lab.root / "tokens"
    kept.mkdir()
    credential.make_account(cluster, ACCOUNT)
    logs = {name: kept / f"{name}.log" for name in ("told", "untold")}
    common = {
        "cluster_uid": cluster.uid,
        "chart": str(lab.bed.paths.charts / "mccp"),
        "entitlement_public_keys": lab.public_keys,
        "helm": str(lab.bed.paths.helm),
        "entry_urls": [cluster.entry_url],
        "archive_dir": str(kept / "archive"),
        "baseline_seconds": 1,
        "rehearse_seconds": 1,
        "verify_seconds": 1,
        "soak_seconds": SOAK_SECONDS,
        "quiet_seconds": 2,
    }
    told = credential.write_kubeconfig(kept / "told.kubeconfig", cluster, ACCOUNT, TOLD_SECONDS, True, logs["told"])
    untold = credential.write_kubeconfig(kept / "untold.kubeconfig", cluster, ACCOUNT, UNTOLD_SECONDS, False, logs["untold"])
    playbook = calls(
        kept,
        rehearsed={"weaveworks.wge.wge_upgrade": {**common, "kubeconfig": str(told), "state": "rehearsed"}},
        parked={"weaveworks.wge.wge_upgrade": {**common, "kubeconfig": str(untold), "state": "parked"}},
    )
    load = Load([Target("entry", cluster.entry_url)])
    load.start()
    watched = Watched(lab, playbook, {cluster.name: {}}, "-vvv")
    run = watched.ended()
    visitors = load.stop()
    handed = {name: [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] for name, log in logs.items()}
    for log in logs.values():
        log.unlink()  # the one place where tokens may be
    return Tokens(results(kept, cluster.name), handed["told"], handed["untold"], watched.text, [kept, run.folder, watched.home], visitors)
