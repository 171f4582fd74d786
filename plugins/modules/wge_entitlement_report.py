#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_entitlement_report
short_description: Prints and writes the table of a fleet's entitlements
version_added: 0.1.0
description:
  - Makes one table of the results of M(weaveworks.wge.wge_entitlement_verify) on many clusters, or of
    M(weaveworks.wge.wge_entitlement_issue) for many customers. What cannot wait comes first.
  - Prints it, warns of what has expired and of what ends soon, and writes it as JSON and as JUnit XML.
  - The JSON document's schema is C(roles/entitlement_report/files/entitlements.schema.json) of the collection.
  - In JUnit an invalid entitlement is a failure, and a host without an answer is an error. One that has expired passes with
    a word in its output, unless O(fail_if_expired).
  - Writing the files never counts as a change. In check mode nothing is written.
notes:
  - It runs on the controller only. On hosts with another connection than V(local) give the task C(delegate_to=localhost).
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  entitlements:
    description:
      - By host name, the result of the module. An empty one is a host that gave no answer.
    type: dict
    required: true
  report_dir:
    description: The folder of the two files. It is made when it is not there.
    type: path
    default: wge-reports
  run:
    description:
      - The name of the run, from M(weaveworks.wge.wge_validate). The files are called C(entitlements-<run>).
      - When not given, it is the time of now.
    type: str
  warn_days:
    description:
      - How many days before its end an entitlement is warned of. The most days are called V(notice), then come V(warn) and V(urgent).
      - Up to three numbers.
    type: list
    elements: int
    default: [60, 30, 14]
  fail_if_expired:
    description: Whether one that has expired is a failure in the JUnit file.
    type: bool
    default: false
extends_documentation_fragment:
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.info_module
seealso:
  - module: weaveworks.wge.wge_entitlement_verify
  - module: weaveworks.wge.wge_entitlement_issue
"""

EXAMPLES = r"""
- name: The table of what was verified on each host
  weaveworks.wge.wge_entitlement_report:
    entitlements: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'verified'))) }}"
    warn_days: [90, 30]
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
path:
  description: The JSON document. It is not written in check mode.
  returned: success
  type: str
  sample: /srv/upgrade/wge-reports/entitlements-20261123T101500Z-5f3a1c.json
junit:
  description: The JUnit file. It is not written in check mode.
  returned: success
  type: str
  sample: /srv/upgrade/wge-reports/entitlements-20261123T101500Z-5f3a1c.xml
levels:
  description: How many entitlements have which level.
  returned: success
  type: dict
  sample: {unreachable: 0, failed: 0, invalid: 1, expired: 0, urgent: 0, warn: 1, notice: 0, ok: 198}
sentence:
  description: All of them in one sentence.
  returned: success
  type: str
  sample: "200 entitlements: 198 fine, 1 ending within 30 days, 1 invalid"
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import ENTITLEMENT_REPORT_SPEC
from ..module_utils._surroundings import refuse


def main() -> None:
    module = AnsibleModule(argument_spec=ENTITLEMENT_REPORT_SPEC, supports_check_mode=True)
    refuse(module, "wge_entitlement_report")


if __name__ == "__main__":
    main()
