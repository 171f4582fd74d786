# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of Flux's controllers share: a small chart, HelmReleases of it, and words for what became of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from testbed import Cluster, tools, wait_until
from testbed.api import Api
from testbed.flux import forms, repository
from testbed.flux.runtime import HELM_CHART, HELM_RELEASE, HELM_REPOSITORY, Conditions

Object = dict[str, Any]

NAMESPACE = "default"
SOURCE = "charts"
CHART = """apiVersion: v2
name: {name}
version: {version}
"""
OBJECTS = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  color: {{ .Values.color | quote }}
---
{{- if .Values.service }}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Values.serviceName | default .Release.Name }}
spec:
  ports: [{port: {{ .Values.port }}}]
  selector: {app: nobody}
{{- end }}
"""
VALUES = "color: red\nservice: true\nport: 80\n"


def pack(cluster: Cluster, folder: Path) -> None:
    """Charts `probe` 1.0.0 and 1.1.0, and `other` 1.0.0, into the bed's chart repository."""
    made = []
    for name, version in (("probe", "1.0.0"), ("probe", "1.1.0"), ("other", "1.0.0")):
        chart = folder / f"{name}-{version}" / name
        (chart / "templates").mkdir(parents=True, exist_ok=True)
        (chart / "Chart.yaml").write_text(CHART.format(name=name, version=version), encoding="utf-8")
        (chart / "values.yaml").write_text(VALUES, encoding="utf-8")
        (chart / "templates" / "objects.yaml").write_text(OBJECTS, encoding="utf-8")
        made.append(chart)
    repository.pack(made, cluster.paths.bed.chart_repository, tools.ensure(tools.HELM) / "helm")


def source(api: Api, name: str = SOURCE, **spec: Any) -> str:
    """A HelmRepository; its path."""
    path = HELM_REPOSITORY.path((NAMESPACE, name))
    value = {"interval": "1h", "url": repository.CHARTS_URL, **spec}
    item = {"apiVersion": HELM_REPOSITORY.api_version, "kind": "HelmRepository", "metadata": {"name": name}, "spec": value}
    if api.find(path) is None:
        api.create(path.rpartition("/")[0], item)
    return path


class HelmRelease:
    """One HelmRelease of the small chart, and what can be asked about it."""

    def __init__(self, api: Api, name: str, chart: str = "probe", version: str = "1.0.0", **spec: Any) -> None:
        self.api = api
        self.name = name
        self.path = HELM_RELEASE.path((NAMESPACE, name))
        reference = {"chart": chart, "version": version, "sourceRef": {"kind": "HelmRepository", "name": SOURCE}}
        value: Object = {"interval": "1h", "timeout": "20s", "values": {}, **spec}
        if "chartRef" not in value:
            value["chart"] = {"spec": reference}
        item = {"apiVersion": HELM_RELEASE.api_version, "kind": "HelmRelease", "metadata": {"name": name}, "spec": value}
        api.create(self.path.rpartition("/")[0], item)

    def get(self) -> Object:
        found: Object = self.api.get(self.path)
        return found

    def status(self) -> Object:
        return dict(self.get().get("status") or {})

    def condition(self, kind: str) -> Object:
        return Conditions(self.status(), 0).get(kind)

    def patch(self, **spec: Any) -> Object:
        found: Object = self.api.patch(self.path, {"spec": spec})
        return found

    def wait_ready(self, seconds: float = 60) -> Object:
        return forms.wait_ready(self.api, self.path, seconds)

    def wait_condition(self, kind: str, reason: str, seconds: float = 60) -> Object:
        """Until the condition has this reason."""
        found: Object = wait_until(
            f"{kind} of {self.name} to be {reason}, not {self.status().get('conditions')}",
            lambda: (item := self.condition(kind)).get("reason") == reason and item,
            seconds,
        )
        return found

    def wait_observed(self, seconds: float = 20) -> None:
        """Until the newest generation was looked at."""

        def observed() -> bool:
            found = self.get()
            return bool(found["status"].get("observedGeneration") == found["metadata"]["generation"])

        wait_until(f"{self.name} to be observed", observed, seconds)

    def reconcile(self, *more: str) -> Object:
        return forms.reconcile(self.api, self.path, *more)

    def delete(self) -> None:
        self.api.delete(self.path)
        wait_until(f"end of {self.name}", lambda: self.api.find(self.path) is None, 40)

    def color(self) -> str | None:
        """What the release's ConfigMap says, None without one."""
        found = self.api.find(f"/api/v1/namespaces/{NAMESPACE}/configmaps/{self.name}")
        return None if found is None else str(found["data"]["color"])

    def service(self, name: str = "") -> Object | None:
        found: Object | None = self.api.find(f"/api/v1/namespaces/{NAMESPACE}/services/{name or self.name}")
        return found

    def chart(self) -> Object | None:
        found: Object | None = self.api.find(HELM_CHART.path((NAMESPACE, f"{NAMESPACE}-{self.name}")))
        return found

    def secrets(self, namespace: str = NAMESPACE, name: str = "") -> list[Object]:
        query = f"labelSelector=owner%3Dhelm,name%3D{name or self.name}"
        return list(self.api.get(f"/api/v1/namespaces/{namespace}/secrets?{query}")["items"])


def settled(check: Any, seconds: float = 2.0) -> None:
    """`check` stays true for a while: a controller that acts within milliseconds would have acted."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert check()
        time.sleep(0.1)
