# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests as text turned into objects. PRIVATE. (Kubeconfigs, whose text must never be quoted, are read in ``_kube/libraries.py``.)

PyYAML comes with ansible-core; its C loader is used where it is built in, since a rendered chart takes it a tenth of the time.
"""

from __future__ import annotations

from typing import Any

from .._errors import InvalidSettings
from .model import Object

try:
    import yaml
except ImportError:  # pragma: no cover - a bastion without PyYAML
    yaml = None  # type: ignore[assignment]


def documents(text: str) -> list[Object]:
    """All objects of a manifest, empty documents left out. Raises InvalidSettings when it is not YAML."""
    if yaml is None:
        raise InvalidSettings("PyYAML is missing where this module runs.", "Install the Python package PyYAML there.")
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return [item for item in yaml.load_all(text, Loader=loader) if isinstance(item, dict)]
    except yaml.YAMLError as problem:
        raise InvalidSettings(f"A manifest is not YAML: {' '.join(str(problem).split())}", "Correct the chart or its values.") from problem
