# SPDX-License-Identifier: GPL-3.0-or-later
"""EN-07 and EN-08."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.credentials import not_in_clear, vendor_login
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Judged
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, secret, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import TOKEN
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

NAME = "weave-gitops-enterprise-credentials"
PLACE = f"Secret {NAME} in namespace flux-system"
CHART = "oci://registry/mccp"
LABELS = {"kustomize.toolkit.fluxcd.io/name": "secrets", "kustomize.toolkit.fluxcd.io/namespace": NAMESPACE}


def login(world: World, **data: str) -> Judged:
    world.set(chart=CHART)
    world.cluster.put(secret(NAME, {"entitlement": TOKEN, **data}))
    return vendor_login(world.evidence())


def clear(world: World, **metadata: object) -> Judged:
    item = secret(NAME, {"entitlement": TOKEN})
    item["metadata"].update(metadata)
    world.cluster.put(item)
    return not_in_clear(world.evidence())


def test_a_chart_without_an_address_needs_no_login(world: World) -> None:
    assert vendor_login(world.evidence()).status == "skip"


def test_a_chart_that_helm_could_fetch_passes_with_what_flux_would_have(world: World) -> None:
    found = login(world, username="canary-user", password="canary-password")
    assert (found.status, found.evidence) == (
        "pass",
        f"helm could fetch {CHART}. {PLACE} has a username and a password for Flux, which does not deliver WGE here.",
    )
    assert "canary" not in str(found)
    assert "no username and no password" in login(world).evidence


@pytest.mark.parametrize(("key", "words"), [("username", "a username and no password"), ("password", "a password and no username")])
def test_half_a_login_is_warned_of(world: World, key: str, words: str) -> None:
    found = login(world, **{key: "canary"})
    assert (found.status, found.evidence) == ("warn", f"helm could fetch {CHART}; but {PLACE} has {words}.")
    assert found.remedy.startswith("Give both or neither")


def test_an_entitlement_that_is_not_stored_yet_is_skipped(world: World) -> None:
    assert not_in_clear(world.evidence()).status == "skip"


def test_an_entitlement_without_marks_passes(world: World) -> None:
    found = clear(world)
    assert (found.status, found.evidence) == ("pass", f"{PLACE} shows no sign of having come from git.")


def test_a_second_copy_in_an_annotation_is_warned_of_and_not_shown(world: World) -> None:
    copy = f'{{"data": {{"entitlement": "{TOKEN}"}}}}'
    found = clear(world, annotations={"kubectl.kubernetes.io/last-applied-configuration": copy})
    assert (found.status, found.evidence) == (
        "warn",
        f"{PLACE} holds its content a second time, in the annotation that kubectl apply leaves.",
    )
    assert TOKEN not in str(found)
    assert found.remedy.startswith(f"Take it away: kubectl annotate secret -n flux-system {NAME}")


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"ownerReferences": [{"kind": "ExternalSecret", "name": "x"}]}, "External Secrets"),
        ({"ownerReferences": [{"kind": "SealedSecret", "name": "x"}]}, "Sealed Secrets"),
        ({"labels": {**LABELS, "reconcile.external-secrets.io/managed": "true"}}, "External Secrets"),
    ],
)
def test_a_secret_that_an_operator_makes_passes(world: World, metadata: dict[str, object], words: str) -> None:
    found = clear(world, **metadata)
    assert (found.status, found.evidence) == ("pass", f"{PLACE} is made by {words}.")


def test_a_secret_from_git_that_nothing_decrypts_is_warned_of(world: World) -> None:
    world.cluster.put(thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "secrets", NAMESPACE, spec={}))
    found = clear(world, labels=LABELS)
    assert (found.status, found.evidence) == (
        "warn",
        f"{PLACE} comes from git through the Flux Kustomization secrets, which decrypts nothing: it may lie there in the clear.",
    )


def test_a_secret_from_git_that_is_decrypted_passes(world: World) -> None:
    spec = {"decryption": {"provider": "sops"}}
    world.cluster.put(thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "secrets", NAMESPACE, spec=spec))
    assert clear(world, labels=LABELS).evidence.endswith("Kustomization secrets, which decrypts with sops.")
