# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: what a preflight and an entitlement cost, beside programs of others and a bare loop, each in one run."""
