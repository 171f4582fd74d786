# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster of the bed, as programs and tests use it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from . import audit, control_plane, jwt, kubeconfig, linux, records
from .api import Api, ApiError
from .layout import HERE, ClusterPaths
from .pki import Authority

LEEWAY = 60


class ClusterError(RuntimeError):
    """A cluster is not as it should be, in one sentence."""


def wait_until(what: str, check: Callable[[], Any], seconds: float, pause: float = 0.1) -> Any:
    """The first true value of `check`; refusals and connections that fail count as not yet."""
    end = time.monotonic() + seconds
    last: Exception | None = None
    while time.monotonic() < end:
        try:
            if value := check():
                return value
        except (ApiError, OSError) as error:
            last = error
        time.sleep(pause)
    raise ClusterError(f"{what}: not within {seconds:.0f} s" + (f" ({last})" if last else ""))


class Cluster:
    """A handle: everything is read from the bed's folder, so any process may have one."""

    def __init__(self, paths: ClusterPaths) -> None:
        self.paths = paths
        self.name = paths.name

    # -- what it is

    @property
    def kubeconfig(self) -> Path:
        """Of a cluster administrator; works on the host and inside the cluster's network."""
        return self.paths.kubeconfig

    @property
    def record(self) -> dict[str, Any]:
        """What the supervisor wrote down."""
        return records.read_json(self.paths.record) or {}

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.record['api_port']}"

    @property
    def entry_url(self) -> str:
        """The stand-in load balancer in front of the dashboard's NodePort."""
        return f"http://127.0.0.1:{self.record['entry_port']}/"

    @property
    def ingress_url(self) -> str:
        """The stand-in load balancer in front of the ingress controller, by the name that its Ingress has for the dashboard."""
        return f"http://localhost:{self.record['ingress_port']}/"

    def api(self, config: Path | None = None) -> Api:
        """A client; as the administrator unless another kubeconfig is given."""
        return Api(config or self.kubeconfig)

    def running(self) -> bool:
        """Does its supervisor live?"""
        return records.alive(self.record.get("supervisor"))

    def healthy(self) -> bool:
        """Does its API server say it is ready?"""
        if not self.running() or not self.kubeconfig.exists():
            return False
        try:
            return Api(self.kubeconfig, timeout=3).raw("GET", "/readyz")[0] == 200
        except OSError:
            return False

    @property
    def uid(self) -> str:
        """Of the namespace kube-system: the cluster's identity."""
        return str(self.api().get("/api/v1/namespaces/kube-system")["metadata"]["uid"])

    # -- inside its network

    def enter_command(self, command: Sequence[str]) -> list[str]:
        """`command`, to be run inside the cluster's namespaces."""
        record = self.record.get("supervisor")
        if not records.alive(record):
            raise ClusterError(f"cluster {self.name} is not running")
        pid = record["pid"]
        user = records.PROC / str(pid) / "ns" / "user"
        own = os.readlink(records.PROC / "self" / "ns" / "user") == os.readlink(user)
        return ["nsenter", "-t", str(pid), *([] if own else ["-U", "--preserve-credentials"]), "-n", "--", *command]

    def exec(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command inside the cluster's network; options are those of subprocess.run."""
        given: dict[str, Any] = {
            "text": True,
            "capture_output": True,
            "check": False,
            "env": {**os.environ, "PATH": linux.system_path()},
            **options,
        }
        return subprocess.run(self.enter_command(command), **given)

    def python(self, module: str, *arguments: str) -> list[str]:
        """The command that runs a module of the test bed inside the cluster's network."""
        where = f"import runpy, sys; sys.path.insert(0, {str(HERE.parent)!r}); "
        where += f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
        return self.enter_command([sys.executable, "-c", where, *arguments])

    def ask(self, *requests: dict[str, Any]) -> list[dict[str, Any]]:
        """HTTP requests from inside the cluster's network (see inside.py)."""
        done = subprocess.run(
            self.python("testbed.inside"),
            input=json.dumps(requests),
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PATH": linux.system_path()},
        )
        return list(json.loads(done.stdout))

    # -- what happened

    def audit_calls(self, since: float = 0) -> list[audit.Call]:
        """Every request of people and products (reads of the control plane itself are not logged)."""
        return list(audit.calls(self.paths.audit, since))

    def audit_writes(self, since: float = 0, people_only: bool = False) -> list[audit.Call]:
        """Requests that stored something: no dry runs, no reviews, no refusals; without the cluster's own users if asked."""
        return [call for call in self.audit_calls(since) if call.write and not (people_only and call.internal)]

    # -- misbehaviour

    def faults(self, *rules: dict[str, Any], node_lost: bool = False) -> None:
        """Replace the fault rules (see agent/faults.py); without arguments all is well again."""
        records.write_json(self.paths.faults, {"rules": list(rules), "node_lost": node_lost})

    def kill(self, program: str, number: int = signal.SIGKILL) -> None:
        """Signal one of its servers, `agent` or `kube-apiserver` for example; the supervisor starts it again."""
        records.send(self.record["children"][program], number)

    def restart_agent(self, seconds: float = 20) -> None:
        """Like a reboot of the node: pods keep addresses, their processes start anew."""
        before = self.record["children"]["agent"]
        self.kill("agent")
        wait_until(
            "a new node agent",
            lambda: self.record["children"]["agent"] != before and records.alive(self.record["children"]["agent"]),
            seconds,
        )

    # -- identities

    def write_kubeconfig(self, path: Path, user: str, groups: Iterable[str] = (), not_after: dt.datetime | None = None) -> Path:
        """A kubeconfig with a client certificate for any user and groups, expired if `not_after` is past."""
        authority = Authority.load(self.paths.pki)
        pair = authority.issue(user, groups, not_after=not_after)
        kubeconfig.write(path, kubeconfig.document(self.name, self.server, authority.pem, kubeconfig.client(pair), user))
        return path

    def write_token_kubeconfig(self, path: Path, token: str, user: str = "token") -> Path:
        """A kubeconfig with a bearer token."""
        authority = Authority.load(self.paths.pki)
        kubeconfig.write(path, kubeconfig.document(self.name, self.server, authority.pem, {"token": token}, user))
        return path

    def service_account_token(self, namespace: str, name: str, seconds: float = 600) -> str:
        """A token as the API server would sign it, refused after `seconds` (of which up to 10 are its cache's).

        An API server grants 60 s of leeway on `exp`, so the token says that much less.
        """
        key = serialization.load_pem_private_key((self.paths.pki / "sa.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        account = self.api().get(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}")["metadata"]
        now = int(time.time())
        claims = {
            "iss": control_plane.ISSUER,
            "aud": [control_plane.ISSUER],
            "sub": f"system:serviceaccount:{namespace}:{name}",
            "iat": now - 120,
            "nbf": now - 120,
            "exp": now + int(seconds) - LEEWAY,
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": account["uid"]}},
        }
        return jwt.sign(claims, key)

    # -- more servers than the control plane's

    def serve(self, *servers: control_plane.Server) -> None:
        """Run programs inside the cluster's network; they are started again when they die, until withdrawn."""
        names = {server.name for server in servers}
        self._write_servers([*(item for item in self._servers() if item["name"] not in names), *map(dataclasses.asdict, servers)])
        for name in names:
            wait_until(f"{name} of {self.name}", functools.partial(self._serves, name), 10)

    def withdraw(self, *names: str) -> None:
        """End servers that `serve` began."""
        self._write_servers([item for item in self._servers() if item["name"] not in names])
        for name in names:
            wait_until(f"end of {name} of {self.name}", functools.partial(self._serves, name, False), 10)

    def _serves(self, name: str, wanted: bool = True) -> bool:
        return records.alive(self.record["children"].get(name)) is wanted

    def _servers(self) -> list[dict[str, Any]]:
        return list(records.read_json(self.paths.servers) or [])

    def _write_servers(self, servers: list[dict[str, Any]]) -> None:
        records.write_json(self.paths.servers, servers, mode=0o600)

    # -- its end

    def stop(self) -> None:
        """End what was started, and nothing else; safe to repeat, also after a killed `up` or `down`."""
        record = self.record
        records.end(record.get("supervisor"), patience=10)
        for child in (record.get("children") or {}).values():
            records.end(child, patience=0.5)

    def remove_files(self) -> None:
        """Everything but the logs."""
        shutil.rmtree(self.paths.root, ignore_errors=True)
        for path in (self.paths.kubeconfig, self.paths.record, self.paths.stop, self.paths.lock):
            path.unlink(missing_ok=True)
