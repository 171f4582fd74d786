# SPDX-License-Identifier: GPL-3.0-or-later
"""Which delivery brings WGE into this cluster: the one the run began with, the one asked for, or the form's own. PRIVATE."""

from __future__ import annotations

from ..._errors import Blocked
from ..forms.recognise import WORDS
from ..situation import Situation
from ..steps.forms import FORMS, WHY_NOT
from .delivery import Delivery
from .flux import ByFlux
from .helm import ByHelm
from .manifests import ByManifests

DELIVERIES: dict[str, Delivery] = {delivery.id: delivery for delivery in (ByFlux(), ByHelm(), ByManifests())}
"""Those that this version has."""


def chosen(now: Situation) -> str:
    """The id of the delivery: a run keeps to the one it began with."""
    if now.journal:
        return now.journal.delivery
    return now.settings.delivery or FORMS[now.form].deliveries[0]


def delivery_of(now: Situation) -> Delivery:
    """The delivery of this situation. Raises Blocked for one that this version does not have."""
    found = DELIVERIES.get(chosen(now))
    if found is None:
        raise Blocked(f"This version does not deliver WGE by {chosen(now)}.", f"Set wge_delivery to {' or '.join(sorted(DELIVERIES))}.")
    return found


def require_delivery(now: Situation) -> None:
    """Raises Blocked when the delivery that was asked for does not go with the form, or with the run that has begun."""
    wanted, known = now.settings.delivery, chosen(now)
    if wanted and wanted != known:
        raise Blocked(
            f"Run {now.run} began to deliver WGE by {known}; {wanted} is asked for now.",
            f"Set wge_delivery to {known}, or roll back first.",
        )
    if known not in FORMS[now.form].deliveries:
        raise Blocked(
            f"WG was installed as {WORDS[now.form]}, and WGE is not delivered by {known} then: {WHY_NOT[now.form, known]}.",
            f"Set wge_delivery to {' or '.join(FORMS[now.form].deliveries)}.",
        )
    delivery_of(now).require(now)
