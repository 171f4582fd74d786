# SPDX-License-Identifier: GPL-3.0-or-later
"""`ansible-test sanity` on what a user would install, with proof that it looked.

The artifact is built and unpacked below build/sanity, where ansible-test gets the git repository it lists files from
(without one it answers "All targets skipped" and exit code 0). All tests run, without an ignore file. Then one flaw
is planted in every plugin, and the same program must name each of them: a green run that saw nothing cannot pass.

Unit tests are not run through ansible-test: `make unit` runs them with plain pytest.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from ansible_test._internal import python_requirements as ansible_test_requirements

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "sanity"
COLLECTION = PLACE / "ansible_collections" / "weaveworks" / "wge"
# ansible-test keeps its virtual environments in the home folder; ours is a throw-away one, kept between runs.
HOME = ROOT / "build" / "cache" / "ansible-test"
LOG = ROOT / "build" / "test" / "sanity.log"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"

# What the artifact may hold at its top; an archive or a report of somebody's run must never be in it.
SHIPPED = {
    *("CHANGELOG.md", "CHANGELOG.rst", "CONTRIBUTING.md", "LICENSE", "README.md", "REUSE.toml", "FILES.json", "MANIFEST.json"),
    *("LICENSES", "changelogs", "docs", "extensions", "meta", "playbooks", "plugins", "roles"),
}

# What ansible-test may leave out, by its own default; anything else that is skipped is an error here.
LEFT_OUT = {"Skipping tests disabled by default without --allow-disabled: package-data"}

# What pip says while it fills the virtual environments; all of it is in build/test/sanity.log.
CHATTER = re.compile(r"\s*(Collecting|Downloading|Installing|Looking in|Requirement already|Successfully installed|Using cached|\u2501)")

# ansible-test wants a bootstrap script for pip from a host of its own; the interpreter brings one.
GET_PIP = '''\
"""In place of get-pip.py: pip from ensurepip, then the version ansible-test asks for."""
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
subprocess.check_call([sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "-q", "pip=={version}"])
'''

# Two tests look for a word of this line: pep8 in every file (E703), validate-modules in modules (sys.exit).
FLAW = '\nplanted = "sys.exit(0)";\n'


def fail(sentence: str) -> None:
    """End with one sentence."""
    sys.exit(f"sanity: {sentence}")


def prepare_home() -> None:
    """A home folder with the pip bootstrap and the user's pip settings, and nothing else of theirs."""
    source = Path(str(ansible_test_requirements.__file__)).read_text()
    found = re.search(r"""\bpip=['"]([0-9.]+)['"]""", source)
    if not found:
        fail("this ansible-test does not say which pip it wants; look into its python_requirements.py")
        return
    version = found.group(1)
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP.format(version=version))

    # ansible-test hides PIP_* variables from pip: hand them over as a file that only we can read.
    lines = ["[global]"]
    for name, value in sorted(os.environ.items()):
        if name.startswith("PIP_"):
            lines.append(f"{name[4:].lower().replace('_', '-')} = {value}")
    settings = HOME / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.unlink(missing_ok=True)
    own = Path("~/.config/pip/pip.conf").expanduser()
    text = own.read_text() if own.is_file() and len(lines) == 1 else "\n".join(lines) + "\n"
    with open(os.open(settings, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def unpack() -> None:
    """Build the artifact, unpack it where ansible-test wants a collection, and list its files in git."""
    shutil.rmtree(PLACE, ignore_errors=True)
    COLLECTION.mkdir(parents=True)
    subprocess.run(["ansible-galaxy", "collection", "build", "--force", "--output-path", str(PLACE)], cwd=ROOT, check=True)
    (artifact,) = PLACE.glob("weaveworks-wge-*.tar.gz")
    with tarfile.open(artifact) as archive:
        archive.extractall(COLLECTION, filter="data")
    strangers = {path.name for path in COLLECTION.iterdir()} - SHIPPED
    if strangers:
        fail(f"the artifact holds {', '.join(sorted(strangers))}: add it to build_ignore in galaxy.yml")
    settings = COLLECTION / "tests" / "config.yml"
    settings.parent.mkdir()
    shutil.copy(ROOT / "tests" / "config.yml", settings)
    (COLLECTION / ".gitignore").write_text("/tests/output/\n")
    for words in (["init", "--quiet"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=COLLECTION, check=True)


def ansible_test(*words: str) -> tuple[int, str]:
    """Run `ansible-test sanity` here; its exit code and all it said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON", "PIP_", "MYPY", "GIT_"))}
    environment["HOME"] = str(HOME)
    command = ["ansible-test", "sanity", "--venv", "--python", PYTHON, "--color", "no", *words]
    process = subprocess.Popen(command, cwd=COLLECTION, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = []
    assert process.stdout
    with LOG.open("a") as log:
        for line in process.stdout:
            said.append(line)
            log.write(line)
            if "--lint" not in words and not CHATTER.match(line):
                print(line, end="", flush=True)
    return process.wait(), "".join(said)


def run_all() -> None:
    """All tests of ansible-test, green and none left out."""
    code, said = ansible_test()
    if code:
        fail(f"ansible-test ended with exit code {code}")
    skipped = {line.removeprefix("WARNING: ").strip() for line in said.splitlines() if "kipp" in line} - LEFT_OUT
    if skipped:
        fail("ansible-test left something out: " + "; ".join(sorted(skipped)))
    ran = set(re.findall(r'Running sanity test "([^"]+)"', said))
    not_run = set(enabled_tests()) - ran
    if not ran or not_run:
        fail(f"ansible-test did not run {', '.join(sorted(not_run)) or 'anything'}")
    print(f"sanity: {len(ran)} tests ran")


def enabled_tests() -> list[str]:
    """The names of the tests that ansible-test runs by default."""
    lines = ansible_test("--lint", "--list-tests")[1].splitlines()
    return [line for line in lines if re.fullmatch(r"[a-z0-9-]+", line)]


def plant_flaws() -> None:
    """Spoil every plugin, and see each one named."""
    plugins = sorted(path for path in (COLLECTION / "plugins").rglob("*.py") if path.stat().st_size)
    source = sorted(path for path in (ROOT / "plugins").rglob("*.py") if path.stat().st_size)
    lost = {str(path.relative_to(ROOT)) for path in source} - {str(path.relative_to(COLLECTION)) for path in plugins}
    if lost:
        fail(f"the artifact lacks {', '.join(sorted(lost))}")
    if not any(path.parent.name == "modules" for path in plugins):
        fail("the artifact has no module")
    for path in plugins:
        path.write_text(path.read_text() + FLAW)
    code, said = ansible_test("--lint", "--test", "pep8", "--test", "validate-modules")
    for path in plugins:
        name = str(path.relative_to(COLLECTION))
        wanted = {"pep8": "E703"} | ({"validate-modules": "sys.exit"} if path.parent.name == "modules" else {})
        for test, word in wanted.items():
            if not re.search(rf"^{re.escape(name)}:.*{re.escape(word)}", said, re.MULTILINE):
                fail(f"a flaw planted in {name} was not found by {test}: it does not look there (exit code {code})")
    print(f"sanity: each of {len(plugins)} plugin files was seen")


if __name__ == "__main__":
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.unlink(missing_ok=True)
    prepare_home()
    unpack()
    run_all()
    plant_flaws()
