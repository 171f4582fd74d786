#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_git_changes
short_description: Makes the change after which git says what an upgraded cluster is
version_added: 0.1.0
description:
  - Where a Flux Kustomization applies Weave GitOps out of git, the cluster is upgraded first and git last. In between there is a
    I(git debt), which the result of M(weaveworks.wge.wge_upgrade) and M(weaveworks.wge.wge_info) names under the key RV(ignore:git).
  - This module makes the change that pays it, as a patch for C(git apply), and on request as a branch. It takes the HelmRelease of
    Weave GitOps out, and adds one file with what the upgrade made and with the Services and routes that are kept. That file is made of
    the live objects, so that Flux, when it applies it, changes nothing.
  - The source of Weave GitOps stays in git, since without it nobody could go back. Take it out after O(ignore:state=finalised).
  - A path that several clusters read is changed when all of them are upgraded and want the same, and not before.
  - What is no plain YAML below the Kustomization's path (overlays that change it, templates, files encrypted with SOPS) is not edited. The
    result says why, and a file holds what git has to say.
  - The checkout itself is never edited and nothing is checked out in it. Nothing is pushed unless O(push) says so, and no hosting
    service is asked.
notes:
  - It runs on the controller only and needs the git program. On hosts with another connection than V(local) give the task
    C(delegate_to=localhost).
  - No Secret gets into git. Values that were given in clear for the upgrade do; put what is secret into a Secret of your own.
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  checkout:
    description:
      - A clone of the repository that Flux reads, with the branch checked out on which the change is to be made.
      - Everything in it has to be committed, and it has to contain the commits that the clusters have applied.
    type: path
    required: true
  clusters:
    description:
      - The results of M(weaveworks.wge.wge_info) or M(weaveworks.wge.wge_upgrade) of the clusters that may read this repository; a key
        C(host) in each is the name by which the cluster is called.
      - Clusters that read no git are passed over.
    type: list
    elements: dict
    required: true
  direction:
    description:
      - With V(back) the commit of an earlier V(forward) is reverted, which has to be among the commits that are checked out. Merge that
        before the clusters are rolled back. Nothing that serves is deleted by it.
    type: str
    choices: [forward, back]
    default: forward
  patch_dir:
    description: The folder of the patch, and of files that a person has to bring into git.
    type: path
    default: wge-git
  branch:
    description: The name of a new branch in the repository of O(checkout), with the change as one commit on what is checked out.
    type: str
  push:
    description: Push O(branch) to O(remote).
    type: bool
    default: false
  remote:
    description: The remote to push to.
    type: str
    default: origin
extends_documentation_fragment:
  - weaveworks.wge.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: weaveworks.wge.wge_info
  - module: weaveworks.wge.wge_upgrade
"""

EXAMPLES = r"""
- name: See where each cluster stands
  weaveworks.wge.wge_info:
    kubeconfig: "{{ wge_kubeconfig }}"
    context: "{{ wge_context }}"
  register: found

- name: Say whose answer it is
  ansible.builtin.set_fact:
    answer: "{{ found | combine({'host': inventory_hostname}) }}"

- name: Make the change as a patch and as a branch
  weaveworks.wge.wge_git_changes:
    checkout: ~/fleet
    branch: weave-gitops-enterprise
    clusters: "{{ ansible_play_hosts | map('extract', hostvars, 'answer') }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
patch:
  description: The patch, for C(git apply) in a checkout. Empty when git says it all already, or nothing may change yet.
  returned: success
  type: str
  sample: /srv/upgrade/wge-git/fleet.patch
files:
  description: Files with what a person has to bring into git.
  returned: success
  type: list
  elements: str
branch:
  description: The branch that holds the change. Empty when none was asked for or nothing changes.
  returned: success
  type: str
  sample: weave-gitops-enterprise
pushed:
  description: Whether the branch was pushed.
  returned: success
  type: bool
paths:
  description: What came of each path that the clusters read.
  returned: success
  type: list
  elements: dict
  contains:
    url:
      description: The repository, as the clusters name it.
      type: str
      returned: always
    ref:
      description: What of it they read.
      type: str
      returned: always
    path:
      description: The folder; empty for the whole repository.
      type: str
      returned: always
    clusters:
      description: Who reads it.
      type: list
      elements: str
      returned: always
    state:
      description:
        - V(changed) when the patch changes it, V(same) when git says it already, V(held) when it must not change yet, V(by_hand) when a
          person has to change it.
      type: str
      returned: always
    message:
      description: Why it is held, or left to a person.
      type: str
      returned: always
    files:
      description: The files that change.
      type: list
      elements: str
      returned: always
    notes:
      description: What else a person has to do in the same merge.
      type: list
      elements: str
      returned: always
  sample:
    - url: https://git.example.com/fleet.git
      ref: branch main
      path: clusters/prod-eu-1
      clusters: [prod-eu-1]
      state: changed
      message: ""
      files: [clusters/prod-eu-1/weave-gitops-dashboard.yaml, clusters/prod-eu-1/weave-gitops-enterprise.yaml]
      notes: []
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import GIT_CHANGES_SPEC
from ..module_utils._surroundings import refuse


def main() -> None:
    module = AnsibleModule(argument_spec=GIT_CHANGES_SPEC, supports_check_mode=True)
    refuse(module, "wge_git_changes")


if __name__ == "__main__":
    main()
