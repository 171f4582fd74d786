# SPDX-License-Identifier: GPL-3.0-or-later
"""The controllers and the two servers of a stand-in cluster: pods, EndpointSlices, and answers through the service proxy.

They settle at once after every write. A Deployment whose name is in ``broken`` gets pods that are never ready; one in ``deaf``
gets ready pods that answer 503.
"""

from __future__ import annotations

import re

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer, Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import digest, is_ready, selects

from .standin import StandInCluster
from .standin_products import pod, thing

NO_ENDPOINT = b'{"kind": "Status", "message": "no endpoints available for service"}'
PAGE = b"<!doctype html>"


class Controllers:
    """Plays deployment, endpoint and service proxy for a cluster."""

    def __init__(self, cluster: StandInCluster) -> None:
        self.cluster = cluster
        self.broken: set[str] = set()
        self.deaf: set[str] = set()
        cluster.after_write.append(self.settle)
        cluster.answer = self.answer
        self.settle()

    def settle(self) -> None:
        """Bring pods, statuses and slices in line with what Deployments and Services say."""
        for deployment in self.cluster.all("Deployment"):
            self._roll_out(deployment)
        for slice_ in self.cluster.all("EndpointSlice"):
            self.cluster.remove("EndpointSlice", slice_["metadata"]["name"])
        for service in self.cluster.all("Service"):
            self._slice(service)

    def answer(self, path: str) -> Answer:
        """What comes back through ``…/services/<scheme>:<name>:<port>/proxy/<path>``."""
        match = re.fullmatch(r".*/namespaces/[^/]+/services/(https?):([^:]+):(\d+)/proxy(/.*)", path)
        services = {item["metadata"]["name"]: item for item in self.cluster.all("Service")}
        if not match or match[2] not in services:
            return Answer(404, {}, b'{"kind": "Status"}')
        serving = self._serving(services[match[2]], int(match[3]))
        if serving is None or serving in self.deaf:
            return Answer(503, {}, NO_ENDPOINT)
        return self._say(match[4], enterprise="cluster-service" in serving)

    def _say(self, path: str, *, enterprise: bool) -> Answer:
        if path in ("/", "/v1/featureflags"):
            return Answer(200, {}, PAGE)
        names = {item["metadata"]["name"] for item in self.cluster.all("Secret")}
        entitled = not enterprise or "weave-gitops-enterprise-credentials" in names
        return Answer(401, {}, b"{}") if entitled else Answer(500, {}, b"No entitlement was found")

    def _roll_out(self, deployment: Object) -> None:
        name, spec = deployment["metadata"]["name"], deployment["spec"]
        wanted = spec.get("replicas", 1)
        stem = f"{name}-{digest(spec['template'])[:8]}"
        names = {f"{stem}-{index}" for index in range(wanted)}
        for old in self.cluster.all("Pod"):
            if old["metadata"]["name"].startswith(f"{name}-") and old["metadata"]["name"] not in names:
                self.cluster.remove("Pod", old["metadata"]["name"])
        known = {item["metadata"]["name"] for item in self.cluster.all("Pod")}
        for missing in sorted(names - known):
            made = pod(missing, spec["template"]["metadata"]["labels"], ready=name not in self.broken)
            made["metadata"]["namespace"] = deployment["metadata"]["namespace"]
            self.cluster.put(made)
        ready = sum(is_ready(item) for item in self.cluster.all("Pod") if item["metadata"]["name"] in names)
        counts = {"replicas": wanted, "updatedReplicas": wanted, "availableReplicas": ready, "readyReplicas": ready}
        deployment["status"] = {"observedGeneration": deployment["metadata"]["generation"], **counts}

    def _slice(self, service: Object) -> None:
        meta = service["metadata"]
        pods = [p for p in self.cluster.all("Pod") if selects(service["spec"].get("selector"), p["metadata"]["labels"])]
        item = thing("discovery.k8s.io/v1", "EndpointSlice", f"{meta['name']}-x", meta["namespace"], addressType="IPv4")
        item["metadata"]["labels"] = {"kubernetes.io/service-name": meta["name"]}
        ports = [self._target(port, pods) for port in service["spec"].get("ports") or []]
        item["ports"] = [
            {"name": p.get("name", ""), "port": n} for p, n in zip(service["spec"].get("ports") or [], ports, strict=True) if n
        ]
        item["endpoints"] = [
            {"targetRef": {"kind": "Pod", "name": p["metadata"]["name"]}, "conditions": {"ready": is_ready(p)}} for p in pods
        ]
        self.cluster.put(item)

    def _serving(self, service: Object, port: int) -> str | None:
        """The Deployment that answers at a Service port, None when nothing does."""
        pods = [p for p in self.cluster.all("Pod") if selects(service["spec"].get("selector"), p["metadata"]["labels"]) and is_ready(p)]
        entry = next((p for p in service["spec"]["ports"] if p["port"] == port), None)
        if not pods or entry is None or not self._target(entry, pods):
            return None
        return str(pods[0]["metadata"]["name"]).rsplit("-", 2)[0]

    def _target(self, port: Object, pods: list[Object]) -> int:
        """The pods' port that a Service port leads to, 0 when none of them has it (F2b)."""
        wanted = port.get("targetPort") or port["port"]
        for item in pods:
            for entry in self._ports_of(item):
                if wanted in (entry.get("name"), entry["containerPort"]):
                    return int(entry["containerPort"])
        return 0

    def _ports_of(self, item: Object) -> list[Object]:
        owner = str(item["metadata"]["name"]).rsplit("-", 2)[0]
        deployment = next((d for d in self.cluster.all("Deployment") if d["metadata"]["name"] == owner), None)
        containers = deployment["spec"]["template"]["spec"]["containers"] if deployment else []
        return [port for container in containers for port in container.get("ports") or []]
