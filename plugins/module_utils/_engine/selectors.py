# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a selector matches labels, in the words of Kubernetes, Cilium and Calico. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Callable

from .model import Object

Labels = dict[str, str]
_CILIUM_SOURCE = re.compile(r"^(k8s|any)[:.]")
_CILIUM_NAMESPACE = "io.kubernetes.pod.namespace"
_CALICO_WORD = re.compile(r"""\s*(?:(&&|\|\||==|!=|[!(){},])|("[^"]*"|'[^']*')|([A-Za-z0-9_./-]+))""")


class NotUnderstood(ValueError):
    """A selector in words that are not known here."""


def selector_matches(selector: Object | None, labels: Labels) -> bool:
    """Whether a label selector (``matchLabels`` and ``matchExpressions``) matches; None matches nothing, an empty one all."""
    if selector is None:
        return False
    wanted: Labels = selector.get("matchLabels") or {}
    return wanted.items() <= labels.items() and all(_holds(e, labels) for e in selector.get("matchExpressions") or [])


def _holds(expression: Object, labels: Labels) -> bool:
    key, operator = expression["key"], expression["operator"]
    values: list[str] = expression.get("values") or []
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return bool((key in labels) == (operator == "Exists"))


def cilium_matches(selector: Object | None, labels: Labels, namespace: str) -> bool:
    """As ``selector_matches``, where keys may name their source (``k8s:app``) and the namespace is a label as well."""
    if selector is None:
        return False
    known = {**labels, _CILIUM_NAMESPACE: namespace}
    bare = {_CILIUM_SOURCE.sub("", key): value for key, value in (selector.get("matchLabels") or {}).items()}
    expressions = [{**e, "key": _CILIUM_SOURCE.sub("", e["key"])} for e in selector.get("matchExpressions") or []]
    return selector_matches({"matchLabels": bare, "matchExpressions": expressions}, known)


def calico_matches(text: str, labels: Labels) -> bool:
    """Whether a Calico selector (``app == 'x' && has(y)``) matches; an empty one matches all. Raises NotUnderstood."""
    words, end = [], 0
    while text[end:].strip():
        found = _CALICO_WORD.match(text, end)
        if not found:
            raise NotUnderstood(text)
        words.append(found[1] or found[2] or found[3])
        end = found.end()
    reader = _Calico(text, words, labels)
    result = reader.either() if words else True
    if reader.words:
        raise NotUnderstood(text)
    return result


class _Calico:
    """Reads a selector from left to right and judges it meanwhile."""

    def __init__(self, text: str, words: list[str], labels: Labels) -> None:
        self.text, self.words, self.labels = text, words, labels

    def either(self) -> bool:
        return self._joined("||", self._both, any)

    def _both(self) -> bool:
        return self._joined("&&", self._one, all)

    def _joined(self, joint: str, part: Callable[[], bool], join: Callable[[list[bool]], bool]) -> bool:
        parts = [part()]
        while self.words[:1] == [joint]:
            self._next()
            parts.append(part())
        return join(parts)

    def _one(self) -> bool:
        word = self._next()
        if word == "!":
            return not self._one()
        if word == "(":
            return self._closed(self.either())
        if self.words[:1] == ["("]:
            return self._function(word)
        return self._compared(word)

    def _function(self, name: str) -> bool:
        self._next()
        if name == "has":
            return self._closed(self._next() in self.labels)
        if name in ("all", "global"):
            return self._closed(name == "all")
        raise NotUnderstood(self.text)

    def _compared(self, key: str) -> bool:
        operator, value = self._next(), self.labels.get(key)
        if operator in ("==", "!="):
            return (value == self._quoted()) is (operator == "==")
        if operator == "in":
            return value in self._set()
        if operator == "not" and self._next() == "in":
            return value not in self._set()
        if operator == "contains":
            return self._quoted() in (value or "")
        raise NotUnderstood(self.text)

    def _set(self) -> list[str]:
        values: list[str] = []
        self._expect("{")
        while self.words[:1] != ["}"]:
            values.append(self._quoted())
            if self.words[:1] == [","]:
                self._next()
        self._expect("}")
        return values

    def _quoted(self) -> str:
        word = self._next()
        if word[0] not in "\"'":
            raise NotUnderstood(self.text)
        return word[1:-1]

    def _closed(self, result: bool) -> bool:
        self._expect(")")
        return result

    def _expect(self, word: str) -> None:
        if self._next() != word:
            raise NotUnderstood(self.text)

    def _next(self) -> str:
        if not self.words:
            raise NotUnderstood(self.text)
        return self.words.pop(0)
