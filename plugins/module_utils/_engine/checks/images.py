# SPDX-License-Identifier: GPL-3.0-or-later
"""TA-01 and TA-04: is it fixed what will be installed, and may this cluster have it? PRIVATE. No registry is asked."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator

from ..._errors import Blocked
from ..._files import read_limited
from ..deliveries import require_delivery
from ..images import containers_in, pod_spec, registry_of
from ..model import Object, Rung
from ..objects import labels_of, name_of, namespace_of, object_path
from ..situation import Situation
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned

NOT_ASKED = "No registry was asked whether it has them."
PUBLIC = ("docker.io", "gcr.io", "ghcr.io", "quay.io", "registry.k8s.io")
DOCKER_CONFIG = ".dockerconfigjson"
_EXACT = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_ARCHIVE_LIMIT = 64 * 1024 * 1024


def chart_fixed(evidence: Evidence) -> Judged:
    """TA-01. No request. The same chart must be there on the day of the upgrade as on the day of the preflight."""
    release = evidence.now.target.release
    try:
        require_delivery(evidence.now)
    except Blocked as problem:
        return failed(problem.what, problem.next_step)
    if release.rendered:
        file = os.path.basename(release.rendered)
        return warned(
            f"WGE is the file {file}, {_digest_of(release.rendered)}: nothing is carried over into it from WG.",
            "Look into the result of wge_info (inherited) for what it has to say.",
        )
    if not release.chart:
        return skipped("No chart was given: WGE is installed already.")
    rendered = _chart_version(evidence.now)
    if release.version and rendered and _EXACT.fullmatch(release.version) and release.version.lstrip("v") != rendered.lstrip("v"):
        return failed(
            f"Version {release.version} of the chart was asked for, and {rendered} was rendered.", "Correct wge_chart or wge_chart_version."
        )
    path = os.path.expanduser(release.chart)
    if os.path.isfile(path):
        return passed(f"The chart is the archive {os.path.basename(path)} {rendered}".rstrip() + f", {_digest_of(path)}.")
    if os.path.isdir(path):
        return passed(f"The chart is the folder {os.path.basename(os.path.abspath(path))} {rendered}".rstrip() + ", as it is now.")
    if "@sha256:" in release.chart or release.chart.endswith((".tgz", ".tar.gz")):
        return passed(f"The chart is {release.chart}.")
    if not _EXACT.fullmatch(release.version):
        what = f"is the range {release.version}" if release.version else "is not given"
        return failed(
            f"The version of the chart {release.chart} {what}: what is installed on the day may not be what was looked at"
            + (f" (now it is {rendered})." if rendered else "."),
            f"Write wge_chart_version: {rendered or '0.38.1'} into the inventory.",
        )
    return passed(f"The chart is {release.chart} {release.version}.")


def _digest_of(path: str) -> str:
    """Of a file; a snapshot that is judged again need not have it."""
    return f"SHA-256 {hashlib.sha256(read_limited(path, _ARCHIVE_LIMIT)).hexdigest()}" if os.path.isfile(path) else "which is not here"


def images(evidence: Evidence) -> Judged:
    """TA-04. No request, or one for each pull Secret that is named."""
    now = evidence.now
    pods = [(item, spec) for item in now.target.objects if (spec := pod_spec(item))]
    found = sorted({str(c.get("image") or "") for _item, spec in pods for c in containers_in(spec)})
    if not found:
        return skipped("The chart makes no pods.")
    loose = [image or "(none)" for image in found if not _is_fixed(image)]
    if loose:
        return failed(f"These images may be others tomorrow: {', '.join(loose)}.", "Name a version, or better a digest, in wge_values.")
    problems = list(_pull_problems(evidence, pods))
    if problems:
        return failed(
            "; ".join(problems) + ".", "Create the Secret for this registry (kubectl create secret docker-registry), or correct wge_values."
        )
    hosts = sorted({registry_of(image) for image in found})
    mirror = registry_of(str(now.snapshot.installed.found.container.get("image", "")))
    away = [host for host in hosts if host != mirror]
    if mirror not in PUBLIC and away:
        return warned(
            f"WG's image comes from {mirror}, but images of WGE come from {', '.join(away)}. {NOT_ASKED}",
            "If this cluster reaches its mirror only, name it in wge_image_mirrors, or in wge_values (images.clustersService, "
            "images.uiServer, and the sub-charts).",
        )
    pinned = sum("@sha256:" in image for image in found)
    return passed(f"Images from {', '.join(hosts)}, all of a fixed version, {pinned} of {len(found)} by digest. {NOT_ASKED}")


def _is_fixed(image: str) -> bool:
    if "@sha256:" in image:
        return True
    _name, colon, tag = image.rsplit("/", 1)[-1].partition(":")
    return bool(colon and tag and tag != "latest")


def _pull_problems(evidence: Evidence, pods: Iterable[tuple[Object, Object]]) -> Iterator[str]:
    """Pull Secrets that are not there, or that have no login for a registry of their pod which is not a public one."""
    for (place, name), hosts in sorted(_named_secrets(evidence.now, pods).items()):
        secret = evidence.cluster.get(object_path("Secret", name, place))
        if secret is None:
            yield f"The pull Secret {name} in namespace {place} does not exist"
            continue
        logins = _logins(secret)
        lacking = [host for host in sorted(hosts) if host not in PUBLIC and host not in logins]
        if lacking:
            yield f"The pull Secret {name} in namespace {place} has no login for {', '.join(lacking)}"


def _named_secrets(now: Situation, pods: Iterable[tuple[Object, Object]]) -> dict[tuple[str, str], set[str]]:
    made = {name_of(item) for item in now.target.objects if item.get("kind") == "Secret"}
    found: dict[tuple[str, str], set[str]] = {}
    for item, spec in pods:
        names = {str(entry.get("name")) for entry in spec.get("imagePullSecrets") or []} - made
        hosts = {registry_of(str(container.get("image") or "")) for container in containers_in(spec)}
        for name in names:
            found.setdefault((namespace_of(item) or now.namespace, name), set()).update(hosts)
    return found


def _logins(secret: Object) -> set[str]:
    """The registries that a pull Secret has a login for; nothing of the logins."""
    try:
        content = json.loads(base64.b64decode((secret.get("data") or {}).get(DOCKER_CONFIG) or ""))
        return {re.sub(r"^https?://", "", str(key)).split("/")[0] for key in content["auths"]}
    except (KeyError, TypeError, ValueError):
        return set()


def _chart_version(now: Situation) -> str:
    found = re.search(r"-v?(\d+\.\d+\.\d+.*)$", labels_of(now.target.deployment).get("helm.sh/chart", ""))
    return found[1].replace("_", "+") if found else ""


CHECKS = (
    Check(
        "TA-01",
        "target",
        "chart fixed",
        BLOCK,
        chart_fixed,
        "the chart's reference, its version or its bytes",
        "Name one exact version in `wge_chart_version`, never `latest`.",
        until=Rung.PARKED,
    ),
    Check(
        "TA-04",
        "target",
        "images",
        BLOCK,
        images,
        "the images of the rendered chart, the pull Secrets they name; no registry is asked",
        "Name fixed versions and the right mirror; create the pull Secret.",
        until=Rung.REHEARSED,
        stored=True,
    ),
)
