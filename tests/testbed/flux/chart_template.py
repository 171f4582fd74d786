# SPDX-License-Identifier: GPL-3.0-or-later
"""The HelmChart that helm-controller keeps for a HelmRelease with `spec.chart`."""

from __future__ import annotations

from ..agent.client import ApiError, Client
from . import runtime
from .release import LABEL
from .runtime import HELM_CHART, Object


def key_of_chart(item: Object) -> runtime.Key:
    """In the source's namespace, called after the HelmRelease and its namespace."""
    meta = item["metadata"]
    reference = ((item["spec"].get("chart") or {}).get("spec") or {}).get("sourceRef") or {}
    return reference.get("namespace") or meta["namespace"], f"{meta['namespace']}-{meta['name']}"


def source_of(item: Object) -> tuple[str, runtime.Key]:
    """Kind and key of what holds the chart's artifact."""
    reference = item["spec"].get("chartRef")
    if not reference:
        return "HelmChart", key_of_chart(item)
    return reference["kind"], (reference.get("namespace") or item["metadata"]["namespace"], reference["name"])


class ChartTemplate:
    """Applies and deletes HelmCharts; `status.helmChart` says which one there is."""

    def __init__(self, api: Client, manager: str) -> None:
        self._api = api
        self._query = f"?fieldManager={manager}&force=true"

    async def apply(self, item: Object, status: Object) -> None:
        """Make it as the HelmRelease says, and delete the one it spoke of before."""
        template = (item["spec"].get("chart") or {}).get("spec")
        key = key_of_chart(item)
        wanted = "/".join(key) if template else ""
        if status.get("helmChart") != wanted:
            await self.delete(status)
        if not template:
            return
        spec = {name: template[name] for name in ("chart", "version", "reconcileStrategy") if name in template}
        reference = {name: template["sourceRef"][name] for name in ("kind", "name")}
        spec.update(sourceRef=reference, interval=template.get("interval") or item["spec"]["interval"])
        owner = {f"{LABEL}/name": item["metadata"]["name"], f"{LABEL}/namespace": item["metadata"]["namespace"]}
        chart = {
            "apiVersion": HELM_CHART.api_version,
            "kind": HELM_CHART.name,
            "metadata": {"name": key[1], "namespace": key[0], "labels": owner},
            "spec": spec,
        }
        await self._api.request("PATCH", HELM_CHART.path(key) + self._query, chart, "application/apply-patch+yaml")
        status["helmChart"] = wanted

    async def delete(self, status: Object) -> None:
        """The one that the status names, if it names one."""
        if not status.get("helmChart"):
            return
        namespace, _slash, name = status["helmChart"].partition("/")
        try:
            await self._api.request("DELETE", HELM_CHART.path((namespace, name)))
        except ApiError as error:
            if error.status != 404:
                raise
        del status["helmChart"]
