# SPDX-License-Identifier: GPL-3.0-or-later
"""What an archive holds of a cluster: all that WG is, what leads to it, who may use it, and what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive import scope
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.box import Box
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.scope import INSTALL, Collector
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Interrupted, Unreachable
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.archive.pieces import collected, lived_in_with_secrets
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, RBAC, secret, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

FLUX = "kustomize.toolkit.fluxcd.io/v1"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return lived_in_with_secrets(tmp_path)


def names(box: Box, kind: str) -> set[str]:
    return {path.rsplit("/", 1)[1] for known in box.kinds() if known.kind == kind for path in box.paths(known)}


def flux(world: World, name: str = "apps", place: str = "team", **spec: Any) -> None:
    """A Kustomization of Flux, which is served from now on."""
    if FLUX not in world.cluster.served:
        world.cluster.served.append(FLUX)
    world.cluster.put(thing(FLUX, "Kustomization", name, place, spec=spec))


def test_all_revisions_of_the_release_are_there_as_helm_wrote_them(world: World) -> None:
    box = collected(world)
    assert {"sh.helm.release.v1.ww-gitops.v6", "sh.helm.release.v1.ww-gitops.v7"} <= names(box, "Secret")
    stored = {path.rsplit("/", 1)[1]: item for kind in box.kinds() if kind.kind == "Secret" for path, item in box.objects(kind)}
    live = world.cluster.one("Secret", "sh.helm.release.v1.ww-gitops.v7")
    assert stored["sh.helm.release.v1.ww-gitops.v7"] == live


@pytest.mark.parametrize("wanted", [INSTALL, scope.EVERYTHING])
def test_the_releases_objects_and_what_leads_to_them_are_there(world: World, wanted: str) -> None:
    world.cluster.put(thing("networking.k8s.io/v1", "NetworkPolicy", "by-hand", NAMESPACE, spec={"podSelector": {}}))
    backend = {"service": {"name": "by-hand", "port": {"number": 80}}}
    world.cluster.put(
        thing("networking.k8s.io/v1", "Ingress", "edge", NAMESPACE, spec={"defaultBackend": backend, "tls": [{"secretName": "cert"}]})
    )
    world.cluster.put(thing("networking.k8s.io/v1", "Ingress", "other", NAMESPACE, spec={"defaultBackend": {"service": {"name": "x"}}}))
    world.cluster.put(secret("cert", {"tls.key": "x"}))
    box = collected(world, wanted)
    assert names(box, "Service") >= {"ww-gitops-weave-gitops", "by-hand", "metrics"}
    assert names(box, "Deployment") == {"ww-gitops-weave-gitops"}
    assert names(box, "Ingress") == {"edge", "ww-gitops-weave-gitops"}
    assert "by-hand" in names(box, "NetworkPolicy")
    assert {"cert", "cluster-user-auth", "oidc-auth"} <= names(box, "Secret")
    assert names(box, "ClusterRoleBinding")


def test_what_people_added_is_in_the_objects(world: World) -> None:
    service = world.cluster.one("Service", "by-hand")
    service["metadata"]["labels"] = {"team": "platform"}
    service["metadata"]["annotations"] = {"external-dns": "yes"}
    box = collected(world)
    items = {path.rsplit("/", 1)[1]: item for kind in box.kinds() if kind.kind == "Service" for path, item in box.objects(kind)}
    assert items["by-hand"]["metadata"]["labels"] == {"team": "platform"}
    assert items["by-hand"]["metadata"]["annotations"] == {"external-dns": "yes"}


def test_what_wgs_pods_and_command_line_name_is_there(world: World) -> None:
    pod = world.cluster.one("Deployment", "ww-gitops-weave-gitops")["spec"]["template"]["spec"]
    pod["imagePullSecrets"] = [{"name": "pull"}]
    pod["volumes"] = [{"name": "ca", "configMap": {"name": "ca"}}, {"name": "tls", "secret": {"secretName": "tls"}}]
    pod["containers"][0]["envFrom"] = [{"secretRef": {"name": "extra"}}]
    pod["containers"][0].setdefault("args", []).append("--oidc-secret-name=sso")
    for name in ("pull", "tls", "extra", "sso", "foreign"):
        world.cluster.put(secret(name, {"a": "b"}))
    world.cluster.put(thing("v1", "ConfigMap", "ca", NAMESPACE, data={}))
    box = collected(world, INSTALL)
    assert {"pull", "tls", "extra", "sso"} <= names(box, "Secret")
    assert "foreign" not in names(box, "Secret")
    assert names(box, "ConfigMap") == {"ca"}


def test_what_flux_is_shown_with_is_there_and_the_secrets_it_names(world: World) -> None:
    flux(world, decryption={"secretRef": {"name": "age"}}, postBuild={"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]})
    flux(world, "more", kubeConfig={"secretRef": {"name": "remote"}}, values={"secretRef": {"name": "text-of-others"}})
    for name in ("age", "remote", "text-of-others"):
        world.cluster.put(secret(name, {"a": "b"}, "team"))
    world.cluster.put(thing("v1", "ConfigMap", "vars", "team", data={}))
    box = collected(world)
    assert names(box, "Kustomization") == {"apps", "more"}
    assert {"age", "remote"} <= names(box, "Secret")
    assert "text-of-others" not in names(box, "Secret")
    assert "vars" in names(box, "ConfigMap")
    assert not names(collected(world, INSTALL), "Kustomization")


def test_many_secrets_of_one_namespace_are_listed_and_the_others_let_go(world: World) -> None:
    for number in range(scope.MANY + 5):
        flux(world, f"a{number}", decryption={"secretRef": {"name": f"key{number}"}})
        world.cluster.put(secret(f"key{number}", {"a": "b"}, "team"))
    world.cluster.put(secret("foreign", {"a": "b"}, "team"))
    token = secret("key0", {"a": "b"}, "team")
    world.cluster.put({**token, "type": "kubernetes.io/service-account-token"})
    box = collected(world)
    assert len({name for name in names(box, "Secret") if name.startswith("key")}) == scope.MANY + 4
    assert "foreign" not in names(box, "Secret")
    assert ("list", "/api/v1/namespaces/team/secrets") in world.cluster.requests
    assert not [path for verb, path in world.cluster.requests if verb == "get" and "/team/secrets/" in path]


def test_who_may_use_wg_is_there_with_the_role(world: World) -> None:
    role = {"kind": "ClusterRole", "name": "readers", "apiGroup": "rbac.authorization.k8s.io"}
    ours = next(item for item in world.cluster.all("ClusterRoleBinding") if item.get("subjects"))["subjects"]
    world.cluster.put(thing(RBAC, "ClusterRole", "readers", rules=[]))
    world.cluster.put(thing(RBAC, "RoleBinding", "people", "team", roleRef=role, subjects=ours))
    world.cluster.put(thing(RBAC, "RoleBinding", "strangers", "team", roleRef=role, subjects=[{"kind": "User", "name": "nobody"}]))
    box = collected(world)
    assert "people" in names(box, "RoleBinding")
    assert "strangers" not in names(box, "RoleBinding")
    assert "readers" in names(box, "ClusterRole")


def test_a_foreign_route_that_names_a_service_of_wg_is_there(world: World) -> None:
    version = "security.istio.io/v1beta1"
    world.cluster.served.append(version)
    for name, host in (("here", "ww-gitops-weave-gitops.flux-system"), ("there", "other")):
        world.cluster.put(thing(version, "RequestAuthentication", name, "team", spec={"host": host}))
    box = collected(world, routes=((version, "RequestAuthentication"), ("gone/v1", "Route")))
    assert names(box, "RequestAuthentication") == {"here"}


def test_what_a_run_of_ours_remembers_is_left_out(world: World) -> None:
    world.climb()
    box = collected(world)
    assert not {name for name in names(box, "Secret") if name.startswith("wge-journal")}
    assert not names(box, "Lease")
    owners = [item["metadata"]["labels"].get("owner") for _path, item in secrets_in(box)]
    assert "wge-parked" in owners
    assert "wge-tombstone" not in owners


def secrets_in(box: Box) -> list[tuple[str, Object]]:
    return [row for kind in box.kinds() if kind.kind == "Secret" for row in box.objects(kind) if row[1]["metadata"].get("labels")]


def test_nothing_is_written_and_no_secret_is_listed_without_a_name(world: World) -> None:
    collected(world)
    assert {verb for verb, _path in world.cluster.requests} <= {"get", "list"}
    assert not [path for verb, path in world.cluster.requests if verb == "list" and path.endswith("/secrets")]


def test_a_read_that_fails_ends_the_export(world: World) -> None:
    flux(world)
    now = world.look()

    def fail(verb: str, path: str) -> None:
        if verb == "list" and path.endswith("/kustomizations"):
            raise Unreachable("No answer.")

    world.cluster.before = fail
    with pytest.raises(Unreachable):
        Collector(world.cluster, now.snapshot).collect(scope.EVERYTHING)


def test_somebody_who_wants_to_stop_is_heard_before_each_list(world: World) -> None:
    def stop() -> None:
        raise Interrupted("Stopped.")

    with pytest.raises(Interrupted):
        Collector(world.cluster, world.look().snapshot, tick=stop).collect(scope.EVERYTHING)
