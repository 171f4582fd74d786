# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's playbook over an inventory of customers, with a ledger in a file: real runs of the collection as it is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import ISSUE_SPEC
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.keys import generate
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.manifest import credentials_of

ROOT = Path(__file__).parents[4]
CHANGED = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) .*failed=(\d+)", re.MULTILINE)
Hosts = dict[str, dict[str, Any]]


@dataclass
class Ended:
    code: int
    text: str

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """By host: changed, failed."""
        return {host: (int(changed), int(failed)) for host, changed, failed in CHANGED.findall(self.text)}

    @property
    def plain(self) -> str:
        return " ".join(self.text.split())


class Office:
    """A vendor's folder, and the playbook in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ledger, self.out = folder, folder / "ledger.jsonl", folder / "out"
        self.key = generate()
        (folder / "key.pem").write_text(self.key.pem())
        (folder / "key.pem").chmod(0o600)

    def run(self, hosts: Hosts, *words: str, **common: Any) -> Ended:
        variables = {
            "ansible_python_interpreter": sys.executable,
            "wge_signing_key_path": str(self.folder / "key.pem"),
            "wge_ledger": str(self.ledger),
            "wge_entitlement_file": f"{self.out}/{{{{ inventory_hostname }}}}.yaml",
            "wge_report_dir": str(self.folder / "reports"),
            **common,
        }
        path = self.folder / "customers.yml"
        path.write_text(yaml.safe_dump({"all": {"children": {"customers": {"vars": variables, "hosts": hosts}}}}))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_AUTH_", "AWX_"))}
        environment = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}
        command = [sys.executable, "-m", "ansible", "playbook", str(ROOT / "playbooks/issue_entitlements.yml"), "-i", str(path), *words]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**kept, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
            check=False,
        )
        return Ended(done.returncode, done.stdout)

    def token(self, host: str) -> str:
        return credentials_of((self.out / f"{host}.yaml").read_bytes())["entitlement"]

    def rows(self) -> dict[str, dict[str, Any]]:
        return {row["customer"]: row for row in map(json.loads, self.ledger.read_text().splitlines())}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_all_customers_are_served_once_and_a_bad_one_does_not_keep_the_others_from_it(office: Office) -> None:
    hosts: Hosts = {
        "acme": {"wge_customer": "ops@acme.example", "wge_customer_features": ["templates", "pipelines"]},
        "beta": {"wge_customer_expires": "2099-06-30"},
        "gamma": {"wge_customer_expires": "2020-01-01"},
    }
    first = office.run(hosts)
    assert first.code == 2, first.text
    assert first.counts["acme"] == first.counts["beta"] == (1, 0) and first.counts["gamma"] == (0, 1)
    assert "gamma: expires is 2020-01-01T23:59:59Z, which is in the past." in first.plain
    rows = office.rows()
    assert sorted(rows) == ["beta", "ops@acme.example"]
    assert rows["ops@acme.example"]["features"] == ["pipelines", "templates"]
    assert rows["beta"]["expires"] == "2099-06-30T23:59:59Z" and rows["beta"]["features"] is None
    tokens = office.token("acme"), office.token("beta")

    hosts.pop("gamma")
    again = office.run(hosts)
    assert again.code == 0, again.text
    assert set(again.counts.values()) == {(0, 0)}
    assert (office.token("acme"), office.token("beta")) == tokens
    assert re.search(r"^acme +ok .*ops@acme\.example +pipelines, templates .*unchanged", again.text, re.MULTILINE)


def test_a_check_lists_what_would_be_issued_and_writes_nothing(office: Office) -> None:
    before = sorted(path.name for path in office.folder.iterdir())
    run = office.run({"acme": {}}, "--check")
    assert run.code == 0, run.text
    assert run.counts["acme"] == (1, 0)
    assert re.search(r"^acme +ok +364 .* issued ", run.text, re.MULTILINE)
    assert sorted(path.name for path in office.folder.iterdir()) == sorted([*before, "customers.yml", ".ansible"])


def test_a_survey_s_answers_are_strings_and_an_empty_one_is_none(office: Office) -> None:
    answers = {
        "wge_customer": "ops@acme.example",
        "wge_customer_features": ["none"],
        "wge_customer_expires": "",
        "wge_customer_not_before": "",
        "wge_customer_valid_days": "45",
        "wge_renew_before_days": "",
        "wge_return_token": "false",
        "wge_ledger_configmap": "",
        "wge_signing_key": "",
        "wge_entitlement_format": "",
    }
    run = office.run({"service": {}}, "-e", json.dumps(answers), "-vvv")
    assert run.code == 0, run.text
    row = office.rows()["ops@acme.example"]
    assert row["features"] == []
    assert re.search(r"^service +notice +44 ", run.text, re.MULTILINE)
    assert "status: issued" in run.text


@pytest.mark.parametrize(("given", "features"), [("", None), ([], []), ("all", None), ("pipelines,run", ["pipelines", "run"])])
def test_no_answer_grants_all_and_an_empty_list_nothing(office: Office, given: Any, features: Any) -> None:
    assert office.run({"acme": {"wge_customer_features": given}}).code == 0
    assert office.rows()["acme"]["features"] == features


def test_a_customer_that_is_named_for_all_hosts_gets_nothing(office: Office) -> None:
    hosts: Hosts = {"acme": {}, "beta": {}}
    run = office.run(hosts, "-e", "wge_customer=ops@acme.example")
    assert run.code == 2
    assert "All 2 hosts have the same wge_customer; give --limit with the one host that it is for." in run.plain
    assert not office.ledger.exists()
    limited = office.run(hosts, "-e", "wge_customer=ops@acme.example", "--limit", "acme")
    assert limited.code == 0, limited.text
    assert sorted(office.rows()) == ["ops@acme.example"]


@pytest.mark.parametrize("asked", [False, True])
def test_no_byte_of_key_or_token_is_in_the_output(office: Office, asked: bool) -> None:
    passphrase = "planted-passphrase-of-the-key"
    common = {"wge_signing_key": office.key.pem(passphrase), "wge_signing_key_passphrase": passphrase, "wge_signing_key_path": ""}
    run = office.run({"acme": {}, "beta": {"wge_customer_expires": "soon"}}, "-vvvv", wge_return_token=asked, **common)
    assert run.code == 2, run.text
    token = office.token("acme")
    planted = [*token.split(".")[1:], passphrase, *common["wge_signing_key"].splitlines()[1:-1]]
    written = run.text + "".join(path.read_text() for path in (office.folder / "reports").iterdir()) + office.ledger.read_text()
    assert all(len(text) > 20 for text in planted)
    assert not [text for text in planted if text in written]
    assert ("issue_token" in run.text) is False
    assert "beta: expires is 'soon', which is no date." in run.plain


def test_the_entitlement_is_a_fact_when_it_was_asked_for(office: Office) -> None:
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [
                {
                    "ansible.builtin.include_role": {"name": "weaveworks.wge.issue"},
                    "vars": {
                        "wge_customer": "acme",
                        "wge_return_token": True,
                        "wge_signing_key": office.key.pem(),
                        "wge_ledger": "ledger.jsonl",
                    },
                },
                {
                    "ansible.builtin.copy": {"content": "{{ issue_token }}", "dest": str(office.folder / "token"), "mode": "0600"},
                    "no_log": True,
                },
            ],
        }
    ]
    (office.folder / "play.yml").write_text(yaml.safe_dump(play))
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "ansible", "playbook", "play.yml"]
    done = subprocess.run(command, cwd=office.folder, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout
    token = (office.folder / "token").read_text()
    assert token.count(".") == 2 and token not in done.stdout + done.stderr


def test_a_mistyped_variable_is_warned_of(office: Office) -> None:
    run = office.run({"acme": {"wge_customer_expire": "2099-01-01"}})
    assert "wge_customer_expire is not a setting of this collection; did you mean wge_customer_expires?" in run.plain


def test_the_role_hands_every_option_on() -> None:
    (block,) = yaml.safe_load((ROOT / "roles/issue/tasks/main.yml").read_text())
    assert set(block["block"][0]["weaveworks.wge.wge_entitlement_issue"]) == set(ISSUE_SPEC)
