# SPDX-License-Identifier: GPL-3.0-or-later
"""What git has to say after an upgrade: as a patch that git takes, and as a branch; with the real git program."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils.git_folder import (
    ADDED,
    OTHER,
    RELEASE,
    SOURCE,
    WGE,
    Fleet,
)

FILE = "clusters/c1/weave-gitops-dashboard.yaml"
NEW = f"clusters/c1/{ADDED}"


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{name}_NAME", raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    made = Fleet(tmp_path)
    made.commit({FILE: SOURCE + RELEASE, "clusters/c1/other.yaml": OTHER})
    return made


def state(answer: dict[str, Any]) -> list[str]:
    assert "failed" not in answer, answer["msg"]
    return [entry["state"] for entry in answer["paths"]]


def test_a_patch_says_what_the_cluster_is_and_the_checkout_is_left_alone(fleet: Fleet) -> None:
    answer = fleet.ask()
    assert state(answer) == ["changed"] and answer["changed"] and not answer["branch"]
    assert answer["paths"][0]["files"] == [FILE, NEW]
    assert fleet.git("status", "--porcelain") == "" and fleet.git("branch", "--list") == "* main"
    fleet.git("apply", "--check", answer["patch"])
    fleet.git("apply", answer["patch"])
    assert (fleet.checkout / FILE).read_text() == SOURCE
    release, service = sorted(yaml.safe_load_all((fleet.checkout / NEW).read_text()), key=lambda item: str(item["kind"]))
    assert release["spec"] == WGE["spec"] and "status" not in release
    assert release["metadata"]["labels"] == {"team": "a"}
    assert release["metadata"]["annotations"] == {"kustomize.toolkit.fluxcd.io/prune": "disabled"}
    assert service["metadata"]["labels"] == {"app.kubernetes.io/name": "weave-gitops"}
    assert service["spec"]["type"] == "NodePort" and service["spec"]["ports"] == [
        {"name": "http", "port": 9001, "targetPort": 8000, "protocol": "TCP"}
    ]
    assert {"clusterIP", "clusterIPs"} & set(service["spec"]) == set()


def test_asked_twice_nothing_is_changed(fleet: Fleet) -> None:
    assert fleet.ask(branch="wge")["changed"]
    assert not fleet.ask(branch="wge")["changed"]


def test_in_check_mode_nothing_is_written_and_the_diff_is_shown(fleet: Fleet) -> None:
    answer = fleet.ask(check=True, diff=True, branch="wge", push=True)
    assert answer["changed"] and f"+++ b/{NEW}" in answer["diff"]["prepared"]
    assert not (fleet.folder / "out").exists() and fleet.git("branch", "--list", "wge") == ""


def test_a_branch_has_one_commit_and_is_pushed_only_when_asked(fleet: Fleet) -> None:
    before = fleet.head
    fleet.ask(branch="wge")
    assert fleet.git("rev-parse", "wge^") == before == fleet.head
    assert fleet.git("log", "-1", "--format=%an %ae", "wge") == "Ada ada@example.org"
    assert "wge" not in fleet.git("ls-remote", "origin")
    assert fleet.text(NEW, "wge").startswith("# Written by wge_git_changes")
    answer = fleet.ask(branch="wge", push=True)
    assert answer["pushed"] and answer["changed"]
    assert fleet.git("ls-remote", "origin", "refs/heads/wge").split()[0] == fleet.git("rev-parse", "wge")
    assert not fleet.ask(branch="wge", push=True)["changed"]


def test_merged_there_is_nothing_left_to_change(fleet: Fleet) -> None:
    fleet.ask(branch="wge")
    fleet.git("merge", "--quiet", "wge")
    answer = fleet.ask(fleet.says(state="paid"), branch="wge")
    assert state(answer) == ["same"] and not answer["changed"] and answer["patch"] == ""


def test_back_is_the_reverse_of_the_commit_wherever_it_was_merged(fleet: Fleet) -> None:
    fleet.ask(branch="wge")
    fleet.git("merge", "--quiet", "--no-ff", "--no-edit", "wge")
    fleet.commit({"clusters/c1/later.yaml": OTHER})
    assert state(fleet.ask(direction="back", branch="back")) == ["changed"]
    fleet.git("merge", "--quiet", "back")
    assert fleet.text(FILE) == SOURCE + RELEASE
    assert not (fleet.checkout / NEW).exists()
    assert state(fleet.ask(direction="back")) == ["same"]


def test_back_without_the_commit_is_left_to_a_person(fleet: Fleet) -> None:
    answer = fleet.ask(direction="back")
    assert state(answer) == ["by_hand"] and "no commit of wge_git_changes" in answer["warnings"][0]


def test_a_file_of_its_own_goes_and_its_place_in_the_list_is_taken(fleet: Fleet) -> None:
    listing = "resources:\n  - ../c1/other.yaml  # first\n  - ./wg.yaml\n"
    fleet.commit({FILE: "# nothing\n", "clusters/c1/apps/wg.yaml": RELEASE, "clusters/c1/apps/kustomization.yaml": listing})
    fleet.git("apply", fleet.ask()["patch"])
    assert not (fleet.checkout / "clusters/c1/apps/wg.yaml").exists()
    assert (
        fleet.checkout / "clusters/c1/apps/kustomization.yaml"
    ).read_text() == f"resources:\n  - ../c1/other.yaml  # first\n  - {ADDED}\n"
    assert (fleet.checkout / f"clusters/c1/apps/{ADDED}").exists()


@pytest.mark.parametrize(
    ("files", "git", "words"),
    [
        ({FILE: SOURCE}, {}, "HelmRelease ww-gitops does not stand there as plain YAML"),
        ({FILE: SOURCE + RELEASE + "{{ if .wg }}\n"}, {}, "does not stand there as plain YAML"),
        ({"clusters/c1/again.yaml": RELEASE}, {}, "stands there more than once"),
        ({FILE: SOURCE + RELEASE + "sops: {mac: x}\n"}, {}, "is encrypted"),
        ({"clusters/c1/kustomization.yaml": "resources: [other.yaml]\n"}, {}, "does not list weave-gitops-dashboard.yaml"),
        (
            {"clusters/c1/kustomization.yaml": "resources: [weave-gitops-dashboard.yaml]\nnamePrefix: x-\n"},
            {},
            "clusters/c1/kustomization.yaml changes what it takes in (namePrefix)",
        ),
        (
            {"clusters/c1/kustomization.yaml": "resources: [weave-gitops-dashboard.yaml]\nnamespace: other\n"},
            {},
            "into namespace other",
        ),
        ({}, {"alters": ["postBuild"]}, "the Kustomization itself changes what it takes in (spec.postBuild)"),
        ({NEW: "a: 1\n"}, {}, "was written by somebody else"),
        ({}, {"objects": [{**WGE, "spec": {"values": {"a": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}}}]}, "hold a secret"),
    ],
    ids=["elsewhere", "a template", "twice", "SOPS", "not listed", "an overlay", "other namespace", "postBuild", "theirs", "a secret"],
)
def test_what_is_not_plain_is_left_to_a_person_with_what_git_has_to_hold(
    fleet: Fleet, files: dict[str, str], git: dict[str, Any], words: str
) -> None:
    if files:
        fleet.commit(files)
    answer = fleet.ask(fleet.says(**git), branch="wge")
    assert state(answer) == ["by_hand"] and words in answer["paths"][0]["message"]
    assert answer["patch"] == "" and answer["branch"] == "" and fleet.git("branch", "--list", "wge") == ""
    (file,) = answer["files"]
    assert "kind: HelmRelease" in Path(file).read_text() and Path(file).stat().st_mode & 0o777 == 0o600


def test_plain_manifests_go_and_the_service_is_said_anew(fleet: Fleet) -> None:
    gone = [("v1", "ServiceAccount", "wego"), ("apps/v1", "Deployment", "wego"), ("rbac.authorization.k8s.io/v1", "ClusterRole", "wego")]
    texts = {kind: f"---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}}}\n" for version, kind, name in gone}
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: ww-gitops-weave-gitops}\nspec: {selector: {app: wego-app}}\n"
    app = texts["Deployment"] + OTHER.replace("apiVersion", "---\napiVersion", 1) + service
    fleet.commit({"clusters/c1/app.yaml": app, "clusters/c1/rights.yaml": texts["ServiceAccount"] + texts["ClusterRole"]})
    drop = [{"apiVersion": version, "kind": kind, "metadata": {"name": name}} for version, kind, name in gone]
    fleet.git("apply", fleet.ask(fleet.says(drop=drop))["patch"])
    assert (fleet.checkout / "clusters/c1/app.yaml").read_text() == OTHER.replace("apiVersion", "---\napiVersion", 1)
    assert not (fleet.checkout / "clusters/c1/rights.yaml").exists()
    assert "clusters-service" in (fleet.checkout / NEW).read_text()


def test_a_path_of_two_clusters_changes_when_both_are_upgraded_and_the_same(fleet: Fleet) -> None:
    fleet.commit({"clusters/shared/wg.yaml": SOURCE + RELEASE})
    first = fleet.says("./clusters/shared", host="c1")
    behind = fleet.says("clusters/shared", host="c2", rung="rehearsed", state="none")
    answer = fleet.ask(first, behind)
    assert state(answer) == ["held"] and answer["paths"][0]["clusters"] == ["c1", "c2"] and not answer["changed"]
    assert "c2 is rehearsed: git changes when every cluster" in answer["warnings"][0]
    other = fleet.says("clusters/shared", host="c2")
    other["git"]["objects"][0]["spec"]["interval"] = "1m"
    answer = fleet.ask(first, other)
    assert state(answer) == ["held"] and "differs between them" in answer["warnings"][0]
    assert state(fleet.ask(first, fleet.says("clusters/shared/", host="c2"))) == ["changed"]


def test_paths_of_one_repository_become_one_patch(fleet: Fleet) -> None:
    fleet.commit({"clusters/c2/wg.yaml": RELEASE})
    answer = fleet.ask(fleet.says(), fleet.says("./clusters/c2", host="c2"), {"host": "c3", "rung": "parked", "git": {"state": "none"}})
    assert state(answer) == ["changed", "changed"]
    fleet.git("apply", "--check", answer["patch"])


def test_a_checkout_that_is_behind_or_another_is_refused(fleet: Fleet) -> None:
    answer = fleet.ask(fleet.says(revision="main@sha1:" + "0" * 40))
    assert state(answer) == ["held"] and "does not contain commit 0000" in answer["warnings"][0]
    answer = fleet.ask(fleet.says(revision=""))
    assert "which commit the clusters have applied is not known" in answer["warnings"][0]
    answer = fleet.ask(fleet.says(source="OCIRepository"))
    assert "its source is no GitRepository" in answer["warnings"][0]


def test_a_note_is_told_with_the_change(fleet: Fleet) -> None:
    assert fleet.ask(fleet.says(notes=["Take that out."]))["warnings"] == ["Take that out."]


def failure(fleet: Fleet, *clusters: dict[str, Any], **given: Any) -> str:
    answer = fleet.ask(*clusters, **given)
    assert answer["failed"] and answer["verdict"] == "blocked" and not answer["changed"]
    return str(answer["msg"])


def test_what_cannot_be_used_is_said(fleet: Fleet) -> None:
    assert "does not exist" in failure(fleet, checkout=str(fleet.folder / "nowhere"))
    assert "is not a checkout with a commit" in failure(fleet, checkout=str(fleet.folder))
    assert "push is given without a branch" in failure(fleet, push=True)
    assert "Entry 1 of clusters has no key git" in failure(fleet, {"host": "c1"})
    assert "does not say its rung" in failure(fleet, fleet.says(rung="?"))
    assert "has no 'objects'" in failure(fleet, {"rung": "parked", "git": _without(fleet)})
    fleet.git("branch", "wge")
    assert "There is a branch wge that says something else" in failure(fleet, branch="wge")
    assert "git push failed" in failure(fleet, branch="a..b")
    (fleet.checkout / "new.txt").write_text("x")
    assert "has 1 changes that are not committed" in failure(fleet)


def _without(fleet: Fleet) -> dict[str, Any]:
    return {key: value for key, value in fleet.says()["git"].items() if key != "objects"}


def test_a_login_in_a_remote_s_address_is_in_no_message(fleet: Fleet) -> None:
    fleet.git("remote", "set-url", "origin", "https://ada:hunter2@localhost:1/fleet.git")
    message = failure(fleet, branch="wge", push=True)
    assert "git ls-remote failed" in message and "hunter2" not in message


def test_where_git_is_missing_it_is_said(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    said = fleet.says()
    monkeypatch.setenv("PATH", str(fleet.folder))
    assert "git cannot be run" in failure(fleet, said)
