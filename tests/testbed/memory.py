# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory a cluster takes: the proportional share (PSS) of its supervisor and everything below it."""

from __future__ import annotations

from collections.abc import Iterator

from .cluster import Cluster
from .records import PROC


def _children(pid: int) -> Iterator[int]:
    for task in (PROC / str(pid) / "task").glob("*/children"):
        try:
            yield from map(int, task.read_text(encoding="ascii").split())
        except OSError:
            continue


def tree(pid: int) -> Iterator[int]:
    """`pid` and all its descendants."""
    yield pid
    for child in _children(pid):
        yield from tree(child)


def share(pid: int) -> int:
    """Bytes; 0 when it may not be read or is gone."""
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")), 0)


def of_cluster(cluster: Cluster) -> int:
    """Bytes of the whole cluster."""
    record = cluster.record.get("supervisor")
    return sum(share(pid) for pid in tree(record["pid"])) if record else 0
