# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the connection options and kubeconfigs."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings
from ansible_collections.weaveworks.wge.plugins.module_utils._kube import configuration
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.configuration import connection_from


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def kubeconfig(cluster: Any = None, user: Any = None, **changes: Any) -> dict[str, Any]:
    """A kubeconfig with one context called ``prod``."""
    return {
        "current-context": "prod",
        "clusters": [{"name": "c", "cluster": {"server": "https://api:6443/", **(cluster or {})}}],
        "users": [{"name": "u", "user": {"token": "secret"} if user is None else user}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        **changes,
    }


def written(folder: Path, content: Any, name: str = "kubeconfig") -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(folder / name)


def refusal(params: dict[str, Any], environ: dict[str, str] | None = None) -> str:
    with pytest.raises(InvalidSettings) as caught:
        connection_from(params, environ or {})
    assert caught.value.next_step
    return str(caught.value)


class TestOptions:
    def test_a_host_and_a_token_are_enough(self) -> None:
        found = connection_from({"host": "https://api:6443/", "api_key": "t"}, {})
        assert (found.server, found.user.token, found.verify) == ("https://api:6443", "t", True)

    def test_a_complete_host_stands_alone_even_beside_a_kubeconfig(self) -> None:
        found = connection_from({"host": "https://api", "api_key": "t", "kubeconfig": "/not/there"}, {})
        assert found.server == "https://api"

    def test_the_environment_is_read(self) -> None:
        found = connection_from({}, {"K8S_AUTH_HOST": "https://api", "K8S_AUTH_API_KEY": "t"})
        assert (found.server, found.user.token) == ("https://api", "t")

    def test_a_parameter_wins_over_the_environment(self) -> None:
        environ = {"K8S_AUTH_HOST": "https://other", "K8S_AUTH_API_KEY": "t"}
        assert connection_from({"host": "https://api"}, environ).server == "https://api"

    def test_none_and_empty_parameters_leave_the_environment_in_force(self) -> None:
        environ = {"K8S_AUTH_HOST": "https://api", "K8S_AUTH_API_KEY": "t"}
        assert connection_from({"host": None, "api_key": ""}, environ).user.token == "t"

    @pytest.mark.parametrize("name", ["validate_certs", "verify_ssl"])
    def test_certificates_go_unchecked_when_asked_under_either_name(self, name: str) -> None:
        assert connection_from({"host": "https://api", name: False}, {}).verify is False

    @pytest.mark.parametrize(("word", "verify"), [("0", False), ("False", False), ("no", False), ("off", True)])
    def test_only_three_words_of_the_environment_are_false(self, word: str, verify: bool) -> None:
        assert connection_from({"host": "https://api"}, {"K8S_AUTH_VERIFY_SSL": word}).verify is verify

    def test_a_flag_that_is_none_is_refused(self) -> None:
        assert "validate_certs is 'maybe'" in refusal({"host": "https://api", "validate_certs": "maybe"})

    def test_an_authority_is_read_from_its_file(self, tmp_path: Path) -> None:
        path = written(tmp_path, "PEM")
        assert connection_from({"host": "https://api", "ssl_ca_cert": path}, {}).authority == "PEM"

    def test_a_missing_authority_is_named(self) -> None:
        assert "/no/ca.crt" in refusal({"host": "https://api", "ca_cert": "/no/ca.crt"})

    def test_impersonation_is_taken_from_a_comma_list(self) -> None:
        found = connection_from({"host": "https://api"}, {"K8S_AUTH_IMPERSONATE_GROUPS": "a, b"})
        assert found.impersonate_groups == ("a", "b")

    def test_proxy_headers_come_from_parameters_and_environment(self) -> None:
        params = {"host": "https://api", "proxy": "http://p:1", "proxy_headers": {"proxy_basic_auth": "a:b"}}
        found = connection_from(params, {"K8S_AUTH_PROXY_HEADERS_USER_AGENT": "me"})
        assert found.proxy_headers == {"proxy-authorization": f"Basic {encoded('a:b')}", "user-agent": "me"}

    def test_proxy_headers_must_be_a_dictionary(self) -> None:
        assert "proxy_headers is not a dictionary" in refusal({"host": "https://api", "proxy_headers": "a"})

    @pytest.mark.parametrize(("no_proxy", "proxy"), [("example.org,corp", ""), ("else", "http://p:1"), ("*", "")])
    def test_no_proxy_switches_the_proxy_off_by_suffix(self, no_proxy: str, proxy: str) -> None:
        params = {"host": "https://api.corp:6443", "proxy": "http://p:1", "no_proxy": no_proxy}
        assert connection_from(params, {}).proxy == proxy

    def test_a_socks_proxy_is_refused_without_repeating_its_password(self) -> None:
        message = refusal({"host": "https://api", "proxy": "socks5://me:pass@p:1"})
        assert "'p:1' cannot be used" in message
        assert "pass" not in message

    def test_a_name_and_password_are_refused(self) -> None:
        assert "no supported Kubernetes accepts" in refusal({"host": "https://api", "username": "u", "password": "p"})

    def test_a_host_without_a_scheme_is_refused(self) -> None:
        assert "'api:6443' of the options has no scheme" in refusal({"host": "api:6443", "api_key": "t"})

    def test_an_option_that_must_be_a_text_is_refused_as_a_list(self) -> None:
        assert "option context is not a text" in refusal({"context": ["a"]})

    def test_a_kubeconfig_of_a_wrong_type_is_refused(self) -> None:
        assert "kubeconfig is a list" in refusal({"kubeconfig": ["a"]})

    def test_nothing_given_is_refused_although_a_default_kubeconfig_exists(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        written(tmp_path / ".kube", kubeconfig(), "config")
        monkeypatch.setenv("HOME", str(tmp_path))
        message = refusal({}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
        assert "name no cluster" in message
        assert "Give kubeconfig or context, or host" in message

    def test_a_context_alone_looks_in_the_default_kubeconfig(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        written(tmp_path / ".kube", kubeconfig(), "config")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert connection_from({"context": "prod"}, {}).server == "https://api:6443"

    def test_a_context_alone_looks_where_kubeconfig_points(self, tmp_path: Path) -> None:
        path = written(tmp_path, kubeconfig())
        assert connection_from({"context": "prod"}, {"KUBECONFIG": path}).server == "https://api:6443"

    def test_no_secret_is_shown_by_repr(self) -> None:
        shown = repr(connection_from({"kubeconfig": kubeconfig(), "proxy": "http://me:pw@p:1"}, {}))
        assert "secret" not in shown
        assert "pw" not in shown


class TestKubeconfig:
    def test_a_dictionary_is_taken(self) -> None:
        found = connection_from({"kubeconfig": kubeconfig()}, {})
        assert (found.server, found.user.token) == ("https://api:6443", "secret")
        assert found.where == "context 'prod' of the kubeconfig in the options"

    def test_the_cluster_and_user_entries_are_read(self) -> None:
        cluster = {
            "certificate-authority-data": encoded("CA"),
            "tls-server-name": "inner",
            "proxy-url": "http://p:1",
            "insecure-skip-tls-verify": True,
        }
        found = connection_from({"kubeconfig": kubeconfig(cluster, {"token": "t", "as": "x", "as-groups": ["g"]})}, {})
        assert (found.authority, found.server_name, found.proxy, found.verify) == ("CA", "inner", "http://p:1", False)
        assert (found.impersonate_user, found.impersonate_groups) == ("x", ("g",))

    def test_relative_paths_count_from_their_file(self, tmp_path: Path) -> None:
        written(tmp_path, "CA", "ca.crt")
        written(tmp_path, "token\n", "token")
        path = written(tmp_path, kubeconfig({"certificate-authority": "ca.crt"}, {"tokenFile": "token"}))
        found = connection_from({"kubeconfig": path}, {})
        assert found.authority == "CA"
        assert found.user.token_file == str(tmp_path / "token")

    def test_several_files_are_merged_and_the_first_wins(self, tmp_path: Path) -> None:
        first = written(tmp_path, {"contexts": [{"name": "x", "context": {"cluster": "c", "user": "v"}}]}, "1")
        users = [{"name": "v", "user": {"token": "v"}}]
        second = written(tmp_path, kubeconfig({"server": "https://two"}, users=users), "2")
        third = written(tmp_path, kubeconfig({"server": "https://three"}), "3")
        found = connection_from({"kubeconfig": f"{first}:{second}:/not/there:{third}", "context": "x"}, {})
        assert (found.server, found.user.token) == ("https://two", "v")

    def test_a_json_file_is_taken(self, tmp_path: Path) -> None:
        assert connection_from({"kubeconfig": written(tmp_path, json.dumps(kubeconfig()))}, {}).server

    def test_options_stand_above_the_kubeconfig(self, tmp_path: Path) -> None:
        params = {
            "kubeconfig": kubeconfig({"insecure-skip-tls-verify": True}),
            "host": "https://tunnel",
            "validate_certs": True,
            "ca_cert": written(tmp_path, "CA"),
        }
        found = connection_from(params, {})
        assert (found.server, found.verify, found.authority, found.user.token) == ("https://tunnel", True, "CA", "secret")

    def test_a_token_option_replaces_the_kubeconfigs_certificate(self) -> None:
        user = {"client-certificate-data": encoded("C"), "client-key-data": encoded("K")}
        found = connection_from({"kubeconfig": kubeconfig(user=user), "api_key": "t"}, {}).user
        assert (found.token, found.certificate) == ("t", "")

    def test_a_context_without_a_user_is_anonymous(self) -> None:
        contexts = [{"name": "prod", "context": {"cluster": "c"}}]
        assert connection_from({"kubeconfig": kubeconfig(contexts=contexts)}, {}).user.token == ""

    def test_a_missing_file_is_named(self) -> None:
        assert "The kubeconfig /not/there does not exist." in refusal({"kubeconfig": "/not/there"})

    def test_a_folder_is_refused(self, tmp_path: Path) -> None:
        assert "cannot be read: Is a directory" in refusal({"kubeconfig": str(tmp_path)})

    def test_a_file_that_is_not_yaml_is_refused_without_its_content(self, tmp_path: Path) -> None:
        message = refusal({"kubeconfig": written(tmp_path, "a: 1\ntoken: [secret\n")})
        assert "is not YAML (line 3" in message
        assert "secret" not in message

    def test_a_binary_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "k").write_bytes(b"\xff\xfe\x00")
        assert "is not YAML (it is not a text)" in refusal({"kubeconfig": str(tmp_path / "k")})

    def test_a_file_with_something_else_is_refused(self, tmp_path: Path) -> None:
        assert "it is not a dictionary" in refusal({"kubeconfig": written(tmp_path, "just words")})

    def test_an_unknown_context_lists_the_known_ones(self) -> None:
        message = refusal({"kubeconfig": kubeconfig(), "context": "prd"})
        assert "has no context 'prd'" in message
        assert "Name one of these in the option context: prod." in message

    def test_no_current_context_lists_the_known_ones(self) -> None:
        message = refusal({"kubeconfig": kubeconfig(**{"current-context": ""})})
        assert "has no current context" in message
        assert ": prod." in message

    def test_a_missing_cluster_entry_is_named(self) -> None:
        assert "names the cluster 'c', which is not there" in refusal({"kubeconfig": kubeconfig(clusters=[])})

    def test_a_context_without_a_cluster_is_refused(self) -> None:
        contexts = [{"name": "prod", "context": {"user": "u"}}]
        assert "names no cluster" in refusal({"kubeconfig": kubeconfig(contexts=contexts)})

    def test_a_missing_user_entry_is_named(self) -> None:
        assert "names the user 'u', which is not there" in refusal({"kubeconfig": kubeconfig(users=[])})

    def test_a_cluster_without_a_server_is_refused(self) -> None:
        assert "has no server" in refusal({"kubeconfig": kubeconfig({"server": ""})})

    @pytest.mark.parametrize("data", ["not base64!", "abc", encoded("x")[:-1] + "\x01"])
    def test_inline_data_that_is_not_base64_is_refused(self, data: str) -> None:
        message = refusal({"kubeconfig": kubeconfig({"certificate-authority-data": data})})
        assert "certificate-authority-data of context 'prod'" in message
        assert "is not a base64 text" in message

    def test_inline_data_may_be_wrapped(self) -> None:
        text = encoded("CA" * 50)
        wrapped = kubeconfig({"certificate-authority-data": f"{text[:40]}\n {text[40:]}"})
        assert connection_from({"kubeconfig": wrapped}, {}).authority == "CA" * 50

    def test_a_missing_authority_file_is_named(self) -> None:
        message = refusal({"kubeconfig": kubeconfig({"certificate-authority": "/no/ca.crt"})})
        assert "The file /no/ca.crt, certificate authority of context 'prod'" in message

    def test_an_auth_provider_is_refused(self) -> None:
        assert "auth-provider, which kubectl dropped" in refusal({"kubeconfig": kubeconfig(user={"auth-provider": {"name": "gcp"}})})

    def test_a_password_in_the_kubeconfig_is_refused(self) -> None:
        assert "a username and a password" in refusal({"kubeconfig": kubeconfig(user={"username": "u", "password": "p"})})

    def test_an_expired_client_certificate_is_refused(self, authority: Any) -> None:
        pair = authority.issue("me", days=-1)
        user = {"client-certificate-data": encoded(pair.certificate), "client-key-data": encoded(pair.key)}
        message = refusal({"kubeconfig": kubeconfig(user=user)})
        assert "The client certificate of context 'prod'" in message
        assert "expired on 20" in message

    def test_a_certificate_without_its_key_is_refused(self) -> None:
        user = {"client-certificate-data": encoded("C")}
        assert "The client key of context 'prod'" in refusal({"kubeconfig": kubeconfig(user=user)})


class TestExecEntries:
    V1 = "client.authentication.k8s.io/v1"

    def entry(self, **changes: Any) -> dict[str, Any]:
        return {"kubeconfig": kubeconfig(user={"exec": {"apiVersion": self.V1, "command": "aws", **changes}})}

    def test_a_program_is_read_but_not_run(self) -> None:
        found = connection_from(self.entry(args=["a", 1], env=[{"name": "X", "value": "1"}]), {"HOME": "/h"}).user.plugin
        assert found is not None
        assert (found.command, found.arguments) == ("aws", ("a", "1"))
        assert found.environment == {"HOME": "/h", "X": "1"}

    def test_a_relative_program_counts_from_the_kubeconfig(self, tmp_path: Path) -> None:
        path = written(tmp_path, self.entry(command="bin/login")["kubeconfig"])
        plugin = connection_from({"kubeconfig": path}, {}).user.plugin
        assert plugin is not None
        assert plugin.command == str(tmp_path / "bin/login")

    def test_an_old_version_is_refused(self) -> None:
        assert "has apiVersion 'client.authentication.k8s.io/v1alpha1'" in refusal(
            self.entry(apiVersion="client.authentication.k8s.io/v1alpha1")
        )

    def test_a_missing_command_is_refused(self) -> None:
        assert "names no command" in refusal(self.entry(command=""))

    def test_a_program_that_needs_a_terminal_is_refused(self) -> None:
        assert "nobody can be asked here" in refusal(self.entry(interactiveMode="Always"))


class TestInCluster:
    def test_it_is_used_only_when_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(configuration, "SERVICE_ACCOUNT", str(tmp_path))
        written(tmp_path, "CA", "ca.crt")
        written(tmp_path, "t", "token")
        environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
        found = connection_from({"kubeconfig": "in-cluster"}, environ)
        assert (found.server, found.authority) == ("https://[fd00::1]:443", "CA")
        assert found.user.token_file == str(tmp_path / "token")

    def test_outside_of_a_pod_it_is_refused(self) -> None:
        assert "we are not in a pod" in refusal({"kubeconfig": "in-cluster"})
