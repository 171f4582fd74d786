# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module, once. PRIVATE: can change at any time.

Modules, action plugins, the inventory check and the roles' argument_specs (a test compares them) all stand on these
tables, so a default lives here and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.parameters import env_fallback
from ansible.module_utils.errors import AnsibleFallbackNotFound

Spec = dict[str, dict[str, Any]]
"""An Ansible argument spec."""

UPGRADE_RUNGS = ["prepared", "rehearsed", "flipped", "soaked", "parked", "rolled_back"]
_PROXY_HEADERS = ("proxy_basic_auth", "basic_auth", "user_agent")
_FALSE_WORDS = ("0", "false", "no")


def _from_environment(*names: str) -> str:
    """The first variable that is set; an empty one counts as not set, since AWX leaves such behind."""
    return str(env_fallback(*[name for name in names if os.environ.get(name)]))


def _truth_from_environment(*names: str) -> bool:
    """As kubernetes.core reads it: everything but these three words is true."""
    return _from_environment(*names).lower() not in _FALSE_WORDS


def _proxy_headers_from_environment(prefix: str) -> dict[str, str]:
    found = {name: os.environ.get(prefix + name.upper(), "") for name in _PROXY_HEADERS}
    if not any(found.values()):
        raise AnsibleFallbackNotFound
    return {name: value for name, value in found.items() if value}


def _variable(*names: str) -> tuple[Any, list[str]]:
    return _from_environment, [f"K8S_AUTH_{name}" for name in names]


CONNECTION: Spec = {
    "kubeconfig": {"type": "raw", "fallback": _variable("KUBECONFIG")},
    "context": {"type": "str", "fallback": _variable("CONTEXT")},
    "host": {"type": "str", "fallback": _variable("HOST")},
    "api_key": {"type": "str", "no_log": True, "fallback": _variable("API_KEY")},
    "validate_certs": {
        "type": "bool",
        "aliases": ["verify_ssl"],
        "fallback": (_truth_from_environment, ["K8S_AUTH_VALIDATE_CERTS", "K8S_AUTH_VERIFY_SSL"]),
    },
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"], "fallback": _variable("CA_CERT", "SSL_CA_CERT")},
    "client_cert": {"type": "path", "aliases": ["cert_file"], "fallback": _variable("CLIENT_CERT", "CERT_FILE")},
    # The path of a file is no secret; without the word Ansible would warn about the option's name.
    "client_key": {
        "type": "path",
        "aliases": ["key_file"],
        "no_log": False,
        "fallback": _variable("CLIENT_KEY", "KEY_FILE"),
    },
    "proxy": {"type": "str", "fallback": _variable("PROXY")},
    "no_proxy": {"type": "str", "fallback": _variable("NO_PROXY")},
    "proxy_headers": {
        "type": "dict",
        "options": {
            "proxy_basic_auth": {"type": "str", "no_log": True},
            "basic_auth": {"type": "str", "no_log": True},
            "user_agent": {"type": "str"},
        },
        "fallback": (_proxy_headers_from_environment, ["K8S_AUTH_PROXY_HEADERS_"]),
    },
    "impersonate_user": {"type": "str", "fallback": _variable("IMPERSONATE_USER")},
    "impersonate_groups": {"type": "list", "elements": "str", "fallback": _variable("IMPERSONATE_GROUPS")},
    "cluster_uid": {"type": "str"},
    "retry_seconds": {"type": "float", "default": 60.0},
}

INSTALL: Spec = {
    "namespace": {"type": "str"},
    "release": {"type": "str"},
    "target_release": {"type": "str", "default": "weave-gitops-enterprise"},
    "chart": {"type": "str"},
    "chart_version": {"type": "str"},
    "values": {"type": "dict"},
    "helm": {"type": "str", "default": "helm"},
    "entitlement": {"type": "str", "no_log": True},
    "entry_urls": {"type": "list", "elements": "str", "default": []},
}

CLIMB: Spec = {
    "state": {"type": "str", "choices": UPGRADE_RUNGS, "default": "parked"},
    "archive_dir": {"type": "path", "default": "wge-archive"},
    "baseline_seconds": {"type": "float", "default": 5.0},
    "rehearse_seconds": {"type": "float", "default": 10.0},
    "verify_seconds": {"type": "float", "default": 30.0},
    "soak_seconds": {"type": "float", "default": 300.0},
    "quiet_seconds": {"type": "float", "default": 130.0},
    "ready_seconds": {"type": "float", "default": 300.0},
    "lock_seconds": {"type": "float", "default": 60.0},
    "deadline_seconds": {"type": "float", "default": 3600.0},
}

INFO_SPEC: Spec = {**CONNECTION, **{name: INSTALL[name] for name in ("namespace", "release", "target_release")}}
PREFLIGHT_SPEC: Spec = {
    **CONNECTION,
    **INSTALL,
    "fail_on": {"type": "str", "choices": ["block", "never"], "default": "block"},
    "output": {"type": "str", "choices": ["full", "summary"], "default": "full"},
}
UPGRADE_SPEC: Spec = {**CONNECTION, **INSTALL, **CLIMB}
VALIDATE_SPEC: Spec = {
    "candidates": {"type": "list", "elements": "str"},
    "settings": {"type": "bool", "default": True},
    "sliceable": {"type": "bool", "default": False},
}
REPORT_SPEC: Spec = {
    "run": {"type": "str", "required": True},
    "report_dir": {"type": "path", "default": "wge-reports"},
    "outcomes": {"type": "dict", "default": {}},
}


def canonical(spec: Spec, params: Mapping[str, Any]) -> dict[str, Any]:
    """The validated values under each option's own name; aliases and Ansible's own keys are left out."""
    return {name: params.get(name) for name in spec}
