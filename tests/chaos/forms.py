# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms in which WG is installed, as far as the matrix knows them: how WG gets there, what a call is told, what a clean slate is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from integration.lab import NAMESPACE, ROOT, WG_SERVICE, Lab
from testbed import Cluster, legacy, wait_until, workloads
from testbed.flux import forms, repository
from testbed.flux.runtime import GIT_REPOSITORY, HELM_CHART, HELM_RELEASE, HELM_REPOSITORY, KUSTOMIZATION

Options = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """One form. ``way`` is the test bed's name of it."""

    letter: str
    way: str
    install: Callable[[Cluster], object]
    options: Callable[[Lab], Options] = lambda _lab: {}
    """What a call is told beside what every call is told."""
    namespace: str = NAMESPACE
    service: str = WG_SERVICE
    prepare: Callable[[Cluster], object] = lambda _cluster: None
    """What a cluster needs beside WG."""
    withdraw: Callable[[Cluster], object] = lambda _cluster: None
    """Whoever would put back what is taken away leaves first."""
    with_others: bool = False
    """Whether what is beside the matrix is tried on it: what that shows does not depend on the form."""
    owes_git: bool = False
    """Whether git must say what the cluster is before WG may be removed."""

    @property
    def by_flux(self) -> bool:
        """Whether Flux keeps WG's release."""
        return self.options is _by_flux

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Where objects of both products lie."""
        return tuple(dict.fromkeys((self.namespace, NAMESPACE)))

    def clusters(self, number: int) -> list[str]:
        """Names of that many clusters; several forms may share a bed."""
        middle = "" if self.letter == "A" else self.letter.lower()
        return [f"k{middle}{one}" for one in range(1, number + 1)]


def _by_flux(_lab: Lab) -> Options:
    chart = yaml.safe_load((ROOT / "tests/testbed/charts/mccp/Chart.yaml").read_text(encoding="utf-8"))
    return {"chart_repository": repository.CHARTS_URL, "chart_version": str(chart["version"])}


def _with_login(lab: Lab) -> Options:
    login = {"username": workloads.USER, "password_hash": workloads.PASSWORD_HASH}
    return {"entitlement": lab.bed.paths.entitlement.read_text(encoding="ascii"), "login_secret": login}


def _without_flux_objects(cluster: Cluster) -> None:
    """The outermost owner first; the controllers take away what they made, and each its finalizer."""
    api = cluster.api()
    for kind in (KUSTOMIZATION, HELM_RELEASE, HELM_CHART, HELM_REPOSITORY, GIT_REPOSITORY):
        collection = kind.path((NAMESPACE, "")).rstrip("/")
        found = (api.find(collection) or {"items": []})["items"]
        for item in found:
            api.delete(f"{collection}/{item['metadata']['name']}")
        if found:
            wait_until(f"no {kind.name} on {cluster.name}", lambda path=collection: not api.get(path)["items"], 60)  # type: ignore[misc]
    api.close()


def _with_place_for_entitlements(cluster: Cluster) -> None:
    """Where WGE looks for its entitlement; a WG of before its chart lives elsewhere."""
    api = cluster.api()
    if api.find(f"/api/v1/namespaces/{NAMESPACE}") is None:
        api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        wait_until("its own account", lambda: api.find(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default") is not None, 30)
    api.close()


FORMS: dict[str, Form] = {
    form.letter: form
    for form in (
        Form("A", "helm", workloads.install_wg, with_others=True),
        Form("B", "helmrelease", forms.by_helm_release, _by_flux, withdraw=_without_flux_objects),
        Form("C", "kustomization", forms.by_kustomization, _by_flux, withdraw=_without_flux_objects, owes_git=True),
        Form(
            "D",
            "wego-app",
            legacy.by_hand,
            _with_login,
            namespace=legacy.NAMESPACE,
            service=legacy.NAME,
            prepare=_with_place_for_entitlements,
        ),
    )
}


def named(letters: str) -> Sequence[Form]:
    """The forms of these letters, with commas between. ValueError names one that is none."""
    wanted = [letter.strip().upper() for letter in letters.split(",") if letter.strip()]
    if unknown := [letter for letter in wanted if letter not in FORMS]:
        raise ValueError(f"no form is called {', '.join(unknown)}: there are {', '.join(FORMS)}")
    return [FORMS[letter] for letter in wanted]
