# SPDX-License-Identifier: GPL-3.0-or-later
"""S7: WGE beside WG, by its delivery, with the probes its chart lacks. PRIVATE.

No request of a user reaches it. Killed here: half a WGE that nobody calls; the delivery clears what is half made and goes on.
"""

from __future__ import annotations

from .. import readiness
from ..deliveries import delivery_of
from ..model import Object, Rung
from ..objects import is_available, object_path
from ..readiness import probes_for
from ..situation import Situation
from ..work import Work
from ..writes import Write, patch
from .base import Step


class InstallBeside(Step):
    """S7: deliver WGE, then give its server the probes its chart lacks (F5)."""

    id = "S7"
    title = "install WGE beside WG"
    rung = Rung.REHEARSED
    watched = True

    def writes(self, now: Situation) -> list[Write]:
        """What the delivery has not sent yet, and the patch of the probes."""
        return delivery_of(now).writes(now) + _probes(now)

    def done(self, now: Situation) -> bool:
        """Installed, with probes, and rolled out. On a parked cluster a pod that restarts is no reason to begin again."""
        ready = now.wge is not None and (now.is_parked or is_available(now.wge))
        return ready and not self.writes(now)

    def apply(self, work: Work) -> None:
        """Deliver, patch, and wait for the roll-out."""
        delivery, limit = delivery_of(work.now), work.now.settings.ready_seconds
        delivery.clear_half(work)
        work.send_all(delivery.writes(work.now))
        if delivery.not_delivered(work):
            work.wait_until(lambda: delivery.not_delivered(work), limit, "WGE is not delivered")
            work.refresh()
        work.send_all(_probes(work.now))
        work.wait_until(lambda: _not_ready(work), limit, "WGE does not get ready")
        work.refresh()

    def take_back(self, work: Work, entry: Object) -> bool:
        """As the delivery does it; the probes go with the Deployment."""
        return delivery_of(work.now).take_back(work, entry)

    def reversal(self, now: Situation, entry: Object, live: Object | None) -> Write | None:
        """As the delivery does it."""
        return delivery_of(now).reversal(now, entry, live)


def _probes(now: Situation) -> list[Write]:
    if not now.target.deployment:  # neither a chart nor an installed WGE: only a way back is possible
        return []
    if now.wge is None and delivery_of(now).sets_probes:
        return []
    target, live = now.target, now.wge or now.target.deployment
    operations = readiness.operations(live, target.container_index, target.container["name"], probes_for(now))
    if not operations:
        return []
    path = object_path("Deployment", target.name, now.namespace)
    return [patch(path, operations, [], "give WGE's server probes and a drain time")]


def _not_ready(work: Work) -> str:
    return readiness.not_rolled_out(work.tools.cluster.get(object_path("Deployment", work.now.target.name, work.now.namespace)))
