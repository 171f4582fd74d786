#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_report
short_description: Writes and prints the report of a run
version_added: 0.1.0
description:
  - Makes one JSON document of what each worker of a run has appended to the run file, and prints a summary.
  - The document's schema is C(roles/report/files/report.schema.json) of the collection.
  - Writing the report never counts as a change. In check mode nothing is written, and the summary stands on O(outcomes).
notes:
  - It runs on the controller only. On hosts with another connection than V(local) give the task C(delegate_to=localhost).
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  run:
    description: The name of the run, from M(weaveworks.wge.wge_validate).
    type: str
    required: true
  report_dir:
    description: The folder of run files and reports.
    type: path
    default: wge-reports
  outcomes:
    description:
      - By host name, what the playbook knows of each cluster. It has the keys of the result of
        M(weaveworks.wge.wge_upgrade), as far as they are known.
      - It counts for clusters of which the run file says nothing, as those that were never begun.
    type: dict
    default: {}
extends_documentation_fragment:
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.info_module
seealso:
  - module: weaveworks.wge.wge_validate
"""

EXAMPLES = r"""
- name: Report
  weaveworks.wge.wge_report:
    run: "{{ validate_settings.run }}"
    report_dir: "{{ validate_settings.report_dir }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
path:
  description: The report.
  returned: success
  type: str
  sample: /srv/upgrade/wge-reports/20261123T101500Z-5f3a1c.json
fleet:
  description: The whole fleet in figures and in one sentence.
  returned: success
  type: dict
  sample:
    clusters: 3
    requests: 12630
    lost: 0
    sentence: 3 clusters upgraded, 12630 requests, 0 lost
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import REPORT_SPEC
from ..module_utils._surroundings import refuse


def main() -> None:
    module = AnsibleModule(argument_spec=REPORT_SPEC, supports_check_mode=True)
    refuse(module, "wge_report")


if __name__ == "__main__":
    main()
