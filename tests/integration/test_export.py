# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive of a real cluster: made by the playbook, opened by ansible-vault, refused when one byte of it is another."""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from testbed import Cluster

from integration import evidence
from integration.lab import NAMESPACE, ROOT, Lab, Run

sys.path.insert(0, str(ROOT / "build" / "collections"))  # beside those that came with Ansible

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.reading import contents_of
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings
from ansible_collections.weaveworks.wge.plugins.module_utils._packing import opened

CANARY = "c4n4ry-that-nobody-may-ever-see"
PASSWORD = "the vault's own password"
FLUX = "source.toolkit.fluxcd.io"
REPOSITORIES = f"/apis/{FLUX}/v1/namespaces/team/gitrepositories"
COUNT = 30


@dataclass
class Exported:
    """A run of the playbook, and its one archive."""

    run: Run
    cluster: Cluster
    before: dict[str, Any]
    environment: dict[str, str]

    @property
    def path(self) -> Path:
        (found,) = self.run.archive.iterdir()
        return found


def vault(password: str = PASSWORD) -> VaultLib:
    return VaultLib([("prod", VaultSecret(password.encode()))])


def open_with(password: str = PASSWORD) -> Any:
    return lambda content: vault(password).decrypt(content)


def _definition() -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "GitRepository", "listKind": "GitRepositoryList", "plural": "gitrepositories", "singular": "gitrepository"}
    spec = {"group": FLUX, "names": names, "scope": "Namespaced", "versions": [version]}
    meta = {"name": f"gitrepositories.{FLUX}"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": meta, "spec": spec}


def _live_in(cluster: Cluster) -> None:
    """Objects of Flux with Secrets, and labels that people put onto WG's Service."""
    api = cluster.api()
    api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", _definition())
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    _until_served(api)
    for number in range(COUNT):
        data = {"password": base64.b64encode(f"{CANARY}-{number}".encode()).decode()}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"key{number}"}, "data": data}
        api.create("/api/v1/namespaces/team/secrets", secret)
        meta = {"name": f"r{number}", "finalizers": ["finalizers.fluxcd.io"]}
        spec = {"url": "ssh://git@example.com/x", "secretRef": {"name": f"key{number}"}, "ignore": "", "include": []}
        api.create(REPOSITORIES, {"apiVersion": f"{FLUX}/v1", "kind": "GitRepository", "metadata": meta, "spec": spec})
    api.patch(_service(), {"metadata": {"labels": {"team": "platform"}, "annotations": {"people.example.com/note": "ours"}}})
    api.close()


def _until_served(api: Any) -> None:
    deadline = time.monotonic() + 30
    while api.find(REPOSITORIES) is None:
        assert time.monotonic() < deadline, "Flux's kind is not served"
        time.sleep(0.2)


def _service() -> str:
    return f"/api/v1/namespaces/{NAMESPACE}/services/ww-gitops-weave-gitops"


@pytest.fixture(scope="module")
def exported(lab: Lab) -> Iterator[Exported]:
    cluster = lab.cluster("export")
    _live_in(cluster)
    password = lab.root / "export-password"
    password.write_text(PASSWORD)
    environment = {"ANSIBLE_VAULT_IDENTITY_LIST": f"prod@{password}"}
    api = cluster.api()
    before = api.get(_service())
    run = lab.run("export", {"export": lab.host(cluster)}, "-vvvv", environment=environment)
    yield Exported(run, cluster, before, environment)
    api.close()


def test_the_playbook_makes_one_archive_and_writes_nothing_to_the_cluster(exported: Exported) -> None:
    assert exported.run.rc == 0, exported.run.text[-3000:]
    assert exported.path.is_dir()
    assert "not copied elsewhere" in exported.run.plain
    writes = [call for call in evidence.calls(exported.cluster, exported.run.began) if call.write]
    assert not writes


def test_the_archive_is_the_cluster(exported: Exported) -> None:
    contents = contents_of(opened(str(exported.path)), open_with())
    assert contents.manifest["cluster"]["uid"] == exported.cluster.uid
    assert contents.manifest["vault_id"] == "prod"
    entries = {entry.path: entry for entry in contents.entries}
    assert entries[_service()].read == exported.before
    spec = entries[_service()].clean["spec"]
    assert spec == exported.before["spec"], "addresses and node ports are kept"
    assert entries[_service()].clean["metadata"]["labels"]["team"] == "platform"
    assert len([path for path in entries if path.startswith(REPOSITORIES)]) == COUNT
    assert len([path for path in entries if path.startswith("/api/v1/namespaces/team/secrets/")]) == COUNT
    assert f"/api/v1/namespaces/{NAMESPACE}/secrets/sh.helm.release.v1.ww-gitops.v1" in entries
    assert contents.manifest["finalizers"] == {"finalizers.fluxcd.io": COUNT}
    repository = entries[f"{REPOSITORIES}/r0"]
    assert (repository.clean["spec"]["include"], repository.clean["spec"]["ignore"]) == ([], "")


def test_nobody_else_may_read_it(exported: Exported) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [exported.path, *exported.path.rglob("*")]}
    assert modes == {0o700, 0o600}


def test_ansible_vault_view_opens_a_member(exported: Exported) -> None:
    program = Path(sys.executable).parent / "ansible-vault"
    member = exported.path / "secrets" / "clean-0001.yaml"
    environment = {**os.environ, **exported.environment, "LC_ALL": "C.UTF-8"}
    done = subprocess.run([str(program), "view", str(member)], capture_output=True, check=True, env=environment)
    found = [item["metadata"]["name"] for item in yaml.safe_load_all(done.stdout)]
    assert {"cluster-user-auth", "key0"} <= set(found)


def test_no_secret_is_anywhere_but_in_the_vault(exported: Exported) -> None:
    """All that the run printed at -vvvv, and every file it left, the archive included."""
    plain = f"{CANARY}-0".encode()
    forms = [form[:30] for form in (plain, base64.b64encode(plain), base64.b64encode(base64.b64encode(plain)))]
    left = {str(path): path.read_bytes() for path in exported.run.folder.rglob("*") if path.is_file()}
    assert any(path.endswith("stdout") for path in left)
    assert not [path for path, content in left.items() for form in forms if form in content]
    assert plain in b"".join(vault().decrypt(path.read_bytes()) for path in exported.path.glob("secrets/*")).replace(
        base64.b64encode(plain), plain
    )


def test_one_byte_changed_in_any_member_is_refused(exported: Exported, tmp_path: Path) -> None:
    members = [path.relative_to(exported.path) for path in exported.path.rglob("*") if path.is_file()]
    assert len(members) > 20
    copy = tmp_path / "copy"
    shutil.copytree(exported.path, copy)
    for member in members:
        content = (copy / member).read_bytes()
        at = len(content) // 2
        (copy / member).write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(InvalidSettings, match="archive"):
            contents_of(opened(str(copy)), open_with())
        (copy / member).write_bytes(content)
    assert contents_of(opened(str(copy)), open_with()).entries


def test_without_a_vault_secret_the_export_stops_with_a_sentence(lab: Lab, exported: Exported) -> None:
    run = lab.run("export", {"export": lab.host(exported.cluster)}, environment={"ANSIBLE_VAULT_ENCRYPT_IDENTITY": ""})
    assert run.rc != 0
    assert "There is no vault secret to encrypt Secrets with. Give it with --vault-id" in run.plain
    assert not run.archive.exists()


def test_one_file_copied_by_a_command_is_the_same_archive(lab: Lab, exported: Exported, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    settings = {"wge_archive_format": "tar.gz", "wge_archive_copy_command": ["cp", "{path}", str(copies)], "wge_archive_scope": "install"}
    run = lab.run("export", {"export": lab.host(exported.cluster)}, variables=settings, environment=exported.environment)
    assert run.rc == 0, run.text[-3000:]
    (copied,) = copies.iterdir()
    contents = contents_of(opened(str(copied)), open_with())
    assert contents.manifest["scope"] == "install"
    assert not [entry for entry in contents.entries if entry.path.startswith(REPOSITORIES)]


@pytest.mark.parametrize("fails", [False, True])
def test_tasks_of_the_user_confirm_a_copy(lab: Lab, exported: Exported, tmp_path: Path, fails: bool) -> None:
    tasks = tmp_path / "copy.yml"
    copy = {"name": "Copy", "ansible.builtin.command": {"argv": ["cp", "-r", "{{ export_result.path }}", str(tmp_path / "copy")]}}
    tasks.write_text(json.dumps([{"name": "Fail", "ansible.builtin.fail": {"msg": "The bucket is gone."}} if fails else copy]))
    settings = {"wge_archive_copy_tasks": str(tasks)}
    run = lab.run("export", {"export": lab.host(exported.cluster)}, variables=settings, environment=exported.environment)
    assert (run.rc == 0) is not fails, run.text[-3000:]
    assert ("The bucket is gone." if fails else "copied elsewhere") in run.plain
    if not fails:
        assert contents_of(opened(str(tmp_path / "copy")), open_with()).entries


def test_check_mode_makes_nothing(lab: Lab, exported: Exported) -> None:
    run = lab.run("export", {"export": lab.host(exported.cluster)}, "--check", environment=exported.environment)
    assert run.rc == 0, run.text[-3000:]
    assert not run.archive.exists()
