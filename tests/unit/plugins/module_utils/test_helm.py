# SPDX-License-Identifier: GPL-3.0-or-later
"""The helm program, played by a small one that writes down what it was given."""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils import _helm
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Release
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import HelmFailed
from ansible_collections.weaveworks.wge.plugins.module_utils._helm import HelmProgram
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.connection import Connection, ExecPlugin, User
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.kubeconfig_text import kubeconfig_text

CONNECTION = Connection("https://api:6443", User(token="s3cret-token"), authority="CA", impersonate_user="bob")
RELEASE = Release("wge", "flux-system", "oci://charts/mccp", "0.38.1", {"config": {"clientSecret": "hunter22"}, "a": 1})

PROGRAM = """#!{python}
import json, os, sys
path = sys.argv[sys.argv.index("--kubeconfig") + 1]
told = {{
    "arguments": sys.argv[1:], "values": sys.stdin.read(), "environ": dict(os.environ), "session": os.getsid(0) == os.getpid(),
    "kubeconfig": [open(path).read() for _ in range(2)], "mode": os.stat(path).st_mode & 0o777,
}}
json.dump(told, open({told!r}, "w"))
{body}
"""


@pytest.fixture
def helm(tmp_path: Path) -> Callable[..., tuple[HelmProgram, Callable[[], dict[str, Any]]]]:
    """A helm that runs the Python ``body``, and a function that says what it was given."""

    def make(body: str = "", connection: Connection = CONNECTION, **settings: Any) -> Any:
        program, told = tmp_path / "helm", tmp_path / "told"
        program.write_text(PROGRAM.format(python=sys.executable, told=str(told), body=body))
        program.chmod(0o700)
        return HelmProgram(connection, program=str(program), **settings), lambda: json.loads(told.read_text())

    return make


def failure(action: Callable[[], Any]) -> str:
    with pytest.raises(HelmFailed) as caught:
        action()
    assert caught.value.next_step
    return caught.value.what


class TestCommands:
    def test_install_neither_waits_nor_takes_over(self, helm: Any) -> None:
        program, told = helm()
        program.install(RELEASE)
        given = told()["arguments"][2:]
        assert given == [
            *("install", "--namespace", "flux-system", "--version", "0.38.1", "--values", "-"),
            *("--", "wge", "oci://charts/mccp"),
        ]

    def test_values_come_on_standard_input_only(self, helm: Any) -> None:
        program, told = helm()
        program.install(RELEASE)
        assert json.loads(told()["values"]) == RELEASE.values
        assert "hunter22" not in json.dumps([told()["arguments"], told()["environ"]])

    def test_no_values_are_no_option(self, helm: Any) -> None:
        program, told = helm()
        program.install(Release("wge", "flux-system", "./mccp"))
        assert told()["arguments"][2:] == ["install", "--namespace", "flux-system", "--", "wge", "./mccp"]

    def test_the_kubeconfig_is_private_in_memory_and_can_be_read_twice(self, helm: Any, no_new_files: Path) -> None:
        program, told = helm()
        program.install(RELEASE)
        assert told()["mode"] == 0o600
        assert "s3cret-token" not in json.dumps([told()["arguments"], told()["environ"]])
        first, second = map(json.loads, told()["kubeconfig"])
        assert first == second
        assert first["users"][0]["user"] == {"token": "s3cret-token", "as": "bob"}

    def test_without_files_in_memory_nothing_stays_either(self, helm: Any, no_new_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(os, "memfd_create")
        program, told = helm()
        program.install(RELEASE)
        assert told()["mode"] == 0o600
        assert "s3cret-token" in told()["kubeconfig"][0]

    def test_nothing_of_the_environment_can_point_it_elsewhere(self, helm: Any) -> None:
        environ = {
            **os.environ,
            "HELM_KUBEAPISERVER": "https://other",
            "HELM_KUBETOKEN": "x",
            "HELM_NAMESPACE": "y",
            "HELM_DEBUG": "1",
            "HELM_REGISTRY_CONFIG": "/kept",
        }
        program, told = helm(environ=environ)
        program.install(RELEASE)
        names = [name for name in told()["environ"] if name.startswith("HELM_")]
        assert names == ["HELM_REGISTRY_CONFIG"]

    def test_it_has_a_session_of_its_own(self, helm: Any) -> None:
        program, told = helm()
        program.install(RELEASE)
        assert told()["session"] is True

    def test_template_asks_no_cluster(self, helm: Any) -> None:
        program, told = helm("print('kind: A\\n---\\n# empty\\n---\\nkind: B')")
        objects = program.template(RELEASE, kube_version="1.30", api_versions=["a/v1", "b/v1"])
        assert [item["kind"] for item in objects] == ["A", "B"]
        words = told()["arguments"]
        assert words[:4] == ["--kubeconfig", "/dev/null", "template", "--include-crds"]
        assert words[4:10] == ["--kube-version", "1.30", "--api-versions", "a/v1", "--api-versions", "b/v1"]

    def test_what_is_rendered_already_is_read_and_helm_is_not_asked(self, tmp_path: Path) -> None:
        path = tmp_path / "wge.yaml"
        path.write_text("kind: A\n---\n# empty\n---\nkind: B\n", encoding="ascii")
        program = HelmProgram(CONNECTION, program="/no/such/helm")
        release = Release("wge", "flux-system", "", rendered=str(path))
        assert [item["kind"] for item in program.template(release)] == ["A", "B"]

    def test_uninstall_names_the_release(self, helm: Any) -> None:
        program, told = helm()
        program.uninstall("wge", "flux-system")
        assert told()["arguments"][2:] == ["uninstall", "--namespace", "flux-system", "--", "wge"]

    def test_uninstalling_what_is_not_there_is_done(self, helm: Any) -> None:
        program, _ = helm("sys.exit('Error: uninstall: Release not loaded: wge: release: not found')")
        program.uninstall("wge", "flux-system")

    @pytest.mark.parametrize("said", ["v3.19.5", "v3.19.5+g8766e71", "3.19.5"])
    def test_the_version_is_asked_once(self, helm: Any, said: str) -> None:
        program, _ = helm(f"print({said!r})")
        assert program.version() == "3.19.5"
        told_file = Path(program._program).parent / "told"
        told_file.unlink()
        assert program.version() == "3.19.5"
        assert not told_file.exists()


class TestFailures:
    def test_a_missing_program_is_said(self) -> None:
        program = HelmProgram(CONNECTION, program="/no/helm")
        message = failure(program.version)
        assert message == "The helm program '/no/helm' cannot be started: No such file or directory."

    def test_its_last_error_is_repeated(self, helm: Any) -> None:
        program, _ = helm("sys.exit('WARNING: x\\nError: INSTALLATION FAILED: schema:\\n- (root): replicas is required\\n')")
        assert failure(lambda: program.install(RELEASE)) == (
            "helm install failed: INSTALLATION FAILED: schema: - (root): replicas is required."
        )

    def test_a_failure_without_words_is_said(self, helm: Any) -> None:
        program, _ = helm("sys.exit(3)")
        assert failure(lambda: program.uninstall("a", "b")) == "helm uninstall failed: it said nothing."

    def test_secrets_are_not_repeated(self, helm: Any) -> None:
        program, _ = helm("sys.exit('Error: bad value hunter22 with s3cret-token')")
        assert failure(lambda: program.install(RELEASE)) == "helm install failed: bad value *** with ***."

    def test_a_rendering_that_is_not_yaml_is_said(self, helm: Any) -> None:
        program, _ = helm("print('a: [')")
        assert "What helm rendered of oci://charts/mccp cannot be read" in failure(lambda: program.template(RELEASE))

    @pytest.mark.parametrize("chart", ["", "--post-renderer=x"])
    def test_a_chart_that_is_none_is_refused(self, helm: Any, chart: str) -> None:
        program, _ = helm()
        assert "is not one" in failure(lambda: program.install(Release("wge", "flux-system", chart)))

    def test_one_that_hangs_is_asked_to_end_first(self, helm: Any, tmp_path: Path) -> None:
        body = "import signal, time\n"
        body += f"signal.signal(signal.SIGTERM, lambda *_: (open({str(tmp_path / 'asked')!r}, 'w'), sys.exit(1)))\n"
        program, _ = helm(body + "time.sleep(30)", time_limit=1.0)
        began = time.monotonic()
        assert "did not end within 1 s" in failure(lambda: program.install(RELEASE))
        assert time.monotonic() - began < 10
        assert (tmp_path / "asked").exists()

    def test_one_that_does_not_listen_is_killed(self, helm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_helm, "_GRACE", 0.3)
        body = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(30)"
        program, _ = helm(body, time_limit=1.0)
        began = time.monotonic()
        assert "did not end" in failure(lambda: program.install(RELEASE))
        assert time.monotonic() - began < 10


class TestKubeconfig:
    def test_what_the_options_say_is_in_it(self) -> None:
        plugin = ExecPlugin("/bin/aws", ("a",), "v1", {}, {"X": "1"}, {"server": "s", "config": {"k": 1}})
        connection = Connection(
            "https://api:6443",
            User(plugin=plugin),
            authority="CA",
            server_name="inner",
            proxy="http://p:1",
            proxy_headers={"proxy-authorization": "Basic " + base64.b64encode(b"me:a b").decode()},
            impersonate_user="bob",
            impersonate_groups=("g",),
        )
        config = json.loads(kubeconfig_text(connection))
        assert config["clusters"][0]["cluster"] == {
            "server": "https://api:6443",
            "certificate-authority-data": base64.b64encode(b"CA").decode(),
            "tls-server-name": "inner",
            "proxy-url": "http://me:a%20b@p:1",
            "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"k": 1}}],
        }
        user = config["users"][0]["user"]
        assert (user["as"], user["as-groups"]) == ("bob", ["g"])
        assert user["exec"] == {
            "apiVersion": "v1",
            "command": "/bin/aws",
            "args": ["a"],
            "env": [{"name": "X", "value": "1"}],
            "interactiveMode": "Never",
            "provideClusterInfo": True,
        }

    def test_files_stay_files(self) -> None:
        user = json.loads(kubeconfig_text(Connection("https://a", User(token_file="/t", certificate_file="/c", key_file="/k"))))
        assert user["users"][0]["user"] == {"tokenFile": "/t", "client-certificate": "/c", "client-key": "/k"}

    def test_an_unchecked_server_has_no_authority(self) -> None:
        cluster = json.loads(kubeconfig_text(Connection("https://a", verify=False, authority="CA")))["clusters"][0]["cluster"]
        assert cluster == {"server": "https://a", "insecure-skip-tls-verify": True}
