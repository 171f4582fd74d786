# SPDX-License-Identifier: GPL-3.0-or-later
"""An entitlement that was handed over: as an option, or as a file with a bare token or a Secret's manifest. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._errors import InvalidSettings
from ..._files import read_limited
from .manifest import ENTITLEMENT_KEY, LONGEST, credentials_of
from .verify import trimmed

TOKEN, PATH, SECRET = "token", "path", "secret"


@dataclass(frozen=True, slots=True)
class Given:
    """What the option ``source`` holds; ``place`` says in sentences where that is."""

    source: str
    place: str
    credentials: dict[str, str] = field(repr=False)

    @property
    def text(self) -> str:
        """The token."""
        return self.credentials[ENTITLEMENT_KEY]


def given(params: Mapping[str, Any]) -> list[Given]:
    """What the options ``path`` and ``token`` hold, in this order. Raises InvalidSettings for a file that cannot be used."""
    found = []
    path, token = params.get("path"), params.get("token")
    if path:
        place = f"in file {path}"
        credentials = credentials_of(read_limited(path, LONGEST), f"file {path}")
        found.append(Given(PATH, place, {**credentials, ENTITLEMENT_KEY: trimmed(credentials[ENTITLEMENT_KEY])}))
    if token is not None:
        found.append(Given(TOKEN, "that was given as token", {ENTITLEMENT_KEY: trimmed(token)}))
    return found


def only(params: Mapping[str, Any]) -> Given | None:
    """The one to install, None for ``external``. Raises InvalidSettings when there are two of them, or none."""
    found = given(params)
    if params.get("external"):
        if found:
            raise InvalidSettings("external is true, and an entitlement was given as well.", "Give one of token, path and external: true.")
        return None
    if len(found) != 1:
        what = "Both token and path were given." if found else "No entitlement was given."
        raise InvalidSettings(what, "Give one of token, path and external: true.")
    return found[0]
