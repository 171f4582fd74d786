# SPDX-License-Identifier: GPL-3.0-or-later
"""Which delivery brings WGE: what was asked for, what the run began with, what goes with the form."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import INSTALL
from ansible_collections.weaveworks.wge.plugins.module_utils._engine import deliveries
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.recognise import WORDS
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import FINALISED, Journal, journal_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.situation import Situation
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.forms import FORMS, WHY_NOT, require_form
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked, SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, RELEASE
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import lived_in
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

EVERY = ("flux", "helm", "manifests")


@pytest.fixture
def scene(tmp_path: Path) -> World:
    return lived_in(tmp_path)


def begun(scene: World, **said: str) -> Situation:
    """A situation with the journal of a run that began so."""
    now = scene.look()
    return replace(now, journal=Journal(now.run, NAMESPACE, RELEASE, **said))


def test_every_form_has_a_row_and_every_delivery_a_place_or_a_reason() -> None:
    assert list(FORMS) == list(WORDS)
    assert all((d in form.deliveries) != ((form.id, d) in WHY_NOT) for form in FORMS.values() for d in EVERY)
    assert all(FORMS[form].freeze and FORMS[form].final for form in WORDS)


def test_a_helm_release_is_followed_by_one(scene: World) -> None:
    now = scene.look()
    assert (deliveries.chosen(now), deliveries.delivery_of(now).id) == ("helm", "helm")
    deliveries.require_delivery(now)


def test_a_run_keeps_to_its_delivery(scene: World) -> None:
    now = begun(scene, delivery="flux")
    assert deliveries.chosen(now) == "flux"


def test_another_delivery_in_the_middle_of_a_run_is_refused(scene: World) -> None:
    scene.set(delivery="manifests")
    with pytest.raises(Blocked, match=r"Run \S+ began to deliver WGE by helm; manifests is asked for now\. Set wge_delivery to helm"):
        deliveries.require_delivery(begun(scene))


def test_a_delivery_that_does_not_go_with_the_form_is_refused_with_the_reason(scene: World) -> None:
    with pytest.raises(Blocked, match=r"by helm then: git would not say then what the cluster is\. Set wge_delivery to flux or manifests"):
        deliveries.require_delivery(begun(scene, form="gitops"))


def test_a_delivery_of_a_journal_that_this_version_does_not_have_is_named(scene: World) -> None:
    with pytest.raises(Blocked, match=r"This version does not deliver WGE by pigeon\. Set wge_delivery to flux or helm or manifests"):
        deliveries.delivery_of(begun(scene, delivery="pigeon"))


def test_each_delivery_that_there_is_is_one_of_the_option() -> None:
    assert sorted(deliveries.DELIVERIES) == sorted(EVERY) == sorted(INSTALL["delivery"]["choices"])


def test_a_journal_of_before_there_were_forms_is_that_of_a_helm_release() -> None:
    stored = Journal("r1", NAMESPACE, RELEASE, form="flux", delivery="manifests").secret()
    assert (journal_from(stored).form, journal_from(stored).delivery) == ("flux", "manifests")
    content = json.loads(base64.b64decode(stored["data"]["journal"]))
    del content["form"], content["delivery"]
    old = journal_from({**stored, "data": {"journal": base64.b64encode(json.dumps(content).encode()).decode()}})
    assert (old.form, old.delivery) == ("helm", "helm")


def test_a_run_begins_with_the_form_that_was_found(scene: World) -> None:
    scene.climb("prepared")
    journal = scene.look().journal
    assert journal is not None
    assert (journal.form, journal.delivery) == ("helm", "helm")


def test_a_form_that_changes_in_the_middle_of_a_run_is_a_safe_stop(scene: World) -> None:
    with pytest.raises(SafeStop, match=r"WG was a Flux HelmRelease when run \S+ began, and is a plain Helm release now"):
        require_form(begun(scene, form="flux"))


def test_once_wg_is_being_removed_its_owner_may_be_gone(scene: World) -> None:
    require_form(begun(scene, form="flux", state=FINALISED))
