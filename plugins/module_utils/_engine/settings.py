# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user asked for, as one typed value. PRIVATE. The options are described in ``_argspec.py``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .._errors import InvalidSettings
from .compatibility import Matrix
from .compatibility_table import known, matrix_of
from .model import Object, Release, Rung
from .windows import windows_from


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of one call; seconds are floats, an empty string means "not given"."""

    chart: str = ""
    chart_version: str = ""
    values: Object = field(default_factory=dict)
    namespace: str = ""
    release: str = ""
    target_release: str = "weave-gitops-enterprise"
    delivery: str = ""
    chart_repository: str = ""
    chart_secret: str = ""
    manifests: str = ""
    image_mirrors: Object = field(default_factory=dict)
    cluster_uid: str = ""
    entitlement: str = field(default="", repr=False)
    entitlement_public_keys: tuple[str, ...] = field(default=(), repr=False)
    entitlement_customer: str = ""
    fail_if_expired: bool = False
    login_secret: Object = field(default_factory=dict, repr=False)
    state: str = "parked"
    entry_urls: tuple[str, ...] = ()
    compatibility: Matrix = field(default_factory=known, repr=False)
    change_windows: tuple[str, ...] = ()
    plan_hash: str = ""
    alerts_url: str = ""
    archive_dir: str = "wge-archive"
    archive: str = ""
    retention_days: float = 7
    guard: str = "watch"
    baseline_seconds: float = 5
    rehearse_seconds: float = 10
    verify_seconds: float = 30
    soak_seconds: float = 300
    quiet_seconds: float = 130  # above the 120 s for which a node remembers where a closed connection led
    ready_seconds: float = 300
    lock_seconds: float = 60

    @property
    def goal(self) -> Rung:
        """The rung to reach."""
        return Rung.of(self.state)

    def release_to_install(self, namespace: str, values: Object) -> Release:
        """WGE's Helm release in the namespace of WG, with the values it will be installed with."""
        return Release(self.target_release, namespace, self.chart, self.chart_version, values, rendered=self.manifests)


def settings_from(params: Mapping[str, Any]) -> Settings:
    """Settings out of a validated argument spec; options that are not ours are left aside.

    Raises InvalidSettings for what an argument spec cannot say: an empty chart, a negative time, a URL that is none.
    """
    given = {f.name: params[f.name] for f in fields(Settings) if params.get(f.name) is not None}
    if "entry_urls" in given:
        given["entry_urls"] = tuple(url.rstrip("/") for url in given["entry_urls"])
    if "entitlement_public_keys" in given:
        given["entitlement_public_keys"] = tuple(given["entitlement_public_keys"])
    if "change_windows" in given:
        windows_from(given["change_windows"])
        given["change_windows"] = tuple(given["change_windows"])
    if "compatibility" in given:
        given["compatibility"] = matrix_of(given["compatibility"])
    settings = Settings(**given)
    _check_times(settings)
    _check_urls(settings)
    _check_chart(settings)
    _check_manifests(settings)
    _check_mirrors(settings)
    return settings


def _check_times(settings: Settings) -> None:
    for entry in fields(settings):
        if entry.name.endswith("_seconds") and getattr(settings, entry.name) < 0:
            raise InvalidSettings(f"{entry.name} is {getattr(settings, entry.name)}.", "Give 0 or more seconds.")
    if settings.retention_days < 0:
        raise InvalidSettings(f"retention_days is {settings.retention_days:g}.", "Give 0 or more days.")
    if settings.lock_seconds < 15:
        raise InvalidSettings(f"lock_seconds is {settings.lock_seconds:g}.", "Give at least 15 seconds.")


def _check_urls(settings: Settings) -> None:
    if settings.chart_repository and not settings.chart_repository.startswith(("http://", "https://", "oci://")):
        raise InvalidSettings(
            f"The chart repository {settings.chart_repository!r} begins with neither https:// nor oci://.", "Correct wge_chart_repository."
        )
    for url in settings.entry_urls:
        if not url.startswith(("http://", "https://")):
            raise InvalidSettings(f"The entry URL {url!r} is not an http:// or https:// address.", "Correct wge_entry_urls.")
    if settings.alerts_url and not settings.alerts_url.startswith(("http://", "https://")):
        raise InvalidSettings("The Alertmanager's address does not begin with http:// or https://.", "Correct wge_alerts_url.")


def _check_chart(settings: Settings) -> None:
    local = settings.chart.startswith((".", "/", "~"))
    if local and not os.path.exists(os.path.expanduser(settings.chart)):
        raise InvalidSettings(f"The chart {settings.chart} does not exist.", "Give the path of WGE's chart in wge_chart.")


def _check_manifests(settings: Settings) -> None:
    path = settings.manifests
    if not path:
        return
    if settings.chart:
        raise InvalidSettings("Both a chart and a rendered file were given.", "Give one: wge_chart or wge_manifests.")
    if settings.delivery != "manifests":
        raise InvalidSettings(f"{path} is rendered already, so WGE comes by nothing else.", "Set wge_delivery to manifests.")
    if not os.path.isfile(path):
        raise InvalidSettings(f"The file {path} does not exist.", "Give the path of WGE's rendered manifests in wge_manifests.")


def _check_mirrors(settings: Settings) -> None:
    for old, new in settings.image_mirrors.items():
        if not all(isinstance(word, str) and word.strip("/") and "://" not in word for word in (old, new)):
            raise InvalidSettings(
                f"The mirror {new!r} of {old!r} is not one.", "Write wge_image_mirrors as registry or image: place, without https://."
            )
