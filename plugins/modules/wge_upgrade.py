#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_upgrade
short_description: Upgrades Weave GitOps to Weave GitOps Enterprise on one cluster
version_added: 0.1.0
description:
  - Brings one cluster to a rung of the upgrade. One call makes all steps from where the cluster is to there.
  - The dashboard is requested all the time from each of O(entry_urls) and through the API server. When that goes wrong
    after the switch, the switch is taken back at once.
  - When a step before the switch fails, what this call has added is removed again.
  - A cluster that is there already is only read.
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  state:
    description:
      - The rung to reach.
      - V(prepared) - the archive is written and nobody else can delete what is needed to go back.
      - V(rehearsed) - Weave GitOps Enterprise runs beside Weave GitOps and answers.
      - V(flipped) - the kept Services lead to Weave GitOps Enterprise.
      - V(soaked) - it was watched for O(soak_seconds) without a fault.
      - V(parked) - Weave GitOps is scaled to zero. All that is needed to go back is still there.
      - V(finalised) - Weave GitOps is removed for good, which only a cluster that has been parked for O(retention_days) allows.
        Services, routes, Secrets, people's RBAC, CRDs and claims stay, and RV(owners) says whose each of them is.
      - V(rolled_back) - Weave GitOps serves again, Weave GitOps Enterprise is gone, and nothing is left of the upgrade but its
        journal. From V(finalised) it needs O(archive).
      - In check mode V(finalised) and V(rolled_back) show every write in RV(plan), and make none.
    type: str
    choices: [prepared, rehearsed, flipped, soaked, parked, finalised, rolled_back]
    default: parked
  retention_days:
    description:
      - How many days Weave GitOps stays parked before V(finalised) removes it.
      - They are counted from the time in the journal, by the API server's clock.
    type: float
    default: 7.0
  guard:
    description:
      - What is done while this call watches, from the flip on, when somebody else changes a kept Service, or thaws what keeps Helm or Flux
        off Weave GitOps.
      - V(watch) - a Service is led back to Weave GitOps Enterprise at once. When it is changed again and again, or something is
        thawed, the upgrade is taken back. RV(guard) says who it was.
      - V(policy) - in addition a ValidatingAdmissionPolicy refuses everybody else to change or delete what serves, until the soak is
        over. It needs Kubernetes 1.30 and further rights.
      - V(off) - nobody looks but those who watch the traffic.
    type: str
    choices: [watch, policy, "off"]
    default: watch
  baseline_seconds:
    description: How long Weave GitOps is listened to right before the flip. A fault in that time and nothing is flipped.
    type: float
    default: 5.0
  rehearse_seconds:
    description: The time between the two times that Weave GitOps Enterprise is asked through the shadow Service.
    type: float
    default: 10.0
  verify_seconds:
    description: How long it must answer without a fault right after the switch.
    type: float
    default: 30.0
  soak_seconds:
    description: How long it is watched before Weave GitOps is parked. Only watched time counts.
    type: float
    default: 300.0
  quiet_seconds:
    description:
      - How long Weave GitOps is left running after the flip before it is parked, and Weave GitOps Enterprise after a reversed
        flip before it is removed, so that connections which clients kept open can end.
      - A node keeps the address translation of a closed connection for 120 s, and leads a new one from the same port there.
    type: float
    default: 130.0
  ready_seconds:
    description: How long Weave GitOps Enterprise may take to become ready.
    type: float
    default: 300.0
  lock_seconds:
    description: How long the lock of a run that was killed is waited out before it is taken over. At least V(15).
    type: float
    default: 60.0
  deadline_seconds:
    description: How long the whole call may take. Then it stops at the next safe place.
    type: float
    default: 3600.0
extends_documentation_fragment:
  - weaveworks.wge.archive
  - weaveworks.wge.connection
  - weaveworks.wge.install
  - weaveworks.wge.install.chart
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.actiongroup_wge
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: weaveworks.wge.wge_preflight
"""

EXAMPLES = r"""
- name: Upgrade a cluster
  weaveworks.wge.wge_upgrade:
    kubeconfig: ~/.kube/config
    context: prod-eu-1
    cluster_uid: 0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11
    chart: oci://registry.example.com/charts/mccp
    chart_version: 0.38.1
    entitlement: "{{ entitlement }}"
    entry_urls:
      - https://gitops.prod-eu-1.example.com

- name: Stop before the switch, to look at Weave GitOps Enterprise first
  weaveworks.wge.wge_upgrade:
    context: prod-eu-1
    chart: ./mccp-0.38.1.tgz
    state: rehearsed

- name: Go back
  weaveworks.wge.wge_upgrade:
    context: prod-eu-1
    state: rolled_back

- name: Remove what is parked, two weeks after the upgrade
  weaveworks.wge.wge_upgrade:
    context: prod-eu-1
    state: finalised
    retention_days: 14

- name: Go back after that
  weaveworks.wge.wge_upgrade:
    context: prod-eu-1
    state: rolled_back
    archive: ./wge-archive/prod-eu-1
"""

RETURN = r"""
verdict:
  description:
    - V(upgraded) or V(already) when the rung is reached, V(planned) in check mode.
    - V(blocked) when the upgrade was not begun, or when it is too early to finalise; V(rolled_back) when it was taken back.
    - V(finalised) when what was parked is removed.
    - V(safe_stop) when the cluster could not be judged. Traffic stays where it last worked.
    - V(unreachable) when the API server did not answer.
  returned: always
  type: str
  sample: upgraded
message:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: Weave GitOps Enterprise 0.38.1 serves; Weave GitOps is parked.
next_step:
  description: What a person does next, when there is something to do.
  returned: always
  type: str
  sample: ""
rung:
  description: The rung that the cluster is on now.
  returned: when the cluster could be read
  type: str
  sample: parked
rung_before:
  description: The rung that the cluster was on.
  returned: when the cluster could be read
  type: str
  sample: installed
versions:
  description: The versions before and after.
  returned: when the cluster could be read
  type: dict
  sample: {before: WG 0.38.0, after: WGE 0.38.1}
traffic:
  description:
    - The requests that were sent to the dashboard during the call, and how many were lost.
    - RV(traffic.faults) lists the first lost ones, with their seconds after the flip (negative before it).
    - RV(traffic.endpoint_gaps) counts the instants without a ready endpoint, among RV(traffic.endpoint_events).
  returned: when the dashboard was requested
  type: dict
  sample:
    requests: 4210
    lost: 0
    faults: []
    endpoint_gaps: 0
    endpoint_events: 9
    vantages:
      - {name: service proxy, reused: true, requests: 2105, lost: 0, longest_fault_seconds: 0.0}
  contains:
    faults:
      description: The first lost requests.
      type: list
      elements: dict
    endpoint_gaps:
      description: Instants without a ready endpoint.
      type: int
    endpoint_events:
      description: Changes of the endpoints that were seen.
      type: int
identity:
  description: UID, addresses and node ports of each kept Service before and after.
  returned: when the cluster could be read
  type: list
  elements: dict
  sample:
    - service: flux-system/ww-gitops-weave-gitops
      before: {uid: 5a0c, cluster_ip: 10.96.0.14}
      after: {uid: 5a0c, cluster_ip: 10.96.0.14}
      same: true
guard:
  description:
    - What others did while this call watched (O(guard)), and what was done about it. Empty when this call did not come to the flip.
    - C(by) is out of the managed fields of the object, C(seconds) how long it took. C(blind) says why the watch could not see for a time.
  returned: when the cluster could be read
  type: dict
  sample:
    mode: watch
    records:
      - at: "2026-11-28T20:14:03+00:00"
        object: ww-gitops-weave-gitops
        field: spec.selector
        by: kubectl-client-side-apply at 2026-11-28T20:14:03Z
        did: put back
        seconds: 0.04
    blind: []
continuity:
  description:
    - Each call of the API of Weave GitOps, made without a login at each door just before the flip and once the goal was reached.
    - Its members are those that M(weaveworks.wge.wge_verify) returns. A difference that is not known is a warning.
  returned: when the cluster could be read
  type: list
  elements: dict
  sample:
    - path: GET /v1/version
      door: service proxy
      login: nobody
      before: "401 {code: int, message: str}"
      after: "401 {code: int, message: str}"
      verdict: same
      words: ""
untouched:
  description:
    - What is not in the plan, looked at when the run began and when it ended. Of workloads, Pods, Services and Ingresses of the whole
      cluster the UID, generation, specification and restarts are compared. Of ConfigMaps and Secrets of the namespace it is the version.
    - C(unseen) names kinds that were not looked at. C(routes) is what leads to the kept Services at the end.
  returned: when the cluster could be read
  type: dict
  sample: {objects: 412, changed_count: 0, changed: [], unseen: [], routes: []}
seconds:
  description:
    - How long each rung took.
    - On a way back C(traffic_on_wg) is the time from the decision until every kept Service led to Weave GitOps again.
  returned: when a step was made
  type: dict
  sample: {prepared: 3.1, rehearsed: 18.4, flipped: 31.0, soaked: 300.2, parked: 1.2}
goal:
  description: The rung that was asked for, as in O(state).
  returned: when the cluster could be read
  type: str
  sample: parked
git:
  description:
    - Where Weave GitOps came out of git, who applies it, and whether git says by now what the cluster is. C(state) is V(open) from the
      time Weave GitOps Enterprise is there, and V(paid) when a run of the Kustomization lists all that git should hold. It is V(none)
      before, and where git has no part in it.
    - The other members are what M(weaveworks.wge.wge_git_changes) makes the change of.
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
owners:
  description: Each object that outlives Weave GitOps, and whose it is from now on.
  returned: when O(state=finalised)
  type: list
  elements: dict
  sample:
    - object: Service flux-system/ww-gitops-weave-gitops
      owner: "you: no Helm release holds it any more"
    - object: Deployment flux-system/weave-gitops-enterprise-mccp-cluster-service
      owner: Helm release weave-gitops-enterprise
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
run:
  description: The name of this climb in the cluster's labels and journal.
  returned: when the upgrade was begun
  type: str
  sample: 20261123t101500z-5f3a
journal:
  description: Where the journal lies in the cluster.
  returned: when the upgrade was begun
  type: str
  sample: ConfigMap flux-system/wge-upgrade-journal
archive:
  description: The folder of the archive.
  returned: when the archive was written
  type: str
  sample: /srv/upgrade/wge-archive/prod-eu-1
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
api:
  description:
    - How many requests went to the API server.
    - Access reviews and dry runs are requests that persist nothing, so they are counted apart from writes.
  returned: when the API server answered
  type: dict
  sample: {requests: 41, reads: 36, writes: 0, reviews: 3, dry_runs: 2}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import UPGRADE_SPEC
from ..module_utils._surroundings import answer


def main() -> None:
    module = AnsibleModule(argument_spec=UPGRADE_SPEC, supports_check_mode=True)
    answer(module, "upgrade", UPGRADE_SPEC)


if __name__ == "__main__":
    main()
