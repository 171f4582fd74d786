# SPDX-License-Identifier: GPL-3.0-or-later
"""What a namespace's Pod Security level forbids a pod, as the API server's own admission has it. PRIVATE.

The levels are Kubernetes' Pod Security Standards. Not judged: AppArmor and SELinux options, sysctls and procMount, which no
known chart of WGE sets.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Object

ENFORCED = "pod-security.kubernetes.io/enforce"
PRIVILEGED, BASELINE, RESTRICTED = "privileged", "baseline", "restricted"
_ADDABLE = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}
_VOLUMES = ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "name")
_SECCOMP = ("RuntimeDefault", "Localhost")


def violations(level: str, spec: Object) -> list[str]:
    """What of a pod the level forbids, each thing once; nothing for ``privileged`` and for words that are no level."""
    found: list[str] = []
    if level in (BASELINE, RESTRICTED):
        found += _baseline(spec)
    if level == RESTRICTED:
        found += _restricted(spec)
    return list(dict.fromkeys(found))


def _baseline(spec: Object) -> Iterator[str]:
    yield from (f"{key} is true" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key))
    if any("hostPath" in volume for volume in spec.get("volumes") or []):
        yield "it mounts a hostPath volume"
    for container in _containers(spec):
        name, security = container.get("name"), container.get("securityContext") or {}
        if security.get("privileged"):
            yield f"container {name} is privileged"
        if set((security.get("capabilities") or {}).get("add") or []) - _ADDABLE:
            yield f"container {name} adds capabilities"
        if any(port.get("hostPort") for port in container.get("ports") or []):
            yield f"container {name} takes a port of the node"
    if any(_seccomp(place) == "Unconfined" for place in [spec, *_containers(spec)]):
        yield "its seccomp profile is Unconfined"


def _restricted(spec: Object) -> Iterator[str]:
    if any(set(volume) - set(_VOLUMES) for volume in spec.get("volumes") or []):
        yield "it mounts volumes of other kinds than configuration, claims and emptyDir"
    above = spec.get("securityContext") or {}
    for container in _containers(spec):
        name, security = container.get("name"), container.get("securityContext") or {}
        if security.get("allowPrivilegeEscalation") is not False:
            yield f"container {name} does not set allowPrivilegeEscalation: false"
        if "ALL" not in ((security.get("capabilities") or {}).get("drop") or []):
            yield f"container {name} does not drop all capabilities"
        if security.get("runAsNonRoot", above.get("runAsNonRoot")) is not True:
            yield f"container {name} does not set runAsNonRoot: true"
        if security.get("runAsUser", above.get("runAsUser")) == 0:
            yield f"container {name} runs as user 0"
        if (_seccomp(container) or _seccomp(spec)) not in _SECCOMP:
            yield f"container {name} sets no seccomp profile"


def _containers(spec: Object) -> list[Object]:
    return [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]


def _seccomp(place: Object) -> str:
    return str(((place.get("securityContext") or {}).get("seccompProfile") or {}).get("type") or "")
