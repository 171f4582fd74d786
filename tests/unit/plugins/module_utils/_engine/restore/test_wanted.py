# SPDX-License-Identifier: GPL-3.0-or-later
"""What an object of an archive shall be, where only the cluster can know a part of it."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.wanted import wanted

NAME = "wego-app-service-account"
STATED = {"name": f"{NAME}-token"}
MADE = [{"name": f"{NAME}-token-x7k2p"}, {"name": f"{NAME}-dockercfg-9b4zt"}]


def _account(*secrets: dict[str, str]) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME}, "secrets": list(secrets)}


def test_an_account_made_anew_names_the_secrets_that_its_manifest_states_and_not_those_that_a_controller_made() -> None:
    assert wanted(_account(STATED, *MADE), None, lambda _reference: "", foreign=False)["secrets"] == [STATED]


def test_an_account_of_which_a_controller_made_all_secrets_names_none() -> None:
    assert "secrets" not in wanted(_account(*MADE), None, lambda _reference: "", foreign=False)


@pytest.mark.parametrize("there", [[STATED], [{"name": f"{NAME}-token-b5fgh"}], []])
def test_an_account_that_is_there_keeps_its_own(there: list[dict[str, str]]) -> None:
    found = wanted(_account(*MADE), _account(*there), lambda _reference: "", foreign=False)
    assert found.get("secrets", []) == there
