# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    """How the archive of an upgrade is made, or which one is taken."""

    DOCUMENTATION = r"""
options:
  archive_dir:
    description:
      - The folder for the archive of everything that is needed to go back. It is made when it is not there.
      - Secrets in it are encrypted with a vault secret of this run (C(--vault-id), or a Vault credential in AWX). Without one nothing
        is upgraded.
      - A relative path begins at the folder in which Ansible was started.
    type: path
    default: wge-archive
  archive:
    description:
      - An archive of this cluster that was made before (M(weaveworks.wge.wge_state_export)), a folder or a C(.tar.gz). The upgrade then
        makes none. It stops when the archive does not hold Weave GitOps as it is now.
      - Needed where the upgrade runs on another host than the controller, since vault secrets are on the controller only. There the
        archive's hashes are checked, and its Secrets are not looked into.
      - V(rolled_back) on a cluster that was finalised takes it from here, else from where the journal says.
    type: path
  archive_format:
    description:
      - A folder, which can be put under git, or one compressed file.
    type: str
    choices: [folder, tar.gz]
    default: folder
  archive_vault_id:
    description:
      - The vault id to encrypt with. When not given, it is Ansible's own C(vault_encrypt_identity), else the only one that was given.
    type: str
  archive_copy_command:
    description:
      - A command that copies the archive elsewhere, as a list of its words. V({path}) stands for the archive, else its path is the
        last word. No shell reads it. When it ends with another code than 0, nothing is upgraded.
      - Needed in AWX when the archive's folder goes with the job.
    type: list
    elements: str
"""
