# SPDX-License-Identifier: GPL-3.0-or-later
"""PE: may we do all that the plan says, and all that takes it back? PRIVATE.

What is asked for comes from the plan's own writes and the rendered chart; what is missing is handed out as roles to apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..guard import rights_to_watch
from ..model import Right, Rung
from ..objects import api_of
from ..plan import rights_backwards, rights_forwards
from ..rbac import roles_for
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, skipped
from .target import lists_to_read


def can_upgrade(evidence: Evidence) -> Judged:
    """PE-02. One rules review a namespace (shared with PE-03); where rules are incomplete, one access review a right."""
    return _judged(evidence, wanted_forwards(evidence), "to upgrade")


def can_roll_back(evidence: Evidence) -> Judged:
    """PE-03. As PE-02."""
    return _judged(evidence, rights_backwards(evidence.now, evidence.plan), "to take the upgrade back or to finalise it")


def wanted_forwards(evidence: Evidence) -> list[Right]:
    """The plan's rights, those of the lists that its checks read, and that of the watch beside the climb."""
    wanted = rights_forwards(evidence.now, evidence.plan)
    if any(entry.step.watched for entry in evidence.plan.planned):
        wanted.append(Right("watch", "discovery.k8s.io", "endpointslices", evidence.now.namespace))
        wanted += rights_to_watch(evidence.now)
    if evidence.rung < Rung.REHEARSED:
        wanted += [_to_list(kind, namespace) for kind, namespace in lists_to_read(evidence.now)]
    return list(dict.fromkeys(wanted))


def _judged(evidence: Evidence, wanted: Sequence[Right], purpose: str) -> Judged:
    if not evidence.plan.planned:
        return skipped("Nothing is planned, so no rights are needed.")
    missing = evidence.rules.missing(wanted)
    if missing:
        return failed(
            f"{len(missing)} of {len(wanted)} rights {purpose} are missing: {'; '.join(_grouped(missing))}.",
            f"Have an administrator apply these roles and bind them to the user of the kubeconfig:\n{roles_for(missing)}",
        )
    return passed(f"All {len(wanted)} rights {purpose} are there.")


def _to_list(kind: str, namespace: str) -> Right:
    version, plural = api_of(kind)
    return Right("list", version.split("/")[0] if "/" in version else "", plural, namespace)


def _grouped(rights: Iterable[Right]) -> list[str]:
    """``get, create secrets in namespace x``: one entry for all verbs on the same thing."""
    verbs: dict[str, list[str]] = {}
    for right in rights:
        verbs.setdefault(str(right).removeprefix(f"{right.verb} "), []).append(right.verb)
    return [f"{', '.join(found)} {thing}" for thing, found in verbs.items()]


CHECKS = (
    Check(
        "PE-02",
        "permissions",
        "rights to upgrade",
        BLOCK,
        can_upgrade,
        "access reviews of each write of the plan",
        "Apply the roles that are printed.",
        waivable=False,
    ),
    Check(
        "PE-03",
        "permissions",
        "rights to roll back",
        BLOCK,
        can_roll_back,
        "access reviews of what takes each write back",
        "Apply the roles that are printed.",
        waivable=False,
    ),
)
