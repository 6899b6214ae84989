"""The developers' page: what it hands to the browser, where its files come from, and what it keeps to itself."""

from __future__ import annotations

import hashlib
import re
import shutil
from base64 import b64encode

import orjson
import pytest

from app.graphql.contract import Contract, Operation, read_contract
from app.http import graphiql
from app.http.browser_files import GRAPHIQL_FILES, BrowserFile
from app.http.graphiql import GUIDE, Persona, graphiql_page
from app.http.static_files import FOLDER, static_route
from tests.fakes.edge import VIEWER_QUERY, Edge

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ANN = Persona(key="admin", label="Administrator", token="a.b.c", account="AA0101")


def an_operation(name: str, **changes) -> Operation:
    return Operation(**{"name": name, "comment": f"{name} it is.", "document": VIEWER_QUERY, "variables": {}} | changes)


def config_of(page: str) -> dict:
    (text,) = re.findall(r'<script type="application/json" id="graphiql-config">(.*?)</script>', page, re.DOTALL)
    return orjson.loads(text)


@pytest.fixture
def folder(tmp_path):
    """Our own static files, and none of others."""
    return shutil.copytree(FOLDER, tmp_path / "static", ignore=shutil.ignore_patterns("vendor"))


@pytest.fixture
def vendored(folder, monkeypatch):
    """The same with stand-ins for the files of others, whose hashes are expected."""
    (folder / "vendor").mkdir()
    assets = []
    for asset in GRAPHIQL_FILES:
        content = asset.name.encode()
        (folder / "vendor" / asset.name).write_bytes(content)
        integrity = "sha384-" + b64encode(hashlib.sha384(content).digest()).decode()
        assets.append(BrowserFile(asset.name, asset.package, asset.version, asset.path, integrity))
    monkeypatch.setattr(graphiql, "GRAPHIQL_FILES", tuple(assets))
    return folder


async def shown(tmp_path, folder, *, contract=None, personas=(), is_sandbox=False):
    page = graphiql_page(contract=contract or Contract(), personas=personas, is_sandbox=is_sandbox, folder=folder)
    async with Edge(tmp_path, developer_page=page).client(has_token=False) as client:
        return await client.get("/graphql", headers=BROWSER)


class TestPage:
    async def test_a_browser_gets_the_page_and_a_program_the_api(self, tmp_path, folder):
        page = graphiql_page(contract=Contract(), folder=folder)
        async with Edge(tmp_path, developer_page=page).client() as client:
            seen = await client.get("/graphql", headers=BROWSER)
            asked = await client.post("/graphql", json={"query": VIEWER_QUERY}, headers=BROWSER)
        assert seen.headers["content-type"] == "text/html; charset=utf-8"
        assert seen.text.startswith("<!doctype html>")
        assert asked.json()["data"] == {"viewer": {"role": "ADMIN"}}

    async def test_without_a_page_a_browser_is_told_how_to_ask(self, tmp_path):
        async with Edge(tmp_path, is_sandbox=False).client(has_token=False) as client:
            seen = await client.get("/graphql", headers=BROWSER)
        assert (seen.status_code, seen.json()["errors"][0]["extensions"]["code"]) == (405, "METHOD_NOT_ALLOWED")

    async def test_it_is_the_same_however_often_it_is_compressed(self, tmp_path, folder):
        page = graphiql_page(contract=read_contract(), folder=folder)
        async with Edge(tmp_path, developer_page=page).client() as client:
            first, second = [await client.get("/graphql", headers=BROWSER) for _ in range(2)]
        assert first.headers["content-encoding"] == second.headers["content-encoding"] == "gzip"
        assert first.text == second.text

    async def test_tabs_are_the_contracts_operations_by_screen_in_the_order_of_the_guide(self, tmp_path, folder):
        operations = (
            an_operation("AnotherShow"),
            an_operation("InvoiceShow", variables={"id": "inv_latest"}),
            an_operation("SummaryShow"),
        )
        config = config_of((await shown(tmp_path, folder, contract=Contract(operations))).text)
        assert [group["screen"] for group in config["groups"]] == ["Summary", "Invoices", "More"]
        summary, invoice, another = [tab for group in config["groups"] for tab in group["tabs"]]
        assert (summary["name"], summary["query"]) == ("SummaryShow", VIEWER_QUERY)
        assert (invoice["name"], invoice["variables"]) == ("InvoiceShow", {"id": "inv_latest"})
        assert (another["name"], another["about"]) == ("AnotherShow", "AnotherShow it is.")

    @pytest.mark.parametrize("is_sandbox", [True, False])
    async def test_the_sandboxs_pages_and_clock_are_offered_there_alone(self, tmp_path, folder, is_sandbox):
        config = config_of((await shown(tmp_path, folder, is_sandbox=is_sandbox)).text)
        assert bool(config["pages"]) is bool(config["clock"]) is is_sandbox

    async def test_another_contract_has_another_place_in_the_browsers_storage(self, tmp_path, folder):
        one = config_of((await shown(tmp_path, folder, contract=Contract((an_operation("A"),)))).text)
        two = config_of((await shown(tmp_path, folder, contract=Contract((an_operation("B", document="{ a }"),)))).text)
        assert one["storage"] != two["storage"]

    async def test_personas_are_handed_over_as_they_are(self, tmp_path, folder):
        config = config_of((await shown(tmp_path, folder, personas=[ANN])).text)
        assert config["personas"] == [{"key": "admin", "label": "Administrator", "account": "AA0101", "token": "a.b.c"}]

    async def test_nothing_in_the_data_can_end_its_element(self, tmp_path, folder):
        text = "query A { a } # </script><script>alert(1)</script> <!-- \u2028"
        seen = await shown(tmp_path, folder, contract=Contract((an_operation("A", document=text),)))
        assert "alert(1)</script>" not in seen.text
        assert "\u2028" not in seen.text
        assert config_of(seen.text)["groups"][0]["tabs"][0]["query"] == text

    def test_every_operation_of_the_contract_is_in_the_guide_once(self):
        assert sorted(name for _, steps in GUIDE for name, _ in steps) == [
            operation.name for operation in read_contract().operations
        ]


class TestFilesOfOthers:
    async def test_copied_files_are_taken_from_here_and_nothing_else_may_be(self, tmp_path, vendored):
        seen = await shown(tmp_path, vendored)
        assert "//" not in seen.text.replace("<!doctype html>", "")
        assert seen.headers["content-security-policy"].split("; ")[:3] == [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
        ]

    @pytest.mark.parametrize("fault", ["missing", "of another version"])
    async def test_otherwise_the_page_names_each_file_with_its_hash(self, tmp_path, vendored, fault):
        first = vendored / "vendor" / GRAPHIQL_FILES[0].name
        first.unlink() if fault == "missing" else first.write_text("another")
        seen = await shown(tmp_path, vendored)
        policy = seen.headers["content-security-policy"]
        for asset in graphiql.GRAPHIQL_FILES:
            assert f'"{asset.address}" integrity="{asset.integrity}" crossorigin="anonymous"' in seen.text
            assert asset.address in policy
        assert set(re.findall(r"https://[^/]+/", policy)) == {"https://cdn.jsdelivr.net/"}

    async def test_our_own_script_runs_from_a_file_only(self, tmp_path, folder):
        seen = await shown(tmp_path, folder)
        inline = re.findall(r"<script(?![^>]*src=)([^>]*)>", seen.text)
        assert inline == [' type="application/json" id="graphiql-config"']
        assert "on" not in {name[:2] for name in re.findall(r"\s([a-z]+)=", seen.text)}


class TestStaticFiles:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("graphiql_boot.js", "text/javascript; charset=utf-8"),
            ("graphiql.css", "text/css; charset=utf-8"),
            ("favicon.svg", "image/svg+xml"),
        ],
    )
    async def test_files_are_served_without_a_token_and_asked_for_again_by_their_mark(self, tmp_path, name, kind):
        async with Edge(tmp_path, routes=[static_route()]).client(has_token=False) as client:
            seen = await client.get(f"/static/{name}")
            again = await client.get(f"/static/{name}", headers={"if-none-match": seen.headers["etag"]})
        assert (seen.status_code, seen.headers["content-type"]) == (200, kind)
        assert (seen.headers["cache-control"], seen.headers["x-content-type-options"]) == ("no-cache", "nosniff")
        assert (again.status_code, again.content, again.headers["cache-control"]) == (304, b"", "no-cache")

    @pytest.mark.parametrize("name", ["nothing.js", "", "../graphql/schema.py", "%2e%2e/main.py", "vendor"])
    async def test_whatever_is_no_file_there_is_not_found(self, tmp_path, name):
        async with Edge(tmp_path, routes=[static_route()]).client(has_token=False) as client:
            seen = await client.get(f"/static/{name}")
        assert (seen.status_code, seen.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")
