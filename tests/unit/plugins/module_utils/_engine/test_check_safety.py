# SPDX-License-Identifier: GPL-3.0-or-later
"""SA-01 and SA-03."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.safety import no_unfinished_run
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import Journal
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, RELEASE, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def hold(world: World, renewed: str | None, holder: str = "20261123-1/ab") -> None:
    """Another run holds the lock; the API server's time is 12:00."""
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 60, **({"renewTime": renewed} if renewed else {})}
    world.cluster.put(thing("coordination.k8s.io/v1", "Lease", "wge-upgrade", NAMESPACE, spec=spec))


def begin(world: World, run: str, state: str = "open") -> None:
    world.cluster.put(Journal(run, NAMESPACE, RELEASE, state=state, started=run).secret())


def test_no_lease_is_a_free_lock(world: World) -> None:
    assert world.findings()["SA-01"].evidence == "No run holds the lock."


def test_a_lease_without_a_holder_is_a_free_lock(world: World) -> None:
    hold(world, None, holder="")
    assert world.findings()["SA-01"].status == "pass"


def test_a_lock_renewed_just_now_is_warned_of_with_its_holder_and_what_the_upgrade_will_do(world: World) -> None:
    hold(world, "2026-11-23T11:59:40.000000Z")
    found = world.findings()["SA-01"]
    assert (found.status, found.evidence) == ("warn", "Run 20261123-1/ab holds the lock of this cluster and renewed it 20 s ago.")
    assert found.remedy == "While it lives the upgrade will not begin here; if it was killed, the upgrade takes over after 60 s."


@pytest.mark.parametrize(
    ("renewed", "words"),
    [
        ("2026-11-23T11:50:00.000000Z", "600 s ago"),
        ("2026-11-23T13:00:00.000000Z", "by a clock that is ahead"),
        ("soon", "at a time that cannot be read"),
        (None, "at a time that cannot be read"),
    ],
)
def test_a_lock_that_may_be_stale_is_warned_of_since_the_climb_waits_it_out(world: World, renewed: str | None, words: str) -> None:
    hold(world, renewed)
    found = world.findings()["SA-01"]
    assert (found.status, found.evidence) == ("warn", f"Run 20261123-1/ab holds the lock of this cluster; it was last renewed {words}.")
    assert found.remedy.startswith("Nothing need be done: the upgrade watches it for 60 s")


def test_no_journal_and_finished_ones_pass(world: World) -> None:
    begin(world, "20261101-1", "rolled-back")
    assert world.findings()["SA-03"].evidence == "No unfinished run (1 finished)."


def test_an_open_journal_is_warned_of_and_will_be_resumed(world: World) -> None:
    begin(world, "20261123-1")
    found = world.findings()["SA-03"]
    assert (found.status, found.evidence) == ("warn", "Run 20261123-1 has not been finished; the cluster is installed.")
    assert found.remedy == "Nothing need be done: the upgrade goes on where it ended; state=rolled_back takes it back instead."


def test_several_open_journals_fail(world: World) -> None:
    begin(world, "20261123-1")
    begin(world, "20261122-1")
    found = world.findings()["SA-03"]
    assert (found.status, found.evidence) == (
        "fail",
        "Several runs have not been finished: 20261122-1, 20261123-1; only the newest could be resumed.",
    )


def test_a_journal_that_cannot_be_read_is_an_error_that_blocks(world: World) -> None:
    now = world.look()
    broken = {**Journal("20261123-1", NAMESPACE, RELEASE).secret(), "data": {"journal": "e30="}}
    now = replace(now, snapshot=replace(now.snapshot, journals=[broken]))
    found = world.findings(now)["SA-03"]
    assert (found.status, found.blocks) == ("error", True)
    assert found.evidence == "The journal Secret wge-journal-20261123-1 cannot be read ('schema')."
    with pytest.raises(SafeStop):
        no_unfinished_run(world.evidence(now))
