# SPDX-License-Identifier: GPL-3.0-or-later
"""The test bed's command: real control planes without Docker.

python3 tests/testbed/bed.py up --clusters 3 --wg helm
python3 tests/testbed/bed.py exec c1 curl -s http://CLUSTER-IP:9001/
python3 tests/testbed/bed.py down
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
if sys.path and Path(sys.path[0]).resolve() == HERE:
    sys.path[0] = str(HERE.parent)  # run as a script: the package is `testbed`

from testbed import installs, linux, memory, tools  # noqa: E402  pylint: disable=wrong-import-position
from testbed.cluster import ClusterError  # noqa: E402  pylint: disable=wrong-import-position
from testbed.fleet import Bed  # noqa: E402  pylint: disable=wrong-import-position

DEFAULT = Path("build") / "bed"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bed.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "bring clusters up"),
        ("down", "end them"),
        ("status", "say what is there"),
        ("exec", "run a command in a cluster's network"),
        ("tools", "build the programs"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--dir", type=Path, default=DEFAULT, help="the bed's folder (default: build/bed)")
        if name == "up":
            command.add_argument("--clusters", type=int, default=1)
            command.add_argument("--wg", choices=tuple(installs.WAYS), default="helm", help=installs.HELP)
            command.add_argument("--chart", default="weave-gitops", help="which fixture chart: weave-gitops or weave-gitops-4.0.16")
            command.add_argument("--ingress", action="store_true", help="with Traefik, and an Ingress of the dashboard")
            command.add_argument("--values", type=Path, action="append", help="more values for WG's chart")
        if name == "tools":
            command.add_argument("--full", action="store_true", help="those of the full set too")
        if name == "exec":
            command.add_argument("cluster")
            command.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND…")
    return parser


def _status(bed: Bed) -> int:
    clusters = bed.clusters
    if not clusters:
        print("no clusters")
        return 1
    for name, cluster in clusters.items():
        state = "ready" if cluster.healthy() else "running" if cluster.running() else "ended"
        where = f"  {cluster.server}  {cluster.entry_url}  {memory.of_cluster(cluster) / 2**20:.0f} MiB" if cluster.running() else ""
        print(f"{name}  {state}{where}")
    return 0 if all(cluster.healthy() for cluster in clusters.values()) else 1


def _exec(bed: Bed, name: str, words: list[str]) -> int:
    if name not in bed.clusters:
        raise ClusterError(f"there is no cluster {name} in {bed.paths.root}")
    command = bed.clusters[name].enter_command(words or ["sh"])
    os.environ["PATH"] = linux.system_path()
    os.execvp(command[0], command)


def main() -> int:
    """The exit code."""
    options = _parser().parse_args()
    try:
        if options.command == "up":
            bed = Bed.up(options.dir, options.clusters, options.wg, options.values, options.chart, options.ingress)
            print(bed.paths.inventory)
            return 0
        if options.command == "tools":
            print("\n".join(tools.ensure_all(tools.FULL if options.full else tools.CORE).values()))
            return 0
        bed = Bed(options.dir)
        if options.command == "down":
            bed.down()
            return 0
        return _status(bed) if options.command == "status" else _exec(bed, options.cluster, options.words)
    except (ClusterError, tools.ToolsError) as error:
        print(f"bed: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
