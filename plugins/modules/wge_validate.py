#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_validate
short_description: Checks the settings of a whole fleet before any cluster is touched
version_added: 0.1.0
description:
  - Reads the C(wge_*) variables of all clusters in the inventory and converts each to its type, since extra variables and
    AWX surveys give strings.
  - Refuses variables that the collection does not know, settings that cannot be converted, and two hosts that are one
    cluster.
  - Divides the clusters into waves. The group C(wge_canary) is the first one, or the first cluster when it is empty.
  - No cluster is asked.
notes:
  - The fleet is the group C(fleet) when the inventory has one, else every host.
  - It runs on the controller only. On hosts with another connection than V(local) give the task C(delegate_to=localhost).
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  candidates:
    description: The clusters that get a wave. All of the fleet when not given.
    type: list
    elements: str
  settings:
    description: Whether the settings are read. Without them only the waves are planned.
    type: bool
    default: true
  sliceable:
    description: Whether a part of the fleet may be seen, so that C(wge_fleet_size) is not compared.
    type: bool
    default: false
extends_documentation_fragment:
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.info_module
seealso:
  - module: weaveworks.wge.wge_report
"""

EXAMPLES = r"""
- name: Check the settings of the fleet
  weaveworks.wge.wge_validate:
  delegate_to: localhost
  run_once: true
  register: checked

- name: Show this cluster's settings
  ansible.builtin.debug:
    msg: "{{ checked.settings[inventory_hostname] }}"
"""

RETURN = r"""
fleet:
  description: The clusters of the inventory.
  returned: success
  type: list
  elements: str
  sample: [prod-eu-1, prod-eu-2]
settings:
  description:
    - The typed settings of each cluster, by host name and without C(wge_). Settings that hold secrets are left out.
    - C(run) names this run, C(report_dir) is absolute.
  returned: when O(settings=true)
  type: dict
  sample:
    prod-eu-1:
      run: 20261123T101500Z-5f3a1c
      report_dir: /srv/upgrade/wge-reports
      max_failed: 0
      confirm: true
      context: prod-eu-1
waves:
  description: The number of each candidate's wave.
  returned: success
  type: dict
  sample: {prod-eu-1: 0, prod-eu-2: 1}
run:
  description: The name of this run.
  returned: when O(settings=true)
  type: str
  sample: 20261123T101500Z-5f3a1c
problems:
  description: What is wrong, one sentence each.
  returned: failure
  type: list
  elements: str
  sample: ["prod-eu-1: wge_kubconfig is not a setting of this collection; did you mean wge_kubeconfig?"]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import VALIDATE_SPEC
from ..module_utils._surroundings import refuse


def main() -> None:
    module = AnsibleModule(argument_spec=VALIDATE_SPEC, supports_check_mode=True)
    refuse(module, "wge_validate")


if __name__ == "__main__":
    main()
