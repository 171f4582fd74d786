# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster of the matrix: what is run on it, what it must look like afterwards, and how it gets ready for the next case."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from integration.lab import Lab
from integration.witness import Seen, Witness
from testbed import Cluster, wait_until
from testbed.flux.git import Repository
from witness.access import Access
from witness.load import PORTS

from . import debt, points, steps, stock
from .forms import FORMS, Form
from .gate import Gate, Trap
from .points import Point, Sent
from .runs import Launcher, Play

QUIET = 2.5
"""Seconds WG is left alone after a flip: longer than the witness keeps a connection, and its node takes to learn of the flip."""
TIMES = {"baseline_seconds": 0, "rehearse_seconds": 0, "verify_seconds": 0, "soak_seconds": 0, "quiet_seconds": QUIET, "ready_seconds": 60}
RATE = 5.0
PORTS_A_SECOND = int(RATE * 4 * 1.2)
"""What a witness uses up: it asks in four ways, some of them with a connection of its own for each request."""
GOALS = {"parked": ("upgraded", "already"), "rolled_back": ("rolled_back",), "finalised": ("upgraded", "finalised", "already")}
"""Of each journey the verdicts that say that it has arrived."""


Strike = Callable[[Play, Point], bool]
"""What happens to a run at a point; whether who asked for the write still lives."""


@dataclass
class Ran:
    """How one run ended."""

    verdict: str = ""
    message: str = ""
    rung: str = ""
    seconds: float = 0.0
    writes: list[Sent] = field(default_factory=list)
    hit: bool = False
    text: str = field(repr=False, default="")

    def arrived(self, goal: str) -> bool:
        """Whether it says that it reached what was asked for."""
        return self.verdict in GOALS[goal] and self.rung == goal

    @property
    def told(self) -> str:
        """In a few words."""
        return f"{self.verdict} {self.message}".strip() or "no verdict"


@dataclass(frozen=True)
class WayIn:
    """A gate, and the inventory of runs that pass it."""

    gate: Gate
    inventory: Path


@dataclass(frozen=True)
class Begun:
    """A run at work."""

    goal: str
    play: Play
    gate: Gate
    trap: Trap | None


class Lane:
    """A cluster, the gate before it, the witness on it."""

    def __init__(self, lab: Lab, launcher: Launcher, cluster: Cluster, folder: Path, form: Form = FORMS["A"]) -> None:
        self.lab, self.cluster, self.folder, self.form = lab, cluster, folder, form
        folder.mkdir(parents=True)
        form.prepare(cluster)
        self._launcher = launcher
        self.access = Access.from_kubeconfig(lab.identity(cluster))
        self._runs = 0
        self.way_in = self.another_way_in("lane")
        self.clean: dict[str, stock.Stock] = {}
        self.uids: dict[str, str] = {}
        self.steps: dict[tuple[str, Sent], str] = {}
        """To which step of a journey a write belongs, by the first run that sent it."""
        self.over = False
        """Whether WG was removed here for good: it is installed anew before anything else is tried."""
        self.seen: list[Seen] = []
        self._witness: Witness | None = None
        self._ports, self._watched = 0, 0.0

    # -- the witness

    def watch(self) -> None:
        """From now on every request is counted."""
        number = len(self.seen)
        words = ("--renewal", "1", "--ports-from", str(PORTS[self._ports % len(PORTS)]))
        self._watched = time.monotonic()
        place, name = self.form.namespace, self.form.service
        self._witness = Witness(self.cluster, self.folder / f"witness{number}", (name,), RATE, *words, service=(place, name))
        wait_until("the witness at work", self._witness.ready, 60)

    def leave(self) -> None:
        """Until now; what was counted is kept."""
        witness, self._witness = self._witness, None
        if witness:
            self._ports += int((time.monotonic() - self._watched + 60) * PORTS_A_SECOND)  # the next one begins where no connection lingers
            self.seen.append(witness.stop(time.time()))

    # -- runs

    def play(self, goal: str, point: Point | None = None, way_in: WayIn | None = None, **more: Any) -> Ran:
        """One run to its end; killed at ``point``, if there is one. ``more`` are options of the call."""
        return self.end(self.begin(goal, point, way_in=way_in, **more))

    def begin(self, goal: str, point: Point | None = None, strike: Strike | None = None, way_in: WayIn | None = None, **more: Any) -> Begun:
        """One run, begun. ``strike`` is what happens at the point, by default that who is named there is killed."""
        way_in = way_in or self.way_in
        if goal == "finalised":
            self.pay()
        holder: list[Play] = []
        trap = Trap(point, lambda: (strike or _kill)(holder[0], point)) if point else None
        way_in.gate.begin(trap)
        self._runs += 1
        folder = self.folder / f"run{self._runs:03}-{goal}"
        told = {"validate_settings": {"report_dir": str(self.folder / "reports"), "run": folder.name}}  # where verdicts are written down
        holder.append(self._launcher.begin(folder, self._playbook(goal, more), way_in.inventory, "-e", json.dumps(told)))
        return Begun(goal, holder[0], way_in.gate, trap)

    def end(self, begun: Begun) -> Ran:
        """Wait for its end, and read what it said of itself."""
        play = begun.play.ended()
        records = self._records(play.folder.name)
        for write, step in steps.of(begun.gate.writes, records).items():
            self.steps.setdefault((begun.goal, write), step)
        result = next((dict(record["result"]) for record in records if record["record"] == "verdict"), {})
        return Ran(
            verdict=str(result.get("verdict", "")),
            message=str(result.get("message") or result.get("msg") or ""),
            rung=str(result.get("rung", "")),
            seconds=time.time() - play.began,
            writes=list(begun.gate.writes),
            hit=bool(begun.trap and begun.trap.sprung.is_set()),
            text=play.text,
        )

    def another_way_in(self, name: str, **variables: Any) -> WayIn:
        """A gate of its own, and the inventory of runs that pass it; ``variables`` are the host's."""
        gate = Gate(self.lab.relays, self.access)
        config = gate.write_kubeconfig(self.folder / f"{name}.kubeconfig", self.cluster.name)
        return WayIn(gate, self._inventory(name, {"ansible_connection": "local", **variables, "wge_kubeconfig": str(config)}))

    # -- the cluster

    def forget_holder(self) -> None:
        """What time does to the lock of a dead run: nobody holds it any more. (That it is waited out is a case of its own.)"""
        api, path = self.cluster.api(), f"/apis/coordination.k8s.io/v1/namespaces/{self.form.namespace}/leases/wge-upgrade"
        if api.find(path):
            api.patch(path, {"spec": {"holderIdentity": ""}})
        api.close()

    def pay(self) -> None:
        """What git owes before WG may be removed, once for each upgrade."""
        git = Repository(self.lab.bed.paths.git)
        if not self.form.owes_git or debt.is_paid(git, self.cluster):
            return
        self._runs += 1
        folder = self.folder / f"run{self._runs:03}-git"
        checkout = self.folder / f"checkout{self._runs:03}"
        debt.clone(git, checkout)
        self.way_in.gate.begin()
        told = {"checkout": str(checkout), "wge_cluster_uid": self.cluster.uid}
        play = self._launcher.begin(folder, debt.playbook(self.folder), self.way_in.inventory, "-e", json.dumps(told)).ended()
        if play.rc:
            raise AssertionError(f"{self.cluster.name}: git could not be told:\n{play.text[-3000:]}")
        debt.merge(self.cluster, checkout)

    def tidy(self) -> None:
        """Journals of former cases are evidence that nobody reads here."""
        api, journals = self.cluster.api(), f"/api/v1/namespaces/{self.form.namespace}/secrets"
        for item in api.get(f"{journals}?labelSelector={stock.JOURNAL_LABEL.replace('/', '%2F')}%3Drolled-back")["items"]:
            api.delete(f"{journals}/{item['metadata']['name']}")
        api.close()

    def learn(self, goal: str) -> None:
        """Remember what a clean run leaves."""
        self.clean[goal], self.uids = stock.of(self.cluster, self.form.by_flux)

    def learn_identities(self) -> None:
        """After WG was installed anew."""
        self.uids = stock.of(self.cluster, self.form.by_flux)[1]

    def wrong(self, goal: str) -> list[str]:
        """What differs from what a clean run leaves, where one was made, and whose identity was lost."""
        said: list[str] = []
        end = time.monotonic() + 5
        while True:  # controllers of the cluster may be a moment late
            found, uids = stock.of(self.cluster, self.form.by_flux)
            said = stock.differences(self.clean[goal], found) if goal in self.clean else []
            said += [f"{key} is another object now" for key, uid in self._kept().items() if uids.get(key, uid) != uid]
            if not said or time.monotonic() > end:
                return said
            time.sleep(0.3)

    def _kept(self) -> dict[str, str]:
        """The UIDs that no case may change: those of what is there in both states."""
        return {key: uid for key, uid in self.uids.items() if all(key in found for found in self.clean.values()) and "RUN" not in key}

    # -- files

    def archive(self) -> Path:
        """The newest of those that the runs have made."""
        return max((self.folder / "archive").iterdir(), key=lambda path: path.stat().st_mtime)

    def _inventory(self, name: str, variables: dict[str, Any]) -> Path:
        """An inventory with one host."""
        host = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", **variables}
        path = self.folder / f"{name}.yml"
        path.write_text(yaml.safe_dump({"all": {"children": {"fleet": {"hosts": {self.cluster.name: host}}}}}), encoding="utf-8")
        return path

    def _playbook(self, goal: str, more: dict[str, Any]) -> Path:
        bed = self.lab.bed.paths
        call = {
            "kubeconfig": "{{ wge_kubeconfig }}",
            "cluster_uid": self.cluster.uid,
            "chart": str(bed.charts / "mccp"),
            "helm": str(bed.helm),
            "entitlement_public_keys": self.lab.public_keys,
            "entry_urls": [self.cluster.entry_url],
            "archive": "{{ wge_archive | default(omit) }}",
            "archive_dir": str(self.folder / "archive"),
            "state": goal,
            **TIMES,
            **({"retention_days": 0} if goal == "finalised" else {}),
            **self.form.options(self.lab),
            **more,
        }
        path = self.folder / f"{'-'.join([goal, *more])}.yml"
        task = {"name": goal, "weaveworks.wge.wge_upgrade": call}
        path.write_text(yaml.safe_dump([{"hosts": "fleet", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
        return path

    def _records(self, run: str) -> list[dict[str, Any]]:
        """The run file: a worker writes its verdict there itself, whoever is dead."""
        path = self.folder / "reports" / f"{run}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]


def _kill(play: Play, point: Point) -> bool:
    play.strike(point.way)
    return point.way == points.CONTROLLER or (point.sent.by == points.HELM and point.way == points.WORKER)
