# SPDX-License-Identifier: GPL-3.0-or-later
"""Run gates one after the other, and count.

`run.py [--fail-fast] GATE...` calls `make GATE` for each; `GATE,GATE` run beside each other, and what they print follows
when all of them have ended. A gate made of tests leaves JUnit files in build/test and counts by its tests; any other gate
counts as one. The last line is `N passed, N failed`.
Standard library only: this runs before there is a virtual environment.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any

RESULTS = Path("build/test")
# A gate that hangs must not hold the machine for ever; the slowest one builds Kubernetes from source.
LONGEST_SECONDS = 45 * 60
PATIENCE_SECONDS = 60


@dataclass
class Outcome:
    """What became of one gate."""

    gate: str
    code: int
    seconds: float
    busy: float = 0.0
    """The share of the machine's processors that was not idle: whether more at once would make it faster."""
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def line(self) -> str:
        """One row of the closing table."""
        counts = f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")
        return f"{'ok' if not self.failed else 'FAILED':<7} {self.gate:<13} {self.seconds:>7.1f} s  busy {self.busy:>4.0%}   {counts}"


class Running:
    """The gates that run now: each a process group of its own, so that it can be ended as a whole."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self.stopped_by: int | None = None

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Pass an interrupt on; the gates tidy up after themselves."""
        self.stopped_by = number
        for process in self.processes:
            end(process, number)

    def begin(self, gate: str, output: IO[bytes] | None) -> subprocess.Popen[bytes]:
        """`make GATE`; what it prints goes to ``output``, or where ours goes."""
        words: dict[str, Any] = {"stdout": output, "stderr": subprocess.STDOUT} if output else {}
        process = subprocess.Popen(["make", gate], stdin=subprocess.DEVNULL, start_new_session=True, **words)
        self.processes.append(process)
        return process


def end(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a gate and all it has started."""
    if process.poll() is None:
        os.killpg(process.pid, number)


def wait(gate: str, process: subprocess.Popen[bytes]) -> int:
    """Until it has ended, or was ended; its exit code."""
    for patience, last_word in ((LONGEST_SECONDS, signal.SIGTERM), (PATIENCE_SECONDS, signal.SIGKILL)):
        try:
            return process.wait(patience)
        except subprocess.TimeoutExpired:
            print(f"==> {gate} still runs after {patience} s: {last_word.name}", flush=True)
            end(process, last_word)
    return process.wait()


def run(running: Running, gates: list[str]) -> list[Outcome]:
    """What became of these gates, which run beside each other."""
    began, (all_before, idle_before) = time.monotonic(), processor_times()
    outputs = {gate: RESULTS / f"{gate}.log" for gate in gates if len(gates) > 1}
    with ExitStack() as files:
        begun = [running.begin(gate, files.enter_context(outputs[gate].open("wb")) if outputs else None) for gate in gates]
        with ThreadPoolExecutor() as pool:
            ended = list(pool.map(lambda gate, process: (wait(gate, process), time.monotonic() - began), gates, begun))
    all_now, idle_now = processor_times()
    busy = 1 - (idle_now - idle_before) / max(1, all_now - all_before)
    outcomes = [Outcome(gate, code, seconds, busy) for gate, (code, seconds) in zip(gates, ended, strict=True)]
    for outcome in outcomes:
        if outputs:
            print(outputs[outcome.gate].read_text(encoding="utf-8", errors="replace"))
        count(outcome)
        print(f"<== {outcome.line}", flush=True)
    return outcomes


def processor_times() -> tuple[int, int]:
    """All time of the machine's processors so far, and that part of it in which they had nothing to do (proc(5), in ticks)."""
    times = [int(word) for word in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
    return sum(times), times[3] + times[4]


def count(outcome: Outcome) -> None:
    """Fill in the counts from the gate's JUnit files, or from its exit code alone."""
    files = sorted(RESULTS.glob(f"{outcome.gate}*.xml"))
    for file in files:
        for suite in ET.parse(file).getroot().iter("testsuite"):
            number = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
            bad = number["failures"] + number["errors"]
            outcome.failed += bad
            outcome.skipped += number["skipped"]
            outcome.passed += max(0, number["tests"] - bad - number["skipped"])
    # Red without a red test (pytest could not begin), or green because every test was skipped.
    if not outcome.failed and (outcome.code or (files and not outcome.passed)):
        outcome.failed = 1
    if not outcome.code and not files:
        outcome.passed = 1


def main() -> int:
    """Run the gates that were named; 0 when none is red."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first red gate")
    parser.add_argument("gates", nargs="+")
    arguments = parser.parse_args()

    RESULTS.mkdir(parents=True, exist_ok=True)
    for old in RESULTS.glob("*.xml"):
        old.unlink()
    # Each gate is a make of its own, not a part of the one that called us.
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        os.environ.pop(name, None)

    running = Running()
    signal.signal(signal.SIGINT, running.on_signal)
    signal.signal(signal.SIGTERM, running.on_signal)

    outcomes: list[Outcome] = []
    began, groups = time.monotonic(), [words.split(",") for words in arguments.gates]
    for number, gates in enumerate(groups, 1):
        print(f"\n==> {' beside '.join(gates)} ({number} of {len(groups)}), {time.strftime('%H:%M:%S')}", flush=True)
        outcomes += run(running, gates)
        # Without its environment no gate can say anything.
        failed = any(outcome.failed for outcome in outcomes)
        if running.stopped_by or (failed and (arguments.fail_fast or gates == ["setup"])):
            break

    print("\nGates")
    for outcome in outcomes:
        print(f"  {outcome.line}")
    for gate in (gate for gates in groups for gate in gates):
        if gate not in {outcome.gate for outcome in outcomes}:
            print(f"  not run {gate}")
    passed, failed = (sum(getattr(outcome, key) for outcome in outcomes) for key in ("passed", "failed"))
    (RESULTS / "summary.json").write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=2) + "\n")
    print(f"  {time.monotonic() - began:.0f} s\n\n{passed} passed, {failed} failed", flush=True)
    if running.stopped_by:
        return 128 + running.stopped_by
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
