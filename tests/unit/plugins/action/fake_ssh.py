#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for the ssh program: runs the remote command on this machine."""

import os
import sys

os.execvp("/bin/sh", ["/bin/sh", "-c", sys.argv[-1]])
