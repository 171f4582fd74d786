# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed workers and controllers, tokens that die, bastions: each a story told on a cluster of its own, all at the same time."""
