# SPDX-License-Identifier: GPL-3.0-or-later
"""The real programs helm, kustomize and git, run by the stand-ins."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from .. import linux
from .runtime import Failed


async def run(*command: str, environment: dict[str, str] | None = None, folder: Path | None = None) -> bytes:
    """What it printed; Failed with its last words when it says no."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        cwd=folder,
        preexec_fn=linux.die_with_parent(),  # as an action of a real controller dies with it
    )
    output, errors = await process.communicate()
    if process.returncode:
        raise Failed(errors.decode("utf-8", "replace").strip().removeprefix("Error: ")[-2000:])
    return output


def helm_homes(folder: Path) -> dict[str, str]:
    """Helm keeps what it fetched below `folder`."""
    return {f"HELM_{part}_HOME": str(folder / part.lower()) for part in ("CACHE", "CONFIG", "DATA")}
