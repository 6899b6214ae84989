"""The ready configurations for the portal's and the apps' tools, and the pinned browser files."""

from __future__ import annotations

import re

import orjson
import pytest

from app.graphql.contract import FOLDER
from app.graphql.schema import graphql_schema
from app.http.browser_files import GRAPHIQL_FILES, PORTAL_FILES

PACKAGE = orjson.loads((FOLDER / "package.json").read_bytes())
LOCK_TEXT = (FOLDER / "package-lock.json").read_text(encoding="utf-8")
LOCK = orjson.loads(LOCK_TEXT)

TYPED = ["codegen.ts", "apollo-codegen-config.json", "apollo.gradle.kts", "relay.config.json"]
CONFIGS = [*TYPED, "persisted-query-manifest.config.json"]
SOURCES = {"schema.graphql", "operations", "fragments"}

# Scalars that a tool does not know by itself.
OWN_SCALARS = {"Date", "DateTime", "Decimal"}


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


class TestConfigs:
    @pytest.mark.parametrize("name", [name for name in CONFIGS if name.endswith(".json")])
    def test_json_is_json(self, name):
        assert isinstance(orjson.loads(text_of(name)), dict)

    @pytest.mark.parametrize("name", CONFIGS)
    def test_the_paths_that_it_reads_are_there(self, name):
        quoted = {path.removeprefix("./").split("/")[0] for path in re.findall(r'"([\w./*-]+)"', text_of(name))}
        read = quoted & SOURCES
        assert ("schema.graphql" in read) is (name in TYPED)
        assert all((FOLDER / path).exists() for path in read)

    @pytest.mark.parametrize("name", ["codegen.ts", "apollo.gradle.kts", "relay.config.json"])
    def test_every_scalar_of_ours_is_mapped(self, name):
        scalars = {kind.name for kind in graphql_schema.type_map.values() if type(kind).__name__ == "GraphQLScalarType"}
        assert scalars - {"ID", "String", "Int", "Boolean", "Float"} == OWN_SCALARS
        assert {scalar for scalar in OWN_SCALARS if not re.search(rf"\b{scalar}\b", text_of(name))} == set()


class TestSchema:
    def test_the_folder_has_the_schema_of_today(self):
        assert (FOLDER / "schema.graphql").read_bytes() == (FOLDER.parent / "schema.graphql").read_bytes()

    def test_documents_can_be_pasted_into_a_template_literal(self):
        """Relay and others keep them in TypeScript, between backticks."""
        texts = {
            path: path.read_text(encoding="utf-8")
            for kind in ("operations", "fragments")
            for path in (FOLDER / kind).iterdir()
        }
        assert [path.name for path, text in texts.items() if "`" in text or "${" in text or "\\" in text] == []


class TestPinnedPackages:
    def test_the_lock_file_has_a_hash_for_everything_and_no_address(self):
        packages = [package for name, package in LOCK["packages"].items() if name]
        assert packages
        assert all(package["integrity"].startswith("sha512-") for package in packages)
        assert "resolved" not in LOCK_TEXT
        assert "://" not in LOCK_TEXT

    def test_the_page_pins_the_versions_of_the_lock_file(self):
        pinned = {asset.package: asset.version for asset in (*GRAPHIQL_FILES, *PORTAL_FILES)}
        assert pinned == PACKAGE["dependencies"]
        assert pinned == {name: LOCK["packages"][f"node_modules/{name}"]["version"] for name in pinned}

    def test_the_page_asks_for_the_files_that_are_copied(self):
        copied = PACKAGE["flexBilling"]["assets"]
        assert copied == {
            f"node_modules/{asset.package}/{asset.path}": asset.name for asset in (*GRAPHIQL_FILES, *PORTAL_FILES)
        }
