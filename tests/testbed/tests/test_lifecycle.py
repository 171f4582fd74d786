# SPDX-License-Identifier: GPL-3.0-or-later
"""Up and down can be repeated and killed; nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from testbed import Bed, linux, records, wait_until, workloads
from testbed.layout import HERE

pytestmark = pytest.mark.bed


def ours(folder: Path) -> list[str]:
    """Processes whose command line or environment names `folder`."""
    found = []
    for entry in records.PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in text:
            found.append(entry.name)
    return found


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, str(HERE / "bed.py"), *words, "--dir", str(folder)]


@pytest.mark.parametrize("seconds", [0.35, 0.6, 1.5, 4.0, 8.5])
def test_killed_up_leaves_nothing_after_down(tmp_path: Path, seconds: float) -> None:
    with subprocess.Popen(command(tmp_path / "bed", "up"), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as up:
        time.sleep(seconds)
        up.send_signal(signal.SIGKILL)
    subprocess.run(command(tmp_path / "bed", "down"), check=True, timeout=60)
    wait_until("no process", lambda: not ours(tmp_path), 5)
    assert {path.name for path in (tmp_path / "bed").glob("*")} <= {".lock", "logs"}


@pytest.mark.parametrize("seconds", [5.0, 9.5])
def test_killed_up_can_be_repeated(tmp_path: Path, seconds: float) -> None:
    with subprocess.Popen(command(tmp_path / "bed", "up"), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as up:
        time.sleep(seconds)
        up.send_signal(signal.SIGKILL)
    with Bed.up(tmp_path / "bed", clusters=1, wg="helm") as bed:
        assert workloads.answers(bed.clusters["c1"].entry_url) == 200
    assert not ours(tmp_path)


def test_forbidden_namespaces_are_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_flags: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(linux, "unshare", refuse)
    with pytest.raises(linux.NamespacesForbidden, match="user namespaces are forbidden here"):
        linux.enter_own_network()


def test_killed_supervisor_takes_all_with_it(tmp_path: Path) -> None:
    bed = Bed.up(tmp_path / "bed", clusters=1, wg="helm")
    cluster = bed.clusters["c1"]
    Bed.up(tmp_path / "bed", clusters=1, wg="helm")  # nothing to do
    assert bed.clusters["c1"].record["supervisor"] == cluster.record["supervisor"]
    assert len(ours(tmp_path)) >= 8
    records.send(cluster.record["supervisor"], signal.SIGKILL)
    wait_until("no process", lambda: not ours(tmp_path), 5)
    assert not cluster.healthy()
    Bed.up(tmp_path / "bed", clusters=1, wg="none")
    assert bed.clusters["c1"].healthy()
    bed.down()
    bed.down()
    assert not ours(tmp_path)


def test_servers_come_back(bed: Bed) -> None:
    cluster = bed.clusters["c1"]
    before = cluster.record["children"]["kube-apiserver"]
    cluster.kill("kube-apiserver")
    wait_until("another API server", lambda: cluster.record["children"]["kube-apiserver"] != before and cluster.healthy(), 40)
    wait_until("the dashboard", lambda: cluster.ask({"url": cluster.entry_url}) is not None, 5)


def test_exec(bed: Bed) -> None:
    done = subprocess.run([str(bed.paths.exec), "c1", "ip", "-br", "address"], capture_output=True, text=True, check=True)
    assert "192.168.77.10" in done.stdout
    assert subprocess.run([str(bed.paths.exec), "c9", "true"], capture_output=True, check=False).returncode == 1
