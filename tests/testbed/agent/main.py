# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for a kubelet and its container runtime: one process a cluster.

Keeps: the Node and its Lease, pods bound to the node from start to removal (see pod.py), their addresses, probes
with a kubelet's arithmetic, ServiceAccount tokens bound to the pod, the node's own identity towards the API server
(Node authoriser). Images of the two products are played by programs of `testbed.products`; the container of any
other image runs and listens on nothing, and is Ready. Leaves out: images, logs and exec through the API, Events,
resource limits. When this program is started again, as after a reboot of the node, pods keep their addresses and
their processes start anew.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import network
from ..layout import BedPaths
from ..records import read_json
from . import images
from .client import ApiError, Client, Unreachable, context_from
from .faults import FaultFile
from .node import RETRY, Node
from .pod import Pod

TOKEN_SECONDS = 3600


class Agent:
    """All pods of one node."""

    def __init__(self, bed: BedPaths, cluster: str) -> None:
        self.bed = bed
        self.paths = bed.cluster(cluster)
        self.python = sys.executable
        keys = self.paths.pki
        self.url = f"https://127.0.0.1:{read_json(self.paths.settings)['api_port']}"
        self.api = Client(self.url, context_from(str(keys / "ca.crt"), str(keys / "agent.crt"), str(keys / "agent.key")))
        self.faults = FaultFile(self.paths.faults)
        self.node = Node(self.api, network.NODE_NAME, self.faults)
        self._pods: dict[str, Pod] = {}
        self._wakers: dict[str, asyncio.Event] = {}
        self._addresses = self._free_addresses()

    # -- for pods

    def _free_addresses(self) -> Iterator[str]:
        """One after the other, round and round, leaving out those in use."""
        hosts = [str(address) for address in itertools.islice(ipaddress.ip_network(network.POD_CIDR).hosts(), 1, 4096)]
        for address in itertools.cycle(hosts):
            if all(pod.address != address for pod in self._pods.values()):
                yield address

    def wake(self, pod: Pod) -> None:
        """Something of `pod` changed."""
        if pod.uid in self._wakers:
            self._wakers[pod.uid].set()

    async def pause(self, pod: Pod, seconds: float) -> None:
        """Until `wake`, or for some seconds."""
        event = self._wakers.setdefault(pod.uid, asyncio.Event())
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            pass
        event.clear()

    def removed(self, pod: Pod) -> None:
        """Its task has ended."""
        self._pods.pop(pod.uid, None)
        self._wakers.pop(pod.uid, None)

    def bed_environment(self, pod: Pod, image: str) -> dict[str, str]:
        """What a stand-in product must know about the bed."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TESTBED_ADDRESS": pod.address,
            "TESTBED_ROOT": str(pod.folder),
            "TESTBED_API": self.url,
            "TESTBED_CA": str(self.paths.pki / "ca.crt"),
            "TESTBED_TOKEN": str(pod.folder / "token"),
            "TESTBED_NAMESPACE": pod.seen["metadata"]["namespace"],
            "TESTBED_IMAGE_TAG": images.tag(image),
            "TESTBED_ENTITLEMENT_KEY": str(self.bed.entitlement_public),
        }

    async def write_token(self, pod: dict[str, Any], path: Path) -> None:
        """A token of the pod's ServiceAccount, bound to the pod, as it would be mounted."""
        meta, spec = pod["metadata"], pod["spec"]
        if spec.get("automountServiceAccountToken") is False:
            return
        account = spec.get("serviceAccountName") or "default"
        bound = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
        answer = await self.api.request(
            "POST",
            f"/api/v1/namespaces/{meta['namespace']}/serviceaccounts/{account}/token",
            {"spec": {"expirationSeconds": TOKEN_SECONDS, "boundObjectRef": bound}},
        )
        path.write_text(answer["status"]["token"], encoding="ascii")

    # -- the node

    async def _renew_tokens(self) -> None:
        while True:
            await asyncio.sleep(TOKEN_SECONDS / 2)
            for pod in list(self._pods.values()):
                if (pod.folder / "token").exists():
                    await self.write_token(pod.seen, pod.folder / "token")

    def _handle(self, kind: str, pod: dict[str, Any]) -> None:
        uid = pod["metadata"]["uid"]
        if kind == "DELETED":
            if uid in self._pods:
                self._pods[uid].forget()
        elif uid in self._pods:
            self._pods[uid].update(pod)
        elif pod["metadata"].get("deletionTimestamp") or pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            self._pods[uid] = Pod(self, pod, pod.get("status", {}).get("podIP") or next(self._addresses))

    async def _follow(self) -> None:
        """One list and the watch after it."""
        where = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{network.NODE_NAME}"
        found = await self.api.get(where)
        alive = {pod["metadata"]["uid"] for pod in found["items"]}
        for uid in [uid for uid in self._pods if uid not in alive]:
            self._pods[uid].forget()
        for pod in sorted(found["items"], key=lambda pod: not pod.get("status", {}).get("podIP")):
            self._handle("ADDED", pod)
        version = found["metadata"]["resourceVersion"]
        async for kind, pod in self.api.watch(f"{where}&watch=1&resourceVersion={version}&timeoutSeconds=1800"):
            if kind == "ERROR":
                return
            self._handle(kind, pod)

    async def _freeze_when_lost(self) -> None:
        """A lost node's pods fall silent with it."""
        frozen = False
        while True:
            if frozen != self.node.lost:
                frozen = self.node.lost
                for pod in self._pods.values():
                    pod.freeze(frozen)
            await asyncio.sleep(0.2)

    async def run(self) -> None:
        """For ever."""
        await self.node.register()
        print(f"registered {network.NODE_NAME} at {time.time():.2f}", flush=True)
        kept = [asyncio.create_task(job) for job in (self.node.keep(), self._renew_tokens(), self._freeze_when_lost())]
        while not any(task.done() for task in kept):
            try:
                await self._follow()
            except (ApiError, Unreachable, OSError, asyncio.IncompleteReadError) as error:
                print(f"watch: {error}", flush=True)
                await asyncio.sleep(RETRY)
        for task in kept:
            task.cancel()
        await asyncio.gather(*kept)


def main() -> None:
    """Arguments: the bed's folder and the cluster's name."""
    asyncio.run(Agent(BedPaths(Path(sys.argv[1])), sys.argv[2]).run())
