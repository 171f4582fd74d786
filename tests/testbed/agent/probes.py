# SPDX-License-Identifier: GPL-3.0-or-later
"""Startup, readiness and liveness probes with a kubelet's arithmetic.

Keeps: httpGet and tcpSocket, initial delay, period, timeout, thresholds, the startup probe before the other two.
Leaves out: exec and gRPC probes, which count as passed.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

Spec = dict[str, Any]

#: A kubelet notices a new container within a second, and begins to probe then.
NOTICED = 0.4


def _port(value: int | str, container: Spec) -> int:
    """A number, or the name of one of the container's ports."""
    if isinstance(value, int):
        return value
    for port in container.get("ports") or []:
        if port.get("name") == value:
            return int(port["containerPort"])
    raise OSError(f"no port named {value}")


def _no_verification() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _http(action: Spec, container: Spec, address: str) -> bool:
    secure = _no_verification() if action.get("scheme", "HTTP").upper() == "HTTPS" else None
    host = action.get("host") or address
    port = _port(action["port"], container)
    reader, writer = await asyncio.open_connection(host, port, ssl=secure)
    try:
        named = {"Host": f"{host}:{port}", "User-Agent": "kube-probe/1.33", "Accept": "*/*", "Connection": "close"}
        named.update({item["name"]: item["value"] for item in action.get("httpHeaders") or []})
        lines = [f"GET {action.get('path', '/')} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        status = int((await reader.readline()).split()[1])
    finally:
        writer.close()
    return 200 <= status < 400


async def _tcp(action: Spec, container: Spec, address: str) -> bool:
    _reader, writer = await asyncio.open_connection(action.get("host") or address, _port(action["port"], container))
    writer.close()
    return True


async def attempt(probe: Spec, container: Spec, address: str) -> bool:
    """One try."""
    try:
        async with asyncio.timeout(probe.get("timeoutSeconds", 1)):
            if "httpGet" in probe:
                return await _http(probe["httpGet"], container, address)
            if "tcpSocket" in probe:
                return await _tcp(probe["tcpSocket"], container, address)
            return True
    except (OSError, TimeoutError, ValueError, IndexError):
        return False


async def _results(probe: Spec, container: Spec, address: str, tell: Callable[[bool], None], state: bool) -> None:
    """Tell each change of the verdict, counted with the thresholds; for ever."""
    await asyncio.sleep(probe.get("initialDelaySeconds", 0))
    in_row, last = 0, None
    while True:
        good = await attempt(probe, container, address)
        in_row = in_row + 1 if good == last else 1
        last = good
        needed = probe.get("successThreshold", 1) if good else probe.get("failureThreshold", 3)
        if good != state and in_row >= needed:
            state = good
            tell(state)
        await asyncio.sleep(probe.get("periodSeconds", 10))


async def _fails(kind: str, container: Spec, address: str) -> None:
    """Returns when the probe failed often enough."""
    failed = asyncio.Event()
    task = asyncio.create_task(_results(container[kind], container, address, lambda _good: failed.set(), True))
    try:
        await failed.wait()
    finally:
        task.cancel()


async def _starts(container: Spec, address: str) -> bool:
    """Does the startup probe pass within its tries?"""
    probe = container["startupProbe"]
    await asyncio.sleep(probe.get("initialDelaySeconds", 0))
    for _try in range(probe.get("failureThreshold", 3)):
        if await attempt(probe, container, address):
            return True
        await asyncio.sleep(probe.get("periodSeconds", 10))
    return False


async def run(container: Spec, address: str, tell_started: Callable[[], None], tell_ready: Callable[[bool], None]) -> None:
    """All probes of one running container; returns when it is to be killed and started again."""
    await asyncio.sleep(NOTICED)
    if container.get("startupProbe") and not await _starts(container, address):
        return
    tell_started()
    readiness = None
    if container.get("readinessProbe"):
        readiness = asyncio.create_task(_results(container["readinessProbe"], container, address, tell_ready, False))
    else:
        tell_ready(True)
    try:
        if container.get("livenessProbe"):
            await _fails("livenessProbe", container, address)
        else:
            await asyncio.Event().wait()
    finally:
        if readiness:
            readiness.cancel()
