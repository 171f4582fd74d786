# SPDX-License-Identifier: GPL-3.0-or-later
"""One write, made to happen: sent once, and after a lost answer or a refused guard the cluster is looked at. PRIVATE.

A climb and the renewal of an entitlement both write through here. What differs is what they ask before each request (``guard``).

A patch or a delete holds for the version of the object that was read before ``guard`` said that the lock is still ours. So one that
is held up on its way until another run has the lock, and has touched the object, is refused, whatever its own guards say (``fence``).
"""

from __future__ import annotations

from collections.abc import Callable

from .._errors import Conflict, Rejected, SafeStop, StepFailed, UnknownOutcome
from .model import Clock, Cluster, Helm, Object
from .objects import metadata, parent_path
from .writes import Write

TRIES = 5
POLL_SECONDS = 0.5


def send(write: Write, cluster: Cluster, clock: Clock, guard: Callable[[], None], helm: Helm | None = None) -> None:
    """Make one write happen; ``guard`` is asked before each try and may raise. ``helm`` is needed for a release alone.

    Raises SafeStop when somebody else changed the object meanwhile.
    """
    for attempt in range(TRIES):
        version = _version_of(write, cluster)
        guard()
        try:
            _send_once(write, cluster, helm, version)
            return
        except (Conflict, UnknownOutcome) as problem:
            live = cluster.get(write.path)
            if write.is_applied(live):
                return
            if not write.may_be_sent(live):
                raise SafeStop(
                    f"Somebody else changed {write.path} while this run was at work{_by(live)}: {write.text} was not done.",
                    "Look at the object, then run again.",
                ) from problem
            clock.sleep(POLL_SECONDS * 2**attempt)
        except Rejected as problem:
            if write.verb != "patch" or cluster.get(write.path) is not None:
                raise
            raise _gone(write) from problem
    raise SafeStop(f"{write.text}: no answer after {TRIES} tries.", "Look at the API server, then run again.")


def _version_of(write: Write, cluster: Cluster) -> str:
    """The resourceVersion for which a patch or a delete holds, empty when there is none. Raises SafeStop when a patch comes too late."""
    if write.verb not in ("patch", "delete"):
        return ""
    live = cluster.get(write.path)
    if live is None and write.verb == "patch":
        raise _gone(write)
    return str(metadata(live or {}).get("resourceVersion") or "")


def _gone(write: Write) -> SafeStop:
    return SafeStop(f"{write.path} is gone: {write.text} was not done.", "See who deleted it before running again.")


def wait_until(missing: Callable[[], str], seconds: float, what: str, clock: Clock, tick: Callable[[float], None]) -> None:
    """Wait until ``missing`` answers "". Raises StepFailed with the last answer when the time is over."""
    end = clock.monotonic() + seconds
    while reason := missing():
        if clock.monotonic() > end:
            raise StepFailed(f"{what}: not after {seconds:g} s, {reason.rstrip('.')}.", "Look at the namespace's events and pods.")
        tick(POLL_SECONDS)


def _send_once(write: Write, cluster: Cluster, helm: Helm | None, version: str) -> None:
    if write.verb == "create":
        cluster.create(parent_path(write.path), write.body)
    elif write.verb == "patch":
        cluster.patch(write.path, [{"op": "test", "path": "/metadata/resourceVersion", "value": version}, *write.operations])
    elif write.verb == "delete":
        cluster.delete(write.path, uid=write.uid, resource_version=version)
    elif write.release and helm:
        helm.install(write.release)


def _by(live: Object | None) -> str:
    managers = sorted({str(entry.get("manager")) for entry in metadata(live or {}).get("managedFields") or []})
    return f" (last managers: {', '.join(managers)})" if managers else ""
