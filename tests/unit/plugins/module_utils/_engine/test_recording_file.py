# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot's file: private, whole, and one sentence for each that is not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.names import TOOL
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording import file
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.again import replay
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.record import Record
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings, SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_record import recorded
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

ROOT = Path(__file__).parents[5]
NODES = "GET /api/v1/namespaces/kube-system"


@pytest.fixture
def path(world: World, tmp_path: Path) -> Path:
    """A good snapshot."""
    made = tmp_path / "x.json"
    file.save(recorded(world)[0], str(made))
    return made


def sentence(path: Path) -> str:
    with pytest.raises(InvalidSettings) as caught:
        file.load(str(path))
    assert caught.value.next_step
    assert "\n" not in str(caught.value)
    return caught.value.what


def test_it_is_one_json_document_for_its_owner_alone(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["schema"] == 1
    assert list(path.parent.iterdir()) == [path]


def test_a_name_that_ends_in_gz_makes_it_small(world: World, tmp_path: Path, path: Path) -> None:
    small = tmp_path / "x.json.gz"
    file.save(recorded(world)[0], str(small))
    assert small.stat().st_size < path.stat().st_size / 5
    assert file.load(str(small)).answers.keys() == file.load(str(path)).answers.keys()


def test_it_is_read_whatever_it_is_called(world: World, tmp_path: Path) -> None:
    small = tmp_path / "x.json.gz"
    file.save(recorded(world)[0], str(small))
    assert file.load(str(small.rename(tmp_path / "renamed"))).uid


def test_the_version_is_that_of_the_collection() -> None:
    assert f"version: {TOOL.split()[1]}\n" in (ROOT / "galaxy.yml").read_text()


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    assert sentence(tmp_path / "none") == f"The file {tmp_path}/none cannot be read: No such file or directory."


@pytest.mark.parametrize("content", [b"", b"not json", b"\xff\xfe", b"[" * 100000])
def test_what_is_no_json_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    assert sentence(tmp_path / "x") == f"The snapshot {tmp_path}/x is no JSON document, or a part of it is missing."


@pytest.mark.parametrize("part", [0.01, 0.5, 0.99])
def test_a_cut_file_is_one_sentence(path: Path, part: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    assert sentence(path) == f"The snapshot {path} is no JSON document, or a part of it is missing."


@pytest.mark.parametrize("cut", [3, 15, -20, -4])
def test_a_cut_or_changed_compressed_file_is_one_sentence(path: Path, cut: int) -> None:
    content = gzip.compress(path.read_bytes())
    path.write_bytes(content[:cut])
    assert sentence(path) == f"The snapshot {path} cannot be decompressed: it is damaged, or a part of it is missing."
    path.write_bytes(content[:50] + bytes([content[50] ^ 255]) + content[51:])
    assert "cannot be decompressed" in sentence(path)


def test_a_file_that_is_too_long_is_one_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(gzip.compress(path.read_bytes()))
    monkeypatch.setattr(file, "LARGEST_UNPACKED", 1000)
    assert sentence(path) == f"The snapshot {path} is longer than 1000 bytes when it is decompressed."
    monkeypatch.setattr(file, "LARGEST", 100)
    assert sentence(path) == f"The file {path} is longer than 100 bytes."


@pytest.mark.parametrize("content", ["[]", "{}", '{"schema": 1}', '"text"', '{"answers": {}}'])
def test_a_foreign_file_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "x").write_text(content)
    assert sentence(tmp_path / "x") == f"The file {tmp_path}/x is no snapshot of a preflight."


@pytest.mark.parametrize("schema", [2, 0, "1", None])
def test_another_schema_is_one_sentence(path: Path, schema: Any) -> None:
    change(path, lambda data: data.update(schema=schema))
    assert sentence(path) == f"The snapshot {path} has schema {schema!r}, this version reads 1."


@pytest.mark.parametrize(
    ("where", "how"),
    [
        ("settings", lambda d: d.update(settings=[])),
        ("settings", lambda d: d["settings"].update(entry_urls=5)),
        ("answers", lambda d: d.update(answers=[])),
        ("taken", lambda d: d.update(taken="")),
        ("taken", lambda d: d.pop("taken")),
        ("controller_time", lambda d: d.update(controller_time="yesterday")),
        ("skew", lambda d: d.update(skew=True)),
        ("grant", lambda d: d.update(grant={"source": "given"})),
        ("grant", lambda d: d["grant"]["judgement"].update(more=1)),
        ("judged", lambda d: d["judged"].update({"EN-01": ["pass"]})),
        ("judged", lambda d: d["judged"].update({"EN-01": ["great", "", ""]})),
        ("judged", lambda d: d["judged"].update({"EN-01": 5})),
        ("waivers", lambda d: d.update(waivers=[5])),
        ("ended", lambda d: d.update(ended={"class": "SystemExit", "what": "", "next_step": ""})),
        (f"the answer to {NODES}", lambda d: d["answers"].update({NODES: []})),
        (f"the answer to {NODES}", lambda d: d["answers"].update({NODES: [5]})),
        (f"the answer to {NODES}", lambda d: d["answers"].update({NODES: [{"answer": None, "took": ["x"]}]})),
        (f"the answer to {NODES}", lambda d: d["answers"].update({NODES: [{"answer": None, "at": "then"}]})),
        (f"the answer to {NODES}", lambda d: d["answers"].update({NODES: [{"answer": None, "error": {"class": "int"}}]})),
        (f"the answer to {NODES}", lambda d: d["answers"].update({NODES: [{"answer": None, "more": 1}]})),
        (f"the answer to {NODES}", lambda d: d["answers"].update({NODES: [{"answer": "text"}]})),
    ],
)
def test_a_changed_member_is_named_in_one_sentence(path: Path, where: str, how: Callable[[Any], Any]) -> None:
    change(path, how)
    assert sentence(path) == f"The snapshot {path} was changed after it was taken: {where} is not as it was written."


def test_an_object_that_was_changed_is_one_sentence_when_it_is_looked_at(path: Path) -> None:
    change(path, lambda d: d["answers"][NODES][0]["answer"].update(metadata="changed"))
    with pytest.raises(SafeStop, match=r"The objects in this snapshot cannot be read \(\w+\): it was changed"):
        replay(file.load(str(path)))


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidSettings, match=r"cannot be written"):
        file.save(Record(), str(tmp_path / "file" / "x.json"))


def change(path: Path, how: Callable[[Any], Any]) -> None:
    data = json.loads(path.read_text())
    how(data)
    path.write_text(json.dumps(data))
