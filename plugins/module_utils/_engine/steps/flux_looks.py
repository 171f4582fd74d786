# SPDX-License-Identifier: GPL-3.0-or-later
"""What a climb looks at, again and again, of a WG that a HelmRelease keeps: the release it makes, and what Flux is at. PRIVATE."""

from __future__ import annotations

from ..._errors import SafeStop, StepFailed
from ..forms.flux import condition, in_flight, is_suspended
from ..forms.flux_api import path_of
from ..forms.handover import Name, dropped_by
from ..forms.helm import Revision, manifest_of, newest, revisions_of
from ..model import Object
from ..objects import CLUSTER_SCOPED, collection_path, name_of, namespace_of, object_path
from ..patches import pointer
from ..situation import Situation
from ..who import wrote
from ..work import Work
from .owners import kept_objects

RENDERERS = pointer("spec", "postRenderers")


def held(now: Situation) -> list[Object]:
    """What outlives WG of what the newest revision of its release holds."""
    manifest = {name(item) for item in now.snapshot.installed.manifest if _is_here(item, now)}
    return [item for item in kept_objects(now) if name(item) in manifest]


def owner_of(work: Work) -> Object:
    """WG's HelmRelease as it is at this moment. Raises SafeStop when it is gone."""
    known = work.now.snapshot.owners.helm_release
    live = work.tools.cluster.get(path_of(known)) if known else None
    if live is None:
        raise SafeStop("The HelmRelease of WG is gone.", "See who deleted it; put it back, or roll back.")
    return live


def not_ready_to_be_asked(work: Work) -> str:
    """Why Flux cannot be asked for an upgrade now. Raises StepFailed when somebody has suspended the HelmRelease."""
    return in_flight(_at_liberty(work))


def _at_liberty(work: Work) -> Object:
    owner = owner_of(work)
    if is_suspended(owner):
        raise StepFailed(f"{title(work.now)} is suspended, and not by this run{by(owner)}.", "Ask who froze it, and why.")
    return owner


def still_there(work: Work, names: set[Name]) -> str:
    """Why what is kept is not out of the newest revision yet, with what Flux says of it. Raises StepFailed when somebody suspends it."""
    last, owner = _newest(work), _at_liberty(work)
    if last is None:
        return "its release is stored nowhere"
    words = (condition(owner, "Ready") or {}).get("message") or "nothing"
    if last.status != "deployed":
        return f"revision {last.number} is {last.status}, and Flux says: {words}"
    found = sorted(f"{kind} {name}" for kind, name in names & _held_by(last))
    return f"revision {last.number} still holds {', '.join(found)}, and Flux says: {words}" if found else ""


def wait_for_adoption(work: Work, entry: Object) -> None:
    """Until the release holds again what our element had dropped; a Flux that cannot is no reason to stop."""
    values = [op["value"] for op in entry.get("reverse") or [] if op["path"].startswith(RENDERERS) and "value" in op]
    names = dropped_by((one for value in values for one in (value if isinstance(value, list) else [value])), work.now.run)
    live = work.tools.cluster.get(entry["path"])
    if live is None or is_suspended(live):
        work.note(f"{entry['path']} is {'suspended' if live else 'gone'}: Flux does not take WG's objects back into the release now")
        return
    try:
        work.wait_until(lambda: _missing(work, names), work.now.settings.ready_seconds, "Flux does not take WG's objects back")
    except StepFailed as problem:
        work.note(f"{problem.what} It does as soon as it can; nothing of ours keeps it from that.")


def _missing(work: Work, names: set[Name]) -> str:
    last = _newest(work)
    if last is None or last.status != "deployed":
        return f"revision {last.number} is {last.status}" if last else "its release is stored nowhere"
    found = sorted(f"{kind} {name}" for kind, name in names - _held_by(last))
    return f"revision {last.number} does not hold {', '.join(found)}" if found else ""


def _newest(work: Work) -> Revision | None:
    """The newest revision as it is at this moment; of the others only the names are read."""
    now = work.now
    release, place = now.snapshot.installed.found.release, now.snapshot.storage
    seen = work.tools.cluster.list(collection_path("Secret", place), labels=f"owner=helm,name={release}", metadata_only=True)
    last = next(reversed(revisions_of(seen, release)), None)
    secret = work.tools.cluster.get(object_path("Secret", name_of(last.secret), place)) if last else None
    return newest(revisions_of([secret], release)) if secret else None


def _held_by(revision: Revision) -> set[Name]:
    return {name(item) for item in manifest_of(revision.decoded())}


def at_work(work: Work, item: Object | None = None) -> str:
    """What Flux is at, empty when it is at nothing; that it has seen us suspend it, old versions do not say."""
    live = item or owner_of(work)
    ready, busy = condition(live, "Ready"), condition(live, "Reconciling", "True")
    if busy or (ready and ready.get("status") == "Unknown"):
        return f"Flux is at work on {title(work.now)} ({(busy or ready or {}).get('message') or 'it does not say at what'})"
    last = _newest(work)
    return "" if last is None or last.status == "deployed" else f"revision {last.number} of its release is {last.status}"


def upgraded(work: Work) -> str:
    """Whether WG's release was upgraded since it was judged, and holds again what is kept."""
    last = _newest(work)
    found = sorted(f"{kind} {name}" for kind, name in _held_by(last) & {name(item) for item in kept_objects(work.now)}) if last else []
    return f"revision {last.number} of its release holds {', '.join(found)} again" if last and found else ""


def _is_here(item: Object, now: Situation) -> bool:
    return item.get("kind") in CLUSTER_SCOPED or namespace_of(item) in ("", now.namespace)


def name(item: Object) -> Name:
    return str(item.get("kind")), name_of(item)


def title(now: Situation) -> str:
    item = now.snapshot.owners.helm_release
    return f"HelmRelease {name_of(item)}" if item else "WG's HelmRelease"


def by(item: Object) -> str:
    found = wrote(item, "spec", "suspend")
    return f" (last written by {found})" if found else ""
