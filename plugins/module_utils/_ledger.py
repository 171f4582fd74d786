# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a vendor's ledger is kept: in a file, or in a ConfigMap. PRIVATE: can change at any time. The rows are ``_engine``'s.

A file is locked while a request is decided, so two runs on one machine issue an entitlement once. Several controllers share a
ConfigMap: a write is guarded by the resourceVersion that the decision stands on, and after a conflict, or an answer that was lost,
the ledger is read and the request decided anew.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ._engine.entitlement.ledger import Decision
from ._engine.model import Clock, Cluster, Object, Operation
from ._engine.objects import collection_path, object_path
from ._engine.snapshot import identify
from ._errors import Conflict, InvalidSettings, SafeStop, UnknownOutcome
from ._files import dies_with_the_job, locked, read_if_there

KEY = "ledger.jsonl"
"""Of the ConfigMap."""
LONGEST_FILE = 256 * 1024 * 1024
LONGEST_CONFIGMAP = 900 * 1024
"""Bytes. An API server takes 1 MiB for the whole object; a row has about 350."""
TRIES = 30
_PAUSE_SECONDS = 0.2

Decide = Callable[[bytes], Decision]
"""The content of a ledger in, what to add to it out."""


class LedgerPlace(Protocol):
    """A ledger. ``str()`` of it says in messages which one."""

    def ask(self, decide: Decide) -> Decision:
        """Decide on what the ledger holds, and write nothing."""

    def enter(self, decide: Decide) -> Decision:
        """Decide, and add what was decided, safely stored before this returns."""


@dataclass(frozen=True, slots=True)
class FileLedger:
    """A file with mode 0600."""

    path: str

    def __str__(self) -> str:
        return f"the ledger {self.path}"

    def ask(self, decide: Decide) -> Decision:
        """See the protocol. A file that is missing is an empty ledger, and is not made."""
        return decide(read_if_there(self.path, LONGEST_FILE) or b"")

    def enter(self, decide: Decide) -> Decision:
        """See the protocol. Raises InvalidSettings."""
        with locked(self.path) as file:
            decision = decide(file.read(LONGEST_FILE))
            if decision.addition:
                file.append(decision.addition, decision.kept)
            return decision


@dataclass(frozen=True, slots=True)
class ConfigMapLedger:
    """The key ``ledger.jsonl`` of a ConfigMap, which is made when it is missing."""

    cluster: Cluster
    clock: Clock
    namespace: str
    name: str
    uid: str = ""

    def __str__(self) -> str:
        return f"the ledger in ConfigMap {self.namespace}/{self.name}"

    def ask(self, decide: Decide) -> Decision:
        """See the protocol. Raises what the cluster raises."""
        self._identify()
        return decide(_content(self._read()))

    def enter(self, decide: Decide) -> Decision:
        """See the protocol. Raises what the cluster raises, and SafeStop when others are always first."""
        self._identify()
        for _try in range(TRIES):
            live = self._read()
            content = _content(live)
            decision = decide(content)
            if not decision.addition or self._stored(live, content[: decision.kept] + decision.addition):
                return decision
            self.clock.sleep(random.uniform(0, _PAUSE_SECONDS))  # noqa: S311 - so that rivals do not meet again
        raise SafeStop(f"Others wrote to {self} before us, {TRIES} times.", "Run it again; what was issued is found again.")

    def _identify(self) -> None:
        if self.uid:
            identify(self.cluster, uid=self.uid)

    def _read(self) -> Object | None:
        return self.cluster.get(object_path("ConfigMap", self.name, self.namespace))

    def _stored(self, live: Object | None, content: bytes) -> bool:
        """False when it is not certain that exactly this was stored now."""
        self._check(live, content)
        text = content.decode()
        try:
            if live is None:
                self.cluster.create(collection_path("ConfigMap", self.namespace), _configmap(self.name, self.namespace, text))
            else:
                self.cluster.patch(object_path("ConfigMap", self.name, self.namespace), _guarded(live, text))
        except (Conflict, UnknownOutcome):
            return False
        return True

    def _check(self, live: Object | None, content: bytes) -> None:
        if (live or {}).get("immutable"):
            raise InvalidSettings(f"The ConfigMap {self.namespace}/{self.name} is immutable.", "Give another one as ledger_configmap.")
        if len(content) > LONGEST_CONFIGMAP:
            raise InvalidSettings(
                f"The ledger in ConfigMap {self.namespace}/{self.name} would be longer than {LONGEST_CONFIGMAP // 1024} KiB.",
                "Begin another ConfigMap, and keep this one; or move its rows into a file and give that as ledger.",
            )


def ledger_place(params: Mapping[str, Any], cluster: Callable[[], Cluster], clock: Clock) -> LedgerPlace:
    """The one ledger that the options name. Raises InvalidSettings when there is none, or two, or one that would be lost."""
    path, name = str(params.get("ledger") or ""), str(params.get("ledger_configmap") or "")
    if bool(path) == bool(name):
        problem = "Two ledgers were given, ledger and ledger_configmap." if path else "No ledger was given."
        raise InvalidSettings(problem, "Give either ledger, a file, or ledger_configmap, for several controllers.")
    if name:
        return ConfigMapLedger(cluster(), clock, str(params["ledger_namespace"]), name, str(params.get("cluster_uid") or ""))
    if dies_with_the_job(path, os.environ):
        raise InvalidSettings(
            f"The ledger {path} is in this job's private folder, which is removed when the job ends.",
            "Give ledger_configmap, or a path on a volume that stays.",
        )
    return FileLedger(path)


def _content(live: Object | None) -> bytes:
    return str(((live or {}).get("data") or {}).get(KEY) or "").encode()


def _configmap(name: str, namespace: str, text: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": {KEY: text}}


def _guarded(live: Object, text: str) -> list[Operation]:
    """Replace the ledger in exactly this version of the object."""
    guard: Operation = {"op": "test", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]}
    data = {"op": "add", "path": "/data", "value": {KEY: text}}
    return [guard, {"op": "add", "path": f"/data/{KEY}", "value": text} if live.get("data") else data]
