# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  namespace:
    description:
      - The namespace of Weave GitOps. When not given, the cluster is searched for it.
    type: str
  release:
    description:
      - The Helm release of Weave GitOps. Needed when there are several.
    type: str
  target_release:
    description:
      - The name of the Helm release of Weave GitOps Enterprise.
    type: str
    default: weave-gitops-enterprise
"""

    CHART = r"""
options:
  chart:
    description:
      - The chart of Weave GitOps Enterprise, as anything that helm takes. That is a folder, an archive, an C(oci://)
        address or C(repository/name).
    type: str
  chart_version:
    description:
      - The version of O(chart). Not needed for a folder or an archive.
    type: str
  values:
    description:
      - Values for O(chart), above those that are carried over from Weave GitOps.
    type: dict
  helm:
    description:
      - The helm program.
    type: str
    default: helm
  entitlement:
    description:
      - The entitlement of Weave GitOps Enterprise, as the vendor sent it.
      - Not needed when the cluster holds it in the Secret C(weave-gitops-enterprise-credentials).
    type: str
  entry_urls:
    description:
      - The URLs by which people reach the dashboard. Each is requested during the whole switch.
    type: list
    elements: str
    default: []
"""
