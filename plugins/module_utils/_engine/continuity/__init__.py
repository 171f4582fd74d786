# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the API that WG's users call still the one they knew? What to call, what WG answered, and how answers are compared. PRIVATE."""
