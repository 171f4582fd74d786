#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_entitlement_issue
short_description: Issues an entitlement of Weave GitOps Enterprise
version_added: 0.1.0
description:
  - For vendors. Signs what a customer is entitled to with an Ed25519 key, and writes it as a file that the customer installs.
  - What was issued is noted in a ledger, one JSON line for each entitlement. The same customer, dates and features find their line and
    give the same entitlement again, byte for byte, so a second run changes nothing.
  - The ledger never holds an entitlement, only what it says and its SHA-256. With the private key it can be made again.
  - The line is on the disk before the entitlement goes anywhere. A run that was killed is simply begun again.
notes:
  - It runs on the controller only. On hosts with another connection than V(local) give the task C(delegate_to=localhost).
  - Do not give O(private_key) with C(-e) or C(--extra-vars). That is a command line, which every user of the machine can read.
  - The Python library C(cryptography) has to be there.
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  customer:
    description: Who is entitled, commonly an e-mail address. At most 254 characters.
    type: str
    required: true
  features:
    description:
      - The features that are granted. All are when not given, and none with an empty list.
      - V(all) and V(none), each alone, say the same in a word.
      - Names are made of lower-case letters, digits and hyphens. Their order does not matter.
    type: list
    elements: str
  issuer:
    description: Who grants it.
    type: str
    default: sales@weave.works
  expires:
    description:
      - The last moment at which the entitlement has not expired. As a date, which counts to the end of that day in UTC, as a
        date-time with its zone, or in seconds since 1970.
      - When not given, O(valid_days) counts.
    type: str
  not_before:
    description:
      - The first moment at which it is valid, in the same forms. A date counts from its beginning in UTC.
      - When not given, it is valid from the moment it is issued.
    type: str
  valid_days:
    description:
      - For how many days an entitlement is valid, when O(expires) is not given.
    type: int
    default: 365
  renew_before_days:
    description:
      - When this many days or fewer are left, another one is issued. It counts when O(expires) and O(not_before) are not given.
    type: int
    default: 30
  private_key:
    description:
      - The PKCS#8 PEM text of the Ed25519 key that signs, from Ansible Vault, a lookup or an AWX credential.
      - Exactly one of O(private_key) and O(private_key_path) is needed.
    type: str
  private_key_path:
    description: The file with that text, on the controller.
    type: path
  private_key_passphrase:
    description: The passphrase of the key, when it is encrypted.
    type: str
  ledger:
    description:
      - The ledger as a file on the controller. It is made when it is missing, with mode 0600.
      - Runs at the same time on one machine wait for each other. A path below the private folder of an AWX job is refused, since
        that folder is removed with the job.
      - Exactly one of O(ledger) and O(ledger_configmap) is needed.
    type: path
  ledger_configmap:
    description:
      - The ledger as a ConfigMap, for several controllers. It is made when it is missing. Its key is C(ledger.jsonl).
      - It takes about 2,500 entitlements.
    type: str
  ledger_namespace:
    description: The namespace of O(ledger_configmap).
    type: str
    default: default
  path:
    description:
      - Where the entitlement is written on the controller, with mode 0600. It is written nowhere when not given.
    type: path
  format:
    description:
      - What is written to O(path). V(secret) is the manifest of the Secret in which Weave GitOps Enterprise looks for it,
        V(token) the entitlement alone.
    type: str
    choices: [secret, token]
    default: secret
  secret_name:
    description: The name of that Secret.
    type: str
    default: weave-gitops-enterprise-credentials
  secret_namespace:
    description: The namespace of that Secret.
    type: str
    default: flux-system
  return_token:
    description:
      - Whether the result holds the entitlement itself. Give the task C(no_log=true) then.
    type: bool
    default: false
extends_documentation_fragment:
  - weaveworks.wge.connection
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.actiongroup_wge
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - What would be shown is a secret.
  idempotent:
    support: full
    details:
      - An entitlement that is about to expire is renewed.
seealso:
  - module: weaveworks.wge.wge_entitlement_keypair
"""

EXAMPLES = r"""
- name: Entitle a customer for a year, renewed when 30 days are left
  weaveworks.wge.wge_entitlement_issue:
    customer: platform@example.com
    private_key_path: /srv/vendor/signing.pem
    private_key_passphrase: "{{ vault_signing_passphrase }}"
    ledger: /srv/vendor/ledger.jsonl
    path: /srv/vendor/entitlements/example.yaml

- name: Grant two features to the end of a day, with a key from Vault and a ledger for several controllers
  weaveworks.wge.wge_entitlement_issue:
    customer: platform@example.com
    features: [pipelines, policy-agent]
    expires: "2027-12-31"
    private_key: "{{ vault_signing_key }}"
    kubeconfig: /srv/vendor/kubeconfig
    ledger_configmap: wge-ledger
    ledger_namespace: vendor
    return_token: true
  register: entitlement
  no_log: true
"""

RETURN = r"""
status:
  description:
    - V(issued) the first one of this customer, V(renewed) a further one, V(unchanged) the one that was issued before.
    - In check mode what it would be.
  returned: success
  type: str
  sample: issued
customer:
  description: Who is entitled.
  returned: success
  type: str
  sample: platform@example.com
issuer:
  description: Who grants it.
  returned: success
  type: str
  sample: sales@weave.works
features:
  description: The features that are granted. Null when all are.
  returned: success
  type: list
  elements: str
  sample: [pipelines, policy-agent]
issued:
  description: When it was issued.
  returned: success
  type: str
  sample: "2026-11-23T10:15:00Z"
not_before:
  description: From when it is valid.
  returned: success
  type: str
  sample: "2026-11-23T10:15:00Z"
expires:
  description: The last moment at which it has not expired.
  returned: success
  type: str
  sample: "2027-12-31T23:59:59Z"
days_left:
  description: Whole days until then.
  returned: success
  type: int
  sample: 403
key_id:
  description: The JWK thumbprint (RFC 7638) of the key.
  returned: success
  type: str
  sample: kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
jti:
  description: The entitlement's own identifier. Empty when it is only planned.
  returned: success
  type: str
  sample: 0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11
sha256:
  description: The SHA-256 of the entitlement. Empty when it is only planned.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
path:
  description: Where it was written. Empty when it was written nowhere.
  returned: success
  type: str
  sample: /srv/vendor/entitlements/example.yaml
token:
  description: The entitlement.
  returned: when O(return_token=true)
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import ISSUE_SPEC
from ..module_utils._surroundings import refuse


def main() -> None:
    module = AnsibleModule(argument_spec=ISSUE_SPEC, supports_check_mode=True)
    refuse(module, "wge_entitlement_issue")


if __name__ == "__main__":
    main()
