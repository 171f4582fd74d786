# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes `ansible_collections.weaveworks.wge` this very tree, as ansible-playbook sees it.

Imports go through Ansible's own collection finder: a plugin that is loaded by name and a module that a test imports are
then the same object. Run by `make unit`; plain `pytest` works too once `make link` was called.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / "build" / "collections"

# The user's own settings must not change what is tested; this is read when ansible is first imported.
for _name in [name for name in os.environ if name.startswith(("ANSIBLE_", "K8S_AUTH_", "KUBE"))]:
    del os.environ[_name]
os.environ["ANSIBLE_CONFIG"] = str(ROOT / "ansible.cfg")
# Else it makes a folder where the tests were started.
os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(ROOT / "build" / "cache" / "hypothesis")


def pytest_configure(config: pytest.Config) -> None:
    """Install the finder before any test module is imported."""
    if not (COLLECTIONS / "ansible_collections" / "weaveworks" / "wge" / "galaxy.yml").is_file():
        raise pytest.UsageError("There is no link to this tree below build/collections: call `make link` first.")
    from ansible.utils.collection_loader import AnsibleCollectionConfig
    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    if AnsibleCollectionConfig.collection_finder is None:
        _AnsibleCollectionFinder(paths=[str(COLLECTIONS)])._install()
