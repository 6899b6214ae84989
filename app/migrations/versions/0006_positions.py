"""Positions: taxes that belong to lines, lists of taxes, and the lines that stand for a write-off.

Lines of engine 1 get the shares that its one tax line implies, and write-offs made before get their lines: each once,
by the very functions that engine 2 reads them with. No figure that an invoice shows changes.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-30 08:40:00+00:00
"""

from __future__ import annotations

import json
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.domain.billed_lines import WriteOffEntry, WriteOffShare
from app.domain.engine_1 import derived_taxes
from app.domain.invoice_lines import InvoiceLine, LineKind, TaxShare
from app.domain.money import UnitPrice
from app.domain.periods import Period
from app.domain.position_fold import Document, fold
from app.domain.write_offs import write_off_shares
from app.migrations import triggers
from app.migrations.rebuild import one_of, replace_constraints

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OLD_LINE_KINDS = (
    "BASE",
    "BASE_REVERSAL",
    "ADD_ON",
    "ADDITIONAL_LINE",
    "OVERAGE",
    "PATCH",
    "IVR",
    "ADJUSTMENT",
    "CHARGE",
    "LATE_FEE",
    "CORRECTION",
    "TAX",
)
LINE_KINDS = (*OLD_LINE_KINDS, "CREDIT_KEPT")
OLD_POSTING_KINDS = (
    "INVOICED",
    "TAX_INVOICED",
    "CREDIT_GRANTED",
    "TAX_CREDITED",
    "CREDIT_APPLIED",
    "CREDIT_PAID_OUT",
    "PAYMENT_RECEIVED",
    "OVERPAID",
    "PREPAID",
    "GOODWILL_GRANTED",
    "VOIDED",
    "TAX_VOIDED",
    "CREDIT_RESTORED",
    "WRITTEN_OFF",
    "REFUNDED",
    "CHARGED_BACK",
    "RETURNED",
)
POSTING_KINDS = (
    *OLD_POSTING_KINDS,
    "REVERSED",
    "TAX_REVERSED",
    "REVERSAL_VOIDED",
    "TAX_REVERSAL_VOIDED",
    "WRITE_OFF_RECOVERED",
)
TABLES_OF_LINE_KINDS = ("invoice_line", "add_on_version", "extra_charge")
SHARES_APPEND_ONLY = (
    triggers.Freeze("write_off_share", "UPDATE", "write_off_share is append-only"),
    triggers.Freeze("write_off_share", "DELETE", "write_off_share is append-only"),
)
RATE_SCALE = 100
"""What a rate in ten-thousandths of the amount, as before, is multiplied by: now they are in those of a per cent."""

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql")


def upgrade() -> None:
    """Bring the database to this revision."""
    for table in TABLES_OF_LINE_KINDS:
        replace_constraints(table, {f"ck_{table}_line_kind": one_of("kind", *LINE_KINDS)})
    replace_constraints("ledger_posting", {"ck_ledger_posting_posting_kind": one_of("kind", *POSTING_KINDS)})
    op.add_column("invoice_line", sa.Column("taxes", JSON, nullable=True))
    op.create_table(
        "tax_list",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("rates", JSON, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_tax_list_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "valid_from", name=op.f("pk_tax_list")),
    )
    _create_write_off_share()
    _list_taxes()
    op.drop_table("tax_rate")
    _share_taxes()
    _share_write_offs()
    for freeze in SHARES_APPEND_ONLY:
        triggers.add(freeze)


def downgrade() -> None:
    """Take the database back to the revision before; it must hold nothing that only this one knows."""
    for freeze in SHARES_APPEND_ONLY:
        triggers.drop(freeze)
    op.drop_index(op.f("ix_write_off_share_account_id_period_on"), "write_off_share")
    op.drop_table("write_off_share")
    op.create_table(
        "tax_rate",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ten_thousandths", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_tax_rate_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "valid_from", name=op.f("pk_tax_rate")),
    )
    _name_one_tax()
    op.drop_table("tax_list")
    op.drop_column("invoice_line", "taxes")
    replace_constraints("ledger_posting", {"ck_ledger_posting_posting_kind": one_of("kind", *OLD_POSTING_KINDS)})
    for table in TABLES_OF_LINE_KINDS:
        replace_constraints(table, {f"ck_{table}_line_kind": one_of("kind", *OLD_LINE_KINDS)})


def _create_write_off_share() -> None:
    posting = ["ledger_posting.account_id", "ledger_posting.seq"]
    op.create_table(
        "write_off_share",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("write_off_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("period_on", sa.Date(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("tax_cents", JSON, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_write_off_share_account_id_account")),
        sa.ForeignKeyConstraint(
            ["account_id", "seq"], posting, name=op.f("fk_write_off_share_account_id_seq_ledger_posting")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "write_off_seq"],
            posting,
            name=op.f("fk_write_off_share_account_id_write_off_seq_ledger_posting"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id", "position"],
            ["invoice_line.invoice_id", "invoice_line.position"],
            name=op.f("fk_write_off_share_invoice_id_position_invoice_line"),
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "seq", "invoice_id", "position", "write_off_seq", name=op.f("pk_write_off_share")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_write_off_share_account_id_period_on"), "write_off_share", ["account_id", "period_on"], unique=False
    )


def _list_taxes() -> None:
    """Make a list of each dated rate; a rate of zero is a list without any."""
    rows = op.get_bind().execute(sa.text("SELECT account_id, valid_from, name, ten_thousandths FROM tax_rate")).all()
    for account_id, valid_from, name, rate in rows:
        rates = [{"name": name, "rate": rate * RATE_SCALE, "kinds": []}] if rate else []
        statement = sa.text("INSERT INTO tax_list (account_id, valid_from, rates) VALUES (:account, :since, :rates)")
        values = {"account": account_id, "since": valid_from, "rates": rates}
        op.get_bind().execute(statement.bindparams(sa.bindparam("rates", type_=JSON)), values)


def _name_one_tax() -> None:
    rows = op.get_bind().execute(sa.text("SELECT account_id, valid_from, rates FROM tax_list")).all()
    for account_id, valid_from, rates in rows:
        first: dict[str, Any] = next(iter(_read_json(rates)), {"name": "Tax", "rate": 0})
        op.get_bind().execute(
            sa.text("INSERT INTO tax_rate VALUES (:account, :since, :name, :rate)"),
            {"account": account_id, "since": valid_from, "name": first["name"], "rate": first["rate"] // RATE_SCALE},
        )


def _share_taxes() -> None:
    """Give each line of a taxed invoice its share of the tax; its lines are frozen, so the trigger makes way."""
    triggers.remove("invoice_line")
    for _, documents in groupby(_documents("WHERE kind = 'TAX'"), key=lambda found: found[0]):
        for _, invoice_id, _, lines in documents:
            for place, shares in enumerate(derived_taxes([line for _, line in lines]), start=1):
                if shares:
                    op.get_bind().execute(
                        sa.text(
                            "UPDATE invoice_line SET taxes = :taxes WHERE invoice_id = :invoice AND position = :place"
                        ).bindparams(sa.bindparam("taxes", type_=JSON)),
                        {"taxes": [list(share) for share in shares], "invoice": invoice_id, "place": place},
                    )
    triggers.install("invoice_line")


def _share_write_offs() -> None:
    """Give each write-off the lines that stand for it, as what was still billed when it was made has them."""
    which = "WHERE account_id IN (SELECT account_id FROM ledger_posting WHERE kind = 'WRITTEN_OFF')"
    for account_id, found in groupby(_documents(which), key=lambda found: found[0]):
        issued = [(document, invoice_id) for _, invoice_id, document, _ in found]
        ids = {document.number: invoice_id for document, invoice_id in issued}
        numbers = {invoice_id: document.number for document, invoice_id in issued}
        entries: list[WriteOffEntry] = []
        for seq, invoice_id, cents in _write_offs(account_id):
            seen = [document for document, _ in issued if document.ledger_watermark < seq]
            shares = write_off_shares(fold(seen, entries), numbers[invoice_id], cents, seq)
            entries.append(WriteOffEntry(seq, shares))
            for share in shares:
                _insert_share(account_id, ids[share.ref.number], share)


def _write_offs(account_id: str) -> Iterable[Any]:
    statement = sa.text(
        "SELECT seq, invoice_id, amount_cents FROM ledger_posting WHERE account_id = :account AND kind = 'WRITTEN_OFF' "
        "ORDER BY seq"
    )
    return op.get_bind().execute(statement, {"account": account_id}).all()


def _insert_share(account_id: str, invoice_id: str, share: WriteOffShare) -> None:
    statement = sa.text(
        "INSERT INTO write_off_share "
        "(account_id, seq, invoice_id, position, write_off_seq, period_on, cents, tax_cents) "
        "SELECT :account, :seq, :invoice, :place, :seq, period_on, :cents, :taxes FROM invoice_line "
        "WHERE invoice_id = :invoice AND position = :place"
    ).bindparams(sa.bindparam("taxes", type_=JSON))
    values = {"account": account_id, "seq": share.seq, "invoice": invoice_id, "place": share.ref.position}
    op.get_bind().execute(statement, values | {"cents": share.cents, "taxes": list(share.taxes)})


def _documents(which: str) -> Iterator[tuple[str, str, Document, tuple[tuple[int, InvoiceLine], ...]]]:
    """Yield issued invoices that are not void, by account and number: account, id, document, and all of its lines."""
    statement = sa.text(
        "SELECT l.account_id, l.invoice_id, i.number, i.ledger_watermark, l.position, l.kind, l.period_on, l.unit, "  # noqa: S608
        "l.unit_price, l.amount_cents, l.inputs, l.taxes FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id "
        "WHERE i.status NOT IN ('VOID', 'DRAFT') AND l.invoice_id IN (SELECT invoice_id FROM invoice_line "
        f"{which}) ORDER BY l.account_id, i.number, l.position"
    )
    rows = op.get_bind().execute(statement).all()
    for (account_id, invoice_id, number, watermark), found in groupby(rows, key=lambda row: tuple(row[:4])):
        lines = tuple((row[4], _line(row[5:])) for row in found)
        yield account_id, invoice_id, Document(number, watermark, lines), lines


def _line(columns: Sequence[Any]) -> InvoiceLine:
    kind, period_on, unit, unit_price, amount_cents, inputs, taxes = columns
    on = period_on if isinstance(period_on, date) else date.fromisoformat(period_on)
    shares = tuple(TaxShare(*share) for share in _read_json(taxes) or ())
    price, given = UnitPrice(unit_price), _read_json(inputs) or {}
    return InvoiceLine(LineKind(kind), Period.containing(on), 1, unit, price, amount_cents, 0, given, shares)


def _read_json(value: Any) -> Any:  # noqa: ANN401 -- whatever a JSON column holds; text on SQLite
    return json.loads(value) if isinstance(value, str) else value
