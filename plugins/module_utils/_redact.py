# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps secrets out of results, diffs and messages. PRIVATE: can change at any time.

Ansible hides the values of options that are marked no_log. A kubeconfig or chart values given as a mapping hold
secrets too, so their members with a telling name count as well; and so does a private key, wherever it was put.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.module_utils.common.parameters import remove_values

from ._argspec import Spec
from ._telling import PRIVATE_KEY, TELLING

# Shorter guesses ("yes", "admin") would blank out half of a result; options marked no_log count at any length.
_SHORTEST_GUESS = 6
# Our own words. A secret that happens to equal one of them must not make a result unreadable for the playbook.
_OUR_WORDS = ("changed", "failed", "verdict", "rung", "rung_before")


def secrets_of(spec: Spec, params: Mapping[str, Any]) -> set[str]:
    """Every string in ``params`` that must not be shown."""
    found: set[str] = set()
    for name, option in spec.items():
        for key in (name, *option.get("aliases", ())):
            found.update(_of_option(option, params.get(key)))
    return found | {base64.b64encode(text.encode()).decode() for text in found}


def without_secrets(value: Any, secrets: set[str]) -> Any:
    """A copy of ``value`` in which each secret is replaced; verdicts stay readable."""
    if not secrets:
        return value
    cleaned = remove_values(value, secrets)
    if isinstance(value, dict) and isinstance(cleaned, dict):
        cleaned.update({word: value[word] for word in _OUR_WORDS if word in value})
    return cleaned


def _of_option(option: Mapping[str, Any], value: Any) -> Iterator[str]:
    inner: Spec = option.get("options", {})
    if option.get("no_log"):
        yield from _strings(value)
    elif inner and isinstance(value, Mapping):
        for name, sub_option in inner.items():
            yield from _of_option(sub_option, value.get(name))
    elif inner and isinstance(value, str) and any(sub_option.get("no_log") for sub_option in inner.values()):
        yield value  # a mapping written as text: which part is secret cannot be told
    elif option.get("type") in ("str", "list"):
        yield from (text for text in _strings(value) if PRIVATE_KEY.search(text))
    elif option.get("type") in ("raw", "dict"):
        yield from (text for text in _guesses(value) if len(text) >= _SHORTEST_GUESS)


def _guesses(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        named_like_variable = TELLING.search(str(value.get("name") or ""))
        for key, item in value.items():
            if TELLING.search(str(key)) or (key == "value" and named_like_variable):
                yield from _strings(item)
            else:
                yield from _guesses(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _guesses(item)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item)
    elif value is not None and not isinstance(value, bool) and str(value):
        yield str(value)
