# SPDX-License-Identifier: GPL-3.0-or-later
"""A chart repository inside the cluster's network: the bed's fixture charts, packed, with an index.

`/charts/` is for everybody, `/private/` (the same charts) wants USER and PASSWORD.
Run as `python -m testbed.flux.repository FOLDER`, by `flux.install`; `pack` fills the folder.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import shutil
import subprocess
import sys
from pathlib import Path

from .. import network
from ..products.httpd import Answer, Request, Server

NAME = "chart-repository"
PORT = 8879
ADDRESS = f"http://{network.NODE_ADDRESS}:{PORT}"
CHARTS_URL = f"{ADDRESS}/charts"
PRIVATE_URL = f"{ADDRESS}/private"
USER, PASSWORD = "customer", "none"


def pack(charts: list[Path], folder: Path, helm: Path) -> None:
    """Add the charts to the repository's folder and write its index anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for chart in charts:
        _helm(helm, "package", str(chart), "-d", str(folder))
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    for archive in folder.glob("*.tgz"):
        shutil.copy2(archive, beside)
    _helm(helm, "repo", "index", str(beside))
    (beside / "index.yaml").replace(folder / "index.yaml")
    shutil.rmtree(beside)


def _helm(helm: Path, *arguments: str) -> None:
    subprocess.run([str(helm), *arguments], check=True, capture_output=True, text=True)


class Repository:
    """Files of one folder, twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._login = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode("ascii")

    async def handle(self, request: Request) -> Answer:
        area, _slash, name = request.path.strip("/").partition("/")
        if area == "private" and not hmac.compare_digest(request.headers.get("authorization", ""), self._login):
            return Answer(401, headers=(("WWW-Authenticate", "Basic"),))
        path = self._folder / name
        if area not in ("charts", "private") or "/" in name or not path.is_file():
            return Answer(404)
        return Answer(200, path.read_bytes(), "application/octet-stream")


async def main() -> None:
    """For ever."""
    await Server(Repository(Path(sys.argv[1])).handle).listen(network.NODE_ADDRESS, PORT)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
