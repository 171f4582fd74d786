# SPDX-License-Identifier: GPL-3.0-or-later
"""What the probes saw, judged: lost requests, instants without an endpoint, and when to go back. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .model import EndpointEvent, Object, Sample

FAULTS_TO_REVERSE = 5
WINDOW_SECONDS = 5.0
FAULTS_LISTED = 20
SILENCE_SECONDS = 2.5
"""Longer than a probe's time limit of 2 s: a vantage with no good answer for so long is red, however few requests that is."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a Service had no ready endpoint with a port."""

    service: str
    start: float
    seconds: float


def red(samples: Sequence[Sample], now: float) -> str:
    """Why the traffic of the last seconds is red, empty when it is not. ``samples`` are those since the flip."""
    recent = [s for s in samples if s.at >= now - WINDOW_SECONDS]
    faults = [s for s in recent if s.fault]
    if len(faults) >= FAULTS_TO_REVERSE:
        last = faults[-1]
        return f"{len(faults)} of {len(recent)} requests in {WINDOW_SECONDS:g} s failed, the last at {last.vantage}: {last.fault}"
    for vantage, stream in _streams(samples).items():
        good = [s.at + s.seconds for s in stream if not s.fault]
        since = max(good, default=stream[0].at)
        if stream[-1].fault and now - since > SILENCE_SECONDS:
            return f"{vantage[0]} has not answered for {now - since:.1f} s: {stream[-1].fault}"
    return ""


def ready_now(events: Iterable[EndpointEvent], service: str) -> set[str]:
    """The pods a Service sends traffic to after the newest event."""
    ready: dict[str, tuple[str, ...]] = {}
    for event in events:
        if event.service == service:
            ready[event.slice] = () if event.deleted or not event.ports else event.ready
    return {pod for pods in ready.values() for pod in pods}


def gaps(events: Sequence[EndpointEvent], until: float) -> list[Gap]:
    """Every time in which a Service that had ready endpoints had none, replayed from the events."""
    found: list[Gap] = []
    for service in sorted({event.service for event in events}):
        found.extend(_gaps_of([e for e in events if e.service == service], service, until))
    return found


def _gaps_of(events: Sequence[EndpointEvent], service: str, until: float) -> Iterable[Gap]:
    ready: dict[str, tuple[str, ...]] = {}
    started, had = None, False
    for event in events:
        ready[event.slice] = () if event.deleted or not event.ports else event.ready
        some = any(ready.values())
        if some and started is not None:
            yield Gap(service, started, event.at - started)
            started = None
        elif not some and had and started is None:
            started = event.at
        had = had or some
    if started is not None:
        yield Gap(service, started, until - started)


def summary(samples: Sequence[Sample], events: Sequence[EndpointEvent], until: float, flip: float | None = None) -> Object:
    """The traffic part of a result: requests sent and lost, per vantage, and instants without an endpoint.

    The first lost requests are listed with their time after ``flip`` (before it: negative; without one: after the first request).
    """
    zero = flip if flip is not None else min((s.at for s in samples), default=0.0)
    lost = sorted((s for s in samples if s.fault), key=lambda s: s.at)
    found = gaps(events, until)
    return {
        "requests": len(samples),
        "lost": len(lost),
        "faults": [_fault(s, zero) for s in lost[:FAULTS_LISTED]],
        "vantages": [_vantage(key, stream) for key, stream in sorted(_streams(samples).items())],
        "endpoint_gaps": len(found),
        "endpoint_gap_seconds": round(sum(gap.seconds for gap in found), 3),
        "endpoint_events": len(events),
    }


def _streams(samples: Iterable[Sample]) -> dict[tuple[str, bool], list[Sample]]:
    streams: dict[tuple[str, bool], list[Sample]] = {}
    for sample in samples:
        streams.setdefault((sample.vantage, sample.reused), []).append(sample)
    return streams


def _fault(sample: Sample, zero: float) -> Object:
    return {"vantage": sample.vantage, "reused": sample.reused, "seconds": round(sample.at - zero, 3), "fault": sample.fault}


def _vantage(key: tuple[str, bool], stream: Sequence[Sample]) -> Object:
    faults = [s for s in stream if s.fault]
    return {
        "name": key[0],
        "reused": key[1],
        "requests": len(stream),
        "lost": len(faults),
        "longest_fault_seconds": round(_longest(stream), 3),
        "first_fault": faults[0].fault if faults else "",
        "slowest_seconds": round(max((s.seconds for s in stream), default=0.0), 3),
    }


def _longest(stream: Sequence[Sample]) -> float:
    longest, started = 0.0, None
    for sample in stream:
        if sample.fault:
            started = sample.at if started is None else started
            longest = max(longest, sample.at + sample.seconds - started)
        else:
            started = None
    return longest
