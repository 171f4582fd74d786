# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx settings of the HTML pages; `make docs` puts the pages' sources together and calls Sphinx."""

from __future__ import annotations

import os

project = "weaveworks.wge"
author = "The weaveworks.wge authors"
copyright = author
version = release = os.environ.get("WGE_VERSION", "")
title = html_short_title = "Weave GitOps Enterprise upgrades"

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
# What Ansible's own pages define and our generated pages refer to. A small inventory beside the sources stands in for
# the whole one, so that the pages are built without a network and an unknown label is still an error.
intersphinx_mapping = {"ansible": (os.environ.get("WGE_ANSIBLE_DOCS", ""), os.environ.get("WGE_ANSIBLE_INVENTORY", ""))}
nitpicky = True
default_role = "any"

pygments_style = "ansible"
highlight_language = "YAML+Jinja"
html_theme = "sphinx_ansible_theme"
html_show_sphinx = False
html_use_modindex = False
html_use_index = False
html_copy_source = False
