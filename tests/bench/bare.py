# SPDX-License-Identifier: GPL-3.0-or-later
"""The least that our requests can cost in Python: they are sent, the answers are read, and nothing else is done.

    python3 tests/bench/bare.py RECORDING HOSTS KUBECONFIG…

Host after host, each with a TLS context and a connection pool of its own, as clusters have.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import sys
from pathlib import Path
from typing import Any

import urllib3


class Way:
    """An API server and its certificates, read before the loop begins."""

    def __init__(self, kubeconfig: Path) -> None:
        content = json.loads(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
        self.server: str = cluster["server"]
        self._authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._pair = os.memfd_create("bare")
        os.write(self._pair, b"\n".join(base64.b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key")))

    def pool(self) -> Any:
        """A fresh one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self._authority)
        context.load_cert_chain(f"/proc/self/fd/{self._pair}")
        return urllib3.connection_from_url(self.server, ssl_context=context, maxsize=1)


def main() -> int:
    """The exit code: 1 when more than one answer in a hundred is the server's failure; each is told on standard error."""
    recording, hosts, *kubeconfigs = sys.argv[1:]
    requests = [(r["method"], r["path"], r["headers"], r["body"] or None) for r in json.loads(Path(recording).read_text(encoding="utf-8"))]
    ways = [Way(Path(name)) for name in kubeconfigs]
    bad = 0
    for number in range(int(hosts)):
        pool = ways[number % len(ways)].pool()
        for method, path, headers, body in requests:
            answer = pool.urlopen(method, path, body=body, headers=headers, retries=False)
            if answer.status >= 500:
                bad += 1
                print(f"{method} {path}: {answer.status} {answer.data[:300]!r}", file=sys.stderr)
        pool.close()
    return 1 if bad * 100 > int(hosts) * len(requests) else 0


if __name__ == "__main__":
    sys.exit(main())
