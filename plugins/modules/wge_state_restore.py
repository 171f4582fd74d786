#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_state_restore
short_description: Puts an archive of Weave GitOps, or a part of it, back onto a cluster
version_added: 0.1.0
description:
  - Compares an archive of M(weaveworks.wge.wge_state_export) with the cluster. What is missing is created, what is the same is left
    alone, and what differs is put back when nobody has changed it since the archive was made. Nothing is ever deleted.
  - The archive is read and checked before the cluster is asked anything. One that was changed, is not whole, or does not open with the
    vault secrets of this run is refused.
  - Every write is tried by a dry run before the first one is made. When one object is refused, nothing is written at all.
  - Services keep their ClusterIP, nodePort and healthCheckNodePort. When another Service holds one of them by now, the message says
    which. The uid, the resource version and the creation time of an object that is created anew cannot be kept.
  - A call that was killed is finished by the next one. A second call writes nothing.
  - It holds the lock of an upgrade while it writes, so the two never run together. What an upgrade holds is refused. That is what its
    journal names, as long as it was not rolled back.
notes:
  - It runs on the controller only, since the vault's secrets are there. On hosts with another connection than V(local) give the
    task C(delegate_to=localhost).
  - Pods and other objects that the cluster makes by itself are left to it, and so are the tokens of ServiceAccounts.
  - An object that names an owner gets the uid that the owner has now.
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  archive:
    description:
      - The archive on the controller, a folder or a C(.tar.gz).
    type: path
    required: true
  kinds:
    description:
      - The kinds to put back. A group may follow, as in V(Kustomization.kustomize.toolkit.fluxcd.io). When not given, all.
      - With O(names) and O(label) an object has to fit all that is given.
    type: list
    elements: str
    default: []
  names:
    description:
      - The names of the objects to put back. A kind may stand before, as in V(Service/dashboard). When not given, all.
    type: list
    elements: str
    default: []
  label:
    description:
      - A label selector that the objects have to fit, as V(key=value), V(key!=value), V(key) and V(!key) with commas.
    type: str
  missing_only:
    description:
      - Whether objects that are there are left alone, however they differ. Not together with O(overwrite).
    type: bool
    default: false
  overwrite:
    description:
      - Whether objects that somebody has changed since the archive was made are put back as well.
    type: bool
    default: false
  allow_other_cluster:
    description:
      - Whether the archive may be of another cluster. Its Services get ClusterIPs of this cluster then, and keep their node ports.
    type: bool
    default: false
  lock_seconds:
    description:
      - How long the lock of this cluster holds when nobody renews it, at least 15.
    type: float
    default: 60.0
  deadline_seconds:
    description:
      - After how long the call stops between two writes.
    type: float
    default: 3600.0
extends_documentation_fragment:
  - weaveworks.wge.connection
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.actiongroup_wge
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - It shows each object before and after. What is in Secrets is hidden; which keys differ is not.
  idempotent:
    support: full
seealso:
  - module: weaveworks.wge.wge_state_export
  - module: weaveworks.wge.wge_upgrade
"""

EXAMPLES = r"""
- name: Put back all that is missing
  weaveworks.wge.wge_state_restore:
    context: prod-eu-1
    archive: /srv/archives/0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11-20261123-101500-5f3a1c

- name: See what differs from the archive
  weaveworks.wge.wge_state_restore:
    context: prod-eu-1
    archive: /srv/archives/prod-eu-1.tar.gz
  check_mode: true
  diff: true

- name: Put one Secret and the RBAC of the dashboard back, whoever changed them
  weaveworks.wge.wge_state_restore:
    context: prod-eu-1
    archive: /srv/archives/prod-eu-1.tar.gz
    names: [Secret/cluster-user-auth, Role/wego-admin-role, ClusterRole/wego-admin-cluster-role]
    overwrite: true
"""

RETURN = r"""
verdict:
  description:
    - V(restored) when something was written, V(unchanged) when all was there, V(planned) in check mode.
    - V(blocked) when something was refused and nothing was written. V(safe_stop) and V(unreachable) as in
      M(weaveworks.wge.wge_upgrade).
  returned: always
  type: str
  sample: restored
plan:
  description: What is not on the cluster as the archive has it, in the order in which it is written.
  returned: when the cluster could be compared
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(patch) or V(refuse).
      returned: always
      type: str
      sample: create
    object:
      description: The object in words.
      returned: always
      type: str
      sample: Service ww-gitops-weave-gitops in namespace flux-system
    path:
      description: Where it lies in the API.
      returned: always
      type: str
      sample: /api/v1/namespaces/flux-system/services/ww-gitops-weave-gitops
    reason:
      description: Why it is refused.
      returned: when it is refused
      type: str
      sample: was changed after the archive was made, by kubectl-edit at 2026-11-23T10:20:00Z
    next_step:
      description: What to do about it.
      returned: when it is refused
      type: str
      sample: Look at it with --check --diff, then choose.
written:
  description: The paths of the objects that were written. An object is named twice when its owner was put in afterwards.
  returned: when the cluster could be compared
  type: list
  elements: str
  sample: [/api/v1/namespaces/flux-system/services/ww-gitops-weave-gitops]
unchanged:
  description: How many objects were there as the archive has them.
  returned: when the cluster could be compared
  type: int
  sample: 40
skipped:
  description: What of the selection is left to the cluster, with the reason.
  returned: when the cluster could be compared
  type: list
  elements: dict
  sample: []
identity:
  description:
    - Of each object that was created its uid before and now; of a Service also which addresses and ports it has kept and lost, and at
      which address of a load balancer it was reached.
  returned: when the cluster could be compared
  type: list
  elements: dict
  sample:
    - object: Service ww-gitops-weave-gitops in namespace flux-system
      path: /api/v1/namespaces/flux-system/services/ww-gitops-weave-gitops
      uid_before: 5b0c2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11
      uid: 7d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e12
      kept: [ClusterIP 10.96.0.9, nodePort 30901]
      lost: []
      load_balancer: ""
archive:
  description: What the archive says of itself.
  returned: when the cluster could be compared
  type: dict
  sample:
    made: "2026-11-23T10:15:00+00:00"
    namespace: flux-system
    release: ww-gitops
    run: 20261123-101500-5f3a1c
    secrets: vault
    vault_id: prod
cluster:
  description: The cluster that answered.
  returned: when the API server answered
  type: dict
  sample: {name: "", uid: 0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11, api: "https://prod-eu-1.example.com:6443", version: v1.33.5}
api:
  description: How many requests went to the API server.
  returned: when the API server answered
  type: dict
  sample: {requests: 96, reads: 55, writes: 14, reviews: 0, dry_runs: 27}
message:
  description: What went wrong, as a sentence.
  returned: always
  type: str
  sample: ""
next_step:
  description: What to do when it failed.
  returned: always
  type: str
  sample: ""
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import RESTORE_SPEC
from ..module_utils._surroundings import refuse


def main() -> None:
    module = AnsibleModule(argument_spec=RESTORE_SPEC, supports_check_mode=True)
    refuse(module, "wge_state_restore")


if __name__ == "__main__":
    main()
