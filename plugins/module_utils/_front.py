# SPDX-License-Identifier: GPL-3.0-or-later
"""One door for both front ends: options in, result out. PRIVATE: can change at any time.

Here the adapters are put together and handed to the engine, and here alone an error becomes a message. The modules and the
action plugins call nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, MutableMapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from ._clock import SystemClock
from ._engine import ladder, plan
from ._engine.checks import registry
from ._engine.discover import FORMS
from ._engine.identity import identity_of
from ._engine.ladder import Outcome
from ._engine.look import look, require_chart
from ._engine.model import Cluster, Helm, Object, Rung
from ._engine.settings import Settings, settings_from
from ._engine.situation import Situation
from ._engine.steps.owners import backends_of
from ._engine.work import Tools
from ._errors import Blocked, WgeError
from ._helm import HelmProgram
from ._kube.client import KubeCluster
from ._kube.configuration import connection_from
from ._probe import ThreadProbes
from ._rendering import SharedRendering


@dataclass
class Surroundings:
    """What differs between the two front ends.

    ``keep_going`` answers "" or why to stop: ``signal``, ``controller gone``, ``deadline``. ``tell`` takes one progress event.
    ``controller`` is true where local files are the controller's. ``cache`` is shared by the workers of one run.
    """

    keep_going: Callable[[], str]
    tell: Callable[[dict[str, Any]], None]
    check_mode: bool = False
    diff: bool = False
    controller: bool = False
    cache: MutableMapping[str, bytes] | None = None


@dataclass
class _Session:
    """One call at work: the cluster as far as it is known when something fails."""

    settings: Settings
    tools: Tools
    cluster: Cluster
    helm: Helm
    api: str


def call(question: str, params: dict[str, Any], surroundings: Surroundings) -> dict[str, Any]:
    """Answer ``info``, ``preflight`` or ``upgrade``. An expected failure is a result with ``failed``, ``msg`` and ``verdict``."""
    session: _Session | None = None
    try:
        session = _open(params, surroundings)
        return _QUESTIONS[question](session, params, surroundings)
    except WgeError as problem:
        known = {"api": _counted(session)} if session else {}
        address = session.api if session else ""
        return {**_failure(problem), **known, "changed": False, "cluster": {"name": "", "uid": "", "api": address}}


def _open(params: dict[str, Any], surroundings: Surroundings) -> _Session:
    settings = settings_from(params)
    connection = connection_from(params, os.environ)
    clock = SystemClock()
    cluster = KubeCluster(connection, clock=clock, keep_going=surroundings.keep_going, budget=params.get("retry_seconds") or 60.0)
    program: Helm = HelmProgram(connection, program=params.get("helm") or "helm")
    cache = surroundings.cache if surroundings.cache is not None else {}
    helm = SharedRendering(program, cache, program=params.get("helm") or "helm")
    probes = ThreadProbes(connection, cluster.credentials, clock=clock)
    tools = Tools(cluster, helm, probes, clock, surroundings.keep_going, surroundings.tell)
    return _Session(settings, tools, cluster, helm, connection.server)


def _info(session: _Session, _params: dict[str, Any], _surroundings: Surroundings) -> dict[str, Any]:
    now = look(session.tools, session.settings)
    return {"changed": False, "cluster": _cluster(session, now), "installed": _installed(now)}


def _preflight(session: _Session, params: dict[str, Any], _surroundings: Surroundings) -> dict[str, Any]:
    now = look(session.tools, session.settings)
    require_chart(now)
    planned = ladder.plan_of(session.tools, now)
    findings = registry.run_all(_evidence(session, now, planned))
    verdict = registry.verdict(findings)
    result: dict[str, Any] = {
        "changed": False,
        "verdict": verdict,
        "rung": plan.rung_of(now).word,
        "checks": [finding.as_dict() for finding in findings],
        "summary": registry.summary(findings),
        "plan": planned.shown(),
        "plan_hash": planned.hash,
        "cluster": _cluster(session, now),
        "api": _counted(session),
    }
    blocking = registry.blocking(findings)
    if blocking and params.get("fail_on", "block") == "block":
        result |= _failure(_blocked(blocking))
    if params.get("output") == "summary":
        result |= {"checks": [c for c in result["checks"] if c["status"] not in ("pass", "skip")], "plan": []}
    return result


def _upgrade(session: _Session, _params: dict[str, Any], surroundings: Surroundings) -> dict[str, Any]:
    def check(now: Situation, planned: plan.Plan) -> None:
        blocking = registry.blocking(registry.run_all(_evidence(session, now, planned)))
        if blocking:
            raise _blocked(blocking)

    settings, check_mode = session.settings, surroundings.check_mode
    if settings.goal is Rung.ROLLED_BACK:
        outcome = ladder.roll_back(session.tools, settings, check_mode=check_mode)
    else:
        outcome = ladder.climb(session.tools, settings, check, check_mode=check_mode)
    result = _climbed(session, outcome)
    if surroundings.diff and outcome.changed:
        result["diff"] = _diff(outcome)
    return result


_QUESTIONS: dict[str, Callable[[_Session, dict[str, Any], Surroundings], dict[str, Any]]] = {
    "info": _info,
    "preflight": _preflight,
    "upgrade": _upgrade,
}


def _evidence(session: _Session, now: Situation, planned: plan.Plan) -> registry.Evidence:
    return registry.Evidence(
        now=now,
        plan=planned,
        rung=plan.rung_of(now),
        cluster=session.cluster,
        latencies=session.cluster.latencies,
        controller_time=datetime.now(timezone.utc),
        helm_version=session.helm.version(),
    )


def _blocked(findings: list[registry.Finding]) -> Blocked:
    first = findings[0]
    more = f" ({len(findings) - 1} more checks block)" if len(findings) > 1 else ""
    return Blocked(f"{first.id} {first.title}: {first.evidence}{more}", first.remedy)


def _failure(problem: WgeError) -> dict[str, Any]:
    return {
        "failed": True,
        "msg": str(problem),
        "message": problem.what,
        "next_step": problem.next_step,
        "verdict": problem.verdict,
    }


def _cluster(session: _Session, now: Situation) -> Object:
    identity = now.snapshot.identity
    return {"name": "", "uid": identity.uid, "api": session.api, "version": identity.version}


def _counted(session: _Session) -> Object:
    counters = session.cluster.counters
    return {**asdict(counters), "requests": counters.requests}


def _climbed(session: _Session, outcome: Outcome) -> dict[str, Any]:
    now = outcome.after
    result: dict[str, Any] = {
        "changed": outcome.changed,
        "verdict": outcome.verdict,
        "message": "",
        "next_step": "",
        "rung": outcome.rung.word,
        "rung_before": outcome.rung_before.word,
        "versions": {"before": _version(outcome.before), "after": _version(now) if outcome.verdict != "planned" else ""},
        "traffic": outcome.traffic,
        "identity": outcome.identity,
        "seconds": outcome.seconds,
        "api": _counted(session),
        "plan": outcome.plan.shown(),
        "plan_hash": outcome.plan.hash,
        "run": now.run,
        "journal": now.journal.name if now.journal else "",
        "archive": (now.journal.archive.get("path") or "") if now.journal else "",
        "entitlement_expired": bool(outcome.facts.get("entitlement_expired")),
        "cluster": _cluster(session, now),
    }
    if outcome.error:
        result |= _failure(outcome.error)
    return result


def _version(now: Situation) -> str:
    """What serves: ``WGE 0.38.1`` once every kept Service leads there, else ``WG 0.38.0``."""
    return f"WGE {now.target.version}" if now.is_flipped else f"WG {now.snapshot.installed.found.version}"


def _diff(outcome: Outcome) -> list[Object]:
    return [
        {
            "before_header": f"{entry.step.id} {entry.step.title}",
            "after_header": write.path,
            "before": "",
            "after": write.shown(),
        }
        for entry in outcome.plan.planned
        for write in entry.writes
    ]


def _installed(now: Situation) -> Object:
    wg = now.snapshot.installed
    services = {str(s["metadata"]["name"]) for s in now.kept_services}
    return {
        "form": wg.found.form,
        "form_text": FORMS[wg.found.form],
        "namespace": now.namespace,
        "release": wg.found.release,
        "version": wg.found.version,
        "chart_version": wg.chart_version,
        "scheme": wg.scheme,
        "route_prefix": wg.route_prefix,
        "replicas": now.wg.get("spec", {}).get("replicas", 1),
        "services": [{"name": e["service"], **e["before"]} for e in identity_of(now, now)],
        "routes": sorted(f"Ingress {item['metadata']['name']}" for item in now.snapshot.of("Ingress") if services & backends_of(item)),
        "secrets": sorted(name for name, item in now.snapshot.named.items() if item and item.get("kind") == "Secret"),
        "serves": _version(now),
        "rung": plan.rung_of(now).word,
        "journal": {"run": now.journal.run, "state": now.journal.state} if now.journal else {},
    }
