# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: a Secret in WG's namespace that says what a run intends, before its first write. PRIVATE.

It holds, for each step, every write with the hash of its intent and the patch that takes it back. It never decides what is
done: only the cluster does. It is what a later run, or a person, needs to go back. One Secret a run, kept as evidence.

What a killed run leaves: an open journal. The next run adopts it (same run id, so its objects are recognised as ours),
adds the writes that were not foreseen, and goes on.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from .._errors import SafeStop
from .model import Object
from .names import JOURNAL_LABEL, JOURNAL_PREFIX, RUN_LABEL
from .objects import labels_of, name_of, object_path
from .patches import pointer
from .writes import Write

SCHEMA = 1
OPEN = "open"
PARKED = "parked"
ROLLED_BACK = "rolled-back"
FINALISING = "finalising"
FINALISED = "finalised"
STATES = (OPEN, PARKED, ROLLED_BACK, FINALISING, FINALISED)
"""``open``: a run has begun and neither reached ``parked`` nor taken everything back. ``finalising``: the removal of WG has begun."""

REMOVING = (FINALISING, FINALISED)
PARKED_AT = "parked"
"""The note that says when WG was parked, by the API server's clock."""

REMEMBERED = "wg"
"""The note that says what WG was, once it is being removed."""


@dataclass(slots=True)
class Journal:
    """One run's journal. ``entries`` maps a step's id to the records of its writes, in the order they are sent.

    ``form`` and ``delivery`` are those the run began with: what is recognised later may be what somebody made of it since.
    """

    run: str
    namespace: str
    release: str
    state: str = OPEN
    started: str = ""
    plan_hash: str = ""
    archive: Object = field(default_factory=dict)
    entries: dict[str, list[Object]] = field(default_factory=dict)
    notes: Object = field(default_factory=dict)
    uid: str = ""
    form: str = "helm"
    delivery: str = "helm"

    @property
    def name(self) -> str:
        """The name of the Secret."""
        return JOURNAL_PREFIX + self.run

    @property
    def path(self) -> str:
        """The REST path of the Secret."""
        return object_path("Secret", self.name, self.namespace)

    @property
    def parked_at(self) -> datetime:
        """When WG was parked. Raises SafeStop when the journal does not say it."""
        try:
            found = datetime.fromisoformat(str(self.notes[PARKED_AT]))
        except (KeyError, ValueError) as problem:
            raise SafeStop(
                f"The journal Secret {self.name} does not say when WG was parked.", "Somebody changed it; restore it from a backup."
            ) from problem
        return found if found.tzinfo else found.replace(tzinfo=timezone.utc)

    def add(self, step: str, writes: Sequence[Write]) -> bool:
        """Take in the writes of a step; returns whether anything was new.

        A write to a path that is recorded already is not taken again: the first record holds the state before us.
        """
        known = self.entries.setdefault(step, [])
        paths = {(entry["verb"], entry["path"]) for entry in known}
        new = [write.record() for write in writes if (write.verb, write.path) not in paths]
        known.extend(new)
        return bool(new)

    def text(self) -> str:
        """The content, as it is stored."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "run": self.run,
                "release": self.release,
                "form": self.form,
                "delivery": self.delivery,
                "started": self.started,
                "plan_hash": self.plan_hash,
                "archive": self.archive,
                "entries": self.entries,
                "notes": self.notes,
            },
            sort_keys=True,
        )

    def secret(self) -> Object:
        """The Secret to create."""
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": f"{JOURNAL_LABEL}",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": {RUN_LABEL: self.run, JOURNAL_LABEL: self.state},
            },
            "data": {"journal": base64.b64encode(self.text().encode()).decode()},
        }

    def save_operations(self) -> list[Object]:
        """The guarded patch that stores what this journal says now."""
        content = base64.b64encode(self.text().encode()).decode()
        return [
            {"op": "test", "path": pointer("metadata", "labels", RUN_LABEL), "value": self.run},
            {"op": "replace", "path": pointer("metadata", "labels", JOURNAL_LABEL), "value": self.state},
            {"op": "replace", "path": "/data/journal", "value": content},
        ]


def journal_from(secret: Object) -> Journal:
    """Read a journal Secret; raises SafeStop when it was changed or cut."""
    try:
        content = json.loads(base64.b64decode(secret["data"]["journal"]))
        if content["schema"] != SCHEMA:
            raise ValueError(f"schema {content['schema']}")
        return Journal(
            run=content["run"],
            namespace=secret["metadata"]["namespace"],
            release=content["release"],
            state=labels_of(secret).get(JOURNAL_LABEL, OPEN),
            started=content["started"],
            plan_hash=content["plan_hash"],
            archive=content["archive"],
            entries=content["entries"],
            notes=content["notes"],
            uid=secret["metadata"].get("uid", ""),
            form=content.get("form", "helm"),  # journals of before there was another
            delivery=content.get("delivery", "helm"),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise SafeStop(
            f"The journal Secret {name_of(secret)} cannot be read ({problem}).",
            "Somebody changed it; restore it, or roll back by hand from the archive.",
        ) from problem


def newest(secrets: Sequence[Object], release: str) -> Journal | None:
    """The journal of the newest run for a release, open ones first."""
    journals = [j for j in map(journal_from, secrets) if j.release == release]
    journals.sort(key=lambda j: (j.state == OPEN, j.started))
    return journals[-1] if journals else None
