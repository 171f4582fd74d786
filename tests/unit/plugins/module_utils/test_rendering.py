# SPDX-License-Identifier: GPL-3.0-or-later
"""What helm rendered is shared by those who would get the same, and by nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Release
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import HelmFailed
from ansible_collections.weaveworks.wge.plugins.module_utils._rendering import SharedRendering

RELEASE = Release("wge", "flux-system", "repository/mccp")


class CountingHelm:
    """Counts how often it is asked; a broken one cannot be started."""

    def __init__(self, *, broken: bool = False) -> None:
        self.asked = 0
        self._broken = broken

    def version(self) -> str:
        return self._answer("3.19.5")

    def template(self, *_arguments: Any, **_options: Any) -> list[dict[str, Any]]:
        return self._answer([{"kind": "ConfigMap"}])

    def _answer(self, value: Any) -> Any:
        self.asked += 1
        if self._broken:
            raise HelmFailed("The helm program cannot be started.")
        return value


def test_a_second_cluster_does_not_start_helm() -> None:
    cache: dict[str, bytes] = {}
    helm = CountingHelm()
    answers = [(shared.version(), shared.template(RELEASE)) for shared in (SharedRendering(helm, cache), SharedRendering(helm, cache))]  # type: ignore[arg-type]
    assert answers[0] == answers[1] == ("3.19.5", [{"kind": "ConfigMap"}])
    assert helm.asked == 2


def test_a_cluster_whose_helm_is_absent_does_not_live_on_the_rendering_of_another() -> None:
    cache: dict[str, bytes] = {}
    good = SharedRendering(CountingHelm(), cache)  # type: ignore[arg-type]
    good.version(), good.template(RELEASE)
    absent = SharedRendering(CountingHelm(broken=True), cache, program="/nowhere/helm")  # type: ignore[arg-type]
    with pytest.raises(HelmFailed):
        absent.version()
    with pytest.raises(HelmFailed):
        absent.template(RELEASE)
