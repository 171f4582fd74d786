# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images have a stand-in; every other image gets a container that runs and listens on nothing."""

from __future__ import annotations

import re

KNOWN = (
    (re.compile(r"(^|/)wego-app(:|@|$)"), "testbed.products.wg"),
    (re.compile(r"(^|/)weave-gitops-enterprise-clusters-service(:|@|$)"), "testbed.products.wge"),
)


def program(image: str) -> str | None:
    """The Python module that plays the image, or None."""
    return next((module for pattern, module in KNOWN if pattern.search(image)), None)


def tag(image: str) -> str:
    """`v0.38.0` of `registry/name:v0.38.0@sha256:…`."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2] or "latest"
