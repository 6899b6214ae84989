"""`python3 scripts/dev.py mutate PATH` changes one operation of a module at a time, in a copy of the project, and lists
the changes that no test notices. A run that is stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import TestOutcome
from rich.console import Console
from rich.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / ".mutation"
COPIED = ("app", "tests", "scripts", "frontend-contract", "pyproject.toml", "schema.graphql", "README.md")
LOOKS_EVERY_SECONDS = 2.0

CONFIGURATION = """
[cosmic-ray]
module-path = "{module}"
timeout = {timeout}
excluded-modules = []
test-command = "{command}"

[cosmic-ray.distributor]
name = "local"
"""


def main(
    module: Annotated[Path, typer.Argument(help="The module to mutate, such as app/domain/positions.py.")],
    tests: Annotated[list[str] | None, typer.Option(help="Tests to run; those of the same name unless given.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds after which a mutant that loops counts as killed.")] = 60,
) -> None:
    """Mutate a module, and end with exit 1 when a mutant survives."""
    console = Console()
    chosen = tests or _tests_of(module)
    if not module.is_file() or not chosen:
        console.print(f"There is no {module}, or no test of its name: give the tests with --tests.", highlight=False)
        raise typer.Exit(2)
    session = _session(module, chosen)
    with _copy_of_the_project() as copy:
        command = shlex.join([sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *chosen])
        (copy / "mutation.toml").write_text(CONFIGURATION.format(module=module, timeout=timeout, command=command))
        if not session.exists():
            _cosmic_ray(copy, "baseline", "mutation.toml")
            _cosmic_ray(copy, "init", "mutation.toml", str(session))
        _execute(copy, session, console)
    survivors = _survivors(session, console)
    raise typer.Exit(1 if survivors else 0)


def _tests_of(module: Path) -> list[str]:
    return sorted(str(path) for path in Path("tests").rglob(f"test_{module.stem}.py"))


def _session(module: Path, tests: list[str]) -> Path:
    """Return the file that remembers the results for just this text of the module and these tests."""
    digest = hashlib.sha256(module.read_bytes())
    for test in tests:
        digest.update(test.encode())
    RUNS.mkdir(exist_ok=True)
    return RUNS / f"{module.stem}-{digest.hexdigest()[:12]}.sqlite"


@contextmanager
def _copy_of_the_project() -> Iterator[Path]:
    """Yield a folder with a copy of the project: mutants are written there, never here."""
    with tempfile.TemporaryDirectory(prefix="flex-mutation-") as folder:
        for name in COPIED:
            source, target = ROOT / name, Path(folder) / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
            else:
                shutil.copyfile(source, target)
        yield Path(folder)


def _cosmic_ray(copy: Path, *arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("cosmic-ray")), *arguments]
    done = subprocess.run(command, cwd=copy, env=_environment(copy), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"The tests fail without any mutant:\n{(done.stdout + done.stderr)[-2000:]}")


def _execute(copy: Path, session: Path, console: Console) -> None:
    command = [str(Path(sys.executable).with_name("cosmic-ray")), "exec", "mutation.toml", str(session)]
    running = subprocess.Popen(
        command, cwd=copy, env=_environment(copy), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with Progress(console=console) as progress:
        task = progress.add_task("mutants", total=None)
        try:
            while running.poll() is None:
                with closing(WorkDB(str(session), WorkDB.Mode.open)) as work:
                    progress.update(task, total=work.num_work_items, completed=work.num_results)
                time.sleep(LOOKS_EVERY_SECONDS)
        except KeyboardInterrupt:
            running.send_signal(signal.SIGTERM)
            running.wait()
            console.print("Stopped. The same command goes on from here.")
            raise typer.Exit(130) from None


def _environment(copy: Path) -> dict[str, str]:
    return {"PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(copy), "HOME": str(Path.home()), "CI": "1"}


def _survivors(session: Path, console: Console) -> int:
    """Print the changes that no test noticed, and how many there were of all."""
    with closing(WorkDB(str(session), WorkDB.Mode.open)) as work:
        results = dict(work.results)
        survived = [item for item in work.work_items if results[item.job_id].test_outcome is TestOutcome.SURVIVED]
        for item in survived:
            console.print(results[item.job_id].diff, markup=False, highlight=False)
        console.print(f"{len(results)} mutants, {len(results) - len(survived)} killed, {len(survived)} survived.")
    return len(survived)


if __name__ == "__main__":
    typer.run(main)
