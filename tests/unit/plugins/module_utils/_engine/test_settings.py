# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user asked for, as one value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.settings import Settings, settings_from
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings


def test_what_is_not_given_or_not_ours_keeps_its_default() -> None:
    assert settings_from({"chart": None, "kubeconfig": "/x", "wge_hooks": {}}) == Settings()


def test_the_state_is_a_rung() -> None:
    assert settings_from({"state": "flipped"}).goal is Rung.FLIPPED
    assert settings_from({"state": "rolled_back"}).goal is Rung.ROLLED_BACK
    assert Rung.PARKED.word == "parked"


def test_entry_urls_lose_their_last_slash() -> None:
    assert settings_from({"entry_urls": ["https://wg.example/"]}).entry_urls == ("https://wg.example",)


def test_wge_goes_where_wg_is() -> None:
    settings = settings_from({"chart": "oci://x/mccp", "chart_version": "0.38.1", "target_release": "wge"})
    release = settings.release_to_install("flux-system", {"a": 1})
    assert (release.name, release.namespace, release.chart, release.version, release.values) == (
        "wge",
        "flux-system",
        "oci://x/mccp",
        "0.38.1",
        {"a": 1},
    )


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"soak_seconds": -1}, r"soak_seconds is -1\. Give 0 or more seconds"),
        ({"lock_seconds": 5}, r"lock_seconds is 5\. Give at least 15 seconds"),
        ({"entry_urls": ["wg.example"]}, r"The entry URL 'wg\.example' is not an http:// or https:// address"),
        ({"chart": "./no-such-chart"}, r"The chart \./no-such-chart does not exist"),
    ],
)
def test_what_cannot_be_used_is_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        settings_from(params)


@pytest.mark.parametrize("chart", ["oci://registry/mccp", "https://x/mccp.tgz", "repo/mccp"])
def test_a_chart_elsewhere_is_not_looked_for_here(chart: str) -> None:
    assert settings_from({"chart": chart}).chart == chart


def test_a_local_chart_is_taken(tmp_path: Path) -> None:
    assert settings_from({"chart": str(tmp_path)}).chart == str(tmp_path)
