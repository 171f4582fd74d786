# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action base does around the one call, seen through real runs of Ansible."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

INFO = "weaveworks.wge.wge_info"
UPGRADE = "weaveworks.wge.wge_upgrade"


@pytest.fixture
def bastion(tmp_path: Path) -> dict[str, Any]:
    """Variables of a host whose connection is ssh."""
    program = tmp_path / "ssh"
    shutil.copy(Path(__file__).parent / "fake_ssh.py", program)
    program.chmod(0o755)
    remote = tmp_path / "remote"
    return {
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_ssh_executable": str(program),
        "ansible_remote_tmp": str(remote),
        "ansible_pipelining": True,
        "ansible_python_interpreter": sys.executable,
    }


def test_strings_of_a_survey_become_the_option_s_type(bench: Any) -> None:
    bench.task({INFO: {"validate_certs": "{{ 'fal' + 'se' }}", "impersonate_groups": "a,b"}})
    assert bench.registered["installed"]["params"]["validate_certs"] is False
    assert bench.registered["installed"]["params"]["impersonate_groups"] == ["a", "b"]


def test_the_engine_gets_plain_strings_without_ansible_s_tags(bench: Any) -> None:
    bench.task({INFO: {"context": "{{ inventory_hostname }}", "release": "good"}})
    assert bench.registered["types"]["context"] == "str"
    assert bench.registered["types"]["release"] == "str"


def test_an_alias_arrives_under_the_option_s_own_name(bench: Any) -> None:
    bench.task({INFO: {"verify_ssl": False}})
    assert bench.registered["installed"]["params"]["validate_certs"] is False
    assert "verify_ssl" not in bench.registered["types"]


def test_environment_of_the_task_gives_options_and_reaches_programs(bench: Any) -> None:
    variables = {"K8S_AUTH_CONTEXT": "from-{{ inventory_hostname }}", "WGE_TEST_WORD": "{{ 1 + 1 }}"}
    bench.task({INFO: {}, "environment": [{"K8S_AUTH_CONTEXT": "outer"}, variables]})
    assert bench.registered["installed"]["params"]["context"] == "from-c1"
    assert bench.registered["installed"]["environment"]["WGE_TEST_WORD"] == "2"


def test_the_process_environment_gives_options_too_and_a_parameter_wins(bench: Any) -> None:
    bench.variables = {"K8S_AUTH_CONTEXT": "a", "K8S_AUTH_VERIFY_SSL": "no", "K8S_AUTH_PROXY_HEADERS_USER_AGENT": "us"}
    bench.task({INFO: {"context": "b"}})
    seen = bench.registered["installed"]["params"]
    assert (seen["context"], seen["validate_certs"]) == ("b", False)
    assert seen["proxy_headers"]["user_agent"] == "us"


def test_module_defaults_of_the_action_group_count(bench: Any) -> None:
    play = {
        "hosts": "all",
        "gather_facts": False,
        "module_defaults": {"group/weaveworks.wge.wge": {"context": "by-group"}},
        "tasks": [{INFO: {}, "register": "seen"}, {"debug": {"msg": "context is {{ seen.installed.params.context }}"}}],
    }
    assert "context is by-group" in bench.playbook([play], {"c1": {}}).output


def test_become_is_refused_where_it_has_no_effect(bench: Any) -> None:
    bench.task({INFO: {}, "become": True})
    assert bench.registered["failed"]
    assert "become has no effect" in bench.registered["msg"]


def test_an_unknown_option_is_refused_in_ansible_s_words_and_blocks(bench: Any) -> None:
    bench.task({INFO: {"contxt": "a"}})
    assert "Unsupported parameters" in bench.registered["msg"]
    assert bench.registered["verdict"] == "blocked"


def test_secrets_are_in_no_result_and_in_no_output(bench: Any) -> None:
    users = [{"name": "u", "user": {"token": "canary-of-the-kubeconfig"}}]
    options = {"api_key": "canary-of-the-option", "kubeconfig": {"users": users}}
    run = bench.task({INFO: options}, "-vvvv", entitlement="x")
    shown = run.output.replace(json.dumps(options), "")
    assert "canary" not in json.dumps(bench.registered)
    assert "canary" not in shown
    assert "invocation" not in bench.registered


def test_a_host_with_another_connection_gets_the_module(bench: Any, bastion: dict[str, Any]) -> None:
    users = [{"name": "u", "user": {"token": "canary-of-the-kubeconfig"}}]
    options = {"api_key": "canary-of-the-option", "kubeconfig": {"users": users}, "validate_certs": "no"}
    run = bench.task({INFO: options}, "-vvv", **bastion)
    assert bench.registered["controller"] is False, run.output
    assert bench.registered["installed"]["params"]["validate_certs"] is False
    assert "canary" not in json.dumps(bench.registered)
    assert "canary" not in run.output


def test_without_pipelining_secrets_do_not_go_to_a_bastion(bench: Any, bastion: dict[str, Any]) -> None:
    bench.task({INFO: {"api_key": "canary"}}, **{**bastion, "ansible_pipelining": False})
    assert "without pipelining they would lie in a file" in bench.registered["msg"]


def test_without_secrets_a_bastion_needs_no_pipelining(bench: Any, bastion: dict[str, Any]) -> None:
    bench.task({INFO: {"kubeconfig": "/etc/kubeconfig"}}, **{**bastion, "ansible_pipelining": False})
    assert bench.registered["installed"]["rung"] == "installed"


@pytest.mark.parametrize("name", ["wge_validate", "wge_report"])
def test_what_needs_the_controller_refuses_another_host_by_name(bench: Any, bastion: dict[str, Any], name: str) -> None:
    options = {"run": "r"} if name == "wge_report" else {}
    bench.task({f"weaveworks.wge.{name}": options}, **bastion)
    assert bench.registered["msg"] == f"{name} runs on the controller only; give the task delegate_to: localhost."


def test_a_report_that_cannot_be_written_is_still_told_on_the_terminal(bench: Any) -> None:
    (bench.folder / "file").write_text("")
    options = {"run": "r1", "report_dir": str(bench.folder / "file" / "reports"), "outcomes": {"c1": {"verdict": "upgraded"}}}
    run = bench.task({"weaveworks.wge.wge_report": options})
    assert "1 cluster upgraded" in run.output
    path = bench.folder / "file" / "reports" / "r1.json"
    assert bench.registered["msg"] == f"The report {path} cannot be written: Not a directory; set wge_report_dir to a folder of yours."


def test_a_bastion_s_preflight_is_a_table_on_the_controller_and_a_summary(bench: Any, bastion: dict[str, Any]) -> None:
    run = bench.task({"weaveworks.wge.wge_preflight": {"host": "https://x", "show": "all"}}, **bastion)
    assert "  cluster  CL-01  pass  API server reachable: It answers.\n" in run.output
    assert bench.registered["checks"] == [] and "plan" not in bench.registered


def test_a_bastion_s_climb_is_recorded_on_the_controller(bench: Any, bastion: dict[str, Any]) -> None:
    settings = {"report_dir": str(bench.folder / "reports"), "run": "r1"}
    bench.task({UPGRADE: {}, "vars": {"validate_settings": settings}}, **bastion)
    (record,) = [json.loads(line) for line in (bench.folder / "reports/r1.jsonl").read_text().splitlines()]
    assert (record["host"], record["result"]["verdict"]) == ("c1", "upgraded")


def test_steps_and_verdict_are_in_the_run_file_and_no_secret(bench: Any) -> None:
    settings = {"report_dir": str(bench.folder / "reports"), "run": "r1"}
    bench.task({UPGRADE: {"entitlement": "canary"}, "vars": {"validate_settings": settings}})
    text = (bench.folder / "reports/r1.jsonl").read_text()
    records = [json.loads(line) for line in text.splitlines()]
    assert [record["record"] for record in records] == ["step", "step", "verdict"]
    assert "canary" not in text


def test_check_mode_records_nothing(bench: Any) -> None:
    settings = {"report_dir": str(bench.folder / "reports"), "run": "r1"}
    bench.task({UPGRADE: {}, "vars": {"validate_settings": settings}}, "--check")
    assert not (bench.folder / "reports").exists()


def test_without_the_callback_progress_comes_through_display(bench: Any) -> None:
    assert "[c1] S12 flip: done (0.1 s)" in bench.task({UPGRADE: {}}).output


def test_the_callback_prints_one_plain_line_an_event(bench: Any) -> None:
    bench.variables = {"ANSIBLE_CALLBACKS_ENABLED": "weaveworks.wge.progress"}
    play = {"hosts": "all", "gather_facts": False, "tasks": [{UPGRADE: {}}]}
    run = bench.playbook([play], {f"c{number}": {} for number in range(8)})
    assert run.code == 0, run.output
    for number in range(8):
        assert run.output.count(f"[c{number}] S12 flip: done (0.1 s)\n") == 1
        assert run.output.count(f"[c{number}] S12 flip: …\n") == 1


def test_workers_of_one_run_share_what_one_of_them_found(bench: Any) -> None:
    ask = {INFO: {"host": "{{ inventory_hostname }}"}, "register": "seen"}
    show = {"ansible.builtin.debug": {"msg": "found {{ seen.found_in_cache | join('+') }}."}}
    run = bench.playbook([{"hosts": "all", "gather_facts": False, "tasks": [ask, show]}], {"c1": {}, "c2": {}}, "--forks=1")
    assert "found c1." in run.output, run.output


def test_vaulted_values_arrive_in_clear_and_are_shown_nowhere(bench: Any) -> None:
    (bench.folder / "password").write_text("p")
    words = ["encrypt_string", "--vault-password-file", str(bench.folder / "password"), "canary-in-a-vault"]
    vaulted = bench.run("vault", *words).output.partition("!vault |")[2].partition("Encryption successful")[0]
    block = "!vault |\n" + "\n".join(f"        {line.strip()}" for line in vaulted.split())
    content = f"wge_entitlement: {block}\nkube:\n  users:\n  - user:\n      token: {block}\n"
    (bench.folder / "vars.yml").write_text(content)
    options = {"kubeconfig": "{{ kube }}", "api_key": "{{ wge_entitlement }}", "release": "vaulted"}
    run = bench.task({INFO: options}, "-e@vars.yml", "--vault-password-file=password", "-vvv")
    assert bench.registered["lengths"] == {"api_key": 17, "token": 17}, run.output
    assert "canary" not in run.output
    assert "canary" not in json.dumps(bench.registered)


def test_it_works_ad_hoc(bench: Any) -> None:
    inventory = bench.inventory({"c1": {}})
    run = bench.run("adhoc", "c1", "-i", inventory, "-m", INFO, "-a", "release=good context=x")
    assert run.code == 0, run.output
    assert '"rung": "installed"' in run.output
