# SPDX-License-Identifier: GPL-3.0-or-later
"""No byte of a Secret is in a snapshot, however it was packed, and no guess at one can be tried."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording import file
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.kinds import UNPACKED, Objects, packed
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.record import Entry, Record
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.redaction import Redactor
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import StandInCluster
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    HASH,
    NAMESPACE,
    RELEASE,
    WG_NAME,
    entitlement,
    release_secret,
    secret,
    wg_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_record import again, recorded
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import TOKEN
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
KEY = "-----BEGIN EC PRIVATE KEY-----\ncanary23\n-----END EC PRIVATE KEY-----"
KUBECONFIG = "kind: Config\nusers:\n- name: x\n  user:\n    token: canary20-in-a-kubeconfig\n    client-key-data: canary21==\n"


def planted(world: World) -> None:
    """Secrets in every place that a preflight reads, each with the word canary."""
    login = world.cluster.one("Secret", "cluster-user-auth")
    login["data"]["extra"] = base64.b64encode(b"canary01-in-login").decode()
    login["metadata"]["annotations"] = {LAST_APPLIED: json.dumps({**login, "stringData": {"x": "canary02"}})}
    oidc = {key: f"canary03-{key}" for key in ("clientID", "clientSecret", "issuerURL", "redirectURL", "username")}
    world.cluster.put(secret("oidc-auth", oidc))
    extra = {"username": "canary04", "password": "canary05-x", "token": '{"auths": {"r": {"auth": "canary06-abcdef"}}}'}
    given = entitlement()
    given["data"].update({key: base64.b64encode(value.encode()).decode() for key, value in extra.items()})
    world.cluster.put(given)
    deployment = world.cluster.one("Deployment", WG_NAME)
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "DB_PASSWORD", "value": "canary07"}, {"name": "MODE", "value": "canary05-x"}]
    container["args"] += ["--oidc-client-secret=canary08", "--some-token", "canary09", "--proxy=http://u:canary10@proxy"]
    deployment["metadata"]["annotations"][LAST_APPLIED] = json.dumps({"spec": {"env": [{"name": "API_TOKEN", "value": "canary11"}]}})
    world.controllers.settle()
    _plant_release(world)
    world.set(values={"config": {"password": "canary12", "list": [{"name": "SECRET_X", "value": "canary13"}]}})
    rendered = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"kubeconfig": KUBECONFIG, "key": KEY}}
    render = world.helm.render
    world.helm.render = lambda release: [rendered, secret("made", {"a": "canary14"}), *render(release)]


def _plant_release(world: World) -> None:
    objects = [*wg_objects(), secret("in-the-manifest", {"token": "canary15"})]
    config = {"adminUser": {"passwordHash": "canary16"}, "additionalArgs": ["--api-token=canary17"], "copy": "canary01-in-login"}
    chart = {"templates": [{"name": "t", "data": base64.b64encode(b"password: canary18").decode()}], "files": [{"data": "canary19"}]}
    world.cluster.put(release_secret(RELEASE, objects, config=config, chart=chart))


def texts(content: Any) -> Iterator[str]:
    """Every text in plain data, and every text that can be made of one by base64 and gzip, again and again."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from texts(key)
            yield from texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from texts(value)
    elif isinstance(content, str):
        yield content
        yield from _decoded(content)


def _decoded(text: str) -> Iterator[str]:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return
    try:
        data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        pass
    if len(data) > 3:
        found = data.decode(errors="replace")
        yield found
        yield from _decoded(found)


def test_no_secret_of_a_cluster_is_in_its_snapshot(world: World, tmp_path: Path) -> None:
    planted(world)
    record, evidence = recorded(world)
    assert evidence is not None
    path = tmp_path / "x.json"
    file.save(record, str(path))
    everything = "\n".join(texts(json.loads(path.read_text())))
    assert sorted({word for word in everything.split() if "canary" in word}) == []
    for word in (TOKEN, HASH, base64.b64encode(TOKEN.encode()).decode()):
        assert word not in everything


def test_what_is_judged_without_secrets_is_judged_the_same_with_them_hidden(world: World, tmp_path: Path) -> None:
    planted(world)
    record, evidence = recorded(world)
    assert evidence is not None
    _, findings = again(record, tmp_path / "x.json")
    assert {name: finding.status for name, finding in findings.items()} == {n: found.status for n, found in evidence.judged.items()}


def test_nothing_is_hidden_that_two_snapshots_would_share(world: World) -> None:
    record, _ = recorded(world)
    first, second = (_marks(file.redacted(record)) for _ in range(2))
    assert first
    assert not first & second


@pytest.mark.parametrize("guess", ["1234", "admin", "password"])
def test_a_guess_at_a_short_secret_cannot_be_tried(guess: str) -> None:
    mark = Redactor().mark(guess)
    for name in ("sha256", "sha1", "md5"):
        assert hashlib.new(name, guess.encode()).hexdigest()[:32] not in mark
    assert mark != Redactor().mark(guess)


def test_equal_secrets_stay_equal_and_an_empty_one_stays_empty() -> None:
    objects = Objects(Redactor())
    made = [objects.cleaned(secret(name, {"a": "same", "b": "same", "c": "other", "d": ""})) for name in ("x", "y")]
    data = made[0]["data"]
    assert data["a"] == data["b"] == made[1]["data"]["a"] != data["c"]
    assert data["d"] == ""
    assert base64.b64decode(data["a"]).startswith(b"hmac:")


def test_what_is_no_base64_is_none_afterwards_too() -> None:
    item = {**secret("x", {}), "data": {"a": "$$$"}}
    with pytest.raises(binascii.Error):
        base64.b64decode(Objects(Redactor()).cleaned(item)["data"]["a"], validate=True)


def test_a_release_that_cannot_be_read_is_hidden_as_a_whole() -> None:
    item = secret("sh.helm.release.v1.x.v1", {"release": "canary"})
    made = Objects(Redactor()).cleaned(item)
    assert UNPACKED not in made
    assert "canary" not in str(list(texts(made)))


def test_a_secret_without_its_kind_is_known_by_its_path() -> None:
    record = Record(answers={"LIST /api/v1/secrets": [Entry([{"metadata": {"name": "x"}, "data": {"a": "Y2FuYXJ5"}}])]})
    assert "canary" not in str(list(texts(file.redacted(record))))


def test_what_the_call_was_given_in_secret_is_hidden_wherever_it_stands() -> None:
    record = Record(answers={"RAW /x": [Entry({"status": 200, "headers": {}, "body": "you sent the-api-key"})]})
    assert "the-api-key" not in json.dumps(file.redacted(record, {"the-api-key"}))


def test_a_name_is_no_secret_even_when_a_secret_is_the_same_word() -> None:
    object_ = {"kind": "Pod", "metadata": {"name": "dashboard"}}
    login = secret("x", {"password": "dashboard"})
    record = Record(answers={"GET /pods/dashboard": [Entry(object_)], "GET /secrets/x": [Entry(login)]})
    found = file.redacted(record)["answers"]
    assert found["GET /pods/dashboard"][0]["answer"] == object_
    assert "dashboard" not in str(list(texts(found["GET /secrets/x"])))


def test_a_sentence_that_speaks_of_logins_hides_no_word_elsewhere() -> None:
    texts_ = {"note": "It offers basic authentication. Its password: flux-system"}
    record = Record(
        answers={"RAW /x": [Entry({"status": 200, "headers": {}, "body": texts_["note"]})], "GET /y": [Entry({"a": "authentications"})]}
    )
    assert file.redacted(record)["answers"]["GET /y"][0]["answer"] == {"a": "authentications"}


def test_references_to_secrets_are_kept() -> None:
    spec = {
        "imagePullSecrets": [{"name": "registry-login"}],
        "volumes": [{"name": "certificate", "secret": {"secretName": "dashboard-certificate"}}],
        "env": [{"name": "X_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "database-login", "key": "password"}}}],
        "args": ["--oidc-secret-name=oidc-auth", "--admin-secret", "other-login", "--tls-private-key-file=/certs/tls.key"],
    }
    assert Objects(Redactor()).cleaned(spec) == spec


def test_a_packed_release_is_what_helm_stores(world: World) -> None:
    item = world.cluster.one("Secret", f"sh.helm.release.v1.{RELEASE}.v1")
    made = Objects(Redactor()).cleaned(item)
    assert made[UNPACKED]["release"]["chart"]["metadata"]["version"] == "4.0.36"
    stored = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(packed(made)["data"]["release"]))))
    assert stored["name"] == RELEASE


def test_the_admin_s_name_is_kept_only_when_role_bindings_tell_it() -> None:
    def name_kept(users: set[str]) -> str:
        item = secret("cluster-user-auth", {"username": "operator", "password": "x"}, NAMESPACE)
        return base64.b64decode(Objects(Redactor(), users).cleaned(item)["data"]["username"]).decode()

    assert name_kept({"operator"}) == "operator"
    assert name_kept(set()).startswith("hmac:")


def test_what_is_recorded_is_not_changed_by_hiding(world: World) -> None:
    cluster: StandInCluster = world.cluster
    item: Object = cluster.one("Secret", "cluster-user-auth")
    before = json.dumps(item)
    Objects(Redactor()).cleaned(item)
    assert json.dumps(item) == before


def _marks(data: Any) -> set[str]:
    return {word for text in texts(data) for word in text.split() if word.startswith("hmac:")}
