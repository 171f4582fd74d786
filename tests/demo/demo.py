# SPDX-License-Identifier: GPL-3.0-or-later
"""Three clusters upgraded under load, from nothing: what `make demo` runs.

Brings up control planes with Weave GitOps, lets the witness (tests/witness) ask each dashboard through its ClusterIP, its
node port and the API server's service proxy, runs playbooks/upgrade.yml, and compares what the witness saw with what the
report says. The exit code is 0 only if every cluster was upgraded, nothing was lost, every Service is the same as before, and
both agree. The last line is the witness's count.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run as a program: the package is `demo`

from testbed import linux, memory
from testbed.cluster import Cluster, ClusterError
from testbed.fleet import Bed
from testbed.tools import ToolsError
from witness.load import PRODUCTS

from demo.verdict import Seen, judge, last_line, table
from demo.witnesses import WitnessError, Witnesses

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("curl", "ip", "nft", "nsenter")
SHORT_TIMES = {"baseline": 3, "rehearse": 5, "verify": 8, "soak": 8, "quiet": 5, "ready": 120, "deadline": 600}
AFTERWARDS = 3.0
"""Seconds of load after the playbook, at least."""
LONGEST_AFTERWARDS = 60.0
_BEGAN = time.monotonic()


class DemoError(RuntimeError):
    """Something is missing, in one sentence with the next step."""


def say(text: str) -> None:
    """One line of progress."""
    print(f"demo [{time.monotonic() - _BEGAN:5.0f} s] {text}", flush=True)


def check_programs() -> None:
    """Raises DemoError for what the bed and the playbook need and is not there."""
    missing = [name for name in PROGRAMS if not shutil.which(name, path=linux.system_path())]
    if missing:
        raise DemoError(f"These programs are missing: {', '.join(missing)}; install them, or call make setup-bed as root.")
    if not playbook_program().exists():
        raise DemoError(f"There is no ansible-playbook beside {sys.executable}; call make setup, then make demo.")
    if not (ROOT / "build/collections/ansible_collections/weaveworks/wge/galaxy.yml").exists():
        raise DemoError("There is no link to this tree below build/collections; call make link.")


def playbook_program() -> Path:
    """The one of this environment."""
    return Path(sys.executable).with_name("ansible-playbook")


@contextmanager
def bed_of(options: argparse.Namespace) -> Iterator[Bed]:
    """The clusters, and their end. A bed that somebody else runs is left alone."""
    bed = Bed(options.dir)
    if any(cluster.running() for cluster in bed.clusters.values()):
        raise DemoError(f"Clusters are running in {options.dir}; end them first (make bed-down), or name another folder with --dir.")
    try:
        yield Bed.up(options.dir, options.clusters, "helm")
    finally:
        if not options.keep:
            bed.down()


@contextmanager
def watched(bed: Bed, folder: Path) -> Iterator[list[Witnesses]]:
    """The witness around every cluster."""
    folder.mkdir(parents=True)
    every = [Witnesses(name, cluster.kubeconfig, [str(bed.paths.exec), name], folder) for name, cluster in bed.clusters.items()]
    try:
        for one in every:
            one.start()
        for one in every:
            one.wait_for_answers(60)
        yield every
    finally:
        for one in every:
            one.kill()


@contextmanager
def heartbeat(every: list[Witnesses], seconds: float = 10) -> Iterator[None]:
    """A line now and then, so that nobody wonders."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(seconds):
            say(f"witness: {progress(every)}")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def progress(every: list[Witnesses]) -> str:
    """The counts so far."""
    who = ", ".join(f"{one.name} {'+'.join(one.products)}" for one in every)
    return f"{sum(one.count('requests') for one in every)} requests, {sum(one.count('lost') for one in every)} lost; answered by: {who}"


def upgrade(inventory: Path, output: Path) -> int:
    """Run the playbook as a user does, with short times; its exit code."""
    variables: dict[str, Any] = {f"wge_{name}_seconds": seconds for name, seconds in SHORT_TIMES.items()}
    variables.update(wge_report_dir=str(output / "report"), wge_archive_dir=str(output / "archive"))
    foreign = ("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG", "HELM_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    password = output / "vault-password"  # what the archives are encrypted with
    password.write_text(secrets.token_urlsafe(), encoding="ascii")
    environment.update(ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"), LC_ALL="C.UTF-8", ANSIBLE_VAULT_PASSWORD_FILE=str(password))
    environment["PATH"] = f"{playbook_program().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    command = [str(playbook_program()), "playbooks/upgrade.yml", "-i", str(inventory), "-e", json.dumps(variables)]
    say(f"ansible-playbook playbooks/upgrade.yml -i {inventory}")
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL) as running:
        try:
            return running.wait()
        finally:
            if running.poll() is None:
                running.terminate()


def go_on(every: list[Witnesses], requests: int) -> None:
    """Keep the load going after the upgrade, until enough was asked in all."""
    begin = time.monotonic()
    while (passed := time.monotonic() - begin) < LONGEST_AFTERWARDS:
        if passed >= AFTERWARDS and sum(one.count("requests") for one in every) >= requests:
            return
        time.sleep(0.2)


def report_entries(folder: Path) -> dict[str, dict[str, Any]]:
    """The clusters of the one report below ``folder``, by host; empty when there is none."""
    files = sorted(folder.glob("*.json"))
    document = json.loads(files[-1].read_text(encoding="utf-8")) if files else {"clusters": []}
    return {entry["host"]: entry for entry in document["clusters"]}


def curl(url: str) -> str:
    """Which product answers, as a user would look."""
    words = ["curl", "-s", "-o", os.devnull, "-w", "%{http_code} %{content_type}", "--max-time", "5", url]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    status, _space, kind = said.partition(" ")
    product = PRODUCTS.get(kind.partition(";")[0], said or "nobody") if status == "200" else f"HTTP {status}"
    say(f"curl {url}: {said} ({product})")
    return product


def collect(one: Witnesses, cluster: Cluster, reports: dict[str, dict[str, Any]]) -> Seen:
    """End the witness of one cluster and put everything together."""
    taken = memory.of_cluster(cluster)
    answers = curl(cluster.entry_url)
    streams, endpoints, after = one.end()
    seen = Seen(one.name, reports.get(one.name, {}), streams, endpoints, one.before, after, answers, taken)
    seen.complaints = judge(seen)
    return seen


def run(options: argparse.Namespace, output: Path) -> tuple[list[Seen], list[str]]:
    """All of it: the clusters as they were seen, and what is wrong with the run as a whole."""
    with bed_of(options) as bed:
        say(f"{len(bed.clusters)} clusters are up; the load begins")
        with watched(bed, output / "witness") as every, heartbeat(every):
            code = upgrade(bed.paths.inventory, output)
            go_on(every, options.requests)
            reports = report_entries(output / "report")
            seen = [collect(one, bed.clusters[one.name], reports) for one in every]
        say("the load has ended")
    wrong = [f"ansible-playbook ended with {code}."] if code else []
    asked = sum(one.requests for one in seen)
    if asked < options.requests:
        wrong.append(f"Only {asked} requests were made, {options.requests} were wanted.")
    return seen, wrong


def parsed() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=Path, default=Path("build/bed"), help="the test bed's folder")
    parser.add_argument(
        "--output", type=Path, default=Path("build/demo"), help="for the report, the archive and the witness's records; emptied first"
    )
    parser.add_argument("--clusters", type=int, default=3)
    parser.add_argument("--requests", type=int, default=6000, help="how many in all, at least")
    parser.add_argument("--keep", action="store_true", help="leave the clusters running")
    return parser.parse_args()


def on_sigterm(*_signal: object) -> NoReturn:
    """Ends the run through every `finally`."""
    raise SystemExit(143)


def main() -> int:
    """The exit code."""
    options = parsed()
    signal.signal(signal.SIGTERM, on_sigterm)
    output = options.output.resolve()
    shutil.rmtree(output, ignore_errors=True)
    try:
        check_programs()
        seen, wrong = run(options, output)
    except (DemoError, WitnessError, ClusterError, ToolsError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    wrong += [f"{one.name}: {sentence}" for one in seen for sentence in one.complaints]
    print(f"\nTook {time.monotonic() - _BEGAN:.0f} s. What the witness saw (records in {output}):\n" + "\n".join(table(seen)))
    print("\n".join(wrong) if wrong else "The witness and the report agree.")
    print(last_line(seen), flush=True)
    return 1 if wrong or not all(one.upgraded for one in seen) else 0


if __name__ == "__main__":
    sys.exit(main())
