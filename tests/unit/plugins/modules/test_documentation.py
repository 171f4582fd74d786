# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module's page says is what its argument spec does."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.weaveworks.wge.plugins.module_utils import _argspec

ROOT = Path(__file__).parents[4]
PLUGINS = "ansible_collections.weaveworks.wge.plugins"
SPECS = {
    "wge_git_changes": _argspec.GIT_CHANGES_SPEC,
    "wge_info": _argspec.INFO_SPEC,
    "wge_preflight": _argspec.PREFLIGHT_SPEC,
    "wge_preflight_report": _argspec.PREFLIGHT_REPORT_SPEC,
    "wge_state_export": _argspec.EXPORT_SPEC,
    "wge_state_restore": _argspec.RESTORE_SPEC,
    "wge_upgrade": _argspec.UPGRADE_SPEC,
    "wge_verify": _argspec.VERIFY_CLUSTER_SPEC,
    "wge_validate": _argspec.VALIDATE_SPEC,
    "wge_entitlement_verify": _argspec.VERIFY_SPEC,
    "wge_entitlement_install": _argspec.ENTITLE_SPEC,
    "wge_entitlement_issue": _argspec.ISSUE_SPEC,
    "wge_entitlement_keypair": _argspec.KEYPAIR_SPEC,
    "wge_report": _argspec.REPORT_SPEC,
    "wge_entitlement_report": _argspec.ENTITLEMENT_REPORT_SPEC,
}
FACTS = ("type", "elements", "default", "choices", "required", "aliases")


def documented(name: str) -> dict[str, Any]:
    page = yaml.safe_load(import_module(f"{PLUGINS}.modules.{name}").DOCUMENTATION)
    options: dict[str, Any] = dict(page.get("options", {}))
    for fragment in page["extends_documentation_fragment"]:
        file, _, part = fragment.removeprefix("weaveworks.wge.").partition(".")
        holder = import_module(f"{PLUGINS}.doc_fragments.{file}").ModuleDocFragment
        options.update(yaml.safe_load(getattr(holder, (part or "documentation").upper())).get("options") or {})
    return options


def facts(options: dict[str, Any], inner: str) -> dict[str, Any]:
    return {
        name: {**{fact: option[fact] for fact in FACTS if fact in option}, "inner": facts(option.get(inner, {}), inner)}
        for name, option in options.items()
    }


@pytest.mark.parametrize("name", SPECS)
def test_the_page_names_each_option_as_the_spec_has_it(name: str) -> None:
    assert facts(documented(name), "suboptions") == facts(SPECS[name], "options")


@pytest.mark.parametrize("name", SPECS)
def test_every_module_has_an_action_of_its_name(name: str) -> None:
    action = import_module(f"{PLUGINS}.action.{name}").ActionModule
    assert (action.name, action.spec) == (name, SPECS[name])


def test_what_asks_a_cluster_is_in_the_action_group() -> None:
    group = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["wge"]
    assert sorted(group) == sorted(name for name, spec in SPECS.items() if "kubeconfig" in spec)


@pytest.mark.parametrize("name", SPECS)
def test_examples_use_only_options_there_are(name: str) -> None:
    for task in yaml.safe_load(import_module(f"{PLUGINS}.modules.{name}").EXAMPLES):
        options = task.get(f"weaveworks.wge.{name}") or {}
        assert set(options) <= set(SPECS[name])


@pytest.mark.parametrize("role", ["preflight", "upgrade"])
def test_a_role_hands_every_option_on(role: str) -> None:
    (block,) = yaml.safe_load((ROOT / f"roles/{role}/tasks/main.yml").read_text())
    handed = set(block["block"][0][f"weaveworks.wge.wge_{role}"])
    assert handed == set(SPECS[f"wge_{role}"]) - {"state", "retention_days"}


@pytest.mark.parametrize("role", ["rollback", "finalise"])
def test_the_roles_after_an_upgrade_hand_on_what_they_declare(role: str) -> None:
    (block,) = yaml.safe_load((ROOT / f"roles/{role}/tasks/main.yml").read_text())
    handed = set(block["block"][0]["weaveworks.wge.wge_upgrade"])
    declared = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    assert {f"wge_{name}" for name in handed - {"state"}} == set(declared)
    assert handed <= set(SPECS["wge_upgrade"])


def test_the_entitlement_role_hands_every_option_on() -> None:
    (block,) = yaml.safe_load((ROOT / "roles/entitlement/tasks/main.yml").read_text())
    handed = set(block["block"][0]["weaveworks.wge.wge_entitlement_install"])
    assert handed == set(SPECS["wge_entitlement_install"]) - {"skew_seconds"}


def test_the_export_role_hands_every_option_on() -> None:
    (block,) = yaml.safe_load((ROOT / "roles/export/tasks/main.yml").read_text())
    assert set(block["block"][0]["weaveworks.wge.wge_state_export"]) == set(SPECS["wge_state_export"])


def test_the_restore_role_hands_every_option_on() -> None:
    (block,) = yaml.safe_load((ROOT / "roles/restore/tasks/main.yml").read_text())
    assert set(block["block"][0]["weaveworks.wge.wge_state_restore"]) == set(SPECS["wge_state_restore"])
