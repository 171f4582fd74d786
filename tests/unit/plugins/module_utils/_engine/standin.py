# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster made of a dict: fulfils model.Cluster and answers as a real API server does (docs/facts.md, 7a to 7d).

After every write the functions in ``after_write`` run, so controllers can be played (standin_controllers.py). ``before`` is
called ahead of every request with its verb and path, and may raise: that is how tests lose answers or kill a run.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms import flux_api
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer, Counters, Object, Operation
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import CLUSTER_SCOPED, NAMESPACED
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Conflict, Rejected

UID = "00000000-0000-0000-0000-00000000c1a0"
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=timezone.utc)
SERVED = (
    "admissionregistration.k8s.io/v1",
    "apiextensions.k8s.io/v1",
    "apps/v1",
    "authorization.k8s.io/v1",
    "autoscaling/v2",
    "batch/v1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "networking.k8s.io/v1",
    "policy/v1",
    "rbac.authorization.k8s.io/v1",
)
ALL_RIGHTS: list[Object] = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
WITHOUT_GENERATION = ("Secret", "Service", "ConfigMap", "ServiceAccount", "Namespace", "Lease")
FLUX = {kind: (f"{group}/{versions[0]}", plural) for kind, (group, plural, versions) in flux_api.KINDS.items()}
PLACES = {**NAMESPACED, **CLUSTER_SCOPED, **FLUX}
KINDS = {plural: (version, kind) for kind, (version, plural) in PLACES.items()}
READS = ("get", "list", "raw")


def copied(item: Any) -> Any:
    """A deep copy of what JSON can hold, ten times as fast as ``copy.deepcopy``: the tests make a million of them."""
    return marshal.loads(marshal.dumps(item))


class StandInCluster:
    """One API server. ``objects`` holds what is stored by REST path, ``requests`` every request as ``(verb, path)``."""

    def __init__(self, *, version: str = "v1.33.13", served: Sequence[str] = SERVED, uid: str = UID) -> None:
        self.objects: dict[str, Object] = {}
        self.requests: list[tuple[str, str]] = []
        self.rules: list[Object] = ALL_RIGHTS
        self.rules_in: dict[str, list[Object]] = {}
        self.incomplete = False
        self.allowed: Callable[[Object], bool] = lambda _attributes: False
        self.user = "upgrader"
        self.answer: Callable[[str], Answer] = lambda _path: Answer(404, {}, b"")
        self.ready = Answer(200, {}, b"ok")
        self.before: Callable[[str, str], None] = lambda _verb, _path: None
        self.after_write: list[Callable[[], None]] = []
        self.server_time: datetime | None = NOW
        self.latencies: list[float] = []
        self.version = version
        self.served = list(served)
        self._count = 0
        self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": uid}})

    # What tests do by hand: no request, no controller.

    def put(self, item: Object) -> Object:
        """Store an object as it is, with a uid and a version when it has none."""
        stored = copied(item)
        meta = stored.setdefault("metadata", {})
        self._count += 1
        meta.setdefault("uid", f"uid-{self._count}")
        meta["resourceVersion"] = str(self._count)
        if stored["kind"] not in WITHOUT_GENERATION:
            meta.setdefault("generation", 1)
        self.objects[path_of(stored)] = stored
        return stored

    def one(self, kind: str, name: str) -> Object:
        """The stored object itself, to be looked at or changed."""
        return next(item for item in self.objects.values() if (item["kind"], item["metadata"]["name"]) == (kind, name))

    def all(self, kind: str) -> list[Object]:
        """The stored objects of a kind."""
        return [item for item in self.objects.values() if item["kind"] == kind]

    def remove(self, kind: str, name: str) -> None:
        """Forget an object."""
        self.objects.pop(path_of(self.one(kind, name)), None)

    def count(self, *verbs: str) -> int:
        """How many requests with these verbs came."""
        return sum(verb in verbs for verb, _path in self.requests)

    # model.Cluster

    @property
    def counters(self) -> Counters:
        writes = self.count("create", "patch", "delete")
        return Counters(self.count(*READS), writes, self.count("review"), self.count("dry-run"))

    def get(self, path: str) -> Object | None:
        self._begin("get", path)
        if path == "/version":
            return {"gitVersion": self.version}
        if path == "/apis":
            return {"groups": _groups(self.served)}
        if (version := path.removeprefix("/apis/").removeprefix("/api/")) in ("v1", *self.served):
            return {"resources": _resources(version)}
        return copied(self.objects.get(unquote(path)))

    def list(
        self, path: str, *, labels: str = "", fields: str = "", metadata_only: bool = False, keep: Callable[[Object], Object] | None = None
    ) -> list[Object]:
        self._begin("list", path)
        wanted = re.compile(re.escape(path.rsplit("/", 1)[0]) + r"(/namespaces/[^/]+)?/" + path.rsplit("/", 1)[1] + r"/[^/]+")
        found = [item for where, item in self.objects.items() if wanted.fullmatch(where) and _is_selected(item, labels, fields)]
        return [(keep or dict)(_metadata_of(item) if metadata_only else copied(item)) for item in found]

    def create(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        self._begin("dry-run" if dry_run else "create", path)
        stored = copied(body)
        if stem := stored["metadata"].get("generateName"):
            stored["metadata"].setdefault("name", f"{stem}x")
        if (namespace := _namespace_in(path)) and stored["kind"] in NAMESPACED:
            stored["metadata"].setdefault("namespace", namespace)
        if path_of(stored) in self.objects:
            raise Conflict(f"{path_of(stored)} exists.", reason="AlreadyExists")
        if dry_run:
            return stored
        stored["metadata"].pop("uid", None)
        made = copied(self.put(stored))
        self._written()
        return made

    def patch(self, path: str, operations: Sequence[Operation], *, dry_run: bool = False) -> Object:
        self._begin("dry-run" if dry_run else "patch", path)
        live = self.objects.get(unquote(path))
        if live is None:
            raise Rejected(f"{path} is not there.")
        changed = patched(live, operations)
        if dry_run or changed == live:
            return changed
        if changed.get("spec") != live.get("spec") and "generation" in live["metadata"]:
            changed["metadata"]["generation"] += 1
        made = copied(self.put(changed))
        self._written()
        return made

    def delete(self, path: str, *, uid: str, resource_version: str = "") -> None:
        self._begin("delete", path)
        live = self.objects.get(unquote(path))
        if live is None:
            return
        meta = live["metadata"]
        if uid not in ("", meta["uid"]) or resource_version not in ("", meta["resourceVersion"]):
            raise Conflict(f"A precondition of the delete of {path} does not hold.", reason="Conflict")
        if meta.get("finalizers"):
            meta["deletionTimestamp"] = NOW.isoformat()
        else:
            del self.objects[unquote(path)]
        self._written()

    def review(self, path: str, body: Object) -> Object:
        self._begin("review", path)
        if path.endswith("selfsubjectreviews"):
            return {"status": {"userInfo": {"username": self.user, "groups": ["system:authenticated"]}}}
        if path.endswith("selfsubjectrulesreviews"):
            rules = self.rules_in.get(body["spec"]["namespace"], self.rules)
            return {"status": {"resourceRules": copied(rules), "incomplete": self.incomplete}}
        return {"status": {"allowed": self.allowed(body["spec"]["resourceAttributes"])}}

    def raw(self, path: str) -> Answer:
        self._begin("raw", path)
        return self.ready if path == "/readyz" else self.answer(path)

    def _begin(self, verb: str, path: str) -> None:
        self.before(verb, path)
        self.requests.append((verb, path))
        if verb in READS:
            self.latencies.append(0.01)

    def _written(self) -> None:
        for function in self.after_write:
            function()


def path_of(item: Object) -> str:
    """The REST path of an object, names unquoted."""
    if item["kind"] in flux_api.KINDS:
        return flux_api.path_of(item)
    version, plural = PLACES[item["kind"]]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = item["metadata"].get("namespace")
    return f"{root}{f'/namespaces/{namespace}' if namespace else ''}/{plural}/{item['metadata']['name']}"


def patched(live: Object, operations: Sequence[Operation]) -> Object:
    """A copy of an object after a JSON Patch, with the API server's own ways; raises Conflict as it answers 422 or 409."""
    result = copied(live)
    for operation in operations:
        if operation["path"] == "/metadata/resourceVersion" and operation["op"] == "replace":
            if operation["value"] != live["metadata"]["resourceVersion"]:
                raise Conflict("The object has been modified.", reason="Conflict")
            continue
        _apply(result, operation)
    for key in ("labels", "annotations"):  # an empty map is not stored
        if result["metadata"].get(key) == {}:
            del result["metadata"][key]
    return result


def _apply(item: Any, operation: Operation) -> None:
    *way, last = [token.replace("~1", "/").replace("~0", "~") for token in operation["path"].split("/")[1:]]
    refused = Conflict("The server rejected our request due to an error in our request.", reason="Invalid")
    for token in way:
        if isinstance(item, list) and token.isdigit() and int(token) < len(item):
            item = item[int(token)]
        elif isinstance(item, dict) and token in item:
            item = item[token]
        else:
            raise refused
    key: Any = last
    if isinstance(item, list):
        key = len(item) if last == "-" else int(last)
    there = key < len(item) if isinstance(item, list) else isinstance(item, dict) and key in item
    _operate(item, key, there, operation, refused)


def _operate(item: Any, key: Any, there: bool, operation: Operation, refused: Conflict) -> None:
    verb, value = operation["op"], copied(operation.get("value"))
    if verb == "test":
        if (item[key] if there else None) != value or not isinstance(item, (dict, list)):
            raise refused
    elif verb == "add" and isinstance(item, list):
        item.insert(key, value)
    elif (verb == "remove" or isinstance(item, list)) and not there:
        raise refused
    elif verb == "remove":
        del item[key]
    elif not isinstance(item, (dict, list)):
        raise refused
    else:
        item[key] = value


def _groups(served: Sequence[str]) -> list[Object]:
    groups: dict[str, list[Object]] = {}
    for version in served:
        groups.setdefault(version.split("/")[0], []).append({"groupVersion": version})
    return [{"name": name, "versions": versions} for name, versions in groups.items()]


def _resources(version: str) -> list[Object]:
    return [
        {"name": plural, "kind": kind, "namespaced": kind not in CLUSTER_SCOPED, "verbs": ["get", "list"]}
        for kind, (where, plural) in PLACES.items()
        if where == version
    ]


def _namespace_in(path: str) -> str:
    found = re.search(r"/namespaces/([^/]+)/", path)
    return found[1] if found else ""


def _metadata_of(item: Object) -> Object:
    return {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": copied(item["metadata"])}


def _is_selected(item: Object, labels: str, fields: str) -> bool:
    have = item["metadata"].get("labels") or {}
    terms = re.split(r",(?![^(]*\))", labels) if labels else []
    chosen = fields.split(",") if fields else []
    return all(_term_holds(term.strip(), have) for term in terms) and all(_field_holds(term, item) for term in chosen)


def _term_holds(term: str, have: dict[str, str]) -> bool:
    listed = re.fullmatch(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)", term)
    if listed:
        inside = have.get(listed[1]) in [value.strip() for value in listed[3].split(",")]
        return inside if listed[2] == "in" else not inside
    if "=" not in term:
        return term[1:] not in have if term.startswith("!") else term in have
    key, _, value = term.replace("==", "=").partition("=")
    return have.get(key[:-1]) != value if key.endswith("!") else have.get(key) == value


def _field_holds(term: str, item: Object) -> bool:
    path, _, value = term.partition("=")
    found: Any = item
    for key in path.removesuffix("!").split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return bool(found != value if path.endswith("!") else found == value)
