# SPDX-License-Identifier: GPL-3.0-or-later
"""Git is made to say what the cluster is, as a user does it: by wge_git_changes, a push, and Flux. Form C is not finalised without."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import yaml
from integration.gitwork import APPLIER, ASK_GIT, SOURCE
from testbed import Cluster
from testbed.flux import forms
from testbed.flux.git import AUTHOR, BRANCH, Repository

_ONE_AT_A_TIME = threading.Lock()
"""Clusters share the repository."""


def is_paid(git: Repository, cluster: Cluster) -> bool:
    """Whether git holds WGE for this cluster."""
    return any(path.endswith("weave-gitops-enterprise.yaml") for path in _files(git, cluster))


def playbook(folder: Path) -> Path:
    """What makes the change, told ``checkout``."""
    path = folder / "ask-git.yml"
    path.write_text(yaml.safe_dump(ASK_GIT), encoding="utf-8")
    return path


def clone(git: Repository, checkout: Path) -> None:
    """A new checkout in which one may commit."""
    _git("clone", "--quiet", str(git.path), str(checkout))
    for option, value in (word.split("=") for word in AUTHOR if "=" in word):
        _git("-C", str(checkout), "config", option, value)


def merge(cluster: Cluster, checkout: Path) -> None:
    """Put the branch into git, and let Flux apply it."""
    with _ONE_AT_A_TIME:
        _git("-C", str(checkout), "checkout", "--quiet", "wge")
        _git("-C", str(checkout), "pull", "--quiet", "--rebase", "origin", BRANCH)
        _git("-C", str(checkout), "push", "--quiet", "origin", f"wge:{BRANCH}")
    api = cluster.api()
    for path in (SOURCE, APPLIER):
        forms.reconcile(api, path)
    api.close()


def forget(git: Repository, cluster: Cluster) -> None:
    """Git says nothing of this cluster any more."""
    git.commit(dict.fromkeys(_files(git, cluster)), f"Forget {cluster.name}")


def _files(git: Repository, cluster: Cluster) -> list[str]:
    return _git("-C", str(git.path), "ls-tree", "-r", "--name-only", BRANCH, f"clusters/{cluster.name}").split()


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout
