# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's variables: their types, their names, and one cluster under two names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.weaveworks.wge.plugins.plugin_utils import _fleet, _settings

ROLES = Path(__file__).parents[4] / "roles"


@pytest.fixture(autouse=True)
def local_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fleet, "DEFAULT_TRANSPORT", "local")
    monkeypatch.setattr(_fleet, "CLIARGS", {})


def declared() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path in ROLES.glob("*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text())["argument_specs"].values():
            options = entry["options"]
            found.update({name: option for name, option in options.items() if name.startswith("wge_")})
    return found


def problems_of(**hosts: dict[str, Any]) -> list[str]:
    return _fleet.examine(list(hosts), hosts)[1]


def test_the_roles_declare_exactly_the_variables_that_are_known() -> None:
    assert sorted(declared()) == sorted(_settings.VARIABLES)


@pytest.mark.parametrize("name", sorted(_settings.VARIABLES))
def test_a_role_declares_a_variable_with_its_type_and_its_secrecy(name: str) -> None:
    keys = ("type", "elements", "choices")
    option, known = declared()[name], _settings.VARIABLES[name]
    assert {key: option.get(key) for key in keys} == {key: known.get(key) for key in keys}
    assert bool(option.get("no_log")) == bool(known.get("no_log"))
    assert "default" not in option


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("wge_confirm", "false", False),
        ("wge_confirm", "True", True),
        ("wge_max_failed", "10", 10),
        ("wge_soak_seconds", "0", 0.0),
        ("wge_entry_urls", "https://a,https://b", ["https://a", "https://b"]),
        ("wge_validate_certs", "no", False),
    ],
)
def test_a_survey_s_string_becomes_the_setting_s_type(name: str, given: str, wanted: Any) -> None:
    settings, problems = _settings.typed({name: given})
    assert problems == []
    assert settings[name.removeprefix("wge_")] == wanted


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"wge_max_failed": "10 %"}, "wge_max_failed is '10 %', but it must be a whole number."),
        ({"wge_confirm": ""}, "wge_confirm is '', but it must be true or false."),
        ({"wge_soak_seconds": "long"}, "wge_soak_seconds is 'long', but it must be a number."),
        ({"wge_values": ["a"]}, "wge_values must be a dictionary."),
        ({"wge_blocked": "no"}, "wge_blocked is 'no', but it must be one of fail, skip."),
        (
            {"wge_proxy_headers": {"other": "x"}},
            "wge_proxy_headers must be a dictionary of proxy_basic_auth, basic_auth, user_agent.",
        ),
    ],
)
def test_what_cannot_be_converted_is_one_sentence(values: dict[str, Any], sentence: str) -> None:
    assert _settings.typed(values)[1] == [sentence]


def test_an_unanswered_text_question_is_not_given() -> None:
    settings, problems = _settings.typed({"wge_chart": "", "wge_context": None})
    assert problems == []
    assert "chart" not in settings


def test_settings_of_the_run_have_their_defaults_and_those_of_the_modules_have_none() -> None:
    settings, _ = _settings.typed({})
    assert sorted(settings) == ["blocked", "confirm", "max_failed", "report_dir", "show"]
    assert settings["confirm"] is True
    assert settings["report_dir"].startswith("/")


def test_secrets_are_not_in_the_fact() -> None:
    secrets = {
        "wge_api_key": "canary",
        "wge_entitlement": "canary",
        "wge_kubeconfig": {"users": [{"user": {"token": "canary"}}]},
        "wge_values": {"password": "canary"},
        "wge_proxy_headers": {"basic_auth": "user:canary"},
        "wge_proxy": "http://user:canary@proxy:3128",
    }
    settings, problems = _settings.typed(secrets)
    assert problems == []
    assert "canary" not in repr(settings)


def test_an_unknown_variable_is_named_with_the_one_that_was_meant() -> None:
    problems = problems_of(c1={"wge_host": "https://a", "wge_kubconfig": "x"})
    assert problems == ["c1: wge_kubconfig is not a setting of this collection; did you mean wge_kubeconfig?"]


def test_the_same_mistake_everywhere_is_told_once() -> None:
    problems = problems_of(a={"wge_host": "https://a", "wge_max_failed": "x"}, b={"wge_host": "https://b", "wge_max_failed": "x"})
    assert problems == ["every cluster: wge_max_failed is 'x', but it must be a whole number."]


def test_one_api_address_under_two_names_is_refused() -> None:
    problems = problems_of(a={"wge_host": "https://x:6443/", "wge_api_key": "t"}, b={"wge_host": "https://x:6443", "wge_api_key": "t"})
    assert problems == ["a and b have the same API address, https://x:6443; keep one of them."]


def test_two_contexts_of_one_cluster_are_one_cluster(tmp_path: Path) -> None:
    contexts = [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("one", "two")]
    content = {
        "clusters": [{"name": "c", "cluster": {"server": "https://x:6443"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": contexts,
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    hosts = {name: {"wge_kubeconfig": str(path), "wge_context": name} for name in ("one", "two")}
    assert problems_of(**hosts) == ["one and two have the same API address, https://x:6443; keep one of them."]


def test_private_networks_behind_two_proxies_may_use_one_address() -> None:
    common = {"wge_host": "https://10.0.0.1:6443", "wge_api_key": "t"}
    assert problems_of(a={**common, "wge_proxy": "http://p1:3128"}, b={**common, "wge_proxy": "http://p2:3128"}) == []


def test_a_proxy_s_password_is_not_in_the_sentence() -> None:
    common = {"wge_host": "https://x", "wge_api_key": "t", "wge_proxy": "http://u:canary@p:3128"}
    (problem,) = problems_of(a=common, b=common)
    assert "canary" not in problem


def test_one_address_behind_two_bastions_is_two_clusters_and_behind_one_it_is_one() -> None:
    common = {"wge_host": "https://10.0.0.1:6443", "ansible_connection": "ssh"}
    assert problems_of(a={**common, "ansible_host": "b1"}, b={**common, "ansible_host": "b2"}) == []
    assert len(problems_of(a={**common, "ansible_host": "b1"}, b={**common, "ansible_host": "b1"})) == 1


def test_one_recorded_uid_under_two_names_is_refused() -> None:
    hosts = {name: {"wge_host": f"https://{name}", "wge_cluster_uid": "uid-1"} for name in ("a", "b")}
    assert problems_of(**hosts) == ["a and b have the same cluster UID, uid-1; keep one of them."]


def test_a_host_that_names_no_cluster_is_refused() -> None:
    assert problems_of(a={}) == ["a: no cluster is named; set wge_kubeconfig, wge_context or wge_host."]


def test_a_host_that_is_judged_by_a_snapshot_needs_no_cluster() -> None:
    assert problems_of(a={"wge_snapshot_from": "a.json.gz"}) == []


def test_the_environment_can_name_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_HOST", "https://x")
    assert problems_of(a={}) == []


def test_a_kubeconfig_that_is_missing_is_left_to_its_own_cluster_s_preflight() -> None:
    assert problems_of(a={"wge_kubeconfig": "/nowhere"}, b={"wge_kubeconfig": "/nowhere"}) == []


def test_a_setting_of_the_run_must_be_the_same_everywhere() -> None:
    problems = problems_of(a={"wge_host": "https://a", "wge_max_failed": 1}, b={"wge_host": "https://b"})
    assert problems == ["wge_max_failed is 1 for a and 0 for b; set it once for all clusters."]


def test_a_template_that_fails_is_named() -> None:
    class Variables(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            if name == "wge_chart":
                raise ValueError("'nothing' is undefined")
            return super().__getitem__(name)

    problems = problems_of(a=Variables(wge_host="https://a", wge_chart="{{ nothing }}"))
    assert problems == ["a: wge_chart cannot be read: 'nothing' is undefined"]


@pytest.mark.parametrize(("size", "wrong"), [(None, False), (2, False), (3, True)])
def test_the_promised_size_of_the_fleet_must_be_seen(size: int | None, wrong: bool) -> None:
    promised = {} if size is None else {"fleet_size": size}
    assert bool(_fleet.size_problem({"a": promised, "b": promised})) is wrong


def test_the_group_fleet_is_the_fleet_and_without_it_every_host_is() -> None:
    assert _fleet.fleet_of({"all": ["a", "b"], "fleet": ["b"]}) == ["b"]
    assert _fleet.fleet_of({"all": ["a", "b"]}) == ["a", "b"]


def test_the_validator_of_ansible_takes_every_spec() -> None:
    assert ArgumentSpecValidator(_settings.VARIABLES).validate({}).error_messages == []
