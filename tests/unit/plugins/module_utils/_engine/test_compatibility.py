# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of versions: what is shipped, what a user gives, and what follows from it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.compatibility import Matrix, missing, triple
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.compatibility_data import table
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.compatibility_table import known, matrix_from, matrix_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.settings import settings_from
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings

SHIPPED = Path(__file__).resolve().parents[5] / "roles" / "preflight" / "files" / "compatibility.yml"
HELM, SOURCE = "helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"
Spoil = Callable[[dict[str, Any]], object]


def way(start: str, goal: str) -> list[str]:
    matrix = known()
    wg, wge = matrix.wg_release(start), matrix.wge_release(goal)
    assert wg is not None
    assert wge is not None
    return matrix.way(wg, wge)


def test_the_python_copy_is_what_the_file_says() -> None:
    assert table() == yaml.safe_load(SHIPPED.read_text()), "run tests/gates/compatibility.py"


def test_the_shipped_file_holds_its_schema() -> None:
    matrix = matrix_of(str(SHIPPED))
    assert matrix == known()
    assert (matrix.newest_wge, len(matrix.wge), len(matrix.wg)) == ("0.38.1", 43, 48)


def test_every_version_of_wge_names_a_wg_and_what_it_reads_of_flux() -> None:
    for release in known().wge:
        assert triple(release.contains), release
        assert release.apis, release


@pytest.mark.parametrize(
    ("start", "goal", "over"),
    [
        ("0.38.0", "0.38.1", []),
        ("0.30.0", "0.38.1", []),
        ("0.24.0", "0.38.1", ["0.30.0"]),
        ("0.19.0", "0.38.1", ["0.30.0"]),
        ("0.24.0", "0.29.1", ["0.29.0"]),
        ("0.8.1", "0.38.1", ["0.9.3", "0.9.5", "0.30.0"]),
    ],
)
def test_the_way_goes_over_the_first_version_of_each_generation_that_both_products_have(start: str, goal: str, over: list[str]) -> None:
    assert way(start, goal) == [start, *over, goal]


def test_what_a_mirror_puts_behind_a_version_counts_for_nothing() -> None:
    found = known().wge_release("0.38.1-corp.2")
    assert found
    assert found.version == "0.38.1"
    assert known().wge_release("latest") is None
    assert known().wge_release("") is None


def test_a_chart_tells_the_newest_wg_that_came_with_it() -> None:
    found = known().wg_of_chart("4.0.29")
    assert found
    assert found.version == "0.31.2"
    shared_with_a_candidate = known().wg_of_chart("4.0.36")
    assert shared_with_a_candidate
    assert shared_with_a_candidate.version == "0.38.0"
    assert known().wg_of_chart("") is None


def test_a_source_controller_tells_its_flux() -> None:
    assert known().flux_of("v1.0.1") == "2.0.1"
    assert known().flux_of("v1.3.7") == "2.3.x"
    assert known().flux_of("0.35.1") == "0.40.0"
    assert known().flux_of("v9.9.9") == known().flux_of("latest") == ""


def test_of_a_group_that_is_not_there_nothing_is_missing() -> None:
    release = known().wge_release("0.38.1")
    assert release
    assert missing(release, {f"{SOURCE}/v1", f"{SOURCE}/v1beta2"}) == []
    assert missing(release, {f"{HELM}/v2"}) == [f"{HELM}/v2beta1"]


def test_the_newest_wge_that_reads_what_is_served() -> None:
    old = {f"{HELM}/v2beta1", f"{SOURCE}/v1beta2", "kustomize.toolkit.fluxcd.io/v1beta2"}
    assert known().fitting(old) == "0.21.2"
    assert known().fitting({f"{HELM}/v2"}) == ""


def test_a_newer_table_may_be_a_file_or_the_mapping_itself(tmp_path: Path) -> None:
    newer = table()
    newer["wge_releases"].append({**newer["wge_releases"][-1], "version": "0.40.0"})
    file = tmp_path / "newer.yml"
    file.write_text(yaml.safe_dump(newer))
    for given in (newer, str(file)):
        assert settings_from({"compatibility": given}).compatibility.newest_wge == "0.40.0"
    assert settings_from({"compatibility": ""}).compatibility == known()


def test_keys_that_are_not_judged_are_passed_over() -> None:
    given = table()
    given["wge_releases"][0]["features"] = {"tls_value": False}
    assert matrix_of({**given, "title": "x"}) == known()


def _drop(*way: str | int) -> Spoil:
    def spoil(given: dict[str, Any]) -> object:
        place: Any = given
        for key in way[:-1]:
            place = place[key]
        return place.pop(way[-1])

    return spoil


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda given: given.update(schema_version=2), "wge_compatibility has schema_version 2, not 1."),
        (_drop("wg_releases"), "wge_compatibility has no list wg_releases."),
        (lambda given: given.update(flux_releases=[]), "wge_compatibility has no list flux_releases."),
        (lambda given: given["wge_releases"].insert(0, 7), "wge_compatibility has no mapping at wge_releases[0]."),
        (_drop("wge_releases", 2, "bundled_wg"), "wge_compatibility has no mapping at wge_releases[2].bundled_wg."),
        (
            lambda given: given["wge_releases"][1]["flux"].update(min=2.0),
            "wge_compatibility has no min at wge_releases[1].flux that is a text (put numbers like 2.0 in quotes).",
        ),
        (
            lambda given: given["wge_releases"][1]["flux"].update(crd_versions_used=["v1"]),
            "wge_compatibility has no crd_versions_used at wge_releases[1].flux that is a mapping.",
        ),
        (
            lambda given: given["wge_releases"][0]["flux"]["crd_versions_used"].update(helm="v2"),
            "wge_compatibility has no helm at wge_releases[0].flux.crd_versions_used that is a list of texts.",
        ),
        (
            _drop("flux_crds_served", 0, "served", 1, "until"),
            "wge_compatibility has no until at flux_crds_served[0].served[1] that is a text (put numbers like 2.0 in quotes).",
        ),
    ],
)
def test_a_table_that_does_not_hold_is_refused_with_its_place(spoil: Spoil, words: str) -> None:
    given = copy.deepcopy(table())
    spoil(given)
    with pytest.raises(InvalidSettings) as caught:
        matrix_of(given)
    assert caught.value.what == words
    assert caught.value.next_step == "Begin with roles/preflight/files/compatibility.yml of this collection."


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [", " (wge_compatibility) is not one YAML mapping."),
        (b"- 1\n", " (wge_compatibility) is not one YAML mapping."),
        (b"a: 1\n---\nb: 2\n", " (wge_compatibility) is not one YAML mapping."),
        (b"\xff\xfe", " (wge_compatibility) is not one YAML mapping."),
        (b"a: 1\n", " (wge_compatibility) has schema_version None, not 1."),
    ],
)
def test_a_file_that_is_no_table_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "x.yml"
    file.write_bytes(content)
    with pytest.raises(InvalidSettings) as caught:
        settings_from({"compatibility": str(file)})
    assert caught.value.what == f"The file {file}{words}"


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"cannot be read: No such file or directory \(wge_compatibility\)\. Correct the path"):
        matrix_of(str(tmp_path / "none.yml"))


def test_neither_a_path_nor_a_mapping_is_one_sentence() -> None:
    with pytest.raises(InvalidSettings, match="wge_compatibility is a list, not a path or a mapping"):
        matrix_of([1])


def test_an_unknown_fact_stays_unknown() -> None:
    given = json.loads(json.dumps(table()))
    given["wge_releases"][-1]["flux"]["crd_versions_used"] = "unknown"
    matrix: Matrix = matrix_from(given, "x")
    found = matrix.wge_release("0.38.1")
    assert found
    assert found.apis == ()
