# SPDX-License-Identifier: GPL-3.0-or-later
"""A baseline as a file: what answered, and what the kept Services and routes were. PRIVATE.

A report of ours serves as well; it says of Services and routes what they were when its run ended.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ..._errors import InvalidSettings
from ..model import Object
from .asking import Key, Round
from .seen import Seen

SCHEMA = "weaveworks.wge/baseline/1"
REPORT = "weaveworks.wge/report/1"
LONGEST = 64 << 20
_OTHER = "Give a file that record_to wrote, or a report of wge_report."


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was there. ``calls`` is None when nobody asked; ``services`` and ``routes`` hold facts by title."""

    uid: str
    made: str = ""
    serves: str = ""
    calls: Round | None = None
    services: dict[str, Object] = field(default_factory=dict)
    routes: dict[str, Object] = field(default_factory=dict)

    def text(self) -> str:
        """The file."""
        calls = [{"call": key.call, "door": key.door, "login": key.login, **seen.as_dict()} for key, seen in (self.calls or {}).items()]
        content = {
            "schema": SCHEMA,
            "made": self.made,
            "cluster": {"uid": self.uid},
            "serves": self.serves,
            "calls": calls,
            "services": self.services,
            "routes": self.routes,
        }
        return json.dumps(content, indent=1, sort_keys=True) + "\n"


def baseline_from(content: bytes, uid: str, path: str) -> Baseline:
    """The baseline of the cluster ``uid`` in the file ``path``. Raises InvalidSettings."""
    try:
        found: Any = json.loads(content)
        schema = found["schema"]
        if schema not in (SCHEMA, REPORT):
            raise InvalidSettings(f"{path} (compare_with) has the schema {schema!r}, which this version does not know.", _OTHER)
        return _recorded(found, uid, path) if schema == SCHEMA else _reported(found, uid, path)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise InvalidSettings(f"{path} (compare_with) cannot be read ({type(problem).__name__}).", _OTHER) from problem


def _recorded(found: Object, uid: str, path: str) -> Baseline:
    if found["cluster"]["uid"] != uid:
        raise InvalidSettings(f"{path} (compare_with) is of the cluster {found['cluster']['uid']}, this one is {uid}.", _OTHER)
    calls = {Key(c["call"], c["door"], c["login"]): Seen(c["status"], c["shape"], c["detail"]) for c in found["calls"]}
    return Baseline(uid, found["made"], found["serves"], calls, dict(found["services"]), dict(found["routes"]))


def _reported(found: Object, uid: str, path: str) -> Baseline:
    entry = next((one for one in found["clusters"] if one["cluster"]["uid"] == uid), None)
    if entry is None:
        raise InvalidSettings(f"{path} (compare_with) is a report without the cluster {uid}.", _OTHER)
    services = {one["service"]: one.get("after") or one["before"] for one in entry["identity"]}
    routes = {one["route"]: one for one in (entry.get("untouched") or {}).get("routes") or []}
    return Baseline(uid, found["made"], entry["versions"]["after"], None, services, routes)
