# SPDX-License-Identifier: GPL-3.0-or-later
"""A small fleet of preflight results, as the module returns them."""

from __future__ import annotations

from typing import Any

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.document import Document, build

RUN, MADE = "20261123T101500Z-5f3a1c", "2026-11-23T10:15:00+00:00"
HOSTILE = "</script><script>window.pwned=1</script><img src=\"https://evil.example/x\" onerror='window.pwned=2'>&amp;\x1b[31m|`*_[a](b)"
ROLE = 'Apply this:\nkind: Role\nrules:\n  - apiGroups: [""]\n    verbs: ["patch"]'
WAIVER = {"who": "ann@example.com", "reason": "known", "expires": "2027-01-31"}
ROWS = (
    ("CL-01", "cluster", "API server reachable", "block"),
    ("PE-02", "permissions", "rights to upgrade", "block"),
    ("PE-03", "permissions", "rights to roll back", "block"),
    ("NE-02", "network", "routes", "info"),
    ("SA-03", "safety", "no unfinished run", "block"),
)


def check(number: int, status: str = "pass", evidence: str = "All is well.", remedy: str = "", **more: Any) -> dict[str, Any]:
    about = dict(zip(("id", "group", "title", "severity"), ROWS[number], strict=True))
    return {**about, "status": status, "evidence": evidence, "remedy": remedy, "waiver": {}, **more}


def result(verdict: str, *changed: dict[str, Any], uid: str, **more: Any) -> dict[str, Any]:
    """A cluster on which every check passed but for those given."""
    other = {row["id"]: row for row in changed}
    checks = [other.get(row[0], check(number)) for number, row in enumerate(ROWS)]
    cluster = {"name": "", "uid": uid, "api": f"https://{uid}:6443", "version": "v1.33.1"}
    counts = {"requests": 41, "reads": 36, "writes": 0, "reviews": 3, "dry_runs": 2}
    return {"verdict": verdict, "checks": checks, "cluster": cluster, "rung": "installed", "plan_hash": "abc", "api": counts, **more}


def results() -> dict[str, dict[str, Any]]:
    """One of each verdict."""
    step = {
        "step": "S12",
        "title": "flip",
        "rung": "flipped",
        "writes": [{"verb": "patch", "text": "patch Service a/b", "body": {"x": "y"}}],
    }
    entitlement = {"customer": "us@example.com", "expires": "2027-11-23T12:00:00Z", "source": "stored", "valid": True, "days_left": 365}
    missing = check(1, "fail", "2 of 40 rights are missing.", ROLE)
    unsure = check(4, "error", "It may not be read.", "Grant it.")
    blocked = result(
        "block", missing, check(3, "warn", HOSTILE, "Name them."), uid="u3", msg=f"PE-02: {HOSTILE} Do.", message="PE-02", next_step="Do."
    )
    waived = check(2, "warn", "Missing. (Waived by ann@example.com until 2027-01-31: known.)", "Apply.", waiver=WAIVER)
    return {
        "ready": result("pass", check(3, "skip", "Nothing is routed."), uid="u1", plan=[step], entitlement=entitlement),
        "warned": result("warn", waived, check(3, "fail", "One route is of an unknown kind.", "Name it."), uid="u2"),
        "blocked": blocked,
        "unsure": result("error", unsure, uid="u4", message="SA-03", msg="SA-03 Grant it."),
        "silent": {"unreachable": True, "msg": "No route to host."},
        "lost": {"failed": True, "verdict": "unreachable", "message": "The API server does not answer.", "next_step": "Wait."},
        "mistaken": {"failed": True, "msg": "A mistake of ours."},
        "never": {},
    }


def document(**more: dict[str, Any]) -> Document:
    return build({**results(), **more}, RUN, MADE)


def cluster_of(found: Document, host: str) -> dict[str, Any]:
    (entry,) = [cluster for cluster in found["clusters"] if cluster["host"] == host]
    return dict(entry)
