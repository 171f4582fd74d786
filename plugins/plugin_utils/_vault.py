# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's vault for archives, with the secrets this run was given. PRIVATE: the only file that knows Ansible's vault.

What goes wrong is said in sentences of ours: those of Ansible may name what it was reading.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, match_encrypt_secret

from ..module_utils._errors import InvalidSettings

_GIVE = "Give it with --vault-id or --vault-password-file (in AWX: a Vault credential), or in ANSIBLE_VAULT_PASSWORD_FILE."


class ControllerVault:
    """The vault secrets that Ansible's loader holds. Nothing is looked at before it is needed."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def writer(self, wanted: str) -> tuple[str, Callable[[bytes], bytes]]:
        """The id to write with and its ``encrypt``: the one wanted, else Ansible's own setting, else the only one.

        Raises InvalidSettings when that cannot be told.
        """
        given = self._secrets()
        if not given:
            raise InvalidSettings("There is no vault secret to encrypt Secrets with.", f"{_GIVE} Or say secrets: hashes_only.")
        names = sorted({name for name, _secret in given})
        wanted = wanted or str(constants.DEFAULT_VAULT_ENCRYPT_IDENTITY or "")
        if not wanted and len(names) > 1:
            raise InvalidSettings(
                f"There are several vault ids: {', '.join(names)}.", "Name one in vault_id, or set ANSIBLE_VAULT_ENCRYPT_IDENTITY."
            )
        try:
            name, secret = match_encrypt_secret(given, encrypt_vault_id=wanted or None)
        except AnsibleError:
            raise InvalidSettings(f"There is no secret of vault id {wanted}; there is {', '.join(names)}.", "Correct vault_id.") from None
        library = VaultLib(given)

        def encrypt(content: bytes) -> bytes:
            return bytes(library.encrypt(content, secret=secret, vault_id=name))

        return str(name), encrypt

    def decrypt(self, content: bytes) -> bytes:
        """What a vault member holds. Raises InvalidSettings."""
        given = self._secrets()
        if not given:
            raise InvalidSettings("There is no vault secret to open the archive with.", _GIVE)
        try:
            return bytes(VaultLib(given).decrypt(content))
        except AnsibleError:
            raise InvalidSettings(
                f"A vault member of the archive does not open with the vault secrets that were given ({_ids(given)}).",
                "Give the password of the vault id that its manifest.json names; if it is right, the member is damaged.",
            ) from None

    def _secrets(self) -> list[tuple[str, Any]]:
        return list(getattr(getattr(self._loader, "_vault", None), "secrets", None) or [])


def _ids(given: list[tuple[str, Any]]) -> str:
    return ", ".join(sorted({name for name, _secret in given}))
