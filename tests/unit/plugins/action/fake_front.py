# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for `plugins/module_utils/_front.py` in a copied tree: the option `release` says how the cluster behaves."""

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


def call(question: str, params: dict[str, Any], surroundings: Surroundings) -> dict[str, Any]:
    scenario = params["release"] or "good"
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
    if scenario == "blocked":
        return _failed("blocked", "TA-02 chart: the Service port is renamed.")
    if scenario == "unreachable":
        return _failed("unreachable", "The API server does not answer.")
    check = {"id": "CL-01", "group": "cluster", "title": "API reachable", "severity": "block", "status": "pass"}
    return {"changed": False, "verdict": "pass", "checks": [{**check, "evidence": "", "remedy": ""}], "plan": []}


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
    if surroundings.check_mode:
        return {"changed": True, "verdict": "planned", "message": "", "next_step": "", "diff": _diff(surroundings)}
    verdict = "already" if scenario == "already" else "upgraded"
    return {
        "changed": verdict == "upgraded",
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


_ANSWERS = {"info": _info, "preflight": _preflight, "upgrade": _upgrade}
