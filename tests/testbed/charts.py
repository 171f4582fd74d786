# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the fixture charts into a folder, and makes variants of them that break one fact."""

from __future__ import annotations

import shutil
from pathlib import Path

from .layout import CHARTS

#: Chart folder to the one it overlays: what is not in it comes from there.
OVERLAYS = {"weave-gitops-4.0.16": "weave-gitops"}


class ChartError(RuntimeError):
    """A variant could not be made."""


def put(name: str, target: Path) -> Path:
    """A whole copy of the fixture chart `name` as folder `target`."""
    shutil.rmtree(target, ignore_errors=True)
    if name in OVERLAYS:
        put(OVERLAYS[name], target)
        edit(target, "values.yaml", "tag: v0.38.0", "tag: v0.19.0")
    shutil.copytree(CHARTS / name, target, dirs_exist_ok=True)
    return target


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put_all(folder: Path) -> None:
    """All fixture charts; a folder that has them already is not touched, for it may be in use."""
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    for path in sorted(CHARTS.iterdir()):
        put(path.name, beside / path.name)
    if _content(beside) != _content(folder):
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    shutil.rmtree(beside, ignore_errors=True)


def edit(chart: Path, file: str, old: str, new: str) -> None:
    """Replace text that must be there."""
    path = chart / file
    text = path.read_text(encoding="utf-8")
    if old not in text:
        raise ChartError(f"{path} does not say {old!r}")
    path.write_text(text.replace(old, new), encoding="utf-8")


def variant(name: str, folder: Path, file: str, old: str, new: str) -> Path:
    """A copy of chart `name` below `folder` with one text replaced."""
    chart = put(name, folder / name)
    edit(chart, file, old, new)
    return chart


def renamed_service_port(folder: Path) -> Path:
    """`mccp` whose Service calls its port something else than `https`."""
    return variant("mccp", folder, "templates/network.tpl", "- name: {{ $name }}", '- name: {{ $name | replace "https" "web" }}')


def other_pod_label(folder: Path) -> Path:
    """`mccp` whose pods are not `app: clusters-service` any more."""
    chart = variant("mccp", folder, "templates/deployment.tpl", "app: clusters-service", "app: enterprise-server")
    edit(chart, "templates/network.tpl", "app: clusters-service", "app: enterprise-server")
    return chart


def other_container_port(folder: Path) -> Path:
    """`mccp` whose container port has another name than `server`."""
    return variant("mccp", folder, "templates/deployment.tpl", "- name: server", "- name: web")


def other_service_name(folder: Path) -> Path:
    """`mccp` whose Service is not `clusters-service` any more."""
    return variant(
        "mccp",
        folder,
        "templates/network.tpl",
        "name: clusters-service\n  {{- with .Values.service.annotations",
        "name: enterprise\n  {{- with .Values.service.annotations",
    )
