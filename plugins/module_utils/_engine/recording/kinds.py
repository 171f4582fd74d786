# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Kubernetes objects hold secrets, and how what a check needs of them is kept all the same. PRIVATE.

Release and journal Secrets are kept unpacked, so that whoever sends a snapshot can read what is in it; ``packed`` makes Secrets of
them again.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..._errors import InvalidSettings
from ..model import Object
from ..names import JOURNAL_LABEL, LOGIN_SECRET
from ..objects import labels_of, name_of
from ..steps.prepare import BOUND_BY_CHART
from ..yamls import documents
from .redaction import LEAST, Redactor, is_telling

UNPACKED = "wge.weave.works/unpacked"
"""A member of a Secret in the file: its packed keys as plain data."""
RELEASE, JOURNAL, USER = "release", "journal", "username"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_ADDRESSES = ("namespace", "ca.crt", "tls.crt", "issuerURL", "redirectURL", "type", USER)
"""Keys of Secrets whose values are hidden there, but mean nothing elsewhere."""
_TOLD = ("issuerURL", "redirectURL", USER)
"""Of these the ones that a check's sentence may name."""
_RELEASE_PARTS = ("name", "namespace", "version", "labels")
_INFO_PARTS = ("status", "first_deployed", "last_deployed", "deleted")
_HOOK_PARTS = ("name", "kind", "path", "events", "weight", "delete_policies")


class Objects:
    """Objects without their secrets. ``users`` are names that role bindings tell everybody."""

    def __init__(self, redactor: Redactor, users: Iterable[str] = ()) -> None:
        self._redactor = redactor
        self._users = {BOUND_BY_CHART, *users}

    def cleaned(self, item: Any) -> Any:
        """Any answer: an object, a list of them, or plain data."""
        if isinstance(item, list):
            return [self.cleaned(part) for part in item]
        if not isinstance(item, dict):  # not Mapping: there are a great many
            return self._redactor.plain(item)
        if item.get("kind") == "Secret":
            return self._secret(item)
        named = is_telling(str(item.get("name") or ""))
        return {key: self._member(item, key, value, named) for key, value in item.items()}

    def _member(self, item: Mapping[str, Any], key: str, value: Any, named: bool) -> Any:
        if named and key == "value":
            return self._redactor.all_of(value)
        if key in ("args", "command") and isinstance(value, list):
            return self._redactor.arguments(value)
        if key == "values" and isinstance(value, Mapping):
            return self._redactor.values(value)
        if key == "data" and item.get("kind") == "ConfigMap" and isinstance(value, Mapping):
            return self._redactor.values(value)
        if key == _LAST_APPLIED:
            return self._applied(value)
        if key == "patch" and isinstance(value, str):
            return self._patch(value)
        return self.cleaned(value)

    def _applied(self, text: Any) -> str:
        """The object that kubectl apply left in an annotation."""
        try:
            return json.dumps(self.cleaned(json.loads(text)))
        except (TypeError, ValueError):
            return self._redactor.hide(str(text))

    def _patch(self, text: str) -> str:
        """A patch of a HelmRelease's or a Kustomization's; what is no object may set anything anywhere."""
        try:
            found = documents(text)
        except InvalidSettings:
            found = []
        if len(found) != 1 or not isinstance(found[0], dict):
            return self._redactor.mark(text)
        return json.dumps(self.cleaned(found[0]), default=str)

    def _secret(self, secret: Mapping[str, Any]) -> Object:
        kept = {key: self.cleaned(value) for key, value in secret.items() if key not in ("data", "stringData")}
        unpacked = {key: found for key, value in _entries(secret) if (found := self._unpacked(dict(secret), key, value)) is not None}
        if unpacked:
            kept[UNPACKED] = unpacked
        if isinstance(secret.get("data"), Mapping):
            kept["data"] = {key: self._datum(dict(secret), key, value) for key, value in _entries(secret) if key not in unpacked}
        elif "data" in secret:
            kept["data"] = None
        if "stringData" in secret:
            kept["stringData"] = self._redactor.all_of(secret["stringData"])
        return kept

    def _datum(self, secret: Object, key: str, value: Any) -> Any:
        if value is None or value == "":
            return value
        if key in _ADDRESSES:
            return self._address(secret, key, value)
        return self._redactor.hide_base64(value)

    def _address(self, secret: Object, key: str, value: Any) -> str:
        """Hidden without being looked for elsewhere; but the admin's name stays when role bindings tell it anyway."""
        try:
            content = base64.b64decode(str(value), validate=True)
        except (binascii.Error, ValueError):
            return self._redactor.mark(str(value))
        if key == USER and name_of(secret) == LOGIN_SECRET and content.decode(errors="replace").strip() in self._users:
            return str(value)
        if key in _TOLD and len(content) >= LEAST:
            self._redactor.told.add(content.decode(errors="replace").strip())
        return base64.b64encode(self._redactor.mark(content).encode()).decode()

    def _unpacked(self, secret: Object, key: str, value: Any) -> Object | None:
        """A release or a journal as plain data, None when it is neither or cannot be read."""
        try:
            if key == RELEASE and name_of(secret).startswith("sh.helm.release.v1."):
                return self._release(json.loads(gzip.decompress(base64.b64decode(base64.b64decode(value)))))
            if key == JOURNAL and JOURNAL_LABEL in labels_of(secret):
                found: Object = self.cleaned(json.loads(base64.b64decode(value)))
                return found
        except (AttributeError, TypeError, ValueError, OSError, EOFError):
            return None
        return None

    def _release(self, stored: Object) -> Object:
        """Of a release what the checks and the plan look at; templates by name, since a chart of one's own may hold anything."""
        chart = stored.get("chart") or {}
        info = stored.get("info") or {}
        kept = {key: stored[key] for key in _RELEASE_PARTS if key in stored}
        templates = [
            {"name": entry.get("name"), "data": self._redactor.hide_base64(entry.get("data"))} for entry in chart.get("templates") or []
        ]
        return {
            **kept,
            "info": {key: info[key] for key in _INFO_PARTS if key in info},
            "chart": {
                "metadata": self.cleaned(chart.get("metadata") or {}),
                "values": self._redactor.values(chart.get("values") or {}),
                "templates": templates,
            },
            "config": self._redactor.values(stored.get("config") or {}),
            "manifest": self._manifest(stored.get("manifest")),
            "hooks": [
                {**{k: hook[k] for k in _HOOK_PARTS if k in hook}, "manifest": self._manifest(hook.get("manifest"))}
                for hook in stored.get("hooks") or []
            ],
        }

    def _manifest(self, text: Any) -> str:
        """Its objects, each as a JSON document. What is no YAML stays none."""
        try:
            return "\n---\n".join(json.dumps(self.cleaned(item), default=str) for item in documents(str(text or "")))
        except InvalidSettings:
            return "{" + self._redactor.mark(str(text))


def users_in(item: Any) -> set[str]:
    """The names of users that role bindings tell."""
    if isinstance(item, list):
        return set().union(*map(users_in, item)) if item else set()
    if isinstance(item, Mapping) and item.get("kind") in ("ClusterRoleBinding", "RoleBinding"):
        return {str(subject.get("name")) for subject in item.get("subjects") or [] if subject.get("kind") == "User"}
    return set()


def names_in(item: Any) -> set[str]:
    """The names and namespaces of objects."""
    if isinstance(item, list):
        return set().union(*map(names_in, item)) if item else set()
    meta = item.get("metadata") if isinstance(item, Mapping) else None
    return {str(meta[key]) for key in ("name", "namespace") if key in meta} if isinstance(meta, Mapping) else set()


def packed(item: Any) -> Any:
    """What ``cleaned`` kept, with release and journal Secrets as Helm and this collection store them."""
    if isinstance(item, list):
        return [packed(part) for part in item]
    if not isinstance(item, dict) or UNPACKED not in item:
        return item
    data = {key: _pack(key, value) for key, value in item[UNPACKED].items()}
    return {**{key: value for key, value in item.items() if key != UNPACKED}, "data": {**(item.get("data") or {}), **data}}


def _pack(key: str, value: Object) -> str:
    content = json.dumps(value).encode()
    if key == RELEASE:
        content = base64.b64encode(gzip.compress(content, mtime=0))
    return base64.b64encode(content).decode()


def _entries(secret: Mapping[str, Any]) -> list[tuple[str, Any]]:
    data = secret.get("data")
    return list(data.items()) if isinstance(data, Mapping) else []
