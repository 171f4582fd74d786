# SPDX-License-Identifier: GPL-3.0-or-later
"""Git debt: the cluster was upgraded first, and git does not say so yet. PRIVATE.

Open from the moment WGE is there, paid when a run of the Kustomization at its source's newest revision lists all that git should hold.
That WG is not listed any more proves nothing: a shielded object leaves the inventory while git still renders it (1h).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from urllib.parse import unquote

from .._errors import SafeStop
from .forms import flux_api
from .forms.gitops import is_shielded, last_request, lists, not_proven, revision_of
from .forms.recognise import GITOPS, GITOPS_MANIFESTS
from .journal import REMOVING
from .model import Cluster, Object
from .names import HELM_RELEASE_ANNOTATION
from .objects import CLUSTER_SCOPED, NAMESPACED, annotations_of, name_of, namespace_of, path_of
from .rights import of_path
from .situation import Situation
from .steps.owners import kept_objects

FROM_GIT = (GITOPS, GITOPS_MANIFESTS)
NONE, OPEN, PAID = "none", "open", "paid"
_OUT_OF_GIT = ("CustomResourceDefinition", "Namespace", "Secret")
"""Never asked of git: a Secret would lie there in the clear, and the others are applied before all else and stay behind (6d)."""
ALTERING = ("patches", "patchesJson6902", "patchesStrategicMerge", "images", "namePrefix", "nameSuffix", "components", "postBuild")
"""What a Kustomization does to the objects it finds: with one of these, git cannot say an object as it is."""

_KINDS = {(version.rpartition("/")[0], plural): (version, kind) for kind, (version, plural) in {**NAMESPACED, **CLUSTER_SCOPED}.items()} | {
    (group, plural): (f"{group}/{versions[0]}", kind) for kind, (group, plural, versions) in flux_api.KINDS.items()
}


@dataclass(frozen=True, slots=True)
class Debt:
    """What git owes. ``missing`` names what the Kustomization does not apply yet, ``reason`` why its last run proves nothing."""

    state: str = NONE
    kustomization: str = ""
    source: str = ""
    url: str = ""
    ref: str = ""
    path: str = ""
    revision: str = ""
    missing: tuple[str, ...] = ()
    reason: str = ""

    @property
    def sentence(self) -> str:
        """The debt in words, empty when there is none."""
        if self.state != OPEN:
            return ""
        why = f"does not hold {', '.join(self.missing)} yet" if self.missing else f"is not proven to say what the cluster is: {self.reason}"
        place = f"{self.path} of {self.url}" if self.url else "git"
        return f"Git debt: {place} (Kustomization {self.kustomization or 'unknown'}) {why}."

    def as_dict(self) -> Object:
        """For results and reports."""
        return {**asdict(self), "missing": list(self.missing), "sentence": self.sentence}


def of(now: Situation) -> Debt:
    """The git debt of a cluster, as far as what was read tells. Pure."""
    if now.form not in FROM_GIT:
        return Debt()
    kustomization, source = now.snapshot.owners.kustomization, now.snapshot.owners.source
    known = _coordinates(kustomization, source or {}) if kustomization else Debt()
    if now.journal and now.journal.state in REMOVING:  # it was paid before the first object went
        return replace(known, state=PAID)
    if now.journal is None or now.wge is None:
        return known
    if kustomization is None:
        return replace(known, state=OPEN, reason="the Kustomization that applied WG is gone")
    missing = tuple(f"{item['kind']} {name_of(item)}" for item in wanted(now) if not lists(kustomization, item))
    reason = not_proven(kustomization, last_request(kustomization), revision_of(source))
    return replace(known, state=OPEN if missing or reason else PAID, missing=missing, reason=reason)


def unpaid(now: Situation) -> str:
    """Why WG cannot be removed yet: git would bring it back. Empty when git holds what the cluster is."""
    return of(now).sentence


def require_out_of_git(now: Situation) -> None:
    """Raises SafeStop when git applies what an upgrade made: taken back on the cluster, Flux would bring it again at its next run."""
    kustomization = now.snapshot.owners.kustomization
    if now.form not in FROM_GIT or kustomization is None or now.journal is None:
        return
    held = [f"{item['kind']} {name_of(item)}" for item in wanted(now) if lists(kustomization, item)]
    if held:
        raise SafeStop(
            f"Git says by now that WGE is here: Kustomization {name_of(kustomization)} applies {', '.join(held)}. Nothing was taken back.",
            "Merge what wge_git_changes makes with direction: back, wait until Flux has applied it, then ask for rolled_back again.",
        )


def wanted(now: Situation) -> list[Object]:
    """What git should hold and a Kustomization should list: what the delivery made, what is kept of WG's release, the twins. Pure.

    A Service that is shielded was in git before; it cannot be proven by the inventory, and nothing changes while the shield is on.
    """
    return [*_made(now).values(), *(item for item in _edge(now) if not is_shielded(item))]


def pieces(cluster: Cluster, now: Situation) -> Object:
    """For the change in git: the live objects that it should hold, those it should not hold any more, and what a person has to know."""
    live = [found for path in _made(now) if (found := cluster.get(path))]
    owner, kept = now.snapshot.owners.helm_release, {path_of(item) for item in kept_objects(now)}
    gone = [owner] if owner else [item for item in now.snapshot.from_git if path_of(item) not in kept]
    kustomization = now.snapshot.owners.kustomization or {}
    return {
        "run": now.run,
        "objects": [*live, *_edge(now)],
        "drop": [thing(item) for item in gone],
        "alters": [word for word in ALTERING if (kustomization.get("spec") or {}).get(word)],
        "notes": [note for item in gone for note in _health_checks(kustomization, item)],
    }


def thing(item: Object) -> Object:
    """An object by kind and name."""
    place = {"namespace": namespace_of(item)} if namespace_of(item) else {}
    return {"apiVersion": item.get("apiVersion", ""), "kind": item["kind"], "metadata": {"name": name_of(item), **place}}


def _made(now: Situation) -> dict[str, Object]:
    """By path, what this run created for good."""
    paths = [entry["path"] for step in ("S7", "S9") for entry in _created(now, step)]
    found = {path: item for path in paths if (item := _thing(path))}
    return {path: item for path, item in found.items() if item["kind"] not in _OUT_OF_GIT}


def _edge(now: Situation) -> list[Object]:
    """Services and routes that WG's owner held: after the hand-over nobody does."""
    return [item for item in kept_objects(now) if item["kind"] in ("Service", "Ingress") and (_was_held(item) or is_shielded(item))]


def _was_held(item: Object) -> bool:
    return bool(annotations_of(item).get(HELM_RELEASE_ANNOTATION))


def _created(now: Situation, step: str) -> list[Object]:
    entries = now.journal.entries.get(step, []) if now.journal else []
    return [entry for entry in entries if entry["verb"] == "create"]


def _thing(path: str) -> Object | None:
    """The object at a path by kind and name, None for a kind that is not known."""
    right = of_path("get", path)
    version, kind = _KINDS.get((right.group, right.resource), ("", ""))
    place = {"namespace": right.namespace} if right.namespace else {}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": unquote(right.name), **place}} if kind else None


def _health_checks(kustomization: Object, gone: Object) -> list[str]:
    checks = (kustomization.get("spec") or {}).get("healthChecks") or []
    if not any((check.get("kind"), check.get("name")) == (gone["kind"], name_of(gone)) for check in checks):
        return []
    entry = f"{gone['kind']} {name_of(gone)} in spec.healthChecks"
    return [f"Kustomization {name_of(kustomization)} names {entry}: take that out in the same merge, or it fails when WG is removed."]


def _coordinates(kustomization: Object, source: Object) -> Debt:
    spec, given = kustomization.get("spec") or {}, source.get("spec") or {}
    ref = given.get("ref") or {}
    return Debt(
        kustomization=f"{namespace_of(kustomization)}/{name_of(kustomization)}",
        source=str((spec.get("sourceRef") or {}).get("kind") or ""),
        url=str(given.get("url") or ""),
        ref=next((f"{word} {ref[word]}" for word in ("commit", "name", "semver", "tag", "branch") if ref.get(word)), ""),
        path=str(spec.get("path") or "./"),
        revision=str((kustomization.get("status") or {}).get("lastAppliedRevision") or ""),
    )
