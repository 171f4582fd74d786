#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_entitlement_verify
short_description: Verifies an entitlement of Weave GitOps Enterprise
version_added: 0.1.0
description:
  - Tells a genuine entitlement by its signature, and says whose it is, for what, and until when. Nothing is asked of the vendor.
  - It judges O(token), O(path), the Secret in a cluster, or several of them at once. The Secret is read when O(secret_name) is given,
    or when neither O(token) nor O(path) is. Otherwise no cluster is contacted.
  - When a cluster is read, the time is the API server's, and a running Weave GitOps Enterprise is asked what it makes of the entitlement.
  - Nothing is written.
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  by_effect:
    description:
      - Whether a running Weave GitOps Enterprise is asked, when a cluster is read. It is asked without logging in.
      - Where the rights for that are missing, RV(effect) is V(unknown), and the task does not fail.
    type: bool
    default: true
  fail_if_invalid:
    description:
      - Whether an entitlement that is not valid fails the task.
    type: bool
    default: true
extends_documentation_fragment:
  - weaveworks.wge.connection
  - weaveworks.wge.entitlement
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.info_module
  - weaveworks.wge.attributes.actiongroup_wge
seealso:
  - module: weaveworks.wge.wge_entitlement_install
  - module: weaveworks.wge.wge_entitlement_issue
"""

EXAMPLES = r"""
- name: Judge the file the vendor sent, without a cluster
  weaveworks.wge.wge_entitlement_verify:
    path: ./entitlement.yaml

- name: Judge what a cluster holds, and what runs there
  weaveworks.wge.wge_entitlement_verify:
    kubeconfig: ~/.kube/config
    context: prod-eu-1
  register: found

- name: Say when a restart will help, or fail
  ansible.builtin.debug:
    msg: "{{ found.advice }}"
  when: found.advice | length > 0

- name: Accept a vendor's old and new key
  weaveworks.wge.wge_entitlement_verify:
    token: "{{ vault_entitlement }}"
    public_keys:
      - "{{ lookup('ansible.builtin.file', 'vendor-2026.pub') }}"
      - "{{ lookup('ansible.builtin.file', 'vendor-2027.pub') }}"
"""

RETURN = r"""
valid:
  description: Whether it is a genuine entitlement that is valid by now. One that has expired is valid too.
  returned: when something could be judged
  type: bool
  sample: true
expired:
  description: Whether it has expired. Weave GitOps Enterprise works with such a one, and warns its users.
  returned: when something could be judged
  type: bool
  sample: false
expires:
  description: When it expires, empty when that is not known.
  returned: when something could be judged
  type: str
  sample: "2027-11-23T00:00:00Z"
issued:
  description: When it was issued, empty when that is not known.
  returned: when something could be judged
  type: str
  sample: "2026-11-23T00:00:00Z"
not_before:
  description: Before when it is not valid, empty when that is not known.
  returned: when something could be judged
  type: str
  sample: "2026-11-23T00:00:00Z"
days_left:
  description: Whole days until it expires, negative when it has. None when that is not known.
  returned: when something could be judged
  type: int
  sample: 364
customer:
  description: Whom it was issued to.
  returned: when something could be judged
  type: str
  sample: customer@example.com
features:
  description: The features it grants. None means all.
  returned: when something could be judged
  type: list
  elements: str
  sample: [pipelines, templates]
issuer:
  description: Who issued it.
  returned: when something could be judged
  type: str
  sample: sales@weave.works
key_id:
  description: The JWK thumbprint (RFC 7638) of the key that signed it.
  returned: when something could be judged
  type: str
  sample: kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
jti:
  description: The identifier the vendor gave it, empty when there is none.
  returned: when something could be judged
  type: str
  sample: 0d3b2f6e4c6b4a51
reason:
  description: Why it is not valid, as a word. Empty when it is.
  returned: when something could be judged
  type: str
  sample: ""
message:
  description: The same as a sentence.
  returned: when something could be judged
  type: str
  sample: ""
time:
  description: By which time it was judged, the cluster's when one was asked.
  returned: when something could be judged
  type: str
  sample: "2026-11-24T08:00:00Z"
entitlements:
  description:
    - Everything that was judged, each with RV(entitlements[].source) and the values above.
  returned: when something could be judged
  type: list
  elements: dict
  contains:
    source:
      description: V(secret), V(path) or V(token).
      returned: always
      type: str
      sample: secret
    place:
      description: The same in words.
      returned: always
      type: str
      sample: in Secret weave-gitops-enterprise-credentials in namespace flux-system
effect:
  description:
    - What Weave GitOps Enterprise shows from outside. V(entitled), V(expired), V(none) when its API answers 500, V(not running),
      or V(unknown) when it could not be asked. Empty when nobody asked.
    - It reads its entitlement once, when it starts.
  returned: when something could be judged
  type: str
  sample: entitled
effect_reason:
  description: Why RV(effect) is V(unknown).
  returned: when something could be judged
  type: str
  sample: ""
advice:
  description: A sentence when what runs and what is stored differ. Empty when they agree.
  returned: when something could be judged
  type: str
  sample: "WGE runs without an entitlement, and a valid one is stored: the next restart will help."
cluster:
  description: The cluster that answered.
  returned: when a cluster was asked
  type: dict
  sample: {name: "", uid: 0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11, api: "https://prod-eu-1.example.com:6443"}
api:
  description: How many requests went to the API server.
  returned: when a cluster was asked
  type: dict
  sample: {requests: 6, reads: 6, writes: 0, reviews: 0, dry_runs: 0}
verdict:
  description: V(blocked) when an entitlement fails the task, V(unreachable) when the cluster could not be asked.
  returned: failure
  type: str
  sample: blocked
next_step:
  description: What to do about it.
  returned: failure
  type: str
  sample: Ask the vendor for a new one.
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import VERIFY_SPEC
from ..module_utils._surroundings import answer


def main() -> None:
    module = AnsibleModule(argument_spec=VERIFY_SPEC, supports_check_mode=True)
    answer(module, "verify", VERIFY_SPEC)


if __name__ == "__main__":
    main()
