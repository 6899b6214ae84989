"""What lies where: the top of the repository, folders of tests, and words that do not belong."""

from __future__ import annotations

import re

from tests.architecture.source import LEFTOVERS, ROOT, TESTS, files, place, python_files

TOP = {"pyproject.toml", "app", "schema.graphql", "frontend-contract", "tests", "scripts", "README.md"}

# Words are put together here, so that this file does not hold them itself.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
REGISTRY_HOSTS = re.compile(
    "|".join(["pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.(org|com)", "debian" + r"\.org"])
)
DRAWER_NAMES = re.compile(
    r"^(todo|fixme|wip|tmp|temp|old|new|copy|backup|misc|stuff|notes?|utils?|helpers?|exceptions)$"
)

TEXT = {
    ".py",
    ".toml",
    ".txt",
    ".md",
    ".graphql",
    ".json",
    ".html",
    ".css",
    ".js",
    ".mjs",
    ".csv",
    ".sql",
    ".ts",
    ".kts",
}


class TestTree:
    def test_the_top_of_the_repository_holds_the_fixed_list(self):
        seen = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - LEFTOVERS
        assert {name for name in seen if not name.endswith(".egg-info")} == TOP

    def test_every_folder_of_tests_is_a_package(self):
        folders = {path.parent for path in python_files(TESTS)}
        assert [place(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []

    def test_no_file_is_a_drawer_or_a_leftover(self):
        drawers = [place(path) for path in files(ROOT) if DRAWER_NAMES.match(path.stem.lower())]
        assert drawers == []

    def test_nothing_says_that_it_is_unfinished(self):
        unfinished = [
            f"{place(path)}:{number}"
            for path in files(ROOT)
            if path.suffix in TEXT
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
            if UNFINISHED.search(line)
        ]
        assert unfinished == []

    def test_no_file_names_a_package_registry(self):
        hidden = [
            path for path in (ROOT / ".ci" / "run", ROOT / ".gitignore", ROOT / ".gitattributes") if path.exists()
        ]
        named = [
            place(path)
            for path in [*files(ROOT), *hidden]
            if (path.suffix in TEXT or path in hidden)
            and REGISTRY_HOSTS.search(path.read_text(encoding="utf-8", errors="replace"))
        ]
        assert named == []
