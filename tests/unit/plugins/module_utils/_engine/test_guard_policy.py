# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's ValidatingAdmissionPolicy: made before the flip, proven, gone after the soak, on the way back and after a kill."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.names import GUARD_PROBE
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rights_backwards, rights_forwards, rung_of, steps_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.guard import KINDS, PROVEN, policy_paths
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault, positions, short
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_meddlers import as_union, change, enforce, in_step
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_NAME, WGE_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, roll_back, sent
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

NAME = f"wge-guard-{NAMESPACE}"
POLICY, BINDING = f"validatingadmissionpolicies/{NAME}", f"validatingadmissionpolicybindings/{NAME}"
MADE = [("create", POLICY), ("create", BINDING), ("delete", BINDING), ("delete", POLICY)]
CLIMB = 33
"""Writes of a climb with it: four of them its own, and the journal forgets it."""


@pytest.fixture
def policed(scene: World) -> World:
    scene.set(guard="policy")
    enforce(scene)
    return scene


@pytest.fixture(scope="module")
def parked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a climb that nobody disturbed leaves."""
    from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import lived_in

    world = lived_in(tmp_path_factory.mktemp("undisturbed"))
    climb(world)
    return dict(content(world, runs=False))


def there(world: World) -> list[str]:
    return [path for path in policy_paths(NAMESPACE) if path in world.cluster.objects]


def test_it_is_there_from_before_the_flip_until_after_the_soak(policed: World) -> None:
    seen: dict[str, int] = {}
    policed.clock.on_sleep.append(lambda _seconds: seen.setdefault(steps(policed)[-1], len(there(policed))) if steps(policed) else None)
    policed.set(quiet_seconds=30, lock_seconds=600)
    writes = sent(policed)
    assert len(writes) == CLIMB
    assert [write for write in writes if write in MADE] == MADE
    flips = positions(writes, "patch", f"services/{WG_NAME}")
    assert writes.index(MADE[1]) < flips[-1] < writes.index(MADE[2]) < writes.index(("patch", f"deployments/{WG_NAME}"))
    assert (seen["S12"], seen["S13"], seen["S14"], seen["S15"]) == (2, 2, 2, 0)
    assert there(policed) == []


def steps(world: World) -> list[str]:
    return [event["step"] for event in world.told if event.get("state") == "begin"]


def test_it_leaves_what_a_climb_without_it_leaves(policed: World, parked: dict[str, object]) -> None:
    climb(policed)
    assert content(policed, runs=False) == parked
    journal = policed.look().journal
    assert journal is not None
    assert "S11v" not in journal.entries


def test_it_names_what_serves_and_lets_us_through(policed: World) -> None:
    step = next(step for step in steps_of(policed.look()) if step.id == "S11v")
    policy, binding = (write.body for write in step.writes(policed.look()))
    spec = policy["spec"]
    (condition,) = spec["matchConditions"]
    for name in (f"services/{WG_NAME}", "services/by-hand", "services/metrics", f"ingresses/{WG_NAME}", "secrets/cluster-user-auth"):
        assert f"'{name}'" in condition["expression"]
    assert "oldObject != null" in condition["expression"]
    probe, rule = spec["validations"]
    assert "upgrader" not in probe["expression"]
    assert GUARD_PROBE in probe["expression"]
    assert rule["expression"].startswith("request.userInfo.username == 'upgrader' || ")
    assert {reason["reason"] for reason in spec["validations"]} == {"Forbidden"}
    assert {tuple(found["operations"]) for found in spec["matchConstraints"]["resourceRules"]} == {("UPDATE", "DELETE")}
    assert binding["spec"]["validationActions"] == ["Deny"]


def test_a_user_whose_name_has_quotes_in_it_is_still_one_text(policed: World) -> None:
    policed.cluster.user = "o'brien\\x"
    step = next(step for step in steps_of(policed.look()) if step.id == "S11v")
    assert "== 'o\\'brien\\\\x' ||" in step.writes(policed.look())[0].body["spec"]["validations"][1]["expression"]


def test_a_policy_that_does_not_come_into_force_has_the_climb_taken_back(scene: World) -> None:
    before = content(scene)
    scene.set(guard="policy")
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert f"ValidatingAdmissionPolicy {NAME} is not in force: not after 5 s" in str(outcome.error)
    assert content(scene) == before


@pytest.mark.parametrize("goal", ["rehearsed", "flipped"])
def test_a_call_that_does_not_soak_makes_none(policed: World, goal: str) -> None:
    assert not [write for write in sent(policed, goal) if write in MADE]
    assert rung_of(policed.look()).word == goal
    assert [write for write in sent(policed, "soaked") if write in MADE] == MADE
    assert rung_of(policed.look()) is Rung.SOAKED
    assert not [write for write in sent(policed) if write in MADE]


def numbers() -> list[int]:
    """From the first of its writes to the one after the last; the soak is within."""
    return list(range(CLIMB - 13, CLIMB - 1))


def test_the_numbers_cover_its_writes(policed: World) -> None:
    writes = sent(policed)
    assert {writes.index(write) for write in MADE} < set(numbers())


def kills() -> list[tuple[int, str, str]]:
    """The next run with the same guard at each write, with another one at some."""
    same = [(at, f"kill {when}", "policy") for at in numbers() for when in ("before", "after")]
    return same + [(at, "kill after", guard) for at in numbers()[::3] for guard in ("watch", "off")]


@pytest.mark.parametrize(("at", "kind", "guard"), kills())
def test_killed_at_any_of_its_writes_the_next_run_goes_on(
    policed: World, parked: dict[str, object], at: int, kind: str, guard: str
) -> None:
    witness = Witness(policed)
    assert climb(policed, Fault(at, kind)) is None
    policed.set(guard=guard)
    outcome = climb(policed)
    assert outcome is not None
    assert outcome.verdict in ("upgraded", "already"), outcome.error
    assert not witness.dark
    assert content(policed, runs=False) == parked


@pytest.mark.parametrize("kind", ["kill before", "kill after"])
@pytest.mark.parametrize("at", numbers())
def test_killed_at_any_of_its_writes_the_way_back_leaves_nothing(policed: World, at: int, kind: str) -> None:
    before, witness = content(policed), Witness(policed)
    climb(policed, Fault(at, kind))
    policed.set(guard="watch")
    outcome = roll_back(policed)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert not witness.dark
    assert content(policed) == before


def test_a_call_that_is_stopped_in_the_soak_leaves_nobody_kept_off(policed: World, parked: dict[str, object]) -> None:
    outcome = climb(policed, Fault(CLIMB - 8, "stop", reason="signal"))
    assert outcome is not None
    assert outcome.verdict == "safe_stop", outcome.error
    assert leads_to(policed) == "wge"
    assert there(policed) == []
    outcome = climb(policed)
    assert outcome is not None
    assert outcome.verdict == "upgraded"
    assert content(policed, runs=False) == parked


def test_the_next_run_of_another_user_takes_it_away_first(policed: World) -> None:
    at = CLIMB - 8
    climb(policed, Fault(at, "kill after"))
    assert len(there(policed)) == 2
    policed.cluster.user = "another"
    fault = Fault()
    outcome = climb(policed, fault)
    assert outcome is not None
    assert outcome.verdict == "upgraded"
    others = [write for write in short(fault) if not write[1].startswith(("leases/", "secrets/wge-journal-"))]
    fences = [write for write in others if write[1] in {f"services/{name}" for name in (WG_NAME, "by-hand", "metrics")}]
    assert fences
    first = [write for write in others if write in MADE][:4]
    assert first == [*MADE[2:], *MADE[:2]]


def test_wge_that_crashes_has_the_policy_taken_away_on_the_way_back(policed: World) -> None:
    before = content(policed)
    in_step(policed, "S14", lambda: policed.probes.faults.update({"service proxy"}))
    policed.controllers.deaf.add(WGE_NAME)
    outcome = climb(policed)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert content(policed) == before


def test_the_watch_is_there_as_well(policed: World) -> None:
    """Who may change the policy, or is as whom we came, is not kept off by it."""
    policed.set(soak_seconds=20)
    in_step(policed, "S14", lambda: change(policed, as_union))
    outcome = climb(policed)
    assert outcome is not None
    assert outcome.verdict == "upgraded"
    assert (outcome.guard["mode"], len(outcome.guard["records"])) == ("policy", 1)
    assert leads_to(policed) == "wge"


def test_its_rights_are_among_the_plans(policed: World) -> None:
    now = policed.look()
    plan = ladder.plan_of(policed.tools, now)
    there_and_back = {str(right) for right in [*rights_forwards(now, plan), *rights_backwards(now, plan)]}
    for plural in ("validatingadmissionpolicies", "validatingadmissionpolicybindings"):
        assert f"create {plural}.admissionregistration.k8s.io" in there_and_back
        assert f"delete {plural}.admissionregistration.k8s.io {NAME!r}" in there_and_back


@pytest.mark.parametrize(
    ("version", "user", "words"), [("v1.29.9", "upgrader", "v1.29.9 has no"), ("v1.33.0", "", "does not say who we are")]
)
def test_where_it_cannot_be_made_nothing_is_written(policed: World, version: str, user: str, words: str) -> None:
    before = content(policed)
    policed.cluster.version, policed.cluster.user = version, user
    with pytest.raises(Blocked, match=words):
        climb(policed)
    assert content(policed) == before


def test_its_kinds_are_those_of_the_api() -> None:
    assert KINDS == ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    assert PROVEN.endswith(".")
