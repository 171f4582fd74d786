# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapters that keep what they are answered: a cluster, the helm program, entry URLs. PRIVATE.

An answer is kept as it was given to whoever asked, so a list that was slimmed by ``keep`` is kept slim.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from ..._errors import Interrupted, WgeError
from ..model import Answer, Cluster, Counters, Helm, Object, Operation, Release
from . import questions
from .record import Entry, Record, error_as, text_of_time

T = TypeVar("T")


class Keeper:
    """Puts answers into a record."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def kept(self, question: str, ask: Callable[[], T], plain: Callable[[T], object], cluster: Cluster | None = None) -> T:
        """What ``ask`` answers, kept under ``question``; a refusal is kept too, a request to stop is not."""
        before = len(cluster.latencies) if cluster else 0
        try:
            answer = ask()
        except Interrupted:
            raise
        except WgeError as problem:
            self._keep(question, Entry(error=error_as(problem)), cluster, before)
            raise
        self._keep(question, Entry(plain(answer)), cluster, before)
        return answer

    def _keep(self, question: str, entry: Entry, cluster: Cluster | None, before: int) -> None:
        if cluster:
            entry.at, entry.took = text_of_time(cluster.server_time), list(cluster.latencies[before:])
        self.record.answers.setdefault(question, []).append(entry)


class RecordingCluster:
    """A cluster that is only asked, and whose answers are kept."""

    def __init__(self, cluster: Cluster, record: Record) -> None:
        self._cluster = cluster
        self._keeper = Keeper(record)

    @property
    def counters(self) -> Counters:
        """As the cluster's."""
        return self._cluster.counters

    @property
    def server_time(self) -> datetime | None:
        """As the cluster's."""
        return self._cluster.server_time

    @property
    def latencies(self) -> Sequence[float]:
        """As the cluster's."""
        return self._cluster.latencies

    def get(self, path: str) -> Object | None:
        """As the cluster's, kept."""
        return self._kept(questions.get(path), lambda: self._cluster.get(path))

    def list(
        self, path: str, *, labels: str = "", fields: str = "", metadata_only: bool = False, keep: Callable[[Object], Object] | None = None
    ) -> list[Object]:
        """As the cluster's, kept."""
        question = questions.listing(path, labels, fields, metadata_only)
        return self._kept(question, lambda: self._cluster.list(path, labels=labels, fields=fields, metadata_only=metadata_only, keep=keep))

    def create(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        """As the cluster's; whether a dry run was taken is kept, what it would have made is not."""
        if not dry_run:
            return self._cluster.create(path, body)
        return self._kept(questions.creation(path, body), lambda: self._cluster.create(path, body, dry_run=True), lambda _made: {})

    def patch(self, path: str, operations: Sequence[Operation], *, dry_run: bool = False) -> Object:
        """As ``create``."""
        if not dry_run:
            return self._cluster.patch(path, operations)
        return self._kept(questions.change(path), lambda: self._cluster.patch(path, operations, dry_run=True), lambda _made: {})

    def delete(self, path: str, *, uid: str, resource_version: str = "") -> None:
        """As the cluster's."""
        self._cluster.delete(path, uid=uid, resource_version=resource_version)

    def review(self, path: str, body: Object) -> Object:
        """As the cluster's, kept."""
        return self._kept(questions.review(path, body), lambda: self._cluster.review(path, body))

    def raw(self, path: str) -> Answer:
        """As the cluster's, kept."""
        return self._kept(questions.raw(path), lambda: self._cluster.raw(path), questions.answer_as)

    def _kept(self, question: str, ask: Callable[[], T], plain: Callable[[T], object] = lambda answer: answer) -> T:
        return self._keeper.kept(question, ask, plain, self._cluster)


class RecordingHelm:
    """The helm program, whose rendering and version are kept."""

    def __init__(self, helm: Helm, record: Record) -> None:
        self._helm = helm
        self._keeper = Keeper(record)

    def version(self) -> str:
        """As the program's, kept."""
        return self._keeper.kept(questions.HELM_VERSION, self._helm.version, str)

    def template(self, release: Release, *, kube_version: str = "", api_versions: Sequence[str] = ()) -> list[Object]:
        """As the program's, kept."""
        return self._keeper.kept(
            questions.RENDERING, lambda: self._helm.template(release, kube_version=kube_version, api_versions=api_versions), list
        )

    def install(self, release: Release) -> None:
        """As the program's."""
        self._helm.install(release)

    def uninstall(self, name: str, namespace: str) -> None:
        """As the program's."""
        self._helm.uninstall(name, namespace)


def recording_ask(ask: Callable[[str], Answer], record: Record) -> Callable[[str], Answer]:
    """Requests to entry URLs, whose answers are kept."""
    keeper = Keeper(record)
    return lambda url: keeper.kept(questions.entry(url), lambda: ask(url), questions.answer_as)
