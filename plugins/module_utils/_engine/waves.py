# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster is upgraded in which wave. PRIVATE: can change at any time."""

from __future__ import annotations

from collections.abc import Collection, Sequence

Waves = list[tuple[str, ...]]
"""The clusters of each wave, canaries first; no wave is empty."""


def plan_waves(clusters: Sequence[str], canaries: Collection[str] = ()) -> Waves:
    """Two waves: the canaries, then all others.

    Without a canary among ``clusters`` the first one is it, so that no wave opens on hope alone.
    """
    first = tuple(name for name in clusters if name in canaries) or tuple(clusters[:1])
    others = tuple(name for name in clusters if name not in first)
    return [wave for wave in (first, others) if wave]


def wave_numbers(waves: Waves) -> dict[str, int]:
    """The number of each cluster's wave, from 0."""
    return {name: number for number, wave in enumerate(waves) for name in wave}
