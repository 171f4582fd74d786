# SPDX-License-Identifier: GPL-3.0-or-later
"""Who wrote a field."""

from __future__ import annotations

from typing import Any

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.who import wrote

FIRST, LAST = "2026-11-23T12:00:00Z", "2026-11-23T12:00:05Z"


def item(*writers: tuple[str, str]) -> dict[str, Any]:
    fields = {"f:spec": {"f:selector": {}}}
    return {"metadata": {"managedFields": [{"manager": name, "time": at, "fieldsV1": fields} for name, at in writers]}}


def test_the_last_one_is_told_with_the_time() -> None:
    assert wrote(item(("helm", FIRST), ("kubectl", LAST)), "spec", "selector") == f"kubectl at {LAST}"
    assert wrote(item(("helm", FIRST)), "spec", "ports") == ""


def test_we_are_not_meant_when_somebody_else_wrote_as_well() -> None:
    both = item(("us", LAST), ("kubectl", FIRST))
    assert wrote(both, "spec", "selector", besides="us") == f"kubectl at {FIRST}"
    assert wrote(item(("us", LAST)), "spec", "selector", besides="us") == f"us at {LAST}"
