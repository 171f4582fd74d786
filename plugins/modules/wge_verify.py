#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_verify
short_description: Verifies that a cluster is what it was, with Weave GitOps Enterprise behind the same doors
version_added: 0.1.0
description:
  - Calls the API that the command line tools and the UI of Weave GitOps call, through each door. The doors are the kept Service, through
    the API server's proxy, and each of O(entry_urls). Every path is called without a login, and logged in when you give credentials.
  - Each answer must have the status and the shape (the members of its JSON and their types) that it had before, or differ from it in a way
    that is known and has a reason. No value of an answer is kept or shown.
  - Looks whether the kept Services lead to Weave GitOps Enterprise alone, and whether they and the routes to them are what they were.
  - Compares the ways to log in with those that Weave GitOps offered.
  - The time before is O(compare_with) when you give it. Otherwise it is what the journal of the upgrade says of Services and routes, and
    what Weave GitOps 0.38.0 was seen to answer.
  - Nothing is written to the cluster. No call changes anything, since each is sent without a name or with an empty body.
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  entry_urls:
    description:
      - The URLs by which people reach the dashboard.
    type: list
    elements: str
    default: []
  dashboard_username:
    description:
      - A local user to log in with. Needs O(dashboard_password).
      - Through the API server's proxy that takes the right to create C(services/proxy); without it only the entry URLs are asked logged in.
    type: str
  dashboard_password:
    description:
      - The password of O(dashboard_username). It is sent to every door, also where that is an C(http://) address.
    type: str
  dashboard_token:
    description:
      - A bearer token to call the API with, for instance the ID token of an OIDC login, or that of a ServiceAccount.
      - It is sent to O(entry_urls) only. The API server would take it for a token of its own.
    type: str
  record_to:
    description:
      - The file to write what was found to, for a later O(compare_with). In check mode it is not written.
    type: path
  compare_with:
    description:
      - A file that O(record_to) has written, or a report of M(weaveworks.wge.wge_report), of the same cluster.
      - A report says of Services and routes what they were when its run ended. Answers are then compared with the recorded ones.
    type: path
  strict:
    description:
      - Whether an answer or a way to log in that differs, and that is not in the table of known differences, fails the task. Otherwise it
        is a warning.
      - A Service that leads elsewhere, or that is not what it was, fails the task in any case.
    type: bool
    default: false
extends_documentation_fragment:
  - weaveworks.wge.connection
  - weaveworks.wge.install
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.info_module
  - weaveworks.wge.attributes.actiongroup_wge
seealso:
  - module: weaveworks.wge.wge_info
  - module: weaveworks.wge.wge_upgrade
"""

EXAMPLES = r"""
- name: Record what answers before the upgrade
  weaveworks.wge.wge_verify:
    kubeconfig: ~/.kube/config
    context: prod-eu-1
    entry_urls: [https://gitops.prod-eu-1.example.org]
    dashboard_username: admin
    dashboard_password: "{{ vault_dashboard_password }}"
    record_to: before.json

- name: Compare with it afterwards, and fail at any difference that is not known
  weaveworks.wge.wge_verify:
    kubeconfig: ~/.kube/config
    context: prod-eu-1
    entry_urls: [https://gitops.prod-eu-1.example.org]
    dashboard_username: admin
    dashboard_password: "{{ vault_dashboard_password }}"
    compare_with: before.json
    strict: true

- name: Look whether the Services are still what the report of the upgrade says
  weaveworks.wge.wge_verify:
    kubeconfig: ~/.kube/config
    context: prod-eu-1
    compare_with: wge-reports/20261123-120000.json
"""

RETURN = r"""
verdict:
  description:
    - V(verified) when nothing is wrong and the dashboard is served by Weave GitOps Enterprise, V(not_upgraded) when Weave GitOps serves.
    - V(differs) when a Service or a route is not what it was, or with O(strict) when any answer differs.
  returned: when the cluster could be read
  type: str
  sample: verified
message:
  description: The first difference that failed the task, empty when there is none.
  returned: always
  type: str
  sample: "Service ww-gitops-weave-gitops leads to pod old-1 as well, which is not WGE."
next_step:
  description: What to do next, empty when there is nothing.
  returned: always
  type: str
  sample: ""
differences:
  description: Every difference that is not known, as a sentence.
  returned: when the cluster could be read
  type: list
  elements: str
  sample: []
continuity:
  description: Each call, at each door, as whom it was made, with what was answered before and after.
  returned: when the cluster could be read
  type: list
  elements: dict
  contains:
    path:
      description: The method and the path.
      type: str
      returned: always
    door:
      description: V(service proxy), or an entry URL.
      type: str
      returned: always
    login:
      description: V(nobody), V(user) or V(token).
      type: str
      returned: always
    before:
      description: The status and the shape of the answer before.
      type: str
      returned: always
    after:
      description: The status and the shape of the answer now.
      type: str
      returned: always
    verdict:
      description: V(same), V(known), V(different), or V(unasked) when one of the two is missing.
      type: str
      returned: always
    words:
      description: The reason of a verdict that is not V(same).
      type: str
      returned: always
  sample:
    - path: GET /v1/version
      door: service proxy
      login: nobody
      before: "401 {code: int, message: str}"
      after: "401 {code: int, message: str}"
      verdict: same
      words: ""
summary:
  description: How many calls have which verdict.
  returned: when the cluster could be read
  type: dict
  sample: {same: 38, known: 2}
endpoints:
  description: For each kept Service the ready pods of Weave GitOps Enterprise behind it, and what else is there (C(stray)).
  returned: when the cluster could be read
  type: list
  elements: dict
  sample:
    - service: ww-gitops-weave-gitops
      pods: [weave-gitops-enterprise-mccp-cluster-service-6f7c9-x2x9k]
      stray: []
logins:
  description: The ways to log in that Weave GitOps offered, and those now; the latter is null when they cannot be read.
  returned: when the cluster could be read
  type: dict
  sample: {before: [user-account], after: [user-account]}
compared_with:
  description: Where the answers before come from, and of how many Services and routes it was known what they were.
  returned: when the cluster could be read
  type: dict
  sample: {api: "WG 0.38.0, 2026-11-23T12:00:00+00:00", services: 1, routes: 1}
serves:
  description: What serves the dashboard.
  returned: when the cluster could be read
  type: str
  sample: WGE 0.38.1
rung:
  description: The rung on which the cluster stands.
  returned: when the cluster could be read
  type: str
  sample: parked
cluster:
  description: The cluster that answered.
  returned: when the API server answered
  type: dict
  sample: {name: prod-eu-1, uid: 0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11, api: "https://prod-eu-1.example.com:6443"}
api:
  description: Requests to the API server. Calls of the dashboard are not among them.
  returned: when the API server answered
  type: dict
  sample: {requests: 31, reads: 31, writes: 0, reviews: 0, dry_runs: 0}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import VERIFY_CLUSTER_SPEC
from ..module_utils._surroundings import answer


def main() -> None:
    module = AnsibleModule(argument_spec=VERIFY_CLUSTER_SPEC, supports_check_mode=True)
    answer(module, "verify_cluster", VERIFY_CLUSTER_SPEC)


if __name__ == "__main__":
    main()
