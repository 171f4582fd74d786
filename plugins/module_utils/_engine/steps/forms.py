# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms: what freezes WG, what removes it at the end, and by what WGE may be delivered. One row each. PRIVATE.

Everything that differs from form to form is data here; no step asks for the form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..._errors import SafeStop
from .. import gitdebt
from ..forms.recognise import FLUX, GITOPS, GITOPS_MANIFESTS, HELM, MANIFESTS, WORDS
from ..journal import REMOVING
from ..situation import Situation
from ..work import Work
from .base import Step
from .credentials import Credentials
from .finalise import HandBack, Remove
from .flux import HandOver, RemoveOwner, Suspend
from .owners import Freeze, Protect
from .shield import AskGit, Shield

OUT_OF_GIT = "git would not say then what the cluster is"


@dataclass(frozen=True, slots=True)
class Form:
    """One form of install.

    ``freeze`` are the steps that take away the power to delete, outermost owner first; ``final`` those after the retention time;
    ``deliveries`` those that make sense, the usual one first.
    """

    id: str
    freeze: tuple[Step, ...]
    final: tuple[Step, ...]
    deliveries: tuple[str, ...]
    unpaid: Callable[[Situation], str] = lambda _now: ""
    """Why WG must not be removed yet, whatever the retention time; empty when nothing is in the way."""


FORMS: dict[str, Form] = {
    form.id: form
    for form in (
        Form(HELM, (Protect(edge=True), Freeze()), (Remove(), HandBack()), ("helm", "flux", "manifests")),
        Form(
            FLUX,
            (Protect(edge=False), HandOver(), Suspend()),
            (Remove("helm"), RemoveOwner(), HandBack()),
            ("flux", "helm", "manifests"),
        ),
        Form(
            GITOPS,
            (Shield(), Protect(edge=False), HandOver(), Suspend()),
            (Remove("helm"), RemoveOwner(), AskGit(), HandBack()),
            ("flux", "manifests"),
            gitdebt.unpaid,
        ),
        Form(MANIFESTS, (Credentials(), Protect(edge=False)), (Remove(), HandBack()), ("helm", "flux", "manifests")),
        Form(
            GITOPS_MANIFESTS,
            (Shield(), Credentials(), Protect(edge=False)),
            (Remove(), AskGit(), HandBack()),
            ("flux", "manifests"),
            gitdebt.unpaid,
        ),
    )
}

WHY_NOT = {(GITOPS, "helm"): OUT_OF_GIT, (GITOPS_MANIFESTS, "helm"): OUT_OF_GIT}
"""Why a delivery does not go with a form."""


def thawed(work: Work) -> str:
    """Why WG is not frozen any more, empty when all that froze it still holds."""
    reasons = (step.still_holds(work) for step in FORMS[work.now.form].freeze)
    return next((reason for reason in reasons if reason), "")


def require_form(now: Situation) -> None:
    """Raises SafeStop when WG is not installed any more as it was when this run began: somebody has changed its owners."""
    found = now.snapshot.installed.found
    if now.journal and now.journal.state not in REMOVING and found.form != now.journal.form:
        raise SafeStop(
            f"WG was {WORDS[now.journal.form]} when run {now.run} began, and is {WORDS[found.form]} now.",
            "See who changed or removed the owner of WG; roll back, or put it back as it was.",
        )
