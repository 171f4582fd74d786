# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of each setting of WG in WGE: carried over, of no matter, to be told, or lost unless somebody decides. PRIVATE.

The tables are data, after what both charts and both servers know (WG 0.38.0, WGE 0.38.1). What is in none of them is unknown and
counts as lost for flags and variables; a value that no chart knows does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .compatibility import triple
from .discover import Installed
from .inherit import FLAG_PREFIX, NOT_INHERITED
from .model import Object
from .names import OIDC_SECRET
from .patches import MISSING

KEPT, TOLD, LOST = "kept", "told", "lost"
"""It works on as it did, or WGE has no need of it; a person should know; somebody has to decide."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one setting. ``equivalent`` is the path in WGE's values by which a user answers it."""

    name: str
    kind: str
    words: str
    equivalent: str = ""


POST = "WGE's chart has no value for it"
KEPT_VALUES = (
    *("additionalArgs", "adminUser", "envVars", "fullnameOverride", "global", "image.pullPolicy", "image.repository", "image.tag"),
    *("imagePullSecrets", "ingress", "kubeVersion", "logLevel", "metrics", "nameOverride", "networkPolicy", "oidcSecret"),
    *("rbac.create", "rbac.impersonationResources", "serverTLS", "service", "serviceAccount.create", "serviceAccount.name"),
)
KEPT_FLAGS = (
    *("--auth-methods", "--enable-metrics", "--host", "--insecure", "--log-level", "--metrics-address", "--mtls"),
    *("--notification-controller-address", "--port", "--tls-cert-file", "--tls-private-key-file"),
)
VALUES: tuple[Fate, ...] = (
    *(Fate(name, KEPT, "") for name in KEPT_VALUES),
    Fate("replicaCount", TOLD, "WGE has one replica; logins are held in memory"),
    Fate("annotations", TOLD, POST),
    Fate("podAnnotations", TOLD, POST),
    Fate("podLabels", TOLD, POST),
    Fate("resources", TOLD, POST),
    Fate("podSecurityContext", TOLD, POST),
    Fate("securityContext", TOLD, POST),
    Fate("rbac.annotations", TOLD, POST),
    Fate("rbac.viewSecretsResourceNames", TOLD, "WGE may read every Secret unless config.capi.clusters.namespace narrows it"),
    Fate("serviceAccount.annotations", LOST, "a cloud identity may hang on it", "serviceAccount.annotations"),
    Fate("rbac.impersonationResourceNames", LOST, "WGE may act as any user and group"),
    Fate("rbac.additionalRules", LOST, "give WGE's ServiceAccount these rights with a ClusterRole of your own"),
    Fate("nodeSelector", LOST, f"{POST}; WGE's pod may land on any node"),
    Fate("tolerations", LOST, f"{POST}; WGE's pod may find no node"),
    Fate("affinity", LOST, f"{POST}; WGE's pod may land on any node"),
    Fate("extraVolumes", LOST, "certificates and the like are not taken along", "extraVolumes"),
    Fate("extraVolumeMounts", LOST, "certificates and the like are not taken along", "extraVolumeMounts"),
)
OIDC_FLAGS = {
    "--custom-oidc-scopes": "customScopes",
    "--oidc-client-id": "clientCredentialsSecret",
    "--oidc-client-secret": "clientCredentialsSecret",
    "--oidc-group-prefix": "groupsPrefix",
    "--oidc-groups-claim": "claimGroups",
    "--oidc-issuer-url": "issuerURL",
    "--oidc-redirect-url": "redirectURL",
    "--oidc-token-duration": "cookieDuration",
    "--oidc-username-claim": "claimUsername",
    "--oidc-username-prefix": "usernamePrefix",
}
"""Each has a place in WGE's values below config.oidc."""
FLAGS: tuple[Fate, ...] = (
    *(Fate(name, KEPT, "") for name in KEPT_FLAGS),
    *(Fate(name, LOST, "WGE takes OIDC from its values", f"config.oidc.{there}") for name, there in OIDC_FLAGS.items()),
    Fate("--insecure-no-authentication-user", LOST, "WGE asks everybody to log in", "config.auth.noAuthentication.user"),
    Fate("--use-k8s-cached-clients", TOLD, "WGE does without", "global.useK8sCachedClients"),
    Fate("--admin-secret", LOST, "WGE reads Secret cluster-user-auth alone"),
)
ROUTE_PREFIX_SINCE = (0, 38, 0)
ENVIRONMENT = "extraEnvVars"


def fates(wg: Installed, defaults: Object, given: Object, wge_version: str) -> list[Fate]:
    """Every setting of WG that differs from its chart's own, with what becomes of it. ``given`` are the values that people gave."""
    found = [_fate_of(path, VALUES) or Fate(path, TOLD, "no chart of WG knows this value") for path in _changed(given, defaults)]
    found += [_flag_fate(word, wg, wge_version) for word in _flags(wg.found.arguments)]
    found += [fate for entry in wg.values.get("envVars") or [] if (fate := _variable_fate(str(entry.get("name", ""))))]
    return list(dict.fromkeys(found))


def is_answered(fate: Fate, values: Object) -> bool:
    """Whether the user's values for WGE speak of it."""
    if fate.equivalent == ENVIRONMENT:
        names = {str(entry.get("name")) for key in (ENVIRONMENT, "envVars") for entry in values.get(key) or []}
        return fate.name.removeprefix("variable ") in names
    return bool(fate.equivalent) and _at(values, fate.equivalent) not in (MISSING, None)


def _changed(given: Object, defaults: Object, path: str = "") -> Iterator[str]:
    """The paths of the values that people gave and that are not the chart's own."""
    for key, value in given.items():
        default = defaults.get(key)
        where = f"{path}{key}"
        if isinstance(value, dict) and value and not _fate_of(where, VALUES):
            yield from _changed(value, default if isinstance(default, dict) else {}, f"{where}.")
        elif value != default and value not in (None, "", [], {}):
            yield where


def _fate_of(name: str, table: tuple[Fate, ...]) -> Fate | None:
    return next((fate for fate in table if fate.name == name), None)


def _flags(arguments: list[str]) -> list[str]:
    return [word.split("=")[0] for word in arguments if word.startswith("-")]


def _flag_fate(name: str, wg: Installed, wge_version: str) -> Fate:
    name = "--" + name.lstrip("-")
    if name == "--route-prefix":
        late = (triple(wge_version) or ROUTE_PREFIX_SINCE) < ROUTE_PREFIX_SINCE
        return Fate(name, LOST, f"WGE {wge_version} cannot serve below a path, 0.38.0 can") if late else Fate(name, KEPT, "")
    if name == "--oidc-secret-name":
        usual = OIDC_SECRET in wg.found.arguments or f"{name}={OIDC_SECRET}" in wg.found.arguments
        return Fate(name, KEPT, "") if usual else Fate(name, LOST, f"only Secret {OIDC_SECRET} is carried over", "config.oidc.issuerURL")
    return _fate_of(name, FLAGS) or Fate(name, LOST, "it is unknown here, and WGE ends at a flag that it does not know", "additionalArgs")


def _variable_fate(name: str) -> Fate | None:
    if name.startswith(FLAG_PREFIX) or name in NOT_INHERITED or name == "WEAVE_GITOPS_AUTH_ENABLED":
        return None
    return Fate(f"variable {name}", LOST, "only WEAVE_GITOPS_… variables are carried over", ENVIRONMENT)


def _at(values: Object, path: str) -> object:
    found: object = values
    for key in path.split("."):
        found = found.get(key, MISSING) if isinstance(found, dict) else MISSING
    return found
