# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials, certificates and TLS settings."""

from __future__ import annotations

import json
import os
import ssl
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings, Unauthorised
from ansible_collections.weaveworks.wge.plugins.module_utils._kube import credentials, exec_plugin, libraries, tls
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.certificates import not_after
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.connection import ExecPlugin, User
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.credentials import Credentials

V1 = "client.authentication.k8s.io/v1"


class Now:
    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


def plugin(tmp_path: Path, body: str, **changes: Any) -> User:
    """A user whose credential program is the Python ``body``; it can count its runs in the file ``runs``."""
    program = tmp_path / "login"
    program.write_text(f"#!{sys.executable}\nimport json, os, sys\nopen({str(tmp_path / 'runs')!r}, 'a').write('x')\n{body}")
    program.chmod(0o700)
    settings = {"command": str(program), "arguments": (), "api_version": V1, "environment": dict(os.environ), **changes}
    return User(where="context 'prod'", plugin=ExecPlugin(**settings))


def printing(status: Any, version: str = V1) -> str:
    answer = json.dumps({"kind": "ExecCredential", "apiVersion": version, "status": status})
    return f"print({answer!r})\n"


def printing_result_of(expression: str) -> str:
    """A program that works its status out when it runs."""
    return f"print(json.dumps({{'kind': 'ExecCredential', 'apiVersion': {V1!r}, 'status': {expression}}}))\n"


def runs(tmp_path: Path) -> int:
    return len((tmp_path / "runs").read_text())


class TestPlugin:
    def test_its_token_is_used(self, tmp_path: Path) -> None:
        assert Credentials(plugin(tmp_path, printing({"token": "t"}))).current().token == "t"

    def test_it_runs_once_for_many_requests(self, tmp_path: Path) -> None:
        found = Credentials(plugin(tmp_path, printing({"token": "t"})))
        assert found.current() is found.current()
        assert runs(tmp_path) == 1

    def test_it_runs_again_ten_seconds_before_the_end(self, tmp_path: Path) -> None:
        now = Now()
        body = "n = os.path.getsize(os.path.join(os.path.dirname(__file__), 'runs'))\n"
        body += printing_result_of("{'token': f't{n}', 'expirationTimestamp': '2027-01-15T08:01:00Z'}")  # now + 60 s
        found = Credentials(plugin(tmp_path, body), now=now)
        assert found.current().token == "t1"
        now.seconds += 49
        assert found.current().token == "t1"
        now.seconds += 2
        assert found.current().token == "t2"

    def test_a_hiccup_before_the_real_end_keeps_the_old_one(self, tmp_path: Path) -> None:
        now = Now()
        body = "if os.path.getsize(os.path.join(os.path.dirname(__file__), 'runs')) > 1: sys.exit(1)\n"
        found = Credentials(plugin(tmp_path, body + printing({"token": "t", "expirationTimestamp": "2027-01-15T08:01:00Z"})), now=now)
        first = found.current()
        now.seconds += 55
        assert found.current() is first
        now.seconds += 10
        with pytest.raises(Unauthorised):
            found.current()

    def test_it_runs_again_after_a_401(self, tmp_path: Path) -> None:
        found = Credentials(plugin(tmp_path, "import uuid\n" + printing_result_of("{'token': str(uuid.uuid4())}")))
        first = found.current()
        assert found.renew(first) is True
        assert found.renew(first) is True, "a second thread with the same old identity"
        assert runs(tmp_path) == 2

    def test_it_learns_the_cluster_and_that_nobody_can_be_asked(self, tmp_path: Path) -> None:
        body = printing_result_of("{'token': os.environ['KUBERNETES_EXEC_INFO']}")
        told = json.loads(Credentials(plugin(tmp_path, body, cluster={"server": "https://a"})).current().token)
        assert told["spec"] == {"interactive": False, "cluster": {"server": "https://a"}}

    def test_its_certificate_ends_the_identity(self, tmp_path: Path, authority: Any) -> None:
        pair = authority.issue("me")
        found = Credentials(plugin(tmp_path, printing({"clientCertificateData": pair.certificate, "clientKeyData": pair.key}))).current()
        assert found.expires is not None

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ("sys.exit('first\\nToken has expired')", "ended with code 1: Token has expired"),
            ("sys.exit(3)", "ended with code 3: it said nothing"),
            ("print('hello')", "did not print JSON"),
            ("print('{}')", "did not print an ExecCredential"),
            (printing({"token": "t"}, "v0"), "answered in version 'v0'"),
            (printing({}), "neither a token nor a client certificate"),
            (printing(None), "neither a token nor a client certificate"),
        ],
    )
    def test_what_it_does_wrong_is_said(self, tmp_path: Path, body: str, words: str) -> None:
        with pytest.raises(Unauthorised, match=words) as caught:
            Credentials(plugin(tmp_path, body)).current()
        assert "of context 'prod'" in caught.value.what
        assert caught.value.next_step

    def test_a_missing_program_repeats_the_hint(self, tmp_path: Path) -> None:
        user = plugin(tmp_path, "", command="/no/aws", install_hint="Install the AWS CLI.")
        with pytest.raises(Unauthorised, match=r"/no/aws .* cannot be started: No such file") as caught:
            Credentials(user).current()
        assert caught.value.next_step == "Install the AWS CLI."

    def test_one_that_hangs_is_ended(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(exec_plugin, "TIME_LIMIT", 0.2)
        with pytest.raises(Unauthorised, match="did not end within"):
            Credentials(plugin(tmp_path, "import time; time.sleep(30)")).current()

    def test_checking_settings_does_not_run_it(self, tmp_path: Path) -> None:
        credentials.check(plugin(tmp_path, printing({"token": "t"})))
        assert not (tmp_path / "runs").exists()


class TestFiles:
    def test_a_token_file_is_read_again(self, tmp_path: Path) -> None:
        now, path = Now(), tmp_path / "token"
        path.write_text("one\n")
        found = Credentials(User(token_file=str(path)), now=now)
        assert found.current().token == "one"
        path.write_text("two\n")
        assert found.current().token == "one"
        now.seconds += 60
        assert found.current().token == "two"

    def test_a_token_file_that_is_missing_is_named(self) -> None:
        with pytest.raises(InvalidSettings, match="/no/token, token of the options, does not exist"):
            Credentials(User(token_file="/no/token")).current()

    def test_a_401_does_not_repeat_an_unchanged_token(self) -> None:
        found = Credentials(User(token="t"))
        assert found.renew(found.current()) is False


class TestCertificates:
    @pytest.mark.parametrize("year", [0, 2049, 2050, 2099])
    def test_the_end_is_read(self, authority: Any, year: int) -> None:
        pem = authority.issue("me", year=year).certificate
        from cryptography import x509

        assert not_after(f"some words\n{pem}") == x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc

    @pytest.mark.parametrize("text", ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
    def test_what_is_none_has_no_end(self, text: str) -> None:
        assert not_after(text) is None

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("2027-01-15T08:00:00Z", 1_800_000_000.0),
            ("2027-01-15T09:00:00.123456789+01:00", 1_800_000_000.0),
            ("", None),
            ("soon", None),
        ],
    )
    def test_times_of_programs_are_read(self, text: str, seconds: float | None) -> None:
        assert exec_plugin.seconds_of(text) == seconds


class TestTls:
    def test_a_key_pair_leaves_no_file(self, authority: Any, no_new_files: Path) -> None:
        pair = authority.issue("me")
        context = tls.context_for(verify=True, authority=authority.certificate, certificate=pair.certificate, key=pair.key)
        assert isinstance(context, ssl.SSLContext)

    def test_without_files_in_memory_a_short_lived_one_is_used(
        self, authority: Any, no_new_files: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(os, "memfd_create")
        pair = authority.issue("me")
        tls.context_for(verify=False, authority="", certificate=pair.certificate, key=pair.key)

    def test_the_short_lived_file_is_ours_alone(self, no_new_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(os, "memfd_create")
        with tls.readable_path(b"secret") as (path, descriptors):
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
            assert Path(path).read_bytes() == b"secret"
            assert descriptors == ()

    def test_the_file_in_memory_is_ours_alone(self) -> None:
        with tls.readable_path(b"secret") as (path, _):
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600

    def test_a_pair_that_does_not_belong_together_is_refused(self, authority: Any, no_new_files: Path) -> None:
        with pytest.raises(InvalidSettings, match="of here are not a pair"):
            tls.context_for(
                verify=False,
                authority="",
                certificate=authority.issue("a").certificate,
                key=authority.issue("b").key,
                where="here",
            )

    def test_a_key_with_a_passphrase_is_refused(self, authority: Any) -> None:
        from cryptography.hazmat.primitives import serialization

        pair = authority.issue("a")
        key = serialization.load_pem_private_key(pair.key.encode(), None)
        locked = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"x"),
        )
        with pytest.raises(InvalidSettings, match="protected by a passphrase"):
            tls.context_for(verify=False, authority="", certificate=pair.certificate, key=locked.decode())

    def test_an_authority_that_is_none_is_refused(self) -> None:
        with pytest.raises(InvalidSettings, match="authority of here is not a PEM"):
            tls.context_for(verify=True, authority="words", where="here")


class TestLibraries:
    def test_a_missing_urllib3_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(libraries, "urllib3", None)
        with pytest.raises(InvalidSettings, match="The Python library urllib3 is missing") as caught:
            libraries.require_urllib3()
        assert "-m pip install urllib3" in caught.value.next_step

    def test_a_missing_pyyaml_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(libraries, "yaml", None)
        with pytest.raises(InvalidSettings, match="The Python library PyYAML is missing"):
            libraries.parse_yaml("a: 1")
