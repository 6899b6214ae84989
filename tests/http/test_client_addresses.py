"""Where a request comes from is what the connection says, or a proxy of `FLEX_TRUSTED_PROXIES`; nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.cli.serving import server_config
from app.http.answers import client_address
from app.settings import Settings
from tests.architecture.source import APP, place, python_files

PEER, PROXY, INNER = "198.51.100.1", "10.0.0.1", "10.0.0.2"
CLIENT, SPOOFED = "203.0.113.9", "192.0.2.66"


async def seen(proxies: tuple[str, ...], peer: str, *headers: tuple[str, str]) -> tuple[str | None, str]:
    """The client's address and the scheme that the application sees."""
    scopes: list[Any] = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        scopes.append(scope)

    config = server_config(Settings(trusted_proxies=proxies), application)
    config.load()
    lines = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": lines,
        "client": (peer, 50_000),
        "server": ("127.0.0.1", 8000),
    }

    async def nothing(*_: Any) -> Any:
        return {"type": "http.disconnect"}

    await config.loaded_app(scope, nothing, nothing)
    return client_address(scopes[0]), scopes[0]["scheme"]


def forwarded(*hops: str) -> tuple[str, str]:
    return "x-forwarded-for", ", ".join(hops)


class TestClientAddresses:
    async def test_without_a_proxy_nobody_is_believed(self):
        for name in ("x-forwarded-for", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "client-ip"):
            assert await seen((), PEER, (name, SPOOFED)) == (PEER, "http")
        assert await seen((), PEER, ("forwarded", f"for={SPOOFED};proto=https")) == (PEER, "http")
        assert await seen((), "127.0.0.1", forwarded(SPOOFED), ("x-forwarded-proto", "https")) == ("127.0.0.1", "http")

    async def test_a_stranger_is_not_believed_where_a_proxy_is(self):
        assert await seen((PROXY,), PEER, forwarded(SPOOFED), ("x-forwarded-proto", "https")) == (PEER, "http")

    async def test_a_proxy_tells_the_client_and_the_scheme(self):
        assert await seen((PROXY,), PROXY, forwarded(CLIENT), ("x-forwarded-proto", "https")) == (CLIENT, "https")

    async def test_a_proxy_that_says_nothing_is_the_client(self):
        assert await seen((PROXY,), PROXY) == (PROXY, "http")

    async def test_what_the_client_said_itself_stands_before_the_hop_that_a_proxy_saw(self):
        assert (await seen((PROXY,), PROXY, forwarded(SPOOFED, CLIENT)))[0] == CLIENT
        assert (await seen((PROXY,), PROXY, forwarded("127.0.0.1", PROXY, SPOOFED, CLIENT)))[0] == CLIENT

    async def test_several_proxies_are_passed_over_from_the_last_one_on(self):
        assert (await seen((PROXY, INNER), INNER, forwarded(SPOOFED, CLIENT, PROXY)))[0] == CLIENT
        assert (await seen(("10.0.0.0/8",), INNER, forwarded(SPOOFED, CLIENT, "10.9.9.9", PROXY)))[0] == CLIENT
        assert (await seen((INNER,), INNER, forwarded(CLIENT, PROXY)))[0] == PROXY

    async def test_a_header_sent_twice_does_not_hide_the_hop_that_the_proxy_saw(self):
        address, _ = await seen((PROXY,), PROXY, forwarded(SPOOFED), forwarded(CLIENT))
        assert address == CLIENT

    @pytest.mark.parametrize(
        ("proxies", "peer", "hops", "expected"),
        [
            (("fd00::1",), "fd00::1", ("2001:db8::9",), "2001:db8::9"),
            (("fd00::/8",), "fd00::7", ("2001:db8::66", "2001:DB8::9", "fd00::8"), "2001:db8::9"),
            (("fd00::1",), "fd00::2", ("2001:db8::9",), "fd00::2"),
            ((PROXY,), PROXY, ("2001:db8::9",), "2001:db8::9"),
        ],
    )
    async def test_ipv6_is_no_exception(self, proxies, peer, hops, expected):
        assert (await seen(proxies, peer, forwarded(*hops)))[0] == expected

    @pytest.mark.parametrize(
        "garbage",
        [
            "unknown",
            "",
            "evil.test",
            "' OR 1=1",
            "<script>",
            "999.1.1.1",
            "_hidden",
            "é",
            "a" * 5_000,
            "1.2.3.4.5",
            "::g",
        ],
    )
    async def test_what_is_no_address_is_not_taken_for_one(self, garbage):
        assert (await seen((PROXY,), PROXY, forwarded(garbage)))[0] in {None, PROXY}
        assert (await seen((PROXY,), PROXY, forwarded(SPOOFED, garbage)))[0] in {None, PROXY}
        assert (await seen((PROXY,), PROXY, forwarded(garbage, CLIENT)))[0] == CLIENT


class TestOneReader:
    def test_nothing_else_of_ours_reads_addresses_or_what_proxies_say(self):
        asking = re.compile(
            r"""["']client["']|request\.client|forwarded[-_](?:for|proto|host)|real[-_]ip""", re.IGNORECASE
        )
        places = {place(path) for path in python_files(APP) if asking.search(path.read_text(encoding="utf-8"))}
        assert places - {"app/settings.py"} == {"app/http/answers.py"}
