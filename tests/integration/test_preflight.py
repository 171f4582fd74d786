# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight on a real API server: silent on a healthy cluster, and right about broken ones.

Nobody here is a cluster administrator: the preflight has the rights of docs/rbac and no others. All runs are looked at once more at the
end, in the API server's own audit log.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from testbed import Cluster, audit, charts
from testbed.api import Api

from integration import evidence
from integration.broken import RECIPES, RELEASE_SECRET, WG, Bench, Recipe
from integration.lab import FAST, ROOT, Lab

RBAC = ROOT / "docs" / "rbac"
RECIPES_PAGE = ROOT / "docs" / "docsite" / "rst" / "broken_clusters.rst"
LOOKER, UPGRADER = "wge-preflight", "wge-upgrade"
NOT_GREEN = ("warn", "fail", "error")
MAY_NOT = {"PE-02": "fail", "PE-03": "fail", "PE-04": "fail"}
"""What the preflight says of a user who may only look."""
MOST_REQUESTS = 80


@dataclass
class Preflights:
    """A cluster, the two users, and what was found so far."""

    bench: Bench
    users: dict[str, Path]
    began: float
    results: list[dict[str, Any]] = field(default_factory=list)

    def preflight(self, user: str = UPGRADER) -> dict[str, Any]:
        """What one preflight finds; kept for the test that counts."""
        found = self.run("wge_preflight", user, output="full")
        self.results.append(found)
        return found

    def run(self, module: str, user: str = UPGRADER, **more: Any) -> dict[str, Any]:
        """One call of a module from the command line."""
        bench, lab = self.bench, self.bench.lab
        options = {
            "kubeconfig": str(self.users[user]),
            "cluster_uid": bench.cluster.uid,
            "entry_urls": [bench.cluster.entry_url],
            "chart": str(lab.bed.paths.charts / "mccp"),
            "helm": str(lab.bed.paths.helm),
            "entitlement_public_keys": lab.public_keys,
            **bench.options,
            **more,
        }
        return ask(lab, bench.cluster.name, module, options)


def ask(lab: Lab, host: str, module: str, options: dict[str, Any]) -> dict[str, Any]:
    """``ansible HOST -m weaveworks.wge.MODULE``; the result stands behind what is told."""
    folder = lab.folder()
    inventory = lab.inventory(folder, {host: {}})
    program = str(Path(sys.executable).parent / "ansible")
    more = {"ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_VAULT_PASSWORD_FILE": str(lab.vault_password)}
    words = [program, host, "-i", str(inventory), "-m", f"weaveworks.wge.{module}", "-a", json.dumps(options)]
    done = subprocess.run(
        words, cwd=folder, env={**lab.environment(folder), **more}, capture_output=True, text=True, check=False, timeout=120
    )
    table, arrow, result = done.stdout.partition(" => ")
    assert arrow and "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    found: dict[str, Any] = json.JSONDecoder().raw_decode(result)[0]
    assert (done.returncode != 0) is ("FAILED!" in table) and host in table
    return {**found, "failed": done.returncode != 0}


def not_green(found: dict[str, Any]) -> dict[str, str]:
    """The status of each check that has something to say."""
    return {check["id"]: check["status"] for check in found["checks"] if check["status"] in NOT_GREEN}


def said(found: dict[str, Any], check: str) -> str:
    """The evidence of one check."""
    return next(str(entry["evidence"]) for entry in found["checks"] if entry["id"] == check)


def grant(api: Api, file: Path) -> None:
    """What an administrator does with a file of docs/rbac."""
    for item in yaml.safe_load(file.read_text(encoding="utf-8"))["items"]:
        place = f"/namespaces/{item['metadata']['namespace']}" if "namespace" in item["metadata"] else ""
        api.create(f"/apis/{item['apiVersion']}{place}/{item['kind'].lower()}s", item)


@pytest.fixture(scope="module")
def preflights(lab: Lab) -> Iterator[Preflights]:
    """One cluster for all tests of this file, which leave it as it was."""
    cluster: Cluster = lab.cluster("p1")
    bench = Bench(lab, cluster, cluster.api())
    users = {user: lab.root / f"{user}.kubeconfig" for user in (LOOKER, UPGRADER)}
    for user, path in users.items():
        grant(bench.api, RBAC / f"{user.removeprefix('wge-')}.yml")
        cluster.write_kubeconfig(path, user)
    yield Preflights(bench, users, time.time())
    bench.api.close()


@pytest.fixture
def bench(preflights: Preflights) -> Iterator[Bench]:
    """The cluster, repaired after the test."""
    yield preflights.bench
    preflights.bench.repair()


def test_a_healthy_cluster_is_green_for_who_may_upgrade_it(preflights: Preflights) -> None:
    found = preflights.preflight(UPGRADER)
    assert not_green(found) == {}
    assert found["verdict"] == "pass" and not found["failed"]
    assert found["plan"] and found["api"]["requests"] <= MOST_REQUESTS


def test_who_may_only_look_is_told_of_rights_alone(preflights: Preflights) -> None:
    found = preflights.preflight(LOOKER)
    assert not_green(found) == MAY_NOT
    assert found["verdict"] == "blocked" and found["api"]["dry_runs"] == 0
    assert said(found, "CL-09").startswith("No dry run was made: we may not create deployments.apps")


@pytest.mark.parametrize("recipe", RECIPES, ids=[recipe.breaks.__name__ for recipe in RECIPES])
def test_a_broken_cluster_is_found_by_its_check_and_by_what_follows_only(preflights: Preflights, bench: Bench, recipe: Recipe) -> None:
    recipe.breaks(bench)
    found = preflights.preflight()
    assert not_green(found) == {recipe.check: recipe.status, **recipe.follows}
    assert re.search(recipe.seen, said(found, recipe.check)), said(found, recipe.check)
    (check,) = (entry for entry in found["checks"] if entry["id"] == recipe.check)
    assert check["remedy"] and "Traceback" not in json.dumps(found)
    blocks = recipe.status == "fail"
    assert found["verdict"] == ("blocked" if blocks else "warn") and found["failed"] is blocks
    assert not blocks or recipe.check in found["msg"] or any(check in found["msg"] for check in recipe.follows)


def test_a_release_that_cannot_be_decoded_is_named_and_not_quoted(preflights: Preflights, bench: Bench) -> None:
    bench.change(RELEASE_SECRET, {"data": {"release": "anVuaw=="}})
    found = preflights.preflight()
    assert found["verdict"] == "safe_stop"
    assert "Helm release Secret sh.helm.release.v1.ww-gitops.v1 cannot be decoded" in found["msg"]
    assert "\\x" not in found["msg"] and "junk" not in json.dumps(found)


def test_junk_in_helms_annotation_is_named_and_not_repeated(preflights: Preflights, bench: Bench) -> None:
    bench.change(WG, {"metadata": {"annotations": {"meta.helm.sh/release-name": "a☠,{{ 7*7 }}"}}})
    found = preflights.preflight()
    assert found["verdict"] == "blocked"
    assert "The annotation meta.helm.sh/release-name of Deployment ww-gitops-weave-gitops" in found["msg"]
    assert "☠" not in json.dumps(found, ensure_ascii=False)


def test_a_chart_that_cannot_be_climbed_at_all_is_named(preflights: Preflights, bench: Bench) -> None:
    bench.options["chart"] = str(charts.other_container_port(bench.lab.root / "charts" / "no-port"))
    found = preflights.preflight()
    assert found["verdict"] == "blocked" and "has a port named 'server' (fact F2)" in found["msg"]


def test_a_repaired_cluster_is_green_again_and_by_the_audit_log_nothing_was_stored(preflights: Preflights, record_property: Any) -> None:
    """All that both users did until here."""
    assert not_green(preflights.preflight()) == {}
    calls = [call for user in (LOOKER, UPGRADER) for call in evidence.calls(preflights.bench.cluster, preflights.began, user)]
    told = [found["api"] for found in preflights.results]
    counted = {
        "requests": len(calls),
        "writes": sum(call.write for call in calls),
        "reviews": sum(call.review for call in calls),
        "dry_runs": sum(call.dry_run for call in calls),
    }
    for name, number in counted.items():
        record_property(name, number)
    assert not [evidence.told(call) for call in calls if call.write]
    sent = [call for call in calls if call.verb in audit.WRITES and not call.review]
    assert all(call.dry_run for call in sent), [evidence.told(call) for call in sent]
    assert counted == {name: sum(api[name] for api in told) for name in counted}


def test_every_recipe_is_in_the_documentation() -> None:
    page = RECIPES_PAGE.read_text(encoding="utf-8")
    told = re.findall(r"^(.+)\n-+\n\n\*Found by\*: ``(\S+)``\n((?:.+\n|\n)*?)\*What to do\*", page, re.MULTILINE)
    assert [(title, check) for title, check, _more in told] == [(recipe.name, recipe.check) for recipe in RECIPES]
    for recipe, (_title, _check, more) in zip(RECIPES, told, strict=True):
        follows, says = more.partition("*What is broken*")[0], more.partition("*What the preflight says*:")[2]
        assert set(re.findall(r"``([A-Z]{2}-\d\d)``", follows)) == set(recipe.follows), recipe.name
        assert re.search(recipe.seen, " ".join(says.split())), recipe.name


def test_who_has_the_roles_of_the_documentation_upgrades_and_goes_back(preflights: Preflights) -> None:
    bench, kubeconfig = preflights.bench, str(preflights.users[UPGRADER])
    hosts = {bench.cluster.name: bench.lab.host(bench.cluster, wge_kubeconfig=kubeconfig)}
    up = bench.lab.run("upgrade", hosts)
    assert up.rc == 0, up.text[-4000:]
    assert up.cluster(bench.cluster.name)["verdict"] == "upgraded"
    back = {name.removeprefix("wge_"): value for name, value in FAST.items()}
    found = preflights.run("wge_upgrade", state="rolled_back", **back)
    assert (found["verdict"], found["traffic"]["lost"]) == ("rolled_back", 0), found.get("msg")
