# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights each journey takes: the reads and writes that it made on a stand-in cluster, and what the tables of PE-02 and PE-03 add.

What no stand-in can show is said here: the watch and the probes beside a climb, what helm does by itself, and the kinds of the API
groups that are archived whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from urllib.parse import unquote

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import finalising, kept, ladder, logins, plan
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.box import Box
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.model import Contents
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.scope import EVERYTHING, MANY, Collector
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks import binding_kinds, route_table
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.permissions import wanted_forwards
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.deliveries import delivery_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.fencing import rights_to_fence
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.guard import rights_to_watch
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Right
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.rbac import RBAC
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.run import Outcome, Run, Terms
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.wish import Wish
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.situation import Situation
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.snapshot import take
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.switch import rights_to_probe

from . import standin_git
from .restore.archived import contents
from .shipped_roles import VERBS, made, rich_world, shipped
from .standin import UID
from .standin_flux import lived_in
from .standin_meddlers import enforce
from .standin_products import NAMESPACE, RELEASE, secret, thing
from .standin_world import World

RARE = (
    Right("list", "gateway.networking.k8s.io", "referencegrants"),  # where a route in another namespace leads to WG
    Right("get", "kustomize.toolkit.fluxcd.io", "kustomizations"),  # where a Secret or WG itself comes out of git
    Right("list", "kustomize.toolkit.fluxcd.io", "kustomizations"),  # whether another one applies the same
    Right("get", "source.toolkit.fluxcd.io", "gitrepositories", NAMESPACE),  # what it takes its revisions from
)
OUT_OF_GIT = (Right("patch", "kustomize.toolkit.fluxcd.io", "kustomizations", NAMESPACE),)
"""Where WG comes out of git: to ask for a run."""
OTHER_CALICO = "projectcalico.org/v3"
"""Where this is not served, the objects behind it are read."""
HANDED_ON = tuple(
    Right(verb, RBAC, roles, namespace)
    for verb in ("bind", "escalate")
    for roles, namespace in (("clusterroles", ""), ("roles", NAMESPACE))
)
RUNGS = ("prepared", "rehearsed", "flipped", "soaked", "parked")
TEAM = "team"
ROUTES = tuple((kind.group, kind.plural) for table in (route_table.KINDS, binding_kinds.KINDS) for kind in table)
SHOWN_GROUPS = (
    *(f"{name}.toolkit.fluxcd.io" for name in ("helm", "image", "kustomize", "notification", "source")),
    *(f"{name}.weave.works" for name in ("capi", "clusters", "gitops", "pac", "pipelines", "templates", "wego")),
    *("infra.contrib.fluxcd.io", "fluxcd.controlplane.io"),
)
"""The API groups that an archive holds whole, as far as they are known; of each every kind."""


@cache
def reading() -> list[Right]:
    """The rights for a preflight."""
    found = list(RARE)
    for world in (rich_world(), rich_world(without=OTHER_CALICO), kept_by_flux()):
        world.findings()
        found += made(world, ("get", "list", "raw"))
    return shipped(found)


@cache
def writing() -> list[Right]:
    """The rights for an upgrade, the way back and the end, those for a preflight among them."""
    world = rich_world()
    evidence = world.evidence()
    foreseen = [*wanted_forwards(evidence), *plan.rights_backwards(evidence.now, evidence.plan), *HANDED_ON]
    sent = []
    for begin in (rich_world, kept_by_flux):
        there = world if begin is rich_world else begin()
        foreseen += rights_to_watch(there.look())
        there.climb()
        ladder.roll_back(there.tools, there.settings, check_mode=False)
        ended = begin()
        ended.climb()
        to_the_end(ended)
        sent += [*made(there, VERBS), *made(ended, VERBS)]
    return list(dict.fromkeys([*reading(), *shipped([*foreseen, *sent, *OUT_OF_GIT])]))


@cache
def guarding() -> list[Right]:
    """The rights that a policy takes beside those of an upgrade."""
    world = rich_world()
    world.set(guard="policy")
    enforce(world)
    world.climb()
    return [
        right for right in shipped(made(world, VERBS)) if right.resource.startswith("validatingadmissionpolic") and right.verb != "list"
    ]


@cache
def rolling_back() -> list[Right]:
    """The rights for the way back, from every rung on which WG is still there."""
    found: list[Right] = []
    for begin, rung in product((rich_world, kept_by_flux, kept_by_git), RUNGS):
        world = begin()
        world.climb(rung)
        now = world.look()
        found += [*_watching(now), *delivery_of(now).rights_back(now)]
        world.cluster.requests.clear()
        ladder.roll_back(world.tools, world.settings, check_mode=False)
        found += made(world, VERBS)
    return shipped(found)


@cache
def removing() -> list[Right]:
    """The rights for finalising."""
    found: list[Right] = []
    for world in (climbed(rich_world()), climbed(kept_by_flux()), merged_into_git()):
        now = world.look()
        world.cluster.requests.clear()
        to_the_end(world)
        found += [*plan.rights_to_remove(now), *_watching(now), *made(world, VERBS)]
    return shipped(found)


@cache
def exporting() -> list[Right]:
    """The rights for an archive of everything, without dry runs."""
    world = shown_world()
    collected(world)
    listed = [Right("list", group, plural) for group, plural in (*ROUTES, *((group, "*") for group in SHOWN_GROUPS))]
    return shipped([*listed, *made(world, VERBS)])


@cache
def restoring() -> list[Right]:
    """The rights to put all of an archive back, whatever of it is gone or differs."""
    world = shown_world()
    box = collected(world)
    places = [*((kind.group, kind.plural) for kind in box.kinds()), *ROUTES, *((group, "*") for group in SHOWN_GROUPS)]
    found = [Right(verb, group, plural) for group, plural in places for verb in ("create", "get", "list", "patch")]
    world.cluster.requests.clear()
    lose(world, box)
    restored(world, archived(box))
    beside = _watching(world.look())
    return shipped([*found, *beside, *made(world, VERBS), *(replace(right, namespace="") for right in HANDED_ON)])


@cache
def verifying() -> list[Right]:
    """The rights to verify, signed in through the API server's proxy too."""
    found: list[Right] = []
    for begin, goal in product((rich_world, kept_by_flux), ("prepared", "parked")):
        world = begin()
        world.climb(goal)
        world.cluster.requests.clear()
        found += [*rights_to_probe(verified(world)), *made(world, VERBS)]
    return shipped([*found, *(replace(right, verb="create") for right in found if right.resource == "services/proxy")])


def to_the_end(world: World) -> str:
    """Finalise a parked cluster at once; the verdict."""
    return finalising.finalise(world.tools, replace(world.settings, retention_days=0), check_mode=False).verdict


def kept_by_flux() -> World:
    """A cluster on which a HelmRelease keeps WG, and Flux delivers WGE."""
    return lived_in(Path("."))[0]


def kept_by_git() -> World:
    """The same, with WG's HelmRelease out of git."""
    return standin_git.lived_in(Path("."))[0]


def merged_into_git() -> World:
    """That one, upgraded, and git says so."""
    world, _flux, git = standin_git.lived_in(Path("."))
    world.climb()
    standin_git.merge(world, git)
    return world


def climbed(world: World) -> World:
    """The same, upgraded."""
    world.climb()
    return world


def shown_world() -> World:
    """A cluster with objects of Flux in another namespace, and more Secrets there than are read one by one."""
    world = rich_world()
    for item in (thing("v1", "Namespace", NAMESPACE), thing("v1", "Namespace", TEAM)):
        world.cluster.put(item)
    for number in range(MANY + 1):
        name = f"key-{number}"
        spec = {"decryption": {"secretRef": {"name": name}}, "postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "settings"}]}}
        world.cluster.put(thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, TEAM, spec=spec))
        world.cluster.put(secret(name, {"key": "x"}, TEAM))
    world.cluster.put(thing("v1", "ConfigMap", "settings", TEAM, data={}))
    return world


def collected(world: World) -> Box:
    """What an export reads."""
    return Collector(world.cluster, take(world.cluster, world.settings)).collect(EVERYTHING)


def archived(box: Box) -> Contents:
    """An archive of it."""
    items = (item for kind in box.kinds() for _path, item in box.objects(kind))
    return contents(items, {"cluster": {"uid": UID}, "namespace": NAMESPACE, "release": RELEASE, "secrets": "vault"})


def lose(world: World, box: Box) -> None:
    """Take away all that was archived."""
    for path in box.all_paths():
        world.cluster.objects.pop(unquote(path), None)


def restored(world: World, archive: Contents) -> Outcome:
    """Put an archive back, over whatever is there."""
    return Run(world.tools, archive, Wish(overwrite=True), Terms()).run(check_mode=False)


def verified(world: World) -> Situation:
    """What a verification reads of the cluster."""
    now = world.look()
    kept.routes_to(world.cluster, now)
    logins.of_wge(world.cluster, now)
    return now


def _watching(now: Situation) -> list[Right]:
    """What goes on beside a journey: the probes, the watch, and a lock that is renewed, or taken over from a run that was killed."""
    beside = [Right("watch", "discovery.k8s.io", "endpointslices", now.namespace)]
    beside += [Right(verb, "coordination.k8s.io", "leases", now.namespace) for verb in ("create", "get", "patch", "delete")]
    return [*rights_to_probe(now), *rights_to_fence(now), *beside]


@dataclass(frozen=True, slots=True)
class Shipped:
    """One file of docs/rbac."""

    file: str
    title: str
    note: str
    rights: Callable[[], list[Right]]


PREFLIGHT, UPGRADE, ROLLBACK, FINALISE = "wge-preflight", "wge-upgrade", "wge-rollback", "wge-finalise"
EXPORT, RESTORE, VERIFY, GUARD = "wge-export", "wge-restore", "wge-verify", "wge-guard"
ROLES = {
    PREFLIGHT: Shipped(
        "preflight.yml",
        "What a user needs who may only look: playbooks/preflight.yml, wge_preflight, wge_info. It writes nothing.",
        """\
# It may read the Secrets of the namespace: Helm keeps its releases in them, and RBAC cannot restrict a list to some of them.
# A preflight judges the rights of the user who makes it: with these, PE-02, PE-03 and PE-04 say what an upgrade would lack, and
# CL-09 makes no dry run. Make the preflight before an upgrade with the roles of upgrade.yml.
""",
        reading,
    ),
    UPGRADE: Shipped(
        "upgrade.yml",
        "What a user needs who upgrades, rolls back and finalises: playbooks/upgrade.yml, rollback.yml, finalise.yml, wge_upgrade.",
        """\
# WGE's chart brings ClusterRoles, one of them an aggregated one, and an API server lets nobody grant more than he has himself. So
# this user needs `escalate` and `bind` (check PE-04), and with them could give himself every right: guard it as an administrator.
# Or have an administrator make the chart's ClusterRoles and bindings, and leave these two verbs out.
""",
        writing,
    ),
    GUARD: Shipped(
        "guard.yml",
        "What a user needs beside upgrade.yml (or rollback.yml) for wge_guard=policy: a ValidatingAdmissionPolicy while WGE is watched.",
        """\
# Who may make such policies can refuse anybody anything in the whole cluster: guard this user as an administrator. Where an upgrade
# with a policy was killed, whoever goes on or goes back needs these rights too, to take the policy away.
""",
        guarding,
    ),
    ROLLBACK: Shipped(
        "rollback.yml",
        "What a user needs who takes upgrades back and does nothing else: playbooks/rollback.yml, wge_upgrade with state rolled_back.",
        """\
# After finalise.yml WG comes back out of its archive: that takes the roles of restore.yml as well.
""",
        rolling_back,
    ),
    FINALISE: Shipped(
        "finalise.yml",
        "What a user needs who removes a parked WG and does nothing else: playbooks/finalise.yml, wge_upgrade with state finalised.",
        """\
# `create` on secrets is for a WG that a HelmRelease keeps. Flux prunes the release's first revision like any other, and must not find
# that name free afterwards: a HelmRelease that somebody brings back would install WG anew and lead the Service back to it (K12). So a
# tombstone takes the place of revision 1 when WG is removed, and not earlier, since until then Flux needs its release. RBAC cannot
# restrict a create to a name. Where helm alone keeps WG the upgrade has made the tombstone: leave `create` out there.
# `patch` on deployments, services, helmreleases and kustomizations is for what a killed run has left: the next one touches them, so
# that a request that is still on its way comes too late. That on kustomizations also asks git for a run, to see that WG stays away.
""",
        removing,
    ),
    EXPORT: Shipped(
        "export.yml",
        "What a user needs who archives what WG has built up: playbooks/export.yml, wge_state_export. It writes nothing.",
        """\
# It may read all Secrets: those that objects of Flux name lie in any namespace. With wge_archive_scope=install it is enough to read
# those of the namespace. The API groups of Flux and WG are those that are known; name your own besides, each with the resource "*".
# These are the rights for wge_archive_dry_run=false. Dry runs take the roles of restore.yml as well.
""",
        exporting,
    ),
    RESTORE: Shipped(
        "restore.yml",
        "What a user needs who puts a whole archive back: playbooks/restore.yml, wge_state_restore.",
        """\
# An API server lets nobody grant more than he has himself, and an archive holds roles and bindings. So this user needs `escalate` and
# `bind`, and with them could give himself every right: guard it as an administrator, and bind it only while a restore is made.
# For a part of an archive take out what is not put back; get, create, patch and list on its kinds, and the Leases, are enough.
""",
        restoring,
    ),
    VERIFY: Shipped(
        "verify.yml",
        "What a user needs who looks whether an upgraded cluster is what it was: playbooks/verify.yml, wge_verify. It writes nothing.",
        """\
# `create` on services/proxy is for signing in through the API server's proxy (wge_dashboard_username); leave it out where nobody does.
""",
        verifying,
    ),
}
