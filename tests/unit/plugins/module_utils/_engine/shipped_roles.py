# SPDX-License-Identifier: GPL-3.0-or-later
"""How the roles that are shipped in docs/rbac are written: requests to a stand-in cluster as rights, rights as a file.

Nobody keeps a list by hand: which rights belong to which role is made out of what is asked (shipped_rights.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks import binding_kinds, route_table, scraping
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.compatibility import FLUX_GROUPS
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Release, Right
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.rbac import RBAC, roles_for
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.rights import grants, of_path
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden

from .standin import SERVED, StandInCluster
from .standin_products import NAMESPACE, WG_NAME, binding, secret, thing, wge_objects
from .standin_world import World

NODE_LEASES = "kube-node-lease"
FOLDER = Path(__file__).parents[5] / "docs" / "rbac"
VERBS = ("get", "list", "create", "patch", "delete", "dry-run")


def document(name: str, title: str, note: str, rights: Iterable[Right]) -> str:
    """One file of docs/rbac."""
    rights = list(rights)
    head = f"""\
# SPDX-License-Identifier: GPL-3.0-or-later
# {title}
#
# For WG as a Helm release or HelmRelease in namespace {NAMESPACE}; another takes the place of its name. Objects have no names here: those
# of a release differ from cluster to cluster. The users in the bindings are examples: write your own.
#
{note}# Made from what is asked of a cluster, by tests/unit/plugins/module_utils/_engine/test_shipped_roles.py.
"""
    items = f"{roles_for(rights, name)}---\n{_bindings(rights, name)}".split("---\n")
    return f"{head}---\napiVersion: v1\nkind: List\nitems:\n{''.join(map(_item, items))}"


def _item(text: str) -> str:
    """One object as an entry of a list: kubectl takes it, and the file is one YAML document."""
    first, *rest = text.splitlines()
    return "\n".join([f"  - {first}", *(f"    {line}" for line in rest)]) + "\n"


def rich_world(without: str = "") -> World:
    """A cluster on which every question arises that costs a request of its own, but for one API."""
    world = World(StandInCluster(served=[api for api in (*SERVED, *_known_apis()) if api != without]))
    world.install_wg()
    service = {"namespace": "guard", "name": "guard"}
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    hook = {"name": "guard", "clientConfig": {"service": service}, "rules": [rule], "failurePolicy": "Ignore"}
    world.cluster.put(thing("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "guard", webhooks=[hook]))
    notes = world.cluster.one("Service", WG_NAME)["metadata"].setdefault("annotations", {})
    notes["cloud.google.com/backend-config"] = '{"default": "health"}'
    world.helm.render = _chart
    return world


def enforced(world: World, rights: list[Right]) -> None:
    """From here on the API server knows these rights alone."""

    def refuse(verb: str, path: str) -> None:
        if verb not in VERBS or not _is_objects(path):
            return
        right = _right(verb, path)
        if not any(grants(_rule(given), right) for given in rights if given.namespace in ("", right.namespace)):
            raise Forbidden(f"cannot {right}", "Give our user this right.")

    world.cluster.before = refuse
    world.cluster.rules = [_rule(right) for right in rights if not right.namespace]
    for place in {right.namespace for right in rights} - {""}:
        world.cluster.rules_in[place] = [*world.cluster.rules, *(_rule(right) for right in rights if right.namespace == place)]


def _chart(release: Release) -> list[Object]:
    """The chart in small, and one object of each further kind that WGE's chart can bring."""
    role = thing("rbac.authorization.k8s.io/v1", "Role", "leader-election", NAMESPACE, rules=[])
    return [*wge_objects(release), role, secret("further", {}), binding("viewing", "view", "somebody")]


def _known_apis() -> list[str]:
    kinds = [(kind.group, version) for kind in (*route_table.KINDS, *binding_kinds.KINDS) for version in kind.versions]
    kinds += [(group, version) for _kind, group, version, *_rest in binding_kinds.SCALERS]
    kinds += [(group, version) for group in FLUX_GROUPS.values() for version in ("v1", "v1beta2", "v2", "v2beta1")]
    kinds.append(("cloud.google.com", "v1"))
    scraped = [api for api, *_rest in (*scraping.SERVICE_KINDS, *scraping.POD_KINDS)]
    return sorted({f"{group}/{version}" for group, version in kinds}.union(scraped).difference(SERVED))


def made(world: World, verbs: tuple[str, ...]) -> list[Right]:
    """The rights that the requests so far took."""
    return [_right(verb, path) for verb, path in world.cluster.requests if verb in verbs and _is_objects(path)]


def _right(verb: str, path: str) -> Right:
    """A dry run takes the right of what it tries: of a create at a collection, of a patch at an object."""
    if verb == "raw":
        right = of_path("get", path)
        return replace(right, resource=f"{right.resource}/proxy")
    if verb != "dry-run":
        return of_path(verb, path)
    return of_path("patch" if of_path("get", path).name else "create", path)


def shipped(rights: Iterable[Right]) -> list[Right]:
    """Without names, but for those of Namespaces; other namespaces than WG's and the nodes' cannot be known, so those are all."""
    found = []
    for right in rights:
        place = right.namespace if right.namespace in (NAMESPACE, NODE_LEASES) else ""
        found.append(replace(right, namespace=place, name=right.name if right.resource == "namespaces" else ""))
    wide = {(right.verb, right.group, right.resource) for right in found if not right.namespace and not right.name}
    return [right for right in dict.fromkeys(found) if not _is_wider(right, wide)]


def _is_wider(right: Right, wide: set[tuple[str, str, str]]) -> bool:
    if right.resource != "*" and (right.verb, right.group, "*") in wide:
        return True
    return bool(right.namespace or right.name) and (right.verb, right.group, right.resource) in wide


def _is_objects(path: str) -> bool:
    """``/version`` and ``/readyz`` are nobody's object; whatever is asked of one itself goes through its proxy."""
    parts = path.strip("/").split("/")
    return (parts[0] == "api" and len(parts) > 2) or (parts[0] == "apis" and len(parts) > 3)


def _rule(right: Right) -> Object:
    names = [right.name] if right.name else []
    return {"verbs": [right.verb], "apiGroups": [right.group], "resources": [right.resource], "resourceNames": names}


def _bindings(rights: Iterable[Right], name: str) -> str:
    return "---\n".join(_binding(name, place) for place in sorted({right.namespace for right in rights}))


def _binding(name: str, namespace: str) -> str:
    kind = "Role" if namespace else "ClusterRole"
    place = f"  namespace: {namespace}\n" if namespace else ""
    return f"""\
apiVersion: {RBAC}/v1
kind: {kind}Binding
metadata:
  name: {name}
{place}roleRef:
  apiGroup: {RBAC}
  kind: {kind}
  name: {name}
subjects:
  - apiGroup: {RBAC}
    kind: User
    name: {name}
"""
