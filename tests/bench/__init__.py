# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: what a preflight costs, beside a kubernetes.core playbook and a bare loop, all in one run."""
