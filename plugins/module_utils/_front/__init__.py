# SPDX-License-Identifier: GPL-3.0-or-later
"""One door for both front ends: options in, result out. PRIVATE: can change at any time.

Here alone an error becomes a message. The modules and the action plugins call nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._errors import WgeError
from . import entitle, export, git_changes, info, issue, keypair, preflight, restore, upgrade, verify, verify_cluster
from .answers import failure
from .session import Session, Surroundings

__all__ = ["Surroundings", "call"]

_QUESTIONS: dict[str, Callable[[Session], dict[str, Any]]] = {
    "entitle": entitle.answer,
    "export": export.answer,
    "git_changes": git_changes.answer,
    "info": info.answer,
    "issue": issue.answer,
    "keypair": keypair.answer,
    "preflight": preflight.answer,
    "restore": restore.answer,
    "upgrade": upgrade.answer,
    "verify": verify.answer,
    "verify_cluster": verify_cluster.answer,
}


def call(question: str, params: dict[str, Any], surroundings: Surroundings) -> dict[str, Any]:
    """Answer one of the questions above. An expected failure is a result with ``failed``, ``msg`` and ``verdict``."""
    session = Session(params, surroundings)
    try:
        return _QUESTIONS[question](session)
    except WgeError as problem:
        return {**failure(problem), **session.known(), "changed": False}
