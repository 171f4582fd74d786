# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: what a run means to do, in a Secret."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import journal as journals
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import OPEN, PARKED, ROLLED_BACK, Journal
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.patches import guards_hold, is_applied
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.writes import patch
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import SafeStop

SERVICE = "/api/v1/namespaces/n/services/s"


def flip(value: str, old: str) -> Any:
    return patch(SERVICE, [{"op": "replace", "path": "/a", "value": value}], [{"op": "replace", "path": "/a", "value": old}], "flip")


def a_journal(run: str = "run-1", *, state: str = OPEN, started: str = "2026-01-01", release: str = "ww-gitops") -> Journal:
    return Journal(run, "n", release, state=state, started=started)


def stored(journal: Journal, uid: str = "u1") -> dict[str, Any]:
    secret = journal.secret()
    secret["metadata"]["uid"] = uid
    return secret


def test_a_stored_journal_reads_back_equal() -> None:
    journal = a_journal()
    journal.add("S12", [flip("new", "old")])
    journal.archive, journal.plan_hash, journal.notes = {"path": "/x"}, "abc", {"soaked_seconds": 3}
    read = journals.journal_from(stored(journal))
    journal.uid = "u1"
    assert read == journal


def test_it_is_found_by_its_labels() -> None:
    secret = a_journal().secret()
    assert secret["metadata"]["name"] == "wge-journal-run-1"
    assert secret["metadata"]["labels"] == {"wge.weave.works/run": "run-1", "wge.weave.works/journal": "open"}


def test_the_first_record_of_a_path_is_kept_because_it_knows_the_state_before_us() -> None:
    journal = a_journal()
    assert journal.add("S12", [flip("new", "old")])
    assert not journal.add("S12", [flip("new", "not what it was before us")])
    assert [entry["reverse"][0]["value"] for entry in journal.entries["S12"]] == ["old"]


def test_a_step_without_new_writes_adds_nothing() -> None:
    assert not a_journal().add("S12", [])


def test_saving_is_guarded_by_the_run_and_stores_state_and_content() -> None:
    journal = a_journal()
    live = stored(journal)
    journal.state, journal.notes = PARKED, {"finished": "now"}
    operations = journal.save_operations()
    assert guards_hold(operations, live)
    assert not guards_hold(operations, stored(a_journal("run-2")))
    assert not is_applied(operations, live)
    assert is_applied(operations, stored(journal))


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"journal": "not base64 at all!"},
        {"journal": base64.b64encode(b"{").decode()},
        {"journal": base64.b64encode(b"[]").decode()},
        {"journal": base64.b64encode(json.dumps({"schema": 99}).encode()).decode()},
    ],
    ids=["empty", "not base64", "cut", "a list", "another schema"],
)
def test_a_journal_somebody_changed_is_named(data: dict[str, str]) -> None:
    secret = {**stored(a_journal()), "data": data}
    with pytest.raises(SafeStop, match="The journal Secret wge-journal-run-1 cannot be read"):
        journals.journal_from(secret)


def test_an_open_journal_comes_before_a_newer_closed_one() -> None:
    secrets = [stored(a_journal("run-1", started="2026-01-01")), stored(a_journal("run-2", state=PARKED, started="2026-02-01"))]
    found = journals.newest(secrets, "ww-gitops")
    assert found is not None
    assert found.run == "run-1"


def test_of_closed_journals_the_newest_counts() -> None:
    states = {"2026-01-01": PARKED, "2026-02-01": ROLLED_BACK, "2026-01-15": PARKED}
    secrets = [stored(a_journal(f"run-{day}", state=state, started=day)) for day, state in states.items()]
    found = journals.newest(secrets, "ww-gitops")
    assert found is not None
    assert found.state == ROLLED_BACK


def test_a_journal_of_another_release_is_not_ours() -> None:
    assert journals.newest([stored(a_journal(release="other"))], "ww-gitops") is None
    assert journals.newest([], "ww-gitops") is None
