# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a checkout change, so that git says what a cluster is. PRIVATE.

WG's owner goes out of git, WGE's and what is kept of WG's release come in, in one file beside it. WG's source stays: without it nobody
could go back. What is not plain YAML (overlays, templates, SOPS) is not touched: the sentence says why, and a person does it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..model import Object
from .kustomizations import NAMES, folder_of, list_of, why_not_plain
from .manifest import text_for_git
from .texts import Document, cut, is_it, with_line, without, without_line

FILE = "weave-gitops-enterprise.yaml"
HEADER = "# Written by wge_git_changes of weaveworks.wge: what the upgrade of Weave GitOps left on the cluster.\n"
_HIDDEN = ("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "********")
"""What Ansible puts in the place of a secret: such an object is not the one in the cluster."""

Files = dict[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a path of git should hold (``objects``, as they are live) and not hold any more (``drop``)."""

    path: str
    objects: list[Object]
    drop: list[Object]
    alters: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The file that is added."""
        return HEADER + text_for_git(self.objects)

    @property
    def namespace(self) -> str:
        """The namespace of all of it."""
        return next((str(place) for item in self.drop if (place := item["metadata"].get("namespace"))), "")


@dataclass(frozen=True, slots=True)
class Change:
    """Files by their path in the repository, None for one that goes. ``why_not`` when a person has to do it."""

    files: dict[str, str | None] = field(default_factory=dict)
    why_not: str = ""


def change_for(files: Mapping[str, str], wanted: Wanted) -> Change:
    """The change of the files below a path. None at all when git says it already."""
    root, text = folder_of(wanted.path), wanted.text
    if any(word in text for word in _HIDDEN):
        return Change(why_not="the values of WGE hold a secret, which is in no result; put it into a Secret and name that in valuesFrom")
    if wanted.alters:
        return Change(why_not=f"the Kustomization itself changes what it takes in (spec.{', spec.'.join(wanted.alters)})")
    found = [(name, part) for name in sorted(files) for part in cut(files[name]) if _is_one_of(part, wanted.drop)]
    written = next((name for name, old in files.items() if posixpath.basename(name) == FILE and old == text), "")
    if not found and written:
        return Change()
    if len(found) != len(wanted.drop):
        return Change(why_not=f"{_titles(wanted.drop)} {'stands there more than once' if found else 'does not stand there as plain YAML'}")
    return _edited(dict(files), root, wanted, found)


def _edited(files: Files, root: str, wanted: Wanted, found: list[tuple[str, Document]]) -> Change:
    first, new = found[0][0], posixpath.join(posixpath.dirname(found[0][0]), FILE)
    if new in files and not files[new].startswith(HEADER):
        return Change(why_not=f"{new} is there already and was written by somebody else")
    old = [(name, part) for name in sorted(files) if name != new for part in cut(files[name]) if _is_one_of(part, wanted.objects)]
    going = [*found, *old]
    why_not = (why_not_plain(files, root, name, wanted.namespace) for name in dict.fromkeys(name for name, _part in going))
    reasons = (*why_not, *(f"{name} is encrypted" for name, part in going if part.is_encrypted))
    if reason := next(filter(None, reasons), ""):
        return Change(why_not=reason)
    after: dict[str, str | None] = {**files, new: wanted.text}
    if (listing := list_of(files, root, first)) and new not in files:
        names = (posixpath.relpath(name, posixpath.dirname(listing) or ".") for name in (first, new))
        after[listing] = with_line(files[listing], *names)
    for name, part in going:
        _drop(after, root, name, part)
    return Change({name: text for name, text in after.items() if files.get(name) != text})


def _drop(after: dict[str, str | None], root: str, name: str, part: Document) -> None:
    """Take a document out; a file that says nothing any more goes, and out of the list with it."""
    left = without(after[name] or "", part)
    after[name] = left or None
    known = {file: text for file, text in after.items() if text is not None}
    listing = list_of(known, root, name)
    if not left and listing:
        after[listing] = without_line(known[listing], posixpath.relpath(name, posixpath.dirname(listing) or "."))


def _is_one_of(part: Document, items: list[Object]) -> bool:
    return any(is_it(part.item, item) for item in items)


def _titles(items: list[Object]) -> str:
    return ", ".join(f"{item['kind']} {item['metadata']['name']}" for item in items)


def is_read(name: str) -> bool:
    """Whether a file of a checkout is one to look into."""
    return name.endswith((".yaml", ".yml")) or posixpath.basename(name) in NAMES
