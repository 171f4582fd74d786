# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate WGE makes for itself at each start: ECDSA P-256, O=Weaveworks, one year, never on disk."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _pem() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Weaveworks")])
    now = dt.datetime.now(dt.timezone.utc)
    names = [
        x509.DNSName("localhost"),
        x509.DNSName("weave.gitops.enterprise.com"),
        x509.IPAddress(ipaddress.ip_address("0.0.0.0")),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def context() -> ssl.SSLContext:
    """A server's context with a new certificate; Python reads it from a file that exists in memory only."""
    descriptor = os.memfd_create("certificate")
    try:
        os.write(descriptor, _pem())
        found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        found.load_cert_chain(f"{os.sep}proc/self/fd/{descriptor}")
        return found
    finally:
        os.close(descriptor)
