# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore moves the traffic of a Service only to what serves already."""

from __future__ import annotations

from ansible_collections.weaveworks.wge.plugins.module_utils._errors import StepFailed
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.restore.archived import DEPLOYMENT, SERVICE, Archived
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import leads_to


def led_elsewhere(archived: Archived) -> None:
    """Somebody points the Service at something of his own, and WG is gone."""
    spec = {**archived.cluster.objects[SERVICE]["spec"], "selector": {"app": "maintenance"}}
    archived.change(SERVICE, spec=spec)
    archived.lose("Deployment")


def test_a_service_is_led_back_when_what_it_leads_to_is_ready(archived: Archived) -> None:
    led_elsewhere(archived)
    archived.cluster.requests.clear()
    outcome = archived.restore(overwrite=True)
    assert (outcome.verdict, outcome.error) == ("restored", None)
    writes = archived.writes()
    deployment, service = (next(i for i, text in enumerate(writes) if path in text) for path in (DEPLOYMENT.rsplit("/", 1)[0], SERVICE))
    assert deployment < service
    assert leads_to(archived.world) == "wg"


def test_a_service_stays_where_it_is_while_that_does_not_come(archived: Archived) -> None:
    led_elsewhere(archived)
    archived.cluster.after_write.clear()  # no controller makes its pods
    outcome = archived.restore(overwrite=True, ready_seconds=3)
    assert isinstance(outcome.error, StepFailed)
    assert "Deployment ww-gitops-weave-gitops in namespace flux-system is not available" in str(outcome.error)
    assert archived.cluster.objects[SERVICE]["spec"]["selector"] == {"app": "maintenance"}
