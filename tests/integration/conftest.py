# SPDX-License-Identifier: GPL-3.0-or-later
"""One bed for each worker; tests take their clusters from it by name.

Most of a test's time is waiting, so two workers share the tests, each with a bed of its own.

`lab.cluster("c7")` begins one that is missing. Names c1 to c6 belong to the fleet of story.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from integration.lab import Lab
from integration.story import Story, tell

BESIDE = (
    "test_entitlements.py",
    "test_entitlement_fleet.py",
    "test_issue_entitlements.py",
    "test_preflight.py",
    "test_inherited.py",
    "test_verify.py",
    "test_bad_disks.py",
    "test_export.py",
    "test_guard_flux.py",
    "test_manifests_in_git.py",
    "test_other_deliveries.py",
    "test_restore.py",
)
FLEET = ("test_fleet.py", "test_bad_input.py", "test_second_run.py", "test_secrets.py")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The bed and the ways to use it; all that was started ends with the session."""
    found = Lab(tmp_path_factory.mktemp("lab"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def story(lab: Lab) -> Story:
    """The fleet, and the runs that most tests look at."""
    return tell(lab)


@pytest.fixture(scope="module", autouse=True)
def _clusters_end(request: pytest.FixtureRequest, lab: Lab) -> Iterator[None]:
    """Clusters end with the module that began them, since an idle one costs time.

    The fleet ends before the first that does not look at it; the stories of killed processes go on beyond a module, and end their own.
    """
    shared = request.path.name in FLEET or request.path.parent.name == "processes"
    if not shared:
        lab.end_clusters()
    yield
    if not shared:
        lab.end_clusters()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those who look at the fleet come first, so that it can end."""
    items.sort(key=lambda item: item.path.name not in FLEET)


class TwoLanes(LoadScopeScheduling):  # type: ignore[misc]
    """The fleet, all forms and the killed processes keep the machine busy, one after the other; beside them there is room for the rest.

    Both lanes take about as long.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "beside" if Path(nodeid.partition("::")[0]).name in BESIDE else "busy"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TwoLanes:
    """Which test runs on which of the two workers."""
    return TwoLanes(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have measured and do not judge."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome) if report.user_properties]
    if reports:
        terminalreporter.section("figures")
    for report in reports:
        figures = ", ".join(f"{name} {value}" for name, value in report.user_properties)
        terminalreporter.write_line(f"{report.nodeid.rpartition('/')[2]}: {figures}")
