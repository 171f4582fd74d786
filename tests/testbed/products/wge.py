# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for the server of Weave GitOps Enterprise (image weave-gitops-enterprise-clusters-service), v0.38.1.

Keeps: settings from the environment (as the chart's ConfigMap gives them), port 8000 with a certificate of its own
or plain with NO_TLS, monitoring on its port, the entitlement read once at start and checked before the login, 500
without one and a header with an expired one, token pass-through, `cluster-user-auth` needed at start, recorded
answers, ending at once on SIGTERM. Leaves out: OIDC, Explorer, git providers, pipelines, templates, leaf clusters,
TLS_CERT_FILE (as the real one, which reads it and serves its own certificate all the same).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import Any

from . import licence, selfsigned
from .core import Product, loaded, metrics
from .httpd import Answer, Request, Server

PORT = 8000
NO_ENTITLEMENT = Answer(
    500,
    b'{"message":"No entitlement was found for Weave GitOps Enterprise. Please contact sales@weave.works."}',
    "text/plain; charset=utf-8",
)
EXPIRED = ("Entitlement-Expired-Message", "Your entitlement for Weave GitOps Enterprise has expired, please contact sales@weave.works.")
DEFAULT_METHODS = "user-account,oidc,token-passthrough"
KNOWN_VALUES = (
    "log-level",
    "pipeline-controller-address",
    "cluster-name",
    "auth-methods",
    "entitlement-secret-name",
    "entitlement-secret-namespace",
    "insecure-no-authentication-user",
    "route-prefix",
    "custom-oidc-scopes",
    "oidc-client-id",
    "oidc-client-secret",
    "oidc-issuer-url",
    "oidc-redirect-url",
    "oidc-token-duration",
    "oidc-claim-username",
    "oidc-claim-groups",
    "oidc-username-prefix",
    "oidc-groups-prefix",
    "tls-cert-file",
    "tls-private-key",
    "monitoring-bind-address",
    "capi-templates-namespace",
)
KNOWN_SWITCHES = ("no-tls", "use-k8s-cached-clients", "monitoring-enabled")


def arguments(given: list[str]) -> argparse.Namespace:
    """Each flag can be given as an environment variable too; an unknown flag is the end."""
    parser = argparse.ArgumentParser(prog="clusters-service", allow_abbrev=False)
    for name in KNOWN_VALUES:
        parser.add_argument(f"--{name}", default=os.environ.get(name.upper().replace("-", "_"), ""))
    for name in KNOWN_SWITCHES:
        parser.add_argument(f"--{name}", nargs="?", const="true", default=os.environ.get(name.upper().replace("-", "_"), "false"))
    return parser.parse_args(given)


class Enterprise(Product):
    """WGE's own ways."""

    name = "wge"
    title = "Weave GitOps Enterprise"
    session_seconds = 86400
    not_found = b'{"code":5, "message":"Not Found", "details":[]}'
    state = licence.State.NONE

    def more_flags(self) -> dict[str, str]:
        return {"ACCOUNT_ID": "testbed"}

    async def read_entitlement(self, namespace: str, name: str) -> None:
        """Once; what the Secret says later is not seen."""
        found = await self.kube.secret(namespace, name)
        token = (found or {}).get("entitlement")
        self.state = licence.judge(token, licence.load_key(os.environ.get("TESTBED_ENTITLEMENT_KEY", "")))
        print(f"entitlement: {self.state.value}", flush=True)

    async def api(self, request: Request) -> Answer | None:
        """The entitlement comes before the login; one path is free of both."""
        if request.path == "/v1/featureflags" and request.method == "GET":
            return await super().api(request)
        if self.state is licence.State.NONE:
            return NO_ENTITLEMENT
        answer = await super().api(request)
        if answer and self.state is licence.State.EXPIRED:
            return answer._replace(headers=(*answer.headers, EXPIRED))
        return answer

    def adjust(self, request: Request, entry: dict[str, Any]) -> dict[str, Any]:
        if request.path == "/v1/crd/is_available":
            return {**entry, "json": {"clusters": {self.cluster_name: False}}}
        if request.path == "/v1/enterprise/version":
            return {**entry, "json": {"version": os.environ.get("TESTBED_IMAGE_TAG", "")}}
        return entry

    async def signed_in(self, request: Request) -> bool:
        """By cookie, or by a Kubernetes token when those are let through."""
        if await super().signed_in(request):
            return True
        kind, _space, token = request.headers.get("authorization", "").partition(" ")
        return "token-passthrough" in self.methods and kind.lower() == "bearer" and bool(token) and await self.kube.token_is_good(token)


def _truth(text: str) -> bool:
    return text.lower() in ("true", "1")


async def _monitoring(address: str) -> None:
    if _truth(os.environ.get("MONITORING_ENABLED", "false")) and _truth(os.environ.get("MONITORING_METRICS_ENABLED", "false")):
        port = os.environ.get("MONITORING_BIND_ADDRESS", ":8080").rpartition(":")[2]
        await Server(metrics).listen(address, int(port))


async def main() -> int:
    """The exit code; never returns while all is well."""
    loaded()
    options = arguments(sys.argv[1:])
    methods = (options.auth_methods or DEFAULT_METHODS).split(",")
    product = Enterprise(methods, options.cluster_name or "management")
    if not await product.must_have_user():
        return 1
    await product.read_entitlement(
        options.entitlement_secret_namespace or "flux-system", options.entitlement_secret_name or "weave-gitops-enterprise-credentials"
    )
    await asyncio.sleep(float(os.environ.get("TESTBED_SLOW_START") or 0))
    address = os.environ["TESTBED_ADDRESS"]
    await Server(product.handle).listen(address, PORT, None if _truth(options.no_tls) else selfsigned.context())
    await _monitoring(address)
    await asyncio.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
