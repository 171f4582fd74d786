# SPDX-License-Identifier: GPL-3.0-or-later
"""The entitlement service as data for awx.awx: its modules know each option, and our role each variable."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import ansible_collections.awx.awx.plugins as awx
import pytest
import yaml
from ansible.parsing.dataloader import DataLoader

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import ISSUE_VARIABLES
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.features import KNOWN
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.request import ALL, LONGEST_NAME, LONGEST_VALIDITY, NONE

ROOT = Path(__file__).parents[3]
AWX = ROOT / "extensions" / "awx"
QUESTION = {"question_name", "question_description", "variable", "type", "required", "default", "min", "max", "choices"}
"""What AWX's survey has; a question with another member is refused."""
ANSWERS = {"text": ("str",), "multiselect": ("list",), "integer": ("int",)}
"""The types of AWX's questions that we use, and the options that can take their answers."""


def data(name: str) -> dict[str, Any]:
    (found,) = DataLoader().load_from_file(str(AWX / f"{name}.yml")).values()
    return dict(found)


def options_of(module: str) -> dict[str, Any]:
    (folder,) = [Path(place) / "modules" for place in awx.__path__ if (Path(place) / "modules").is_dir()]
    for node in ast.parse((folder / f"{module}.py").read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            return dict(yaml.safe_load(ast.literal_eval(node.value))["options"])
    raise AssertionError(f"{module} has no DOCUMENTATION")


JOB = data("job_template")
SURVEY: list[dict[str, Any]] = JOB["survey_spec"]["spec"]
KINDS = {"str": str, "bool": bool, "dict": dict, "int": int}


@pytest.mark.parametrize("module", ["job_template", "credential_type"])
def test_each_option_is_one_of_the_module_s_and_has_its_type(module: str) -> None:
    options = options_of(module)
    for name, value in data(module).items():
        assert name in options
        filled_in_later = isinstance(value, str) and value.startswith("{{")
        assert filled_in_later or isinstance(value, KINDS[options[name]["type"]])
        assert filled_in_later or value in options[name].get("choices", [value])


@pytest.mark.parametrize("module", ["job_template", "credential_type"])
def test_the_playbook_hands_all_of_it_on(module: str) -> None:
    (play,) = DataLoader().load_from_file(str(AWX / "playbooks" / "configure.yml"))
    (task,) = [task for task in play["tasks"] if f"awx.awx.{module}" in task]
    wanted = {name: f"{{{{ entitlement_service_{module}.{name} }}}}" for name in data(module)}
    assert task[f"awx.awx.{module}"] == wanted


def test_what_is_filled_in_has_a_setting() -> None:
    settings = DataLoader().load_from_file(str(AWX / "settings.yml"))
    used = {
        value[3:-3] for value in [*JOB.values(), *JOB["extra_vars"].values()] if isinstance(value, str) and value.endswith("_folder }}")
    }
    used |= {value[3:-3] for value in JOB.values() if isinstance(value, str) and value.startswith("{{ entitlement_service")}
    assert used <= set(settings)


@pytest.mark.parametrize("question", SURVEY, ids=lambda question: question["variable"])
def test_a_question_is_one_that_awx_can_ask_and_the_role_can_use(question: dict[str, Any]) -> None:
    role = yaml.safe_load((ROOT / "roles/issue/meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    option = role[question["variable"]]
    assert set(question) <= QUESTION
    assert option["type"] in ANSWERS[question["type"]]
    assert option == option | {"type": ISSUE_VARIABLES[question["variable"].removeprefix("wge_")]["type"]}
    assert not option.get("no_log")


def test_the_survey_asks_for_customer_features_and_end() -> None:
    asked = {question["variable"]: question for question in SURVEY}
    assert list(asked) == ["wge_customer", "wge_customer_features", "wge_customer_expires", "wge_customer_valid_days"]
    assert asked["wge_customer"]["max"] == LONGEST_NAME
    assert asked["wge_customer_features"]["choices"] == [ALL, NONE, *sorted(KNOWN)]
    assert asked["wge_customer_valid_days"]["max"] == LONGEST_VALIDITY
    assert asked["wge_customer_valid_days"]["min"] > ISSUE_VARIABLES["renew_before_days"]["default"]


def test_variables_that_come_without_being_asked_are_the_role_s_too() -> None:
    injected = data("credential_type")["injectors"]["extra_vars"]
    given = [*injected, *(name for name in JOB["extra_vars"] if name != "entitlement_service_folder")]
    assert {name.removeprefix("wge_") for name in given} <= set(ISSUE_VARIABLES)


def test_the_playbook_of_the_job_is_there() -> None:
    settings = DataLoader().load_from_file(str(AWX / "settings.yml"))
    assert (ROOT / settings["entitlement_service_playbook"]).is_file()


def test_the_key_is_filled_in_by_awx_and_not_here() -> None:
    injected = data("credential_type")["injectors"]["extra_vars"]
    assert injected["wge_signing_key"] == "{{ signing_key }}"
    raw = (AWX / "credential_type.yml").read_text()
    assert all(f"{name}: !unsafe" in raw for name in injected)
    secret = {field["id"] for field in data("credential_type")["inputs"]["fields"] if field["secret"]}
    assert secret == {"signing_key", "signing_key_passphrase"}
