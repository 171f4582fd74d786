# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for the server of Weave GitOps (image wego-app), v0.38.0 and, near enough, the other Helm-era versions; with the
arguments `ui run` for v0.6, which has no login, no feature flags and no metrics, and is given its Applications empty.

Keeps: flags (an unknown one ends it), plain HTTP on 9001 with `--insecure`, TLS from files otherwise, metrics on
their own port, `/health/`, all recorded answers, no bearer tokens, `cluster-user-auth` needed at start while
local login is on, ending at once on SIGTERM (no handler, no drain). Leaves out: OIDC, `--route-prefix`, `--mtls`,
versions' differences other than the number they report.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import ssl
import sys
from typing import Any

from .core import Product, loaded, metrics
from .httpd import Answer, Request, Server

KNOWN_VALUES = (
    "log-level",
    "host",
    "port",
    "tls-cert-file",
    "tls-private-key-file",
    "metrics-address",
    "auth-methods",
    "notification-controller-address",
    "oidc-secret-name",
    "oidc-client-id",
    "oidc-client-secret",
    "oidc-issuer-url",
    "oidc-redirect-url",
    "oidc-token-duration",
    "custom-oidc-scopes",
    "oidc-username-claim",
    "oidc-groups-claim",
    "oidc-username-prefix",
    "oidc-group-prefix",
    "insecure-no-authentication-user",
    "route-prefix",
)
KNOWN_SWITCHES = ("insecure", "enable-metrics", "mtls", "use-k8s-cached-clients")


def arguments(given: list[str]) -> argparse.Namespace:
    """As the server reads them; an unknown flag is the end."""
    parser = argparse.ArgumentParser(prog="gitops-server", allow_abbrev=False)
    for name in KNOWN_VALUES:
        parser.add_argument(f"--{name}", default="")
    for name in KNOWN_SWITCHES:
        parser.add_argument(f"--{name}", nargs="?", const="true", default="false")
    parser.set_defaults(port="9001", auth_methods="user-account,oidc", metrics_address=":2112")
    return parser.parse_args(given)


class WeaveGitOps(Product):
    """WG's own ways."""

    name = "wg"
    title = "Weave GitOps"
    session_seconds = 3600

    def other(self, request: Request) -> Answer:
        if request.path.startswith("/health/"):
            return Answer(200, b"ok", "text/plain; charset=utf-8")
        return super().other(request)

    def adjust(self, request: Request, entry: dict[str, Any]) -> dict[str, Any]:
        if request.path != "/v1/version":
            return entry
        return {**entry, "json": {**entry["json"], "semver": os.environ.get("TESTBED_IMAGE_TAG", entry["json"]["semver"])}}


class Legacy(WeaveGitOps):
    """The server of the manifests era: everybody may ask everything."""

    lists = {"/v1/applications": b'{"applications":[]}', "/v1/profiles": b'{"profiles":[]}'}

    async def handle(self, request: Request) -> Answer | None:
        if not request.path.startswith("/v1/"):
            return super().other(request)
        if request.path in self.lists:
            return Answer(200, self.lists[request.path], "application/json")
        return Answer(404, b'{"code":5, "message":"Not Found", "details":[]}', "application/json")


async def legacy(given: list[str]) -> int:
    """`ui run` listens on 9001 without TLS."""
    parser = argparse.ArgumentParser(prog="gitops ui run", allow_abbrev=False)
    parser.add_argument("-l", "--log-to-stdout", action="store_true")
    parser.add_argument("--helm-repo-namespace", default="wego-system")
    parser.add_argument("--port", type=int, default=9001)
    options = parser.parse_args(given)
    await Server(Legacy([], "Default").handle).listen(os.environ["TESTBED_ADDRESS"], options.port, None)
    await asyncio.Event().wait()
    return 0


def _tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    """The files named by the flags, looked for below the pod's root."""
    if options.insecure == "true":
        return None
    root = os.environ["TESTBED_ROOT"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(
        os.path.join(root, options.tls_cert_file.lstrip("/")), os.path.join(root, options.tls_private_key_file.lstrip("/"))
    )
    return context


async def main() -> int:
    """The exit code; never returns while all is well."""
    loaded()
    if sys.argv[1:3] == ["ui", "run"]:
        return await legacy(sys.argv[3:])
    options = arguments(sys.argv[1:])
    if options.insecure != "true" and not (options.tls_cert_file and options.tls_private_key_file):
        print("TLS is enabled but no certificate or private key was given", flush=True)
        return 1
    product = WeaveGitOps(options.auth_methods.split(","), "Default")
    if not await product.must_have_user():
        return 1
    await asyncio.sleep(float(os.environ.get("TESTBED_SLOW_START") or 0))
    address = os.environ["TESTBED_ADDRESS"]
    await Server(product.handle).listen(address, int(options.port), _tls(options))
    if options.enable_metrics == "true":
        await Server(metrics).listen(address, int(options.metrics_address.rpartition(":")[2]))
    await asyncio.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
