# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight of a fleet as JUnit XML: one suite a cluster, one case a check. PRIVATE.

What forbids the upgrade is a failure, what could not be checked an error, what does not apply is skipped; a warning and what was
waived pass, and say so in their output. A cluster that could not be asked, or stands in the inventory twice, has a case of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from .document import BLOCKED, READY, Document
from .states import BLOCK, ERROR, SKIP, WAIVED, WARN

_KINDS = {BLOCK: "failure", ERROR: "error", SKIP: "skipped"}
_TOLD = (WARN, WAIVED)
_FACTS = ("uid", "api", "version")

Row = Mapping[str, Any]


def junit(document: Document) -> str:
    """The whole file."""
    root = ElementTree.Element("testsuites", {"name": "preflight"})
    for cluster in document["clusters"]:
        root.append(_suite(cluster, document["made"]))
    for name, number in _counts(root).items():
        root.set(name, number)
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return content.decode() + "\n"


def _suite(cluster: Row, made: str) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", {"name": cluster["host"], "timestamp": made})
    facts = {"verdict": cluster["verdict"], **{name: cluster["cluster"][name] for name in _FACTS}}
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in facts.items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": value})
    if cluster["twin"] or (cluster["verdict"] not in READY and not cluster["checks"]):
        suite.append(_about_the_cluster(cluster))
    for check in cluster["checks"]:
        suite.append(_case(cluster["host"], check))
    for name, number in _counts(suite).items():
        suite.set(name, number)
    return suite


def _about_the_cluster(cluster: Row) -> ElementTree.Element:
    case = ElementTree.Element("testcase", {"classname": cluster["host"], "name": "one cluster" if cluster["twin"] else "can be asked"})
    kind = "failure" if cluster["verdict"] == BLOCKED else "error"
    _told(case, kind, cluster["verdict"], cluster["message"], cluster["next_step"])
    return case


def _case(host: str, check: Row) -> ElementTree.Element:
    case = ElementTree.Element("testcase", {"classname": f"{host}.{check['group']}", "name": f"{check['id']} {check['title']}"})
    state = check["state"]
    if state in _KINDS:
        _told(case, _KINDS[state], check["severity"], check["evidence"], check["remedy"])
    elif state in _TOLD:
        ElementTree.SubElement(case, "system-out").text = "\n".join(filter(None, (f"{state}: {check['evidence']}", check["remedy"])))
    return case


def _told(case: ElementTree.Element, kind: str, what: str, message: str, remedy: str) -> None:
    """JUnit readers show the attribute in lists and the text on a page of its own."""
    attributes = {"message": message} if kind == "skipped" else {"type": what, "message": message}
    ElementTree.SubElement(case, kind, attributes).text = "\n".join(filter(None, (message, remedy)))


def _counts(element: ElementTree.Element) -> dict[str, str]:
    kinds = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    return {name: str(len(list(element.iter(tag)))) for name, tag in kinds.items()}
