# SPDX-License-Identifier: GPL-3.0-or-later
"""The Node object and its Lease: what makes the control plane believe in this node."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

from .. import network
from .client import STRATEGIC, ApiError, Client, Unreachable
from .faults import FaultFile

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
RENEW = 5.0
RETRY = 0.15


def now() -> str:
    """Kubernetes' time stamp, whole seconds."""
    return dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro() -> str:
    return dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _status(name: str) -> dict[str, Any]:
    capacity = {"cpu": "8", "memory": "16Gi", "pods": "110", "ephemeral-storage": "100Gi"}
    good = (
        ("MemoryPressure", "False", "KubeletHasSufficientMemory"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID"),
        ("Ready", "True", "KubeletReady"),
    )
    conditions = [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": "stand-in node agent",
            "lastHeartbeatTime": now(),
            "lastTransitionTime": now(),
        }
        for kind, status, reason in good
    ]
    return {
        "capacity": capacity,
        "allocatable": capacity,
        "conditions": conditions,
        "addresses": [{"type": "InternalIP", "address": network.NODE_ADDRESS}, {"type": "Hostname", "address": name}],
        "nodeInfo": {
            "kubeletVersion": "v1.33.0-testbed",
            "architecture": "amd64",
            "operatingSystem": "linux",
            "osImage": "testbed",
            "kernelVersion": "",
            "containerRuntimeVersion": "testbed://1",
            "kubeProxyVersion": "",
            "machineID": "",
            "systemUUID": "",
            "bootID": "",
        },
    }


class Node:
    """Registers one node and keeps it alive, unless it is to be lost."""

    def __init__(self, api: Client, name: str, faults: FaultFile) -> None:
        self._api = api
        self._name = name
        self._faults = faults
        self.lost = False

    async def register(self) -> None:
        """Until the API server has it."""
        labels = {"kubernetes.io/hostname": self._name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
        body = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self._name, "labels": labels},
            "spec": {"podCIDR": network.POD_CIDR},
            "status": _status(self._name),
        }
        while True:
            try:
                await self._api.request("POST", "/api/v1/nodes", body)
                return
            except ApiError as error:
                if error.status == 409:
                    await self.report()
                    return
            except Unreachable:
                pass
            await asyncio.sleep(RETRY)

    async def report(self) -> None:
        """All is well."""
        await self._api.request("PATCH", f"/api/v1/nodes/{self._name}/status", {"status": _status(self._name)}, STRATEGIC)

    async def _renew(self) -> None:
        spec = {"holderIdentity": self._name, "leaseDurationSeconds": 40, "renewTime": _micro()}
        try:
            await self._api.request("PATCH", f"{LEASES}/{self._name}", {"spec": spec}, STRATEGIC)
        except ApiError as error:
            if error.status != 404:
                raise
            await self._api.request("POST", LEASES, {"metadata": {"name": self._name}, "spec": spec})

    async def _correct(self) -> None:
        """After an outage, on either side, the node lifecycle controller has written that this node is not ready."""
        node = await self._api.get(f"/api/v1/nodes/{self._name}")
        if not any(item["type"] == "Ready" and item["status"] == "True" for item in node["status"].get("conditions", [])):
            await self.report()

    async def keep(self) -> None:
        """Renew for ever; silent while `node_lost` is set, and heard again after it."""
        while True:
            lost = self._faults.node_lost()
            try:
                if not lost:
                    await self._renew()
                    await self._correct()
                self.lost = lost
                await self._watchful_pause()
            except (ApiError, Unreachable):
                await asyncio.sleep(RETRY)

    async def _watchful_pause(self) -> None:
        """RENEW seconds, or less when `node_lost` changes."""
        for _step in range(int(RENEW / 0.5)):
            if self._faults.node_lost() != self.lost:
                return
            await asyncio.sleep(0.5)
