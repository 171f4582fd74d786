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
        ({"chart_repository": "charts.example"}, r"repository 'charts\.example' begins with neither https:// nor oci://"),
        ({"manifests": "/x.yaml", "chart": "a/b"}, r"Both a chart and a rendered file were given\. Give one: wge_chart or wge_manifests"),
        ({"manifests": "/x.yaml"}, r"/x\.yaml is rendered already, so WGE comes by nothing else\. Set wge_delivery to manifests"),
        ({"manifests": "/no/x.yaml", "delivery": "manifests"}, r"The file /no/x\.yaml does not exist"),
        ({"image_mirrors": {"ghcr.io": "https://mirror"}}, r"The mirror 'https://mirror' of 'ghcr\.io' is not one"),
        ({"image_mirrors": {"ghcr.io": ""}}, r"The mirror '' of 'ghcr\.io' is not one"),
        ({"image_mirrors": {"ghcr.io": 5}}, r"The mirror 5 of 'ghcr\.io' is not one\. Write wge_image_mirrors as"),
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


def test_a_rendered_file_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "wge.yaml"
    path.write_text("kind: A\n", encoding="ascii")
    settings = settings_from({"manifests": str(path), "delivery": "manifests", "image_mirrors": {"ghcr.io": "mirror:5000/x"}})
    release = settings.release_to_install("flux-system", {})
    assert (release.chart, release.rendered) == ("", str(path))
