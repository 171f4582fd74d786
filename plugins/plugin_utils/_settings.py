# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory's ``wge_*`` variables: which there are, and their types. PRIVATE: can change at any time.

Roles pass the variables on to the modules as they are. Conditions of playbooks read the typed values made here, since
an AWX survey gives strings and ``"false"`` is true to a condition.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._argspec import (
    CLIMB,
    CONNECTION,
    ENTITLEMENT_VARIABLES,
    EXPORT_VARIABLES,
    INSTALL,
    ISSUE_VARIABLES,
    PREFLIGHT_SPEC,
    RESTORE_VARIABLES,
    VERIFY_VARIABLES,
    Spec,
)

PREFIX = "wge_"

_TEXTS = ("str", "path", "raw", "list", "dict")
_KINDS = {
    "bool": "true or false",
    "dict": "a dictionary",
    "float": "a number",
    "int": "a whole number",
    "list": "a list of texts",
    "path": "a path",
    "raw": "a path or a dictionary",
    "str": "a text",
}

FLEET: Spec = {
    "report_dir": {"type": "path", "default": "wge-reports"},
    "max_failed": {"type": "int", "default": 0},
    "fleet_size": {"type": "int"},
    "confirm": {"type": "bool", "default": True},
    "entitlement_warn_days": {"type": "list", "elements": "int"},
    "blocked": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "show": PREFLIGHT_SPEC["show"],
}
"""Settings of the run and not of one cluster; they must be the same on every host."""

_SNAPSHOTS: Spec = {name: PREFLIGHT_SPEC[name] for name in ("snapshot_to", "snapshot_from")}
# The rung is the playbook's own choice: upgrade.yml climbs to the top.
_PER_CLUSTER: Spec = {
    name: option
    for name, option in {
        **CONNECTION,
        **INSTALL,
        **CLIMB,
        **ENTITLEMENT_VARIABLES,
        **EXPORT_VARIABLES,
        **ISSUE_VARIABLES,
        **RESTORE_VARIABLES,
        **VERIFY_VARIABLES,
        **_SNAPSHOTS,
    }.items()
    if name != "state"
}

VARIABLES: Spec = {f"{PREFIX}{name}": option for name, option in {**_PER_CLUSTER, **FLEET}.items()}
"""Every variable of the collection and its type."""


def unknown_variables(names: list[str]) -> list[str]:
    """One sentence for each name that begins like ours and is none of ours."""
    return [_unknown(name) for name in sorted(names) if name.startswith(PREFIX) and name not in VARIABLES]


def typed(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The settings of one host without their prefix, converted; and a sentence for each that cannot be.

    Defaults are filled in for the fleet's settings alone: the modules have their own. What holds secrets is checked
    and left out, for a fact is easily printed.
    """
    settings = {name: option["default"] for name, option in FLEET.items() if "default" in option}
    problems = []
    for name, value in values.items():
        if name not in VARIABLES or value is None or (value == "" and VARIABLES[name]["type"] in _TEXTS):
            continue  # AWX leaves an empty string for a question without an answer
        checked = ArgumentSpecValidator({name: _bare(VARIABLES[name])}).validate({name: value})
        if checked.error_messages:
            problems.append(_wrong(name, value))
        elif not _may_be_secret(name, value):
            settings[name[len(PREFIX) :]] = checked.validated_parameters[name]
    settings["report_dir"] = os.path.abspath(os.path.expanduser(settings["report_dir"]))
    return settings, problems


def fleet_wide(settings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One sentence for each setting of the run on which hosts disagree."""
    problems = []
    for name in FLEET:
        by_value = {repr(values.get(name)): host for host, values in settings.items()}
        if len(by_value) > 1:
            one, other = list(by_value.items())[:2]
            problems.append(f"{PREFIX}{name} is {one[0]} for {one[1]} and {other[0]} for {other[1]}; set it once for all clusters.")
    return problems


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, VARIABLES, n=1)
    hint = f"did you mean {near[0]}?" if near else "remove it."
    return f"{name} is not a setting of this collection; {hint}"


def _wrong(name: str, value: Any) -> str:
    wanted = _KINDS[VARIABLES[name]["type"]]
    if VARIABLES[name].get("options"):
        wanted += f" of {', '.join(VARIABLES[name]['options'])}"
    elif VARIABLES[name].get("choices"):
        wanted = f"one of {', '.join(VARIABLES[name]['choices'])}"
    if isinstance(value, (Mapping, list)) or _may_be_secret(name, value):
        return f"{name} must be {wanted}."
    return f"{name} is {value!r}, but it must be {wanted}."


def _bare(option: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in option.items() if key not in ("default", "fallback", "aliases")}


def _may_be_secret(name: str, value: Any) -> bool:
    holds_password = isinstance(value, str) and "@" in value
    return bool(VARIABLES[name].get("no_log")) or isinstance(value, Mapping) or holds_password
