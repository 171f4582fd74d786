# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapters that answer from a record: no cluster, no helm program, no entry URL. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any, NoReturn

from ..._errors import SafeStop
from ..model import Answer, Counters, EndpointEvent, Object, Operation, Release, Sample, Vantage
from . import questions
from .record import Entry, Record, error_from, time_of

ADVICE = "Take a new snapshot with this version, where the cluster can be reached."


class Answers:
    """A record that is asked. What was asked several times is answered in the same order, then as the last time."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._asked: dict[str, int] = {}

    def entry(self, question: str, what: str) -> Entry:
        """The next entry for a question. Raises SafeStop when it was never asked, or the refusal that was kept."""
        entries = self._record.answers.get(question)
        if not entries:
            raise SafeStop(f"This snapshot does not hold {what}.", ADVICE)
        place = self._asked.get(question, 0)
        self._asked[question] = place + 1
        return entries[min(place, len(entries) - 1)]


class RecordedCluster:
    """A cluster as it was. It counts no request, since none is sent."""

    def __init__(self, record: Record) -> None:
        self._answers = Answers(record)
        self._time: datetime | None = None
        self._latencies: list[float] = []

    @property
    def counters(self) -> Counters:
        """Nothing is sent."""
        return Counters()

    @property
    def server_time(self) -> datetime | None:
        """The server's time at the newest answer."""
        return self._time

    @property
    def latencies(self) -> Sequence[float]:
        """Seconds the reads for the answers so far took."""
        return self._latencies

    def get(self, path: str) -> Object | None:
        """The object as it was."""
        found: Object | None = self._answer(questions.get(path), path)
        return found

    def list(
        self, path: str, *, labels: str = "", fields: str = "", metadata_only: bool = False, keep: Callable[[Object], Object] | None = None
    ) -> list[Object]:
        """The collection as it was kept; ``keep`` has been at it already."""
        found: list[Object] = self._answer(questions.listing(path, labels, fields, metadata_only), f"the list {path}")
        return found

    def create(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        """Whether a dry run was taken; what it was asked to make stands for what it would have made."""
        if not dry_run:
            _refuse()
        self._answer(questions.creation(path, body), f"the dry run of a create at {path}")
        return deepcopy(body)

    def patch(self, path: str, operations: Sequence[Operation], *, dry_run: bool = False) -> Object:
        """Whether a dry run was taken."""
        if not dry_run:
            _refuse()
        found: Object = self._answer(questions.change(path), f"the dry run of a patch of {path}")
        return found

    def delete(self, path: str, *, uid: str, resource_version: str = "") -> None:
        """Refused."""
        _refuse()

    def review(self, path: str, body: Object) -> Object:
        """The review's answer as it was."""
        found: Object = self._answer(questions.review(path, body), f"the review {path.rsplit('/', 1)[-1]} of {body.get('spec') or {}}")
        return found

    def raw(self, path: str) -> Answer:
        """The answer as it was."""
        return questions.answer_of(self._answer(questions.raw(path), f"what {path} answers"))

    def _answer(self, question: str, what: str) -> Any:
        entry = self._answers.entry(question, what)
        self._time = time_of(entry.at) or self._time
        self._latencies += entry.took
        return _said(entry)


class RecordedHelm:
    """The helm program as it was: one rendering, whatever is asked for."""

    def __init__(self, record: Record) -> None:
        self._answers = Answers(record)

    def version(self) -> str:
        """The version as it was."""
        return str(_said(self._answers.entry(questions.HELM_VERSION, "the version of helm")))

    def template(self, release: Release, *, kube_version: str = "", api_versions: Sequence[str] = ()) -> list[Object]:
        """The rendering as it was; the values that it was made with were not all kept."""
        found: list[Object] = _said(self._answers.entry(questions.RENDERING, f"a rendering of {release.chart}"))
        return found

    def install(self, release: Release) -> None:
        """Refused."""
        _refuse()

    def uninstall(self, name: str, namespace: str) -> None:
        """Refused."""
        _refuse()


class RecordedClock:
    """The moment of the record, which does not pass."""

    def __init__(self, time: datetime) -> None:
        self._time = time

    def monotonic(self) -> float:
        """Always the same."""
        return 0.0

    def wall(self) -> datetime:
        """When the record was taken."""
        return self._time

    def sleep(self, seconds: float) -> None:
        """No time passes."""


class NoProbes:
    """Probes that see nothing."""

    def start(self, vantages: Sequence[Vantage], namespace: str, services: Sequence[str]) -> None:
        """Nothing is called."""

    def samples(self, since: float = 0.0) -> list[Sample]:
        """None."""
        return []

    def events(self) -> list[EndpointEvent]:
        """None."""
        return []

    def stop(self) -> None:
        """Nothing to end."""


def recorded_ask(record: Record) -> Callable[[str], Answer]:
    """What entry URLs answered."""
    answers = Answers(record)
    return lambda url: questions.answer_of(_said(answers.entry(questions.entry(url), f"what {url} answers")))


def _said(entry: Entry) -> Any:
    if entry.error is not None:
        raise error_from(entry.error)
    return entry.answer


def _refuse() -> NoReturn:
    raise SafeStop("A snapshot cannot be written to.", "Run this against the cluster itself.")
