# SPDX-License-Identifier: GPL-3.0-or-later
"""NE: the table of what is asked about Services, routes, policies and the ways to the dashboard. PRIVATE."""

from __future__ import annotations

from ..model import Rung
from .balancers import ip_families, load_balancers
from .baseline import answers
from .bindings import outside, policies
from .check import BLOCK, INFO, WARNING, Check
from .route_checks import backend_scheme, numeric_targets, paths_and_edge, routes
from .scraping import metrics
from .services import services

CHECKS = (
    Check(
        "NE-01",
        "network",
        "Services to keep",
        BLOCK,
        services,
        "every Service that leads to WG, its ports, pods and addresses",
        "Correct the Services: what they lead to is all that the upgrade changes.",
        waivable=False,
    ),
    Check(
        "NE-02",
        "network",
        "routes",
        INFO,
        routes,
        "Ingresses and every known kind of routes that is served; at most six lists of unknown kinds that sound like routes",
        "Name their addresses in `wge_entry_urls`.",
    ),
    Check(
        "NE-03",
        "network",
        "scheme of the backend",
        BLOCK,
        backend_scheme,
        "what routes, rules and annotations say about http or https, against what WGE will speak",
        "Correct the route, or set `tls.enabled` in `wge_values`; end TLS where the certificate is verified.",
    ),
    Check(
        "NE-04",
        "network",
        "numeric targets",
        BLOCK,
        numeric_targets,
        "routes, target groups and health checks that name a port of the pods by its number",
        "Name the Service's port instead.",
    ),
    Check(
        "NE-05",
        "network",
        "load balancers",
        WARNING,
        load_balancers,
        "target types, traffic policies of Services, and proxies of meshes",
        "Watch such an address through the switch; keep WGE on WG's node where nodes count.",
    ),
    Check(
        "NE-06",
        "network",
        "policies of the pods",
        BLOCK,
        policies,
        "everything that selects WG's pods: policies of networks and meshes, disruption budgets, autoscalers, subsets",
        "Give WGE's pods the same rules; of the kinds that can be copied, twins are part of the plan.",
    ),
    Check(
        "NE-07",
        "network",
        "callers from outside",
        BLOCK,
        outside,
        "NetworkPolicies of WG, of the chart, and the twins",
        "Let the upgrade make its policy for WGE's port.",
    ),
    Check(
        "NE-08",
        "network",
        "address families",
        BLOCK,
        ip_families,
        "the families of the Services' addresses",
        "Give the Services IPv4 addresses, or ask for a build of WGE that listens on IPv6.",
    ),
    Check(
        "NE-09",
        "network",
        "metrics",
        WARNING,
        metrics,
        "ServiceMonitors, PodMonitors and their like, and annotations for Prometheus",
        "Collect from the port of WGE.",
    ),
    Check(
        "NE-10",
        "network",
        "answers before the switch",
        BLOCK,
        answers,
        "the first page and a protected one, at each entry URL and through the service proxy",
        "Repair the way to the dashboard first.",
        until=Rung.FLIPPED,
    ),
    Check(
        "NE-11",
        "network",
        "paths and logins at the edge",
        INFO,
        paths_and_edge,
        "paths, prefixes and annotations of the routes",
        "Lead the whole of the dashboard to the Service; carry the prefix.",
    ),
)
