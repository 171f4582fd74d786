# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive, or a part of it, put back: what is missing is created, what differs is refused unless nobody else changed it. PRIVATE."""
