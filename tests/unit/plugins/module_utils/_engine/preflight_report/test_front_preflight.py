# SPDX-License-Identifier: GPL-3.0-or-later
"""What the question `preflight` answers over a whole stand-in cluster, and that its answer becomes every output."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.document import build
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.markdown import markdown
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.page import page
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.terminal import table
from ansible_collections.weaveworks.wge.plugins.module_utils._front import preflight
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import HASH
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import TOKEN
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

from .test_document import SCHEMA


@pytest.fixture
def ask(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Asks with options; the cluster, helm and the clock are stand-ins, the checks are not."""
    monkeypatch.setattr(preflight, "evidence_of", lambda _session, now, _plan: world.evidence(now))

    def asked(**params: Any) -> dict[str, Any]:
        server = SimpleNamespace(server="https://api:6443")
        around = SimpleNamespace(params=params, settings=world.settings, tools=world.tools, connection=server, record=None)
        return preflight.answer(around)  # type: ignore[arg-type]

    return asked


def without_rights(world: World) -> None:
    world.cluster.rules = []


def test_a_check_that_blocks_fails_the_call_with_its_sentence_and_its_remedy(world: World, ask: Any) -> None:
    without_rights(world)
    found = ask(fail_on="block", output="full")
    assert (found["failed"], found["verdict"]) == (True, "blocked")
    assert "rights to upgrade" in found["msg"] and "kind: Role" in found["msg"]


def test_with_never_it_does_not_fail_and_says_the_same(world: World, ask: Any) -> None:
    without_rights(world)
    found = ask(fail_on="never", output="full")
    assert "failed" not in found
    assert found["verdict"] == "block"
    assert "rights to upgrade" in found["msg"] and "kind: Role" in found["next_step"]


def test_a_cluster_that_is_ready_has_no_message(ask: Any) -> None:
    found = ask(fail_on="never", output="full")
    assert found["verdict"] in ("pass", "warn")
    assert "msg" not in found and found["plan"]


def test_the_summary_has_counts_and_ids_and_no_plan(world: World, ask: Any) -> None:
    without_rights(world)
    found = ask(fail_on="never", output="summary")
    assert "plan" not in found and found["plan_hash"]
    assert {tuple(row) for row in found["checks"]} == {("id", "title", "severity", "status")}
    assert "PE-02" in [row["id"] for row in found["checks"]]


def test_a_real_answer_fits_every_output_and_brings_no_bytes_of_a_secret(world: World, ask: Any) -> None:
    without_rights(world)
    found = ask(fail_on="never", output="full")
    document = build({"prod-1": found}, "r", "2026-11-23T10:15:00+00:00")
    jsonschema.validate(document, SCHEMA)
    texts = [json.dumps(document), page(document), markdown(document), "\n".join(table("prod-1", found, 100, everything=True))]
    assert all(secret not in text for secret in (TOKEN, HASH) for text in texts)
    assert all("PE-02" in text for text in texts)
    written = [write for step in document["clusters"][0]["plan"] for write in step["writes"]]
    assert written and all(written)
