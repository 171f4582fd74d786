# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the collection importable, as the unit tests do."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "build" / "collections"))
