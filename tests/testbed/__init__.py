# SPDX-License-Identifier: GPL-3.0-or-later
"""Real control planes without Docker, for tests of the collection. See README.md."""

from __future__ import annotations

from .cluster import Cluster, ClusterError, wait_until
from .fleet import Bed

__all__ = ["Bed", "Cluster", "ClusterError", "wait_until"]
