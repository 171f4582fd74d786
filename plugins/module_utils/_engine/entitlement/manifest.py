# SPDX-License-Identifier: GPL-3.0-or-later
"""An entitlement as a file: a bare token, or the manifest of the Secret in which WGE looks for it. PRIVATE.

Vendors hand over either. The manifest is read with YAML's plainest rules, by which every scalar is a text, so nothing turns into
a date or a number on its way; JSON is read too. No message quotes what was read: it may be a token, or somebody's private key.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, NoReturn

from ..._errors import InvalidSettings

try:
    import yaml
except ImportError:  # pragma: no cover - a bastion without PyYAML
    yaml = None  # type: ignore[assignment]

ENTITLEMENT_KEY = "entitlement"
KNOWN_KEYS = (ENTITLEMENT_KEY, "username", "password", "deploy-key")
"""What WGE reads of the Secret; only the first is needed."""
LONGEST = 64 * 1024
"""Bytes. A token has about 300, and the Secret three short texts more."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_NEXT = "Give the file that the vendor sent: the token alone, or the manifest of one Secret."


def secret_manifest(token: str, name: str, namespace: str) -> str:
    """The Secret that holds ``token``, ready for kubectl, SOPS or kubeseal; the same token gives the same text."""
    data = base64.b64encode(token.encode()).decode()
    return (
        "apiVersion: v1\n"
        "kind: Secret\n"
        "metadata:\n"
        f'  name: "{name}"\n'
        f'  namespace: "{namespace}"\n'
        "type: Opaque\n"
        "data:\n"
        f"  {ENTITLEMENT_KEY}: {data}\n"
    )


def check_names(name: str, namespace: str) -> None:
    """Raises InvalidSettings for names that no API server would take."""
    for option, value in (("secret_name", name), ("secret_namespace", namespace)):
        if not _NAME.fullmatch(value):
            raise InvalidSettings(f"{option} is {value[:80]!r}.", "Give lower-case letters, digits, dots and hyphens.")


def credentials_of(content: str | bytes, place: str = "the entitlement") -> dict[str, str]:
    """The entitlement, and what else WGE reads of the Secret, by the Secret's own keys.

    A text that is no manifest counts as a token, for the verifier to judge. ``place`` says in messages where it came from.
    Raises InvalidSettings.
    """
    text = _text(content, place)
    if "-----BEGIN" in text:
        _refuse(f"In {place} there is a PEM text, which is a key or a certificate and no entitlement; it is not shown here.")
    if ":" not in text:  # no token has one, and no manifest can do without
        return {ENTITLEMENT_KEY: text.strip()}
    secret = _secret(text, place)
    found = {**_decoded(secret.get("data"), place), **_plain(secret.get("stringData"), place)}
    if ENTITLEMENT_KEY not in found:
        _refuse(f"The Secret in {place} has no key {ENTITLEMENT_KEY}.")
    return found


def _text(content: str | bytes, place: str) -> str:
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    if len(raw) > LONGEST:
        _refuse(f"What is in {place} is longer than {LONGEST} bytes, so it is no entitlement.")
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        _refuse(f"What is in {place} is not a text.")
    if not all(letter.isprintable() or letter in "\r\n\t" for letter in text):
        _refuse(f"What is in {place} holds NUL bytes or other control characters, so it is no entitlement.")
    return text


def _secret(text: str, place: str) -> dict[str, Any]:
    """The one Secret in a manifest."""
    if yaml is None:
        raise InvalidSettings("PyYAML is missing where this module runs.", "Install the Python package PyYAML there.")
    try:
        # Not the C loader: a few thousand opening brackets end the process that runs it.
        found = [item for item in yaml.load_all(text, Loader=yaml.BaseLoader) if item not in (None, "")]
    except (yaml.YAMLError, RecursionError):
        _refuse(f"What is in {place} is neither a token nor YAML.")
    if len(found) > 1:
        _refuse(f"There are {len(found)} YAML documents in {place} instead of one.")
    if not found or not isinstance(found[0], dict) or found[0].get("kind") != "Secret" or found[0].get("apiVersion") != "v1":
        _refuse(f"What is in {place} is neither a token nor the manifest of a Secret (apiVersion v1, kind Secret).")
    secret: dict[str, Any] = found[0]
    return secret


def _known(part: object, name: str, place: str) -> dict[str, str]:
    if part in (None, ""):
        return {}
    if not isinstance(part, dict) or not all(isinstance(part.get(key, ""), str) for key in KNOWN_KEYS):
        _refuse(f"In the Secret in {place} {name} is not a mapping of texts.")
    return {key: part[key] for key in KNOWN_KEYS if key in part}


def _plain(part: object, place: str) -> dict[str, str]:
    return _known(part, "stringData", place)


def _decoded(part: object, place: str) -> dict[str, str]:
    return {key: _from_base64(value, key, place) for key, value in _known(part, "data", place).items()}


def _from_base64(value: str, key: str, place: str) -> str:
    """Line ends are passed over, as the API server does."""
    try:
        return base64.b64decode(value.replace("\r", "").replace("\n", "").encode("ascii"), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeError):
        _refuse(f"In the Secret in {place} the key {key} is not base64 of a text.")


def _refuse(what: str) -> NoReturn:
    raise InvalidSettings(what, _NEXT) from None
