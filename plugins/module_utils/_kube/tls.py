# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS settings that leave no file behind. PRIVATE: can change at any time.

OpenSSL takes a key pair from a file only. The kubernetes library writes one to the temporary folder and removes it in
``atexit``, which a forked Ansible worker never reaches; here it is a file in memory, or one that is gone at once.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from .._errors import InvalidSettings


def context_for(*, verify: bool, authority: str, certificate: str = "", key: str = "", where: str = "") -> ssl.SSLContext:
    """An SSL context. ``authority``, ``certificate`` and ``key`` are PEM texts; raises InvalidSettings for unusable ones.

    Without an authority those of this machine count. Contexts without a key pair are shared, so do not change them.
    """
    if not certificate:
        return _shared_context(verify, authority, where)
    context = _new_context(verify, authority, where)
    _load_pair(context, certificate, key, where)
    return context


@contextmanager
def readable_path(content: bytes) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A path that gives ``content`` while the block runs, and the descriptors a child must inherit to read it."""
    try:
        descriptor = os.memfd_create("wge")
    except (AttributeError, OSError):  # not Linux, or forbidden
        with _short_lived_file(content) as path:
            yield path, ()
        return
    try:
        os.fchmod(descriptor, 0o600)  # helm warns about a kubeconfig that others can read
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


@contextmanager
def _short_lived_file(content: bytes) -> Iterator[str]:
    descriptor, path = tempfile.mkstemp(prefix="wge-")  # mode 0600
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        yield path
    finally:
        os.unlink(path)


@lru_cache(maxsize=8)
def _shared_context(verify: bool, authority: str, where: str) -> ssl.SSLContext:
    return _new_context(verify, authority, where)


def _new_context(verify: bool, authority: str, where: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # As Go does, and so kubectl: an intermediate authority may be the trusted one.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif authority:
        _load_authority(context, authority, where)
    else:
        context.load_default_certs()
    return context


def _load_authority(context: ssl.SSLContext, authority: str, where: str) -> None:
    try:
        context.load_verify_locations(cadata=authority.encode("ascii", "ignore").decode())
    except (ssl.SSLError, ValueError):
        raise InvalidSettings(
            f"The certificate authority of {where} is not a PEM certificate.",
            "Give a text or a file that begins with -----BEGIN CERTIFICATE-----.",
        ) from None


def _load_pair(context: ssl.SSLContext, certificate: str, key: str, where: str) -> None:
    with readable_path(f"{certificate.rstrip()}\n{key}".encode()) as (path, _inherited):
        try:
            context.load_cert_chain(path, password=lambda: _no_passphrase(where))
        except (ssl.SSLError, ValueError):
            raise InvalidSettings(
                f"The client certificate and key of {where} are not a pair of PEM texts that belong together.",
                "Give client_cert and client_key, or a kubeconfig, from the same source.",
            ) from None


def _no_passphrase(where: str) -> str:
    raise InvalidSettings(
        f"The client key of {where} is protected by a passphrase, and nobody can be asked for it here.",
        "Give a key without a passphrase, or a token.",
    )
