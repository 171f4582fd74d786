# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects of an archive are put back. PRIVATE.

What the cluster makes by itself (pods, slices, the tokens of ServiceAccounts) is never put back: a copy of it would be of something
that is no longer there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..._errors import Blocked, InvalidSettings
from ..archive.model import Contents, Entry
from ..model import Object
from ..names import HELM_RELEASE_ANNOTATION, JOURNAL_LABEL, LEASE, TOMBSTONE_OWNER
from ..objects import annotations_of, labels_of, name_of
from ..selectors import selector_matches
from .order import is_release

MADE_BY_CONTROLLERS = ("ControllerRevision", "EndpointSlice", "Endpoints", "Event", "Job", "Lease", "Pod", "ReplicaSet")
TOKEN_TYPE = "kubernetes.io/service-account-token"  # noqa: S105 - a type
_TERM = re.compile(r"^(?P<absent>!)?\s*(?P<key>[^\s!=,()]+)\s*(?:(?P<word>==|=|!=)\s*(?P<value>[^\s!=,()]*))?$")


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted of an archive; what is empty chooses nothing out, and an object has to fit all that is not.

    ``kinds`` are kinds, a group may follow (``Kustomization.kustomize.toolkit.fluxcd.io``). ``names`` are names of objects, a kind may
    stand before (``Service/dashboard``). ``label`` is a label selector. ``paths`` are REST paths, for callers who know them.
    """

    kinds: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    label: str = ""
    paths: frozenset[str] | None = None
    _labels: Object = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises InvalidSettings for a label selector that cannot be read."""
        object.__setattr__(self, "_labels", _selector_of(self.label))

    @property
    def is_all(self) -> bool:
        """Whether everything is wanted."""
        return not (self.kinds or self.names or self.label) and self.paths is None

    def takes(self, entry: Entry) -> bool:
        """Whether an object is wanted."""
        item = entry.clean
        return (
            (not self.kinds or any(kind in words_of(item) for kind in self.kinds))
            and (not self.names or any(_is_named(item, name) for name in self.names))
            and selector_matches(self._labels, labels_of(item))
            and (self.paths is None or entry.path in self.paths)
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be put back, and what of the selection is not, with the reason."""

    entries: tuple[Entry, ...]
    skipped: tuple[tuple[Entry, str], ...] = ()


def chosen(contents: Contents, selection: Selection) -> Chosen:
    """The objects of an archive that a selection takes. Raises Blocked when a part of the selection fits none: it was mistyped."""
    for kind in selection.kinds:
        _require(any(kind in words_of(entry.clean) for entry in contents.entries), f"of kind {kind}", contents)
    for name in selection.names:
        _require(any(_is_named(entry.clean, name) for entry in contents.entries), f"called {name}", contents)
    taken = [entry for entry in contents.entries if selection.takes(entry)]
    if selection.paths is None:
        _require(bool(taken), "that fits all of the selection", contents)
    reasons = [(entry, _reason(entry)) for entry in taken]
    return Chosen(tuple(entry for entry, reason in reasons if not reason), tuple((entry, reason) for entry, reason in reasons if reason))


def of_release(contents: Contents) -> Selection:
    """The objects of WG's Helm release, with the storage of the release, whatever of them is there by now."""
    name = str(contents.manifest["release"])
    namespace = str(contents.manifest["namespace"])
    return Selection(paths=frozenset(entry.path for entry in contents.entries if name and _belongs(entry.clean, name, namespace)))


def words_of(item: Object) -> tuple[str, str]:
    """The two ways in which a kind may be named."""
    group = str(item.get("apiVersion", "")).rpartition("/")[0]
    kind = str(item.get("kind"))
    return kind, f"{kind}.{group}" if group else kind


def _belongs(item: Object, release: str, namespace: str) -> bool:
    if is_release(item):
        return labels_of(item).get("name") == release and item["metadata"].get("namespace") == namespace
    return annotations_of(item).get(HELM_RELEASE_ANNOTATION) == release


def _is_named(item: Object, wanted: str) -> bool:
    kind, slash, name = wanted.partition("/")
    return (name_of(item) == name and kind in words_of(item)) if slash else name_of(item) == wanted


def _reason(entry: Entry) -> str:
    item = entry.clean
    if item.get("kind") in MADE_BY_CONTROLLERS or (item.get("kind"), name_of(item)) == ("Lease", LEASE):
        return "the cluster makes it by itself"
    if item.get("type") == TOKEN_TYPE:
        return "it holds a token of the ServiceAccount that was; the cluster makes a new one"
    if JOURNAL_LABEL in labels_of(item) or labels_of(item).get("owner") == TOMBSTONE_OWNER:
        return "it is this collection's own"
    return ""


def _require(found: bool, what: str, contents: Contents) -> None:
    if found:
        return
    left_out = " Its Secrets were left out by hashes_only." if contents.manifest.get("secrets") == "hashes_only" else ""
    raise Blocked(f"The archive holds no object {what}.{left_out}", "Correct kinds, names or label; its manifest.json lists the kinds.")


def _selector_of(text: str) -> Object:
    """``a=b,c!=d,e,!f`` as a label selector. Raises InvalidSettings."""
    expressions = [_expression_of(term.strip(), text) for term in text.split(",")] if text.strip() else []
    return {"matchExpressions": expressions}


def _expression_of(term: str, text: str) -> Object:
    found = _TERM.match(term)
    if not found or (found["absent"] and found["word"]):
        raise InvalidSettings(f"The label selector {text!r} cannot be read.", "Write key=value, key!=value, key or !key, with commas.")
    if found["word"]:
        return {"key": found["key"], "operator": "NotIn" if found["word"] == "!=" else "In", "values": [found["value"]]}
    return {"key": found["key"], "operator": "DoesNotExist" if found["absent"] else "Exists"}
