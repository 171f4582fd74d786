# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof that an archive counts: read back, decrypted, compared with what was read of the cluster, and tried. PRIVATE.

Tried is: created, in a dry run. For an object that is there the API server first validates what it was sent and asks every admission
webhook and policy, and only then says that the name exists; so that answer is a proof as good as an object that was made.
A Service is tried without its addresses and node ports: they are taken, by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..._errors import Conflict, Forbidden, InvalidSettings, Rejected, SafeStop
from ..model import Cluster, Object
from ..objects import name_of, namespace_of, parent_path
from .box import Box
from .manifest import DAMAGED
from .model import Entry
from .reading import Reader

BOUND = 500
"""So many objects of each kind are tried, spread evenly over all of them; what an upgrade touches is tried whole."""
_ADDRESSES = ("clusterIP", "clusterIPs", "healthCheckNodePort")
_HEADLESS = "None"
_NO_DRY_RUN = "does not support dry run"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was proven: how many objects were compared, how many tried, and what could not be tried, as sentences."""

    compared: int = 0
    tried: int = 0
    untried: tuple[str, ...] = ()


def check(reader: Reader, box: Box, cluster: Cluster | None, tick: Callable[[], None] = lambda: None, *, allowed: bool = True) -> Checked:
    """Prove an archive; without a cluster nothing is tried. ``allowed``: that we may create each object is a part of the proof.

    Raises InvalidSettings or SafeStop with what does not hold.
    """
    reader.check()
    counts = {(kind.api_version, kind.kind): len(box.paths(kind)) for kind in box.kinds()}
    seen: Counter[tuple[str, str]] = Counter()
    tried, untried = 0, set()
    for entry in _compared(reader, box):
        kind = (entry.read["apiVersion"], entry.read["kind"])
        if cluster is not None and (entry.path in box.core or is_chosen(seen[kind], counts[kind])):
            tick()
            problem = attempt(entry, cluster, allowed=allowed)
            tried += not problem
            untried |= {problem} - {""}
        seen[kind] += 1
    return Checked(sum(seen.values()), tried, tuple(sorted(untried)))


def is_chosen(index: int, count: int) -> bool:
    """Whether the object at ``index`` of ``count`` is one of at most ``BOUND``, spread evenly, the first always among them."""
    return count <= BOUND or index * BOUND // count != (index - 1) * BOUND // count


def attempt(entry: Entry, cluster: Cluster, *, allowed: bool = True) -> str:
    """Create an object in a dry run; why that could not be tried, empty when it was. Raises SafeStop when it would be refused."""
    try:
        cluster.create(parent_path(entry.path), without_addresses(entry.clean), dry_run=True)
    except Conflict as problem:
        if problem.reason != "AlreadyExists":
            raise _refused(entry, problem.what) from problem
    except (Forbidden, Rejected) as problem:
        if _NO_DRY_RUN in problem.what or (isinstance(problem, Forbidden) and not allowed):
            return problem.what
        raise _refused(entry, problem.what) from problem
    return ""


def without_addresses(item: Object) -> Object:
    """A Service without what the API server gives to one Service only; another object as it is."""
    if item.get("kind") != "Service" or item.get("apiVersion") != "v1":
        return item
    spec = item.get("spec") or {}
    dropped = () if spec.get("clusterIP") == _HEADLESS else _ADDRESSES
    ports = [{key: value for key, value in port.items() if key != "nodePort"} for port in spec.get("ports") or []]
    return {**item, "spec": {**{key: value for key, value in spec.items() if key not in dropped}, "ports": ports}}


def _compared(reader: Reader, box: Box) -> Iterator[Entry]:
    entries = reader.entries()
    for kind in box.kinds():
        if reader.has_secrets or kind.stem != "Secret":
            for path, item in box.objects(kind):
                entry = next(entries, None)
                if entry is None or (entry.path, entry.read) != (path, item):
                    raise InvalidSettings(f"The archive reads back differently: {path} is not what was written.", "Check the disk.")
                yield entry
    if next(entries, None) is not None:
        raise InvalidSettings("The archive reads back differently: it holds more than was written.", DAMAGED)


def _refused(entry: Entry, why: str) -> SafeStop:
    item = entry.clean
    place = f" in namespace {namespace_of(item)}" if namespace_of(item) else ""
    return SafeStop(
        f"{item['kind']} {name_of(item)}{place} could not be applied again, so the archive was not kept: {why}",
        "Give our user the right to create what is archived, correct the object, or export without dry runs.",
    )
