# SPDX-License-Identifier: GPL-3.0-or-later
"""A command of the user's copies an archive, and only when it says so is there a copy."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._copying import copy
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Interrupted, InvalidSettings

OPEN = "; rm -rf $HOME `id` "


def go_on() -> str:
    return ""


@pytest.mark.parametrize("named", [True, False])
def test_it_is_given_the_path_and_no_shell_reads_it(tmp_path: Path, named: bool) -> None:
    archive = tmp_path / f"a{OPEN}"
    archive.write_text("x")
    command = [sys.executable, "-c", "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[1] + '.copy')"]
    copy([*command, "{path}"] if named else command, str(archive), go_on)
    assert (tmp_path / f"a{OPEN}.copy").read_text() == "x"


def test_a_command_that_fails_is_named_with_its_last_line(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import sys; print('bucket is gone.', file=sys.stderr); sys.exit(3)"]
    with pytest.raises(InvalidSettings, match=r"ended with 3: bucket is gone\. The archive is .*copy it yourself"):
        copy(words, str(tmp_path), go_on)


def test_a_command_that_fails_without_a_word_is_named() -> None:
    with pytest.raises(InvalidSettings, match="'false' ended with 1: it said nothing"):
        copy(["false"], "x", go_on)


@pytest.mark.parametrize(("word", "reason"), [("/nowhere/at/all", "No such file or directory"), ("a\0b", "it holds a NUL byte")])
def test_a_command_that_cannot_be_run_is_named(word: str, reason: str) -> None:
    with pytest.raises(InvalidSettings, match=f"cannot be run: {reason}"):
        copy([word], "x", go_on)


def test_somebody_who_wants_to_stop_ends_it() -> None:
    began = time.monotonic()
    with pytest.raises(Interrupted, match=r"Stopped on request \(deadline\); the archive was not copied"):
        copy(["sleep", "60", "{path}0"], "0", lambda: "deadline")
    assert time.monotonic() - began < 5
