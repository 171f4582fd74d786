# SPDX-License-Identifier: GPL-3.0-or-later
"""wge_verify as a user sees it: options in, result out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import VERIFY_CLUSTER_SPEC
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer
from ansible_collections.weaveworks.wge.plugins.module_utils._front import Surroundings, call, session
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_dashboard import Dashboard
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import QUICK, World

Ask = Callable[..., dict[str, Any]]
ENTRY = "https://wg.example.org"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(settings=replace(QUICK, archive_dir=str(tmp_path / "archive")))
    made.install_wg()
    return made


@pytest.fixture
def board() -> Dashboard:
    return Dashboard()


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch, world: World, board: Dashboard) -> Ask:
    """Asks about the stand-in, whose dashboard is ``board``."""
    monkeypatch.setattr(session, "connection_from", lambda _params, _environment: SimpleNamespace(server="https://api", user=None))
    monkeypatch.setattr(session, "KubeCluster", lambda _connection, **_more: world.cluster)
    monkeypatch.setattr(session.Session, "tools", property(lambda _self: world.tools))
    monkeypatch.setattr(session.Session, "caller", property(lambda _self: board))

    def ask(*, check: bool = False, **given: Any) -> dict[str, Any]:
        params = {name: given.get(name, option.get("default")) for name, option in VERIFY_CLUSTER_SPEC.items()}
        return call("verify_cluster", params, Surroundings(lambda: world.stop, lambda _event: None, check_mode=check))

    return ask


def test_before_the_upgrade_it_says_that_wg_serves(verify: Ask) -> None:
    found = verify(entry_urls=[ENTRY])
    assert (found["verdict"], found["serves"], found["rung"]) == ("not_upgraded", "WG 0.38.0", "installed")
    assert found["differences"] == []
    assert found["compared_with"]["api"] == "WG 0.38.0, as recorded"
    assert "failed" not in found


def test_an_upgraded_cluster_is_verified_against_the_journal(verify: Ask, world: World) -> None:
    world.climb()
    found = verify(entry_urls=[ENTRY])
    assert (found["verdict"], found["serves"], found["differences"]) == ("verified", "WGE 0.38.1", [])
    assert found["compared_with"]["services"] == len(found["endpoints"]) > 0
    assert found["summary"] == {"same": len(found["continuity"])}


def test_what_is_recorded_before_is_compared_with_after(verify: Ask, world: World, board: Dashboard, tmp_path: Path) -> None:
    path = str(tmp_path / "before.json")
    login = {
        "dashboard_username": "admin",
        "dashboard_password": "canary-password",
        "dashboard_token": "canary-token",
        "entry_urls": [ENTRY],
    }
    verify(record_to=path, **login)
    assert "canary" not in Path(path).read_text()
    assert Path(path).stat().st_mode & 0o777 == 0o600
    world.climb()
    found = verify(compare_with=path, strict=True, **login)
    assert (found["verdict"], found["differences"]) == ("verified", [])
    assert found["compared_with"]["api"].startswith("WG 0.38.0, 20")
    board.other["/v1/policies"] = Answer(404, {}, b"")
    found = verify(compare_with=path, strict=True, **login)
    assert (found["failed"], found["verdict"]) == (True, "differs")
    first, more = "GET /v1/policies at service proxy (as nobody) differs: the status was 401 and is 404.", len(found["differences"]) - 1
    assert found["message"] == f"{first} ({more} more differences)"
    assert "canary" not in json.dumps(found)


def test_an_answer_that_differs_is_a_warning_unless_the_user_is_strict(verify: Ask, world: World, board: Dashboard) -> None:
    world.climb()
    board.other["/v1/policies"] = Answer(404, {}, b"")
    found = verify()
    assert (found["verdict"], found["warnings"]) == (
        "verified",
        ["GET /v1/policies at service proxy (as nobody) differs: the status was 401 and is 404."],
    )


def test_many_differences_are_five_warnings_and_a_count(verify: Ask, world: World, board: Dashboard) -> None:
    world.climb()
    board.other = {
        f"/v1/{name}": Answer(404, {}, b"") for name in ("events", "policies", "version", "inventory", "namespaces", "flux_crds")
    }
    found = verify()
    assert len(found["warnings"]) == 6
    assert found["warnings"][-1] == "1 more calls differ."


def test_a_service_that_was_made_anew_fails_the_task(verify: Ask, world: World) -> None:
    world.climb()
    world.cluster.one("Service", WG_NAME)["metadata"]["uid"] = "another"
    found = verify()
    assert (found["failed"], found["verdict"]) == (True, "differs")
    assert found["message"] == f"Service {WG_NAME} is not what it was: uid."
    assert found["next_step"]


def test_check_mode_writes_no_file(verify: Ask, tmp_path: Path) -> None:
    found = verify(check=True, record_to=str(tmp_path / "before.json"))
    assert found["changed"] is False
    assert list(tmp_path.glob("before*")) == []


def test_one_file_cannot_be_both(verify: Ask) -> None:
    found = verify(record_to="x.json", compare_with="x.json")
    assert found["message"] == "x.json is given in record_to and in compare_with."


def test_half_a_login_is_said_before_the_cluster_is_asked(verify: Ask, world: World) -> None:
    found = verify(dashboard_username="admin")
    assert found["message"] == "A user name and a password belong together; one of them is missing."
    assert world.cluster.requests == []


def test_a_request_to_stop_is_obeyed(verify: Ask, world: World, board: Dashboard) -> None:
    world.stop = "signal"
    found = verify()
    assert found["message"] == "Stopped on request (signal)."
    assert board.asked == []


def test_nothing_is_written_to_the_cluster(verify: Ask, world: World) -> None:
    world.climb()
    writes = world.cluster.counters.writes
    assert verify()["api"]["writes"] == writes == world.cluster.counters.writes
    assert world.cluster.counters.writes == writes
