# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the report say what the witness saw? Pure: plain data in, sentences out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from witness.endpoints import Replay

COLUMNS = ("cluster", "verdict", "requests", "lost", "slowest", "gaps", "Services", "old address", "memory", "climb")


@dataclass
class Seen:
    """Everything that is known of one cluster after the upgrade; ``report`` is its entry in the report."""

    name: str
    report: dict[str, Any]
    streams: list[dict[str, Any]]
    endpoints: Replay
    before: dict[str, Any]
    after: dict[str, Any]
    answers: str
    memory: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Counted by the witness."""
        return sum(stream["requests"] for stream in self.streams)

    @property
    def lost(self) -> int:
        """Counted by the witness."""
        return sum(stream["lost"] for stream in self.streams)

    @property
    def upgraded(self) -> bool:
        """As the report has it."""
        return bool(self.report.get("verdict") == "upgraded")

    @property
    def same_services(self) -> bool:
        """Whether every Service that was there is there as it was."""
        return bool(self.before) and all(self.after.get(name) == service for name, service in self.before.items())


def judge(seen: Seen) -> list[str]:
    """One sentence for each thing that is not as it should be, or that the two tell differently."""
    report = seen.report
    if not report:
        return ["The report has no entry for it."]
    found = [] if seen.upgraded else [f"Its verdict is {report.get('verdict')}: {report.get('message')}".rstrip(": ")]
    return [*found, *_of_requests(seen), *_of_endpoints(seen), *_of_services(seen)]


def _of_requests(seen: Seen) -> list[str]:
    found = [_loss(stream) for stream in seen.streams if stream["lost"]]
    told = seen.report["traffic"]["lost"]
    if bool(told) != bool(seen.lost):
        found.append(f"The report counts {told} lost requests, the witness {seen.lost}.")
    for stream in seen.streams:
        order = sorted(stream["products"], key=lambda name: str(stream["products"][name]["first"]))
        if order != ["WG", "WGE"]:
            found.append(f"{_name(stream)}: {', then '.join(order) or 'nobody'} answered instead of WG, then WGE.")
    if seen.answers != "WGE":
        found.append(f"The old address is answered by {seen.answers}.")
    return found


def _loss(stream: dict[str, Any]) -> str:
    first = stream["losses"][0]
    times = f"{stream['first_loss']} to {stream['last_loss']}, longest outage {stream['longest_outage_seconds']} s"
    return f"{_name(stream)}: {stream['lost']} of {stream['requests']} lost, {times}: {first['why']}."


def _name(stream: dict[str, Any]) -> str:
    return f"{stream['target']}, {'reused' if stream['reused'] else 'new'} connections"


def _of_endpoints(seen: Seen) -> list[str]:
    found, told = [], seen.report["traffic"]["endpoint_gaps"]
    if seen.endpoints.gaps:
        found.append(f"There was no ready endpoint {seen.endpoints.gaps} times, for {seen.endpoints.gap_seconds} s.")
    if told != seen.endpoints.gaps:
        found.append(f"The report counts {told} instants without an endpoint, the witness {seen.endpoints.gaps}.")
    if seen.endpoints.blind:
        found.append(f"The witness could not see the endpoints for {seen.endpoints.blind_seconds} s.")
    if not seen.endpoints.ready_at_end:
        found.append("There is no ready endpoint now.")
    return found


def _of_services(seen: Seen) -> list[str]:
    found = [
        f"Service {name} was {service} and is {seen.after.get(name, 'gone')}."
        for name, service in seen.before.items()
        if seen.after.get(name) != service
    ]
    told = {entry["service"]: entry for entry in seen.report["identity"]}
    for name, service in seen.before.items():
        entry = told.get(name)
        if entry is None:
            found.append(f"The report does not name Service {name}.")
        elif entry["before"].get("uid") != service["uid"] or entry["same"] is not (seen.after.get(name) == service):
            found.append(f"The report tells of Service {name} otherwise than the witness.")
    return found


def table(clusters: Sequence[Seen]) -> list[str]:
    """A line for each cluster, in columns."""
    rows = [COLUMNS, *(_row(seen) for seen in clusters)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(COLUMNS))]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(seen: Seen) -> tuple[str, ...]:
    slowest = max((stream["slowest_seconds"] for stream in seen.streams), default=0.0)
    climb = sum((seen.report.get("seconds") or {}).values())
    return (
        seen.name,
        str(seen.report.get("verdict", "?")),
        str(seen.requests),
        str(seen.lost),
        f"{slowest:.2f} s",
        str(seen.endpoints.gaps),
        "same" if seen.same_services else "differ",
        seen.answers,
        f"{seen.memory / 2**20:.0f} MiB",
        f"{climb:.0f} s",
    )


def last_line(clusters: Sequence[Seen]) -> str:
    """What the whole run comes to, in the witness's counts."""
    upgraded = sum(seen.upgraded for seen in clusters)
    requests, lost = sum(seen.requests for seen in clusters), sum(seen.lost for seen in clusters)
    return f"{upgraded} cluster{'' if upgraded == 1 else 's'} upgraded, {requests} requests, {lost} lost"
