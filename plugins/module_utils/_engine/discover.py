# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed: which Deployment is WG, in which form, at which version, and what has to outlive it. PRIVATE.

Fingerprints: docs/facts.md. Nothing is asked here; everything comes from objects already read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .._errors import Blocked
from .forms import helm, manifests, recognise
from .model import Object
from .names import HELM_RELEASE_ANNOTATION
from .objects import containers_of, labels_of, name_of, namespace_of, pod_template

WG_IMAGE = "/wego-app:"
_RELEASE_NAME = re.compile(r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?\Z")
_LONGEST_RELEASE_NAME = 53


@dataclass(frozen=True, slots=True)
class Found:
    """A Deployment that is WG: which form of install it belongs to and under which name that is known."""

    deployment: Object
    form: str
    release: str
    gone: bool = False
    """Whether it was removed, and ``deployment`` is what the journal remembers of it."""

    @property
    def namespace(self) -> str:
        """The namespace WG runs in."""
        return namespace_of(self.deployment)

    @property
    def container(self) -> Object:
        """The container that runs WG."""
        return container_of(self.deployment)

    @property
    def version(self) -> str:
        """WG's version, from the image tag; empty when the image is pinned by digest alone."""
        return image_version(self.container.get("image", ""))

    @property
    def pod_labels(self) -> dict[str, str]:
        """The labels of WG's pods."""
        return pod_template(self.deployment).get("metadata", {}).get("labels") or {}

    @property
    def arguments(self) -> list[str]:
        """The command line of the server."""
        return [str(word) for word in self.container.get("args") or []]

    def __str__(self) -> str:
        return f"{self.release or name_of(self.deployment)} in namespace {self.namespace}"


@dataclass(frozen=True, slots=True)
class Installed:
    """WG as it is installed: the Deployment, and what its Helm release says when it is one."""

    found: Found
    revisions: tuple[helm.Revision, ...] = ()
    chart_version: str = ""
    values: Object = field(default_factory=dict)
    manifest: tuple[Object, ...] = ()
    wrapper: str = ""
    """The name of the chart that has WG's own inside, empty without one."""

    def objects(self, kind: str) -> list[Object]:
        """The objects of one kind in the stored manifest."""
        return [item for item in self.manifest if item.get("kind") == kind]

    @property
    def is_released(self) -> bool:
        """Whether Helm has stored a release of it, with values; without one the Deployment alone says how it is configured."""
        return self.found.form in recognise.WITH_RELEASE

    @property
    def environment(self) -> list[Object]:
        """The variables that people gave, and without a release those of its manifests too."""
        return list((self.values.get("envVars") if self.is_released else self.found.container.get("env")) or [])

    @property
    def pull_secrets(self) -> list[Object]:
        """The Secrets with which WG's image is pulled."""
        pod = pod_template(self.found.deployment).get("spec") or {}
        return list((self.values if self.is_released else pod).get("imagePullSecrets") or [])

    @property
    def log_level(self) -> str:
        """``info`` when nobody said otherwise."""
        return str(self.values.get("logLevel", "info") if self.is_released else flag(self.found.arguments, "--log-level") or "info")

    @property
    def ui_port(self) -> int:
        """The number of the port that serves UI and API, 0 when no port does."""
        return manifests.ui_port(self.found.container)

    @property
    def scheme(self) -> str:
        """``http``, ``https`` or ``mtls``: how WG's server is spoken to (F4, F16)."""
        arguments = self.found.arguments
        if any(word.split("=")[0] == "--mtls" for word in arguments):
            return "mtls"
        return "https" if any(word.startswith("--tls-cert-file") for word in arguments) else "http"

    @property
    def route_prefix(self) -> str:
        """The path below which WG serves, empty for the root."""
        return "/" + value.strip("/") if (value := flag(self.found.arguments, "--route-prefix").strip("/")) else ""


def flag(arguments: Sequence[str], name: str) -> str:
    """The value of ``--name value`` or ``--name=value`` on a command line, empty when it is not there."""
    for index, word in enumerate(arguments):
        if word.startswith(f"{name}="):
            return word.split("=", 1)[1]
        if word == name and index + 1 < len(arguments):
            return arguments[index + 1]
    return ""


def container_of(deployment: Object) -> Object:
    """The container that runs WG: the one with its image, else the first."""
    containers = containers_of(deployment)
    return next((c for c in containers if WG_IMAGE in str(c.get("image", ""))), containers[0] if containers else {})


def image_version(image: str) -> str:
    """``0.38.0`` out of ``ghcr.io/weaveworks/wego-app:v0.38.0``."""
    match = re.search(r":v?(\d+\.\d+\.\d+[^@]*)", image.rsplit("/", 1)[-1])
    return match[1] if match else ""


def candidates(deployments: Sequence[Object]) -> list[Found]:
    """Every Deployment that is WG, each once."""
    unique = {(namespace_of(item), name_of(item)): item for item in deployments}
    return [_found(item) for item in unique.values() if _is_wg(item)]


def choose(found: Sequence[Found], *, namespace: str, release: str) -> Found:
    """The one WG to upgrade; raises Blocked when there is none, or several and nothing names one."""
    fitting = [f for f in found if namespace in ("", f.namespace) and release in ("", f.release)]
    if len(fitting) == 1:
        return _named_well(fitting[0])
    if fitting:
        names = ", ".join(sorted(str(f) for f in fitting))
        raise Blocked(f"Two or more installations of Weave GitOps were found: {names}.", "Name one with wge_namespace and wge_release.")
    if found:
        names = ", ".join(sorted(str(f) for f in found))
        wanted = " ".join(word for word in (release, f"in namespace {namespace}" if namespace else "") if word)
        raise Blocked(f"Weave GitOps {wanted} was not found; there is {names}.", "Correct wge_namespace or wge_release.")
    raise Blocked(
        "No Weave GitOps was found on this cluster.", "Take the cluster out of the inventory, or name the namespace with wge_namespace."
    )


def _named_well(found: Found) -> Found:
    """The release's name goes into a selector, so it has to be one."""
    if found.form in recognise.WITH_RELEASE and not (_RELEASE_NAME.match(found.release) and len(found.release) <= _LONGEST_RELEASE_NAME):
        raise Blocked(
            f"The annotation {HELM_RELEASE_ANNOTATION} of Deployment {name_of(found.deployment)} in namespace {found.namespace} "
            "holds no name of a Helm release.",
            f"Correct the annotation; helm list -n {found.namespace} says what the release is called.",
        )
    return found


def installed(found: Found, secrets: Sequence[Object], user: str = "") -> Installed:
    """What the release Secrets say about the chosen WG, or else its names. Raises Blocked when they say nothing.

    ``user`` is the local admin.
    """
    if found.form not in recognise.WITH_RELEASE:
        return Installed(found, manifest=manifests.objects_of(found.deployment, user))
    revisions = helm.revisions_of(secrets, found.release)
    last = helm.newest(revisions)
    if not last:
        raise Blocked(
            f"The Helm release {found.release} in namespace {found.namespace} has no stored revision in a Secret.",
            "Use Helm's Secret storage, or restore the release's Secrets.",
        )
    stored = last.decoded()
    version, values = helm.chart_version_of(stored), helm.values_of(stored)
    return Installed(found, tuple(revisions), version, values, tuple(helm.manifest_of(stored)), helm.wrapper_of(stored))


def _is_wg(deployment: Object) -> bool:
    labels = labels_of(deployment)
    if labels.get("weave.works/app") == "weave-gitops-enterprise":
        return False
    image = any(WG_IMAGE in str(c.get("image", "")) for c in containers_of(deployment))
    return image or labels.get("weave.works/app") == "weave-gitops-oss" or labels.get("helm.sh/chart", "").startswith("weave-gitops-")


def _found(deployment: Object) -> Found:
    form, release = recognise.by_marks(deployment)
    return Found(deployment, form, release)
