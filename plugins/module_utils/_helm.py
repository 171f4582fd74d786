# SPDX-License-Identifier: GPL-3.0-or-later
"""The helm program, run at this one place. PRIVATE: can change at any time.

It gets its kubeconfig as a file in memory and the values on standard input, so that neither an argument list nor a file
ever holds a secret. It runs in a session of its own: a Ctrl-C that cut it would leave a release in ``pending-…``.
The user's own cache, repositories and registry logins are left in force, since ``repo/name`` and ``oci://`` need them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from ._engine.model import Object, Release
from ._engine.yamls import documents
from ._errors import HelmFailed, InvalidSettings
from ._files import read_limited
from ._kube.connection import Connection
from ._kube.kubeconfig_text import SOUNDS_SECRET, kubeconfig_text, secrets_of
from ._kube.tls import readable_path

TIME_LIMIT = 600.0
"""Seconds a command may take. Hooks of a chart run within it."""

LONGEST_FILE = 64 * 1024 * 1024
"""Bytes of a rendered file."""

_GRACE = 30.0
_LONGEST_MESSAGE = 600
_KEPT_OUT = re.compile(r"^(HELM_KUBE.*|HELM_NAMESPACE|HELM_DEBUG)$")


class HelmProgram:
    """The Helm of ``_engine.model``: the program ``program`` for the cluster of ``connection``."""

    def __init__(
        self,
        connection: Connection,
        *,
        program: str = "helm",
        environ: Mapping[str, str] | None = None,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        """``program`` is a name or a path; ``environ`` is what helm sees, less what would point it at another cluster."""
        self._connection = connection
        self._program = os.path.expanduser(program)
        self._environ = {name: value for name, value in (environ or os.environ).items() if not _KEPT_OUT.match(name)}
        self._time_limit = time_limit
        self._version = ""

    def version(self) -> str:
        """E.g. ``3.19.5``; asked once. Raises HelmFailed, also when the program is not there."""
        if not self._version:
            answer = self._run(["version", "--template", "{{.Version}}"], needs_cluster=False)
            self._version = answer.strip().removeprefix("v").partition("+")[0]
        return self._version

    def template(self, release: Release, *, kube_version: str = "", api_versions: Sequence[str] = ()) -> list[Object]:
        """The objects of ``release`` without asking a cluster, ``crds/``, hooks and tests included; raises HelmFailed.

        A file that holds them rendered is read; raises InvalidSettings when it cannot be.
        """
        if release.rendered:
            return documents(read_limited(release.rendered, LONGEST_FILE).decode(errors="replace"))
        options = ["--include-crds"]
        if kube_version:
            options += ["--kube-version", kube_version]
        for version in api_versions:
            options += ["--api-versions", version]
        text = self._run(["template", *options, *_words(release)], release=release, needs_cluster=False)
        try:
            return documents(text)
        except InvalidSettings as error:
            raise HelmFailed(f"What helm rendered of {release.chart} cannot be read. {error.what}", error.next_step) from None

    def install(self, release: Release) -> None:
        """Install without waiting and without taking ownership of what exists; raises HelmFailed."""
        labels = ",".join(f"{key}={value}" for key, value in sorted(release.labels.items()))
        self._run(["install", *(["--labels", labels] if labels else []), *_words(release)], release=release)

    def uninstall(self, name: str, namespace: str) -> None:
        """Uninstall without waiting; a release that is not there is no error. Raises HelmFailed."""
        try:
            self._run(["uninstall", "--namespace", namespace, "--", name])
        except HelmFailed as error:
            # --ignore-not-found is younger than some helm 3, and it takes a parked release for a missing one as well.
            if "release: not found" not in error.what:
                raise

    def _run(self, words: list[str], *, release: Release | None = None, needs_cluster: bool = True) -> str:
        """The standard output of one command; raises HelmFailed with its last words."""
        values = json.dumps(release.values) if release and release.values else ""
        kubeconfig = readable_path(kubeconfig_text(self._connection).encode()) if needs_cluster else nullcontext((os.devnull, ()))
        with kubeconfig as (path, inherited):
            # An option, not the variable: a credential program that helm starts may need the user's own KUBECONFIG.
            done = self._finished([self._program, "--kubeconfig", path, *words], values, inherited)
        if done.returncode:
            said = _last_words(done.stderr, _secret_texts(self._connection, release))
            raise HelmFailed(f"helm {words[0]} failed: {said}.", "Correct what helm names, then run again.")
        return done.stdout

    def _finished(self, words: list[str], values: str, inherited: tuple[int, ...]) -> subprocess.CompletedProcess[str]:
        try:
            process = subprocess.Popen(
                words,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                pass_fds=inherited,
                start_new_session=True,
            )
        except OSError as error:
            raise HelmFailed(
                f"The helm program {self._program!r} cannot be started: {error.strerror}.",
                "Install helm 3.13 or newer, or name the program in the option helm (wge_helm).",
            ) from None
        with process:
            return self._communicated(process, values)

    def _communicated(self, process: subprocess.Popen[str], values: str) -> subprocess.CompletedProcess[str]:
        try:
            output, errors = process.communicate(values, timeout=self._time_limit)
        except subprocess.TimeoutExpired:
            _end(process)
            raise HelmFailed(
                f"helm did not end within {self._time_limit:.0f} s.",
                "See with helm status in what state it left the release; hooks of the chart may wait for something.",
            ) from None
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def _words(release: Release) -> list[str]:
    if release.chart.startswith("-") or not release.chart:
        raise HelmFailed(f"The chart {release.chart!r} is not one.", "Give a folder, an archive, oci://… or repo/name.")
    words = ["--namespace", release.namespace]
    if release.version:
        words += ["--version", release.version]
    if release.values:
        words += ["--values", "-"]
    return [*words, "--", release.name, release.chart]


def _end(process: subprocess.Popen[str]) -> None:
    """Asked first, helm marks the release as failed; killed at once it stays ``pending``."""
    process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _last_words(text: str, secrets: set[str]) -> str:
    """The last error of helm's standard error, on one line, with the secrets taken out."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    begins = [index for index, line in enumerate(lines) if line.startswith("Error:")]
    said = " ".join(lines[begins[-1] :] if begins else lines[-1:]).removeprefix("Error: ") or "it said nothing"
    for secret in sorted(secrets, key=len, reverse=True):
        said = said.replace(secret, "***")
    return said[:_LONGEST_MESSAGE].rstrip(".")


def _secret_texts(connection: Connection, release: Release | None) -> set[str]:
    found = set(secrets_of(connection))
    found.update(_secret_values(release.values, False) if release else ())
    return {text for text in found if len(text) > 3}


def _secret_values(value: Any, secret: bool) -> Iterator[str]:
    """The texts below a name that sounds like a secret's."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _secret_values(item, secret or bool(SOUNDS_SECRET.search(str(name))))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _secret_values(item, secret)
    elif secret and isinstance(value, str):
        yield value
        yield from value.split("\n")
