# SPDX-License-Identifier: GPL-3.0-or-later
"""The change that makes git say what a cluster is: out of texts and objects, more texts. PRIVATE."""
