# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: three clusters upgraded under load, and a witness that says what was lost."""
