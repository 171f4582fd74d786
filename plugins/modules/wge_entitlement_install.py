#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_entitlement_install
short_description: Installs or renews the entitlement of Weave GitOps Enterprise
version_added: 0.1.0
description:
  - Puts an entitlement into the Secret in which Weave GitOps Enterprise looks for it. One that is not valid is refused before anything
    is written.
  - Weave GitOps Enterprise reads it once, when it starts. One that runs with an older entitlement is restarted without a gap. The new pod
    gets ready before the old one goes, and the readiness probe and the drain time that its chart lacks are added.
  - After the restart it is asked whether it is entitled. When it does not accept the entitlement, the former one is put back.
  - A call that was killed is finished by the next one. A second call writes nothing.
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  external:
    description:
      - Whether somebody else puts the Secret there, such as an ExternalSecret or a SealedSecret. It is waited for and never written.
      - Exactly one of O(token), O(path) and this is given.
    type: bool
    default: false
  replace:
    description:
      - Whether another entitlement in the Secret is overwritten. Its other keys stay.
    type: bool
    default: false
  restart:
    description:
      - Whether a Weave GitOps Enterprise that does not run with what is stored is restarted.
    type: bool
    default: true
  ready_seconds:
    description:
      - How long the Secret (for O(external)) and the new pod are waited for.
    type: float
    default: 300.0
  deadline_seconds:
    description:
      - After how long the call stops between two writes.
    type: float
    default: 3600.0
extends_documentation_fragment:
  - weaveworks.wge.connection
  - weaveworks.wge.entitlement
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.actiongroup_wge
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - It shows each write. What is in the Secret is hidden.
  idempotent:
    support: full
seealso:
  - module: weaveworks.wge.wge_entitlement_verify
"""

EXAMPLES = r"""
- name: Install the vendor's file
  weaveworks.wge.wge_entitlement_install:
    kubeconfig: ~/.kube/config
    context: prod-eu-1
    path: ./entitlement.yaml

- name: Renew it, and restart WGE without a gap
  weaveworks.wge.wge_entitlement_install:
    context: prod-eu-1
    token: "{{ vault_entitlement }}"
    replace: true

- name: Wait for what an ExternalSecret brings, and have WGE read it
  weaveworks.wge.wge_entitlement_install:
    context: prod-eu-1
    external: true
"""

RETURN = r"""
verdict:
  description:
    - V(installed) when something was written, V(unchanged) when all was as it should be, V(planned) in check mode.
    - V(rolled_back) when Weave GitOps Enterprise did not accept the entitlement and the former one was put back.
    - V(blocked), V(safe_stop) and V(unreachable) as in M(weaveworks.wge.wge_upgrade).
  returned: always
  type: str
  sample: installed
restarted:
  description: Whether Weave GitOps Enterprise was restarted.
  returned: when something could be judged
  type: bool
  sample: true
plan:
  description: The writes that were made, or in check mode would be made. What is in the Secret is hidden.
  returned: when something could be judged
  type: list
  elements: dict
  sample:
    - verb: patch
      path: /api/v1/namespaces/flux-system/secrets/weave-gitops-enterprise-credentials
      text: put the entitlement into Secret weave-gitops-enterprise-credentials in namespace flux-system
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
  returned: when the API server answered
  type: dict
  sample: {name: "", uid: 0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11, api: "https://prod-eu-1.example.com:6443", version: v1.33.5}
api:
  description: How many requests went to the API server.
  returned: when the API server answered
  type: dict
  sample: {requests: 21, reads: 19, writes: 2, reviews: 0, dry_runs: 0}
next_step:
  description: What to do when it failed.
  returned: always
  type: str
  sample: ""
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import ENTITLE_SPEC
from ..module_utils._surroundings import answer


def main() -> None:
    module = AnsibleModule(argument_spec=ENTITLE_SPEC, supports_check_mode=True)
    answer(module, "entitle", ENTITLE_SPEC)


if __name__ == "__main__":
    main()
