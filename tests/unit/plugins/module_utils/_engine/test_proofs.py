# SPDX-License-Identifier: GPL-3.0-or-later
"""What a climb proves: the API before and after, the kept Services and routes, the ways to log in."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import kept, ladder, logins
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import journal_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer, Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.proofs import KEPT
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.work import CONTROLLER_GONE
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden, Unreachable
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_dashboard import Dashboard
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_NAME, secret, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

ROUTES = "/apis/gateway.networking.k8s.io/v1/httproutes"


def asked(world: World, board: Dashboard | None = None) -> Dashboard:
    """The dashboard that the world's tools call."""
    board = board or Dashboard()
    world.tools.caller = board
    return board


def flipped(world: World) -> bool:
    return world.look().is_flipped


# The climb.


def test_a_climb_asks_the_api_before_the_flip_and_after_it(scene: World) -> None:
    board, seen = asked(scene), []
    scene.cluster.after_write.append(lambda: seen.append((flipped(scene), len(board.asked))))
    outcome = scene.climb()
    assert outcome.verdict == "upgraded", outcome.error
    before = max(count for moved, count in seen if not moved)
    assert 0 < before < len(board.asked)
    assert {entry["verdict"] for entry in outcome.continuity} == {"same"}
    assert {entry["login"] for entry in outcome.continuity} == {"nobody"}


def test_a_climb_names_an_answer_that_wge_gives_in_another_way(scene: World) -> None:
    board = asked(scene)

    def spoil() -> None:
        if flipped(scene):
            board.other["/v1/flux_crds"] = Answer(500, {}, b"")

    scene.cluster.after_write.append(spoil)
    outcome = scene.climb()
    assert outcome.verdict == "upgraded"
    assert {(e["path"], e["words"]) for e in outcome.continuity if e["verdict"] == "different"} == {
        ("GET /v1/flux_crds", "the status was 401 and is 500")
    }


def test_a_climb_that_goes_on_after_the_flip_compares_with_what_is_recorded_of_wg(scene: World) -> None:
    scene.climb("flipped")
    asked(scene)
    outcome = scene.climb()
    assert {entry["verdict"] for entry in outcome.continuity} == {"same"}


def test_what_cannot_be_looked_at_hinders_neither_the_climb_nor_the_way_back(scene: World) -> None:
    def refuse(verb: str, path: str) -> None:
        if (verb, path) == ("list", "/api/v1/pods"):
            raise Unreachable("The API server is overloaded.", "Wait.")

    scene.cluster.before = refuse
    outcome = scene.climb()
    assert (outcome.verdict, outcome.untouched) == ("upgraded", {})
    assert any("could not be looked at: The API server is overloaded." in event.get("text", "") for event in scene.told)
    assert ladder.roll_back(scene.tools, scene.settings, check_mode=False).verdict == "rolled_back"


def test_a_climb_that_stops_before_the_flip_compares_nothing(scene: World) -> None:
    asked(scene)
    outcome = scene.climb("rehearsed")
    assert outcome.continuity == []
    assert outcome.untouched["changed"] == []


def test_check_mode_asks_nothing_of_the_dashboard(scene: World) -> None:
    board = asked(scene)
    outcome = ladder.climb(scene.tools, scene.settings, lambda _now, _plan: None, check_mode=True)
    assert (board.asked, outcome.continuity, outcome.untouched) == ([], [], {})


def test_a_dead_controller_gets_no_proof(scene: World) -> None:
    board = asked(scene)
    scene.clock.on_sleep.append(lambda _seconds: setattr(scene, "stop", CONTROLLER_GONE))
    outcome = scene.climb()
    assert (board.asked, outcome.continuity, outcome.untouched) == ([], [], {})


def test_a_cluster_that_cannot_be_looked_at_again_keeps_its_verdict(scene: World) -> None:
    def refuse(verb: str, path: str) -> None:
        if path == "/apis/apps/v1/statefulsets" and flipped_already():
            raise Unreachable("The API server does not answer.", "")

    def flipped_already() -> bool:
        return scene.cluster.one("Deployment", WG_NAME)["spec"].get("replicas") == 0

    scene.cluster.before = refuse
    outcome = scene.climb()
    assert (outcome.verdict, outcome.untouched) == ("upgraded", {})
    assert {"event": "note", "text": "what is not in the plan could not be looked at again: The API server does not answer."} in scene.told


def test_the_journal_says_what_the_kept_services_and_routes_were(scene: World) -> None:
    before = kept.services_of(scene.look())
    scene.climb()
    noted = journal_from(next(s for s in scene.cluster.all("Secret") if s["metadata"]["name"].startswith("wge-journal-"))).notes[KEPT]
    assert noted["services"] == before
    assert kept.changed("Service ", noted["services"], kept.services_of(scene.look())) == []
    assert kept.changed("", noted["routes"], kept.routes_to(scene.cluster, scene.look())) == []


# Services and routes.


def test_kept_services_lead_to_wge_alone_after_a_climb(scene: World) -> None:
    scene.climb()
    found = kept.endpoints_of(scene.look())
    assert kept.astray(found) == []
    assert all(entry["pods"] and not entry["stray"] for entry in found)


def test_a_service_that_leads_to_something_else_as_well_is_named(scene: World) -> None:
    scene.climb()
    stray: Object = {"targetRef": {"kind": "Pod", "name": "old-1"}, "conditions": {"ready": True}}
    scene.cluster.one("EndpointSlice", f"{WG_NAME}-x")["endpoints"] += [stray, {"addresses": ["10.0.0.9"], "conditions": {"ready": True}}]
    said = kept.astray(kept.endpoints_of(scene.look()))
    assert said == [f"Service {WG_NAME} leads to address 10.0.0.9, pod old-1 as well, which is not WGE."]


def test_a_service_without_a_ready_endpoint_is_named(scene: World) -> None:
    scene.climb()
    scene.cluster.one("EndpointSlice", f"{WG_NAME}-x")["endpoints"] = []
    assert f"Service {WG_NAME} has no ready endpoint of WGE." in kept.astray(kept.endpoints_of(scene.look()))


def test_a_service_that_was_made_anew_or_is_gone_is_named() -> None:
    before: dict[str, Object] = {"a": {"uid": "1", "ports": []}, "b": {"uid": "2"}}
    after: dict[str, Object] = {"a": {"uid": "9", "ports": []}}
    assert kept.changed("Service ", before, after) == ["Service a is not what it was: uid.", "Service b is gone."]


def http_route(name: str, namespace: str, backend: Object) -> Object:
    return thing("gateway.networking.k8s.io/v1", "HTTPRoute", name, namespace, spec={"rules": [{"backendRefs": [backend]}]})


@pytest.mark.parametrize(
    ("namespace", "backend", "found"),
    [
        (NAMESPACE, {"name": WG_NAME}, True),
        ("edge", {"name": WG_NAME, "namespace": NAMESPACE}, True),
        ("edge", {"name": WG_NAME}, False),
        (NAMESPACE, {"name": "other"}, False),
    ],
)
def test_a_httproute_that_leads_to_a_kept_service_is_one_of_the_routes(scene: World, namespace: str, backend: Object, found: bool) -> None:
    scene.cluster.served.append("gateway.networking.k8s.io/v1")
    scene.cluster.objects[f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes/r"] = http_route("r", namespace, backend)
    assert (f"HTTPRoute {namespace}/r" in kept.routes_to(scene.cluster, scene.look())) is found


def test_httproutes_that_our_user_may_not_list_are_left_out(scene: World) -> None:
    scene.cluster.served.append("gateway.networking.k8s.io/v1")

    def refuse(_verb: str, path: str) -> None:
        if path == ROUTES:
            raise Forbidden("no", "")

    now = scene.look()
    scene.cluster.before = refuse
    assert all(not title.startswith("HTTPRoute") for title in kept.routes_to(scene.cluster, now))


# Ways to log in.


def served_by(world: World, **data: str) -> list[str] | None:
    """What WGE offers when its ConfigMap says this."""
    world.climb("flipped")
    world.cluster.put(thing("v1", "ConfigMap", "wge-config", NAMESPACE, data=data))
    now = world.look()
    server = world.cluster.one("Deployment", now.target.name)["spec"]["template"]["spec"]["containers"]
    for container in server:
        container["envFrom"] = [{"configMapRef": {"name": "wge-config"}}]
    return logins.of_wge(world.cluster, world.look())


def test_the_ways_to_log_in_are_those_of_wg(scene: World) -> None:
    assert logins.of_wg(scene.look()) == served_by(scene, AUTH_METHODS="user-account,oidc") == ["user-account"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"AUTH_METHODS": "user-account,token-passthrough"}, "WGE offers the login token-passthrough, which WG did not."),
        ({"AUTH_METHODS": "oidc"}, "WGE does not offer the login user-account, which WG did."),
        ({"AUTH_METHODS": "user-account", "INSECURE_NO_AUTHENTICATION_USER": "x"}, "WGE offers the login anonymous, which WG did not."),
        (
            {"AUTH_METHODS": "user-account,oidc", "OIDC_ISSUER_URL": "https://dex"},
            "WGE offers the login oidc, which WG did not.",
        ),
    ],
)
def test_a_way_to_log_in_that_is_new_or_gone_is_named(scene: World, data: dict[str, str], sentence: str) -> None:
    before = logins.of_wg(scene.look())
    assert logins.differing(before, served_by(scene, **data)) == [sentence]


def test_oidc_counts_where_wg_has_its_secret(scene: World) -> None:
    scene.cluster.put(secret("oidc-auth", {"issuerURL": "https://dex"}))
    assert logins.of_wg(scene.look()) == ["oidc", "user-account"]


def test_ways_that_cannot_be_read_are_not_judged(scene: World) -> None:
    scene.climb("flipped")
    assert logins.differing(["user-account"], logins.of_wge(scene.cluster, scene.look())) == []
