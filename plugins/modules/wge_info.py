#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_info
short_description: Tells what Weave GitOps and Weave GitOps Enterprise are on a cluster
version_added: 0.1.0
description:
  - Reads one cluster and tells what is installed there, who owns it, and on which rung of the upgrade the cluster stands.
  - Nothing is written.
author:
  - The weaveworks.wge authors (@weaveworks)
extends_documentation_fragment:
  - weaveworks.wge.connection
  - weaveworks.wge.install
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.info_module
  - weaveworks.wge.attributes.actiongroup_wge
seealso:
  - module: weaveworks.wge.wge_preflight
  - module: weaveworks.wge.wge_upgrade
"""

EXAMPLES = r"""
- name: See what is installed
  weaveworks.wge.wge_info:
    kubeconfig: ~/.kube/config
    context: prod-eu-1
  register: found

- name: Show the rung
  ansible.builtin.debug:
    msg: "{{ found.installed.rung }}"
"""

RETURN = r"""
installed:
  description: What is there. Its members depend on what was found.
  returned: when the cluster could be read
  type: dict
  sample:
    rung: installed
    form: helm
    namespace: flux-system
    release: ww-gitops
    version: 0.38.0
inherited:
  description:
    - What becomes in Weave GitOps Enterprise of each setting of this Weave GitOps that is not the chart's own, and of each key of its
      Secrets. No value is shown.
  returned: when the cluster could be read
  type: list
  elements: dict
  contains:
    setting:
      description: The path of the value, the flag, the name of the variable, or the Secret and its key.
      type: str
      returned: always
    kind:
      description: V(value), V(flag), V(variable) or V(secret).
      type: str
      returned: always
    fate:
      description: V(kept), V(told) when a person should know, or V(lost) when somebody has to decide.
      type: str
      returned: always
    words:
      description: What happens with it, or why it is lost.
      type: str
      returned: always
    equivalent:
      description: Where it is, or can be given, in the values of the chart of Weave GitOps Enterprise. Empty when nowhere.
      type: str
      returned: always
  sample:
    - setting: logLevel
      kind: value
      fate: kept
      words: carried over; warn becomes info, which WGE knows
      equivalent: config.logLevel
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
cluster:
  description: The cluster that answered.
  returned: when the API server answered
  type: dict
  sample: {name: prod-eu-1, uid: 0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11, api: "https://prod-eu-1.example.com:6443"}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import INFO_SPEC
from ..module_utils._surroundings import answer


def main() -> None:
    module = AnsibleModule(argument_spec=INFO_SPEC, supports_check_mode=True)
    answer(module, "info", INFO_SPEC)


if __name__ == "__main__":
    main()
