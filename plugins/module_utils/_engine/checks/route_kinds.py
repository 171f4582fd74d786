# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of routes and of rules about Services that are known: where they live, and where in them a Service is named. PRIVATE.

A row is data; the few functions say in which scheme an object speaks to its Service, which no path can tell. Another kind is
another row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..dig import dig, first
from ..model import Object

HTTP, HTTPS, UNSAID = "http", "https", ""
VERIFIED, PASSED = "verifies the server's certificate", "passes TLS through"
Speaks = Callable[[Object, Object], tuple[str, str]]
"""From an object and the part of it that names the Service: the scheme, and what it makes of the server's certificate."""


@dataclass(frozen=True, slots=True)
class RouteKind:
    """One kind. ``backends`` are the paths to what names a Service; in it are ``name``, ``namespace`` and ``port``.

    ``pod_ports`` are paths to numbers that mean a port of the pod. A rule (``is_route`` false) leads nowhere by itself.
    """

    kind: str
    group: str
    versions: tuple[str, ...]
    plural: str
    backends: tuple[str, ...]
    name: str = "name"
    namespace: str = "namespace"
    port: tuple[str, ...] = ("port",)
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    pod_ports: tuple[str, ...] = ()
    speaks: Speaks = lambda _item, _backend: (UNSAID, "")
    is_route: bool = True

    def collection(self, served: Iterable[str]) -> str:
        """The path of the cluster's objects of this kind, empty when it is not served."""
        found = next((version for version in self.versions if f"{self.group}/{version}" in served), "")
        return f"/apis/{self.group}/{found}/{self.plural}" if found else ""


def ingress(item: Object, backend: Object) -> tuple[str, str]:
    """What an Ingress's annotations say."""
    listed = str(((item.get("metadata") or {}).get("annotations") or {}).get("nginx.org/ssl-services", ""))
    if backend.get("name") in [name.strip() for name in listed.split(",")]:
        return HTTPS, ""
    return annotated(item)


def named_scheme(*paths: str) -> Speaks:
    """The scheme is written in the backend: ``https``, ``tls``, ``grpcs`` …"""

    def speaks(_item: Object, backend: Object) -> tuple[str, str]:
        return scheme_named(first(backend, *paths)), ""

    return speaks


def tls_passthrough(path: str) -> Speaks:
    """TLS is passed through where this path says true."""

    def speaks(item: Object, _backend: Object) -> tuple[str, str]:
        return (HTTPS, PASSED) if first(item, path) is True else (UNSAID, "")

    return speaks


def contour(item: Object, backend: Object) -> tuple[str, str]:
    """An HTTPProxy says it for each Service, or passes TLS through as a whole."""
    if first(item, "spec.virtualhost.tls.passthrough") is True:
        return HTTPS, PASSED
    return scheme_named(backend.get("protocol")), VERIFIED if backend.get("validation") else ""


def openshift(item: Object, _backend: Object) -> tuple[str, str]:
    """The way a Route ends TLS; reencrypt always verifies."""
    ends = first(item, "spec.tls.termination")
    if ends == "passthrough":
        return HTTPS, PASSED
    return (HTTPS, VERIFIED) if ends == "reencrypt" else (HTTP, "")


def always(scheme: str, certificate: str = "") -> Speaks:
    """The kind itself says it."""
    return lambda _item, _backend: (scheme, certificate)


def emissary(_item: Object, backend: Object) -> tuple[str, str]:
    """A Mapping names its Service as a URL."""
    scheme, found, _rest = str(backend.get("service", "")).partition("://")
    return (scheme_named(scheme) if found else UNSAID), ""


def upstream_tls(_item: Object, backend: Object) -> tuple[str, str]:
    """An upstream of NGINX's own kinds speaks http unless told otherwise."""
    return (HTTPS if first(backend, "tls.enable") is True else HTTP), ""


def destination_rule(item: Object, _backend: Object) -> tuple[str, str]:
    """A sidecar's own mutual TLS (ISTIO_MUTUAL) ends before the server and says nothing about it."""
    paths = ("spec.trafficPolicy.tls", "spec.trafficPolicy.portLevelSettings.tls")
    for tls in (tls for path in paths for tls in dig(item, path)):
        mode = first(tls, "mode")
        if mode in ("SIMPLE", "MUTUAL"):
            return HTTPS, VERIFIED if first(tls, "caCertificates", "credentialName") else ""
        if mode == "DISABLE":
            return HTTP, ""
    return UNSAID, ""


ANNOTATED_SCHEMES = {
    "alb.ingress.kubernetes.io/backend-protocol": "",
    "appgw.ingress.kubernetes.io/backend-protocol": "",
    "cloud.google.com/app-protocols": "",
    "haproxy-ingress.github.io/backend-protocol": "",
    "haproxy.org/server-ssl": "true",
    "haproxy-ingress.github.io/secure-backends": "true",
    "ingress.kubernetes.io/secure-backends": "true",
    "konghq.com/protocol": "",
    "nginx.ingress.kubernetes.io/backend-protocol": "",
    "service.beta.kubernetes.io/aws-load-balancer-backend-protocol": "",
    "traefik.ingress.kubernetes.io/service.serversscheme": "",
}
"""Annotations of Ingresses and Services that say the scheme, or with this value that it is https."""
ANNOTATED_CERTIFICATES = {
    "haproxy-ingress.github.io/ssl-passthrough": PASSED,
    "haproxy.org/ssl-passthrough": PASSED,
    "ingress.kubernetes.io/ssl-passthrough": PASSED,
    "nginx.ingress.kubernetes.io/ssl-passthrough": PASSED,
    "nginx.ingress.kubernetes.io/proxy-ssl-verify": VERIFIED,
    "route.openshift.io/destination-ca-certificate-secret": VERIFIED,
}
_TRUE = ("true", "on")
_NAMES = {HTTP: ("http", "h1", "h2c", "grpc", "ws"), HTTPS: ("https", "tls", "ssl", "h1-ssl", "h2", "h2-ssl", "grpcs", "wss")}


def annotated(item: Object) -> tuple[str, str]:
    """What the annotations of an Ingress or a Service say about scheme and certificate."""
    found: dict[str, Any] = (item.get("metadata") or {}).get("annotations") or {}
    schemes = {_annotated_scheme(key, str(found[key])) for key in ANNOTATED_SCHEMES if key in found} - {UNSAID}
    certificate = next((word for key, word in ANNOTATED_CERTIFICATES.items() if str(found.get(key, "")).lower() in _TRUE), "")
    if certificate == PASSED:
        return HTTPS, PASSED
    return (schemes.pop() if len(schemes) == 1 else UNSAID), certificate


def scheme_named(word: Any) -> str:
    """The scheme that a protocol's name stands for; UNSAID for one that is not known or chooses by itself."""
    text = str(word or "").lower().removeprefix("kubernetes.io/")
    return next((scheme for scheme, names in _NAMES.items() if text in names), UNSAID)


def _annotated_scheme(key: str, value: str) -> str:
    if ANNOTATED_SCHEMES[key]:
        return HTTPS if value.lower() == ANNOTATED_SCHEMES[key] else UNSAID
    if value.lstrip().startswith("{"):  # {"http": "HTTPS"}
        return HTTPS if '"https"' in value.lower() else UNSAID
    return scheme_named(value)
