# SPDX-License-Identifier: GPL-3.0-or-later
"""The question ``info``: what is installed. PRIVATE."""

from __future__ import annotations

from typing import Any

from .._engine import plan
from .._engine.forms.recognise import WORDS
from .._engine.identity import identity_of
from .._engine.inherited import rows_for
from .._engine.look import look
from .._engine.model import Object
from .._engine.situation import Situation
from .._engine.steps.owners import backends_of
from .answers import git, named, version
from .session import Session


def answer(session: Session) -> dict[str, Any]:
    """Read the cluster and say what is there. Nothing is written."""
    now = look(session.tools, session.settings)
    return {
        "changed": False,
        "cluster": named(now, session.connection.server),
        "installed": _installed(now),
        "git": git(now, session.cluster),
        "inherited": [row.as_dict() for row in rows_for(now)],
    }


def _installed(now: Situation) -> Object:
    wg = now.snapshot.installed
    services = {str(s["metadata"]["name"]) for s in now.kept_services}
    return {
        "form": wg.found.form,
        "form_text": WORDS[wg.found.form],
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
        "serves": version(now),
        "rung": plan.rung_of(now).word,
        "journal": {"run": now.journal.run, "state": now.journal.state} if now.journal else {},
    }
