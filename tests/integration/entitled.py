# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that was upgraded to WGE, and short ways to entitle it: by our modules, and by hand as users do."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric import ed25519
from testbed import Cluster, entitlement, jwt, wait_until, workloads
from testbed.api import ApiError

from . import evidence
from .lab import NAMESPACE, Lab, Run
from .witness import Seen, Witness

SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/{entitlement.SECRET_NAME}"
SERVER = f"{workloads.DEPLOYMENTS}/weave-gitops-enterprise-mccp-cluster-service"
WG = "ww-gitops-weave-gitops"
DAY = 86400
LOUD = "-vvvv"


@dataclass
class Entitled:
    """The cluster, the vendor's key, a stranger's, and all that was run here."""

    lab: Lab
    cluster: Cluster
    vendor: ed25519.Ed25519PrivateKey
    stranger: ed25519.Ed25519PrivateKey
    planted: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    # -- tokens

    def token(self, customer: str, days: float = 365) -> str:
        """One of the vendor's."""
        return self._plant(entitlement.issue(self.vendor, customer, time.time() + days * DAY))

    def strangers(self, customer: str) -> str:
        """One that WGE does not accept."""
        return self._plant(entitlement.issue(self.stranger, customer, time.time() + 365 * DAY))

    def forged(self) -> str:
        """The vendor's signature over other claims."""
        head, _claims, signature = self.token("honest@example.com").split(".")
        claims = {
            "licencedUntil": int(time.time()) + 9 * 365 * DAY,
            "iat": 1,
            "nbf": 1,
            "iss": entitlement.ISSUER,
            "sub": "forger@example.com",
        }
        body = jwt.encode(json.dumps(claims).encode())
        return self._plant(f"{head}.{body}.{signature}")

    def _plant(self, token: str) -> str:
        self.planted.append(token)
        return token

    # -- by hand

    def store(self, token: str | None) -> None:
        """The Secret as somebody else writes it; None: it is gone."""
        api = self.cluster.api()
        if token is None:
            try:
                api.delete(SECRET)
            except ApiError as error:
                if error.status != 404:
                    raise
        else:
            workloads.put_entitlement(api, token)

    def stored(self) -> dict[str, Any]:
        """The Secret as it is."""
        return dict(self.cluster.api().get(SECRET))

    def holds(self) -> str:
        """The token in it."""
        return base64.b64decode(self.stored()["data"]["entitlement"]).decode()

    def restart(self) -> None:
        """Make WGE read the Secret anew, as ``kubectl rollout restart`` does."""
        stamp = {"kubectl.kubernetes.io/restartedAt": f"{time.time_ns()}"}
        self.cluster.api().patch(SERVER, {"spec": {"template": {"metadata": {"annotations": stamp}}}})
        wait_until("WGE's new pod", lambda: workloads.rolled_out(self.cluster, SERVER), 60)

    def restarts(self) -> int:
        """A number that changes with each restart."""
        return int(self.cluster.api().get(SERVER)["metadata"]["generation"])

    def witness(self, name: str) -> Witness:
        """Load on the dashboard, from inside and outside."""
        found = Witness(self.cluster, self.lab.root / "witness" / name, (WG,), rate=10.5)
        wait_until("the witness at work", found.ready, 60)
        return found

    def leave(self, witness: Witness) -> Seen:
        """What it saw until now."""
        return witness.stop(time.time())

    # -- by our modules and playbooks

    def call(self, module: str, *words: str, variables: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """A module's result. Values that begin with ``$`` name one of ``variables``, as users keep secrets out of their playbooks."""
        given = {name: f"{{{{ {value[1:]} }}}}" if str(value).startswith("$") else value for name, value in options.items()}
        place = self.lab.root / f"call{len(self.runs)}"
        place.mkdir()
        connection = {"kubeconfig": str(self.lab.identity(self.cluster)), "public_keys": [self.public(self.vendor)]}
        tasks = [
            {f"weaveworks.wge.{module}": {**connection, **given}, "register": "found", "ignore_errors": True},
            {
                "ansible.builtin.copy": {"content": "{{ found | to_json }}", "dest": str(place / "result.json"), "mode": "0600"},
                "check_mode": False,
            },
        ]
        play = place / "play.yml"
        play.write_text(yaml.safe_dump([{"hosts": "fleet", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
        run = self.lab.run(play, {self.cluster.name: self.lab.host(self.cluster)}, LOUD, *words, variables=variables)
        self.runs.append(run)
        result = place / "result.json"
        assert result.exists(), run.text[-4000:]
        return dict(json.loads(result.read_text(encoding="utf-8")))

    def install(self, *words: str, **variables: Any) -> Run:
        """The playbook, to its end."""
        run = self.begin(*words, **variables).wait()
        self.runs.append(run)
        return run

    def begin(self, *words: str, **variables: Any) -> Run:
        """The playbook, begun."""
        hosts = {self.cluster.name: self.lab.host(self.cluster, **{f"wge_{name}": value for name, value in variables.items()})}
        return self.lab.start("install_entitlements", hosts, LOUD, *words)

    def writes(self, run: Run) -> list[str]:
        """What a run stored, by the API server's audit log."""
        return [evidence.told(call) for call in evidence.calls(self.cluster, run.began) if call.write]

    @staticmethod
    def public(key: ed25519.Ed25519PrivateKey) -> str:
        """Its public half in PEM."""
        return entitlement.public_pem(key)

    def left(self) -> dict[str, bytes]:
        """All that the runs printed, and every file they left; an inventory is the user's own."""
        files: list[Path] = [path for run in self.runs for path in run.folder.rglob("*") if path.is_file() and path.name != "inventory.yml"]
        files += self.lab.root.glob("call*/result.json")
        return {str(path): path.read_bytes() for path in files}


def entitled(lab: Lab, name: str) -> Entitled:
    """A cluster of this name with WG that the upgrade made WGE."""
    cluster = lab.cluster(name)
    run = lab.run("upgrade", {name: lab.host(cluster)})
    assert run.rc == 0, run.text[-4000:]
    return Entitled(lab, cluster, entitlement.load_key(lab.bed.paths.entitlement_key), ed25519.Ed25519PrivateKey.generate())
