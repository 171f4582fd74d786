# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive is read whole and unchanged, or not at all, with one sentence that says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.reading import contents_of
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.archive.pieces import (
    CANARY,
    CONFIG_MAP,
    decrypt,
    encrypt,
    resealed,
    small_box,
    thing,
    written,
)

FILES = written(small_box())
CLEAN = "objects/clean/ConfigMap.yaml"


def refused(files: dict[str, bytes], sentence: str) -> InvalidSettings:
    with pytest.raises(InvalidSettings, match=sentence) as caught:
        contents_of(files, decrypt)
    assert caught.value.next_step
    assert CANARY not in str(caught.value)
    return caught.value


def with_manifest(change: Callable[[dict[str, Any]], None]) -> dict[str, bytes]:
    manifest = json.loads(FILES["manifest.json"])
    change(manifest)
    return {**FILES, "manifest.json": json.dumps(manifest).encode()}


def test_every_object_comes_back_in_both_forms_with_its_path() -> None:
    found = contents_of(FILES, decrypt)
    assert [entry.path for entry in found.entries] == [
        "/api/v1/namespaces/apps/configmaps/settings",
        "/api/v1/namespaces/apps/secrets/one",
        "/api/v1/namespaces/apps/secrets/two",
    ]
    assert [entry.read["metadata"]["uid"] for entry in found.entries] == ["u-settings", "u-one", "u-two"]
    assert not any("uid" in entry.clean["metadata"] for entry in found.entries)
    assert found.manifest["run"] == "20261123-101500-5f3a1c"


def test_an_archive_without_secrets_gives_the_other_objects() -> None:
    found = contents_of(written(small_box(), None), decrypt)
    assert [entry.path for entry in found.entries] == ["/api/v1/namespaces/apps/configmaps/settings"]


def test_text_survives_as_it_is() -> None:
    odd = {"a": "=", "b": "2026-11-23", "c": "yes", "d": "a\nb\r\n\tc ", "e": "ü\u0085 \ufeff", "f": "", "g": "---\n...", "h": " x: 1"}
    box = small_box(thing(CONFIG_MAP, "odd", data=odd, empty={}, none=None, items=[], number=1.5, flag=True))
    entry = contents_of(written(box), decrypt).entries[0]
    assert (entry.read["data"], entry.clean["data"]) == (odd, odd)
    assert (entry.clean["empty"], entry.clean["items"], entry.clean["none"], entry.clean["flag"]) == ({}, [], None, True)


@pytest.mark.parametrize("name", sorted(FILES))
def test_one_byte_changed_anywhere_is_refused(name: str) -> None:
    content = FILES[name]
    for at in range(0, len(content), max(1, len(content) // 60)):
        refused({**FILES, name: content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]}, "archive")


@pytest.mark.parametrize("name", sorted(set(FILES) - {"manifest.json"}))
def test_a_member_that_is_missing_is_named(name: str) -> None:
    refused({key: value for key, value in FILES.items() if key != name}, f"The archive's member {name} is missing")


@pytest.mark.parametrize("name", sorted(set(FILES) - {"manifest.json"}))
def test_a_member_that_was_cut_off_is_named(name: str) -> None:
    refused({**FILES, name: FILES[name][:-7]}, f"The archive's member {name} has .* bytes instead of")


def test_half_an_archive_is_none() -> None:
    half = {key: value for key, value in FILES.items() if key != "manifest.json"}
    refused(half, r"There is no manifest\.json: this is not an archive, or one that was not finished")


def test_another_schema_is_named() -> None:
    refused(with_manifest(lambda manifest: manifest.update(schema=2)), "The archive has schema 2; this version reads schema 1")


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000])
def test_a_manifest_that_is_not_json_is_refused(content: bytes) -> None:
    refused({**FILES, "manifest.json": content}, "is not JSON")


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"schema": "1"}'])
def test_a_manifest_of_something_else_is_refused(content: bytes) -> None:
    refused({**FILES, "manifest.json": content}, "is not one of an archive")


@pytest.mark.parametrize(
    ("key", "value"),
    [("namespace", 1), ("cluster", "x"), ("secrets", "open"), ("members", [1]), ("members", [{"path": CLEAN}]), ("kinds", [{}])],
)
def test_a_manifest_without_what_it_needs_is_refused(key: str, value: Any) -> None:
    refused(with_manifest(lambda manifest: manifest.update({key: value})), f"has no valid '{key}'")


@pytest.mark.parametrize(
    "name", ["../x.yaml", "/etc/passwd", "objects/read/../../x.yaml", "objects/read/.hidden.yaml", "secrets/read-1.yaml", "a\0b"]
)
def test_a_member_with_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    changed = with_manifest(lambda manifest: manifest["members"].append({"path": name, "sha256": "", "bytes": 0}))
    refused(changed, "which no export makes")


def test_a_file_that_no_export_makes_is_refused() -> None:
    refused({**FILES, "notes.txt": b""}, r"The archive holds 'notes\.txt', which no export makes")


def test_a_member_that_the_manifest_does_not_name_is_refused() -> None:
    refused({**FILES, "secrets/read-0009.yaml": b""}, r"The archive holds secrets/read-0009\.yaml, which its manifest\.json does not name")


def test_what_git_keeps_beside_the_members_is_let_be() -> None:
    assert contents_of({**FILES, ".git/HEAD": b"ref", ".gitignore": b""}, decrypt).entries


def test_a_manifest_that_was_made_to_fit_is_refused_without_the_vault_secret() -> None:
    """Who has no vault secret can make hashes and digest fit, and not the seal."""
    forged = resealed(FILES, lambda manifest: manifest["cluster"].update(uid="another"))
    forged["secrets/seal.yaml"] = FILES["secrets/seal.yaml"]
    refused(resealed_rows(forged), r"manifest\.json is not the one that its export sealed")


def resealed_rows(files: dict[str, bytes]) -> dict[str, bytes]:
    """The row of the old seal put back into the manifest; its digest leaves that row out."""
    manifest, old = json.loads(files["manifest.json"]), json.loads(FILES["manifest.json"])
    seal = next(row for row in old["members"] if row["path"] == "secrets/seal.yaml")
    manifest["members"] = [seal if row["path"] == seal["path"] else row for row in manifest["members"]]
    return {**files, "manifest.json": (json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"a: [", "is not YAML"),
        (b"\x80", "is not YAML"),
        (f"a: *{CANARY}".encode(), "is not YAML"),
        (b"- 1", "holds something that is no object"),
        (b"kind: Secret\napiVersion: v1\n", "do not hold the same objects|that its manifest does not name"),
        (b"kind: Gadget\napiVersion: v1\nmetadata: {name: x}\n", "do not hold the same objects|that its manifest does not name"),
        (b"", "do not hold the same objects"),
    ],
)
def test_what_somebody_with_the_vault_secret_got_wrong_is_named(text: bytes, sentence: str) -> None:
    for name in ("objects__read__ConfigMap", "secrets__clean-0001"):
        content = encrypt(text) if name.startswith("secrets") else text
        refused(resealed(FILES, lambda _manifest: None, **{name: content}), sentence)


def test_one_object_more_in_the_other_form_is_refused() -> None:
    more = FILES[CLEAN] + b"---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: more}\n"
    refused(resealed(FILES, lambda _manifest: None, objects__clean__ConfigMap=more), "do not hold the same objects")


def test_an_object_that_the_manifest_has_no_place_for_is_refused() -> None:
    refused(resealed(FILES, lambda manifest: manifest["kinds"].clear()), r"holds an object that its manifest does not name")


def test_a_vault_member_that_unpacks_to_far_more_is_refused() -> None:
    long = encrypt(b"#" * (4 * 1024 * 1024 + 1))
    refused(resealed(FILES, lambda _manifest: None, **{"secrets__read-0001": long}), "holds more than 4194304 bytes")


def test_what_the_vault_says_is_passed_on() -> None:
    def wrong(_content: bytes) -> bytes:
        raise InvalidSettings("The password is wrong.", "Give another.")

    with pytest.raises(InvalidSettings, match="The password is wrong"):
        contents_of(FILES, wrong)
