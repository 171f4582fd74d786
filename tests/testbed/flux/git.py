# SPDX-License-Identifier: GPL-3.0-or-later
"""The bed's git repositories: bare ones, written by the git program, read by every cluster of the bed."""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

BRANCH = "main"
AUTHOR = ("-c", "user.name=Test Bed", "-c", "user.email=bed@example.org", "-c", "commit.gpgsign=false")


class Repository:
    """One bare repository with the branch main; the last part of a GitRepository's URL is its name."""

    def __init__(self, folder: Path, name: str = "fleet") -> None:
        self.path = folder / name
        self.url = f"https://git.example.org/{name}.git"
        folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            if not self.path.exists():
                self._run("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(self.path))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Clusters that come up at once write to the same repository."""
        with open(self.path.parent / f".{self.path.name}.lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _checkout(self) -> Iterator[Path]:
        """A work tree of the branch, pushed at the end."""
        with self._alone(), tempfile.TemporaryDirectory() as folder:
            work = Path(folder, "work")
            self._run("clone", "--quiet", str(self.path), str(work))
            self._run("checkout", "--quiet", "-B", BRANCH, cwd=work)
            yield work
            self._run("push", "--quiet", "origin", BRANCH, cwd=work)

    @staticmethod
    def _run(*words: str, cwd: Path | None = None) -> str:
        return subprocess.run(["git", *AUTHOR, *words], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()

    @property
    def head(self) -> str:
        """The commit of the branch."""
        return self._run("-C", str(self.path), "rev-parse", BRANCH)

    def read(self, path: str) -> str:
        return self._run("-C", str(self.path), "show", f"{BRANCH}:{path}")

    def commit(self, files: dict[str, str | None], message: str) -> str:
        """Write these files, delete those whose text is None; the new commit."""
        with self._checkout() as work:
            for name, text in files.items():
                if text is None:
                    (work / name).unlink()
                else:
                    (work / name).parent.mkdir(parents=True, exist_ok=True)
                    (work / name).write_text(text, encoding="utf-8")
            self._run("add", "--all", cwd=work)
            self._run("commit", "--quiet", "--allow-empty", "-m", message, cwd=work)
        return self.head

    def revert(self) -> str:
        """Undo the newest commit by another one."""
        with self._checkout() as work:
            self._run("revert", "--no-edit", "HEAD", cwd=work)
        return self.head
