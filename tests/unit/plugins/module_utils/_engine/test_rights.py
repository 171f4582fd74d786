# SPDX-License-Identifier: GPL-3.0-or-later
"""Which permissions a plan needs, and whether rules grant them."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import rights
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Cluster, Release, Right
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.writes import create, delete, install, patch

SERVICE = "/api/v1/namespaces/n/services/s"
BINDING = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/b"
RBAC = "rbac.authorization.k8s.io"


class Reviews:
    """Answers access reviews, and remembers the questions."""

    def __init__(self, rules: list[dict[str, Any]], *, incomplete: bool = False, allowed: bool = False) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answers = {
            "SelfSubjectRulesReview": {"resourceRules": rules, "incomplete": incomplete},
            "SelfSubjectAccessReview": {"allowed": allowed},
        }

    def review(self, _path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        return {"status": self._answers[body["kind"]]}


def rule(verbs: str, resources: str, *, groups: tuple[str, ...] = ("",), names: list[str] | None = None) -> dict[str, Any]:
    return {"verbs": verbs.split(), "resources": resources.split(), "apiGroups": list(groups), "resourceNames": names or []}


def granted(right: Right, *rules: dict[str, Any]) -> bool:
    return not rights.Rules(cast(Cluster, Reviews(list(rules)))).missing([right])


@pytest.mark.parametrize(
    ("verb", "path", "right"),
    [
        ("patch", SERVICE, Right("patch", "", "services", "n", "s")),
        ("create", SERVICE, Right("create", "", "services", "n")),
        ("delete", BINDING, Right("delete", RBAC, "clusterrolebindings", "", "b")),
        ("get", "/api/v1/namespaces/n", Right("get", "", "namespaces", "", "n")),
    ],
)
def test_the_right_a_request_needs_is_in_its_path(verb: str, path: str, right: Right) -> None:
    assert rights.of_path(verb, path) == right


def test_each_write_needs_itself_and_a_read_back() -> None:
    assert rights.forwards([patch(SERVICE, [], [], "x"), patch(SERVICE, [], [], "y")]) == [
        Right("patch", "", "services", "n", "s"),
        Right("get", "", "services", "n", "s"),
    ]


def test_taking_back_a_create_needs_a_delete_and_a_patch_needs_a_patch() -> None:
    writes = [create({}, BINDING, "x"), patch(SERVICE, [], [{"op": "remove", "path": "/a"}], "y")]
    assert rights.backwards(writes) == [Right("delete", RBAC, "clusterrolebindings", "", "b"), Right("patch", "", "services", "n", "s")]


def test_what_is_not_taken_back_needs_nothing() -> None:
    assert rights.backwards([patch(SERVICE, [], [], "x"), delete(SERVICE, "u", "y"), install(Release("r", "n", "c"), SERVICE, "z")]) == []


def test_helm_needs_its_verbs_for_every_kind_of_the_chart() -> None:
    objects = [
        {"kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "other"}},
        {"kind": "ServiceAccount", "metadata": {"name": "b"}},
        {"kind": "ClusterRole", "metadata": {"name": "c"}},
        {"kind": "Gadget", "metadata": {"name": "d"}},
    ]
    assert rights.of_chart(objects, "n", ["create"]) == [
        Right("create", "", "serviceaccounts", "other"),
        Right("create", "", "serviceaccounts", "n"),
        Right("create", RBAC, "clusterroles"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        rule("patch", "services"),
        rule("*", "*", groups=("*",)),
        rule("get patch", "pods services"),
        rule("patch", "services", names=["s"]),
    ],
)
def test_a_rule_that_fits_grants(given: dict[str, Any]) -> None:
    assert granted(Right("patch", "", "services", "n", "s"), given)


@pytest.mark.parametrize(
    "given",
    [
        rule("get", "services"),
        rule("patch", "pods"),
        rule("patch", "services", groups=("apps",)),
        rule("patch", "services", names=["other"]),
        rule("patch", "*/status"),
    ],
)
def test_a_rule_that_misses_one_thing_does_not_grant(given: dict[str, Any]) -> None:
    assert not granted(Right("patch", "", "services", "n", "s"), given)


def test_a_rule_for_one_name_does_not_grant_a_create() -> None:
    assert not granted(Right("create", "", "services", "n"), rule("create", "services", names=["s"]))


def test_a_subresource_is_not_granted_with_its_resource_but_with_a_star() -> None:
    proxy = Right("get", "", "services/proxy", "n", "http:s:9001")
    assert not granted(proxy, rule("get", "services"))
    assert granted(proxy, rule("get", "*/proxy"))
    assert granted(proxy, rule("get", "services/proxy", names=["http:s:9001"]))


def test_one_review_a_namespace_answers_for_all_rights() -> None:
    reviews = Reviews([rule("*", "*", groups=("*",))])
    wanted = [Right("get", "", "services", "n", name) for name in "abc"] + [Right("get", "", "namespaces", "", "n")]
    assert rights.Rules(cast(Cluster, reviews)).missing(wanted) == []
    assert [body["spec"]["namespace"] for body in reviews.asked] == ["n", rights.NOWHERE]


def test_an_incomplete_answer_is_completed_one_by_one() -> None:
    reviews = Reviews([], incomplete=True, allowed=True)
    assert rights.Rules(cast(Cluster, reviews)).missing([Right("get", "", "services/proxy", "n", "http:s:9001")]) == []
    assert reviews.asked[-1]["spec"]["resourceAttributes"] == {
        "verb": "get",
        "group": "",
        "resource": "services",
        "subresource": "proxy",
        "namespace": "n",
        "name": "http:s:9001",
    }


def test_a_complete_answer_without_the_right_is_final() -> None:
    reviews = Reviews([])
    right = Right("delete", "", "secrets", "n")
    assert rights.Rules(cast(Cluster, reviews)).missing([right]) == [right]
    assert len(reviews.asked) == 1


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (Right("patch", "apps", "deployments", "n", "d"), "patch deployments.apps 'd' in namespace n"),
        (Right("create", "", "namespaces"), "create namespaces"),
    ],
)
def test_a_right_reads_as_rbac_says_it(right: Right, words: str) -> None:
    assert str(right) == words
