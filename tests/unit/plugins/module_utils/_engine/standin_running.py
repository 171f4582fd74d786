# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in cluster on which WGE runs: each of its pods reads the entitlement once, when it starts, and time goes on."""

from __future__ import annotations

import base64
from datetime import datetime

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.grant import stored_text
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.verify import verify, written
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer, Object, Release
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import is_ready

from .standin import NOW, StandInCluster
from .standin_controllers import PAGE, Controllers
from .standin_products import NAMESPACE, TARGET_RELEASE, WGE_NAME, entitlement, thing, wge_objects
from .standin_tools import StandInClock
from .standin_vendor import VENDOR

SECRET = "weave-gitops-enterprise-credentials"
EXPIRED = {"entitlement-expired-message": "Your entitlement has expired."}
ANSWERS = {"entitled": Answer(401, {}, b"{}"), "expired": Answer(401, EXPIRED, b"{}"), "none": Answer(500, {}, b"No entitlement was found")}


class Reading(Controllers):
    """Controllers whose WGE pods know what they read. ``trusted`` are the keys built into this WGE."""

    def __init__(self, cluster: StandInCluster) -> None:
        self.trusted = [VENDOR.public]
        self.loaded: dict[str, str] = {}
        super().__init__(cluster)

    def _roll_out(self, deployment: Object) -> None:
        super()._roll_out(deployment)
        now = self.cluster.server_time or NOW
        for pod in self.cluster.all("Pod"):
            if pod["metadata"]["name"] not in self.loaded:
                self.loaded[pod["metadata"]["name"]] = self._judged(now)
                pod["metadata"]["creationTimestamp"] = written(now)
                state = pod["status"]["containerStatuses"][0]
                state.update({"name": "clusters-service", "state": {"running": {"startedAt": written(now)}}})

    def _judged(self, now: datetime) -> str:
        found = [item for item in self.cluster.all("Secret") if item["metadata"]["name"] == SECRET]
        judged = verify(stored_text(found[0]), self.trusted, now) if found else None
        if judged is None or not judged.valid:
            return "none"
        return "expired" if judged.expired else "entitled"

    def _say(self, path: str, *, enterprise: bool) -> Answer:
        if path in ("/", "/v1/featureflags") or not enterprise:
            return Answer(200, {}, PAGE)
        pod = next(item for item in self.cluster.all("Pod") if is_ready(item))
        return ANSWERS[self.loaded[pod["metadata"]["name"]]]


class Running:
    """The cluster, its clock, and what people do to it by hand."""

    def __init__(self, token: str | None = None, *, tls: bool = True, wge: bool = True) -> None:
        self.cluster, self.clock = StandInCluster(), StandInClock()
        self.clock.on_sleep.append(lambda _seconds: self.tick())
        self.cluster.put(thing("v1", "Namespace", NAMESPACE))
        if token is not None:
            self.store(token)
            self.later()
        if wge:
            for item in wge_objects(Release(TARGET_RELEASE, NAMESPACE, "mccp", values={"tls": {"enabled": tls}})):
                item["metadata"].setdefault("namespace", NAMESPACE)
                self.cluster.put(item)
            container = self.server()["spec"]["template"]["spec"]["containers"][0]
            container["envFrom"] = [{"configMapRef": {"name": WGE_NAME}}]
        self._data: dict[str, Object] = {}
        self._note()
        self.cluster.after_write.append(self._note)
        self.controllers = Reading(self.cluster)
        self.later()

    def tick(self) -> None:
        """The API server's time goes with ours."""
        self.cluster.server_time = self.clock.wall()

    def later(self, seconds: float = 5) -> None:
        """Time passes."""
        self.clock.sleep(seconds)

    def store(self, token: str | None, **more: object) -> Object | None:
        """The Secret by hand, written now."""
        if token is None:
            self.cluster.remove("Secret", SECRET)
            return None
        item = {**entitlement(token), **more}
        item["metadata"] = {**item["metadata"], "creationTimestamp": written(self.cluster.server_time)}
        return self.cluster.put(item)

    def restart(self) -> None:
        """WGE reads anew."""
        self.later()
        self.cluster.remove("Pod", self.pod())
        self.controllers.loaded.clear()
        self.controllers.settle()
        self.later()

    def server(self) -> Object:
        """WGE's Deployment."""
        return self.cluster.one("Deployment", WGE_NAME)

    def pod(self) -> str:
        """The name of WGE's pod."""
        return str(self.cluster.all("Pod")[0]["metadata"]["name"])

    def token(self) -> str:
        """What is stored."""
        return base64.b64decode(self.cluster.one("Secret", SECRET)["data"]["entitlement"]).decode()

    def shows(self) -> str:
        """What the running WGE makes of what it read."""
        return self.controllers.loaded[self.pod()]

    def writes(self) -> list[str]:
        """What was written, by verb and the kind's plural."""
        found = [(verb, path) for verb, path in self.cluster.requests if verb in ("create", "patch", "delete")]
        return [f"{verb} {path.rsplit('/', 1 if verb == 'create' else 2)[-1 if verb == 'create' else -2]}" for verb, path in found]

    def _note(self) -> None:
        """The API server notes when a Secret's data were written."""
        for item in self.cluster.all("Secret"):
            name = item["metadata"]["name"]
            if self._data.get(name) != item.get("data"):
                if name in self._data or "creationTimestamp" not in item["metadata"]:
                    stamp = written(self.cluster.server_time)
                    item["metadata"].setdefault("creationTimestamp", stamp)
                    item["metadata"]["managedFields"] = [{"manager": "wge", "time": stamp, "fieldsV1": {"f:data": {}}}]
                self._data[name] = dict(item.get("data") or {})
