# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m testbed.agent BED_FOLDER CLUSTER`"""

from __future__ import annotations

from .main import main

main()
