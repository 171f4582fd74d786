# SPDX-License-Identifier: GPL-3.0-or-later
"""One write to a cluster: what is sent, what guards it, and what takes it back. PRIVATE.

A step lists its writes before the first is sent, so the plan a person sees, the permissions that are asked for, the
journal and what is really sent are the same data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import patches
from .model import Object, Operation, Release
from .names import RUN_LABEL
from .objects import digest, labels_of, uid_of

HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Write:
    """One guarded request. ``path`` is the object's own path, for a create too.

    verb ``create``: ``body`` carries our run label; taken back by a delete with a uid precondition.
    verb ``patch``: ``operations`` begin with their ``test``s; taken back by ``reverse``, which is guarded alike.
    verb ``delete``: ``uid`` is the precondition; not taken back (used for objects we created ourselves).
    verb ``helm``: ``release`` is installed by the helm program; taken back by an uninstall.
    """

    verb: str
    path: str
    text: str
    body: Object = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()
    reverse: tuple[Operation, ...] = ()
    uid: str = ""
    release: Release | None = None

    def is_applied(self, live: Object | None) -> bool:
        """Whether ``live`` (None: not there) already is what this write would make of it."""
        if self.verb == "delete":
            return live is None or uid_of(live) != self.uid
        if live is None:
            return False
        if self.verb == "create":
            return labels_of(live).get(RUN_LABEL) == labels_of(self.body).get(RUN_LABEL)
        return patches.is_applied(self.operations, live)

    def may_be_sent(self, live: Object | None) -> bool:
        """Whether the guards of this write hold on ``live``."""
        if self.verb == "create":
            return live is None
        if live is None:
            return False
        if self.verb == "delete":
            return uid_of(live) == self.uid
        return patches.guards_hold(self.operations, live)

    def record(self) -> Object:
        """What the journal keeps: enough to take the write back and to see what it was, and no Secret's bytes."""
        entry: Object = {"verb": self.verb, "path": self.path, "text": self.text, "intent": digest(self.content())}
        if self.uid:
            entry["uid"] = self.uid
        if self.reverse:
            entry["reverse"] = list(self.reverse)
        if self.release:
            entry["release"] = {"name": self.release.name, "namespace": self.release.namespace}
        return entry

    def shown(self) -> Object:
        """The write for the plan, with the bytes of Secrets taken out."""
        body = {key: _hide(value) if key in ("data", "stringData") else value for key, value in self.body.items()}
        shown: Object = {"verb": self.verb, "path": self.path, "text": self.text}
        if body:
            shown["body"] = body if "/secrets/" in self.path else _without_values(self.body)
        if self.operations:
            shown["operations"] = [_hide_data(op) if "/secrets/" in self.path else op for op in self.operations]
        if self.release:
            shown["release"] = {"name": self.release.name, "chart": self.release.chart, "version": self.release.version}
        return shown

    def content(self) -> list[Any]:
        """All that will be sent, Secrets' bytes included: for digests, never for people."""
        release = self.release
        sent = [release.name, release.namespace, release.chart, release.version, release.values] if release else []
        return [self.verb, self.path, self.body, list(self.operations), self.uid, sent]


def _without_values(body: Object) -> Object:
    """A HelmRelease may hold secrets among its values, as a release of helm may."""
    spec = body.get("spec")
    if body.get("kind") != "HelmRelease" or not isinstance(spec, dict) or "values" not in spec:
        return body
    return {**body, "spec": {**spec, "values": _hide(spec["values"])}}


def _hide_data(operation: Operation) -> Operation:
    return {**operation, "value": HIDDEN} if operation["path"].startswith("/data") else operation


def _hide(value: Any) -> Any:
    return dict.fromkeys(value, HIDDEN) if isinstance(value, dict) else HIDDEN


def create(body: Object, path: str, text: str) -> Write:
    """A create of ``body`` (which carries the run label) at ``path``."""
    return Write("create", path, text, body=body)


def patch(path: str, operations: list[Operation], reverse: list[Operation], text: str) -> Write:
    """A guarded JSON Patch and the patch that takes it back."""
    return Write("patch", path, text, operations=tuple(operations), reverse=tuple(reverse))


def delete(path: str, uid: str, text: str) -> Write:
    """A delete of exactly the object with this uid."""
    return Write("delete", path, text, uid=uid)


def install(release: Release, path: str, text: str) -> Write:
    """A ``helm install``; ``path`` is that of the release's first storage Secret."""
    return Write("helm", path, text, release=release)
