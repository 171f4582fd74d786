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
  delivery:
    description:
      - By what Weave GitOps Enterprise comes into the cluster. With V(helm) it is the helm program, with V(flux) a HelmRelease, with
        V(manifests) its plain objects, one by one.
      - The default is what Weave GitOps itself came by.
    type: str
    choices: [flux, helm, manifests]
  chart_repository:
    description:
      - The URL from which Flux fetches the chart, with O(delivery=flux). Not needed when O(chart) is an C(oci://) address.
        O(chart_version) is then needed.
    type: str
  chart_secret:
    description:
      - The Secret with which Flux logs in at O(chart_repository), in the namespace of the HelmRelease.
      - The default is the Secret of the entitlement, when that holds a user's name and a password.
    type: str
  manifests:
    description:
      - A file with all objects of Weave GitOps Enterprise as somebody rendered them, instead of O(chart), with O(delivery=manifests).
      - Nothing is added to what it says, O(values) and what is carried over from Weave GitOps included; images are renamed.
    type: path
  image_mirrors:
    description:
      - Where the cluster gets images from. The keys are registries or the beginnings of images (V(ghcr.io), V(docker.io/weaveworks)),
        the values what stands in their place. The longest key that fits counts.
      - With O(delivery=flux) or O(delivery=manifests). The helm program installs a chart as it is; name the mirror in O(values) there.
    type: dict
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
  entitlement_public_keys:
    description:
      - The vendor's public keys in PEM, several while a key is being replaced.
      - When not given, the key that every Weave GitOps Enterprise server holds is trusted.
    type: list
    elements: str
    default: []
  entitlement_customer:
    description:
      - To whom the entitlement was issued. Another customer's is a warning (check EN-05).
    type: str
  fail_if_expired:
    description:
      - Whether an expired entitlement blocks the upgrade (check EN-04). Weave GitOps Enterprise works with one and warns its users.
    type: bool
    default: false
  login_secret:
    description:
      - The local user of the dashboard, for a Weave GitOps that was not installed by its chart and has no Secret C(cluster-user-auth).
        Weave GitOps Enterprise ends at once without one (check CU-05). A Secret that is there is left as it is.
    type: dict
    suboptions:
      username:
        description: Under which name people log in.
        type: str
        required: true
      password_hash:
        description: The bcrypt hash of the password, as C(gitops get bcrypt-hash) makes it.
        type: str
        required: true
  change_windows:
    description:
      - Intervals in which the upgrade may begin, as V(2026-11-28T20:00Z/2026-11-29T02:00Z), judged by the API server's clock (check SA-04).
      - An upgrade that has begun goes on outside of them.
    type: list
    elements: str
    default: []
  plan_hash:
    description:
      - The hash of the plan that was reviewed. Another plan blocks the upgrade (check SA-05).
    type: str
  alerts_url:
    description:
      - The address of an Alertmanager. Alerts that fire there are a warning (check SA-06).
    type: str
  waivers:
    description:
      - Checks that are overruled on this cluster. A failure that is waived becomes a warning and stands in the report with the
        name of who waived it. A waiver that has expired counts no more. Some checks cannot be waived.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: The check.
        type: str
        required: true
      who:
        description: The person who answers for it.
        type: str
        required: true
      reason:
        description: Why it does not matter here.
        type: str
        required: true
      expires:
        description: The last day on which it counts, as V(2027-01-31).
        type: str
        required: true
  compatibility:
    description:
      - A newer table of which versions go with which, for the checks CU-02 and FL-02. Either its path, which is read where the task
        runs, or the table itself.
      - The one that is used otherwise, and shows the shape, is C(files/compatibility.yml) of the role P(weaveworks.wge.preflight#role).
    type: raw
  entry_urls:
    description:
      - The URLs by which people reach the dashboard. Each is requested during the whole switch.
    type: list
    elements: str
    default: []
"""
