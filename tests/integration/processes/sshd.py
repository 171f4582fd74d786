# SPDX-License-Identifier: GPL-3.0-or-later
"""A real sshd on loopback with keys of its own, and a Python for it that holds only what a bastion must have."""

from __future__ import annotations

import getpass
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import cryptography
import urllib3
import yaml
from testbed import linux, wait_until

from . import system

LIBRARIES = [Path(package.__file__ or "").parent for package in (urllib3, yaml, cryptography)]
LIBRARIES += [Path(found.origin) for found in [importlib.util.find_spec("_cffi_backend")] if found and found.origin]  # cryptography's


class Sshd:
    """Started at once; every session in it carries ``mark`` and has its own home and temporary folder."""

    def __init__(self, root: Path, mark: str) -> None:
        self.root = root
        self.mark = mark
        self.home = root / "home"
        self.home.mkdir(parents=True)
        self.temp = root / "tmp"
        self.temp.mkdir()
        self.python = _small_python(root / "python")
        self.port = _free_port()
        for name in ("host", "user"):
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / name)]
            subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
        host_key = (root / "host.pub").read_text(encoding="ascii")
        (root / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {host_key}", encoding="ascii")
        (root / "sshd_config").write_text(self._settings(), encoding="utf-8")
        self._process = self._started()

    def variables(self) -> dict[str, Any]:
        """How Ansible reaches it. No connection is kept open, so that nothing of ssh outlives a run."""
        options = {
            "UserKnownHostsFile": self.root / "known_hosts",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "ControlMaster": "no",
        }
        return {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": getpass.getuser(),
            "ansible_ssh_private_key_file": str(self.root / "user"),
            "ansible_ssh_args": " ".join([f"-F {os.devnull}", *(f"-o {name}={value}" for name, value in options.items())]),
            "ansible_pipelining": True,
            "ansible_python_interpreter": str(self.python),
            "ansible_remote_tmp": str(self.root / "ansible"),
        }

    def processes(self) -> dict[int, str]:
        """What runs in its sessions."""
        return system.processes(self.mark)

    def left_files(self) -> list[str]:
        """What lies in the temporary folders of its sessions."""
        return system.files(self.temp, self.root / "ansible")

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)

    def _started(self) -> subprocess.Popen[bytes]:
        program = shutil.which("sshd", path=linux.system_path())
        if program is None:
            raise AssertionError("there is no sshd: `make setup-bed` installs it")
        if os.geteuid() == 0:
            Path(os.sep, "run", "sshd").mkdir(exist_ok=True)  # where it locks itself in before the login
        with open(self.root / "log", "wb") as log:
            process = subprocess.Popen(
                [program, "-D", "-e", "-f", str(self.root / "sshd_config")], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_until("sshd", lambda: _answers(self.port) or process.poll() is not None, 10)
        if process.poll() is not None:
            raise AssertionError((self.root / "log").read_text(encoding="utf-8"))
        return process

    def _settings(self) -> str:
        lines = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.root / 'host'}",
            f"AuthorizedKeysFile {self.root / 'user.pub'}",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "PermitRootLogin prohibit-password",
            "PidFile none",
            f"SetEnv {system.MARK}={self.mark} HOME={self.home} TMPDIR={self.temp} LC_ALL=C.UTF-8",
        ]
        return "\n".join(lines) + "\n"


def _small_python(root: Path) -> Path:
    """An interpreter that has what meta/ee-requirements.txt names and nothing else: no Ansible, no kubernetes."""
    venv.create(root, symlinks=True, with_pip=False)
    (packages,) = root.glob("lib/python*/site-packages")
    for library in LIBRARIES:
        (packages / library.name).symlink_to(library)
    return root / "bin" / Path(sys.executable).name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
