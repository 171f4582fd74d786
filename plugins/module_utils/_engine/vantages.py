# SPDX-License-Identifier: GPL-3.0-or-later
"""From where the dashboard is called while traffic moves. PRIVATE."""

from __future__ import annotations

from collections.abc import Sequence

from .entitlement.effect import PROTECTED_PATH, proxy_path
from .model import Vantage
from .objects import name_of
from .situation import Situation


def vantages_for(now: Situation) -> Sequence[Vantage]:
    """From where the dashboard is called: through the API server's proxy, and at every entry URL."""
    main = now.main_service
    prefix = now.snapshot.installed.route_prefix
    paths = (prefix + "/", prefix + PROTECTED_PATH)
    found = [Vantage(url, "entry", url, paths) for url in now.settings.entry_urls]
    if main:
        scheme = "https" if now.snapshot.installed.scheme == "https" else "http"
        address = proxy_path(now.namespace, name_of(main), now.serving_port(main), scheme)
        found.insert(0, Vantage("service proxy", "proxy", address, paths))
    return found
