# SPDX-License-Identifier: GPL-3.0-or-later
"""What an archive is made of: two forms of each object, Secrets in the vault alone, members that never grow too long."""

from __future__ import annotations

import base64
import json

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive import members
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.cleaned import cleaned
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.members import VAULT_PLAINTEXT, hash_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.model import LONGEST_PLAINTEXT, MEMBER_NAME
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.reading import contents_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.archive.pieces import (
    CANARY,
    CONFIG_MAP,
    SECRET,
    decrypt,
    small_box,
    thing,
    written,
)


def test_no_byte_of_a_secret_is_outside_the_vault() -> None:
    for files in (written(small_box()), written(small_box(), None)):
        for form in (CANARY.encode(), base64.b64encode(CANARY.encode())):
            assert not [name for name, content in files.items() if form in content]
    assert CANARY.encode() in decrypt(written(small_box())["secrets/values.yaml"])


def test_members_are_called_as_a_reader_expects() -> None:
    names = set(written(small_box())) - {"manifest.json"}
    assert all(MEMBER_NAME.match(name) for name in names)
    assert names == {
        "objects/read/ConfigMap.yaml",
        "objects/clean/ConfigMap.yaml",
        "secrets/read-0001.yaml",
        "secrets/clean-0001.yaml",
        "secrets/values.yaml",
        "secrets/seal.yaml",
    }


def test_the_manifest_says_what_the_archive_is_of() -> None:
    manifest = json.loads(written(small_box())["manifest.json"])
    assert manifest["schema"] == 1
    assert manifest["tool_version"] == "weaveworks.wge 0.1.0"
    assert manifest["cluster"] == {"uid": "00000000-0000-0000-0000-00000000c1a0", "version": "v1.33.13"}
    assert (manifest["namespace"], manifest["release"], manifest["secrets"], manifest["vault_id"]) == (
        "flux-system",
        "ww-gitops",
        "vault",
        "prod",
    )
    assert [(kind["kind"], kind["plural"], kind["count"]) for kind in manifest["kinds"]] == [
        ("ConfigMap", "configmaps", 1),
        ("Secret", "secrets", 2),
    ]


def test_members_are_readable_and_begin_with_what_the_object_is() -> None:
    text = written(small_box())["objects/clean/ConfigMap.yaml"].decode()
    assert text == "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: apps\ndata:\n  a: '1'\n"


def test_a_member_that_would_grow_too_long_is_followed_by_another() -> None:
    box = small_box(*(thing(CONFIG_MAP, f"big{n}", data={"x": "y" * 900_000}) for n in range(6)))
    for number in range(3):
        box.add(SECRET, thing(SECRET, f"big{number}", data={"x": "y" * 700_000}, type="Opaque"))
    files = written(box)
    assert {"objects/read/ConfigMap.0002.yaml", "objects/clean/ConfigMap.0002.yaml", "secrets/read-0003.yaml"} <= set(files)
    plain = {name: decrypt(text) if name.startswith("secrets") else text for name, text in files.items()}
    assert max(map(len, plain.values())) <= LONGEST_PLAINTEXT
    assert max(len(text) for name, text in plain.items() if name.startswith("secrets")) <= VAULT_PLAINTEXT
    assert len(contents_of(files, decrypt).entries) == len(box)


def test_finalizers_are_kept_and_listed() -> None:
    item = thing(CONFIG_MAP, "held")
    item["metadata"]["finalizers"] = ["example.com/held"]
    files = written(small_box(item))
    assert json.loads(files["manifest.json"])["finalizers"] == {"example.com/held": 1}
    assert b"example.com/held" in files["objects/clean/ConfigMap.yaml"]


def test_hashes_tell_whether_a_secret_is_still_the_same_and_no_more() -> None:
    box = small_box()
    manifest = json.loads(written(box, None)["manifest.json"])
    assert (manifest["secrets"], manifest["vault_id"]) == ("hashes_only", "")
    found = manifest["hashes"]
    (path, secret), _two = box.objects(SECRET)
    assert found["secrets"][path] == hash_of(secret, bytes.fromhex(found["salt"]))
    assert found["rounds"] == members.ROUNDS
    secret["data"] = {"password": "b3RoZXI="}
    assert found["secrets"][path] != hash_of(secret, bytes.fromhex(found["salt"]))
    again = json.loads(written(box, None)["manifest.json"])["hashes"]
    assert again["salt"] != found["salt"]


def test_only_what_the_server_put_there_is_taken_off() -> None:
    servers = dict.fromkeys(("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"), "x")
    kept = {
        "name": "x",
        "labels": {},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
        "finalizers": ["a/b"],
        "ownerReferences": [{"uid": "u"}],
    }
    spec = {
        "clusterIP": "10.0.0.1",
        "clusterIPs": ["10.0.0.1"],
        "healthCheckNodePort": 30001,
        "ipFamilies": ["IPv4"],
        "loadBalancerIP": "192.0.2.1",
        "loadBalancerSourceRanges": [],
        "ports": [{"nodePort": 30901}],
        "selector": {},
    }
    item = {"apiVersion": "v1", "kind": "Service", "metadata": {**kept, **servers, "deletionTimestamp": "x"}, "spec": spec, "status": {}}
    assert cleaned(item) == {"apiVersion": "v1", "kind": "Service", "metadata": kept, "spec": spec}
    assert "uid" in item["metadata"], "the object itself is left as it was"
