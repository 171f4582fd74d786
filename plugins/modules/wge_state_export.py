#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: wge_state_export
short_description: Puts everything that Weave GitOps has built up on a cluster into an archive
version_added: 0.1.0
description:
  - Reads the Helm release with all its revisions, the objects that belong to it, what leads to it, who may use it, and the objects
    of Flux and of Weave GitOps that it shows. Nothing is written to the cluster.
  - Each object is in the archive twice, as it was read, and without what the API server puts on it itself, so that it can be
    applied.
  - Secrets are encrypted in the format of Ansible Vault, with a vault secret of this run; C(ansible-vault view) opens them.
  - The archive is read back, decrypted, compared with what was read, and created object by object in dry runs. Of each kind
    that Weave GitOps only shows at most 500 are tried. Only then does it get its name. What fails leaves nothing behind.
notes:
  - It runs on the controller only, since the vault's secrets are there. On hosts with another connection than V(local) give the
    task C(delegate_to=localhost).
  - Each run makes another archive, so it always reports a change. In check mode the cluster is read and nothing is made.
  - Dry runs need the right to create what is archived; whoever restores needs it anyway.
author:
  - The weaveworks.wge authors (@weaveworks)
options:
  archive_dir:
    description:
      - The folder of archives on the controller. The archive's name is the UID of the cluster and the run.
      - A relative path begins at the folder in which Ansible was started. It is made when it is not there.
    type: path
    default: wge-archive
  scope:
    description:
      - With V(install) what an upgrade touches. That is the release, its objects, what leads to them, and the Secrets they name.
      - With V(everything) also the objects of Flux and Weave GitOps of the whole cluster, the Secrets and ConfigMaps that those name,
        foreign routes, and who may use Weave GitOps.
    type: str
    choices: [everything, install]
    default: everything
  format:
    description:
      - A folder, which can be put under git, or one compressed file.
    type: str
    choices: [folder, tar.gz]
    default: folder
  secrets:
    description:
      - With V(vault) Secrets are in the archive, encrypted.
      - With V(hashes_only) only their names and hashes are. Nothing can be rolled back from such an archive, and no upgrade takes it.
    type: str
    choices: [vault, hashes_only]
    default: vault
  vault_id:
    description:
      - The vault id to encrypt with. When not given, it is Ansible's own C(vault_encrypt_identity), else the only one that was given.
    type: str
  dry_run:
    description:
      - Whether it is tried that the objects can be created. Switch it off for a user who may only read.
    type: bool
    default: true
  copy_command:
    description:
      - A command that copies the archive elsewhere, as a list of its words. V({path}) stands for the archive, else its path is the
        last word. No shell reads it.
      - When it ends with another code than 0 there is no copy, and the task fails. The archive stays where it is.
    type: list
    elements: str
  deadline_seconds:
    description:
      - After so long it stops, and leaves no archive.
    type: float
    default: 3600.0
extends_documentation_fragment:
  - weaveworks.wge.connection
  - weaveworks.wge.install
  - weaveworks.wge.attributes
  - weaveworks.wge.attributes.actiongroup_wge
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - Nothing that is there is changed.
  idempotent:
    support: none
    details:
      - Each run makes another archive.
seealso:
  - module: weaveworks.wge.wge_state_restore
  - module: weaveworks.wge.wge_upgrade
"""

EXAMPLES = r"""
- name: Archive what Weave GitOps has built up
  weaveworks.wge.wge_state_export:
    context: prod-eu-1
    archive_dir: /srv/archives
    vault_id: prod

- name: One file, copied to object storage
  weaveworks.wge.wge_state_export:
    context: prod-eu-1
    format: tar.gz
    copy_command: [aws, s3, cp, "{path}", "s3://archives/wge/"]

# ansible-vault view --vault-id prod@prompt /srv/archives/…/secrets/read-0001.yaml
"""

RETURN = r"""
path:
  description: The archive, empty in check mode.
  returned: when the cluster could be read
  type: str
  sample: /srv/archives/0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11-20261123-101500-5f3a1c
digest:
  description: The SHA-256 that the archive's C(manifest.json) gives itself. It stands for the whole archive.
  returned: when an archive was made
  type: str
  sample: 9f2c5a7e1b0d4c33
objects:
  description: How many objects of each kind are in it.
  returned: when the cluster could be read
  type: dict
  sample: {Deployment.apps: 1, Secret: 9, Service: 1}
compared:
  description: How many objects were read back and compared.
  returned: when an archive was made
  type: int
  sample: 41
tried:
  description: How many objects were created in dry runs.
  returned: when an archive was made
  type: int
  sample: 41
copied:
  description: Whether O(copy_command) has confirmed a copy.
  returned: when an archive was made
  type: bool
  sample: false
vault_id:
  description: The vault id that the Secrets are encrypted with.
  returned: when an archive was made
  type: str
  sample: prod
run:
  description: The name of the run, which the archive's name ends in.
  returned: when an archive was made
  type: str
  sample: 20261123-101500-5f3a1c
seconds:
  description: How long it took.
  returned: when an archive was made
  type: float
  sample: 2.5
scope:
  description: The option.
  returned: when the cluster could be read
  type: str
  sample: everything
secrets:
  description: The option.
  returned: when the cluster could be read
  type: str
  sample: vault
namespace:
  description: The namespace of Weave GitOps.
  returned: when the cluster could be read
  type: str
  sample: flux-system
release:
  description: The Helm release of Weave GitOps.
  returned: when the cluster could be read
  type: str
  sample: ww-gitops
verdict:
  description: V(exported), V(planned) in check mode, or V(blocked), V(safe_stop), V(unreachable) as in M(weaveworks.wge.wge_upgrade).
  returned: always
  type: str
  sample: exported
cluster:
  description: The cluster that answered.
  returned: when the API server answered
  type: dict
  sample: {name: "", uid: 0d3b2f6e-4c6b-4a51-9b1f-2f1d6f0c8e11, api: "https://prod-eu-1.example.com:6443", version: v1.33.5}
api:
  description: How many requests went to the API server.
  returned: when the API server answered
  type: dict
  sample: {requests: 96, reads: 55, writes: 0, reviews: 0, dry_runs: 41}
message:
  description: What went wrong, as a sentence.
  returned: always
  type: str
  sample: ""
next_step:
  description: What to do when it failed.
  returned: always
  type: str
  sample: ""
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import EXPORT_SPEC
from ..module_utils._surroundings import refuse


def main() -> None:
    module = AnsibleModule(argument_spec=EXPORT_SPEC, supports_check_mode=True)
    refuse(module, "wge_state_export")


if __name__ == "__main__":
    main()
