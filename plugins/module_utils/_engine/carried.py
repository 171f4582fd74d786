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
from .forms.manifests import is_legacy
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
OWN_NAMES = "it names WG's own objects, and WGE's have names of their own"
OWN_IMAGE = "WGE has its own images"
OWN_RIGHTS = "WGE's chart makes the account and the rights that WGE needs"
KEPT_VALUES = (
    Fate("additionalArgs", KEPT, "each flag in it is looked at by itself", "additionalArgs"),
    Fate("adminUser", KEPT, "Secret cluster-user-auth stays, and so do the admin's roles and bindings", "config.auth.userAccount.enabled"),
    Fate("envVars", KEPT, "each variable in it is looked at by itself", "extraEnvVars"),
    Fate("fullnameOverride", KEPT, OWN_NAMES),
    Fate("global", KEPT, "it chose the API of WG's Ingress, which stays"),
    Fate("image.pullPolicy", KEPT, OWN_IMAGE),
    Fate("image.repository", KEPT, OWN_IMAGE),
    Fate("image.tag", KEPT, OWN_IMAGE),
    Fate("imagePullSecrets", KEPT, "carried over", "imagePullSecrets"),
    Fate("ingress", KEPT, "WG's Ingress itself stays; WGE's chart makes none", "ingress.enabled"),
    Fate("kubeVersion", KEPT, "it chose the API of WG's Ingress, which stays"),
    Fate("logLevel", KEPT, "carried over; warn becomes info, which WGE knows", "config.logLevel"),
    Fate("metrics", KEPT, "the port of WG's Service stays and leads to WGE's metrics", "monitoring.enabled"),
    Fate("nameOverride", KEPT, OWN_NAMES),
    Fate("networkPolicy", KEPT, "carried over; who got through to WG gets through to WGE", "networkPolicy.enabled"),
    Fate("oidcSecret", KEPT, "Secret oidc-auth stays; its keys become values", "config.oidc"),
    Fate("rbac.create", KEPT, OWN_RIGHTS),
    Fate("rbac.impersonationResources", KEPT, OWN_RIGHTS),
    Fate("serverTLS", KEPT, "WGE is spoken to as WG was, with a certificate of its own", "tls.enabled"),
    Fate("service", KEPT, "WG's Service itself stays, with its ports and addresses", "service.type"),
    Fate("serviceAccount.create", KEPT, OWN_RIGHTS),
    Fate("serviceAccount.name", KEPT, OWN_RIGHTS),
)
KEPT_FLAGS = (
    Fate("--auth-methods", KEPT, "the same ways to log in, and no other", "config.auth"),
    Fate("--enable-metrics", KEPT, "WGE's metrics are on", "monitoring.enabled"),
    Fate("--host", KEPT, "WGE listens on every address of its pod"),
    Fate("--insecure", KEPT, "WGE is spoken to as WG was", "tls.enabled"),
    Fate("--log-level", KEPT, "carried over from the value logLevel", "config.logLevel"),
    Fate("--metrics-address", KEPT, "the port of WG's Service stays and leads to WGE's metrics", "monitoring.service.port"),
    Fate("--mtls", KEPT, "a check of its own refuses it"),
    Fate("--notification-controller-address", KEPT, "WGE does without"),
    Fate("--port", KEPT, "the target port of WG's Service leads to WGE's port"),
    Fate("--tls-cert-file", KEPT, "WGE serves TLS, with a certificate of its own", "tls.enabled"),
    Fate("--tls-private-key-file", KEPT, "WGE serves TLS, with a certificate of its own", "tls.enabled"),
)
ROUTE_PREFIX = Fate("--route-prefix", KEPT, "carried over, from WGE 0.38.0 on", "additionalArgs")
USUAL_OIDC_SECRET = Fate("--oidc-secret-name", KEPT, f"Secret {OIDC_SECRET} stays; its keys become values", "config.oidc")
VALUES: tuple[Fate, ...] = (
    *KEPT_VALUES,
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
    *KEPT_FLAGS,
    *(Fate(name, LOST, "WGE takes OIDC from its values", f"config.oidc.{there}") for name, there in OIDC_FLAGS.items()),
    Fate("--insecure-no-authentication-user", LOST, "WGE asks everybody to log in", "config.auth.noAuthentication.user"),
    Fate("--use-k8s-cached-clients", TOLD, "WGE does without", "global.useK8sCachedClients"),
    Fate("--admin-secret", LOST, "WGE reads Secret cluster-user-auth alone"),
)
LEGACY_FLAGS = {
    **dict.fromkeys(("--l", "--log"), "WGE always logs"),
    **dict.fromkeys(("--helm-repo-name", "--helm-repo-namespace", "--profile-cache-location"), "WGE finds charts by settings of its own"),
    **dict.fromkeys(("--watcher-healthz-bind-address", "--watcher-metrics-bind-address", "--watcher-port"), "WGE does without"),
}
"""Of the time before WG's chart; none of them is needed."""
ROUTE_PREFIX_SINCE = (0, 38, 0)
ENVIRONMENT = "extraEnvVars"
OWN_VARIABLES = {
    **dict.fromkeys(NOT_INHERITED, "WGE's chart sets it itself"),
    "WEAVE_GITOPS_AUTH_ENABLED": "WGE always asks people to log in",
}


def fates(wg: Installed, defaults: Object, given: Object, wge_version: str) -> list[Fate]:
    """Every setting of WG that differs from its chart's own, with what becomes of it. ``given`` are the values that people gave."""
    found = [_fate_of(path, VALUES) or Fate(path, TOLD, "no chart of WG knows this value") for path in _changed(given, defaults)]
    found += [_flag_fate(word, wg, wge_version) for word in _flags(wg.found.arguments)]
    found += [_variable_fate(str(entry.get("name", ""))) for entry in wg.environment]
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
        return Fate(name, LOST, f"WGE {wge_version} cannot serve below a path, 0.38.0 can") if late else ROUTE_PREFIX
    if name == "--oidc-secret-name":
        usual = OIDC_SECRET in wg.found.arguments or f"{name}={OIDC_SECRET}" in wg.found.arguments
        return USUAL_OIDC_SECRET if usual else Fate(name, LOST, f"only Secret {OIDC_SECRET} is carried over", "config.oidc.issuerURL")
    if is_legacy(wg.found.deployment) and name in LEGACY_FLAGS:
        return Fate(name, KEPT, LEGACY_FLAGS[name])
    return _fate_of(name, FLAGS) or Fate(name, LOST, "it is unknown here, and WGE ends at a flag that it does not know", "additionalArgs")


def _variable_fate(name: str) -> Fate:
    if name in OWN_VARIABLES:
        return Fate(f"variable {name}", KEPT, OWN_VARIABLES[name])
    if name.startswith(FLAG_PREFIX):
        return Fate(f"variable {name}", KEPT, "carried over", ENVIRONMENT)
    return Fate(f"variable {name}", LOST, "only WEAVE_GITOPS_… variables are carried over", ENVIRONMENT)


def _at(values: Object, path: str) -> object:
    found: object = values
    for key in path.split("."):
        found = found.get(key, MISSING) if isinstance(found, dict) else MISSING
    return found
