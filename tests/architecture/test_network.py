"""The guard of conftest.py itself: tests speak to this machine and to no other."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from tests.conftest import NetworkForbidden


async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"here")
    writer.close()
    await writer.wait_closed()


class TestNetwork:
    @pytest.mark.parametrize("host", ["192.0.2.1", "billing.example", "2001:db8::1"])
    def test_a_connection_to_another_machine_is_refused(self, host):
        with pytest.raises(NetworkForbidden, match="start a local server instead"):
            socket.create_connection((host, 80))

    def test_a_datagram_to_another_machine_is_refused(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, pytest.raises(NetworkForbidden):
            sender.sendto(b"x", ("192.0.2.1", 53))

    async def test_an_asynchronous_connection_to_another_machine_is_refused(self):
        with pytest.raises(NetworkForbidden):
            await asyncio.open_connection("192.0.2.1", 80)

    async def test_loopback_is_open(self):
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("localhost", port)
            assert await reader.read() == b"here"
            writer.close()
            await writer.wait_closed()

    async def test_unix_sockets_are_open(self, tmp_path: Path):
        async with await asyncio.start_unix_server(answer, tmp_path / "s"):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
            assert await reader.read() == b"here"
            writer.close()
            await writer.wait_closed()
