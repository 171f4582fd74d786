# SPDX-License-Identifier: GPL-3.0-or-later
"""What every run reads before it looks at a playbook: Ansible, the plugins it always needs, and our code below the action plugins.

The action plugins must be loaded by the controller of a run: they note which process that is.
"""

from __future__ import annotations

import importlib

import ansible.cli.playbook
import ansible.executor.playbook_executor
import ansible.executor.task_queue_manager  # noqa: F401
from ansible.plugins import loader

loader.init_plugin_loader()
for _kind, _names in {
    loader.inventory_loader: ("host_list", "script", "auto", "yaml", "ini", "toml"),
    loader.callback_loader: ("default", "minimal"),
    loader.strategy_loader: ("linear",),
    loader.connection_loader: ("local", "ssh"),
    loader.shell_loader: ("sh",),
}.items():
    for _name in _names:
        _kind.get(_name, class_only=True)
for _name in ("_front", "_surroundings", "_redact"):
    importlib.import_module(f"ansible_collections.weaveworks.wge.plugins.module_utils.{_name}")
