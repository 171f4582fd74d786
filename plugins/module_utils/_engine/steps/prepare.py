# SPDX-License-Identifier: GPL-3.0-or-later
"""Rung ``prepared``: the archive, the journal, the entitlement, the admin's rights. PRIVATE. S2 to S5.

Killed after any of them: a file nobody reads, a journal that says what was meant, objects nobody uses. The next run adopts
the open journal and goes on; `rolled_back` deletes what carries the run label.
"""

from __future__ import annotations

import base64
from dataclasses import replace

from ..._errors import SafeStop
from ..entitlement.grant import GIVEN
from ..inherit import text_of
from ..journal import OPEN, PARKED, PARKED_AT
from ..logins import with_login
from ..model import Object, Right, Rung
from ..names import ADMIN_BINDING, ENTITLEMENT_NAMESPACE, ENTITLEMENT_SECRET, LOGIN_SECRET
from ..objects import name_of, object_path, uid_of
from ..situation import Situation
from ..work import Work
from ..writes import Write, create
from .base import Step

READER_ROLE = "gitops-reader"
BOUND_BY_CHART = "wego-admin"


class OpenJournal(Step):
    """S2: the journal, with every write of the plan and what takes it back, before the first of them is sent.

    Its content is filled in by the ladder, which knows the plan.
    """

    id = "S2"
    title = "open the journal"
    rung = Rung.PREPARED
    foreseen = False

    def writes(self, now: Situation) -> list[Write]:
        """The journal Secret, when this run has begun none."""
        if self.done(now) or now.journal is None:
            return []
        return [create(now.journal.secret(), now.journal.path, "open the journal")]

    def done(self, now: Situation) -> bool:
        """Whether the journal is stored; a parked cluster needs none."""
        return now.is_parked or bool(now.journal and now.journal.uid)

    def apply(self, work: Work) -> None:
        """Store it, and read back under which uid."""
        super().apply(work)
        live = work.tools.cluster.get(work.journal.path)
        if live is None:
            raise SafeStop("The journal is gone as soon as it was written.", "Look who deletes Secrets in this namespace.")
        work.journal.uid = uid_of(live)


class CloseJournal(Step):
    """The run is at its end: the journal says so, and stays as evidence and for the way back."""

    id = "S17"
    title = "close the journal"
    rung = Rung.PARKED
    foreseen = False

    def writes(self, now: Situation) -> list[Write]:
        """The patch of the journal, when it is still open."""
        journal = now.journal
        if journal is None or journal.state != OPEN:
            return []
        closed = replace(journal, state=PARKED)
        return [Write("patch", journal.path, "close the journal", operations=tuple(closed.save_operations()))]

    def apply(self, work: Work) -> None:
        """Note the end, and save."""
        work.journal.notes[PARKED_AT] = work.tools.time().isoformat(timespec="seconds")
        super().apply(work)
        work.journal.state = PARKED


class Entitle(Step):
    """S4: the entitlement where WGE looks for it, when the user gave one and the cluster has none."""

    id = "S4"
    title = "put the entitlement in place"
    rung = Rung.PREPARED

    def writes(self, now: Situation) -> list[Write]:
        """The Secret, unless one is there; a different one is never overwritten (check EN-01 speaks of it)."""
        if now.grant.source != GIVEN:
            return []
        body: Object = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {"name": ENTITLEMENT_SECRET, "namespace": ENTITLEMENT_NAMESPACE, "labels": now.labels()},
            "data": {"entitlement": base64.b64encode(now.grant.text.encode()).decode()},
        }
        path = object_path("Secret", ENTITLEMENT_SECRET, ENTITLEMENT_NAMESPACE)
        return [create(body, path, f"create Secret {ENTITLEMENT_SECRET}")]


class CarryLogin(Step):
    """S5: WGE's chart gives rights only to the user ``wego-admin``; the admin of this cluster gets the same (F11)."""

    id = "S5"
    title = "give the local admin WGE's reader role"
    rung = Rung.PREPARED

    def writes(self, now: Situation) -> list[Write]:
        """A ClusterRoleBinding for an admin of another name."""
        user = admin_of(now)
        if not user or user == BOUND_BY_CHART or not _has_reader_role(now) or _bound_already(now):
            return []
        name = f"{ADMIN_BINDING}-{now.namespace}"
        body: Object = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name, "labels": now.labels()},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": READER_ROLE},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        }
        return [create(body, object_path("ClusterRoleBinding", name), f"bind user {user} to {READER_ROLE}")]

    def further_rights(self, now: Situation) -> list[Right]:
        """Binding a role needs the verb ``bind`` on it, unless one has all its rights."""
        if not self.writes(now):
            return []
        return [Right("bind", "rbac.authorization.k8s.io", "clusterroles", name=READER_ROLE)]


def admin_of(now: Situation) -> str:
    """The name of the local admin, empty when there is none."""
    return text_of(with_login(now.settings, now.snapshot)[LOGIN_SECRET], "username").strip()


def _has_reader_role(now: Situation) -> bool:
    return any(o.get("kind") == "ClusterRole" and name_of(o) == READER_ROLE for o in now.target.objects)


def _bound_already(now: Situation) -> bool:
    binding = now.snapshot.named.get(ADMIN_BINDING) or {}
    return any(subject.get("name") == admin_of(now) for subject in binding.get("subjects") or [])
