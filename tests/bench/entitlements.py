# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to verify 1,000 entitlements: our verifier, PyJWT's decode, and the signature alone, taking turns in one process.

    python3 tests/bench/entitlements.py

All three get the same tokens and a key that is loaded already. CPU seconds of this process, medians. The last line holds the ratios.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

import jwt
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ROOT = Path(__file__).resolve().parents[2]
_AnsibleCollectionFinder(paths=[str(ROOT / "build" / "collections")])._install()

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.keys import PublicKey, generate  # noqa: E402
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.token import parts_of, signed  # noqa: E402
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.verify import verify  # noqa: E402

TOKENS = 1_000
ROUNDS = 7
CPU_GOAL = 1.0


def tokens() -> tuple[list[str], PublicKey]:
    """Genuine ones of many customers, with every claim there is, and the key they verify with."""
    key, now = generate(), int(time.time())
    claims = {"licencedUntil": now + 10**7, "iat": now, "nbf": now, "iss": "sales@weave.works", "features": ["pipelines", "explorer"]}
    made = [signed({**claims, "sub": f"customer{number}@example.com", "jti": f"e-{number}"}, key) for number in range(TOKENS)]
    return made, key.public


def cpu_seconds(work: Callable[[], int]) -> float:
    """Of one run, which has to find every token genuine."""
    gc.collect()
    began = time.process_time()
    genuine = work()
    took = time.process_time() - began
    if genuine != TOKENS:
        raise SystemExit(f"bench: {genuine} of {TOKENS} entitlements verified.")
    return took


def runs_of(texts: Sequence[str], ours: PublicKey) -> dict[str, list[float]]:
    """CPU seconds by program."""
    key = serialization.load_pem_public_key(ours.pem.encode())
    assert isinstance(key, Ed25519PublicKey)
    signatures = [(parts.signature, parts.signed) for parts in map(parts_of, texts)]
    now = datetime.now(timezone.utc)
    programs: dict[str, Callable[[], int]] = {
        "our verifier": lambda: sum(verify(text, [ours], now).valid for text in texts),
        "PyJWT decode": lambda: sum(bool(jwt.decode(text, key, algorithms=["EdDSA"])) for text in texts),
        "signature alone": lambda: sum(key.verify(*signature) is None for signature in signatures),
    }
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, work in programs.items():
            taken[name].append(cpu_seconds(work))
    return taken


def main() -> int:
    """The exit code is 0 even when a goal is missed: a busy machine is not an error."""
    taken = runs_of(*tokens())
    print(f"{f'{TOKENS} entitlements, {ROUNDS} runs':<32}{'CPU s, median':>15}{'least to most':>18}")
    for name, runs in taken.items():
        print(f"{name:<32}{statistics.median(runs):>15.3f}{f'{min(runs):.3f} to {max(runs):.3f}':>18}")
    ours, peer, bare = (statistics.median(runs) for runs in taken.values())
    print(f"goal {'met   ' if ours <= CPU_GOAL else 'MISSED'} CPU seconds for {TOKENS} entitlements: {ours:.2f}, at most {CPU_GOAL:g}")
    print(f"peer_cpu_ratio={peer / ours:.2f} bare_cpu_ratio={ours / bare:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
