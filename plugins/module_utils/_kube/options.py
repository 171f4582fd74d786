# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options, read as kubernetes.core reads them. PRIVATE: can change at any time.

A parameter wins over the environment. Both may carry an option under any of its names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._errors import InvalidSettings

_HEADER_KINDS = ("proxy_basic_auth", "basic_auth", "user_agent")
_FALSE = ("0", "false", "no")
_TRUE = ("1", "true", "yes", "on")


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. Empty or None means not given."""

    kubeconfig: str | Mapping[str, Any] = field(default="", repr=False)
    context: str = ""
    host: str = ""
    api_key: str = field(default="", repr=False)
    username: str = ""
    validate_certs: bool | None = None
    ca_cert: str = ""
    client_cert: str = ""
    client_key: str = ""
    proxy: str = field(default="", repr=False)
    no_proxy: str = ""
    proxy_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    impersonate_user: str = ""
    impersonate_groups: tuple[str, ...] = ()


def options_from(params: Mapping[str, Any], environ: Mapping[str, str]) -> Options:
    """The options in ``params`` and in the ``K8S_AUTH_*`` variables; raises InvalidSettings for the wrong type."""
    source = _Source(params, environ)
    return Options(
        kubeconfig=source.kubeconfig(),
        context=source.text("context"),
        host=source.text("host"),
        api_key=source.text("api_key"),
        username=source.text("username") or source.text("password"),
        validate_certs=source.flag("validate_certs", "verify_ssl"),
        ca_cert=source.text("ca_cert", "ssl_ca_cert"),
        client_cert=source.text("client_cert", "cert_file"),
        client_key=source.text("client_key", "key_file"),
        proxy=source.text("proxy"),
        no_proxy=source.text("no_proxy"),
        proxy_headers=source.headers(),
        impersonate_user=source.text("impersonate_user"),
        impersonate_groups=source.words("impersonate_groups"),
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """Parameters first, then the environment."""

    params: Mapping[str, Any]
    environ: Mapping[str, str]

    def find(self, *names: str) -> Any:
        """The first value that is given under one of ``names``, else None."""
        given = [self.params.get(name) for name in names]
        given += [self.environ.get(f"K8S_AUTH_{name.upper()}") for name in names]
        return next((value for value in given if value is not None and value != ""), None)

    def text(self, *names: str) -> str:
        value = self.find(*names)
        if isinstance(value, (Mapping, list)):
            raise InvalidSettings(f"The option {names[0]} is not a text.", f"Give {names[0]} as one text.")
        return "" if value is None else str(value)

    def flag(self, *names: str) -> bool | None:
        value = next((self.params[name] for name in names if self.params.get(name) not in (None, "")), None)
        if value is None:  # from the environment only three words are false, as in kubernetes.core
            value = self.find(*names)
            return None if value is None else str(value).lower() not in _FALSE
        if str(value).lower() not in (*_FALSE, "off", *_TRUE):
            raise InvalidSettings(f"The option {names[0]} is {value!r}.", "Give true or false.")
        return str(value).lower() in _TRUE

    def words(self, name: str) -> tuple[str, ...]:
        value = self.find(name)
        if isinstance(value, str):
            value = value.split(",")
        return tuple(str(word).strip() for word in value or () if str(word).strip())

    def kubeconfig(self) -> str | Mapping[str, Any]:
        value = self.find("kubeconfig")
        if value is None or isinstance(value, (str, Mapping)):
            return value or ""
        raise InvalidSettings(
            f"The option kubeconfig is a {type(value).__name__}.",
            "Give a path, several paths joined by ':', the content as a dictionary, or the word in-cluster.",
        )

    def headers(self) -> dict[str, str]:
        """What ``proxy_headers`` asks for, by kind; a kind can come from the environment alone."""
        given = self.params.get("proxy_headers") or {}
        if not isinstance(given, Mapping):
            raise InvalidSettings("The option proxy_headers is not a dictionary.", f"Its keys are {', '.join(_HEADER_KINDS)}.")
        found = {kind: given.get(kind) or self.environ.get(f"K8S_AUTH_PROXY_HEADERS_{kind.upper()}") for kind in _HEADER_KINDS}
        return {kind: str(value) for kind, value in found.items() if value}
