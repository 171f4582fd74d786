# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as the YAML of a member, and back; what is wrong with a text is said without quoting it. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._errors import InvalidSettings
from ..model import Object
from .manifest import DAMAGED

try:
    import yaml
except ImportError:  # pragma: no cover - a bastion without PyYAML
    yaml = None  # type: ignore[assignment]

_FIRST = ("apiVersion", "kind", "metadata")
_WIDE = 2**16
"""No line is folded: a diff in git shows one line for one value."""


def text_of(item: Object) -> bytes:
    """One document, beginning with what tells which object it is; the API server's lists leave that to the end."""
    _require()
    item = {**{key: item[key] for key in _FIRST if key in item}, **item}
    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return bytes(yaml.dump(item, Dumper=dumper, encoding="utf-8", sort_keys=False, allow_unicode=True, explicit_start=True, width=_WIDE))


def documents(content: bytes, name: str) -> Iterator[Object]:
    """The objects of a member. Raises InvalidSettings."""
    _require()
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for item in yaml.load_all(content, Loader=loader):
            if not isinstance(item, dict):
                raise InvalidSettings(f"The archive's member {name} holds something that is no object.", DAMAGED)
            yield item
    except (yaml.YAMLError, ValueError, RecursionError):  # its own words quote the text
        raise InvalidSettings(f"The archive's member {name} is not YAML.", DAMAGED) from None


def _require() -> None:
    if yaml is None:  # pragma: no cover
        raise InvalidSettings("PyYAML is missing where this runs.", "Install the Python package PyYAML there.")
