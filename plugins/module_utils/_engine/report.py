# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a run: one document, and its summary for people. PRIVATE: can change at any time.

The document's schema is ``roles/report/files/report.schema.json``; what is in it is a promise to whoever reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SCHEMA = "weaveworks.wge/report/1"

Document = dict[str, Any]
Record = Mapping[str, Any]

VERDICT_WORDS = {
    "upgraded": "upgraded",
    "finalised": "finalised",
    "already": "already upgraded",
    "planned": "planned",
    "rolled_back": "rolled back",
    "safe_stop": "stopped safely",
    "blocked": "blocked",
    "unreachable": "unreachable",
    "skipped": "skipped",
}
_LEADS = {"finalised": "finalised", "rolled_back": "rolled_back"}
"""The verdict that a run of this goal is counted by first; any other run by ``upgraded``."""

_FAULT_LINES = 3
_UNKNOWN = "safe_stop"
_TEXTS = ("message", "next_step", "rung", "rung_before", "plan_hash", "run", "journal", "archive")
_COUNTS = ("requests", "reads", "writes", "reviews", "dry_runs")


def build(run: str, made: str, records: Iterable[Record], outcomes: Mapping[str, Record]) -> Document:
    """The document of one run.

    ``records`` are the lines of the run file; ``outcomes`` is what the playbook knows by host name, which counts where
    the run file says nothing: a cluster that was never begun, or a run in check mode.
    """
    results: dict[str, Record] = dict(outcomes)
    steps: dict[str, list[Record]] = {}
    for record in records:
        host = str(record.get("host", "?"))
        if record.get("record") == "verdict":
            results[host] = record.get("result") or {}
        elif record.get("record") == "step":
            steps.setdefault(host, []).append(record)
            results.setdefault(host, {})
    clusters = [_cluster(host, results[host], steps.get(host, [])) for host in sorted(results)]
    return {"schema": SCHEMA, "run": run, "made": made, "fleet": _fleet(clusters, _goal(results.values())), "clusters": clusters}


def _goal(results: Iterable[Record]) -> str:
    """What the run was for, when all its clusters were to reach the same rung; what was not begun does not say."""
    goals = {str(result["goal"]) for result in results if result.get("goal")}
    return goals.pop() if len(goals) == 1 else ""


def summary(document: Document) -> list[str]:
    """The document in lines for a terminal; the last one is about the whole fleet."""
    lines: list[str] = []
    for cluster in document["clusters"]:
        lines.extend(_cluster_lines(cluster))
    return [*lines, document["fleet"]["sentence"]]


def _cluster(host: str, result: Record, steps: Sequence[Record]) -> dict[str, Any]:
    verdict = str(result.get("verdict") or _UNKNOWN)
    entry: dict[str, Any] = {"host": host, "verdict": verdict if verdict in VERDICT_WORDS else _UNKNOWN}
    entry.update({name: str(result.get(name) or "") for name in _TEXTS})
    entry["message"] = entry["message"] or str(result.get("msg") or "")
    versions, identity = result.get("versions") or {}, result.get("cluster") or {}
    entry["versions"] = {name: str(versions.get(name) or "") for name in ("before", "after")}
    entry["cluster"] = {name: str(identity.get(name) or "") for name in ("name", "uid", "api")}
    entry["entitlement"] = _entitlement(result.get("entitlement") or {})
    entry["git"] = _git(result.get("git") or {})
    entry["traffic"] = _traffic(result.get("traffic") or {})
    entry["identity"] = list(result.get("identity") or [])
    entry["owners"] = list(result.get("owners") or [])
    entry["guard"] = _guard(result.get("guard") or {})
    entry["continuity"] = list(result.get("continuity") or [])
    entry["untouched"] = _untouched(result.get("untouched") or {})
    entry["seconds"] = dict(result.get("seconds") or {})
    entry["api"] = {name: _number((result.get("api") or {}).get(name)) for name in _COUNTS}
    kept = ("step", "title", "rung", "state", "seconds", "at")
    entry["steps"] = [{name: step[name] for name in kept if name in step} for step in steps]
    return entry


def _entitlement(known: Record) -> dict[str, Any]:
    texts = {name: str(known.get(name) or "") for name in ("customer", "expires", "key_id", "jti", "source")}
    flags = {name: bool(known.get(name)) for name in ("valid", "expired")}
    return {**texts, **flags, "days_left": known.get("days_left"), "features": known.get("features")}


def _git(known: Record) -> dict[str, Any]:
    texts = {name: str(known.get(name) or "") for name in ("kustomization", "url", "ref", "path", "revision", "sentence")}
    return {"state": str(known.get("state") or "none"), **texts, "missing": list(known.get("missing") or [])}


def _guard(known: Record) -> dict[str, Any]:
    """Without a mode where there was none."""
    return {"mode": str(known.get("mode") or ""), **{name: list(known.get(name) or []) for name in ("records", "blind")}}


def _traffic(traffic: Record) -> dict[str, Any]:
    counts = {name: _number(traffic.get(name)) for name in ("requests", "lost", "endpoint_gaps", "endpoint_events")}
    gap_seconds = float(traffic.get("endpoint_gap_seconds") or 0)
    lists = {name: list(traffic.get(name) or []) for name in ("vantages", "faults")}
    return {**counts, "endpoint_gap_seconds": gap_seconds, **lists}


def _untouched(known: Record) -> dict[str, Any]:
    """All empty where a run did not get as far as to look."""
    counts = {name: _number(known.get(name)) for name in ("objects", "changed_count")}
    return {**counts, **{name: list(known.get(name) or []) for name in ("changed", "unseen", "routes")}}


def _number(value: Any) -> int:
    return int(value or 0)


def _fleet(clusters: Sequence[Mapping[str, Any]], goal: str) -> dict[str, Any]:
    verdicts = {word: sum(cluster["verdict"] == word for cluster in clusters) for word in VERDICT_WORDS}
    requests = sum(cluster["traffic"]["requests"] for cluster in clusters)
    lost = sum(cluster["traffic"]["lost"] for cluster in clusters)
    fleet = {"clusters": len(clusters), "verdicts": verdicts, "requests": requests, "lost": lost}
    return {**fleet, "sentence": _fleet_sentence(verdicts, requests, lost, goal)}


def _fleet_sentence(verdicts: Mapping[str, int], requests: int, lost: int, goal: str) -> str:
    first = _LEADS.get(goal, "upgraded")
    words = {**VERDICT_WORDS, "already": f"already {_LEADS.get(goal, 'upgraded').replace('_', ' ')}"}
    parts = [f"{verdicts[first]} cluster{'' if verdicts[first] == 1 else 's'} {words[first]}"]
    parts += [f"{count} {words[word]}" for word, count in verdicts.items() if count and word != first]
    return ", ".join([*parts, f"{requests} requests", f"{lost} lost"])


def _cluster_lines(cluster: Mapping[str, Any]) -> list[str]:
    lines = [f"{cluster['host']}: {_verdict(cluster)}{_versions(cluster['versions'])}"]
    if cluster["message"] and cluster["verdict"] != "upgraded":
        lines.append(f"  {cluster['message']} {cluster['next_step']}".rstrip())
    if cluster["entitlement"]["expired"]:
        lines.append(f"  entitlement: expired on {cluster['entitlement']['expires']}; WGE works, and warns its users")
    if cluster["git"]["sentence"]:
        lines.append(f"  {cluster['git']['sentence']}")
    traffic = cluster["traffic"]
    if traffic["requests"]:
        gaps = traffic["endpoint_gaps"]
        gaps_text = f"{gaps} instant{'' if gaps == 1 else 's'} without a ready endpoint"
        lines.append(f"  traffic: {traffic['requests']} requests sent, {traffic['lost']} lost, {gaps_text}")
        lines.extend(_vantage_line(vantage) for vantage in traffic["vantages"])
        lines.extend(_fault_line(fault) for fault in traffic["faults"][:_FAULT_LINES])
    lines.extend(_guard_line(record) for record in cluster["guard"]["records"])
    lines.extend(_identity_line(service) for service in cluster["identity"])
    lines.extend(f"  {kept.get('object', '?')}: owned by {kept.get('owner', '?')}" for kept in cluster["owners"])
    lines.extend(_continuity_lines(cluster["continuity"]))
    lines.extend(_untouched_lines(cluster["untouched"]))
    if cluster["seconds"]:
        lines.append("  time: " + ", ".join(f"{rung} {took:.1f} s" for rung, took in cluster["seconds"].items()))
    if cluster["api"]["requests"]:
        lines.append(f"  API server: {cluster['api']['requests']} requests, {cluster['api']['writes']} writes")
    return lines


def _verdict(cluster: Mapping[str, Any]) -> str:
    if cluster["verdict"] == "already" and cluster["rung"] == "finalised":
        return "already finalised"
    return VERDICT_WORDS[cluster["verdict"]]


def _versions(versions: Mapping[str, str]) -> str:
    before, after = versions["before"], versions["after"]
    return f", {before or '?'} → {after}" if after and after != before else ""


def _vantage_line(vantage: Mapping[str, Any]) -> str:
    connections = "reused connections" if vantage.get("reused") else "new connections"
    longest = vantage.get("longest_fault_seconds") or 0.0
    fault = f", longest fault {longest:.1f} s" if vantage.get("lost") else ""
    name, requests, lost = vantage.get("name", "?"), vantage.get("requests", 0), vantage.get("lost", 0)
    return f"    {name}, {connections}: {requests} sent, {lost} lost{fault}"


def _fault_line(fault: Mapping[str, Any]) -> str:
    seconds = fault.get("seconds", 0.0)
    when = f"{abs(seconds):.1f} s {'before' if seconds < 0 else 'after'} the flip"
    return f"    lost at {fault.get('vantage', '?')}, {when}: {fault.get('fault', '')}"


def _guard_line(record: Mapping[str, Any]) -> str:
    by, seconds = record.get("by"), record.get("seconds")
    changed = f"{record.get('field')} changed{f' by {by}' if by else ''}, " if record.get("field") else ""
    after = f" after {seconds:.1f} s" if seconds is not None else ""
    return f"  guard: {record.get('object', '?')}: {changed}{record.get('did', '')}{after}"


def _identity_line(service: Mapping[str, Any]) -> str:
    return f"  Service {service.get('service', '?')}: {'same' if service.get('same') else 'differs'}"


def _continuity_lines(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    if not entries:
        return []
    counts = Counter(str(entry.get("verdict")) for entry in entries)
    numbers = ", ".join(f"{counts[word]} {word}" for word in ("same", "known", "different", "unasked") if counts[word])
    worst = [entry for entry in entries if entry.get("verdict") == "different"][:_FAULT_LINES]
    return [
        f"  API: {len(entries)} calls before and after: {numbers}",
        *(f"    {entry.get('path')} at {entry.get('door')}: {entry.get('words')}" for entry in worst),
    ]


def _untouched_lines(untouched: Mapping[str, Any]) -> list[str]:
    if not untouched["objects"]:
        return []
    lines = [f"  outside the plan: {untouched['objects']} objects, {untouched['changed_count']} changed"]
    lines += [f"    {entry.get('object')}: {entry.get('what')}" for entry in untouched["changed"][:_FAULT_LINES]]
    return lines + [f"    not seen: {words}" for words in untouched["unseen"]]
