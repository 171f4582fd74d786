# SPDX-License-Identifier: GPL-3.0-or-later
"""What a write is, whether it happened, and what of it may be shown."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import writes
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Release
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.names import RUN_LABEL

SERVICE = "/api/v1/namespaces/n/services/s"
SECRET = "/api/v1/namespaces/n/secrets/s"
RELEASE = Release("wge", "n", "./mccp", "0.38.1", {"password": "canary"})


def ours(run: str = "run-1") -> dict[str, Any]:
    return {"metadata": {"uid": "u1", "labels": {RUN_LABEL: run}}}


def test_a_create_is_done_when_the_object_carries_our_run() -> None:
    write = writes.create(ours(), SERVICE, "create it")
    assert write.is_applied(ours())
    assert not write.is_applied(ours("run-2"))
    assert not write.is_applied(None)


def test_a_create_may_be_sent_only_where_nothing_is() -> None:
    write = writes.create(ours(), SERVICE, "create it")
    assert write.may_be_sent(None)
    assert not write.may_be_sent(ours("run-2"))


def test_a_delete_is_done_when_the_object_is_gone_or_another() -> None:
    write = writes.delete(SERVICE, "u1", "delete it")
    assert write.is_applied(None)
    assert write.is_applied({"metadata": {"uid": "u2"}})
    assert not write.is_applied({"metadata": {"uid": "u1"}})


def test_a_delete_may_be_sent_only_to_the_object_it_means() -> None:
    write = writes.delete(SERVICE, "u1", "delete it")
    assert write.may_be_sent({"metadata": {"uid": "u1"}})
    assert not write.may_be_sent({"metadata": {"uid": "u2"}})
    assert not write.may_be_sent(None)


def test_a_patch_of_an_object_that_is_gone_is_neither_done_nor_to_be_sent() -> None:
    write = writes.patch(SERVICE, [{"op": "test", "path": "/a", "value": None}], [], "patch it")
    assert not write.is_applied(None)
    assert not write.may_be_sent(None)


def test_the_record_holds_what_takes_the_write_back() -> None:
    reverse = [{"op": "replace", "path": "/a", "value": 1}]
    record = writes.patch(SERVICE, [{"op": "replace", "path": "/a", "value": 2}], reverse, "patch it").record()
    assert record["reverse"] == reverse
    assert (record["verb"], record["path"], record["text"]) == ("patch", SERVICE, "patch it")


def test_the_intent_changes_with_what_is_sent() -> None:
    one = writes.patch(SERVICE, [{"op": "replace", "path": "/a", "value": 1}], [], "patch it").record()
    two = writes.patch(SERVICE, [{"op": "replace", "path": "/a", "value": 2}], [], "patch it").record()
    assert one["intent"] != two["intent"]


def test_the_record_of_a_secret_holds_no_byte_of_it() -> None:
    body = {**ours(), "data": {"entitlement": "canary"}}
    assert "canary" not in json.dumps(writes.create(body, SECRET, "create it").record())


def test_the_record_of_a_release_names_it_without_its_values() -> None:
    record = writes.install(RELEASE, SECRET, "install it").record()
    assert record["release"] == {"name": "wge", "namespace": "n"}
    assert "canary" not in json.dumps(record)


def test_a_shown_secret_has_its_keys_but_not_its_bytes() -> None:
    body = {**ours(), "data": {"entitlement": "canary"}, "stringData": {"more": "canary"}}
    shown = writes.create(body, SECRET, "create it").shown()
    assert shown["body"]["data"] == {"entitlement": "(hidden)"}
    assert "canary" not in json.dumps(shown)


def test_a_shown_patch_of_a_secrets_data_hides_the_bytes_and_shows_the_labels() -> None:
    operations = [{"op": "replace", "path": "/data/x", "value": "canary"}, {"op": "replace", "path": "/metadata/labels/a", "value": "b"}]
    shown = writes.patch(SECRET, operations, [], "patch it").shown()
    assert [op["value"] for op in shown["operations"]] == ["(hidden)", "b"]


def test_a_shown_object_that_is_no_secret_is_whole() -> None:
    body = {**ours(), "data": {"key": "value"}}
    assert writes.create(body, SERVICE, "create it").shown()["body"] == body


def test_a_shown_release_has_no_values() -> None:
    shown = writes.install(RELEASE, SECRET, "install it").shown()
    assert shown["release"] == {"name": "wge", "chart": "./mccp", "version": "0.38.1"}
    assert "canary" not in json.dumps(shown)
