# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time on a cluster: a Lease that is taken, renewed and given back. PRIVATE.

What a killed run leaves: a Lease that nobody renews. The next run watches its resourceVersion for the Lease's own duration
by its own monotonic clock (no two machines' clocks are compared) and then takes it.
"""

from __future__ import annotations

from collections.abc import Callable

from .._errors import Conflict, Rejected, SafeStop, UnknownOutcome
from .model import Clock, Cluster, Object
from .names import LEASE
from .objects import metadata, object_path, parent_path, uid_of

RENEW_SHARE = 3
"""A Lease is renewed after a third of its duration, and trusted for two thirds."""


class Lock:
    """The Lease of one run. ``holder`` must be unique to this process, not only to the run."""

    def __init__(self, cluster: Cluster, clock: Clock, namespace: str, holder: str, seconds: float) -> None:
        self._cluster = cluster
        self._clock = clock
        self._path = object_path("Lease", LEASE, namespace)
        self._namespace = namespace
        self.holder = holder
        self._seconds = seconds
        self._lease: Object | None = None
        self._renewed = 0.0
        self.taken_over = False
        """Whether somebody had it before us and did not give it back: what that run has sent may still arrive."""

    @property
    def held(self) -> bool:
        """Whether we hold it, as far as we know."""
        return self._lease is not None

    def acquire(self, waiting: Callable[[str], None]) -> None:
        """Take the Lease, waiting out a stale one. ``waiting`` is called about every 2 s and may raise.

        Raises SafeStop when another run holds it and renews it.
        """
        live = self._cluster.get(self._path)
        if live is None:
            self._create()
            return
        left = wait_out(self._cluster, self._clock, live, self._seconds, waiting)
        self._take(left)

    def renew(self) -> None:
        """Renew when a third of the duration has passed. Raises SafeStop when the Lease is no longer ours."""
        if self._lease is None or self._clock.monotonic() - self._renewed < self._seconds / RENEW_SHARE:
            return
        self._put([{"op": "test", "path": "/spec/holderIdentity", "value": self.holder}], self._lease)

    def release(self) -> None:
        """Give the Lease back; one that was taken from us is left alone."""
        if self._lease is None:
            return
        lease, self._lease = self._lease, None
        for _attempt in range(2):  # asked once more when the answer was lost: it is this Lease in this version or none
            try:
                self._cluster.delete(self._path, uid=uid_of(lease), resource_version=metadata(lease)["resourceVersion"])
                return
            except Conflict:
                return
            except UnknownOutcome:
                continue

    def _create(self) -> None:
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": LEASE, "namespace": self._namespace},
            "spec": self._spec(),
        }
        started = self._clock.monotonic()
        try:
            self._lease = self._cluster.create(parent_path(self._path), body)
        except UnknownOutcome:
            self._lease = self._read_back()
        except Conflict as problem:
            other = _holder(self._cluster.get(self._path))
            raise SafeStop(f"Another run took the lock of this cluster at the same moment{other}.", "Wait for it to end.") from problem
        self._renewed = started

    def _take(self, live: Object | None) -> None:
        if live is None:
            self._create()
            return
        self.taken_over = True
        version = metadata(live)["resourceVersion"]
        self._put([{"op": "test", "path": "/metadata/resourceVersion", "value": version}], live)

    def _put(self, guards: list[Object], live: Object) -> None:
        started = self._clock.monotonic()
        operations = [
            {"op": "test", "path": "/metadata/uid", "value": uid_of(live)},
            *guards,
            {"op": "replace", "path": "/spec", "value": self._spec()},
        ]
        try:
            self._lease = self._cluster.patch(self._path, operations)
        except UnknownOutcome:
            self._lease = self._read_back()
        except (Conflict, Rejected) as problem:
            self._lease = None
            now = self._cluster.get(self._path)
            what = "is gone" if now is None else f"was taken by another run{_holder(now)}"
            raise SafeStop(f"The lock of this cluster {what}.", "Look at the other run before going on.") from problem
        self._renewed = started

    def _read_back(self) -> Object:
        live = self._cluster.get(self._path)
        if live is None or live.get("spec", {}).get("holderIdentity") != self.holder:
            raise SafeStop("The lock of this cluster could not be taken.", "Run again.")
        return live

    def _spec(self) -> Object:
        stamp = self._clock.wall().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {"holderIdentity": self.holder, "leaseDurationSeconds": int(self._seconds), "renewTime": stamp}


def _holder(lease: Object | None) -> str:
    """`: RUN/…`, nothing when the Lease is gone or nobody's."""
    name = (lease or {}).get("spec", {}).get("holderIdentity")
    return f": {name}" if name else ""


def wait_out(cluster: Cluster, clock: Clock, live: Object, seconds: float, waiting: Callable[[str], None]) -> Object | None:
    """Watch a Lease for its own duration (``seconds`` when it tells none): the Lease that nobody renewed, None when it went away.

    ``waiting`` is called about every 2 s and may raise. Raises SafeStop when its holder renews it.
    """
    path = object_path("Lease", LEASE, str(metadata(live).get("namespace") or ""))
    holder = live.get("spec", {}).get("holderIdentity") or ""
    duration = live.get("spec", {}).get("leaseDurationSeconds") or seconds
    seen, end = metadata(live)["resourceVersion"], clock.monotonic() + duration
    while holder and clock.monotonic() < end:
        waiting(f"waiting {max(0.0, end - clock.monotonic()):.0f} s for the lock of {holder} to go stale")
        clock.sleep(2)
        again = cluster.get(path)
        if again is None:
            return None
        if metadata(again)["resourceVersion"] != seen:
            raise SafeStop(f"Another run holds the lock of this cluster: {holder}.", "Wait for it to end, or end it.")
    return live
