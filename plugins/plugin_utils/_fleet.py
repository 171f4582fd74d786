# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Is an inventory a fleet: every cluster once, every setting known. PRIVATE: can change at any time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible.constants import DEFAULT_TRANSPORT
from ansible.context import CLIARGS

from ..module_utils._argspec import CONNECTION
from ..module_utils._errors import InvalidSettings
from ..module_utils._kube.configuration import connection_from
from . import _settings

HostVariables = Mapping[str, Mapping[str, Any]]

_LOCAL = ("local", "ansible.builtin.local")
_NAMES_A_CLUSTER = ("kubeconfig", "context", "host")
_SNAPSHOT = f"{_settings.PREFIX}snapshot_from"


def fleet_of(groups: Mapping[str, Sequence[str]]) -> list[str]:
    """The group ``fleet`` when there is one, else every host: a host of the inventory is a cluster."""
    return list(groups["fleet"] if "fleet" in groups else groups.get("all", ()))


def examine(hosts: Sequence[str], variables: HostVariables) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The typed settings of each host, and all that is wrong, one sentence each."""
    settings: dict[str, dict[str, Any]] = {}
    raw: dict[str, dict[str, Any]] = {}
    wrong: dict[str, list[str]] = {}
    for host in hosts:
        raw[host], unreadable = _read(variables[host])
        settings[host], mistyped = _settings.typed(raw[host])
        for sentence in (*unreadable, *_settings.unknown_variables(list(raw[host])), *mistyped):
            wrong.setdefault(sentence, []).append(host)
    problems = [f"{_whose(owners, hosts)}: {sentence}" for sentence, owners in wrong.items()]
    return settings, [*problems, *_settings.fleet_wide(settings), *_twice(hosts, raw, variables)]


def _whose(owners: Sequence[str], hosts: Sequence[str]) -> str:
    return "every cluster" if len(owners) == len(hosts) > 1 else ", ".join(owners)


def size_problem(settings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with the number of clusters, if a number was promised."""
    wanted = next((values["fleet_size"] for values in settings.values() if "fleet_size" in values), None)
    if wanted is None or wanted == len(settings):
        return []
    advice = "run it on the whole inventory (in AWX: without job slices), or correct the number."
    return [f"wge_fleet_size is {wanted}, but {len(settings)} clusters are seen; {advice}"]


def _read(variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Our variables of one host with their templates filled in."""
    values: dict[str, Any] = {}
    problems = []
    for name in variables:
        if str(name).startswith(_settings.PREFIX):
            try:
                values[str(name)] = variables[name]
            except Exception as error:  # a template can raise anything
                problems.append(f"{name} cannot be read: {error}")
    return values, problems


def _twice(hosts: Sequence[str], raw: HostVariables, variables: HostVariables) -> Iterator[str]:
    """Two names for one cluster would be upgraded in parallel, each against the other."""
    seen: dict[tuple[str, str], str] = {}
    for host in hosts:
        options = {name: raw[host].get(f"{_settings.PREFIX}{name}") for name in CONNECTION}
        way = _way(variables[host])
        if not way and not _names_a_cluster(options) and not raw[host].get(_SNAPSHOT):
            yield f"{host}: no cluster is named; set wge_kubeconfig, wge_context or wge_host."
        address = _address_behind(way, options) if way else _address(options)
        for what, value in (("cluster UID", str(options["cluster_uid"] or "")), ("API address", address)):
            other = seen.setdefault((what, value), host) if value else host
            if other != host:
                yield f"{other} and {host} have the same {what}, {value}; keep one of them."


def _names_a_cluster(options: Mapping[str, Any]) -> bool:
    return any(options[name] or os.environ.get(f"K8S_AUTH_{name.upper()}") for name in _NAMES_A_CLUSTER)


def _way(variables: Mapping[str, Any]) -> str:
    """The machine that a host's connection leads to; nothing when it is this one."""
    connection = _text(variables, "ansible_connection") or CLIARGS.get("connection") or DEFAULT_TRANSPORT
    if connection in _LOCAL:
        return ""
    return _text(variables, "ansible_host") or _text(variables, "inventory_hostname")


def _address(options: Mapping[str, Any]) -> str:
    """Where the API server is, and through what: private networks behind different proxies use the same addresses."""
    try:
        connection = connection_from(options, os.environ)
    except InvalidSettings:
        return ""  # the preflight of this cluster says what is wrong, and the others go on
    proxy = connection.proxy.rpartition("@")[2]  # without a password
    return f"{connection.server} through {proxy}" if proxy else connection.server


def _address_behind(way: str, options: Mapping[str, Any]) -> str:
    """A bastion's files are not here, so only the inventory's own words can be compared."""
    if options["host"]:
        return f"{str(options['host']).rstrip('/')} through {way}"
    if isinstance(options["kubeconfig"], str):
        return f"{options['kubeconfig']} {options['context'] or ''}".strip() + f" on {way}"
    return ""


def _text(variables: Mapping[str, Any], name: str) -> str:
    return str(variables[name]) if name in variables else ""
