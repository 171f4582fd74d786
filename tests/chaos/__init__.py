# SPDX-License-Identifier: GPL-3.0-or-later
"""`make chaos`: every journey of a cluster, killed before, after and in the middle of the answer to each of its writes."""
