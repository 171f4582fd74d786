# SPDX-License-Identifier: GPL-3.0-or-later
"""The entitlement's Secret in a cluster: what is wrong with it, who keeps it, and the one write that puts another in. PRIVATE."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..._errors import Blocked
from ..model import Cluster, Object, Operation
from ..names import RUN_LABEL
from ..objects import labels_of, metadata, object_path, uid_of
from ..patches import pointer
from ..writes import Write, create, delete, patch
from .grant import KEY, stored_text
from .keys import PublicKey
from .server import moment
from .verify import Judgement, verify

KEEPERS = ("ExternalSecret", "SealedSecret")
KEEPER_LABELS = {
    "reconcile.external-secrets.io/managed": "the External Secrets operator",
    "kustomize.toolkit.fluxcd.io/name": "the Flux Kustomization {}",
    "helm.toolkit.fluxcd.io/name": "the Flux HelmRelease {}",
}
"""Marks of those who would put their own content back, and what to call them."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The Secret ``name`` of ``namespace`` as it was read; ``secret`` is None when it is not there."""

    name: str
    namespace: str
    secret: Object | None

    def __str__(self) -> str:
        return f"Secret {self.name} in namespace {self.namespace}"

    @property
    def path(self) -> str:
        """The Secret's path."""
        return object_path("Secret", self.name, self.namespace)

    def judged(self, keys: Sequence[PublicKey], now: datetime, skew_seconds: float) -> Judgement:
        """What it is worth. A problem of the Secret has a sentence of its own."""
        reason, sentence = self._problem()
        if reason:
            return Judgement(False, reason, sentence)
        return verify(stored_text(self.secret or {}), keys, now, skew_seconds=skew_seconds)

    def missing(self, credentials: Mapping[str, str]) -> dict[str, str]:
        """Those of ``credentials`` that are not stored as they are given, in base64."""
        return {key: text for key, text in encoded(credentials).items() if not self._same(key, credentials[key])}

    def keeper(self) -> str:
        """Who puts the Secret's content there, empty for nobody in particular."""
        owners = metadata(self.secret or {}).get("ownerReferences") or []
        for owner in owners:
            if owner.get("kind") in KEEPERS or owner.get("controller"):
                return f"the {owner.get('kind')} {owner.get('name')}"
        labels = labels_of(self.secret or {})
        return next((words.format(labels[label]) for label, words in KEEPER_LABELS.items() if label in labels), "")

    def changed_at(self) -> datetime | None:
        """When its data were last written, as the API server noted it; None when it is not there."""
        if self.secret is None:
            return None
        meta = metadata(self.secret)
        entries = meta.get("managedFields") or []
        texts = [str(entry["time"]) for entry in entries if entry.get("time") and "f:data" in (entry.get("fieldsV1") or {})]
        return moment(max(texts, default=str(meta.get("creationTimestamp") or "1970-01-01T00:00:00Z")))

    def _problem(self) -> tuple[str, str]:
        if self.secret is None:
            return "no_secret", f"There is no {self}."
        data = self.secret.get("data") or {}
        if KEY not in data:
            return "no_key", f"{self} has no key {KEY}."
        try:
            content = base64.b64decode(str(data[KEY] or ""), validate=True)
        except binascii.Error:
            return "base64", f"Key {KEY} of {self} is not base64."
        return ("", "") if content.strip() else ("empty", f"Key {KEY} of {self} is empty.")

    def _same(self, key: str, text: str) -> bool:
        if key == KEY:
            return bool(self.secret) and KEY in ((self.secret or {}).get("data") or {}) and stored_text(self.secret or {}) == text
        found = ((self.secret or {}).get("data") or {}).get(key)
        return bool(found == _base64(text))


def read(cluster: Cluster, name: str, namespace: str) -> Stored:
    """One request."""
    return Stored(name, namespace, cluster.get(object_path("Secret", name, namespace)))


def writes(stored: Stored, credentials: Mapping[str, str], run: str, *, replace: bool) -> list[Write]:
    """The one write that puts the credentials there, none when they are. Raises Blocked when it may not be made."""
    missing = stored.missing(credentials)
    if not missing:
        return []
    if stored.secret is None:
        return [_create(stored, missing, run)]
    _refuse(stored, missing, replace=replace)
    return [_patch(stored, stored.secret, missing)]


def former_of(stored: Stored) -> Stored:
    """Where the content that was replaced is kept until WGE has accepted the new one; not read yet."""
    return Stored(f"{stored.name}-former", stored.namespace, None)


def keep(stored: Stored, former: Stored, credentials: Mapping[str, str], run: str) -> list[Write]:
    """The one write that keeps what is about to be replaced, none when there is nothing, or a killed run has kept it."""
    old = (stored.secret or {}).get("data") or {}
    replaced = {key: old[key] for key in stored.missing(credentials) if key in old}
    return [_create(former, replaced, run)] if replaced and former.secret is None else []


def let_go(former: Stored) -> list[Write]:
    """The one write that removes what was kept."""
    return [delete(former.path, uid_of(former.secret), f"delete {former}")] if former.secret else []


def restored(stored: Stored, former: Stored) -> Stored:
    """The Secret as it was, by what was kept of it."""
    secret = stored.secret or {}
    return Stored(
        stored.name, stored.namespace, {**secret, "data": {**(secret.get("data") or {}), **((former.secret or {}).get("data") or {})}}
    )


def put_back(before: Stored, after: Stored) -> list[Write]:
    """The one write that brings the content of ``before`` back; a Secret that was not there is deleted."""
    if after.secret is None:
        return []
    if before.secret is None:
        return [delete(after.path, uid_of(after.secret), f"delete {after}, which this run created")]
    old, new = before.secret.get("data") or {}, after.secret.get("data") or {}
    operations: list[Operation] = [_test("/metadata/uid", uid_of(after.secret))]
    for key in sorted(new):
        path = "/data" + pointer(key)
        if old.get(key) != new[key]:
            back = {"op": "replace", "path": path, "value": old[key]} if key in old else {"op": "remove", "path": path}
            operations += [_test(path, new[key]), back]
    return [patch(after.path, operations, [], f"put the former entitlement back into {after}")] if len(operations) > 1 else []


def encoded(credentials: Mapping[str, str]) -> dict[str, str]:
    """As a Secret's ``data`` wants it."""
    return {key: _base64(text) for key, text in credentials.items()}


def _refuse(stored: Stored, missing: Mapping[str, str], *, replace: bool) -> None:
    secret = stored.secret or {}
    keeper = stored.keeper()
    if keeper:
        raise Blocked(
            f"{stored} is kept by {keeper}, which would undo what is written here.",
            "Change the entitlement there, and run this with external: true.",
        )
    different = sorted(key for key in missing if (secret.get("data") or {}).get(key))
    if different and not replace:
        what = "another entitlement" if KEY in different else f"another {different[0]}"
        raise Blocked(f"{stored} holds {what} than the one that was given.", "It is never overwritten unless replace is true.")
    if secret.get("immutable"):
        raise Blocked(
            f"{stored} is immutable, so the entitlement in it cannot be changed.",
            "Delete it and run again; WGE goes on with what it has read until it is restarted.",
        )


def _create(stored: Stored, data: Mapping[str, str], run: str) -> Write:
    labels = {RUN_LABEL: run, "app.kubernetes.io/managed-by": "wge"}
    body: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": stored.name, "namespace": stored.namespace, "labels": labels},
        "data": dict(data),
    }
    return create(body, stored.path, f"create {stored}")


def _patch(stored: Stored, secret: Object, missing: Mapping[str, str]) -> Write:
    data = secret.get("data") or {}
    operations = [_test("/metadata/uid", uid_of(secret))]
    if not data:
        operations += [_test("/data", secret.get("data")), {"op": "add", "path": "/data", "value": dict(missing)}]
    for key, value in sorted(missing.items()) if data else ():
        path = "/data" + pointer(key)
        operations += [_test(path, data.get(key)), {"op": "add", "path": path, "value": value}]
    return patch(stored.path, operations, [], f"put the entitlement into {stored}")


def _test(path: str, value: object) -> Operation:
    return {"op": "test", "path": path, "value": value}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")
