# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  token:
    description:
      - The entitlement itself, from Ansible Vault or a lookup.
      - White space around it is left out.
    type: str
  path:
    description:
      - A file with the entitlement, as the vendor sent it. That is the bare token, or the manifest of its Secret.
      - It lies where the task runs, which is the controller for the connection V(local).
    type: path
  secret_name:
    description:
      - The name of the Secret in which Weave GitOps Enterprise looks for its entitlement.
      - It is C(weave-gitops-enterprise-credentials) when not given.
    type: str
  secret_namespace:
    description:
      - The namespace of that Secret.
    type: str
    default: flux-system
  namespace:
    description:
      - The namespace in which Weave GitOps Enterprise runs. When not given, the cluster is searched for its server.
    type: str
  public_keys:
    description:
      - The public keys that an entitlement may be signed with, as PEM texts. Several are given while keys change.
      - When none is given, it is the key built into Weave GitOps Enterprise.
    type: list
    elements: str
    default: []
  skew_seconds:
    description:
      - How far the clocks of vendor and cluster may differ before an entitlement counts as not yet valid.
    type: float
    default: 60.0
  fail_if_expired:
    description:
      - Whether an entitlement that has expired fails the task. Otherwise it is a warning, since Weave GitOps Enterprise works with one.
    type: bool
    default: false
"""
