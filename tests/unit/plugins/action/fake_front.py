# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for `plugins/module_utils/_front` in a copied tree: the option `release` (or `secret_name`) says how the cluster behaves."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any


@dataclass
class Surroundings:
    keep_going: Any
    tell: Any
    check_mode: bool = False
    diff: bool = False
    controller: bool = False
    cache: Any = None
    vault: Any = None


def call(question: str, params: dict[str, Any], surroundings: Surroundings) -> dict[str, Any]:
    scenario = params.get("release") or params.get("secret_name") or "good"
    cluster = {"name": scenario, "uid": f"uid-{params['host']}", "api": params["host"] or ""}
    return {"cluster": cluster, **_ANSWERS[question](scenario, params, surroundings)}


def _failed(verdict: str, message: str, **more: Any) -> dict[str, Any]:
    return {"failed": True, "changed": False, "verdict": verdict, "msg": message, "message": message, **more}


def _info(scenario: str, params: dict[str, Any], surroundings: Surroundings) -> dict[str, Any]:
    seen = {name: value for name, value in params.items() if value is not None}
    cache = {} if surroundings.cache is None else surroundings.cache
    found = sorted(cache)
    cache[str(params["host"])] = b"facts"
    environment = {name: value for name, value in os.environ.items() if name.startswith(("K8S_AUTH_", "WGE_TEST_"))}
    lengths = {}
    if scenario == "vaulted":
        lengths = {"api_key": len(params["api_key"]), "token": len(params["kubeconfig"]["users"][0]["user"]["token"])}
    return {
        "changed": False,
        "lengths": lengths,
        "installed": {"rung": "installed", "params": seen, "environment": environment},
        "types": {name: type(value).__name__ for name, value in params.items()},
        "controller": surroundings.controller,
        "found_in_cache": found,
        "invocation": {"module_args": params},
        "secret_in_a_sentence": f"the token is {params['api_key']}",
    }


def _preflight(scenario: str, params: dict[str, Any], surroundings: Surroundings) -> dict[str, Any]:
    if scenario == "unreachable":
        return _failed("unreachable", "The API server does not answer.", next_step="Wait.")
    if scenario == "mistaken":
        raise RuntimeError("a mistake of ours")
    twin = {"cluster": {"uid": "uid-of-two", "api": params["host"], "version": "v1.33.1"}} if scenario == "twin" else {}
    told = {"checks": _checks(scenario), "plan": [{"step": "S12", "title": "flip", "rung": "flipped", "writes": []}], **twin}
    said = "TA-02 chart: the Service port is renamed."
    if scenario == "blocked" and params["fail_on"] == "block":
        return _failed("blocked", said, **told)
    verdict = {"blocked": "block", "unsure": "error", "warned": "warn"}.get(scenario, "pass")
    message = {"msg": said, "message": said, "next_step": ""} if verdict in ("block", "error") else {}
    return {"changed": False, "verdict": verdict, **told, **message}


def _checks(scenario: str) -> list[dict[str, Any]]:
    reachable = {"id": "CL-01", "group": "cluster", "title": "API server reachable", "severity": "block", "status": "pass"}
    status = {"blocked": "fail", "unsure": "error", "warned": "warn"}.get(scenario, "pass")
    seen = {"evidence": "The Service port is renamed.", "remedy": "Correct wge_values."}
    renders = {"id": "TA-02", "group": "target", "title": "chart renders", "severity": "block", "status": status, **seen}
    return [{"evidence": "It answers.", "remedy": "", "waiver": {}, **reachable}, {"waiver": {}, **renders}]


def _upgrade(scenario: str, params: dict[str, Any], surroundings: Surroundings) -> dict[str, Any]:
    step = {"event": "step", "step": "S12", "title": "flip", "rung": "flipped"}
    surroundings.tell({**step, "state": "begin"})
    if scenario == "slow":
        reason = _climb_slowly(surroundings)
        if reason:
            return _failed("safe_stop", f"Stopped: {reason}.")
    surroundings.tell({**step, "state": "done", "seconds": 0.1})
    if scenario == "crash":
        raise RuntimeError("a mistake of ours")
    if scenario == "bad":
        return _failed("rolled_back", "WGE did not become ready, so everything was taken back.", traffic=_traffic(1))
    goal = {"goal": params["state"]}
    if scenario == "early":
        return _failed("blocked", "It may be removed from 2026-11-30 on.", next_step="Run this again then.")
    if surroundings.check_mode:
        return {"changed": True, "verdict": "planned", "message": "", "next_step": "", "diff": _diff(surroundings), **goal}
    reached = params["state"] if params["state"] in ("finalised", "rolled_back") else "upgraded"
    verdict = "already" if scenario == "already" else reached
    return {
        **goal,
        "changed": verdict != "already",
        "verdict": verdict,
        "message": "WGE serves.",
        "next_step": "",
        "rung": "parked",
        "rung_before": "installed",
        "versions": {"before": "WG 0.38.0", "after": "WGE 0.38.1"},
        "traffic": _traffic(0),
        "identity": [{"service": "wg", "before": {"uid": "a"}, "after": {"uid": "a"}, "same": True}],
        "seconds": {"prepared": 1.0, "flipped": 2.5},
        "api": {"requests": 30, "reads": 20, "writes": 6, "reviews": 3, "dry_runs": 1},
        "plan": [],
        "plan_hash": "abc",
        "run": "r1",
        "journal": "j",
        "archive": "/a",
        "diff": _diff(surroundings),
    }


def _climb_slowly(surroundings: Surroundings) -> str:
    """Leaves a line a step in the file that the test watches."""
    for _step in range(600):
        reason = surroundings.keep_going()
        with open(os.environ["WGE_TEST_TRACE"], "a", encoding="utf-8") as trace:
            trace.write(f"{os.getpid()} {reason or 'step'}\n")
        if reason:
            return str(reason)
        time.sleep(0.05)
    return ""


def _traffic(lost: int) -> dict[str, Any]:
    vantage = {"name": "proxy", "reused": True, "requests": 100, "lost": lost, "longest_fault_seconds": 0.4 * lost}
    return {"requests": 100, "lost": lost, "vantages": [vantage], "endpoint_gaps": 0, "endpoint_events": 3}


def _diff(surroundings: Surroundings) -> list[dict[str, str]]:
    entry = {"before": "selector: wg\n", "after": "selector: wge\n", "before_header": "S12", "after_header": "Service"}
    return [entry] if surroundings.diff else []


def _verify(scenario: str, params: dict[str, Any], surroundings: Surroundings) -> dict[str, Any]:
    if scenario in ("unreachable", "blocked"):
        return _failed(scenario, f"The cluster is {scenario}.", next_step="")
    if scenario == "crash":
        raise RuntimeError("a mistake of ours")
    invalid = {
        "valid": False,
        "expired": False,
        "expires": "",
        "days_left": None,
        "customer": "",
        "features": None,
        "key_id": "",
        "jti": "",
    }
    if scenario == "forged":
        return {"changed": False, **invalid, "reason": "signature", "message": "Its signature is not good.", "effect": "none", "advice": ""}
    days = {"expired": -3, "soon": 10}.get(scenario, 300)
    known = {"valid": True, "expired": days < 0, "expires": "2027-03-03T12:00:00Z", "days_left": days, "key_id": "k", "jti": scenario}
    effect = "entitled" if params["by_effect"] else ""
    return {"changed": False, **invalid, **known, "customer": "acme@example.com", "effect": effect, "advice": "", "message": ""}


_ANSWERS = {"info": _info, "preflight": _preflight, "upgrade": _upgrade, "verify": _verify}
