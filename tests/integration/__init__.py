# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection against real control planes, through ansible-playbook. See lab.py."""
