# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a preflight was answered, kept in a file, so that the checks can be run again without the cluster. PRIVATE.

What is asked goes through ``model.Cluster``, so that is where it is kept (``live``) and given again (``replay``). Secrets are taken
out before anything is written (``redaction``, ``kinds``).
"""
