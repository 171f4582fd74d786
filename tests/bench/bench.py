# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight costs: ours, a playbook of kubernetes.core.k8s_info tasks, and a bare loop, all in one run.

50 inventory hosts over 2 API servers. Our action plugin and the bare loop do all of them; the peer does a few, since each of its
tasks is a Python process of its own, and it is the CPU of one cluster that is compared. The runs take turns, medians count, and
the start-up of each program (an empty play, an empty loop) is measured as well. The last line holds the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import yaml

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run as a program: the package is `bench`

from testbed.cluster import ClusterError
from testbed.fleet import Bed
from testbed.tools import ToolsError
from witness.access import Access

from bench import peer
from bench.figures import Cost, Figures, Measured, line_of, spread
from bench.recorder import Recorder, Request

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
HOSTS = 50
PEER_HOSTS = 2
ROUNDS = 4
PEER_SECONDS = 70.0
"""The peer runs again only while its runs have taken less than this together."""

EMPTY = {"name": "Nothing", "ansible.builtin.meta": "noop"}

NOTHING = {"name": "Nothing, on every host", "ansible.builtin.debug": {"msg": "nothing"}}


class BenchError(RuntimeError):
    """Something cannot be measured, in one sentence."""


class Bench:
    """The files of one bench, and its programs."""

    def __init__(self, bed: Bed, folder: Path) -> None:
        self._bed = bed
        self._folder = folder
        self._program = Path(sys.executable).with_name("ansible-playbook")
        if not self._program.exists():
            raise BenchError(f"There is no ansible-playbook beside {sys.executable}; call make setup, then make bench.")
        (folder / "tmp").mkdir(parents=True)
        self._inventory("many", HOSTS)
        self._inventory("few", PEER_HOSTS)
        self._play("ours", [self._preflight("kubeconfig")])
        self._play("recorded", [self._preflight("host")])
        self._play("empty", [EMPTY])
        self._play("nothing", [NOTHING])

    def record(self) -> list[Request]:
        """The requests of one real preflight, made through a recorder."""
        cluster = self._bed.clusters["c1"]
        with Recorder(Access.from_kubeconfig(cluster.kubeconfig)) as recorder:
            hosts = {"c1": {"wge_host": recorder.url, "wge_cluster_uid": cluster.uid}}
            self._write("recorded-inventory.yml", {"all": {"vars": self._common(), "hosts": hosts}})
            self.ansible("recorded", "recorded")
        if not recorder.requests:
            raise BenchError("The preflight made no request through the recorder.")
        self._write("requests.json", [request.as_dict() for request in recorder.requests])
        return recorder.requests

    def write_peer(self, requests: list[Request]) -> int:
        """Write the peer's playbook; the number of its tasks."""
        access = Access.from_kubeconfig(self._bed.clusters["c1"].kubeconfig)
        kinds: dict[tuple[str, str], str] = {}
        for version in {peer.api_version_of(request.path) for request in requests} - {""}:
            path = f"/api/{version}" if "/" not in version else f"/apis/{version}"
            kinds.update({(version, item["name"]): item["kind"] for item in access.get(path)["resources"]})
        plays = peer.playbook(requests, kinds)
        self._write("peer.yml", plays)
        return len(plays[0]["tasks"])

    def ansible(self, play: str, inventory: str) -> Cost:
        """One ansible-playbook."""
        words = [str(self._program), "-i", f"{inventory}-inventory.yml", f"{play}.yml"]
        return self._timed(f"{play} {inventory}", words)

    def bare(self, hosts: int) -> Cost:
        """The bare loop over that many hosts."""
        kubeconfigs = [str(cluster.kubeconfig) for cluster in self._bed.clusters.values()]
        return self._timed("bare", [sys.executable, str(HERE / "bare.py"), "requests.json", str(hosts), *kubeconfigs])

    def _timed(self, what: str, words: list[str]) -> Cost:
        log = self._folder / "output.log"
        began = time.monotonic()
        with log.open("ab") as output:
            child = subprocess.Popen(
                words, cwd=self._folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            _pid, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise BenchError(f"{what} ended with {child.returncode}; see {log}.")
        return Cost(used.ru_utime + used.ru_stime, time.monotonic() - began)

    def _environment(self) -> dict[str, str]:
        """As a user's shell, without settings of its own; compiled Python may be kept, as it is at a user's."""
        foreign = ("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG", "HELM_", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        compiled, temporary = str(self._folder / "pycache"), str(self._folder / "tmp")
        return {
            **kept,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "LC_ALL": "C.UTF-8",
            "PYTHONPYCACHEPREFIX": compiled,
            "TMPDIR": temporary,
        }

    def _preflight(self, connection: str) -> dict[str, Any]:
        """Our task, as a user would write it; ``connection`` is the option that names the cluster."""
        options: dict[str, Any] = {connection: f"{{{{ wge_{connection} }}}}", "cluster_uid": "{{ wge_cluster_uid }}"}
        options.update(chart=str(self._bed.paths.charts / "mccp"), helm=str(self._bed.paths.helm))
        options["entitlement_public_keys"] = [self._bed.paths.entitlement_public.read_text(encoding="ascii")]
        return {"name": "Preflight", "weaveworks.wge.wge_preflight": options, "register": "preflight"}

    def _common(self) -> dict[str, Any]:
        return {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        }

    def _inventory(self, name: str, count: int) -> None:
        clusters = list(self._bed.clusters.values())
        uids = [cluster.uid for cluster in clusters]
        hosts = {
            f"host{number:02}": {
                "wge_kubeconfig": str(clusters[number % len(clusters)].kubeconfig),
                "wge_cluster_uid": uids[number % len(clusters)],
            }
            for number in range(count)
        }
        self._write(f"{name}-inventory.yml", {"all": {"vars": self._common(), "hosts": hosts}})

    def _play(self, name: str, tasks: list[dict[str, Any]]) -> None:
        self._write(f"{name}.yml", [{"name": name, "hosts": "all", "gather_facts": False, "tasks": tasks}])

    def _write(self, name: str, content: Any) -> None:
        text = json.dumps(content, indent=1) if name.endswith(".json") else yaml.safe_dump(content, sort_keys=False, width=120)
        (self._folder / name).write_text(text, encoding="utf-8")


def say(text: str) -> None:
    """One line of progress."""
    print(f"bench: {text}", flush=True)


def measure(bench: Bench) -> Figures:
    """All runs, taking turns."""
    figures = Figures(
        ours=Measured("our preflight", HOSTS),
        ours_start=Measured("  an empty play before it", HOSTS),
        peer=Measured("k8s_info playbook", PEER_HOSTS),
        peer_start=Measured("  an empty play before it", PEER_HOSTS),
        bare=Measured("bare loop", HOSTS),
        bare_start=Measured("  an empty loop before it", HOSTS),
        nothing=Measured("a task that does nothing", HOSTS),
    )
    for number in range(1, ROUNDS + 1):
        figures.ours_start.runs.append(bench.ansible("empty", "many"))
        figures.bare_start.runs.append(bench.bare(0))
        figures.ours.runs.append(bench.ansible("ours", "many"))
        figures.bare.runs.append(bench.bare(HOSTS))
        figures.nothing.runs.append(bench.ansible("nothing", "many"))
        if sum(run.wall for run in figures.peer.runs) < PEER_SECONDS / 2:
            figures.peer_start.runs.append(bench.ansible("empty", "few"))
            figures.peer.runs.append(bench.ansible("peer", "few"))
        ours, bare = figures.ours.runs[-1], figures.bare.runs[-1]
        peers = figures.peer.runs[-1]
        say(f"round {number} of {ROUNDS}: CPU ours {ours.cpu:.1f} s, bare {bare.cpu:.1f} s, peer {peers.cpu:.1f} s for {PEER_HOSTS}")
    return figures


def tell(figures: Figures, requests: list[Request], tasks: int) -> None:
    """All figures; the ratios come last."""
    reads = sum(request.method == "GET" for request in requests)
    print(f"\nA preflight makes {len(requests)} requests ({reads} reads, {len(requests) - reads} access reviews).")
    print(f"The peer reads the same objects in {tasks} k8s_info tasks: no reviews, no /version, no /apis, nothing judged.")
    print(f"It ran on {PEER_HOSTS} hosts at a time, ours and the bare loop on {HOSTS}; all figures are for one cluster.")
    print("Every helm that ours starts is in its figures. CPU is that of client programs, their children included.")
    print("\n".join(["", *figures.table(), ""]))
    print(
        f"CPU seconds from run to run: ours {spread(figures.ours.runs)}, bare {spread(figures.bare.runs)}, peer {spread(figures.peer.runs)}"
    )
    print("\n".join([*figures.goals(len(requests)), figures.dispatch()]))
    print(f"with the start-up of ansible-playbook and Python: {line_of(figures.ratios(subtracted=False))}")
    print("start-up subtracted on all sides:")
    print(line_of(figures.ratios(subtracted=True)), flush=True)


def on_sigterm(*_signal: object) -> NoReturn:
    """Ends the run through every `finally`."""
    raise SystemExit(143)


def main() -> int:
    """The exit code: 0 when it could be measured, whatever the figures are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=Path, default=Path("build/bed-bench"), help="the test bed's folder")
    parser.add_argument("--output", type=Path, default=Path("build/bench"), help="for playbooks and records; emptied first")
    parser.add_argument("--keep", action="store_true", help="leave the clusters running, and use those that run already")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, on_sigterm)
    output = options.output.resolve()
    shutil.rmtree(output, ignore_errors=True)
    bed = Bed(options.dir)
    try:
        bed = Bed.up(options.dir, 2, "helm")
        bench = Bench(bed, output)
        requests = bench.record()
        tasks = bench.write_peer(requests)
        figures = measure(bench)
    except (BenchError, ClusterError, ToolsError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if not options.keep:
            bed.down()
    tell(figures, requests, tasks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
