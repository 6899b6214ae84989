"""One door to the project: makes the environment on first use, then becomes the tool that was asked for.

Standard library only, because it has to run on a machine with nothing but Python.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
PINS = ROOT / "scripts" / "constraints.txt"
CONTRACT = ROOT / "frontend-contract"
VENDOR = ROOT / "app" / "static" / "vendor"

USAGE = """usage: python3 scripts/dev.py COMMAND [ARGUMENTS]

  demo     start the server with a believable company in it (--port, --reset)
  test     run the tests (arguments go to pytest)
  check    lint, format, types, import contracts and spelling
  format   sort imports and format the code
  bench    run the benchmarks (arguments go to scripts.bench)
  pictures take pictures of the portal's screens while the demo runs (--address, --to)
  mutate   list changes to a module that no test notices (PATH, --tests)"""

CHECKS = {
    "lint": ["ruff", "check"],
    "format": ["ruff", "format", "--check"],
    "types": ["mypy"],
    "import contracts": ["lint-imports", "--no-logo"],
    "spelling": ["codespell", "app", "scripts", "tests", "frontend-contract", ".github", "README.md"],
}


class SetupFailed(Exception):
    """The environment cannot be made; the message says what to do."""


def say(sentence: str) -> None:
    """Speak on the error stream, so that the tool's own output stays clean."""
    print(sentence, file=sys.stderr, flush=True)


def fingerprint(*paths: Path) -> str:
    """Hash the files' bytes: equal means nothing has to be done again."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_done(stamp: Path, mark: str) -> bool:
    """Tell whether an earlier run finished this very work."""
    return stamp.is_file() and stamp.read_text() == mark


def run_quietly(command: list[str], *, cwd: Path, failure: str) -> None:
    """Run a set-up step without its chatter.

    :raises SetupFailed: with the step's own error lines, addresses left out.
    """
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        lines = [line for line in (result.stdout + result.stderr).splitlines() if line.strip()]
        told = [line for line in lines if re.match(r"\s*(npm )?error", line, re.IGNORECASE)] or lines
        raise SetupFailed("\n".join([failure, *(re.sub(r"\b\w+://\S+", "…", line) for line in told[-8:])]))


def install(extra: str, *, failure: str) -> None:
    """Install the project with an extra into the environment, at the pinned versions.

    :raises SetupFailed: when the packages cannot be had.
    """
    uv = shutil.which("uv")
    installer = [uv, "pip", "install", "--python", str(PYTHON)] if uv else [str(PYTHON), "-m", "pip", "install"]
    run_quietly([*installer, "-q", "-e", f".[{extra}]", "-c", str(PINS)], cwd=ROOT, failure=failure)


def make_environment() -> None:
    """Create the virtual environment with the pinned packages, unless it is there and up to date.

    :raises SetupFailed: when Python lacks its venv part, or the packages cannot be had.
    """
    stamp = VENV / ".flex-billing"
    mark = fingerprint(ROOT / "pyproject.toml", PINS)
    if PYTHON.exists() and is_done(stamp, mark):
        return
    say("Preparing .venv with the pinned packages (first start, or they changed): a minute or a few.")
    uv = shutil.which("uv")
    steps = [] if PYTHON.exists() else [[sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)]]
    steps += [] if uv else [[str(PYTHON), "-m", "ensurepip", "--default-pip"]]
    for step in steps:
        run_quietly(
            step,
            cwd=ROOT,
            failure="This Python cannot make virtual environments: install its venv package "
            "(on Debian and Ubuntu: apt install python3-venv), or install uv, and run this again.",
        )
    install(
        "dev",
        failure="The packages could not be installed: check the network and run this again "
        "(if it keeps failing, delete the .venv folder first).",
    )
    stamp.write_text(mark)


def fetch_assets() -> None:
    """Copy the browser files that the pages like to have out of their npm packages, when npm is here.

    `frontend-contract/package.json` names them: {"flexBilling": {"assets": {"node_modules/…/x.js": "x.js"}}}.
    """
    manifest, lock = CONTRACT / "package.json", CONTRACT / "package-lock.json"
    npm = shutil.which("npm")
    if npm is None or not lock.is_file() or not manifest.is_file():
        return
    stamp = VENDOR / ".stamp"
    mark = fingerprint(manifest, lock)
    if is_done(stamp, mark):
        return
    say("Fetching the browser files of the pages (first start, or they changed).")
    installed = CONTRACT / "node_modules" / ".package-lock.json"
    try:
        if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
            command = [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
            run_quietly(command, cwd=CONTRACT, failure="npm failed")
        for source, target in json.loads(manifest.read_text())["flexBilling"]["assets"].items():
            (VENDOR / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CONTRACT / source, VENDOR / target)
        stamp.write_text(mark)
    except (SetupFailed, OSError, KeyError, ValueError):
        say("The browser files could not be fetched with npm: the pages work in their plain form.")


def add_mutation_tool() -> None:
    """Install what `mutate` alone needs, unless it is there.

    :raises SetupFailed: when it cannot be had.
    """
    if (BIN / "cosmic-ray").exists():
        return
    say("Installing the mutation testing tool.")
    install(
        "mutation", failure="The mutation testing tool could not be installed: check the network and run this again."
    )


def check() -> int:
    """Run every gate, even after one has failed, and sum up; 1 when any failed."""
    passed = {}
    for name, (tool, *arguments) in CHECKS.items():
        say(f"— {name}")
        passed[name] = subprocess.run([str(BIN / tool), *arguments], cwd=ROOT, check=False).returncode == 0
    say("\n".join(f"{'ok    ' if good else 'FAILED'} {name}" for name, good in passed.items()))
    return 0 if all(passed.values()) else 1


def format_code() -> int:
    """Sort imports and format every Python file."""
    sort = [str(BIN / "ruff"), "check", "--select", "I", "--fix", "-q"]
    tidy = [str(BIN / "ruff"), "format"]
    return max(subprocess.run(command, cwd=ROOT, check=False).returncode for command in (sort, tidy))


def become(command: list[str]) -> int:
    """Replace this process, so that signals and the exit code are the tool's own."""
    sys.stdout.flush()
    os.execv(command[0], command)


def main(arguments: list[str]) -> int:
    """Dispatch one command; 2 when it is not known."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command not in {"demo", "test", "check", "format", "bench", "mutate", "pictures"}:
        say(USAGE)
        return 0 if command in {"-h", "--help"} else 2
    os.chdir(ROOT)
    make_environment()
    if command == "check":
        return check()
    if command == "format":
        return format_code()
    if command in {"demo", "test"}:
        fetch_assets()
    if command == "demo":
        return become([str(BIN / "flex-billing"), "demo", *rest])
    if command == "mutate":
        add_mutation_tool()
    module = {"test": "pytest", "bench": "scripts.bench", "mutate": "scripts.mutate", "pictures": "scripts.pictures"}[
        command
    ]
    return become([str(PYTHON), "-m", module, *rest])


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python would be given
        sys.exit("Python 3.11 or newer is needed; this is Python " + sys.version.split()[0] + ".")
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupFailed as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
