# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.plugin_utils import _runfile


def test_records_of_many_workers_are_whole_lines(tmp_path: Path) -> None:
    path = _runfile.run_file(str(tmp_path / "reports"), "r1")
    children = []
    for worker in range(4):
        child = os.fork()
        if child == 0:
            for number in range(25):
                _runfile.append(path, {"host": f"c{worker}", "number": number, "text": "x" * 20000})
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    assert len(_runfile.records(path)) == 100
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "r1.jsonl"
    path.write_text('{"host":"c1"}\n{"host":"c2","resu')
    assert _runfile.records(str(path)) == [{"host": "c1"}]


def test_a_run_without_records_has_none(tmp_path: Path) -> None:
    assert _runfile.records(str(tmp_path / "none.jsonl")) == []


def test_a_report_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r1.json"
    _runfile.replace(str(path), "old")

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_runfile.os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        _runfile.replace(str(path), "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["r1.json"]
