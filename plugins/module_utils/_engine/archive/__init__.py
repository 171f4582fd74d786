# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive: everything WG has built up, in a folder that can be read, checked and applied again. PRIVATE."""
