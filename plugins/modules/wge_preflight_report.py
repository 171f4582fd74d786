#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_preflight_report
short_description: Prints and writes the preflight of a fleet
version_added: 0.1.0
description:
  - Makes one report of the results of M(weaveworks.wge.wge_preflight) on many clusters, with each check's evidence and remedy.
  - Prints which clusters cannot be upgraded, and writes the report as JSON, JUnit XML, Markdown and one HTML page.
  - The JSON document's schema is C(roles/preflight/files/preflight.schema.json) of the collection.
  - In JUnit a cluster is a suite and a check a case. What forbids the upgrade is a failure, what could not be checked an error, and
    a warning passes with a word in its output.
  - The HTML page is one file that asks for nothing from anywhere. It can be filtered, linked to, and printed.
  - Finds hosts that turned out to be one cluster, by the UID of its namespace C(kube-system).
  - Writing the files never counts as a change. In check mode nothing is written.
notes:
  - It runs on the controller only. On hosts with another connection than V(local) give the task C(delegate_to=localhost).
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  results:
    description:
      - A dictionary a cluster, with its C(host), and as C(result) what M(weaveworks.wge.wge_preflight) returned with C(output=full).
      - An empty result is a host that gave no answer.
    type: list
    elements: dict
    required: true
  report_dir:
    description: The folder of the files. It is made when it is not there.
    type: path
    default: wge-reports
  run:
    description:
      - The name of the run, from M(weaveworks.wge.wge_validate). The files are called C(preflight-<run>).
      - When not given, it is the time of now.
    type: str
extends_documentation_fragment:
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.info_module
seealso:
  - module: weaveworks.wge.wge_preflight
"""

EXAMPLES = r"""
- name: The report of what was checked on each host
  weaveworks.wge.wge_preflight_report:
    results: >-
      {{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'checked')))
         | dict2items(key_name='host', value_name='result') }}
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
path:
  description: The JSON document. It is not written in check mode, and neither are the other files.
  returned: success
  type: str
  sample: /srv/upgrade/wge-reports/preflight-20261123T101500Z-5f3a1c.json
junit:
  description: The JUnit file.
  returned: success
  type: str
  sample: /srv/upgrade/wge-reports/preflight-20261123T101500Z-5f3a1c.xml
markdown:
  description: The Markdown file.
  returned: success
  type: str
  sample: /srv/upgrade/wge-reports/preflight-20261123T101500Z-5f3a1c.md
html:
  description: The HTML page.
  returned: success
  type: str
  sample: /srv/upgrade/wge-reports/preflight-20261123T101500Z-5f3a1c.html
verdicts:
  description: How many clusters have which verdict.
  returned: success
  type: dict
  sample: {blocked: 1, error: 0, unreachable: 0, warn: 2, pass: 47}
hosts:
  description: The names of the clusters by their verdict.
  returned: success
  type: dict
  sample: {blocked: [prod-eu-3], error: [], unreachable: [], warn: [lab-1, lab-2], pass: [prod-eu-1]}
twins:
  description: By host name, a sentence about each that is the same cluster as another host. They are blocked.
  returned: success
  type: dict
  sample: {}
sentence:
  description: All of them in one sentence.
  returned: success
  type: str
  sample: "50 clusters: 47 ready, 2 ready with warnings, 1 blocked"
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import PREFLIGHT_REPORT_SPEC
from ..module_utils._surroundings import refuse


def main() -> None:
    module = AnsibleModule(argument_spec=PREFLIGHT_REPORT_SPEC, supports_check_mode=True)
    refuse(module, "wge_preflight_report")


if __name__ == "__main__":
    main()
