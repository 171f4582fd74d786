# SPDX-License-Identifier: GPL-3.0-or-later
"""The bed as a whole: up, down, and what is there."""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from . import charts, entitlement, inventory, launch, linux, tools, workloads
from .cluster import Cluster, ClusterError
from .layout import HERE, BedPaths
from .progress import say

if TYPE_CHECKING:
    from .installs import Way

FILES = (
    "inventory.yml",
    "exec",
    "helm",
    "entitlement.jwt",
    "entitlement-expired.jwt",
    "entitlement.pub",
    "entitlement.key",
    ".helm.new",
    ".inventory.yml.new",
)


def _require(*programs: str) -> None:
    """Programs of the system that a cluster cannot do without."""
    for name in programs:
        if not shutil.which(name, path=linux.system_path()):
            raise ClusterError(f"the program {name} is needed (Debian: packages iproute2, nftables, util-linux)")


class Bed:
    """Clusters in one folder. `Bed.up(folder, clusters=2, wg="helm")` brings them up, `Bed(folder)` looks at what is there."""

    def __init__(self, directory: Path | str) -> None:
        self.paths = BedPaths(Path(directory).resolve())

    @property
    def clusters(self) -> dict[str, Cluster]:
        """Every cluster that was begun here, by name."""
        return {name: Cluster(self.paths.cluster(name)) for name in self.paths.known_clusters()}

    @classmethod
    def up(
        cls,
        directory: Path | str,
        clusters: int | list[str] = 1,
        wg: str = "helm",
        values: list[Path] | None = None,
        chart: str = "weave-gitops",
        ingress: bool = False,
    ) -> Bed:
        """Add what is missing; a healthy cluster is left as it is.

        `wg`: one of the ways of installs.py; `values`: more files for WG's chart; `ingress`: with Traefik and an Ingress of the dashboard.
        """
        bed = cls(directory)
        names = [f"c{number}" for number in range(1, clusters + 1)] if isinstance(clusters, int) else clusters
        _require("ip", "nft", "nsenter")
        from .installs import WAYS  # not above: the pods' programs import this package too, and need none of it

        programs = tools.ensure_all()
        way = WAYS[wg]
        tools.ensure_all((*way.tools, *((tools.TRAEFIK,) if ingress else ())))
        with bed._alone():
            bed._prepare(programs["helm"])
            missing = [Cluster(bed.paths.cluster(name)) for name in names if not Cluster(bed.paths.cluster(name)).healthy()]
            bed._start(missing, programs)
            way.prepare(bed.paths)
            bed._for_all([bed.clusters[name] for name in names], lambda cluster: bed._install(cluster, way, chart, values, ingress))
            inventory.write(bed.paths, [cluster for cluster in bed.clusters.values() if cluster.running()])
        return bed

    def end(self) -> None:
        """End every cluster, and leave what the next ones begin with: charts, keys, repositories."""
        with self._alone():
            self._for_all(list(self.clusters.values()), self._stop)
            inventory.write(self.paths, [])

    def down(self) -> None:
        """End exactly what was started here; logs stay."""
        if not self.paths.root.exists():
            return
        with self._alone():
            self._for_all(list(self.clusters.values()), self._stop)
            for name in FILES:
                (self.paths.root / name).unlink(missing_ok=True)
            for folder in ("charts", ".charts.new", "clusters", "repository", ".repository.new", "git"):
                shutil.rmtree(self.paths.root / folder, ignore_errors=True)
        shutil.rmtree(self.paths.pids, ignore_errors=True)

    def __enter__(self) -> Bed:
        return self

    def __exit__(self, *_error: object) -> None:
        self.down()

    # -- parts

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One `up` or `down` at a time; the kernel gives the lock back when its holder is killed."""
        self.paths.root.mkdir(parents=True, exist_ok=True)
        with open(self.paths.root / ".lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _prepare(self, helm: str) -> None:
        paths = self.paths
        entitlement.prepare(paths)
        charts.put_all(paths.charts)
        beside = paths.root / ".helm.new"
        beside.unlink(missing_ok=True)
        beside.symlink_to(helm)
        beside.replace(paths.helm)
        program = HERE / "bed.py"
        paths.exec.write_text(
            f'#!{shutil.which("sh")}\nexec "{sys.executable}" "{program}" exec --dir "{paths.root}" "$@"\n', encoding="utf-8"
        )
        paths.exec.chmod(0o755)

    def _start(self, missing: list[Cluster], programs: dict[str, str]) -> None:
        for cluster in missing:
            say(f"{cluster.name}: starting")
            launch.start(cluster, programs)
        self._for_all(missing, self._wait)

    @staticmethod
    def _wait(cluster: Cluster) -> None:
        launch.wait_ready(cluster)
        say(f"{cluster.name}: control plane is ready, {cluster.server}")

    @staticmethod
    def _install(cluster: Cluster, way: Way, chart: str, values: list[Path] | None, ingress: bool) -> None:
        if way.install is None:
            return
        if workloads.wge_there(cluster):
            say(f"{cluster.name}: Weave GitOps Enterprise is there, left as it is")
            return
        way.bring(cluster, chart, values or [], ingress)
        say(f"{cluster.name}: Weave GitOps answers at {cluster.entry_url}")

    @staticmethod
    def _stop(cluster: Cluster) -> None:
        launch.stop(cluster)
        say(f"{cluster.name}: ended")

    @staticmethod
    def _for_all(clusters: list[Cluster], job: Callable[[Cluster], None]) -> None:
        """At once on all; the first failure is raised when all are through."""
        if not clusters:
            return
        with concurrent.futures.ThreadPoolExecutor(min(len(clusters), 4 * (os.cpu_count() or 1))) as pool:
            futures = [pool.submit(job, cluster) for cluster in clusters]
        failed = [error for future in futures if (error := future.exception())]
        if failed:
            raise failed[0] if isinstance(failed[0], ClusterError) or len(failed) == 1 else ClusterError("; ".join(map(str, failed)))
