"""`python3 scripts/dev.py mutate PATH …` changes one operation of a module at a time, in a copy of the project, and
lists the changes that no test notices. Modules and tests are loaded once; each change is tried in a process forked
from there, by the tests that run the changed line, the quickest first. A run that is stopped goes on where it was.
"""

from __future__ import annotations

import ast
import difflib
import gc
import hashlib
import importlib
import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Annotated, TypeVar

import pytest
import typer
from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from coverage import Coverage
from hypothesis import Phase, settings
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Each = TypeVar("Each")
    Swaps = list[tuple[FunctionType, CodeType]]

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / ".mutation"
COPIED = ("app", "tests", "scripts", "frontend-contract", "pyproject.toml", "schema.graphql", "README.md")
ALIVE, KILLED = 0, 1
QUICK_SECONDS = 0.3
PYTEST = ["-q", "--tb=short", "--no-showlocals", "-p", "no:cacheprovider", "-m", "not postgres"]
PYTEST += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # Hypothesis is loaded before the tests
EXAMPLES, SETTINGS = 30, "_hypothesis_internal_use_settings"  # of a property test: it is run for many changes
WAYS = ["thread", "greenlet"]  # in which code of the product runs at the same time

# No test can notice these: identity where equality is meant, or the other way round, for values that Python shares.
SAME_ANSWER = {"Eq_Is", "NotEq_IsNot", "Is_Eq", "IsNot_NotEq"}


def main(
    paths: Annotated[list[Path], typer.Argument(help="Modules or folders, such as app/domain/positions.py.")],
    tests: Annotated[
        list[str] | None,
        typer.Option(help="Tests to run; those of the module's name, or of its folder, unless given."),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds that one test may take beyond the usual.")] = 5,
) -> None:
    """Mutate modules, and end with exit 1 when a mutant survives."""
    modules = [module for path in paths for module in ([path] if path.is_file() else sorted(path.rglob("*.py")))]
    if len(modules) > 1:
        options = ["--timeout", str(timeout), *(word for test in tests or () for word in ("--tests", test))]
        command = [sys.executable, "-m", "scripts.mutate", *options]
        ended = [subprocess.run([*command, str(module)], check=False).returncode for module in modules]
        raise typer.Exit(max(ended))
    console = Console(file=os.fdopen(os.dup(1), "w"), highlight=False, soft_wrap=True)
    chosen = tests or [test for module in modules for test in tests_of(module)]
    if not modules or not chosen:
        console.print(f"No module at {paths[0]}, or no test of its name: give the tests with --tests.")
        raise typer.Exit(2)
    record = Record.of(modules[0], chosen)
    if record.left():
        with copy_of_the_project() as copy:
            Trial(record, chosen, copy, console, timeout).run()
    raise typer.Exit(1 if record.show(console) else 0)


def tests_of(module: Path) -> list[str]:
    """Return the tests named after a module; without one, those of its folder that import it, or all of them."""
    folder, name = Path("tests", *module.parent.parts[1:]), ".".join(module.with_suffix("").parts)
    words = (f"from {name} import", f"from {name.rpartition('.')[0]} import {module.stem}")
    own = sorted(folder.glob(f"test_{module.stem}.py"))
    beside = sorted(folder.glob("test_*.py"))
    importing = [path for path in beside if any(word in path.read_text(encoding="utf-8") for word in words)]
    return [str(path) for path in own or importing or beside]


@dataclass(frozen=True)
class Mutant:
    """One change: the occurrence of what an operator of the tool replaces, with its line and column."""

    operator: str
    occurrence: int
    place: tuple[int, int]

    @property
    def key(self) -> str:
        """The name under which a result is kept."""
        return f"{self.operator} {self.occurrence}"


@dataclass
class Record:
    """The results for just this text of a module, a line each in a file; what survived is tried again by new tests."""

    module: Path
    source: str
    tests: str
    file: Path
    mutants: list[Mutant]
    results: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, module: Path, tests: list[str]) -> Record:
        """Return the record of a module, with what earlier runs found."""
        source = module.read_text(encoding="utf-8")
        named = [Path(name.partition("::")[0]) for name in tests]
        files = [file for path in named for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
        texts = [file.read_text(encoding="utf-8") for file in files]
        digest, told = (hashlib.sha256(text.encode()).hexdigest()[:12] for text in (source, "\n".join(texts)))
        RUNS.mkdir(exist_ok=True)
        record = cls(module, source, told, RUNS / f"{module.stem}-{digest}.jsonl", list(mutants_of(source)))
        for line in record.file.read_text(encoding="utf-8").splitlines() if record.file.exists() else ():
            result = json.loads(line)
            record.results[result["key"]] = result
        return record

    def left(self) -> list[Mutant]:
        """Return what is to be tried: what never was, and what survived other tests."""
        return [mutant for mutant in self.mutants if not self._settled(self.results.get(mutant.key))]

    def _settled(self, result: dict[str, str] | None) -> bool:
        return result is not None and (result["outcome"] != "survived" or result["tests"] == self.tests)

    def note(self, mutant: Mutant, outcome: str, why: str, mutated: str) -> None:
        """Keep one result."""
        changes = difflib.unified_diff(self.source.splitlines(), mutated.splitlines(), lineterm="", n=0)
        diff = "\n".join(line for line in changes if not line.startswith(("---", "+++", "@@")))
        result = {"key": mutant.key, "outcome": outcome, "why": why, "tests": self.tests, "diff": diff}
        self.results[mutant.key] = result = result | {"line": str(mutant.place[0])}
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")

    def show(self, console: Console) -> int:
        """Print the changes that no test noticed, and how many there were of all."""
        found = [self.results[mutant.key] for mutant in self.mutants if mutant.key in self.results]
        survivors = [result for result in found if result["outcome"] == "survived"]
        for result in sorted(survivors, key=lambda result: int(result["line"])):
            title = f"{self.module}:{result['line']} {result['key'].removeprefix('core/')} ({result['why']})"
            console.print(f"{title}\n{result['diff']}", markup=False)
        same = sum(result["outcome"] == "same" for result in found)
        tried = len(found) - same
        console.print(
            f"{self.module}: {tried} mutants, {tried - len(survivors)} killed, {len(survivors)} survived;"
            f" {same} changed nothing, {len(self.mutants) - len(found)} not tried yet."
        )
        return len(survivors)


def mutants_of(source: str) -> Iterator[Mutant]:
    """Yield the changes of all operators of the tool, but for what nothing runs."""
    nodes = list(ast_nodes(get_ast(source)))
    ranges = [_range(node) for node in _not_run(ast.parse(source))]
    for name in plugins.operator_names():
        operator = plugins.get_operator(name)
        if operator.arguments() or name.partition("_")[2] in SAME_ANSWER:
            continue
        places = (start for node in nodes for start, _ in operator().mutation_positions(node))
        for occurrence, place in enumerate(places):
            if not any(first <= place < last for first, last in ranges):
                yield Mutant(name, occurrence, place)


def _not_run(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield annotations, what they alone need, and the options of data classes, on which `test_values.py` looks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            yield node.returns
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield node.test
        elif isinstance(node, ast.ClassDef):
            yield from (option.value for call in node.decorator_list for option in getattr(call, "keywords", ()))


def _range(node: ast.expr) -> tuple[tuple[int, int], tuple[int, int]]:
    return (node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)


def _lines_beside(tree: ast.AST, line: int) -> set[int]:
    """Return the lines of the innermost statement on a line; of one with a body, its first lines."""
    lines = {line}
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line):
            body = getattr(node, "body", None)
            last = max(node.lineno, body[0].lineno - 1) if body else (node.end_lineno or line)
            lines = {*range(node.lineno, last + 1)} if line <= last else {line}
    return lines


@contextmanager
def copy_of_the_project() -> Iterator[Path]:
    """Yield a folder with a copy of the project: mutants are written there, never here."""
    with tempfile.TemporaryDirectory(prefix="flex-mutation-") as folder:
        for name in COPIED:
            source, target = ROOT / name, Path(folder) / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
            else:
                shutil.copyfile(source, target)
        yield Path(folder)


def replaced(old: CodeType, new: CodeType) -> list[tuple[CodeType, CodeType]] | None:
    """Return the functions, each before and after a change; None when it changed what runs on import."""
    if not old.co_flags & inspect.CO_OPTIMIZED and _shape(old) != _shape(new):
        return None
    pairs = []
    for before, after in zip(_nested(old), _nested(new), strict=False):
        if before == after:
            continue
        within = replaced(before, after)
        if within is None:
            return None
        pairs += ([(before, after)] if before.co_flags & inspect.CO_OPTIMIZED else []) + within
    return pairs


def _nested(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _shape(code: CodeType) -> tuple[object, ...]:
    constants = [(type(each), None if isinstance(each, CodeType) else each) for each in code.co_consts]
    return code.co_code, code.co_names, constants


class Trial:
    """A pytest plugin that, once the tests are collected, tries the mutants instead of running the tests once."""

    def __init__(self, record: Record, tests: list[str], copy: Path, console: Console, timeout: float) -> None:
        self.record, self.tests, self.copy, self.console, self.timeout = record, tests, copy, console, timeout
        self.path = copy / record.module
        self.tree = ast.parse(record.source)
        self.code = compile(record.source, str(self.path), "exec", dont_inherit=True)
        self.failed = "The tests cannot be collected."

    def run(self) -> None:
        """Load the tests and the module from the copy, and try what is left."""
        os.chdir(self.copy)
        os.environ |= {"CI": "1", "PYTHONPATH": str(self.copy), "PYTHONDONTWRITEBYTECODE": "1"}
        sys.path[:] = [str(self.copy), *(path for path in sys.path if path not in {"", str(ROOT)})]
        settings.register_profile("mutants", deadline=None, phases=(Phase.explicit, Phase.generate))
        settings.load_profile("mutants")
        saved, log = (os.dup(1), os.dup(2)), os.open(self.copy / "pytest.log", os.O_CREAT | os.O_WRONLY)
        os.dup2(log, 1), os.dup2(log, 2)
        try:
            pytest.main([*self._options(), "-s", f"--basetemp={self.copy / 'made'}", *self.tests], plugins=[self])
        finally:
            os.dup2(saved[0], 1), os.dup2(saved[1], 2)
        if self.failed:
            self.console.print((self.copy / "pytest.log").read_text()[-4000:], markup=False)
            sys.exit(self.failed)

    def _options(self) -> list[str]:
        """Return how pytest is run; the tests of one folder of the core need nothing that is shared by all."""
        core = ["--confcutdir=tests/domain"] if all(test.startswith("tests/domain/") for test in self.tests) else []
        return [*PYTEST, *core]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn which tests run which lines and how long they take, then try every mutant that is left."""
        gc.unfreeze()
        functions = [each for each in gc.get_objects() if type(each) is FunctionType]
        self.functions = [each for each in functions if each.__code__.co_filename == str(self.path)]
        gc.freeze()
        for test in (getattr(item.obj, "__func__", item.obj) for item in session.items if hasattr(item, "obj")):
            if kept := getattr(test, SETTINGS, None):
                setattr(test, SETTINGS, settings(kept, max_examples=min(kept.max_examples, EXAMPLES)))
        facts, self.failed = self.copy / "facts.json", ""
        if session.testsfailed or self._forked(lambda: self._observe(session, facts), 3600) is not ALIVE:
            self.failed = "The tests fail without any mutant."
            return True
        told = json.loads(facts.read_text())
        self.seconds, self.touching = told["seconds"], {int(line): {*items} for line, items in told["touching"].items()}
        columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as progress:
            for mutant in progress.track(self.record.left(), description=str(self.record.module)):
                try:
                    self._try(session, mutant)
                except KeyboardInterrupt:
                    self.console.print("Stopped. The same command goes on from here.")
                    break
        return True

    def _observe(self, session: pytest.Session, facts: Path) -> int:
        """Run every test once, and write down the lines of the module that it runs and its seconds."""
        seconds = []
        watch = Coverage(data_file=None, config_file=False, include=[str(self.path)], concurrency=WAYS)
        watch.start()
        for number, (item, following) in enumerate(_with_next(session.items)):
            watch.switch_context(str(number))
            started = time.perf_counter()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            seconds.append(time.perf_counter() - started)
        watch.stop()
        lines = watch.get_data().contexts_by_lineno(str(self.path))
        touching = {line: [int(context) for context in contexts if context] for line, contexts in lines.items()}
        facts.write_text(json.dumps({"seconds": seconds, "touching": touching}))
        return KILLED if session.testsfailed else ALIVE

    def _try(self, session: pytest.Session, mutant: Mutant) -> None:
        mutated = mutate_code(self.record.source, plugins.get_operator(mutant.operator)(), mutant.occurrence)
        try:
            code = compile(mutated, str(self.path), "exec", dont_inherit=True)
        except SyntaxError:
            self.record.note(mutant, "same", "no longer Python", mutated)
            return
        pairs = replaced(self.code, code)
        swaps = [(each, new) for old, new in pairs or () for each in self.functions if each.__code__ == old]
        if pairs == []:
            outcome, why = "same", "the same code"
        elif not swaps:  # what runs on import, and has run already
            outcome, why = self._try_on_import(session, mutated)
        else:
            lines = _lines_beside(self.tree, mutant.place[0])
            numbers = set().union(*(self.touching.get(line, set()) for line in lines))
            chosen = sorted(numbers, key=self.seconds.__getitem__)
            alive = self._forked(lambda: self._run(session, chosen, swaps), self.timeout) is ALIVE
            outcome, why = ("survived" if alive else "killed"), f"{len(chosen)} tests run the line"
        self.record.note(mutant, outcome, why, mutated)

    def _run(self, session: pytest.Session, chosen: list[int], swaps: Swaps) -> int:
        for function, code in swaps:
            function.__code__ = code
        for number, following in _with_next(chosen):
            signal.setitimer(signal.ITIMER_REAL, self.timeout + 5 * self.seconds[number])
            item, after = session.items[number], None if following is None else session.items[following]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if session.testsfailed:
                return KILLED
        return ALIVE

    def _try_on_import(self, session: pytest.Session, mutated: str) -> tuple[str, str]:
        """Try a change of what runs on import: it has to load, and pass the quick tests in a new process."""
        name = ".".join(self.record.module.with_suffix("").parts)

        def load() -> int:
            sys.dont_write_bytecode = True
            del sys.modules[name]
            importlib.import_module(name)
            return ALIVE

        self.path.write_text(mutated, encoding="utf-8")
        try:
            if self._forked(load, self.timeout) is not ALIVE:
                return "killed", "it does not load"
            quick = [session.items[number].nodeid for number, taken in enumerate(self.seconds) if taken < QUICK_SECONDS]
            command = [sys.executable, "-m", "pytest", "-x", *self._options(), *quick]
            limit = 10 * self.timeout + 3 * sum(self.seconds)
            alive = subprocess.run(command, check=False, timeout=limit, stdout=1, stderr=2).returncode == ALIVE
        except subprocess.TimeoutExpired:
            alive = False
        finally:
            self.path.write_text(self.record.source, encoding="utf-8")
        return ("survived" if alive else "killed"), "on import"

    @staticmethod
    def _forked(work: Callable[[], int], limit: float) -> int:
        """Return what a piece of work says that is done in a process of its own, KILLED when it takes too long."""
        child = os.fork()
        if not child:
            code = KILLED
            os.setsid()
            signal.setitimer(signal.ITIMER_REAL, limit)  # which nobody handles: it ends the process
            try:
                code = work()
            finally:
                os._exit(code)
        try:
            return KILLED if os.waitpid(child, 0)[1] else ALIVE
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)


def _with_next(items: list[Each]) -> Iterable[tuple[Each, Each | None]]:
    return zip(items, [*items[1:], None], strict=True)


if __name__ == "__main__":
    typer.run(main)
