# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to log in: those WG offered, and those WGE offers as it is set up on the cluster. PRIVATE."""

from __future__ import annotations

import base64

from .forms.manifests import ADMIN, OLD_LOGIN
from .inherit import methods_of, text_of
from .model import Cluster, Object
from .names import LOGIN_SECRET, OIDC_SECRET
from .objects import name_of, object_path
from .settings import Settings
from .situation import Situation
from .snapshot import Snapshot

METHODS = "AUTH_METHODS"
ANONYMOUS = "INSECURE_NO_AUTHENTICATION_USER"


def to_come(settings: Settings, snapshot: Snapshot) -> Object | None:
    """The Secret of the local user that a WG without a release gets, when it has none: as it was given, else out of its old one."""
    if snapshot.installed.is_released or snapshot.named.get(LOGIN_SECRET):
        return None
    old = next((item for item in snapshot.kept if item.get("kind") == "Secret" and name_of(item) == OLD_LOGIN), None)
    user = str(settings.login_secret.get("username") or ADMIN)
    password = str(settings.login_secret.get("password_hash") or text_of(old, "password").strip())
    if not password:
        return None
    data = {key: base64.b64encode(text.encode()).decode() for key, text in (("username", user), ("password", password))}
    meta = {"name": LOGIN_SECRET, "namespace": snapshot.namespace}
    return {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": meta, "data": data}


def with_login(settings: Settings, snapshot: Snapshot) -> dict[str, Object | None]:
    """The Secrets and other objects that were read by name, with the local user as WGE will find it."""
    return {**snapshot.named, LOGIN_SECRET: snapshot.named.get(LOGIN_SECRET) or to_come(settings, snapshot)}


def of_wg(now: Situation) -> list[str]:
    """What WG's arguments name, where it has what it takes: the login Secret, the OIDC Secret."""
    named = now.snapshot.named
    able = {"user-account": bool(named.get(LOGIN_SECRET)), "oidc": bool(text_of(named.get(OIDC_SECRET), "issuerURL"))}
    return sorted(method for method in methods_of(now.snapshot.installed) if able.get(method, True))


def of_wge(cluster: Cluster, now: Situation) -> list[str] | None:
    """What the server's environment names, ConfigMaps included. None when that cannot be found out."""
    found = _environment(cluster, now)
    if METHODS not in found:
        return None
    able = {"oidc": bool(found.get("OIDC_ISSUER_URL"))}
    methods = [word.strip() for word in found[METHODS].split(",") if word.strip()]
    anonymous = ["anonymous"] if found.get(ANONYMOUS) else []
    return sorted([*(method for method in methods if able.get(method, True)), *anonymous])


def differing(before: list[str], after: list[str] | None) -> list[str]:
    """A sentence for each way that is new or gone."""
    if after is None:
        return []
    new = [f"WGE offers the login {method}, which WG did not." for method in after if method not in before]
    return [*new, *(f"WGE does not offer the login {method}, which WG did." for method in before if method not in after)]


def _environment(cluster: Cluster, now: Situation) -> dict[str, str]:
    live = now.wge or {}
    containers = ((live.get("spec") or {}).get("template") or {}).get("spec", {}).get("containers") or []
    container: Object = next((c for c in containers if c.get("name") == now.target.container.get("name")), {})
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        name = (source.get("configMapRef") or {}).get("name")
        if name:
            found |= (cluster.get(object_path("ConfigMap", name, now.namespace)) or {}).get("data") or {}
    return found | {str(e["name"]): str(e.get("value") or "") for e in container.get("env") or []}
