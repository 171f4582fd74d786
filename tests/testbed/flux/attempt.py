# SPDX-License-Identifier: GPL-3.0-or-later
"""One attempt of helm-controller to make a release what its HelmRelease says: state, action, state, until nothing is left to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

from .release import Release
from .runtime import Conditions, Failed, Object, token_of
from .storage import digest, fingerprint, snapshot

PENDING = ("pending-install", "pending-upgrade", "pending-rollback", "uninstalling")


class MustRequeue(Exception):
    """To be looked at again at once."""


class Terminal(Exception):
    """Nothing will change until spec, chart or values do."""


def asked_by_token(item: Object, status: Object, what: str, handled: str) -> bool:
    """A second annotation with the same value as the token asks for more than a look, once."""
    asked = (item["metadata"].get("annotations") or {}).get(f"reconcile.fluxcd.io/{what}At")
    if not asked or asked == status.get(handled):
        return False
    status[handled] = asked
    return bool(asked == token_of(item))


class Step(NamedTuple):
    """What is done next; `remediates` ends the attempt."""

    name: str
    run: Callable[[], Awaitable[None]]
    remediates: bool = False


class Attempt:
    """Everything one attempt needs."""

    def __init__(
        self,
        item: Object,
        status: Object,
        conditions: Conditions,
        release: Release,
        chart: Path,
        metadata: Object,
        values: Object,
        write: Callable[[], Awaitable[None]],
    ) -> None:
        self._item, self._status, self._conditions = item, status, conditions
        self._release, self._chart, self._metadata, self._values = release, chart, metadata, values
        self._write = write

    async def run(self) -> None:
        """Each kind of action at most once; a remediation is the last one."""
        done: set[bool] = set()
        while (step := await self._next()) is not None:
            if step.name != "unlock" and step.remediates in done:
                self._again_or_stalled()
            self._say_running(step)
            await self._write()
            await step.run()
            if step.remediates:
                self._again_or_stalled()
            if step.name != "unlock":
                done.add(step.remediates)
            await self._write()
        self._conditions.drop("Reconciling")
        self._summarize()

    # -- what is to be done

    async def _next(self) -> Step | None:
        releases = await self._release.storage.releases(self._release.name)
        forced = asked_by_token(self._item, self._status, "force", "lastHandledForceAt")
        if not releases:
            return self._absent(forced)
        latest = releases[0]
        state = latest["info"]["status"]
        if state in PENDING:
            return Step("unlock", self._unlock)
        history = self._status.get("history") or []
        if state == "uninstalled":
            return self._absent(forced)
        if not history or fingerprint(latest) != history[0]["digest"]:
            self._status["history"] = []
            return Step("upgrade", self._upgrade)
        if state == "failed":
            return self._failed(forced)
        return self._deployed(latest, history[0], forced)

    def _absent(self, forced: bool) -> Step | None:
        if self._exhausted("install") and not forced:
            self._stalled()
        return Step("install", self._install)

    def _deployed(self, latest: Object, known: Object, forced: bool) -> Step | None:
        chart = latest["chart"]["metadata"]
        wanted = (self._metadata["name"], self._metadata["version"], digest(self._values))
        renderers = digest(self._item["spec"].get("postRenderers") or [])
        same = (chart["name"], chart["version"], known["configDigest"]) == wanted and self._status.get("observedPostRenderersDigest") in (
            None,
            renderers,
        )
        if same and not forced:
            self._status["lastAppliedRevision"] = known["chartVersion"]
            self._status["history"] = self._status["history"][:2]
            return None
        if not same and self._exhausted("upgrade") and not forced:
            self._stalled()
        return Step("upgrade", self._upgrade)

    def _failed(self, forced: bool) -> Step | None:
        """Nothing counted means that something has changed since: try again; else put it right first."""
        action = self._action()
        if forced or not self._status.get(f"{action}Failures"):
            return Step("upgrade", self._upgrade)
        settings = self._remediation(action)
        if self._exhausted(action) and not settings.get("remediateLastFailure", action == "upgrade" and settings.get("retries", 0) > 0):
            self._stalled()
        if (settings.get("strategy") or "rollback") == "uninstall" or action == "install":
            return Step("uninstall", self._remediate_by_uninstall, True)
        good = next((item for item in self._status["history"][1:] if item["status"] in ("deployed", "superseded")), None)
        if good is None:
            self._stalled("MissingRollbackTarget", "Failed to perform remediation: missing target release for rollback")
        return Step("rollback", lambda: self._remediate_by_rollback(good), True)

    # -- actions

    async def _install(self) -> None:
        self._status.update(lastAttemptedReleaseAction="install", history=[])
        self._conditions.drop("Remediated")
        await self._act("install", lambda: self._release.install(self._chart, self._values))

    async def _upgrade(self) -> None:
        self._status["lastAttemptedReleaseAction"] = "upgrade"
        self._conditions.drop("Remediated")
        await self._act("upgrade", lambda: self._release.upgrade(self._chart, self._values))

    async def _act(self, action: str, run: Callable[[], Awaitable[None]]) -> None:
        """Only what left a trace in the storage counts as a failure to be put right."""
        name = f"{self._release.namespace}/{self._release.name}"
        before = {item["version"] for item in await self._release.storage.releases(self._release.name)}
        failure: Failed | None = None
        try:
            await run()
        except Failed as error:
            failure = error
        made = await self._observe(before)
        chart = f"{self._metadata['name']}@{self._metadata['version']}"
        if failure is None:
            self._status["observedPostRenderersDigest"] = digest(self._item["spec"].get("postRenderers") or [])
            words = f"Helm {action} succeeded for release {name}.v{self._status['history'][0]['version']} with chart {chart}"
            self._conditions.set("Released", True, f"{action.title()}Succeeded", words)
            self._summarize()
            return
        words = f"Helm {action} failed for release {name} with chart {chart}: {failure}"
        self._status["failures"] = self._status.get("failures", 0) + 1
        self._conditions.set("Released", False, f"{action.title()}Failed", words)
        self._summarize()
        if not made:
            raise failure
        self._status[f"{action}Failures"] = self._status.get(f"{action}Failures", 0) + 1

    async def _observe(self, before: set[int]) -> bool:
        """Take new releases into the history and see known ones again; was there a new one?"""
        releases = {item["version"]: item for item in await self._release.storage.releases(self._release.name)}
        history = self._status.get("history") or []
        seen = {item["version"]: item for item in history}
        for entry in history:
            if entry["version"] in releases:
                entry.update(status=releases[entry["version"]]["info"]["status"], digest=fingerprint(releases[entry["version"]]))
        made = sorted(releases.keys() - before - seen.keys(), reverse=True)
        self._status["history"] = [snapshot(releases[version], self._values) for version in made] + history
        return bool(made)

    async def _unlock(self) -> None:
        status = await self._release.storage.unlock(self._release.name)
        latest = (await self._release.storage.releases(self._release.name))[0]
        known = self._status.get("history") or []
        if not known or known[0]["version"] != latest["version"]:
            self._status["history"] = [snapshot(latest, self._values), *known]
        else:
            known[0].update(status="failed", digest=fingerprint(latest))
        words = f"Unlocked Helm release {self._release.namespace}/{self._release.name}.v{latest['version']} from status {status}"
        self._conditions.set("Released", False, "PendingRelease", words)

    async def _remediate_by_uninstall(self) -> None:
        await self._remediate("Uninstall", self._release.uninstall())
        for entry in self._status["history"][:1]:
            entry["status"] = "uninstalled"

    async def _remediate_by_rollback(self, good: Object) -> None:
        before = {item["version"] for item in await self._release.storage.releases(self._release.name)}
        await self._remediate("Rollback", self._release.rollback(good["version"]))
        await self._observe(before)
        if self._status["history"]:
            self._status["history"][0]["configDigest"] = good["configDigest"]

    async def _remediate(self, action: str, run: Awaitable[None]) -> None:
        name = f"{self._release.namespace}/{self._release.name}"
        try:
            await run
        except Failed as error:
            self._conditions.set(
                "Remediated", False, f"{action}Failed", f"Helm {action.lower()} remediation for release {name} failed: {error}"
            )
            self._summarize()
            raise
        self._conditions.set("Remediated", True, f"{action}Succeeded", f"Helm {action.lower()} remediation for release {name} succeeded")
        self._summarize()

    # -- words

    def _action(self) -> str:
        return "upgrade" if self._status.get("lastAttemptedReleaseAction") == "upgrade" else "install"

    def _remediation(self, action: str) -> Object:
        found: Object = ((self._item["spec"].get(action) or {}).get("remediation")) or {}
        return found

    def _exhausted(self, action: str) -> bool:
        retries: int = self._remediation(action).get("retries", 0)
        return 0 <= retries < int(self._status.get(f"{action}Failures", 0))

    def _again_or_stalled(self) -> NoReturn:
        if self._exhausted(self._action()):
            self._stalled()
        self._conditions.set("Reconciling", True, "ProgressingWithRetry", self._conditions.get("Ready").get("message", ""))
        raise MustRequeue

    def _stalled(self, reason: str = "RetriesExceeded", words: str = "") -> NoReturn:
        action = self._action()
        words = words or f"Failed to {action} after {self._status.get(f'{action}Failures', 0)} attempt(s)"
        self._conditions.drop("Reconciling")
        self._conditions.set("Stalled", True, reason, words)
        raise Terminal

    def _say_running(self, step: Step) -> None:
        words = f"Running '{step.name}' action with timeout of {self._item['spec'].get('timeout') or '5m0s'}"
        self._conditions.set("Reconciling", True, "Progressing", words)
        if not step.remediates and step.name != "unlock":
            self._conditions.set("Ready", None, "Progressing", words)

    def _summarize(self) -> None:
        """Ready says what Remediated says, else what Released says; a remediated release is not ready."""
        remediated, released = self._conditions.get("Remediated"), self._conditions.get("Released")
        if remediated:
            self._conditions.set("Ready", False, remediated["reason"], remediated["message"])
        elif released:
            good = released["status"] == "True"
            self._conditions.set("Ready", good, released["reason"], released["message"])
            if good:
                self._conditions.drop("Stalled")
