# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation: checked by antsibull-docs, built by Sphinx, a warning is an error. Needs no network.

The pages of plugins and roles come from the plugins' DOCUMENTATION and the roles' argument_specs, the guides from
docs/docsite/rst. The result is build/docs/html/index.html.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "docs" / "sphinx"
PLACE = ROOT / "build" / "docs"
COLLECTION = "weaveworks.wge"
# Collections that our pages may refer to; a reference to any other is an error.
PEERS = ("kubernetes.core",)

ANSIBLE_DOCS = "https://docs.ansible.com/projects/ansible/devel/"
# Labels of Ansible's own pages that the generated pages refer to, with the page each is on.
LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "ansible_variable_precedence": "reference_appendices/general_precedence.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
    "filter_plugins": "plugins/filter.html",
    "inventory_plugins": "plugins/inventory.html",
}


UNLUCKY_NAME = 'Unknown target name: "antsibull-docs-'
"""The checker writes the name of its temporary folder into a page, and one that happens to end in ``_`` is a reference there."""


def run(*command: str) -> None:
    """Run a program of the virtual environment; end with its exit code when it fails."""
    environment = {
        **os.environ,
        # Of all collections that are installed only these: reading the others takes minutes.
        "ANSIBLE_COLLECTIONS_PATH": str(PLACE / "collections"),
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
        "WGE_VERSION": str(yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]),
        "WGE_ANSIBLE_DOCS": ANSIBLE_DOCS,
        "WGE_ANSIBLE_INVENTORY": str(PLACE / "ansible.inv"),
    }
    code, said = 1, UNLUCKY_NAME
    for _attempt in range(5):
        if not (code and UNLUCKY_NAME in said):
            break
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        code, said = done.returncode, done.stdout
    print(said, end="", flush=True)
    if code:
        sys.exit(f"docs: {command[0]} found something to repair (exit code {code})")


def lay_out_collections() -> None:
    """Links to ours and its peers, and to nothing else."""
    installed = importlib.util.find_spec("ansible_collections")
    places = [Path(place) for place in installed.submodule_search_locations or []] if installed else []
    homes = {COLLECTION: ROOT}
    for peer in PEERS:
        homes[peer] = next(place / Path(*peer.split(".")) for place in places if (place / Path(*peer.split("."))).is_dir())
    for name, home in homes.items():
        link = PLACE / "collections" / "ansible_collections" / Path(*name.split("."))
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(home)


def write_inventory() -> None:
    """An inventory in Sphinx's own format (version 2) that knows the labels above."""
    lines = "".join(f"{label} std:label -1 {page} {label}\n" for label, page in LABELS.items())
    head = "# Sphinx inventory version 2\n# Project: ansible\n# Version: \n# The remainder of this file is compressed using zlib.\n"
    (PLACE / "ansible.inv").write_bytes(head.encode() + zlib.compress(lines.encode()))


def main() -> None:
    """Check, generate, build."""
    shutil.rmtree(PLACE, ignore_errors=True)
    pages = PLACE / "rst"
    pages.mkdir(parents=True, mode=0o755)
    lay_out_collections()
    write_inventory()
    shutil.copy(SOURCE / "index.rst", pages)
    references = ("--validate-collection-refs=all", "--disallow-unknown-collection-refs", "--check-extra-docs-refs")
    run("antsibull-docs", "lint-collection-docs", "--plugin-docs", *references, ".")
    generate = ("--use-current", "--cleanup", "everything", "--fail-on-error", "--dest-dir", str(pages))
    run("antsibull-docs", "--config-file", str(SOURCE / "antsibull-docs.cfg"), "collection", *generate, COLLECTION)
    run("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "-c", str(SOURCE), str(pages), str(PLACE / "html"))
    generated = sorted((pages / "collections" / Path(*COLLECTION.split("."))).glob("*_module.rst"))
    modules = sorted((ROOT / "plugins" / "modules").glob("*.py"))
    if len(generated) != len(modules):
        sys.exit(f"docs: {len(modules)} modules, but {len(generated)} pages of modules")
    print(f"docs: {len(generated)} modules, build/docs/html/index.html")


if __name__ == "__main__":
    main()
