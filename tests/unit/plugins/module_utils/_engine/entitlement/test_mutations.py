# SPDX-License-Identifier: GPL-3.0-or-later
"""None but the original verifies: thousands of changed tokens, the same ones in every run.

Each change is one that somebody might try or a wire might make: of the text, of the bytes behind it, of its parts, of what it claims.
"""

from __future__ import annotations

import hmac
import itertools
import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.token import signed
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.verify import Judgement, verify
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.entitlement.crafted import (
    CLAIMS,
    DAY,
    GROUP_ORDER,
    KEY,
    NOW,
    OTHER,
    TOKEN,
    decoded,
    encoded,
    quotes,
)

LEAST = 10_000
EXAMPLES = 600
"""For each of the kinds below; each example gives a few texts. Those that are an original again do not count."""
LONGER = signed({**CLAIMS, "licencedUntil": CLAIMS["licencedUntil"] + 1000 * DAY, "features": []}, KEY)
"""Genuine as well: parts of two genuine tokens must not make a third."""
GENUINE = {TOKEN, LONGER}
HEAD, BODY, SIGNATURE = TOKEN.split(".")

Draw = Callable[[st.SearchStrategy[Any]], Any]
positions = st.integers(0, len(TOKEN) - 1)
json_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.text(max_size=3), max_size=2)


def text_changed(draw: Draw) -> list[str]:
    """Characters left out, doubled, put in, swapped, cut off or replaced by any other."""
    start, end = sorted((draw(positions), draw(positions)))
    new = draw(st.sampled_from(["\0", "\n", "=", ".", " ", "A"]) | st.text(max_size=3))
    before, piece, after = TOKEN[:start], TOKEN[start:end], TOKEN[end:]
    swapped = before + TOKEN[end] + TOKEN[start + 1 : end] + TOKEN[start] + TOKEN[end + 1 :]
    return [before + after, before + piece * 2 + after, before + new + after, before + new + piece + after, swapped, before]


def bytes_changed(draw: Draw) -> list[str]:
    """The bytes behind a part, a few bits flipped, shortened or lengthened, and encoded again."""
    parts = TOKEN.split(".")
    number = draw(st.integers(0, 2))
    content = decoded(parts[number])
    flips = draw(st.integers(1, 2 ** (8 * len(content)) - 1) | st.just(draw(st.integers(0, 255)) + 1))
    flipped = (int.from_bytes(content, "big") ^ flips).to_bytes(len(content), "big")
    kept = draw(st.integers(0, len(content) - 1))
    forms = [flipped, content[:kept], content[kept:] + content[:kept], content + flipped[:kept]]
    return [".".join([*parts[:number], encoded(form), *parts[number + 1 :]]) for form in forms]


def parts_mixed(draw: Draw) -> list[str]:
    """Parts of two genuine tokens, in any order and number."""
    pool = [*TOKEN.split("."), *LONGER.split("."), "", encoded(b"{}"), encoded(bytes(64))]
    parts = draw(st.lists(st.sampled_from(pool), min_size=3, max_size=3))
    return [".".join(some) for some in itertools.permutations(parts)] + [".".join(parts[:2]), ".".join([*parts, parts[0]])]


def claims_changed(draw: Draw) -> list[str]:
    """Other claims, or the same ones written otherwise, under the old signature or a stranger's."""
    name = draw(st.sampled_from([*CLAIMS, "features", "jti", "exp"]))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,", ":")]))
    body = json.dumps({**CLAIMS, name: draw(json_values)}, separators=separators, sort_keys=draw(st.booleans()))
    return _signed_otherwise(HEAD, encoded(body.encode("utf-8", "surrogatepass")))


def header_changed(draw: Draw) -> list[str]:
    """Another header, under the old signature or a stranger's."""
    algorithm = draw(st.sampled_from(["EdDSA", "none", "None", "HS256", "ES256", "RS256", "eddsa", "Ed25519", "", None]))
    more = draw(st.dictionaries(st.sampled_from(["kid", "jwk", "crit", "typ", "b64", "zip"]), json_values, max_size=3))
    return _signed_otherwise(encoded(json.dumps({"alg": algorithm, **more}).encode()), BODY)


def signature_made_up(draw: Draw) -> list[str]:
    """The point or the scalar of the old one replaced, or L added to the scalar."""
    content = decoded(SIGNATURE)
    point, scalar = content[:32], content[32:]
    larger = (int.from_bytes(scalar, "little") + draw(st.integers(1, 15)) * GROUP_ORDER) % 2**256
    other = draw(st.binary(min_size=32, max_size=32))
    forms = [point + larger.to_bytes(32, "little"), other + scalar, point + other, other + other, other + point, content + other]
    return [f"{HEAD}.{BODY}.{encoded(form)}" for form in forms]


def _signed_otherwise(head: str, body: str) -> list[str]:
    text = f"{head}.{body}"
    keyed = hmac.digest(KEY.public.pem.encode(), text.encode(), "sha256")
    return [f"{text}.{signature}" for signature in (SIGNATURE, encoded(OTHER.sign(text.encode())), encoded(keyed), "", "AA")]


KINDS = [text_changed, bytes_changed, parts_mixed, claims_changed, header_changed, signature_made_up]


def is_refused(text: str) -> bool:
    """With a sentence, telling nothing of what the text claims, and without a piece of it."""
    judgement = verify(text, [KEY.public], NOW)
    told = Judgement(False, judgement.reason, judgement.message)
    return judgement == told and bool(told.reason and told.message) and not quotes(told.message, text)


def tried(kind: Callable[[Draw], list[str]]) -> int:
    """How many distinct texts of a kind were tried; every one that is not genuine was refused."""
    texts: set[str] = set()

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def try_it(data: st.DataObject) -> None:
        for text in {*kind(data.draw)} - GENUINE:
            assert is_refused(text)
            texts.add(text)

    try_it()
    return len(texts)


def test_the_originals_verify() -> None:
    assert all(verify(text, [KEY.public], NOW).valid for text in GENUINE)


def test_none_but_the_original_verifies(record_property: Callable[[str, object], None]) -> None:
    counts = {kind.__name__: tried(kind) for kind in KINDS}
    record_property("mutations", counts)
    assert sum(counts.values()) >= LEAST, counts


def test_no_single_bit_can_be_flipped() -> None:
    texts = [TOKEN[:at] + chr(ord(TOKEN[at]) ^ 1 << bit) + TOKEN[at + 1 :] for at in range(len(TOKEN)) for bit in range(8)]
    parts = [decoded(part) for part in (HEAD, BODY, SIGNATURE)]
    for number, content in enumerate(parts):
        whole = int.from_bytes(content, "big")
        for bit in range(8 * len(content)):
            flipped = (whole ^ 1 << bit).to_bytes(len(content), "big")
            texts.append(".".join(encoded(part) for part in (*parts[:number], flipped, *parts[number + 1 :])))
    assert len(texts) > 3_000 and not GENUINE & set(texts)
    assert [text for text in texts if not is_refused(text)] == []


def test_no_single_character_can_be_left_out_or_change_places_with_the_next() -> None:
    texts = {TOKEN[:at] + TOKEN[at + 1 :] for at in range(len(TOKEN))}
    texts |= {TOKEN[:at] + TOKEN[at + 1 : at + 2] + TOKEN[at] + TOKEN[at + 2 :] for at in range(len(TOKEN))}
    assert [text for text in texts - GENUINE if not is_refused(text)] == []
