# SPDX-License-Identifier: GPL-3.0-or-later
"""Git is asked what it should say, and told so, as a user does it: by wge_git_changes, a push, and Flux."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml
from testbed import Cluster
from testbed.flux import forms
from testbed.flux.git import AUTHOR, BRANCH, Repository
from testbed.flux.runtime import GIT_REPOSITORY, KUSTOMIZATION

from .lab import NAMESPACE

APPLIER = KUSTOMIZATION.path((NAMESPACE, NAMESPACE))
SOURCE = GIT_REPOSITORY.path((NAMESPACE, NAMESPACE))
OURS = "wge"
"""The branch that is made."""
ASK_GIT: list[dict[str, Any]] = [
    {
        "hosts": "fleet",
        "gather_facts": False,
        "tasks": [
            {
                "name": "See where the clusters stand",
                "weaveworks.wge.wge_info": {"kubeconfig": "{{ wge_kubeconfig }}", "cluster_uid": "{{ wge_cluster_uid }}"},
                "register": "found",
            },
            {
                "name": "Say whose answer it is",
                "ansible.builtin.set_fact": {"answer": "{{ found | combine({'host': inventory_hostname}) }}"},
            },
            {
                "name": "Make the change",
                "weaveworks.wge.wge_git_changes": {
                    "checkout": "{{ checkout }}",
                    "branch": OURS,
                    "patch_dir": "{{ checkout }}-patches",
                    "clusters": "{{ ansible_play_hosts | map('extract', hostvars, 'answer') }}",
                },
                "delegate_to": "localhost",
                "run_once": True,
                "register": "made",
            },
            {
                "name": "Keep what was made",
                "ansible.builtin.copy": {
                    "content": "{{ {'made': made, 'debts': ansible_play_hosts | map('extract', hostvars, ['answer', 'git'])} | to_json }}",
                    "dest": "{{ checkout }}.json",
                    "mode": "0600",
                },
                "delegate_to": "localhost",
                "run_once": True,
            },
        ],
    }
]
"""A playbook that is told ``checkout``."""


def clone(git: Repository, checkout: Path) -> None:
    """A new checkout in which one may commit, and beside it the playbook that asks."""
    _git("clone", "--quiet", str(git.path), str(checkout))
    for option, value in (word.split("=") for word in AUTHOR if "=" in word):
        _git("-C", str(checkout), "config", option, value)


def playbook(folder: Path) -> Path:
    """What makes the change."""
    path = folder / "ask-git.yml"
    path.write_text(yaml.safe_dump(ASK_GIT), encoding="utf-8")
    return path


def answer(checkout: Path) -> dict[str, Any]:
    """What the playbook kept: what it made, and the debt of each cluster."""
    return dict(json.loads(checkout.with_suffix(".json").read_text(encoding="utf-8")))


def merge(checkout: Path, *clusters: Cluster) -> None:
    """Put the branch into git, and let Flux apply it."""
    _git("-C", str(checkout), "push", "--quiet", "origin", f"{OURS}:{BRANCH}")
    for cluster in clusters:
        reconcile(cluster)


def reconcile(cluster: Cluster) -> None:
    """The source, then what applies it."""
    api = cluster.api()
    for path in (SOURCE, APPLIER):
        forms.reconcile(api, path)
    api.close()


def _git(*words: str) -> None:
    subprocess.run(["git", *words], check=True)
