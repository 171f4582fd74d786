# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ansible inventory of a running bed."""

from __future__ import annotations

from typing import Any

import yaml

from . import workloads
from .cluster import Cluster
from .layout import BedPaths


def _host(cluster: Cluster) -> dict[str, Any]:
    return {
        "wge_kubeconfig": "{{ inventory_dir }}/" + cluster.kubeconfig.name,
        "wge_cluster_uid": cluster.uid,
        "wge_entry_urls": [cluster.entry_url],
    }


def document(clusters: list[Cluster], public_key: str) -> dict[str, Any]:
    """Group `fleet` with every cluster, its child `wge_canary` with the first one."""
    common = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "wge_chart": "{{ inventory_dir }}/charts/mccp",
        "wge_helm": "{{ inventory_dir }}/helm",
        "wge_entitlement_public_keys": [public_key],
        "bed_username": workloads.USER,
        "bed_password": workloads.PASSWORD,
        "bed_entitlement": "{{ inventory_dir }}/entitlement.jwt",
        "bed_entitlement_public_key": "{{ inventory_dir }}/entitlement.pub",
    }
    hosts = {cluster.name: _host(cluster) for cluster in clusters}
    first: dict[str, Any] = {cluster.name: {} for cluster in clusters[:1]}
    return {"all": {"children": {"fleet": {"vars": common, "hosts": hosts, "children": {"wge_canary": {"hosts": first}}}}}}


def write(bed: BedPaths, clusters: list[Cluster]) -> None:
    """`inventory.yml`, whole or not at all."""
    beside = bed.inventory.with_name(".inventory.yml.new")
    text = yaml.safe_dump(document(clusters, bed.entitlement_public.read_text(encoding="ascii")), sort_keys=False, width=120)
    beside.write_text("---\n# Written by the test bed; gone with `make bed-down`.\n" + text, encoding="utf-8")
    beside.replace(bed.inventory)
