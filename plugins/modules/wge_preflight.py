#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_preflight
short_description: Checks whether a cluster can be upgraded to Weave GitOps Enterprise
version_added: 0.1.0
description:
  - Reads one cluster, runs every check, and says what the upgrade would write.
  - Nothing is written. Access reviews and dry runs persist nothing; they are counted apart in RV(api).
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  fail_on:
    description:
      - With V(block) the task fails when a check that blocks has failed or could not be made.
      - With V(never) it fails only when the cluster cannot be read, and RV(verdict) tells the rest.
    type: str
    choices: [block, never]
    default: block
  output:
    description:
      - With V(summary) the result leaves out the evidence of checks that passed, and the plan.
    type: str
    choices: [full, summary]
    default: full
extends_documentation_fragment:
  - weaveworks.wge.connection
  - weaveworks.wge.install
  - weaveworks.wge.install.chart
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.info_module
  - weaveworks.wge.attributes.actiongroup_wge
seealso:
  - module: weaveworks.wge.wge_upgrade
"""

EXAMPLES = r"""
- name: Check a cluster, and fail when it cannot be upgraded
  weaveworks.wge.wge_preflight:
    kubeconfig: ~/.kube/config
    context: prod-eu-1
    cluster_uid: 0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11
    chart: oci://registry.example.com/charts/mccp
    chart_version: 0.38.1

- name: Only look
  weaveworks.wge.wge_preflight:
    context: prod-eu-1
    chart: ./mccp-0.38.1.tgz
    fail_on: never
  register: checked
"""

RETURN = r"""
verdict:
  description:
    - V(pass), V(warn) when only warnings failed, V(block) when a check forbids the upgrade, V(error) when a check that
      blocks could not be made.
    - A cluster that cannot be asked at all has V(unreachable) or V(blocked), as in M(weaveworks.wge.wge_upgrade).
  returned: always
  type: str
  sample: pass
checks:
  description: Every check.
  returned: when the cluster could be read
  type: list
  elements: dict
  sample:
    - id: CL-02
      group: cluster
      title: right cluster
      severity: block
      status: pass
      evidence: kube-system has the recorded UID
      remedy: ""
summary:
  description: How many checks have which status.
  returned: when the cluster could be read
  type: dict
  sample: {pass: 19, fail: 1, skip: 0, error: 0}
plan:
  description: The steps that are missing, in order, each with what it will write.
  returned: when a plan could be made
  type: list
  elements: dict
  sample:
    - step: S12
      title: flip the kept Services
      rung: flipped
      writes: ["patch Service flux-system/ww-gitops-weave-gitops"]
plan_hash:
  description: A hash of RV(plan) with its exact writes. It stays the same as long as the plan does.
  returned: when a plan could be made
  type: str
  sample: 9f2c5a7e1b0d4c33
cluster:
  description: The cluster that answered.
  returned: when the API server answered
  type: dict
  sample: {name: prod-eu-1, uid: 0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11, api: "https://prod-eu-1.example.com:6443"}
api:
  description:
    - How many requests went to the API server.
    - Access reviews and dry runs are requests that persist nothing, so they are counted apart from writes.
  returned: when the API server answered
  type: dict
  sample: {requests: 41, reads: 36, writes: 0, reviews: 3, dry_runs: 2}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import PREFLIGHT_SPEC
from ..module_utils._surroundings import answer


def main() -> None:
    module = AnsibleModule(argument_spec=PREFLIGHT_SPEC, supports_check_mode=True)
    answer(module, "preflight", PREFLIGHT_SPEC)


if __name__ == "__main__":
    main()
