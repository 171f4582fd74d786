#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_entitlement_keypair
short_description: Makes the pair of keys that entitlements are signed and verified with
version_added: 0.1.0
description:
  - For vendors. Makes an Ed25519 private key as PKCS#8 PEM with mode 0600, and its public key beside it.
  - Nothing is ever overwritten. When the private key exists, its public key is told, and written when that file is missing.
notes:
  - It runs on the controller only. On hosts with another connection than V(local) give the task C(delegate_to=localhost).
  - The Python library C(cryptography) has to be there.
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  path:
    description: The private key. A missing folder is made, for its owner only.
    type: path
    required: true
  public_path:
    description: The public key. The default is O(path) with C(.pub) at its end.
    type: path
  passphrase:
    description: With it a new private key is encrypted, and one that exists is read.
    type: str
extends_documentation_fragment:
  - weaveworks.wge.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - What would be shown is a secret.
  idempotent:
    support: full
seealso:
  - module: weaveworks.wge.wge_entitlement_issue
"""

EXAMPLES = r"""
- name: Make a vendor's keys once
  weaveworks.wge.wge_entitlement_keypair:
    path: /srv/vendor/signing.pem
    passphrase: "{{ vault_signing_passphrase }}"
  delegate_to: localhost
  run_once: true
  register: keys

- name: Show what clusters have to trust
  ansible.builtin.debug:
    msg: "{{ keys.public_key }}"
"""

RETURN = r"""
path:
  description: The private key.
  returned: success
  type: str
  sample: /srv/vendor/signing.pem
public_path:
  description: The public key.
  returned: success
  type: str
  sample: /srv/vendor/signing.pem.pub
public_key:
  description: The public key as PEM. Empty when the pair would only be made.
  returned: success
  type: str
  sample: "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA140z8yf4+R9MQwwS6yTrWIl/1IBOjLVvh9x87Wd84TU=\n-----END PUBLIC KEY-----\n"
key_id:
  description: The JWK thumbprint (RFC 7638) of the key. Empty when the pair would only be made.
  returned: success
  type: str
  sample: kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import KEYPAIR_SPEC
from ..module_utils._surroundings import refuse


def main() -> None:
    module = AnsibleModule(argument_spec=KEYPAIR_SPEC, supports_check_mode=True)
    refuse(module, "wge_entitlement_keypair")


if __name__ == "__main__":
    main()
