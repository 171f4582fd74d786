# SPDX-License-Identifier: GPL-3.0-or-later
"""The peer: the same objects read by `kubernetes.core.k8s_info` tasks, one a distinct read, as a user would write them.

Made from the recorded requests of our preflight. What k8s_info cannot read (`/version`, `/apis`, access reviews) is left out, which
favours the peer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.recorder import Request

Kinds = Mapping[tuple[str, str], str]
"""API version and plural name to kind."""


def api_version_of(path: str) -> str:
    """``apps/v1`` out of ``/apis/apps/v1/…``; empty for a path that names no object."""
    parts = urlsplit(path).path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        return parts[1]
    if parts[0] == "apis" and len(parts) > 3:
        return f"{parts[1]}/{parts[2]}"
    return ""


def options_of(request: Request, kinds: Kinds) -> dict[str, Any] | None:
    """The options of the k8s_info task that reads the same; None when there is none."""
    version = api_version_of(request.path)
    if request.method != "GET" or not version:
        return None
    split = urlsplit(request.path)
    rest = split.path.strip("/").split("/")[2 if "/" not in version else 3 :]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    options: dict[str, Any] = {"api_version": version, "kind": kinds[version, rest[0]]}
    query = parse_qs(split.query)
    if namespace:
        options["namespace"] = namespace
    if len(rest) > 1:
        options["name"] = rest[1]
    for word, option in (("labelSelector", "label_selectors"), ("fieldSelector", "field_selectors")):
        if word in query:
            options[option] = query[word]
    return options


def playbook(requests: Iterable[Request], kinds: Kinds) -> list[dict[str, Any]]:
    """One play; reads that occur twice are made once."""
    distinct: list[dict[str, Any]] = []
    for request in requests:
        options = options_of(request, kinds)
        if options and options not in distinct:
            distinct.append(options)
    tasks = [
        {"name": f"Read {options['kind']} {number}", "kubernetes.core.k8s_info": options, "register": f"read_{number}"}
        for number, options in enumerate(distinct, 1)
    ]
    defaults = {"group/kubernetes.core.k8s": {"kubeconfig": "{{ wge_kubeconfig }}"}}
    return [{"name": "Peer", "hosts": "all", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}]
