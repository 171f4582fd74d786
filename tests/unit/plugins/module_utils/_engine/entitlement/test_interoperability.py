# SPDX-License-Identifier: GPL-3.0-or-later
"""Two other implementations agree: what is signed here verifies with openssl and PyJWT, and what they sign verifies here."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.keys import private_key, public_keys
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.token import signed
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.verify import verify
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.entitlement.crafted import (
    CLAIMS,
    HEADER,
    KEY,
    NOW,
    OTHER,
    TOKEN,
    decoded,
    encoded,
)

RICH = {**CLAIMS, "sub": "Zoë <zoë@example.com>", "features": ["pipelines", "explorer"], "jti": "e-1"}
PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def openssl(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs the program in a folder of the test's own. A machine without it cannot pass this."""
    program = shutil.which("openssl")
    assert program, "The program openssl (3.0 or newer) is missing: install the package openssl."

    def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run([program, *words], cwd=tmp_path, capture_output=True, timeout=30)
        assert done.returncode == code, f"openssl {' '.join(words)} ended with {done.returncode}: {done.stderr.decode()}"
        return done

    return run


def write_parts(folder: Path, token: str) -> None:
    text, _, signature = token.rpartition(".")
    (folder / "text").write_bytes(text.encode())
    (folder / "signature").write_bytes(decoded(signature))


VERIFY = ("pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "public.pem", "-in", "text", "-sigfile", "signature")


# -- openssl


@pytest.mark.parametrize("claims", [CLAIMS, RICH], ids=["plain", "rich"])
def test_openssl_verifies_what_is_signed_here(openssl: Callable[..., object], tmp_path: Path, claims: dict[str, object]) -> None:
    (tmp_path / "public.pem").write_text(KEY.public.pem)
    write_parts(tmp_path, signed(claims, KEY))
    openssl(*VERIFY)


def test_openssl_refuses_another_key_and_other_bytes(openssl: Callable[..., object], tmp_path: Path) -> None:
    (tmp_path / "public.pem").write_text(OTHER.public.pem)
    write_parts(tmp_path, TOKEN)
    openssl(*VERIFY, code=1)
    (tmp_path / "public.pem").write_text(KEY.public.pem)
    (tmp_path / "text").write_bytes(TOKEN.rpartition(".")[0].encode() + b"A")
    openssl(*VERIFY, code=1)


def test_what_openssl_makes_and_signs_verifies_here(openssl: Callable[..., object], tmp_path: Path) -> None:
    openssl("genpkey", "-algorithm", "ed25519", "-out", "private.pem")
    openssl("pkey", "-in", "private.pem", "-pubout", "-out", "public.pem")
    text = f"{encoded(HEADER)}.{encoded(json.dumps(RICH).encode())}"
    (tmp_path / "text").write_bytes(text.encode())
    openssl("pkeyutl", "-sign", "-rawin", "-inkey", "private.pem", "-in", "text", "-out", "signature")
    token = f"{text}.{encoded((tmp_path / 'signature').read_bytes())}"
    judgement = verify(token, public_keys([(tmp_path / "public.pem").read_text()]), NOW)
    assert (judgement.valid, judgement.customer) == (True, RICH["sub"])


def test_both_give_the_same_signature(openssl: Callable[..., object], tmp_path: Path) -> None:
    (tmp_path / "private.pem").write_text(KEY.pem())
    write_parts(tmp_path, TOKEN)
    openssl("pkeyutl", "-sign", "-rawin", "-inkey", "private.pem", "-in", "text", "-out", "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "signature").read_bytes()


def test_an_encrypted_key_of_either_opens_with_the_other(openssl: Callable[..., object], tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    (tmp_path / "ours.pem").write_text(KEY.pem(PASSPHRASE))
    openssl("pkey", "-in", "ours.pem", "-passin", "file:passphrase", "-pubout", "-out", "public.pem")
    assert (tmp_path / "public.pem").read_text() == KEY.public.pem
    openssl("genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "file:passphrase", "-out", "theirs.pem")
    openssl("pkey", "-in", "theirs.pem", "-passin", "file:passphrase", "-pubout", "-out", "public.pem")
    theirs = private_key((tmp_path / "theirs.pem").read_text(), PASSPHRASE)
    assert theirs.public == public_keys([(tmp_path / "public.pem").read_text()])[0]


# -- PyJWT


@pytest.mark.parametrize("claims", [CLAIMS, RICH], ids=["plain", "rich"])
def test_pyjwt_verifies_what_is_signed_here(claims: dict[str, object]) -> None:
    options: jwt.types.Options = {"verify_iat": False, "verify_nbf": False}  # the tests' moment is fixed
    assert jwt.decode(signed(claims, KEY), KEY.public.pem, algorithms=["EdDSA"], options=options) == claims


def test_pyjwt_refuses_another_key() -> None:
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(TOKEN, OTHER.public.pem, algorithms=["EdDSA"])


def test_what_pyjwt_signs_verifies_here() -> None:
    judgement = verify(jwt.encode(RICH, KEY.pem(), algorithm="EdDSA", headers={"kid": "any"}), [KEY.public], NOW)
    assert (judgement.valid, judgement.features, judgement.jti) == (True, ("pipelines", "explorer"), "e-1")


def test_a_key_s_id_is_the_thumbprint_of_the_jwk_that_pyjwt_makes_of_it() -> None:
    algorithm = jwt.get_algorithm_by_name("EdDSA")
    jwk = algorithm.to_jwk(serialization.load_pem_public_key(KEY.public.pem.encode()), as_dict=True)
    members = json.dumps({name: jwk[name] for name in ("crv", "kty", "x")}, separators=(",", ":"))
    assert encoded(hashlib.sha256(members.encode()).digest()) == KEY.public.key_id
