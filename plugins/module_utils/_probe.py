# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the dashboard from every vantage, all the time, in threads of their own. PRIVATE: can change at any time.

A vantage has two threads. One opens a connection for every request, as a new visitor does; one keeps its connection, as a
browser does. Both are needed: what a flip breaks for the one it often does not break for the other.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from bisect import bisect_left
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from ._clock import SystemClock
from ._engine.model import Answer, Clock, EndpointEvent, Sample, Vantage
from ._errors import Unreachable, WgeError
from ._kube import answers, faults
from ._kube.connection import Connection
from ._kube.credentials import Credentials
from ._kube.libraries import urllib3
from ._kube.transport import USER_AGENT, Transport
from ._kube.watch import EndpointWatch

INTERVAL = 0.08
"""Seconds between the starts of two requests of one thread: 12.5 a second, so that 10 remain on a busy machine."""

TIMEOUT = 2.0
"""Seconds after which an answer no longer counts."""

RENEWAL = 5.0
"""Seconds after which a kept connection is given up, so that none outlives the draining of its pod unnoticed."""

LONGEST_BODY = 64 * 1024

_JOIN_SECONDS = 2 * TIMEOUT + 1


class ThreadProbes:
    """The Probes of ``_engine.model``: threads for the requests, one more for the watch on the EndpointSlices."""

    def __init__(
        self,
        connection: Connection,
        credentials: Credentials,
        *,
        clock: Clock | None = None,
        entry_verify: bool = True,
        entry_authority: str = "",
        interval: float = INTERVAL,
        user_agent: str = USER_AGENT,
    ) -> None:
        """``connection`` is the API server's. ``entry_…`` say how the certificates of https entries are checked."""
        self._connection = connection
        self._credentials = credentials
        self._clock = clock or SystemClock()
        self._entry_verify = entry_verify
        self._entry_authority = entry_authority
        self._interval = interval
        self._user_agent = user_agent
        self._stop = threading.Event()
        self._probers: list[_Prober] = []
        self._watches: list[EndpointWatch] = []
        self._threads: list[threading.Thread] = []

    def start(self, vantages: Sequence[Vantage], namespace: str, services: Sequence[str]) -> None:
        """Begin. The state of the slices is recorded on return; raises what that first read raises."""
        self._stop.clear()
        watch = EndpointWatch(self._connection, self._credentials, namespace, services, self._clock)
        watch.look()
        self._watches.append(watch)
        probers = [self._prober(vantage, reused) for vantage in vantages for reused in (False, True)]
        self._probers += probers
        threads = [threading.Thread(target=watch.follow, name="wge-watch", daemon=True)]
        threads += [
            threading.Thread(target=prober.run, args=(index / len(probers),), name="wge-probe", daemon=True)
            for index, prober in enumerate(probers)
        ]
        self._threads += threads
        for thread in threads:
            thread.start()

    def samples(self, since: float = 0.0) -> list[Sample]:
        """Samples that began at ``since`` or later, oldest first."""
        recent = [prober.samples[prober.first(since) :] for prober in self._probers]
        return list(heapq.merge(*recent, key=_began))

    def events(self) -> list[EndpointEvent]:
        """All endpoint events, oldest first."""
        return [event for watch in self._watches for event in list(watch.events)]

    def troubles(self) -> list[tuple[float, str]]:
        """When the watch could not see the slices, with the reason. Not in the protocol; for the report."""
        return [trouble for watch in self._watches for trouble in list(watch.troubles)]

    def stop(self) -> None:
        """End and join all threads; calling it twice is no error. What was seen stays."""
        self._stop.set()
        for watch in self._watches:
            watch.stop()
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)
        self._threads = []

    def _prober(self, vantage: Vantage, reused: bool) -> _Prober:
        connection, credentials, base = self._connection, self._credentials, vantage.address
        if vantage.kind == "entry":
            connection, base = self._entry(vantage), ""
            credentials = Credentials(connection.user)  # nobody: an entry must never see our token
        transport = Transport(
            connection,
            credentials,
            headers={"User-Agent": self._user_agent, **({} if reused else {"Connection": "close"})},
            connections=1,
            connect_seconds=TIMEOUT,
            read_seconds=TIMEOUT,
        )
        return _Prober(vantage, base, reused, transport, self._clock, self._interval, self._stop)

    def _entry(self, vantage: Vantage) -> Connection:
        return _entry_connection(vantage.address, vantage.name, self._entry_verify, self._entry_authority)


class _Prober:
    """One thread's requests and what came of them."""

    def __init__(
        self,
        vantage: Vantage,
        base: str,
        reused: bool,
        transport: Transport,
        clock: Clock,
        interval: float,
        stop: threading.Event,
    ) -> None:
        self.samples: list[Sample] = []
        self._name = vantage.name
        self._by_proxy = vantage.kind == "proxy"
        self._paths = itertools.cycle([base.rstrip("/") + path for path in vantage.paths])
        self._reused = reused
        self._transport = transport
        self._clock = clock
        self._interval = interval
        self._stop = stop
        self._opened = clock.monotonic()

    def first(self, since: float) -> int:
        """The index of the first sample that began at ``since`` or later."""
        return bisect_left(self.samples, since, key=_began)

    def run(self, share: float) -> None:
        """Ask until told to stop, beginning after ``share`` of an interval, so that not all threads wake at once."""
        due = self._clock.monotonic() + share * self._interval
        while not self._stop.wait(max(0.0, due - self._clock.monotonic())):
            self._ask(next(self._paths))
            # Late ones are not made up for: a burst after a pause would say nothing about the pause.
            due = max(due + self._interval, self._clock.monotonic())
        self._transport.close()

    def _ask(self, path: str) -> None:
        began = self._clock.monotonic()
        if self._reused and began - self._opened >= RENEWAL:
            self._transport.close()
            self._opened = began
        status, fault = 0, ""
        try:
            status, fault = self._outcome(path)
        except urllib3.exceptions.HTTPError as error:
            fault = faults.words(error)
        except WgeError as error:
            fault = error.what
        except Exception as error:  # whatever it is, it must be seen as a fault and not as silence
            fault = f"{type(error).__name__}: {error}"
        self.samples.append(Sample(began, self._name, self._reused, self._clock.monotonic() - began, status, fault))

    def _outcome(self, path: str) -> tuple[int, str]:
        response = self._transport.send("GET", path)
        if self._by_proxy and response.status >= 400:
            own = answers.status_object(response.data)
            if own and response.status == 401 and self._transport.renew():
                return self._outcome(path)  # our credentials ended, which says nothing about the dashboard
            if own:
                return response.status, f"the API server: {answers.message_of(response.data)}"
        return response.status, f"HTTP {response.status}" if response.status >= 500 else ""


def ask(url: str, *, verify: bool = True, authority: str = "") -> Answer:
    """One GET of an entry URL as the probes make it: as nobody, on a new connection. Raises Unreachable when nothing answers."""
    parts = urlsplit(url)
    connection = _entry_connection(f"{parts.scheme}://{parts.netloc}", url, verify, authority)
    headers = {"Connection": "close"}
    transport = Transport(
        connection, Credentials(connection.user), headers=headers, connections=1, connect_seconds=TIMEOUT, read_seconds=TIMEOUT
    )
    try:
        response = transport.send("GET", urlunsplit(("", "", parts.path or "/", parts.query, "")), stream=True)
        body = response.read(LONGEST_BODY, decode_content=True)
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, body)
    except urllib3.exceptions.HTTPError as error:
        raise Unreachable(f"{url} does not answer: {faults.words(error)}.", "Correct wge_entry_urls, or repair the way there.") from None
    finally:
        transport.close()


def _entry_connection(address: str, name: str, verify: bool, authority: str) -> Connection:
    return Connection(server=address.rstrip("/"), verify=verify, authority=authority, where=f"the entry {name}")


def _began(sample: Sample) -> float:
    return sample.at
