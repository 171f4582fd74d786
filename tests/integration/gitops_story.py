# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster whose WG comes out of git: the runs on it by name, and what there was after each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed import Cluster
from testbed.flux import forms
from testbed.flux.git import Repository
from testbed.flux.runtime import HELM_RELEASE

from . import evidence, gitwork
from .lab import NAMESPACE, UPGRADER, WG_SERVICE, Lab, Run, Variables

WG_PATH = forms.RELEASE_PATH
WGE_PATH = HELM_RELEASE.path((NAMESPACE, "weave-gitops-enterprise"))
SERVICE_PATH = f"/api/v1/namespaces/{NAMESPACE}/services/{WG_SERVICE}"


@dataclass
class Story:
    """All runs on the cluster, by name, and what was seen after them."""

    lab: Lab
    cluster: Cluster
    git: Repository
    services: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    writes: dict[str, list[str]] = field(default_factory=dict)
    shots: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def play(self, name: str, playbook: str | Path, *words: str, **variables: Any) -> Run:
        """One playbook on the cluster, and what was there after it."""
        began = time.time()
        run = self.runs[name] = self.lab.run(playbook, {self.cluster.name: {**self.host, **variables}}, *words)
        time.sleep(0.5)  # the audit log is written after the answer
        self.writes[name] = [evidence.told(call) for call in evidence.calls(self.cluster, began, UPGRADER) if call.write]
        self.shoot(name)
        return run

    def ask_git(self, name: str) -> Path:
        """A new checkout, and what wge_git_changes makes of it."""
        checkout = self.lab.root / f"{self.cluster.name}-{name}"
        gitwork.clone(self.git, checkout)
        self.play(name, gitwork.playbook(self.lab.root), checkout=str(checkout))
        found = gitwork.answer(checkout)
        self.answers[name] = {"made": found["made"], "debt": found["debts"][0]}
        return checkout

    def merge(self, checkout: Path, name: str) -> None:
        """Put the branch into git, and let Flux apply it."""
        gitwork.merge(checkout, self.cluster)
        self.shoot(name)

    def reconcile(self) -> None:
        """The source, then what applies it."""
        gitwork.reconcile(self.cluster)

    def shoot(self, name: str) -> None:
        """What must not change by anybody's hand but ours: by path, None for what is not there."""
        api = self.cluster.api()
        self.shots[name] = {path: _steady(api.find(path)) for path in (WG_PATH, WGE_PATH, SERVICE_PATH)}
        self.shots[name]["applier"] = api.get(gitwork.APPLIER)
        api.close()

    @property
    def host(self) -> Variables:
        """What an inventory says of such a cluster."""
        return self.lab.host(self.cluster)


def _steady(item: dict[str, Any] | None) -> tuple[Any, Any, Any] | None:
    return (item["metadata"]["uid"], item["metadata"].get("generation"), item["spec"]) if item else None
