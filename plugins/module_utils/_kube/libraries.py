# SPDX-License-Identifier: GPL-3.0-or-later
"""The two libraries we cannot do without, imported at one place. PRIVATE: can change at any time.

ansible-test imports every file with the standard library alone, so a missing one is reported at its use, in a sentence.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from .._errors import InvalidSettings

try:
    import urllib3
    import urllib3.exceptions
except ImportError:  # pragma: no cover - shown by require_urllib3
    urllib3 = None  # type: ignore[assignment]

try:
    import yaml
except ImportError:  # pragma: no cover - shown by parse_yaml
    yaml = None  # type: ignore[assignment]

__all__ = ["NotYaml", "parse_yaml", "require_urllib3", "urllib3"]


class NotYaml(ValueError):
    """A text is not YAML. Its message names a line and a reason, never the text: that may hold secrets."""


def require_urllib3() -> None:
    """Raise InvalidSettings when urllib3 is not installed for this Python."""
    if urllib3 is None:
        raise InvalidSettings("The Python library urllib3 is missing.", _how_to_install("urllib3"))


def parse_yaml(text: str) -> Any:
    """The one document in ``text``; raises NotYaml, or InvalidSettings without PyYAML."""
    loader = _loader()
    try:
        return yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        raise NotYaml(_where(error)) from None


def _loader() -> Any:
    """The safe loader, the one in C when it is there: it takes a tenth of the time."""
    if yaml is None:
        raise InvalidSettings("The Python library PyYAML is missing.", _how_to_install("PyYAML"))
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _how_to_install(library: str) -> str:
    return f"Install it for the Python that runs this: {sys.executable} -m pip install {library}."


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    # A problem may quote what it found, as in: found undefined tag '!x'.
    problem = re.sub(r"'[^']*'", "'…'", str(getattr(error, "problem", None) or "it cannot be read"))
    return f"line {mark.line + 1}: {problem}" if mark else problem
