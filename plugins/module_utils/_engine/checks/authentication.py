# SPDX-License-Identifier: GPL-3.0-or-later
"""CU-05 and TA-09: can everybody who logs in to WG log in to WGE? PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..discover import flag
from ..forms.manifests import is_legacy
from ..inherit import methods_of, text_of
from ..logins import with_login
from ..model import Object, Rung
from ..names import LOGIN_SECRET, OIDC_SECRET
from ..objects import name_of, object_path
from ..situation import Situation
from ..steps.owners import backends_of
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned

OIDC_NEEDED = ("issuerURL", "clientID", "clientSecret", "redirectURL")
CALLBACK = "/oauth2/callback"
NOT_ASKED = "Whether the issuer answers, and knows this client, was not asked."
SWITCH = "WEAVE_GITOPS_AUTH_ENABLED"
NOBODY_ASKED = "WG of before its chart asks nobody to log in"
ANONYMOUS = "--insecure-no-authentication-user"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to log in: what people call it, and whether WG really offers it and WGE will."""

    name: str
    here: bool
    there: bool
    cure: str


def auth_sources(evidence: Evidence) -> Judged:
    """CU-05. No request, or one for an OIDC Secret of another name."""
    known = list(_ways(evidence))
    if _asks_nobody(evidence.now):
        return _first_login([way for way in known if way.there])
    ways = [way for way in known if way.here]
    if not ways:
        offered = ", ".join(methods_of(evidence.now.snapshot.installed))
        return failed(
            f"Nobody can log in to WG: it offers {offered}, and the Secrets for that are missing or incomplete.",
            f"Create {LOGIN_SECRET} (gitops get bcrypt-hash makes the hash) or {OIDC_SECRET}.",
        )
    lost = [way for way in ways if not way.there]
    if len(lost) == len(ways):
        return failed(f"WG offers {_names(ways)}, and none of it would work in WGE.", " ".join(way.cure for way in lost))
    if lost:
        return warned(f"WG offers {_names(ways)}; WGE would not offer {_names(lost)}.", " ".join(way.cure for way in lost))
    return passed(f"WG offers {_names(ways)}, and WGE will.")


def _first_login(ways: list[Way]) -> Judged:
    """WGE ends at once without a way to log in (F9)."""
    if not ways:
        return failed(
            f"{NOBODY_ASKED}; WGE asks everybody, and ends at once without Secret {LOGIN_SECRET}.",
            "Give username and password_hash in wge_login_secret (gitops get bcrypt-hash makes the hash), or config.oidc in wge_values.",
        )
    return warned(f"{NOBODY_ASKED}; WGE will offer {_names(ways)}.", "Tell people that they have to log in from the flip on.")


def issuer(evidence: Evidence) -> Judged:
    """TA-09. No request, or one for a Secret of another name. WGE ends at its start when its issuer does not answer."""
    now = evidence.now
    oidc = _config(now).get("oidc") or {}
    if not oidc.get("enabled"):
        return skipped("WGE gets no OIDC.")
    name = str(oidc.get("clientCredentialsSecret") or "")
    secret = _secret(evidence, name)
    lacking = [f"{key} in Secret {name or '(none)'}" for key in ("clientID", "clientSecret") if not text_of(secret, key)]
    lacking += [f"config.oidc.{key}" for key in ("issuerURL", "redirectURL") if not oidc.get(key)]
    if lacking:
        return failed(
            f"OIDC is switched on, but there is no {' and no '.join(lacking)}: WGE would not start.",
            "Complete it, or switch config.oidc off.",
        )
    return _judge_redirect(now, str(oidc["redirectURL"]))


def _judge_redirect(now: Situation, url: str) -> Judged:
    parts = urlsplit(url)
    path = now.snapshot.installed.route_prefix + CALLBACK
    if parts.path != path:
        return warned(
            f"The issuer sends people back to {url}, but WGE takes them at {path}. {NOT_ASKED}",
            "Correct redirectURL, here and at the issuer.",
        )
    entries = {urlsplit(entry).hostname or "" for entry in now.settings.entry_urls}
    hosts = entries | set(_route_hosts(now))
    if parts.hostname in hosts:
        return passed(f"The issuer sends people back to {parts.hostname}, which is kept. {NOT_ASKED}")
    if entries:
        return failed(
            f"The issuer sends people back to {parts.hostname}, which is no host of a kept route or an entry URL "
            f"({', '.join(sorted(hosts))}).",
            "Correct redirectURL, or add the address to wge_entry_urls if people do reach the dashboard there.",
        )
    return warned(
        f"The issuer sends people back to {parts.hostname}, and nothing that was read says that this leads here. {NOT_ASKED}",
        "Name the addresses of the dashboard in wge_entry_urls, then run again.",
    )


def _ways(evidence: Evidence) -> Iterator[Way]:
    now = evidence.now
    methods, arguments = methods_of(now.snapshot.installed), now.snapshot.installed.found.arguments
    auth = _config(now).get("auth") or {}
    login = with_login(now.settings, now.snapshot)[LOGIN_SECRET]
    local = bool(text_of(login, "username") and text_of(login, "password"))
    on = bool((auth.get("userAccount") or {}).get("enabled"))
    yield Way("the local user", "user-account" in methods and local, on, "Leave config.auth.userAccount.enabled on in wge_values.")
    other = flag(arguments, "--admin-secret")
    yield Way(f"the local user of Secret {other}", bool(other), False, f"Copy Secret {other} to {LOGIN_SECRET}, which WGE reads.")
    there = bool((_config(now).get("oidc") or {}).get("enabled"))
    cure = f"WGE inherits OIDC from Secret {OIDC_SECRET} alone: give config.oidc in wge_values."
    yield Way("OIDC", "oidc" in methods and _oidc_here(evidence), there, cure)
    passes = bool((auth.get("tokenPassthrough") or {}).get("enabled"))
    yield Way("bearer tokens", "token-passthrough" in methods, passes, "Leave config.auth.tokenPassthrough.enabled on in wge_values.")
    open_to_all = bool((auth.get("noAuthentication") or {}).get("user"))
    cure = "If everybody shall act without a login, give config.auth.noAuthentication.user in wge_values."
    yield Way("no login at all", bool(flag(arguments, ANONYMOUS)), open_to_all, cure)


def _asks_nobody(now: Situation) -> bool:
    """Before its chart WG asked for a login only when a variable told it to."""
    variables = {str(entry.get("name")): str(entry.get("value")) for entry in now.snapshot.installed.environment}
    return is_legacy(now.wg) and variables.get(SWITCH, "").lower() != "true"


def _oidc_here(evidence: Evidence) -> bool:
    """By flags, or by a Secret with all that WG needs."""
    arguments = evidence.now.snapshot.installed.found.arguments
    if flag(arguments, "--oidc-issuer-url"):
        return True
    secret = _secret(evidence, flag(arguments, "--oidc-secret-name") or OIDC_SECRET)
    return all(text_of(secret, key) for key in OIDC_NEEDED)


def _secret(evidence: Evidence, name: str) -> Object | None:
    now = evidence.now
    if not name or name in now.snapshot.named:
        return now.snapshot.named.get(name)
    kept = next((item for item in now.snapshot.kept if item.get("kind") == "Secret" and name_of(item) == name), None)
    return kept or evidence.cluster.get(object_path("Secret", name, now.namespace))


def _route_hosts(now: Situation) -> Iterator[str]:
    names = {name_of(service) for service in now.kept_services}
    for ingress in now.snapshot.of("Ingress"):
        if names & backends_of(ingress):
            yield from (str(rule["host"]) for rule in ingress.get("spec", {}).get("rules") or [] if rule.get("host"))


def _config(now: Situation) -> Object:
    return now.target.release.values.get("config") or {}


def _names(ways: list[Way]) -> str:
    return ", ".join(way.name for way in ways)


CHECKS = (
    Check(
        "CU-05",
        "install",
        "ways to log in",
        BLOCK,
        auth_sources,
        "WG's arguments, the Secrets they name, and WGE's values",
        "Create the missing Secret, or give the way to log in in wge_values.",
        until=Rung.PARKED,
    ),
)
OIDC = (
    Check(
        "TA-09",
        "target",
        "OIDC",
        BLOCK,
        issuer,
        "WGE's OIDC settings and Secret, the hosts of kept routes and entry URLs; the issuer is not asked",
        "Complete the settings; correct redirectURL.",
        until=Rung.PARKED,
        stored=True,
    ),
)
