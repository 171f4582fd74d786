# SPDX-License-Identifier: GPL-3.0-or-later
"""The question ``git_changes``: a patch, and on request a branch, after which git says what the clusters are. PRIVATE."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from .._engine.gitpatch.changes import change_for, is_read
from .._engine.gitpatch.groups import Group, groups_of, wanted_by, why_held
from .._engine.model import Object
from .._errors import InvalidSettings
from .._files import read_if_there, write_private
from .._git import Checkout, Clone
from .session import Session

_LONGEST = 1 << 26
TRAILER = "Wge-Git-Changes: "
"""Begins the line of a commit message by which the way back finds the commit."""


@dataclass
class _Made:
    """What came of all paths. ``texts`` are whole files for people, where a patch cannot be made."""

    paths: list[Object] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def add(self, group: Group, state: str, message: str = "", files: list[str] | None = None) -> None:
        """Note what came of one path."""
        known = {"url": group.url, "ref": group.ref, "path": group.path, "clusters": list(group.hosts)}
        self.paths.append({**known, "state": state, "message": message, "files": sorted(files or []), "notes": group.notes})
        if message:
            self.warnings.append(f"{group.path or '.'} of {group.url}: {message}.")
        self.warnings += group.notes if state == "changed" else []


def answer(session: Session) -> dict[str, Any]:
    """Make the change in a clone, and hand out what was asked for."""
    params = session.params
    if params["push"] and not params["branch"]:
        raise InvalidSettings("push is given without a branch.", "Name the branch to push.")
    groups, checkout = groups_of(params["clusters"]), Checkout(params["checkout"])
    made = _Made()
    with checkout.clone() as clone:
        for group in groups:
            (_back if params["direction"] == "back" else _forward)(group, checkout, clone, made)
        patch = clone.patch()
        result = _handed_out(session, checkout, clone, made, patch)
    if session.surroundings.diff and patch:
        result["diff"] = {"prepared": patch.decode("utf-8", "replace")}
    return {**result, "paths": made.paths, "warnings": made.warnings}


def _forward(group: Group, checkout: Checkout, clone: Clone, made: _Made) -> None:
    if reason := why_held(group) or _not_here(group, checkout):
        made.add(group, "held", reason)
        return
    wanted = wanted_by(group.said[0])
    files = {name: text for name, text in clone.files(group.path).items() if is_read(name)}
    change = change_for(files, wanted)
    if change.why_not:
        name = f"{(group.path or 'root').replace('/', '-')}.yaml"
        made.texts[name] = wanted.text
        made.add(group, "by_hand", f"{change.why_not}; make this change by hand, {name} is what git has to hold")
        return
    if change.files:
        clone.write(change.files)
    made.add(group, "changed" if change.files else "same", files=list(change.files))


def _back(group: Group, checkout: Checkout, clone: Clone, made: _Made) -> None:
    newest = clone.newest([_line("forward", group), _line("back", group)])
    if newest.line == _line("back", group):
        made.add(group, "same")
    elif newest.commit:
        clone.revert(newest.commit)
        made.add(group, "changed")
    else:
        made.add(group, "by_hand", "no commit of wge_git_changes is in the history of what is checked out; take that change back by hand")


def _not_here(group: Group, checkout: Checkout) -> str:
    absent = [commit for commit in group.commits if not checkout.has(commit)]
    if not group.commits:
        return "which commit the clusters have applied is not known"
    return f"the checkout does not contain commit {absent[0]}, which is applied; pull, or give the right repository" if absent else ""


def _handed_out(session: Session, checkout: Checkout, clone: Clone, made: _Made, patch: bytes) -> dict[str, Any]:
    params, dry = session.params, session.surroundings.check_mode
    folder = os.path.abspath(params["patch_dir"])
    path = os.path.join(folder, f"{os.path.basename(checkout.git.folder)}.patch") if patch else ""
    texts = {os.path.join(folder, name): text.encode() for name, text in made.texts.items()}
    changed = [_written(name, content, dry=dry) for name, content in {**texts, **({path: patch} if patch else {})}.items()]
    branch = str(params["branch"] or "") if patch else ""
    if branch:
        changed.append(_branched(checkout, clone, branch, made, params["direction"], dry=dry))
    if branch and params["push"]:
        changed.append(checkout.push(params["remote"], branch, dry=dry))
    return {"changed": any(changed), "patch": path, "files": sorted(texts), "branch": branch, "pushed": bool(branch and params["push"])}


def _written(path: str, content: bytes, *, dry: bool) -> bool:
    if read_if_there(path, _LONGEST) == content:
        return False
    if not dry:
        write_private(path, content)
    return True


def _branched(checkout: Checkout, clone: Clone, branch: str, made: _Made, direction: str, *, dry: bool) -> bool:
    """Put the branch there, unless it says just that already."""
    there = checkout.tree(branch)
    if there == clone.tree():
        return False
    if there:
        raise InvalidSettings(f"There is a branch {branch} that says something else.", "Delete it, or give another name.")
    if not dry:
        clone.put_branch(branch, _message(made, direction))
    return True


def _message(made: _Made, direction: str) -> str:
    changed = [entry for entry in made.paths if entry["state"] == "changed"]
    title = "Say what the upgrade to Weave GitOps Enterprise made" if direction == "forward" else "Say that Weave GitOps serves again"
    clusters = sorted({host for entry in changed for host in entry["clusters"]})
    trailers = [f"{TRAILER}{direction} {entry['path'] or '.'}" for entry in changed]
    return "\n".join([title, "", f"Clusters: {', '.join(clusters)}", "", *trailers])


def _line(direction: str, group: Group) -> str:
    return f"{TRAILER}{direction} {group.path or '.'}"
