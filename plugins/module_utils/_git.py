# SPDX-License-Identifier: GPL-3.0-or-later
"""The git program, run at this one place. PRIVATE: can change at any time.

Nothing is edited in a user's checkout: the change is made in a clone of its HEAD that borrows its objects and goes away again. Only a
branch that was asked for is put into the repository, and it leaves what is checked out alone.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ._errors import GitFailed, InvalidSettings
from ._files import PUBLIC, write_private

TIME_LIMIT = 300.0
_LOCATED = re.compile(r"^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|NAMESPACE|PREFIX|COMMON_DIR)$")
_LOGIN = re.compile(r"://[^@/\s]+@")
_LONGEST_MESSAGE = 400
_LARGEST = 1 << 20
PLAIN = ("-c", "core.autocrlf=false", "-c", "core.quotePath=false", "-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false")


class GitProgram:
    """git in one folder. Every method raises GitFailed."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._environ = {name: value for name, value in os.environ.items() if not _LOCATED.match(name)}
        self._environ |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}

    def run(self, *words: str, more: Mapping[str, str] | None = None) -> str:
        """The standard output of one command."""
        done = self._done(words, more or {})
        if done.returncode:
            said = _LOGIN.sub("://***@", (done.stderr or done.stdout).decode("utf-8", "replace"))
            raise GitFailed(f"git {words[0]} failed: {' '.join(said.split())[:_LONGEST_MESSAGE].rstrip('.')}.", "Correct what git names.")
        return done.stdout.decode("utf-8", "surrogateescape")

    def says(self, *words: str) -> bool:
        """Whether a command that answers by its exit code says yes."""
        return self._done(words, {}).returncode == 0

    def _done(self, words: Sequence[str], more: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", *PLAIN, *words],
                cwd=self.folder,
                env={**self._environ, **more},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIME_LIMIT,
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            what = f"git {words[0]} did not end within {TIME_LIMIT:.0f} s."
            raise GitFailed(what, "See what it waits for: a hook, or the network.") from None
        except OSError as error:
            raise GitFailed(f"git cannot be run in {self.folder}: {error.strerror}.", "Install the git program.") from None


class Checkout:
    """A user's checkout: looked at, and never edited."""

    def __init__(self, folder: str) -> None:
        """Raises InvalidSettings for a folder that is no checkout, or one with changes that nobody has committed."""
        advice = "Clone the repository that Flux reads, and give its folder."
        if not os.path.isdir(folder):
            raise InvalidSettings(f"The checkout {folder} does not exist.", advice)
        if not GitProgram(folder).says("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
            raise InvalidSettings(f"{folder} is not a checkout with a commit.", advice)
        self.git = GitProgram(GitProgram(folder).run("rev-parse", "--show-toplevel").rstrip("\n"))
        if changed := self.git.run("status", "--porcelain").splitlines():
            raise InvalidSettings(
                f"The checkout {folder} has {len(changed)} changes that are not committed.", "Commit them or put them aside (git stash)."
            )

    def has(self, commit: str) -> bool:
        """Whether what is checked out contains a commit."""
        return self.git.says("merge-base", "--is-ancestor", commit, "HEAD")

    @contextmanager
    def clone(self) -> Iterator[Clone]:
        """A clone of what is checked out, for as long as it is used."""
        with tempfile.TemporaryDirectory(prefix="wge-git-") as folder:
            self.git.run("clone", "--quiet", "--shared", "--no-tags", "--", self.git.folder, os.path.join(folder, "clone"))
            yield Clone(os.path.join(folder, "clone"), self)

    def tree(self, branch: str) -> str:
        """The content of a branch as one hash, empty when there is no such branch."""
        name = f"refs/heads/{branch}^{{tree}}"
        return self.git.run("rev-parse", "--verify", name).strip() if self.git.says("rev-parse", "--verify", "--quiet", name) else ""

    def push(self, remote: str, branch: str, *, dry: bool) -> bool:
        """Push a branch to a remote (``dry``: only see); whether the remote did not have it so."""
        name = f"refs/heads/{branch}"
        there = self.git.run("ls-remote", "--", remote, name).split("\t")[0]
        if not dry:
            self.git.run("push", "--quiet", "--", remote, f"{name}:{name}")
        return not there or not self.git.says("merge-base", "--is-ancestor", name, there)

    def committer(self) -> dict[str, str]:
        """Who commits here, as variables for git: a clone does not have this checkout's own configuration."""
        found = re.match(r"(.*) <(.*)> \d+ [+-]\d+$", self.git.run("var", "GIT_COMMITTER_IDENT").strip())
        name, mail = found.groups() if found else ("", "")
        return {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", name), ("EMAIL", mail))}


class Noted(NamedTuple):
    """A commit, and which line of its message was looked for; both empty when there is none."""

    commit: str
    line: str


class Clone:
    """The place where the change is made."""

    def __init__(self, folder: str, origin: Checkout) -> None:
        self.git = GitProgram(folder)
        self._origin = origin

    def files(self, below: str) -> dict[str, str]:
        """The texts of all plain files below a path of the repository, by their own path; what is no text or very large is left out."""
        names = self.git.run("ls-files", "-z", "-s", "--", f":(literal){below}" if below else ".").split("\0")
        found = [entry.partition("\t")[2] for entry in names if entry.startswith("100")]
        texts = {name: self._text(os.path.join(self.git.folder, name)) for name in found}
        return {name: text for name, text in texts.items() if text is not None}

    def write(self, files: Mapping[str, str | None]) -> None:
        """Write or remove files, and take that into the next commit."""
        for name, text in files.items():
            path = os.path.join(self.git.folder, name)
            if text is None:
                os.unlink(path)
            else:
                write_private(path, text.encode(), PUBLIC)
        self.git.run("add", "--all", "--", *(f":(literal){name}" for name in files))

    def patch(self) -> bytes:
        """What is taken into the next commit, as a patch that git apply takes."""
        text = self.git.run("diff", "--cached", "--binary", "--no-color", "--no-ext-diff", "--no-renames", "--full-index")
        return text.encode("utf-8", "surrogateescape")

    def tree(self) -> str:
        """The content of the next commit as one hash."""
        return self.git.run("write-tree").strip()

    def put_branch(self, branch: str, message: str) -> None:
        """Commit, and put the commit into the checkout's repository as a new branch."""
        self.git.run("commit", "--quiet", "--message", message, more=self._origin.committer())
        self.git.run("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")

    def newest(self, lines: Sequence[str]) -> Noted:
        """The newest commit whose message has one of these lines."""
        greps = [f"--grep={line}" for line in lines]
        for entry in self.git.run("log", "-z", "--format=%H%n%B", "--fixed-strings", *greps).split("\0"):
            commit, _end, message = entry.partition("\n")
            if found := [line for line in message.splitlines() if line in lines]:
                return Noted(commit, found[0])
        return Noted("", "")

    def revert(self, commit: str) -> None:
        """Take the reverse of a commit into the next one."""
        self.git.run("revert", "--no-commit", commit, more=self._origin.committer())

    def _text(self, path: str) -> str | None:
        try:
            with open(path, encoding="utf-8", newline="") as file:
                text = file.read(_LARGEST + 1)
        except (OSError, UnicodeDecodeError):
            return None
        return text if len(text) <= _LARGEST else None
