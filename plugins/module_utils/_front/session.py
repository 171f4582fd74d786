# SPDX-License-Identifier: GPL-3.0-or-later
"""One call at work: its options, and the adapters that are put together when a question first needs them. PRIVATE."""

from __future__ import annotations

import os
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .._caller import HttpCaller
from .._clock import SystemClock
from .._engine.archive.model import Vault
from .._engine.continuity.asking import Caller
from .._engine.model import Cluster, Helm
from .._engine.recording.live import RecordingCluster, RecordingHelm
from .._engine.recording.record import Record
from .._engine.settings import Settings, settings_from
from .._engine.work import Tools
from .._helm import HelmProgram
from .._kube.client import KubeCluster
from .._kube.configuration import connection_from
from .._kube.connection import Connection
from .._probe import ThreadProbes
from .._rendering import SharedRendering
from .._watching import ThreadWatcher
from .answers import counted
from .archives import Archives, wanted_from


@dataclass
class Surroundings:
    """What differs between the two front ends.

    ``keep_going`` answers "" or why to stop: ``signal``, ``controller gone``, ``deadline``. ``tell`` takes one progress event.
    ``controller`` is true where local files are the controller's. ``cache`` is shared by the workers of one run.
    ``vault`` is Ansible's, which only the controller has.
    """

    keep_going: Callable[[], str]
    tell: Callable[[dict[str, Any]], None]
    check_mode: bool = False
    diff: bool = False
    controller: bool = False
    cache: MutableMapping[str, bytes] | None = None
    vault: Vault | None = None


class Session:
    """One call. Each property raises InvalidSettings for options that cannot be used."""

    def __init__(self, params: dict[str, Any], surroundings: Surroundings) -> None:
        self.params = params
        self.surroundings = surroundings

    @cached_property
    def settings(self) -> Settings:
        """The options of a climb."""
        return settings_from(self.params)

    @cached_property
    def clock(self) -> SystemClock:
        """Time."""
        return SystemClock()

    @cached_property
    def connection(self) -> Connection:
        """Where the API server is, and who we are there."""
        return connection_from(self.params, os.environ)

    @cached_property
    def cluster(self) -> KubeCluster:
        """The API server; nothing has been asked yet."""
        budget = self.params.get("retry_seconds") or 60.0
        return KubeCluster(self.connection, clock=self.clock, keep_going=self.surroundings.keep_going, budget=budget)

    @cached_property
    def record(self) -> Record | None:
        """What this call is answered, when option ``snapshot_to`` wants it kept."""
        return Record() if self.params.get("snapshot_to") else None

    @cached_property
    def asked(self) -> Cluster:
        """The API server as the engine asks it."""
        return RecordingCluster(self.cluster, self.record) if self.record else self.cluster

    @cached_property
    def helm(self) -> Helm:
        """The helm program, which renders once for all workers."""
        name = self.params.get("helm") or "helm"
        cache = self.surroundings.cache if self.surroundings.cache is not None else {}
        shared = SharedRendering(HelmProgram(self.connection, program=name), cache, program=name)
        return RecordingHelm(shared, self.record) if self.record else shared

    @cached_property
    def caller(self) -> Caller:
        """What calls the dashboard's API."""
        return HttpCaller(self.connection, self.cluster.credentials)

    @cached_property
    def tools(self) -> Tools:
        """All that a climb works with."""
        probes = ThreadProbes(self.connection, self.cluster.credentials, clock=self.clock)
        around = self.surroundings
        watcher = ThreadWatcher(self.connection, self.cluster.credentials, clock=self.clock)
        return Tools(self.asked, self.helm, probes, self.clock, around.keep_going, around.tell, self.caller, self.archives, watcher)

    @cached_property
    def archives(self) -> Archives:
        """Where archives are made and read."""
        around = self.surroundings
        return Archives(wanted_from(self.params), around.vault, lambda: self.asked, self.clock, around.keep_going, os.environ)

    def known(self) -> dict[str, Any]:
        """What can be said of the cluster when a question failed; nothing when the question is not about one."""
        if "kubeconfig" not in self.params:
            return {}
        connection: Connection | None = self.__dict__.get("connection")
        found: dict[str, Any] = {"cluster": {"name": "", "uid": "", "api": connection.server if connection else ""}}
        cluster: KubeCluster | None = self.__dict__.get("cluster")
        return {**found, "api": counted(cluster)} if cluster else found
