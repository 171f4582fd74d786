# SPDX-License-Identifier: GPL-3.0-or-later
"""Words planted in every Secret of a cluster, and who finds them where they must not be: in files, and in the list of processes."""

from __future__ import annotations

import base64
import os
import re
import secrets
import threading
from pathlib import Path
from typing import Any

from testbed import Cluster

from .lab import Run
from .processes import system

PLANTED = "planted"
_POLL_SECONDS = 0.02
_BLANK = re.compile(rb"\s+")
_LONGEST = 1 << 25
Canaries = dict[str, list[bytes]]
"""Every form of a secret in which it could be found, by what it is."""


def forms(secret: bytes) -> list[bytes]:
    """It as it is, in base64 and in the base64 of that, wherever it begins in what was encoded."""
    once = _encoded(secret)
    return [secret, *once, *(twice for form in once for twice in _encoded(form))]


def _encoded(content: bytes) -> list[bytes]:
    """Of the base64 of a longer text with ``content`` in it the part that does not depend on its neighbours, for each place."""
    found = []
    for before, first in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(content)) * 8 // 6
        found.append(base64.b64encode(b"\0" * before + content)[first:whole])
    return found


def plant(cluster: Cluster) -> Canaries:
    """A word of its own in every Secret; of helm's, which cannot be added to, a piece from the middle of what it holds."""
    api = cluster.api()
    found: Canaries = {}
    for item in api.get("/api/v1/secrets")["items"]:
        place, name = item["metadata"]["namespace"], item["metadata"]["name"]
        if item["type"] == "helm.sh/release.v1":
            found[f"Secret {place}/{name}"] = payload(item)
            continue
        word = f"c4n4ry-{secrets.token_hex(16)}".encode()
        api.patch(f"/api/v1/namespaces/{place}/secrets/{name}", {"data": {PLANTED: base64.b64encode(word).decode()}})
        found[f"Secret {place}/{name}"] = forms(word)
    api.close()
    return found


def payload(release: Any) -> list[bytes]:
    """A piece of a Secret of helm's, as the API shows it, decoded once, and decoded twice in base64 wherever it begins."""
    once = base64.b64decode(release["data"]["release"])
    middle = len(once) // 2
    twice = base64.b64decode(once)
    return [once[middle : middle + 60], *forms(twice[len(twice) // 2 :][:48])]


def found_in(content: bytes, canaries: Canaries) -> set[str]:
    """Which of them are there, also when a line was folded in their middle."""
    texts = (content, _BLANK.sub(b"", content))
    return {kind for kind, known in canaries.items() if any(form in text for form in known for text in texts)}


class Lookout(threading.Thread):
    """While a run is at work, looks at what any process could see of it: command lines, and files that live for a moment only."""

    def __init__(self, run: Run, mark: str, canaries: Canaries, *folders: Path) -> None:
        """``mark`` is in the environment of all processes of the run; ``folders`` are where it may write, beside its own."""
        super().__init__(name="lookout", daemon=True)
        self._run, self._mark, self._canaries = run, mark, canaries
        self._folders = (run.folder, *folders)
        self._over = threading.Event()
        self._known: set[tuple[Path, int, int]] = set()
        self.commands: set[str] = set()
        self.files: set[Path] = set()
        self.hits: set[str] = set()
        """Where what was found."""

    def run(self) -> None:
        """Until told to stop."""
        while not self._over.wait(_POLL_SECONDS):
            self._look()

    def end(self) -> set[str]:
        """Look a last time, and say what was found."""
        self._over.set()
        self.join()
        self._look()
        return self.hits

    def _look(self) -> None:
        for command in system.processes(self._mark).values():
            if command not in self.commands:
                self.commands.add(command)
                self._judge("a command line", command.encode())
        for folder in self._folders:
            for parent, _folders, names in os.walk(folder):  # unlike rglob it passes over a folder that goes meanwhile
                for name in names:
                    self._read(Path(parent, name))

    def _read(self, path: Path) -> None:
        """A file that is new or has changed; the inventory is the user's own."""
        try:
            state = path.stat()
            key = (path, state.st_mtime_ns, state.st_size)
            if not path.is_file() or key in self._known or path.name == "inventory.yml" or state.st_size > _LONGEST:
                return
            content = path.read_bytes()
        except OSError:
            return  # it has gone meanwhile
        self._known.add(key)
        self.files.add(path)
        self._judge(str(path), content)

    def _judge(self, where: str, content: bytes) -> None:
        self.hits |= {f"{where}: {kind}" for kind in found_in(content, self._canaries)}
