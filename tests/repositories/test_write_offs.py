"""Write-offs and what recovers them, on both engines: each share is kept, and the status follows what is missing."""

from __future__ import annotations

import pytest

from app.domain.billed_lines import LineRef, WriteOffShare
from app.domain.invoice_drafts import InvoiceStatus
from app.repositories.database import Database
from app.repositories.write_offs import UnrecoveredInvoice
from app.services.adjustments.refund_payment import refund_payment
from app.services.adjustments.write_off import write_off_invoice
from tests.services.staff import WHY, by_ann
from tests.till import VISA, Till
from tests.world import World

FIRST = 100_001


@pytest.fixture
async def till(migrated_url, gateway):
    """An account whose first invoice was paid by card and is settled."""
    database = Database.open(migrated_url)
    till = Till(await World.create(database, payments=gateway.payments()), gateway)
    await till.world.add_account()
    await till.add_card(VISA)
    await till.world.close_now()
    await till.collect()
    gateway.settle()
    yield till
    assert await till.world.differences() == []
    await database.close()


async def refund(till: Till, cents: int) -> None:
    given = {"invoice_number": FIRST, "amount_cents": cents, "reference": till.world.ids.new("r")}
    await refund_payment(till.world.services, by_ann(), **given, **WHY)


async def write_off(till: Till) -> None:
    await write_off_invoice(till.world.services, by_ann(), invoice_number=FIRST, **WHY)


async def status(till: Till) -> InvoiceStatus:
    return (await till.world.issued())[0].status


async def missing(till: Till) -> list[UnrecoveredInvoice]:
    (invoice,) = await till.world.issued()
    found = await till.read(lambda uow: uow.write_offs.unrecovered(invoice.account_id))
    assert found == await till.read(lambda uow: uow.write_offs.unrecovered(invoice.account_id, invoice.id))
    return found


def share(seq: int, cents: int) -> tuple[WriteOffShare, ...]:
    return (WriteOffShare(seq, FIRST, LineRef(FIRST, 1), cents),)


async def test_two_write_offs_of_one_line_are_recovered_by_one_payment_and_each_share_is_kept(till):
    (invoice,) = await till.world.issued()
    assert not await till.read(lambda uow: uow.write_offs.stand_on(invoice.id))
    await refund(till, 20_00)
    await write_off(till)
    await refund(till, 19_00)
    await write_off(till)
    assert await missing(till) == [UnrecoveredInvoice(invoice.id, FIRST, 39_00)]
    assert await till.read(lambda uow: uow.write_offs.stand_on(invoice.id))

    await till.world.pay(40_00)

    entries = await till.read(lambda uow: uow.write_offs.list_for_account(invoice.account_id))
    assert [(entry.seq, entry.shares) for entry in entries] == [
        (4, share(4, 20_00)),
        (6, share(6, 19_00)),
        (7, share(4, -20_00) + share(6, -19_00)),
    ]
    assert (await missing(till), await status(till)) == ([], InvoiceStatus.PAID)


async def test_an_invoice_is_uncollectible_until_all_that_was_written_off_is_recovered(till):
    await refund(till, 20_00)
    await write_off(till)
    await refund(till, 19_00)
    assert await status(till) is InvoiceStatus.OPEN

    await till.world.pay(19_00)
    assert await status(till) is InvoiceStatus.UNCOLLECTIBLE
    await till.world.pay(19_99)
    assert await status(till) is InvoiceStatus.UNCOLLECTIBLE
    await till.world.pay(1)
    assert await status(till) is InvoiceStatus.PAID
