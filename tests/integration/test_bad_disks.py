# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that is full, that fills up meanwhile, or that cannot be written: one sentence, no half archive, nothing left on the cluster."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from chaos.gate import Gate, Trap
from chaos.points import AFTER, Point, Sent
from testbed import Cluster
from witness.access import Access

from integration import evidence
from integration.lab import Lab, Run

HOST = "disks"
TAKING_THE_LOCK = Point(Sent("wge", "create", "leases/wge-upgrade"), AFTER)
SMALL, LARGE, READ_ONLY = "size=48k", "size=4m", "ro"
CASES = {
    "export full": ("export", SMALL, "cannot be written: No space left on device. Make room on this disk."),
    "export read-only": ("export", READ_ONLY, "cannot be written: Read-only file system. Give a place that can be written."),
    "upgrade full": ("upgrade", SMALL, "has 0.0 MiB left; the archive of this cluster takes"),
    "upgrade read-only": ("upgrade", READ_ONLY, "cannot be written. Correct wge_archive_dir, or the permissions."),
}


@contextmanager
def disk(place: Path, words: str) -> Iterator[Path]:
    """A small file system of its own."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", words, "none", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(place: Path) -> bool:
    """Until nothing goes in any more; for a trap, whose run goes on."""
    with suppress(OSError), open(place / "filler", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return True


@pytest.fixture(name="cluster", scope="module")
def _cluster(lab: Lab) -> Cluster:
    return lab.cluster(HOST)


def play(lab: Lab, cluster: Cluster, playbook: str, place: Path, what: str = "archive", **host: Any) -> Run:
    """A playbook whose archive, or report, is to go there."""
    return lab.run(playbook, {HOST: {**lab.host(cluster), **host}}, variables={f"wge_{what}_dir": str(place / what)})


@pytest.mark.parametrize("case", CASES)
def test_a_disk_that_takes_nothing_is_named_and_nothing_is_left_anywhere(lab: Lab, cluster: Cluster, tmp_path: Path, case: str) -> None:
    playbook, words, sentence = CASES[case]
    before = evidence.lasting(cluster)
    with disk(tmp_path / "disk", words) as place:
        run = play(lab, cluster, playbook, place)
        assert [path for path in place.rglob("*") if path.is_file()] == []
    assert run.rc != 0
    assert sentence in run.plain
    assert "Traceback" not in run.text
    assert not [evidence.told(call) for call in evidence.calls(cluster, run.began) if call.write]
    assert evidence.lasting(cluster) == before


def test_a_disk_that_fills_up_after_the_preflight_stops_the_climb_before_anything_is_touched(
    lab: Lab, cluster: Cluster, tmp_path: Path
) -> None:
    before = evidence.lasting(cluster)
    gate = Gate(lab.relays, Access.from_kubeconfig(lab.identity(cluster)))
    config = gate.write_kubeconfig(tmp_path / "gate.kubeconfig", HOST)
    with disk(tmp_path / "disk", LARGE) as place:
        gate.begin(Trap(TAKING_THE_LOCK, lambda: fill(place)))
        run = play(lab, cluster, "upgrade", place, wge_kubeconfig=str(config))
        assert [path.name for path in place.rglob("*") if path.is_file()] == ["filler"]
    entry = run.cluster(HOST)
    assert "cannot be written: No space left on device." in entry["message"]
    assert entry["next_step"] == "Make room on this disk."
    assert entry["verdict"] in ("blocked", "rolled_back")
    assert "Traceback" not in run.text
    assert evidence.lasting(cluster) == before


def test_a_full_disk_for_the_report_ends_no_climb_and_its_summary_is_told(lab: Lab, cluster: Cluster, tmp_path: Path) -> None:
    with disk(tmp_path / "disk", SMALL) as place:
        (place / "report").mkdir()
        fill(place)
        run = play(lab, cluster, "upgrade", place, "report")
    assert run.rc != 0
    assert "1 cluster upgraded" in run.plain
    assert "cannot be written: No space left on device; set wge_report_dir to a folder of yours." in run.plain
    assert "Traceback" not in run.text
    assert evidence.leads_to(cluster) == "WGE"
