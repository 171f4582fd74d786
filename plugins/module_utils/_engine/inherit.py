# SPDX-License-Identifier: GPL-3.0-or-later
"""What WGE inherits: WG's values, flags and Secrets as values of WGE's chart. PRIVATE.

The mapping goes as far as form A needs it to serve the same people in the same way: scheme, logins,
OIDC, cluster name, log level, route prefix, pull Secrets, feature flags. What the user gives in ``values`` wins over all of it.
"""

from __future__ import annotations

import base64

from .discover import Installed, flag
from .forms.helm import merged
from .model import Object
from .names import OIDC_SECRET

LOG_LEVELS = {"debug": "debug", "info": "info", "warn": "info", "error": "error"}
OIDC_KEYS = {
    "issuerURL": "issuerURL",
    "redirectURL": "redirectURL",
    "tokenDuration": "cookieDuration",
    "claimUsername": "claimUsername",
    "claimGroups": "claimGroups",
    "oidcUsernamePrefix": "usernamePrefix",
    "oidcGroupsPrefix": "groupsPrefix",
}
FLAG_PREFIX = "WEAVE_GITOPS_"
NOT_INHERITED = ("WEAVE_GITOPS_FEATURE_CLUSTER", "WEAVE_GITOPS_FEATURE_TENANCY")
"""WGE's chart sets both itself; WG's CLUSTER=false would hide WGE's cluster pages (9.7)."""


def values_for(wg: Installed, secrets: dict[str, Object | None], user_values: Object) -> Object:
    """The values WGE is installed with.

    ``secrets`` holds the login and OIDC Secrets by name (None when not there). Of the OIDC Secret only addresses and claim
    names are used; client id and secret stay in the Secret, which WGE reads itself.
    """
    inherited: Object = {
        "ingress": {"enabled": False},
        "service": {"type": "ClusterIP"},
        "tls": {"enabled": wg.scheme == "https"},
        "networkPolicy": {"enabled": bool((wg.values.get("networkPolicy") or {}).get("create", True))},
        "config": {
            "cluster": {"name": "Default"},
            "logLevel": LOG_LEVELS.get(wg.log_level, "info"),
            "auth": _logins(wg, secrets),
        },
        "extraEnvVars": _environment(wg),
    }
    oidc = _oidc(secrets.get(OIDC_SECRET))
    if oidc:
        inherited["config"]["oidc"] = oidc
    if wg.pull_secrets:
        inherited["imagePullSecrets"] = wg.pull_secrets
    if wg.route_prefix:
        inherited["additionalArgs"] = [f"--route-prefix={wg.route_prefix}"]
    return merged(inherited, user_values)


def methods_of(wg: Installed) -> list[str]:
    """The ways to log in that WG offers (``--auth-methods``; default user-account and oidc)."""
    given = flag(wg.found.arguments, "--auth-methods")
    return [word.strip() for word in given.split(",")] if given else ["user-account", "oidc"]


def text_of(secret: Object | None, key: str) -> str:
    """One key of a Secret as text, empty when the Secret or the key is not there."""
    data = (secret or {}).get("data") or {}
    return base64.b64decode(data.get(key) or "").decode(errors="replace")


def _logins(wg: Installed, secrets: dict[str, Object | None]) -> Object:
    methods = methods_of(wg)
    return {
        "userAccount": {"enabled": "user-account" in methods and bool(secrets.get("cluster-user-auth"))},
        "tokenPassthrough": {"enabled": "token-passthrough" in methods},
    }


def _environment(wg: Installed) -> list[Object]:
    kept = [v for v in wg.environment if str(v.get("name", "")).startswith(FLAG_PREFIX) and v["name"] not in NOT_INHERITED]
    if not any(v["name"] == "WEAVE_GITOPS_FEATURE_TELEMETRY" for v in kept):
        # WG sends nothing unless told to, WGE sends unless told not to (2.3).
        kept.append({"name": "WEAVE_GITOPS_FEATURE_TELEMETRY", "value": "false"})
    return kept


def _oidc(secret: Object | None) -> Object:
    if not text_of(secret, "issuerURL"):
        return {}
    mapped = {there: text_of(secret, here) for here, there in OIDC_KEYS.items() if text_of(secret, here)}
    scopes = text_of(secret, "customScopes")
    if scopes:
        # WG trims the list, WGE does not (2.4).
        mapped["customScopes"] = ",".join(scope.strip() for scope in scopes.split(","))
    return {"enabled": True, "clientCredentialsSecret": OIDC_SECRET, **mapped}
