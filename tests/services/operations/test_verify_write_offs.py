"""`verify` folds every write-off again: the lines that stand for it, and the money that should have recovered it."""

from __future__ import annotations

import pytest

from app.domain.ledger import Posting
from app.services.adjustments.write_off import write_off_invoice
from app.services.payments import receive_money
from tests.services.books import differences, tamper
from tests.services.staff import WHY, balances, by_ann, credit
from tests.world import ACCOUNT, World, pacific


@pytest.fixture
async def written_off(world: World) -> World:
    """$139.00 of July, written off."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 10, 12))
    await write_off_invoice(world.services, by_ann(), invoice_number=100_001, **WHY)
    return world


class TestWriteOffs:
    async def test_agree_with_the_lines_that_stand_for_them(self, written_off):
        await written_off.pay(39_00)

        assert balances(written_off.database)[100_001] == ("UNCOLLECTIBLE", 0)
        assert await differences(written_off.database) == []

    async def test_without_their_lines_are_told(self, written_off):
        tamper(written_off.database, "DELETE FROM write_off_share")

        assert await differences(written_off.database) == [
            (
                ACCOUNT,
                "invoice 100001, lines of posting 2",
                "none",
                "line 1 of invoice 100001 13900 and [] cents",
            )
        ]

    async def test_that_money_did_not_recover_are_told(self, written_off, monkeypatch):
        async def nothing(*_: object) -> list[Posting]:
            return []

        monkeypatch.setattr(receive_money, "_recover", nothing)
        await written_off.pay(39_00)
        assert credit(written_off.database) == 39_00

        assert await differences(written_off.database) == [
            (
                ACCOUNT,
                "posting 3, credit beside the write-off of invoice 100001",
                "$39.00 of credit",
                "$39.00 recovered",
            )
        ]
