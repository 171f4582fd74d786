# SPDX-License-Identifier: GPL-3.0-or-later
"""What of WG's configuration arrives in WGE: the table for one cluster, and the whole of it for the guide. PRIVATE.

The rows of values, flags and variables are those of ``carried``; here are the Secrets, and one shape for all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .carried import FLAGS, KEPT, LOST, OWN_VARIABLES, ROUTE_PREFIX, USUAL_OIDC_SECRET, VALUES, Fate, fates
from .forms.helm import defaults_of, given_of, newest
from .inherit import OIDC_KEYS
from .model import Object
from .names import LOGIN_SECRET, OIDC_SECRET
from .situation import Situation

_CREDENTIALS = "config.oidc.clientCredentialsSecret"
SECRETS: tuple[Fate, ...] = (
    *(
        Fate(
            f"{LOGIN_SECRET} {key}", KEPT, "the Secret stays where it is, and WGE reads it at each login", "config.auth.userAccount.enabled"
        )
        for key in ("username", "password")
    ),
    *(Fate(f"{OIDC_SECRET} {here}", KEPT, "carried over", f"config.oidc.{there}") for here, there in OIDC_KEYS.items()),
    Fate(f"{OIDC_SECRET} customScopes", KEPT, "carried over without blanks, which WGE would not trim", "config.oidc.customScopes"),
    Fate(f"{OIDC_SECRET} clientID", KEPT, "the Secret stays where it is, and WGE reads it itself", _CREDENTIALS),
    Fate(f"{OIDC_SECRET} clientSecret", KEPT, "the Secret stays where it is, and WGE reads it itself", _CREDENTIALS),
)
"""Each key of the Secrets that WG reads."""
_UNKNOWN_KEY = "neither product reads this key"


@dataclass(frozen=True, slots=True)
class Row:
    """One setting. ``kind`` is value, flag, variable or secret; ``equivalent`` where it is, or can be given, in WGE's values."""

    setting: str
    kind: str
    fate: str
    words: str
    equivalent: str

    def as_dict(self) -> Object:
        """For the result."""
        return {name: getattr(self, name) for name in ("setting", "kind", "fate", "words", "equivalent")}


def rows_for(now: Situation) -> list[Row]:
    """The table for one cluster: each setting of its WG that differs from the chart's own, and each key of its Secrets."""
    wg = now.snapshot.installed
    last = newest(wg.revisions)
    stored: Object = last.decoded() if last else {}
    found = fates(wg, defaults_of(stored), given_of(stored), now.target.version)
    return _rows([*found, *_of_secrets(now.snapshot.named)])


def all_rows() -> list[Row]:
    """Every row there is, for the guide and for the test that tries each."""
    variables = [Fate(f"variable {name}", KEPT, words) for name, words in OWN_VARIABLES.items()]
    variables.append(Fate("variable WEAVE_GITOPS_…", KEPT, "carried over", "extraEnvVars"))
    variables.append(Fate("variable of any other name", LOST, "only WEAVE_GITOPS_… variables are carried over", "extraEnvVars"))
    other = Fate("--oidc-secret-name of another name", LOST, f"only Secret {OIDC_SECRET} is carried over", "config.oidc.issuerURL")
    return _rows([*VALUES, *FLAGS, ROUTE_PREFIX, USUAL_OIDC_SECRET, other, *variables, *SECRETS])


def _of_secrets(named: dict[str, Object | None]) -> list[Fate]:
    known = {fate.name: fate for fate in SECRETS}
    keys = [f"{name} {key}" for name in (LOGIN_SECRET, OIDC_SECRET) for key in sorted((named.get(name) or {}).get("data") or {})]
    return [known.get(key) or Fate(key, KEPT, _UNKNOWN_KEY) for key in keys]


def _rows(found: Iterable[Fate]) -> list[Row]:
    secrets = tuple(f"{name} " for name in (LOGIN_SECRET, OIDC_SECRET))
    rows = []
    for fate in found:
        kind = "variable" if fate.name.startswith("variable ") else "flag" if fate.name.startswith("--") else "value"
        kind = "secret" if fate.name.startswith(secrets) else kind
        rows.append(Row(fate.name.removeprefix("variable "), kind, fate.kind, fate.words, fate.equivalent))
    return rows
