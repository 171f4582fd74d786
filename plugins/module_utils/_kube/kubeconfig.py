# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfigs: found, merged, and one context of them chosen. PRIVATE: can change at any time.

Several files are merged as kubectl does: whoever names something first wins, and a relative path counts from its file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._errors import InvalidSettings
from .libraries import NotYaml, parse_yaml

_USE_ANOTHER = "Correct the option kubeconfig, or K8S_AUTH_KUBECONFIG."


@dataclass(frozen=True, slots=True)
class Entry:
    """One named cluster, user or context, with the folder that its relative paths start from."""

    name: str
    content: Mapping[str, Any] = field(repr=False)
    folder: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The entries of one context. ``user`` has no content when the context names none. ``where`` is for messages."""

    cluster: Entry
    user: Entry
    where: str


def choose(source: str | Mapping[str, Any], context: str) -> Chosen:
    """The entries of ``context``, or of the current one when that is empty; raises InvalidSettings.

    ``source`` is a path, several paths joined by the system's separator, or the content.
    """
    documents = [(path, _read(path)) for path in _existing(source)] if isinstance(source, str) else [("", source)]
    return _merged(documents).choose(context)


@dataclass(slots=True)
class _Kubeconfig:
    where: str
    current: str = ""
    clusters: dict[str, Entry] = field(default_factory=dict)
    users: dict[str, Entry] = field(default_factory=dict)
    contexts: dict[str, Entry] = field(default_factory=dict)

    def choose(self, context: str) -> Chosen:
        name = context or self.current
        if not name:
            raise InvalidSettings(f"{self.where} has no current context.", f"Name one in the option context: {_listed(self.contexts)}.")
        if name not in self.contexts:
            raise InvalidSettings(
                f"{self.where} has no context {name!r}.", f"Name one of these in the option context: {_listed(self.contexts)}."
            )
        content = self.contexts[name].content
        where = f"context {name!r} of {_uncapitalised(self.where)}"
        cluster = self._named(self.clusters, content.get("cluster"), "cluster", where)
        user = Entry("", {}, "")
        if content.get("user"):
            user = self._named(self.users, content["user"], "user", where)
        return Chosen(cluster, user, where)

    def _named(self, entries: Mapping[str, Entry], name: Any, kind: str, where: str) -> Entry:
        if name in entries:
            return entries[name]
        wanted = f"the {kind} {name!r}, which is not there" if name else f"no {kind}"
        raise InvalidSettings(f"The {where} names {wanted}.", f"Known {kind}s: {_listed(entries)}. {_USE_ANOTHER}")


def _existing(source: str) -> list[str]:
    """The files of ``source`` that are there; it is only an error when none is."""
    paths = [os.path.abspath(os.path.expanduser(path)) for path in source.split(os.pathsep) if path]
    found = [path for path in paths if os.path.exists(path)]
    if not found:
        raise InvalidSettings(f"The kubeconfig {os.pathsep.join(paths) or source} does not exist.", _USE_ANOTHER)
    return found


def _read(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return parse_yaml(file.read())
    except OSError as error:
        raise InvalidSettings(f"The kubeconfig {path} cannot be read: {error.strerror}.", _USE_ANOTHER) from None
    except (NotYaml, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, NotYaml) else "it is not a text"
        raise InvalidSettings(f"The kubeconfig {path} is not YAML ({reason}).", _USE_ANOTHER) from None


def _merged(documents: list[tuple[str, Any]]) -> _Kubeconfig:
    paths = os.pathsep.join(path for path, _document in documents)
    config = _Kubeconfig(where=f"The kubeconfig {paths}" if paths else "The kubeconfig in the options")
    for path, document in documents:
        if not isinstance(document, Mapping):
            place = f"The kubeconfig {path}" if path else config.where
            raise InvalidSettings(f"{place} is not a kubeconfig: it is not a dictionary.", _USE_ANOTHER)
        config.current = config.current or str(document.get("current-context") or "")
        folder = os.path.dirname(path)
        _take(config.clusters, document.get("clusters"), "cluster", folder)
        _take(config.users, document.get("users"), "user", folder)
        _take(config.contexts, document.get("contexts"), "context", folder)
    return config


def _take(known: dict[str, Entry], items: Any, kind: str, folder: str) -> None:
    for item in items if isinstance(items, list) else []:
        if isinstance(item, Mapping) and item.get("name"):
            content = item.get(kind)
            entry = Entry(str(item["name"]), content if isinstance(content, Mapping) else {}, folder)
            known.setdefault(entry.name, entry)


def _listed(entries: Mapping[str, Entry]) -> str:
    return ", ".join(sorted(entries)) or "(there is none)"


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]
