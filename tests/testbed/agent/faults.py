# SPDX-License-Identifier: GPL-3.0-or-later
"""How pods are told to misbehave: annotations of the pod, and rules in the cluster's `faults.json`.

`faults.json` is read again whenever it changes::

    {"node_lost": false,
     "rules": [{"image": "clusters-service", "labels": {"app": "clusters-service"}, "crash_after": 20}]}

A rule holds for a pod when its `image` is part of an image of the pod and its `labels` are among the pod's; a rule
with neither holds for every pod. The same names, with dashes, are annotations: `testbed.wge/crash-after: "20"`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

PREFIX = "testbed.wge/"


@dataclass(frozen=True)
class Faults:
    """What one pod is to do wrong; seconds, unless said otherwise."""

    slow_start: float = 0  #: the process runs this long before it listens
    crash_after: float = 0  #: it dies this long after each start
    crash_at: float = 0  #: it dies at this Unix time; later starts live
    crash_after_selected: str = ""  #: "NAMESPACE/SERVICE=SECONDS": dies so long after that Service began to select it
    stay_down: float = 0  #: after a death by one of the three faults above it is not started again for so long
    image_not_found: bool = False  #: the image cannot be pulled
    never_ready: bool = False  #: readiness is never reported

    def crash_delay(self, started: float) -> float | None:
        """Seconds after `started` at which a process begun then is to die."""
        delays = [self.crash_after] if self.crash_after else []
        if self.crash_at > started:
            delays.append(self.crash_at - started)
        return min(delays, default=None)

    def selected_by(self) -> tuple[str, str, float] | None:
        """Namespace, Service and seconds of `crash_after_selected`."""
        target, found, seconds = self.crash_after_selected.partition("=")
        namespace, _slash, service = target.partition("/")
        return (namespace, service, float(seconds)) if found else None


def _typed(name: str, value: Any) -> Any:
    """Annotations are strings; bring a value to its field's type."""
    default = {field.name: field.default for field in fields(Faults)}[name]
    if isinstance(default, bool):
        return value is True or str(value).lower() == "true"
    return str(value) if isinstance(default, str) else float(value)


def _names() -> list[str]:
    return [field.name for field in fields(Faults)]


def _holds(rule: dict[str, Any], pod: dict[str, Any]) -> bool:
    images = [item.get("image", "") for item in pod["spec"].get("containers", [])]
    labels = pod["metadata"].get("labels") or {}
    wanted = rule.get("image", "")
    return (not wanted or any(wanted in image for image in images)) and (rule.get("labels") or {}).items() <= labels.items()


class FaultFile:
    """The control file of a cluster, read when it changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._content: dict[str, Any] = {}

    def _read(self) -> dict[str, Any]:
        try:
            state = self._path.stat()
            mark = (state.st_mtime_ns, state.st_ino)
            if mark != self._seen:
                self._content = json.loads(self._path.read_text(encoding="utf-8"))
                self._seen = mark
        except FileNotFoundError:
            self._content, self._seen = {}, None
        except ValueError:
            pass  # half written: the former content holds until it is whole
        return self._content

    def node_lost(self) -> bool:
        """Is the node to be silent?"""
        return bool(self._read().get("node_lost"))

    def of(self, pod: dict[str, Any]) -> Faults:
        """What `pod` is to do wrong now; a rule wins over an annotation."""
        annotations = pod["metadata"].get("annotations") or {}
        found = {name: _typed(name, annotations[key]) for name in _names() if (key := PREFIX + name.replace("_", "-")) in annotations}
        for rule in self._read().get("rules", []):
            if _holds(rule, pod):
                found.update({name: _typed(name, rule[name]) for name in _names() if name in rule})
        return Faults(**found)
