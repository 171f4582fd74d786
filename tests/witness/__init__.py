# SPDX-License-Identifier: GPL-3.0-or-later
"""An independent witness of an upgrade: counts requests and watches endpoints by itself.

It shares no code with the collection or the test bed, so that a mistake there cannot hide here. Standard library, and
PyYAML for kubeconfigs.
"""
