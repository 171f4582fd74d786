# SPDX-License-Identifier: GPL-3.0-or-later
"""A climb that is told to stop, or whose controller dies, ends at a safe place and not in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def climb(bench: Any) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A run of upgrade.yml in the middle of a slow climb, and the file its worker writes."""
    trace = bench.folder / "trace"
    bench.variables = {"WGE_TEST_TRACE": str(trace)}
    inventory = bench.inventory({"c1": {"release": "slow"}})
    command = bench.command("playbook", "weaveworks.wge.upgrade", "-i", inventory)
    process = subprocess.Popen(
        command, cwd=bench.folder, env=bench.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_until(lambda: trace.exists() and trace.read_text().count("step") > 2)
        yield process, trace
    finally:
        process.kill()
        process.communicate()


def wait_until(true: Any, seconds: float = 50.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def verdict_in(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("wge-reports/*.jsonl")
    records = [json.loads(line) for line in path.read_text().splitlines()]
    result: dict[str, Any] = next(record["result"] for record in records if record["record"] == "verdict")
    return result


def worker_of(trace: Path) -> int:
    return int(trace.read_text().split()[0])


def test_a_killed_controller_stops_its_orphan_before_the_next_step(climb: Any, tmp_path: Path) -> None:
    process, trace = climb
    worker = worker_of(trace)
    process.kill()
    process.wait()
    wait_until(lambda: not lives(worker), 30)
    assert trace.read_text().splitlines()[-1] == f"{worker} controller gone"
    assert verdict_in(tmp_path)["msg"] == "Stopped: controller gone."


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_worker_stops_the_climb_and_the_run_goes_on_to_its_report(climb: Any, tmp_path: Path, number: int) -> None:
    process, trace = climb
    os.kill(worker_of(trace), number)
    output, _ = process.communicate(timeout=40)
    assert process.returncode == 2, output
    assert "1 stopped safely" in output
    assert verdict_in(tmp_path)["msg"] == "Stopped: signal."


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_controller_leaves_no_worker_behind(climb: Any, tmp_path: Path, number: int) -> None:
    process, trace = climb
    worker = worker_of(trace)
    process.send_signal(number)
    process.communicate(timeout=40)
    wait_until(lambda: not lives(worker), 30)
    assert verdict_in(tmp_path)["verdict"] == "safe_stop"


def test_the_deadline_stops_the_climb(bench: Any) -> None:
    bench.variables = {"WGE_TEST_TRACE": str(bench.folder / "trace")}
    bench.task({"weaveworks.wge.wge_upgrade": {"release": "slow", "deadline_seconds": "0.3"}})
    assert bench.registered["msg"] == "Stopped: deadline."
