"""`scripts/dev.py` in a folder of its own, with small programs snapshot where the real tools would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import dev


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose environment is already prepared, by the stamp, with tools that print their arguments."""
    root = tmp_path / "project"
    (root / "scripts").mkdir(parents=True)
    (root / "app" / "static").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "scripts" / "constraints.txt").write_text("")
    shutil.copy(dev.__file__, root / "scripts" / "dev.py")
    for tool in ("python", "flex-billing", "ruff", "mypy", "lint-imports", "codespell"):
        program(root / ".venv" / "bin" / tool, f'echo "{tool} $*"')
    (root / ".venv" / ".flex-billing").write_text(dev.fingerprint(root / "pyproject.toml"))
    return root


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run(project: Path, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run it from another folder, with nothing to be found but what lies in `path`."""
    return subprocess.run(
        [sys.executable, str(project / "scripts" / "dev.py"), *arguments],
        cwd=project.parent,
        env=os.environ | {"PATH": str(path or project)},
        capture_output=True,
        text=True,
        check=False,
    )


class TestCommands:
    def test_test_becomes_pytest_with_the_same_arguments(self, project):
        assert run(project, "test", "-k", "money").stdout == "python -m pytest -k money\n"

    def test_bench_becomes_the_bench_module(self, project):
        assert run(project, "bench", "import").stdout == "python -m scripts.bench import\n"

    def test_demo_becomes_the_command_line_of_the_product(self, project):
        assert run(project, "demo", "--port", "9").stdout == "flex-billing demo --port 9\n"

    def test_the_exit_code_is_the_tools_own(self, project):
        program(project / ".venv" / "bin" / "python", "exit 5")
        assert run(project, "test").returncode == 5

    def test_an_unknown_command_is_told_the_known_ones(self, project):
        result = run(project, "dance")
        assert result.returncode == 2
        assert result.stderr == dev.USAGE + "\n"


class TestCheck:
    def test_every_gate_runs_and_the_summary_names_the_one_that_failed(self, project):
        program(project / ".venv" / "bin" / "mypy", "exit 1")
        result = run(project, "check")
        assert result.returncode == 1
        assert result.stderr.endswith(
            "ok     lint\nok     format\nFAILED types\nok     import contracts\nok     spelling\n"
        )

    def test_all_gates_passing_is_success(self, project):
        assert run(project, "check").returncode == 0


class TestEnvironment:
    def test_uv_installs_the_pinned_packages_when_it_is_there(self, project, tmp_path):
        (project / ".venv" / ".flex-billing").unlink()
        program(tmp_path / "tools" / "uv", f'echo "$@" > {tmp_path}/said')
        assert run(project, "test", path=tmp_path / "tools").returncode == 0
        assert " -e .[dev] -c " in (tmp_path / "said").read_text()
        assert (project / ".venv" / ".flex-billing").exists()

    def test_a_failing_installation_is_told_without_addresses_and_tried_again_next_time(self, project, tmp_path):
        (project / ".venv" / ".flex-billing").unlink()
        program(tmp_path / "tools" / "uv", "echo 'error: no answer from https://somewhere.example/simple' >&2; exit 1")
        result = run(project, "test", path=tmp_path / "tools")
        assert result.returncode == 1
        assert result.stdout == ""
        assert "The packages could not be installed: check the network" in result.stderr
        assert "error: no answer from …" in result.stderr
        assert "somewhere" not in result.stderr
        assert not (project / ".venv" / ".flex-billing").exists()

    def test_a_python_without_its_venv_part_is_told_what_to_install(self, project):
        (project / ".venv" / ".flex-billing").unlink()
        program(project / ".venv" / "bin" / "python", "echo 'No module named ensurepip' >&2; exit 1")
        result = run(project, "test")
        assert result.returncode == 1
        assert "apt install python3-venv" in result.stderr
        assert "Traceback" not in result.stderr


class TestAssets:
    @pytest.fixture
    def contract(self, project: Path) -> Path:
        folder = project / "frontend-contract"
        (folder / "node_modules" / "lib").mkdir(parents=True)
        (folder / "node_modules" / "lib" / "x.js").write_text("export {}")
        assets = {"node_modules/lib/x.js": "lib/x.js"}
        (folder / "package.json").write_text(json.dumps({"flexBilling": {"assets": assets}}))
        (folder / "package-lock.json").write_text("{}")
        return folder

    def test_the_named_files_are_copied_once(self, project, contract, tmp_path):
        program(tmp_path / "tools" / "npm", f"echo called >> {tmp_path}/calls")
        run(project, "demo", path=tmp_path / "tools")
        run(project, "demo", path=tmp_path / "tools")
        assert (project / "app" / "static" / "vendor" / "lib" / "x.js").read_text() == "export {}"
        assert (tmp_path / "calls").read_text() == "called\n"

    def test_a_failing_npm_costs_one_sentence_and_no_more(self, project, contract, tmp_path):
        program(tmp_path / "tools" / "npm", "exit 1")
        result = run(project, "demo", path=tmp_path / "tools")
        assert result.stdout == "flex-billing demo\n"
        assert result.stderr.endswith("could not be fetched with npm: the pages work in their plain form.\n")

    def test_without_npm_nothing_is_said(self, project, contract):
        result = run(project, "demo")
        assert (result.stdout, result.stderr) == ("flex-billing demo\n", "")
