# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight of a fleet as one document. PRIVATE.

Its schema is ``roles/preflight/files/preflight.schema.json``; what is in it is a promise to whoever reads it. It is made of results of
``wge_preflight``, which hold no secret, and only of the members named here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._errors import InvalidSettings
from .states import STATES, counted, state_of
from .texts import listed, one_line, plain

SCHEMA = "weaveworks.wge/preflight/1"

BLOCKED, ERROR, UNREACHABLE, WARN, PASS = VERDICTS = ("blocked", "error", "unreachable", "warn", "pass")
"""From what cannot wait to what needs nobody."""
READY = (WARN, PASS)
VERDICT_WORDS = {
    BLOCKED: "blocked",
    ERROR: "not judged",
    UNREACHABLE: "unreachable",
    WARN: "ready with warnings",
    PASS: "ready",
}

Document = dict[str, Any]
Row = Mapping[str, Any]

_SAME = {"block": BLOCKED}
_CHECK = ("id", "group", "title", "severity", "status")
_WAIVER = ("who", "reason", "expires")
_CLUSTER = ("uid", "api", "version")
_ENTITLEMENT = ("customer", "expires", "source")
_COUNTS = ("requests", "reads", "writes", "reviews", "dry_runs")
_SILENT = "It gave no answer."


def build(results: Mapping[str, Row], run: str, made: str) -> Document:
    """The document of results by host name; an empty result is a host that gave none. What is worst comes first."""
    found = twins(results)
    clusters = sorted((_cluster(host, result, found.get(host, "")) for host, result in results.items()), key=_urgency)
    return {
        "schema": SCHEMA,
        "run": run,
        "made": made,
        "fleet": _fleet(clusters),
        "checks": _checks(clusters),
        "clusters": clusters,
    }


def by_host(given: Iterable[Row]) -> dict[str, Row]:
    """Results by host name. Raises InvalidSettings for an entry that names no host, or one that another names too."""
    results: dict[str, Row] = {}
    for entry in given:
        host, result = entry.get("host"), entry.get("result") or {}
        if not host or not isinstance(result, Mapping):
            raise InvalidSettings("An entry of results has no host, or a result that is no dictionary.", "Give host and result of each.")
        if str(host) in results:
            raise InvalidSettings(f"results names the host {one_line(host)} more than once.", "Give each host once.")
        results[str(host)] = result
    return results


def hosts_by_verdict(document: Document) -> dict[str, list[str]]:
    """The names of the clusters by their verdict; every verdict is named."""
    return {verdict: [cluster["host"] for cluster in document["clusters"] if cluster["verdict"] == verdict] for verdict in VERDICTS}


def twins(results: Mapping[str, Row]) -> dict[str, str]:
    """By host name, what is wrong with hosts that turned out to be one cluster: two runs on it would work against each other."""
    hosts: dict[str, list[str]] = {}
    for host, result in results.items():
        hosts.setdefault(one_line((result.get("cluster") or {}).get("uid")), []).append(host)
    same = {uid: sorted(names) for uid, names in hosts.items() if uid and len(names) > 1}
    return {name: _twin(names, uid) for uid, names in same.items() for name in names}


def _twin(names: Sequence[str], uid: str) -> str:
    return f"{one_line(listed(names))} are one cluster: the UID of its namespace kube-system is {uid}. Keep one of them in the inventory."


def _cluster(host: str, result: Row, twin: str) -> dict[str, Any]:
    checks = [_check(check) for check in result.get("checks") or []]
    verdict = BLOCKED if twin else verdict_of(result)
    said = _said(result, verdict)
    return {
        "host": one_line(host),
        "verdict": verdict,
        "message": twin or plain(said),
        "next_step": "" if twin else plain(result.get("next_step")),
        "twin": bool(twin),
        "rung": one_line(result.get("rung")),
        "plan_hash": one_line(result.get("plan_hash")),
        "cluster": _texts(result.get("cluster"), _CLUSTER),
        "entitlement": _entitlement(result.get("entitlement") or {}),
        "api": {name: int((result.get("api") or {}).get(name) or 0) for name in _COUNTS},
        "plan": [_step(step) for step in result.get("plan") or []],
        "states": counted(check["state"] for check in checks),
        "checks": checks,
    }


def verdict_of(result: Row) -> str:
    """One of VERDICTS, of one cluster's result."""
    verdict = str(result.get("verdict") or (UNREACHABLE if result.get("unreachable") else ERROR))
    verdict = _SAME.get(verdict, verdict)
    return verdict if verdict in VERDICTS else ERROR


def _said(result: Row, verdict: str) -> Any:
    """Why a cluster is not ready."""
    return "" if verdict in READY else result.get("message") or result.get("msg") or _SILENT


def _check(check: Row) -> dict[str, Any]:
    return {
        **{name: one_line(check.get(name)) for name in _CHECK},
        "state": state_of(check),
        "evidence": plain(check.get("evidence")),
        "remedy": plain(check.get("remedy")),
        "waiver": _texts(check["waiver"], _WAIVER) if check.get("waiver") else None,
    }


def _entitlement(known: Row) -> dict[str, Any]:
    flags = {name: bool(known.get(name)) for name in ("valid", "expired")}
    return {**_texts(known, _ENTITLEMENT), **flags, "days_left": known.get("days_left")}


def _step(step: Row) -> dict[str, Any]:
    return {**_texts(step, ("step", "title", "rung")), "writes": [one_line(_write(write)) for write in step.get("writes") or []]}


def _write(write: Any) -> Any:
    """What the request does; what it holds is for ``--check --diff``."""
    return write.get("text") if isinstance(write, Mapping) else write


def _texts(found: Row | None, names: Iterable[str]) -> dict[str, str]:
    return {name: one_line((found or {}).get(name)) for name in names}


def _urgency(cluster: Row) -> tuple[int, str]:
    return VERDICTS.index(cluster["verdict"]), cluster["host"]


def _checks(clusters: Sequence[Row]) -> list[dict[str, Any]]:
    """Every check that was made anywhere, by group and id, and how many clusters have it in which state."""
    made: dict[str, list[Row]] = {}
    for cluster in clusters:
        for check in cluster["checks"]:
            made.setdefault(check["id"], []).append(check)
    groups = list(dict.fromkeys(rows[0]["group"] for rows in made.values()))
    ordered = sorted(made.values(), key=lambda rows: (groups.index(rows[0]["group"]), rows[0]["id"]))
    about = ("id", "group", "title", "severity")
    return [{**{name: rows[0][name] for name in about}, "states": counted(row["state"] for row in rows)} for rows in ordered]


def _fleet(clusters: Sequence[Row]) -> dict[str, Any]:
    verdicts = {verdict: sum(cluster["verdict"] == verdict for cluster in clusters) for verdict in VERDICTS}
    states = {state: sum(cluster["states"][state] for cluster in clusters) for state in STATES}
    return {"clusters": len(clusters), "verdicts": verdicts, "states": states, "sentence": _sentence(verdicts)}


def _sentence(verdicts: Row) -> str:
    number = sum(verdicts.values())
    parts = [f"{verdicts[verdict]} {VERDICT_WORDS[verdict]}" for verdict in reversed(VERDICTS) if verdicts[verdict]]
    return f"{number} cluster{'' if number == 1 else 's'}: {', '.join(parts) or 'none'}"
