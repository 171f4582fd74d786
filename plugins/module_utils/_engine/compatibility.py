# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version goes with which: the table that says so, and what follows from it. PRIVATE.

The table is data (``roles/preflight/files/compatibility.yml``; ``compatibility_data.py`` is the copy that modules carry), and users
may give a newer one. Upstream forbids no jump from one version to another. What it does say is which APIs of Flux a version
reads and which Flux it was made for; whatever else is asked is answered with "unknown", never with a guess.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

Triple = tuple[int, int, int]
UNKNOWN = "unknown"
FLUX_GROUPS = {name: f"{name}.toolkit.fluxcd.io" for name in ("helm", "kustomize", "source")}
"""What the table calls a group of Flux, and the group's own name."""


@dataclass(frozen=True, slots=True)
class WgeRelease:
    """One version of WGE: the WG it contains, the Flux it needs, and what it was built and tried with."""

    version: str
    contains: str
    flux_min: str
    flux_below: str
    apis: tuple[str, ...]
    client: str
    tried_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WgRelease:
    """One version of WG: the chart it came with and the Flux it was made for."""

    version: str
    chart: str
    flux: str

    @property
    def generation(self) -> tuple[int, int]:
        """The major versions of its chart and of its Flux: within one, no step is known to need another one first."""
        return _major(self.chart), _major(self.flux)


@dataclass(frozen=True, slots=True)
class Matrix:
    """The whole table. ``last_with`` says which Flux was the last to serve an API, ``flux_of_source`` which Flux a controller is of."""

    wge: tuple[WgeRelease, ...]
    wg: tuple[WgRelease, ...]
    last_with: Mapping[str, str]
    flux_of_source: Mapping[str, str]

    def wge_release(self, version: str) -> WgeRelease | None:
        """The release of this number; what a mirror has put behind the number counts for nothing."""
        return next((one for one in self.wge if triple(version) and triple(one.version) == triple(version)), None)

    def wg_release(self, version: str) -> WgRelease | None:
        """As above."""
        return next((one for one in self.wg if triple(version) and triple(one.version) == triple(version)), None)

    def wg_of_chart(self, chart: str) -> WgRelease | None:
        """The newest WG that came with this version of its chart; a candidate that was never released comes last."""
        found = [one for one in self.wg if chart and one.chart == chart]
        return next((one for one in reversed(found) if "-" not in one.version), found[-1] if found else None)

    @property
    def newest_wge(self) -> str:
        """The highest version of WGE in the table."""
        return max((one.version for one in self.wge), key=_order, default=UNKNOWN)

    def fitting(self, served: Collection[str]) -> str:
        """The newest WGE all of whose APIs are served, empty when there is none."""
        fit = [one.version for one in self.wge if one.apis and not missing(one, served)]
        return max(fit, key=_order, default="")

    def way(self, start: WgRelease, goal: WgeRelease) -> list[str]:
        """The versions to go over, first and last included; two when the direct way is one that was meant to be gone.

        A step stays within one generation of WG, or goes to the first version of the next that both products have, so that
        WG is up to the new Flux before it is replaced.
        """
        last = self.wg_release(goal.contains)
        if last is None:
            return [start.version, goal.version]
        stones: dict[tuple[int, int], str] = {}
        for one in [*self._shared(), last]:
            if start.generation < one.generation <= last.generation and _order(one.version) <= _order(last.version):
                stones.setdefault(one.generation, one.version)
        return [start.version, *stones.values(), goal.version]

    def flux_of(self, source_controller: str) -> str:
        """Which Flux a source-controller of this version belongs to, empty when the table does not say."""
        found = triple(source_controller)
        if not found:
            return ""
        return self.flux_of_source.get(_dotted(found)) or self.flux_of_source.get(f"{found[0]}.{found[1]}.x", "")

    def _shared(self) -> list[WgRelease]:
        """The versions of WG that the WGE of the same number contains."""
        same = {one.version for one in self.wge if one.contains == one.version}
        return [one for one in self.wg if one.version in same]


def missing(release: WgeRelease, served: Collection[str]) -> list[str]:
    """The Flux APIs a WGE reads and the cluster does not serve; of a group that is not there at all nothing can be read anyhow."""
    groups = {api.split("/")[0] for api in served}
    return [api for api in release.apis if api.split("/")[0] in groups and api not in served]


def triple(version: str) -> Triple | None:
    """``0.38.1`` or ``v0.38.1-rc.1`` as numbers; None when it is no version."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _order(version: str) -> Triple:
    return triple(version) or (0, 0, 0)


def _major(version: str) -> int:
    found = re.match(r"v?(\d+)\.", version)
    return int(found[1]) if found else 0


def _dotted(version: Triple) -> str:
    return ".".join(str(number) for number in version)
