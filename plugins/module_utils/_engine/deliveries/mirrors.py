# SPDX-License-Identifier: GPL-3.0-or-later
"""Images out of a mirror: what a rendering says is renamed before anybody judges or sends it. PRIVATE.

Only the images of pods are renamed. One that a program gets as an argument or variable is the chart's own affair.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

from ..images import containers_in, full_name, name_of, pod_spec
from ..model import Object

Mirrors = Mapping[str, str]
"""Registry, or the beginning of an image, and what stands in its place."""


def mirrored(image: str, mirrors: Mirrors) -> str:
    """The image as its mirror has it; as it is where none fits. The longest beginning counts, and ends where a name ends."""
    whole = full_name(image)
    fitting = [old for old in mirrors if f"{whole}/".startswith(f"{old.strip('/')}/")]
    if not fitting:
        return image
    old = max(fitting, key=lambda word: len(word.strip("/")))
    return mirrors[old].strip("/") + whole[len(old.strip("/")) :] + image[len(name_of(image)) :]


def renamed(objects: Iterable[Object], mirrors: Mirrors) -> dict[str, str]:
    """Of all images that change, the old and the new name, without tags and digests."""
    images = {str(container.get("image") or "") for item in objects for container in containers_in(pod_spec(item))}
    found = {name_of(image): name_of(mirrored(image, mirrors)) for image in sorted(images) if image}
    return {old: new for old, new in found.items() if old != new}


def out_of(objects: Iterable[Object], mirrors: Mirrors) -> list[Object]:
    """The objects with their images renamed."""
    return [_out_of(item, mirrors) for item in objects] if mirrors else list(objects)


def _out_of(item: Object, mirrors: Mirrors) -> Object:
    if not pod_spec(item):
        return item
    made = copy.deepcopy(item)
    for container in containers_in(pod_spec(made)):
        if container.get("image"):
            container["image"] = mirrored(str(container["image"]), mirrors)
    return made
