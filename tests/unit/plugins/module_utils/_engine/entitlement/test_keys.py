# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys: what is taken, what is refused, and that no message quotes one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement import keys
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.keys import generate, private_key, public_keys
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.entitlement.crafted import (
    KEY,
    OTHER,
    decoded,
    key_of,
    pem_of,
    quotes,
)

PASSPHRASE = "correct horse battery staple"
FOREIGN = {
    "an RSA": rsa.generate_private_key(65537, 2048),
    "an EC": ec.generate_private_key(ec.SECP256R1()),
    "an Ed448": ed448.Ed448PrivateKey.generate(),
    "an X25519": x25519.X25519PrivateKey.generate(),
}
NOT_PEM = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI", "x" * 20_000, "\0", "\ud800", "MCowBQYDK2VwAyEA140z8yf4"]
BROKEN_PUBLIC = [
    KEY.public.pem.replace("MCow", "MCox"),
    "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----",
    "-----BEGIN PUBLIC KEY-----\n\ud800\0\n-----END PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\nMCow\n-----END CERTIFICATE-----",
]


def refusal(call: Callable[[], object], *secrets: str) -> str:
    """The message of the error, which quotes none of the secrets."""
    with pytest.raises(InvalidSettings) as caught:
        call()
    message = str(caught.value)
    assert caught.value.next_step
    assert not quotes(message, *(line for secret in secrets for line in secret.splitlines() if "-----" not in line))
    assert (caught.value.__cause__ is None and caught.value.__suppress_context__) or caught.value.__context__ is None
    return message


def given_as_public(*texts: str) -> str:
    return refusal(lambda: public_keys(texts), *texts)


def given_as_private(text: str, passphrase: str = "") -> str:
    return refusal(lambda: private_key(text, passphrase, "vendor.pem"), text, passphrase)


# -- ids


def test_a_key_s_id_is_its_thumbprint_of_rfc_8037() -> None:
    seed = decoded("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
    assert key_of(seed).public.key_id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_private_key_and_its_public_half_have_one_id() -> None:
    assert public_keys([KEY.public.pem])[0].key_id == KEY.public.key_id != OTHER.public.key_id


# -- public keys


def test_without_a_key_the_product_s_counts() -> None:
    raw_bytes = "d78d33f327f8f91f4c430c12eb24eb58897fd4804e8cb56f87dc7ced677ce135"
    for texts in ([], ["", " \n"]):
        (key,) = public_keys(texts)
        loaded = serialization.load_pem_public_key(key.pem.encode())
        assert loaded.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex() == raw_bytes


def test_own_keys_replace_the_product_s() -> None:
    assert [key.key_id for key in public_keys([KEY.public.pem])] == [KEY.public.key_id]


def test_one_text_may_hold_several_keys_among_other_words() -> None:
    text = f"# old\n{KEY.public.pem}\n# new, from 2027 on\r\n{OTHER.public.pem}"
    assert [key.key_id for key in public_keys([text])] == [KEY.public.key_id, OTHER.public.key_id]


def test_a_key_that_is_given_twice_counts_once() -> None:
    assert len(public_keys([KEY.public.pem, KEY.public.pem.replace("\n", "\r\n")])) == 1


@pytest.mark.parametrize("text", NOT_PEM, ids=range(len(NOT_PEM)))
def test_what_is_no_pem_is_not_taken_for_a_public_key(text: str) -> None:
    message = given_as_public(KEY.public.pem, text)
    assert message == "What was given as public key 2 is not a PEM text. It begins with -----BEGIN PUBLIC KEY-----."


@pytest.mark.parametrize("text", BROKEN_PUBLIC, ids=range(len(BROKEN_PUBLIC)))
def test_a_broken_public_key_is_said_to_be_none(text: str) -> None:
    assert given_as_public(text) == "What was given as public key 1 is not a public key in PEM. Copy the vendor's key once more."


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_public_key_of_another_kind_is_named(kind: str) -> None:
    message = given_as_public(pem_of(FOREIGN[kind], public=True))
    assert message == f"What was given as public key 1 is {kind} key; entitlements are signed with Ed25519. Give the vendor's key."


@pytest.mark.parametrize(
    "text",
    [
        KEY.pem(),
        KEY.pem(PASSPHRASE),
        KEY.pem()[:-30],
        KEY.public.pem + KEY.pem(),
        pem_of(FOREIGN["an RSA"]),
        KEY.pem() + "x" * 20_000,
    ],
    ids=["plain", "encrypted", "torn", "beside the public one", "RSA", "in a long file"],
)
def test_a_private_key_in_place_of_a_public_one_is_told_and_not_shown(text: str) -> None:
    message = given_as_public(text)
    assert message.startswith("What was given as public key 1 is a private key; it is not shown here. ")


# -- private keys


def test_a_private_key_survives_its_pem_with_and_without_a_passphrase() -> None:
    for passphrase in ("", PASSPHRASE):
        again = private_key(KEY.pem(passphrase), passphrase)
        assert again.public == KEY.public
        assert again.sign(b"content") == KEY.sign(b"content")


def test_an_encrypted_key_s_text_holds_nothing_of_the_plain_one() -> None:
    body = "".join(KEY.pem().splitlines()[1:-1])
    assert not quotes(KEY.pem(PASSPHRASE).replace("\n", ""), body, PASSPHRASE)


def test_two_generated_pairs_differ_and_sign() -> None:
    one, other = generate(), generate()
    assert one.public.key_id != other.public.key_id
    assert one.public.verifies(one.sign(b"content"), b"content")
    assert not one.public.verifies(other.sign(b"content"), b"content")


def test_no_key_shows_itself_when_it_is_printed() -> None:
    body = KEY.pem().splitlines()[1]
    assert not quotes(repr(KEY) + str(KEY), body[20:])  # before that come the words that say Ed25519


@pytest.mark.parametrize(
    ("text", "passphrase", "sentence"),
    [
        (KEY.pem(PASSPHRASE), "", "The key in vendor.pem is encrypted, and no passphrase was given. Correct the passphrase option."),
        (KEY.pem(PASSPHRASE), "Tr0ub4dor and 3", "The key in vendor.pem cannot be read. The passphrase may be wrong."),
        (KEY.pem(PASSPHRASE), "\ud800 no text", "The key in vendor.pem cannot be read. The passphrase may be wrong."),
        (KEY.pem(), PASSPHRASE, "The key in vendor.pem is not encrypted, but a passphrase was given. Correct the passphrase option."),
        (KEY.pem().replace("MC4C", "MC5C"), "", "The key in vendor.pem cannot be read. Give a PKCS#8 PEM file as it was made."),
        (KEY.pem()[:-30], "", "The key in vendor.pem cannot be read. Give a PKCS#8 PEM file as it was made."),
        (
            KEY.public.pem,
            "",
            "What is in vendor.pem is no private key. Give the private key of the pair; the public one only verifies.",
        ),
        *((text, "", "There is no PEM text in vendor.pem. Give a PKCS#8 key: wge_entitlement_keypair makes one.") for text in NOT_PEM),
    ],
)
def test_a_private_key_that_cannot_be_used_is_one_sentence(text: str, passphrase: str, sentence: str) -> None:
    assert given_as_private(text, passphrase) == sentence


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_private_key_of_another_kind_is_named(kind: str) -> None:
    message = given_as_private(pem_of(FOREIGN[kind]))
    assert message == f"The key in vendor.pem is {kind} key; entitlements are signed with Ed25519. Give an Ed25519 key."


@pytest.mark.parametrize("passphrase", ["x" * 1024, "\ud800 no text"], ids=["long", "no text"])
def test_a_passphrase_that_cannot_encrypt_is_told(passphrase: str) -> None:
    message = refusal(lambda: KEY.pem(passphrase), passphrase)
    assert message == "The key cannot be encrypted with this passphrase. Give a text of at most 1023 bytes."


def test_without_the_library_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "HAS_CRYPTOGRAPHY", False)
    for call in (generate, lambda: public_keys([]), lambda: private_key(KEY.pem())):
        message = refusal(call, KEY.pem())
        assert message.startswith("The Python library cryptography is missing. Install it for the Python that runs this: ")
        assert message.endswith(" -m pip install cryptography.")


def test_the_fixed_keys_are_ordinary_ones() -> None:
    assert isinstance(serialization.load_pem_private_key(KEY.pem().encode(), None), Ed25519PrivateKey)
