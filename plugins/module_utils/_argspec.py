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

UPGRADE_RUNGS = ["prepared", "rehearsed", "flipped", "soaked", "parked", "finalised", "rolled_back"]
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

# No secrets; a private key put here by mistake is hidden all the same (_redact.py).
_PUBLIC_KEYS: dict[str, Any] = {"type": "list", "elements": "str", "default": [], "no_log": False}
_EXPIRED: dict[str, Any] = {"type": "bool", "default": False}

INSTALL: Spec = {
    "namespace": {"type": "str"},
    "release": {"type": "str"},
    "target_release": {"type": "str", "default": "weave-gitops-enterprise"},
    "chart": {"type": "str"},
    "chart_version": {"type": "str"},
    "delivery": {"type": "str", "choices": ["flux", "helm", "manifests"]},
    "chart_repository": {"type": "str"},
    "chart_secret": {"type": "str", "no_log": False},
    "manifests": {"type": "path"},
    "image_mirrors": {"type": "dict"},
    "values": {"type": "dict"},
    "helm": {"type": "str", "default": "helm"},
    "entitlement": {"type": "str", "no_log": True},
    "entitlement_public_keys": _PUBLIC_KEYS,
    "entitlement_customer": {"type": "str"},
    "fail_if_expired": _EXPIRED,
    "login_secret": {
        "type": "dict",
        "no_log": False,
        "options": {
            "username": {"type": "str", "required": True},
            "password_hash": {"type": "str", "required": True, "no_log": True},
        },
    },
    "entry_urls": {"type": "list", "elements": "str", "default": []},
    "compatibility": {"type": "raw"},
    "change_windows": {"type": "list", "elements": "str", "default": []},
    "plan_hash": {"type": "str"},
    "alerts_url": {"type": "str"},
    "waivers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "id": {"type": "str", "required": True},
            "who": {"type": "str", "required": True},
            "reason": {"type": "str", "required": True},
            "expires": {"type": "str", "required": True},
        },
    },
}

ARCHIVE: Spec = {
    "archive_dir": {"type": "path", "default": "wge-archive"},
    "archive": {"type": "path"},
    "archive_format": {"type": "str", "choices": ["folder", "tar.gz"], "default": "folder"},
    "archive_vault_id": {"type": "str"},
    "archive_copy_command": {"type": "list", "elements": "str"},
}

CLIMB: Spec = {
    "state": {"type": "str", "choices": UPGRADE_RUNGS, "default": "parked"},
    **ARCHIVE,
    "retention_days": {"type": "float", "default": 7.0},
    "guard": {"type": "str", "choices": ["watch", "policy", "off"], "default": "watch"},
    "baseline_seconds": {"type": "float", "default": 5.0},
    "rehearse_seconds": {"type": "float", "default": 10.0},
    "verify_seconds": {"type": "float", "default": 30.0},
    "soak_seconds": {"type": "float", "default": 300.0},
    "quiet_seconds": {"type": "float", "default": 130.0},
    "ready_seconds": {"type": "float", "default": 300.0},
    "lock_seconds": {"type": "float", "default": 60.0},
    "deadline_seconds": {"type": "float", "default": 3600.0},
}

ENTITLEMENT: Spec = {
    "token": {"type": "str", "no_log": True},
    "path": {"type": "path"},
    "secret_name": {"type": "str"},
    "secret_namespace": {"type": "str", "default": "flux-system", "no_log": False},
    "public_keys": _PUBLIC_KEYS,
    "skew_seconds": {"type": "float", "default": 60.0},
    "fail_if_expired": _EXPIRED,
}

INFO_SPEC: Spec = {**CONNECTION, **{name: INSTALL[name] for name in ("namespace", "release", "target_release")}}
PREFLIGHT_SPEC: Spec = {
    **CONNECTION,
    **INSTALL,
    **ARCHIVE,
    "fail_on": {"type": "str", "choices": ["block", "never"], "default": "block"},
    "output": {"type": "str", "choices": ["full", "summary"], "default": "summary"},
    "show": {"type": "str", "choices": ["all", "problems"], "default": "problems"},
    "snapshot_to": {"type": "path"},
    "snapshot_from": {"type": "path"},
}
EXPORT_SPEC: Spec = {
    **CONNECTION,
    **{name: INSTALL[name] for name in ("namespace", "release", "target_release")},
    "archive_dir": ARCHIVE["archive_dir"],
    "scope": {"type": "str", "choices": ["everything", "install"], "default": "everything"},
    "format": ARCHIVE["archive_format"],
    "secrets": {"type": "str", "choices": ["vault", "hashes_only"], "default": "vault", "no_log": False},
    "vault_id": ARCHIVE["archive_vault_id"],
    "dry_run": {"type": "bool", "default": True},
    "copy_command": ARCHIVE["archive_copy_command"],
    "deadline_seconds": CLIMB["deadline_seconds"],
}
# What an inventory says of an export beside what it says for an upgrade; the tasks are the role's own.
EXPORT_VARIABLES: Spec = {
    **{f"archive_{name}": EXPORT_SPEC[name] for name in ("scope", "format", "secrets", "vault_id", "dry_run", "copy_command")},
    "archive_copy_tasks": {"type": "path"},
}
RESTORE_SPEC: Spec = {
    **CONNECTION,
    "archive": {"type": "path", "required": True},
    "kinds": {"type": "list", "elements": "str", "default": []},
    "names": {"type": "list", "elements": "str", "default": []},
    "label": {"type": "str"},
    "missing_only": {"type": "bool", "default": False},
    "overwrite": {"type": "bool", "default": False},
    "allow_other_cluster": {"type": "bool", "default": False},
    "lock_seconds": CLIMB["lock_seconds"],
    "deadline_seconds": CLIMB["deadline_seconds"],
}
# What an inventory says of a restore; ``wge_archive`` itself is the upgrade's too.
RESTORE_VARIABLES: Spec = {
    f"restore_{name}": RESTORE_SPEC[name] for name in ("kinds", "names", "label", "missing_only", "overwrite", "allow_other_cluster")
}
UPGRADE_SPEC: Spec = {**CONNECTION, **INSTALL, **CLIMB}
VERIFY_SPEC: Spec = {
    **CONNECTION,
    **ENTITLEMENT,
    "namespace": {"type": "str"},
    "by_effect": {"type": "bool", "default": True},
    "fail_if_invalid": {"type": "bool", "default": True},
}
VERIFY_CLUSTER_SPEC: Spec = {
    **CONNECTION,
    **{name: INSTALL[name] for name in ("namespace", "release", "target_release", "entry_urls")},
    "dashboard_username": {"type": "str"},
    "dashboard_password": {"type": "str", "no_log": True},
    "dashboard_token": {"type": "str", "no_log": True},
    "record_to": {"type": "path"},
    "compare_with": {"type": "path"},
    "strict": {"type": "bool", "default": False},
}
# What an inventory says of a verification beside what it says for an upgrade.
VERIFY_VARIABLES: Spec = {
    **{name: VERIFY_CLUSTER_SPEC[name] for name in ("dashboard_username", "dashboard_password", "dashboard_token")},
    **{f"verify_{name}": VERIFY_CLUSTER_SPEC[name] for name in ("record_to", "compare_with", "strict")},
}
ENTITLE_SPEC: Spec = {
    **CONNECTION,
    **ENTITLEMENT,
    "namespace": {"type": "str"},
    "external": {"type": "bool", "default": False},
    "replace": {"type": "bool", "default": False},
    "restart": {"type": "bool", "default": True},
    "ready_seconds": {"type": "float", "default": 300.0},
    "deadline_seconds": {"type": "float", "default": 3600.0},
}
# What an inventory says of an entitlement beside what it says for an upgrade; ``wge_entitlement`` itself is the upgrade's too.
ENTITLEMENT_VARIABLES: Spec = {
    **{f"entitlement_{name}": ENTITLE_SPEC[name] for name in ("path", "external", "replace", "restart", "secret_name", "secret_namespace")},
    "entitlement_by_effect": VERIFY_SPEC["by_effect"],
}
ISSUE_SPEC: Spec = {
    **CONNECTION,
    "private_key": {"type": "str", "no_log": True},
    "private_key_path": {"type": "path"},
    "private_key_passphrase": {"type": "str", "no_log": True},
    "customer": {"type": "str", "required": True},
    "features": {"type": "list", "elements": "str"},
    "issuer": {"type": "str", "default": "sales@weave.works"},
    "expires": {"type": "str"},
    "not_before": {"type": "str"},
    "valid_days": {"type": "int", "default": 365},
    "renew_before_days": {"type": "int", "default": 30},
    "ledger": {"type": "path"},
    "ledger_configmap": {"type": "str"},
    "ledger_namespace": {"type": "str", "default": "default"},
    "path": {"type": "path"},
    "format": {"type": "str", "choices": ["secret", "token"], "default": "secret"},
    "secret_name": {"type": "str", "default": "weave-gitops-enterprise-credentials"},
    "secret_namespace": {"type": "str", "default": "flux-system", "no_log": False},
    "return_token": {"type": "bool", "default": False},
}
# What an inventory of customers says; the ledger's cluster it names as that of a fleet does.
ISSUE_VARIABLES: Spec = {
    "customer": {"type": "str"},
    **{f"customer_{name}": ISSUE_SPEC[name] for name in ("features", "expires", "not_before", "valid_days")},
    **{
        name: ISSUE_SPEC[name] for name in ("renew_before_days", "issuer", "ledger", "ledger_configmap", "ledger_namespace", "return_token")
    },
    "signing_key": ISSUE_SPEC["private_key"],
    "signing_key_path": ISSUE_SPEC["private_key_path"],
    "signing_key_passphrase": ISSUE_SPEC["private_key_passphrase"],
    "entitlement_file": ISSUE_SPEC["path"],
    "entitlement_format": ISSUE_SPEC["format"],
}
KEYPAIR_SPEC: Spec = {
    "path": {"type": "path", "required": True},
    "public_path": {"type": "path"},
    "passphrase": {"type": "str", "no_log": True},
}
ENTITLEMENT_REPORT_SPEC: Spec = {
    "entitlements": {"type": "dict", "required": True},
    "report_dir": {"type": "path", "default": "wge-reports"},
    "run": {"type": "str"},
    "warn_days": {"type": "list", "elements": "int", "default": [60, 30, 14]},
    "fail_if_expired": _EXPIRED,
}
PREFLIGHT_REPORT_SPEC: Spec = {
    "results": {"type": "list", "elements": "dict", "required": True},
    "report_dir": {"type": "path", "default": "wge-reports"},
    "run": {"type": "str"},
}
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
GIT_CHANGES_SPEC: Spec = {
    "checkout": {"type": "path", "required": True},
    "clusters": {"type": "list", "elements": "dict", "required": True},
    "direction": {"type": "str", "choices": ["forward", "back"], "default": "forward"},
    "patch_dir": {"type": "path", "default": "wge-git"},
    "branch": {"type": "str"},
    "push": {"type": "bool", "default": False},
    "remote": {"type": "str", "default": "origin"},
}


def canonical(spec: Spec, params: Mapping[str, Any]) -> dict[str, Any]:
    """The validated values under each option's own name; aliases and Ansible's own keys are left out."""
    return {name: params.get(name) for name in spec}
