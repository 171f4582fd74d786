# SPDX-License-Identifier: GPL-3.0-or-later
"""A ledger in a file and in a ConfigMap: each entitlement is issued once, whoever else is at it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils import _ledger
from ansible_collections.weaveworks.wge.plugins.module_utils._clock import SystemClock
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.ledger import (
    ISSUED,
    UNCHANGED,
    Decision,
    decide,
    rows_of,
)
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.request import request_from
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked, InvalidSettings, SafeStop, UnknownOutcome
from ansible_collections.weaveworks.wge.plugins.module_utils._ledger import ConfigMapLedger, FileLedger, ledger_place
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import UID, StandInCluster
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import VENDOR

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=timezone.utc)
DEFAULTS: dict[str, Any] = {"issuer": "sales@weave.works", "valid_days": 365, "renew_before_days": 30}
PATH = "/api/v1/namespaces/vendor/configmaps/ledger"


def wanting(customer: str, jti: str) -> _ledger.Decide:
    request = request_from({**DEFAULTS, "customer": customer}, NOW)
    return lambda content: decide(content, request, NOW, VENDOR, jti, "the ledger")


class Quick(SystemClock):
    def sleep(self, seconds: float) -> None:
        assert 0 <= seconds < 1


def in_cluster(cluster: StandInCluster, uid: str = "") -> ConfigMapLedger:
    return ConfigMapLedger(cluster, Quick(), "vendor", "ledger", uid)


def stored(cluster: StandInCluster) -> bytes:
    return str(cluster.one("ConfigMap", "ledger")["data"]["ledger.jsonl"]).encode()


def customers(content: bytes) -> list[str]:
    return [row.customer for row in rows_of(content, "x").rows]


def at_once(number: int, work: Callable[[int], None]) -> None:
    """Processes that begin at the same moment."""
    ready, go = os.pipe()
    children = []
    for worker in range(number):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(go)
                os.read(ready, 1)
                work(worker)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    os.close(go)
    os.close(ready)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * number


# a file


def test_what_is_entered_is_found_again(tmp_path: Path) -> None:
    ledger = FileLedger(str(tmp_path / "new" / "ledger"))
    first, again = ledger.enter(wanting("a", "j1")), ledger.enter(wanting("a", "j2"))
    assert (first.status, again.status, again.token) == (ISSUED, UNCHANGED, first.token)
    assert os.stat(ledger.path).st_mode & 0o777 == 0o600


def test_asking_writes_nothing_and_makes_no_file(tmp_path: Path) -> None:
    assert FileLedger(str(tmp_path / "ledger")).ask(wanting("a", "j1")).status == ISSUED
    assert os.listdir(tmp_path) == []


def test_processes_that_issue_the_same_entitlement_make_one_row(tmp_path: Path) -> None:
    ledger, tokens = FileLedger(str(tmp_path / "ledger")), tmp_path / "tokens"
    tokens.mkdir()

    def work(number: int) -> None:
        decision = ledger.enter(wanting("a", f"j{number}"))
        (tokens / str(number)).write_text(f"{decision.status} {decision.token}")

    at_once(8, work)
    said = [path.read_text().split() for path in tokens.iterdir()]
    assert len({token for _status, token in said}) == 1
    assert sorted(status for status, _token in said) == [ISSUED] + [UNCHANGED] * 7
    assert customers(Path(ledger.path).read_bytes()) == ["a"]


def test_processes_that_issue_different_ones_lose_no_row(tmp_path: Path) -> None:
    ledger = FileLedger(str(tmp_path / "ledger"))

    def work(number: int) -> None:
        for turn in range(10):
            ledger.enter(wanting(f"c{number}-{turn}", f"j{number}-{turn}"))

    at_once(6, work)
    assert sorted(customers(Path(ledger.path).read_bytes())) == sorted(f"c{number}-{turn}" for number in range(6) for turn in range(10))


# a ConfigMap


def test_a_configmap_is_made_and_then_added_to() -> None:
    cluster = StandInCluster()
    ledger = in_cluster(cluster)
    first = ledger.enter(wanting("a", "j1"))
    ledger.enter(wanting("b", "j2"))
    assert ledger.enter(wanting("a", "j3")).token == first.token
    assert customers(stored(cluster)) == ["a", "b"]
    assert cluster.count("create", "patch") == 2


def test_a_configmap_s_other_keys_stay() -> None:
    cluster = StandInCluster()
    cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ledger", "namespace": "vendor"}, "data": {"note": "x"}})
    in_cluster(cluster).enter(wanting("a", "j1"))
    assert cluster.one("ConfigMap", "ledger")["data"]["note"] == "x"


def test_an_empty_configmap_is_a_ledger() -> None:
    cluster = StandInCluster()
    cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ledger", "namespace": "vendor"}})
    in_cluster(cluster).enter(wanting("a", "j1"))
    assert customers(stored(cluster)) == ["a"]


def test_asking_a_cluster_writes_nothing() -> None:
    cluster = StandInCluster()
    assert in_cluster(cluster).ask(wanting("a", "j1")).status == ISSUED
    assert cluster.count("create", "patch", "delete") == 0


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("rival", ["a", "b"])
def test_when_another_was_first_it_is_decided_anew(begun: bool, rival: str) -> None:
    cluster = StandInCluster()
    if begun:
        in_cluster(cluster).enter(wanting("begun", "j0"))
    turn: list[Decision] = []

    def meddle(verb: str, _path: str) -> None:
        if verb in ("create", "patch") and not turn:
            cluster.before = lambda _verb, _path: None
            turn.append(in_cluster(cluster).enter(wanting(rival, "rival")))

    cluster.before = meddle
    decision = in_cluster(cluster).enter(wanting("a", "mine"))
    assert (decision.token == turn[0].token, decision.status) == ((True, UNCHANGED) if rival == "a" else (False, ISSUED))
    assert customers(stored(cluster)) == ["begun"] * begun + ["a"] if rival == "a" else ["begun"] * begun + ["b", "a"]


@pytest.mark.parametrize("happened", [True, False])
@pytest.mark.parametrize("begun", [True, False])
def test_when_the_answer_was_lost_it_is_issued_once_and_counts_as_issued(happened: bool, begun: bool) -> None:
    cluster = StandInCluster()
    if begun:
        in_cluster(cluster).enter(wanting("begun", "j0"))

    def lose() -> None:
        cluster.after_write.clear()
        raise UnknownOutcome("The answer was lost.")

    def refuse(verb: str, _path: str) -> None:
        if verb in ("create", "patch"):
            cluster.before = lambda _verb, _path: None
            raise UnknownOutcome("The answer was lost.")

    if happened:
        cluster.after_write.append(lose)
    else:
        cluster.before = refuse
    assert in_cluster(cluster).enter(wanting("a", "mine")).status == ISSUED
    assert customers(stored(cluster)) == ["begun"] * begun + ["a"]


def test_who_is_never_first_gives_up() -> None:
    cluster = StandInCluster()
    in_cluster(cluster).enter(wanting("begun", "j0"))

    def meddle(verb: str, _path: str) -> None:
        if verb == "patch":
            cluster.put(cluster.one("ConfigMap", "ledger"))

    cluster.before = meddle
    with pytest.raises(SafeStop, match=r"Others wrote to the ledger in ConfigMap vendor/ledger before us, 30 times\."):
        in_cluster(cluster).enter(wanting("a", "mine"))


def test_a_configmap_that_is_full_is_refused_before_the_api_server_does() -> None:
    cluster, row = StandInCluster(), wanting("full", "j0")(b"").addition
    full = (row * (_ledger.LONGEST_CONFIGMAP // len(row))).decode()
    cluster.put(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ledger", "namespace": "vendor"}, "data": {"ledger.jsonl": full}}
    )
    with pytest.raises(InvalidSettings, match="would be longer than 900 KiB"):
        in_cluster(cluster).enter(wanting("a", "mine"))
    assert in_cluster(cluster).enter(wanting("full", "mine")).status == UNCHANGED


def test_an_immutable_configmap_is_refused() -> None:
    cluster = StandInCluster()
    cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ledger", "namespace": "vendor"}, "immutable": True})
    with pytest.raises(InvalidSettings, match="The ConfigMap vendor/ledger is immutable"):
        in_cluster(cluster).enter(wanting("a", "mine"))


def test_another_cluster_than_the_one_that_was_named_is_refused() -> None:
    cluster = StandInCluster()
    with pytest.raises(Blocked, match="This is another cluster"):
        in_cluster(cluster, "another").enter(wanting("a", "mine"))
    assert cluster.count("create") == 0
    assert in_cluster(cluster, UID).enter(wanting("a", "mine")).status == ISSUED


# which of the two


def place(**params: Any) -> object:
    return ledger_place({"ledger_namespace": "vendor", **params}, StandInCluster, Quick())


def test_the_options_name_exactly_one_ledger() -> None:
    assert isinstance(place(ledger="x"), FileLedger)
    assert isinstance(place(ledger_configmap="ledger"), ConfigMapLedger)
    with pytest.raises(InvalidSettings, match="No ledger was given"):
        place(ledger="")
    with pytest.raises(InvalidSettings, match="Two ledgers were given"):
        place(ledger="x", ledger_configmap="ledger")


def test_a_file_that_dies_with_the_job_is_no_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", str(tmp_path / "artifacts" / "7"))
    with pytest.raises(InvalidSettings, match="in this job's private folder") as refusal:
        place(ledger=str(tmp_path / "project" / "ledger"))
    assert "ledger_configmap" in refusal.value.next_step
