# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep everybody else off what serves, while this call watches: a ValidatingAdmissionPolicy on the kept objects. PRIVATE. S11v, S17v.

As tried on a cluster (docs/facts.md, 8a to 8e): by the names of the objects and not by resourceNames, which a delete of the
collection passes by; our own user is let through by the validations; one annotation is refused to everybody, so that a dry run of ours
shows whether the policy is in force. A namespace in which it stands cannot be deleted.
Killed: the policy stays, and the next run, upwards or back, removes it before anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._errors import Blocked, Conflict, Forbidden, Rejected
from ..journal import Journal
from ..model import Object, Rung
from ..names import GUARD_POLICY, GUARD_PROBE, LOGIN_SECRET, OIDC_SECRET
from ..objects import CLUSTER_SCOPED, name_of, object_path, path_of, uid_of
from ..patches import set_keys
from ..situation import Situation
from ..work import Work
from ..writes import Write, create, delete
from .base import Step
from .owners import backends_of
from .switch import Soak

WATCH, POLICY, OFF = "watch", "policy", "off"
KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
IN_FORCE_SECONDS = 5
OLDEST_MINOR = 30
REFUSED = "An upgrade to Weave GitOps Enterprise is being watched (run {run}): {what} is not changed or deleted until its soak is over."
PROVEN = "The guard of the upgrade is in force."
_UNCHANGED = {
    "services": "has(object.spec.selector) && object.spec.selector == oldObject.spec.selector && oldObject.spec.ports.all(p, "
    "object.spec.ports.exists(q, q.port == p.port && q.targetPort == p.targetPort))",
    "ingresses": "object.spec == oldObject.spec",
    "secrets": "has(object.data) == has(oldObject.data) && (!has(object.data) || object.data == oldObject.data)",
}
"""What an update of each kind must leave as it is."""


class Forbid(Step):
    """S11v: everybody else is refused to change or delete what serves."""

    id = "S11v"
    title = "keep everybody else off what serves"
    rung = Rung.SOAKED

    def writes(self, now: Situation) -> list[Write]:
        """The policy and its binding, as long as there is a soak to come; the plan is the same whether a dead run has left them."""
        if now.settings.guard != POLICY or Soak().done(now):
            return []
        made = {"ValidatingAdmissionPolicy": _policy(now), "ValidatingAdmissionPolicyBinding": _binding(now)}
        return [create(item, path, f"create {kind} {_name(now)}") for (kind, item), path in zip(made.items(), _paths(now), strict=True)]

    def apply(self, work: Work) -> None:
        """Make them, and wait until a dry run of ours is refused."""
        super().apply(work)
        work.wait_until(lambda: _not_in_force(work), IN_FORCE_SECONDS, f"ValidatingAdmissionPolicy {_name(work.now)} is not in force")
        work.refresh()


class Allow(Step):
    """S17v: the soak is over, and the policy goes."""

    id = "S17v"
    title = "take the policy away again"
    rung = Rung.SOAKED
    foreseen = False

    def writes(self, now: Situation) -> list[Write]:
        """The deletes, foreseen as long as the policy is still to come."""
        live = {path: now.snapshot.named.get(path) for path in reversed(_paths(now))}
        if not any(live.values()) and (now.settings.guard != POLICY or Soak().done(now)):
            return []
        return [delete(path, uid_of(item) if item else "", f"delete {path.rsplit('/', 1)[1]}") for path, item in live.items()]

    def apply(self, work: Work) -> None:
        """Remove them, and forget them: nobody has to look for them again."""
        lift(work)
        work.save_journal()
        work.refresh()


def guarded_steps(now: Situation, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps of a climb with the policy around the flip and the soak, where one is asked for or was left by a dead run."""
    if now.settings.guard != POLICY and not journalled(now.journal):
        return tuple(steps)
    found: list[Step] = []
    for step in steps:
        found += [Forbid(), step] if step.id == "S12" else [step, Allow()] if step.id == Soak.id else [step]
    return tuple(found)


def journalled(journal: Journal | None) -> list[str]:
    """The paths of the policy and its binding that a run may have made."""
    return [entry["path"] for entry in journal.entries.get(Forbid.id, [])] if journal else []


def lift(work: Work) -> None:
    """Remove the policy of this run, the binding first; whoever made it, it would refuse another user."""
    for path in reversed(journalled(work.now.journal)):
        work.remove_ours(path)
    work.journal.entries.pop(Forbid.id, None)


def require_policy(now: Situation) -> None:
    """Raises Blocked where the cluster has no such policies, or does not say who we are."""
    if now.settings.guard != POLICY:
        return
    if now.snapshot.identity.minor < OLDEST_MINOR:
        raise Blocked(
            f"wge_guard is policy, and Kubernetes {now.snapshot.identity.version} has no ValidatingAdmissionPolicy in version v1.",
            f"Use watch, or a Kubernetes of at least 1.{OLDEST_MINOR}.",
        )
    if not now.snapshot.identity.user:
        raise Blocked("wge_guard is policy, and the API server does not say who we are, so it would refuse us too.", "Use watch.")


def _policy(now: Situation) -> Object:
    names = _names(now)
    listed = ", ".join(_text(f"{plural}/{name}") for plural, found in names.items() for name in found)
    unchanged = " || ".join(f"(request.resource.resource == {_text(plural)} && {_UNCHANGED[plural]})" for plural in names)
    ours = f"request.userInfo.username == {_text(now.snapshot.identity.user)}"
    probe = f"has(object.metadata.annotations) && {_text(GUARD_PROBE)} in object.metadata.annotations"
    refused = REFUSED.format(run=now.run, what="this object")
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": _rules(names), **_only_in(now.namespace)},
        "matchConditions": [
            {
                "name": "kept",
                "expression": f"oldObject != null && (request.resource.resource + '/' + oldObject.metadata.name) in [{listed}]",
            }
        ],
        "validations": [
            {"expression": f"request.operation == 'DELETE' || !({probe})", "message": PROVEN, "reason": "Forbidden"},
            {"expression": f"{ours} || (request.operation != 'DELETE' && ({unchanged}))", "message": refused, "reason": "Forbidden"},
        ],
    }
    return _item("ValidatingAdmissionPolicy", now, spec)


def _binding(now: Situation) -> Object:
    spec = {"policyName": _name(now), "validationActions": ["Deny"], "matchResources": _only_in(now.namespace)}
    return _item("ValidatingAdmissionPolicyBinding", now, spec)


def _item(kind: str, now: Situation, spec: dict[str, Any]) -> Object:
    version = CLUSTER_SCOPED[kind][0]
    return {"apiVersion": version, "kind": kind, "metadata": {"name": _name(now), "labels": now.labels()}, "spec": spec}


def _names(now: Situation) -> dict[str, list[str]]:
    """What serves, by the plural of its kind: the kept Services, the Ingresses that lead to them, the Secrets people log in by."""
    services = [name_of(service) for service in now.kept_services]
    routes = [name_of(item) for item in now.snapshot.of("Ingress") if set(services) & backends_of(item)]
    secrets = [name for name in (LOGIN_SECRET, OIDC_SECRET) if now.snapshot.named.get(name)]
    found = {"services": services, "ingresses": routes, "secrets": secrets}
    return {plural: sorted(names) for plural, names in found.items() if names}


def _rules(names: dict[str, list[str]]) -> list[Object]:
    core = [plural for plural in names if plural != "ingresses"]
    rule = {"apiVersions": ["v1"], "operations": ["UPDATE", "DELETE"], "scope": "Namespaced"}
    rules = [{"apiGroups": [""], "resources": core, **rule}]
    return [*rules, {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], **rule}] if "ingresses" in names else rules


def _only_in(namespace: str) -> Object:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}


def _name(now: Situation) -> str:
    return f"{GUARD_POLICY}-{now.namespace}"


def _paths(now: Situation) -> list[str]:
    return policy_paths(now.namespace)


def policy_paths(namespace: str) -> list[str]:
    """Where the policy and its binding are."""
    return [object_path(kind, f"{GUARD_POLICY}-{namespace}") for kind in KINDS]


def _text(value: str) -> str:
    """A text of CEL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _not_in_force(work: Work) -> str:
    """Why the policy does not refuse us the one thing that it refuses to everybody."""
    service = work.now.kept_services[-1]
    live = work.tools.cluster.get(path_of(service)) or service
    forth, _back = set_keys(live, "annotations", {GUARD_PROBE: work.now.run})
    try:
        work.tools.cluster.patch(path_of(service), forth, dry_run=True)
    except Forbidden as problem:
        if PROVEN.rstrip(".") in problem.what:
            return ""
        raise
    except (Conflict, Rejected):
        return "the Service is being changed"
    return "a dry run of what it refuses to everybody was let through"
