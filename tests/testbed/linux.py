# SPDX-License-Identifier: GPL-3.0-or-later
"""The few Linux calls that Python 3.11 lacks: unshare and the parent-death signal."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1

_LIBC = ctypes.CDLL(None, use_errno=True)


class NamespacesForbidden(RuntimeError):
    """The kernel or its policy does not let this user make namespaces."""


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` for new ones; raises OSError."""
    if _LIBC.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def enter_own_network() -> None:
    """A network namespace of our own; an ordinary user gets a user namespace round it."""
    uid, gid = os.getuid(), os.getgid()
    if uid == 0:
        try:
            unshare(CLONE_NEWNET)
            return
        except PermissionError:
            pass  # root without CAP_SYS_ADMIN, as in many containers: go the ordinary user's way
    try:
        unshare(CLONE_NEWUSER | CLONE_NEWNET)
        _map_to_root(uid, gid)
    except OSError as error:
        raise NamespacesForbidden(
            f"user namespaces are forbidden here ({error.strerror}): run the test bed as root, or allow them "
            "(sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns)"
        ) from error


def _map_to_root(uid: int, gid: int) -> None:
    """Inside the new user namespace the caller is root; nobody else exists."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"{os.sep}proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def die_with_parent(number: int = signal.SIGKILL) -> Callable[[], None]:
    """For `preexec_fn`: the child gets `number` when the process that starts it ends, however that ends."""
    parent = os.getpid()

    def arm() -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died in between
            os.kill(os.getpid(), number)

    return arm


def system_path() -> str:
    """PATH with each directory's `sbin` neighbour: `ip` and `nft` live there, an ordinary user's PATH may lack it."""
    found = os.environ.get("PATH", os.defpath).split(os.pathsep)
    neighbours = [os.path.join(os.path.dirname(entry), "sbin") for entry in found if entry]
    return os.pathsep.join(dict.fromkeys(found + neighbours))
