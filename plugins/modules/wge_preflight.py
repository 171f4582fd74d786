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
      - With V(never) it fails only when the cluster cannot be read, and RV(verdict) and RV(msg) tell the rest.
    type: str
    choices: [block, never]
    default: block
  output:
    description:
      - With V(summary) the result has the counts, the ids of the checks that are not green, and no plan.
      - With V(full) it has every check with its evidence and its remedy, and the plan.
    type: str
    choices: [full, summary]
    default: summary
  show:
    description:
      - What the table on the terminal holds. V(problems) leaves out what passed and what does not apply.
      - It has the group, the id, what was seen and the remedy, in Ansible's own colours where there is a terminal.
    type: str
    choices: [all, problems]
    default: problems
  snapshot_to:
    description:
      - The file to save everything in that the checks were answered, so that they can be run again without the cluster; send it
        with a report of a problem. It is compressed when its name ends in V(.gz).
      - It is also written when the cluster cannot be upgraded or judged, and in check mode. A file that is there is replaced.
      - It holds no Secret's content. In its place stands a hash with a key that is thrown away, and neither the entitlement nor how
        the cluster is reached is kept, but for the address of its API server. Names, addresses and settings of workloads are in it.
      - On a host of its own (a bastion) it is a file of that host.
    type: path
  snapshot_from:
    description:
      - A file that O(snapshot_to) has written. The checks are made on it, by its time; no cluster, registry or URL is contacted and
        no helm is needed.
      - The options of the recorded preflight count. Of those given here only O(waivers), O(compatibility), O(fail_on), O(output)
        and O(show) do.
      - What needs the content of a Secret, or a file of the machine that asked, is not judged again; its evidence ends in
        the words as recorded.
    type: path
extends_documentation_fragment:
  - weaveworks.wge.archive
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
    output: full
  register: checked

- name: Keep what the checks were answered
  weaveworks.wge.wge_preflight:
    context: prod-eu-1
    chart: ./mccp-0.38.1.tgz
    snapshot_to: prod-eu-1.json.gz

- name: Make the checks again, where the cluster cannot be reached
  weaveworks.wge.wge_preflight:
    snapshot_from: prod-eu-1.json.gz
    show: all

# On a command line; the table comes first:
# ansible prod-1 -i clusters -m weaveworks.wge.wge_preflight -a 'context=prod-1 chart=./mccp-0.38.1.tgz show=all'
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
msg:
  description: Which check forbids the upgrade, what was seen, and what to do.
  returned: when a check forbids the upgrade, or the task failed
  type: str
  sample: "CL-02 right cluster: kube-system has another UID than the recorded one. Correct the inventory."
checks:
  description:
    - Every check, with O(output=full).
    - With O(output=summary) those that are not green, each with C(id), C(title), C(severity) and C(status).
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
      waiver: {}
summary:
  description: How many checks have which status.
  returned: when the cluster could be read
  type: dict
  sample: {pass: 19, warn: 2, fail: 1, skip: 0, error: 0}
plan:
  description: The steps that are missing, in order, each with what it will write.
  returned: when a plan could be made, with O(output=full)
  type: list
  elements: dict
  sample:
    - step: S12
      title: flip the kept Services
      rung: flipped
      writes: ["patch Service flux-system/ww-gitops-weave-gitops"]
plan_hash:
  description: A hash of the plan with its exact writes. It stays the same as long as the plan does.
  returned: when a plan could be made
  type: str
  sample: 9f2c5a7e1b0d4c33
git:
  description:
    - Where Weave GitOps came out of git, who applies it, and whether git says by now what the cluster is. C(state) is V(open) from the
      time Weave GitOps Enterprise is there, and V(paid) when a run of the Kustomization lists all that git should hold. It is V(none)
      before, and where git has no part in it.
  returned: when the cluster could be read
  type: dict
  sample:
    state: open
    kustomization: flux-system/flux-system
    url: https://git.example.com/fleet.git
    ref: branch main
    path: ./clusters/prod-eu-1
    revision: main@sha1:6f0cf5d0b4f4c2b5d5c7a4e1b2b2b5d5c7a4e1b2
    missing: [HelmRelease weave-gitops-enterprise]
entitlement:
  description:
    - What the entitlement of this cluster is, and whether it was O(entitlement) (V(given)) or lies in the cluster (V(stored)).
    - Its members are those that M(weaveworks.wge.wge_entitlement_verify) returns. C(features) is null when all are granted.
  returned: when the cluster could be read
  type: dict
  sample:
    valid: true
    expired: false
    expires: "2027-11-23T23:59:59Z"
    days_left: 365
    customer: platform@example.com
    features: null
    source: stored
cluster:
  description: The cluster that answered.
  returned: when the API server answered
  type: dict
  sample: {name: prod-eu-1, uid: 0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11, api: "https://prod-eu-1.example.com:6443"}
snapshot:
  description:
    - When the snapshot was taken, by which version, and the UID of its cluster.
    - With O(snapshot_from) C(differs) names the checks that this version judges otherwise than the one that took it.
  returned: with O(snapshot_to) or O(snapshot_from)
  type: dict
  sample: {taken: "2026-11-23T09:00:00+00:00", by: weaveworks.wge 0.1.0, cluster: 0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11, differs: []}
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
