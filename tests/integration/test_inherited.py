# SPDX-License-Identifier: GPL-3.0-or-later
"""Each setting of WG that is said to be kept arrives in WGE: both charts are rendered, row by row. No cluster is needed, only helm."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from testbed import charts, tools

ROOT = Path(__file__).resolve().parents[2]
if "ansible_collections" not in sys.modules:  # pytest has Ansible's own finder already
    sys.path.insert(0, str(ROOT / "build" / "collections"))

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.carried import fates  # noqa: E402
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.discover import Found, Installed  # noqa: E402
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.helm import merged  # noqa: E402
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.inherit import values_for  # noqa: E402
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.inherited import Row, all_rows  # noqa: E402

NAMESPACE = "flux-system"
Object = dict[str, Any]
OIDC = {"clientID": "wg", "clientSecret": "canary", "issuerURL": "https://dex", "redirectURL": "https://wg/oauth2/callback"}


@dataclass
class Rendered:
    """WGE as it is rendered with what it inherits."""

    objects: dict[tuple[str, str], Object]

    @property
    def config(self) -> dict[str, str]:
        """The environment that comes from the ConfigMap."""
        return dict(self.objects["ConfigMap", "wge-mccp-cluster-service"]["data"])

    @property
    def pod(self) -> Object:
        """The server's pod."""
        return dict(self.objects["Deployment", "wge-mccp-cluster-service"]["spec"]["template"]["spec"])

    @property
    def container(self) -> Object:
        """The server's container."""
        return dict(self.pod["containers"][0])

    def variable(self, name: str) -> Any:
        """A variable of the container: its value, or where it comes from. The last one of a name counts."""
        found = [entry for entry in self.container["env"] if entry["name"] == name]
        return (found[-1].get("value") or found[-1].get("valueFrom")) if found else None

    def kinds(self, kind: str) -> list[str]:
        """The names of the objects of a kind."""
        return [name for one, name in self.objects if one == kind]


@dataclass
class Case:
    """Values for WG (``given``) or further arguments (``flags``), keys of its Secrets, and what must be true of WGE then."""

    arrives: Callable[[Rendered], bool]
    given: Object = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass
class Charts:
    """Both charts, and what has been rendered of them."""

    folder: Path
    defaults: Object

    def render(self, chart: str, release: str, values: Object) -> dict[tuple[str, str], Object]:
        """The objects of a chart."""
        helm = tools.ensure(tools.HELM) / "helm"
        command = [str(helm), "template", release, str(self.folder / chart), "-n", NAMESPACE, "-f", "-"]
        done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=True)
        return {(item["kind"], item["metadata"]["name"]): item for item in yaml.safe_load_all(done.stdout) if item}

    def wg(self, case: Case) -> Installed:
        """WG as this chart installs it."""
        given = merged(case.given, {"additionalArgs": [*case.given.get("additionalArgs", []), *case.flags]} if case.flags else {})
        objects = self.render("weave-gitops", "ww-gitops", given)
        deployment = next(item for (kind, _name), item in objects.items() if kind == "Deployment")
        return Installed(Found(deployment, "helm", "ww-gitops"), values=merged(self.defaults, given), manifest=tuple(objects.values()))

    def wge(self, case: Case) -> Rendered:
        """WGE with what it inherits from that WG."""
        held = {"cluster-user-auth": {"username": "admin", "password": "hash"}, **case.secrets}
        secrets: dict[str, Object | None] = {
            name: {"data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}} for name, data in held.items()
        }
        return Rendered(self.render("mccp", "wge", values_for(self.wg(case), secrets, {})))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Charts:
    folder = tmp_path_factory.mktemp("charts")
    for name in ("weave-gitops", "mccp"):
        charts.put(name, folder / name)
    return Charts(folder, yaml.safe_load((folder / "weave-gitops" / "values.yaml").read_text(encoding="utf-8")))


def without_wgs_name(found: Rendered) -> bool:
    return not any("ww-gitops" in name or name == "other" for _kind, name in found.objects)


def own_images(found: Rendered) -> bool:
    return str(found.container["image"]).startswith("docker.io/weaveworks/weave-gitops-enterprise-clusters-service:")


def own_account(found: Rendered) -> bool:
    account = found.pod["serviceAccountName"]
    rights = [str(item) for (kind, _name), item in found.objects.items() if kind == "ClusterRoleBinding"]
    return account in found.kinds("ServiceAccount") and account != "mine" and any(f"'{account}'" in text for text in rights)


def plain(found: Rendered) -> bool:
    return found.config["NO_TLS"] == "true"


def encrypted(found: Rendered) -> bool:
    return found.config["NO_TLS"] == "false"


def measured(found: Rendered) -> bool:
    ports = [port["name"] for port in found.container["ports"]]
    return found.config["MONITORING_ENABLED"] == "true" and "monitoring" in ports


def no_ingress(found: Rendered) -> bool:
    return not found.kinds("Ingress")


def oidc_secret(found: Rendered) -> bool:
    wanted = {"OIDC_CLIENT_ID": "clientID", "OIDC_CLIENT_SECRET": "clientSecret"}
    return all(found.variable(name) == {"secretKeyRef": {"name": "oidc-auth", "key": key}} for name, key in wanted.items())


def listens(found: Rendered) -> bool:
    return bool(found.container["ports"][0] == {"name": "server", "containerPort": 8000})


def holds(name: str, value: str) -> Callable[[Rendered], bool]:
    """The server's environment says so."""
    return lambda found: found.config.get(name) == value


def knows(flag: str) -> Callable[[Rendered], bool]:
    """The server is not given a flag that it does not know."""
    return lambda found: not any(word.startswith(flag) for word in found.container["args"])


def oidc(key: str, text: str, arrives: Callable[[Rendered], bool]) -> Case:
    return Case(arrives, secrets={"oidc-auth": {**OIDC, key: text}})


def signed_in_as_before(found: Rendered) -> bool:
    return found.config["AUTH_METHODS"].split(",")[:1] == ["user-account"]


def serves_below(found: Rendered) -> bool:
    return "--route-prefix=/wg" in found.container["args"]


TLS = {"serverTLS": {"enable": True, "secretName": "mine"}}
CASES: dict[tuple[str, str], Case] = {
    ("value", "additionalArgs"): Case(serves_below, {"additionalArgs": ["--route-prefix=/wg"]}),
    ("value", "adminUser"): Case(signed_in_as_before, {"adminUser": {"create": True, "username": "admin", "passwordHash": "x"}}),
    ("value", "envVars"): Case(
        lambda found: found.variable("WEAVE_GITOPS_FEATURE_OIDC_BUTTON_LABEL") == "Us",
        {"envVars": [{"name": "WEAVE_GITOPS_FEATURE_OIDC_BUTTON_LABEL", "value": "Us"}]},
    ),
    ("value", "fullnameOverride"): Case(without_wgs_name, {"fullnameOverride": "other"}),
    ("value", "global"): Case(no_ingress, {"global": {"kubeVersion": "1.20"}}),
    ("value", "image.pullPolicy"): Case(own_images, {"image": {"pullPolicy": "Always"}}),
    ("value", "image.repository"): Case(own_images, {"image": {"repository": "mirror/wego-app"}}),
    ("value", "image.tag"): Case(own_images, {"image": {"tag": "v0.37.0"}}),
    ("value", "imagePullSecrets"): Case(
        lambda found: found.pod["imagePullSecrets"] == [{"name": "mirror"}], {"imagePullSecrets": [{"name": "mirror"}]}
    ),
    ("value", "ingress"): Case(no_ingress, {"ingress": {"enabled": True, "hosts": [{"host": "a", "paths": [{"path": "/"}]}]}}),
    ("value", "kubeVersion"): Case(no_ingress, {"kubeVersion": "1.20"}),
    ("value", "logLevel"): Case(lambda found: found.container["args"][-2:] == ["--log-level", "debug"], {"logLevel": "debug"}),
    ("value", "metrics"): Case(measured, {"metrics": {"enabled": True}}),
    ("value", "nameOverride"): Case(without_wgs_name, {"nameOverride": "other"}),
    ("value", "networkPolicy"): Case(lambda found: not found.kinds("NetworkPolicy"), {"networkPolicy": {"create": False}}),
    ("value", "oidcSecret"): Case(oidc_secret, {"oidcSecret": {"create": True, **OIDC}}, secrets={"oidc-auth": OIDC}),
    ("value", "rbac.create"): Case(own_account, {"rbac": {"create": False}}),
    ("value", "rbac.impersonationResources"): Case(own_account, {"rbac": {"impersonationResources": ["users"]}}),
    ("value", "serverTLS"): Case(encrypted, TLS),
    ("value", "service"): Case(
        lambda found: found.objects["Service", "clusters-service"]["spec"]["type"] == "ClusterIP", {"service": {"type": "LoadBalancer"}}
    ),
    ("value", "serviceAccount.create"): Case(own_account, {"serviceAccount": {"create": False}}),
    ("value", "serviceAccount.name"): Case(own_account, {"serviceAccount": {"name": "mine"}}),
    ("flag", "--auth-methods"): Case(
        lambda found: found.config["AUTH_METHODS"] == "token-passthrough", flags=("--auth-methods=token-passthrough",)
    ),
    ("flag", "--enable-metrics"): Case(measured, flags=("--enable-metrics",)),
    ("flag", "--host"): Case(knows("--host"), flags=("--host=0.0.0.0",)),
    ("flag", "--insecure"): Case(plain),
    ("flag", "--log-level"): Case(lambda found: found.container["args"][-2:] == ["--log-level", "error"], {"logLevel": "error"}),
    ("flag", "--metrics-address"): Case(measured, flags=("--metrics-address=:9999",)),
    ("flag", "--mtls"): Case(knows("--mtls"), flags=("--mtls",)),
    ("flag", "--notification-controller-address"): Case(knows("--notification"), flags=("--notification-controller-address=http://n",)),
    ("flag", "--port"): Case(listens, flags=("--port=9001",)),
    ("flag", "--tls-cert-file"): Case(encrypted, TLS),
    ("flag", "--tls-private-key-file"): Case(encrypted, TLS),
    ("flag", "--route-prefix"): Case(serves_below, flags=("--route-prefix=/wg",)),
    ("flag", "--oidc-secret-name"): Case(oidc_secret, flags=("--oidc-secret-name=oidc-auth",), secrets={"oidc-auth": OIDC}),
    ("variable", "WEAVE_GITOPS_FEATURE_CLUSTER"): Case(lambda found: found.variable("WEAVE_GITOPS_FEATURE_CLUSTER") == "true"),
    ("variable", "WEAVE_GITOPS_FEATURE_TENANCY"): Case(lambda found: found.variable("WEAVE_GITOPS_FEATURE_TENANCY") == "true"),
    ("variable", "WEAVE_GITOPS_AUTH_ENABLED"): Case(
        holds("INSECURE_NO_AUTHENTICATION_USER", ""), {"envVars": [{"name": "WEAVE_GITOPS_AUTH_ENABLED", "value": "true"}]}
    ),
    ("variable", "WEAVE_GITOPS_…"): Case(
        lambda found: found.variable("WEAVE_GITOPS_KUBE_CLIENT_TIMEOUT") == "9s",
        {"envVars": [{"name": "WEAVE_GITOPS_KUBE_CLIENT_TIMEOUT", "value": "9s"}]},
    ),
    ("secret", "cluster-user-auth username"): Case(signed_in_as_before),
    ("secret", "cluster-user-auth password"): Case(signed_in_as_before),
    ("secret", "oidc-auth issuerURL"): oidc("issuerURL", "https://idp", holds("OIDC_ISSUER_URL", "https://idp")),
    ("secret", "oidc-auth redirectURL"): oidc(
        "redirectURL", "https://x/oauth2/callback", holds("OIDC_REDIRECT_URL", "https://x/oauth2/callback")
    ),
    ("secret", "oidc-auth tokenDuration"): oidc("tokenDuration", "8h", holds("OIDC_TOKEN_DURATION", "8h")),
    ("secret", "oidc-auth claimUsername"): oidc("claimUsername", "sub", holds("OIDC_CLAIM_USERNAME", "sub")),
    ("secret", "oidc-auth claimGroups"): oidc("claimGroups", "roles", holds("OIDC_CLAIM_GROUPS", "roles")),
    ("secret", "oidc-auth oidcUsernamePrefix"): oidc("oidcUsernamePrefix", "idp:", holds("OIDC_USERNAME_PREFIX", "idp:")),
    ("secret", "oidc-auth oidcGroupsPrefix"): oidc("oidcGroupsPrefix", "idp:", holds("OIDC_GROUPS_PREFIX", "idp:")),
    ("secret", "oidc-auth customScopes"): oidc("customScopes", "openid, groups", holds("CUSTOM_OIDC_SCOPES", "openid,groups")),
    ("secret", "oidc-auth clientID"): Case(oidc_secret, secrets={"oidc-auth": OIDC}),
    ("secret", "oidc-auth clientSecret"): Case(oidc_secret, secrets={"oidc-auth": OIDC}),
}
KEPT = [row for row in all_rows() if row.fate == "kept"]
UNSUPPORTED = {"value": {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "a"}], "affinity": {"nodeAffinity": {}}, "replicaCount": 2}}


def named(row: Row) -> str:
    return f"{row.kind} {row.setting}"


def test_every_row_that_is_kept_is_tried() -> None:
    assert sorted(CASES) == sorted((row.kind, row.setting) for row in KEPT)


@pytest.mark.parametrize("row", KEPT, ids=named)
def test_a_kept_setting_arrives(both: Charts, row: Row) -> None:
    case = CASES[row.kind, row.setting]
    found = both.wge(case)
    assert case.arrives(found), yaml.safe_dump(found.container) + yaml.safe_dump(found.config)
    assert "canary" not in str(found.objects)


@pytest.mark.parametrize("row", [row for row in KEPT if row.kind in ("value", "flag")], ids=named)
def test_a_kept_setting_is_recognised_on_a_cluster(both: Charts, row: Row) -> None:
    case = CASES[row.kind, row.setting]
    found = fates(both.wg(case), both.defaults, case.given, "0.38.1")
    assert row.setting in [fate.name for fate in found if fate.kind == "kept"]


@pytest.mark.parametrize("row", [row for row in all_rows() if row.fate != "kept"], ids=named)
def test_an_unsupported_setting_says_why(row: Row) -> None:
    assert row.words


@pytest.mark.parametrize("row", [row for row in all_rows() if row.fate != "kept" and row.kind == "value"], ids=named)
def test_an_unsupported_value_is_named_when_somebody_gave_it(both: Charts, row: Row) -> None:
    given: Object = {}
    place = given
    *way, last = row.setting.split(".")
    for part in way:
        place = place.setdefault(part, {})
    place[last] = UNSUPPORTED["value"].get(
        last, {"some": "thing"} if last not in ("extraVolumes", "extraVolumeMounts") else [{"name": "x"}]
    )
    found = fates(both.wg(Case(lambda _found: True)), both.defaults, given, "0.38.1")
    assert (row.setting, row.fate) in [(fate.name, fate.kind) for fate in found]


@pytest.mark.parametrize("row", [row for row in all_rows() if row.fate != "kept" and row.kind == "flag"], ids=named)
def test_an_unsupported_flag_is_named_and_not_handed_on(both: Charts, row: Row) -> None:
    flag = row.setting.split(" ")[0]
    case = Case(knows(flag), flags=(f"{flag}=x",))
    found = fates(both.wg(case), both.defaults, {}, "0.38.1")
    assert (flag, row.fate) in [(fate.name, fate.kind) for fate in found]
    assert case.arrives(both.wge(case))


def test_the_login_by_token_is_not_opened_where_wg_had_none(both: Charts) -> None:
    assert both.wge(Case(plain)).config["AUTH_METHODS"] == "user-account"


def test_the_cluster_keeps_the_name_that_scripts_use(both: Charts) -> None:
    assert both.wge(Case(plain)).config["CLUSTER_NAME"] == "Default"
