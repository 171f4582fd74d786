# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight found, for people and for other programs: one file an output. PRIVATE: can change at any time.

``document`` makes the one document of a run; the others are made of it. ``terminal`` and ``short`` are about one cluster.
"""
