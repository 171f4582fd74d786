# SPDX-License-Identifier: GPL-3.0-or-later
"""PE-01 and PE-05: who are we, for how long, and may we read the Secrets that matter? PRIVATE."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

from ..discover import flag
from ..model import Right
from ..names import ENTITLEMENT_NAMESPACE, ENTITLEMENT_SECRET, LOGIN_SECRET, OIDC_SECRET
from ..objects import name_of
from ..rbac import roles_for
from ..snapshot import user_of
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed

ANONYMOUS = "system:anonymous"
_NOT_WAITED_FOR = "lock_seconds"


def known_user(evidence: Evidence) -> Judged:
    """PE-01. One review. Credentials that renew themselves (a program, a token file) have no end here."""
    user = _user(evidence)
    if user == ANONYMOUS:
        return failed("The API server does not know us: no credentials were sent.", "Give a kubeconfig, a token or a client certificate.")
    who = f"We are {user}" if user else "The API server does not say who we are (it does from 1.28 on)"
    ends = evidence.login_ends
    if ends is None:
        return passed(f"{who}; the credentials have no end that can be seen, or renew themselves.")
    left, needed = ends - evidence.time, timedelta(seconds=_planned_seconds(evidence))
    if left < needed:
        return failed(
            f"{who}; the credentials end at {ends:%Y-%m-%d %H:%M} UTC, in {_minutes(left)}, and the upgrade may take {_minutes(needed)}.",
            "Fetch new credentials, or use a kubeconfig whose credential program (exec) renews them.",
        )
    return passed(f"{who}; the credentials hold until {ends:%Y-%m-%d %H:%M} UTC.")


def secrets_readable(evidence: Evidence) -> Judged:
    """PE-05. No request: judged by our rules. The bytes are not looked at."""
    wanted = _secrets(evidence)
    missing = evidence.rules.missing(wanted)
    if missing:
        return failed(
            f"We may not read these Secrets: {', '.join(f'{right.name} in namespace {right.namespace}' for right in missing)}.",
            f"Have an administrator apply these roles and bind them to the user of the kubeconfig:\n{roles_for(missing)}",
        )
    return passed(f"Each of {', '.join(right.name for right in wanted)} may be read, if it is there.")


def _user(evidence: Evidence) -> str:
    return user_of(evidence.cluster, evidence.now.snapshot.identity)


def _planned_seconds(evidence: Evidence) -> float:
    """The times the settings allow, all used up."""
    settings = evidence.now.settings
    if not evidence.plan.planned:
        return 0.0
    return float(sum(getattr(settings, f.name) for f in fields(settings) if f.name.endswith("_seconds") and f.name != _NOT_WAITED_FOR))


def _secrets(evidence: Evidence) -> list[Right]:
    now = evidence.now
    named = flag(now.snapshot.installed.found.arguments, "--oidc-secret-name") or OIDC_SECRET
    kept = [name_of(item) for item in now.snapshot.installed.objects("Secret")]
    here = [Right("get", "", "secrets", now.namespace, name) for name in (LOGIN_SECRET, named, *kept)]
    return list(dict.fromkeys([*here, Right("get", "", "secrets", ENTITLEMENT_NAMESPACE, ENTITLEMENT_SECRET)]))


def _minutes(length: timedelta) -> str:
    return f"{max(0, round(length.total_seconds() / 60))} minutes"


CHECKS = (
    Check(
        "PE-01",
        "permissions",
        "who we are",
        BLOCK,
        known_user,
        "what the API server says of us, and when our credentials end",
        "Renew the credentials, or use a credential program.",
        waivable=False,
    ),
)
READABLE = (
    Check(
        "PE-05",
        "permissions",
        "Secrets readable",
        BLOCK,
        secrets_readable,
        "our rights on exactly the Secrets that are read",
        "Grant `get` by resourceNames.",
        waivable=False,
    ),
)
