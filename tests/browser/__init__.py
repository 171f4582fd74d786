# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages in a real browser; `make browser`."""
