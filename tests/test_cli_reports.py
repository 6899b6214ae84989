"""The accountant's commands as people use them: tables to read, CSV for spreadsheets, and months not over."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests import test_cli
from tests.services.accountant import rows

cli, sandbox = test_cli.cli, test_cli.sandbox

BY = ("--actor", "ann", "--reason", "Ticket 1")
REPORTS = ("month", "journal", "taxes", "reconcile")


@pytest.fixture
def company(sandbox):
    """Two invoices of an account without a card, in February 1999; a gateway of its own, ended afterwards."""
    assert sandbox("clock", "advance", "--to", "1999-02-01 07:00").code == 0
    assert sandbox("run-due").code == 0
    yield sandbox
    assert sandbox("gateway", "--stop").code == 0


class TestEveryReport:
    @pytest.mark.parametrize("name", [*REPORTS, "aging"])
    def test_explains_itself(self, cli, name):
        ended = cli("report", name, "--help")
        assert (ended.code, "Usage: flex-billing report" in ended.out) == (0, True)

    def test_marks_a_month_that_is_not_over_and_refuses_one_that_has_not_begun(self, company):
        for name in REPORTS:
            shown = company("report", name, "1999-02")
            assert (shown.code, "1999-02 (not closed: figures to date)" in shown.out) == (0, True), shown
            found = rows(company("report", name, "1999-02", "--csv").out)
            assert {row["is_closed"] for row in found} == {"no"}
            refused = company("report", name, "1999-03")
            assert (refused.code, refused.out) == (2, "")
            assert refused.err == "1999-03 has not begun: it can be reported on from 1999-03-01 on.\n"
            mistyped = company("report", name, "March")
            assert (mistyped.code, "'March' is not a month." in mistyped.err) == (2, True)

    def test_of_a_month_that_is_over_is_not_marked(self, company):
        for name in REPORTS:
            assert "not closed" not in company("report", name, "1999-01").out


class TestMonth:
    def test_the_month_report_has_the_gateway_s_settlements(self, company):
        assert "settlements matched" in company("report", "month", "1999-02").out


class TestJournal:
    def test_shows_entries_and_what_they_make_of_open_invoices_and_credit(self, company):
        lines = company("report", "journal", "1999-02").out.splitlines()

        assert lines[0] == "journal, 1999-02 (not closed: figures to date)"
        assert lines[1].split()[-5:] == ["invoice", "payment", "kind", "debit", "credit", "amount"][-5:]
        assert lines[2].split()[4:] == ["AA0101", "100001", "INVOICED", "RECEIVABLE", "REVENUE", "$139.00"]
        assert " ".join(lines[-4].split()) == "closing $278.00 $278.00"
        assert " ".join(lines[-3].split()) == "open invoices $278.00"
        assert " ".join(lines[-1].split()) == "credit set against invoices $0.00 $0.00"

    def test_csv_is_the_same_bytes_in_every_run_and_has_plain_figures(self, company):
        assert company("staff", "grant-credit", "AA0101", "12.50", "--reference", "=G", *BY).code == 0
        first, second = (company("report", "journal", "1999-02", "--csv") for _ in range(2))

        assert (first.code, first.out) == (0, second.out)
        granted = rows(first.out)[-2]
        assert (granted["kind"], granted["amount"], granted["credit"]) == (
            "GOODWILL_GRANTED",
            "12.50",
            "CUSTOMER_CREDIT",
        )

    def test_names_each_figure_and_account_that_documents_do_not_bear_out(self, company, tmp_path):
        with closing(sqlite3.connect(next((tmp_path / "data").glob("*.db")))) as opened:
            opened.execute(
                "INSERT INTO payment SELECT 'pay_1', id, 'CHECK', 100, 'C1', '1999-02-01', '1999-02-01 16:00:00.000000'"
                " FROM account"
            )
            opened.commit()
        ended = company("report", "journal", "1999-02", "--csv")

        assert ended.code == 1
        assert ended.err.splitlines() == [
            "payments: $0.00 by the journal, -$1.00 by documents.",
            "closing: $278.00 by the journal, $277.00 by documents.",
            "AA0101: $278.00 by the journal, $277.00 by documents.",
        ]


class TestTaxes:
    def test_are_shown_with_the_line_that_holds_them_against_the_journal(self, company):
        tax = ("staff", "set-taxes", "AA0101", "--tax", "City tax=8.25", "--from", "1999-03-01", *BY)
        assert company(*tax).code == 0
        assert company("clock", "advance", "--to", "1999-03-01 07:00").code == 0
        assert company("run-due").code == 0
        shown = company("report", "taxes", "1999-03")

        assert shown.code == 0
        assert [" ".join(line.split()) for line in shown.out.splitlines()[1:]] == [
            "tax rate percent taxable base exempt base tax charged base given back tax given back",
            "City tax 8.25 % $139.00 $0.00 $11.47 $0.00 $0.00",
            "City tax exempt $0.00 $0.00 $0.00 $0.00 $0.00",
            "Tax payable changed by $11.47 in the journal, and by $11.47 on these invoices.",
        ]

    def test_a_month_without_a_tax_is_exempt_altogether(self, company):
        ended = company("report", "taxes", "1999-02", "--csv")
        assert rows(ended.out) == [
            {
                "month": "1999-02",
                "tax": "",
                "rate_percent": "",
                "taxable_base": "0.00",
                "exempt_base": "278.00",
                "tax_charged": "0.00",
                "base_given_back": "0.00",
                "tax_given_back": "0.00",
                "is_closed": "no",
            }
        ]
        assert ended.err == "Tax payable changed by $0.00 in the journal, and by $0.00 on these invoices.\n"

    def test_another_amount_in_the_journal_ends_with_exit_1(self, company, tmp_path):
        with closing(sqlite3.connect(next((tmp_path / "data").glob("*.db")))) as opened:
            opened.execute(
                "INSERT INTO ledger_posting SELECT account_id, 99, 'TAX_INVOICED', 'RECEIVABLE', 'TAX_PAYABLE', 5,"
                " invoice_id, NULL, NULL, posted_at FROM ledger_posting WHERE seq = 1"
            )
            opened.commit()
        ended = company("report", "taxes", "1999-02")
        assert (ended.code, "changed by $0.05 in the journal, and by $0.00 on these" in ended.out) == (1, True)


class TestAging:
    def test_shows_accounts_and_totals_as_of_today_unless_told(self, company):
        lines = company("report", "aging").out.splitlines()

        assert lines[0] == "open as of 1999-02-01 (not closed: figures to date)"
        assert lines[2].split() == ["AA0101", "$0.00", "$278.00", "$0.00", "$0.00", "$0.00", "$278.00", "$0.00"]
        assert lines[3].split() == ["all", *lines[2].split()[1:]]
        (row,) = rows(company("report", "aging", "--csv").out)
        assert (row["account"], row["days_0_30"], row["open"], row["is_closed"]) == ("AA0101", "278.00", "278.00", "no")

    def test_of_a_past_day_is_not_marked_and_one_in_the_future_is_refused(self, company):
        assert company("report", "aging", "--as-of", "1999-01-31").out.startswith("open as of 1999-01-31\n")
        refused = company("report", "aging", "--as-of", "1999-02-02")
        sentence = "1999-02-02 is in the future: what is open can be told as of 1999-02-01 at the latest.\n"
        assert (refused.code, refused.out, refused.err) == (2, "", sentence)
        assert "is not a date" in company("report", "aging", "--as-of", "soon").err


class TestReconcile:
    def test_says_that_everything_agrees(self, company):
        ended = company("report", "reconcile", "1999-02")

        assert (ended.code, ended.out.splitlines()[-1]) == (0, "Everything agrees.")
        totals = rows(company("report", "reconcile", "1999-02", "--csv").out)
        assert [(row["flow"], row["what"], row["gateway_amount"]) for row in totals] == [
            ("sales", "total", "0.00"),
            ("sales voided or returned", "total", "0.00"),
            ("refunds", "total", "0.00"),
            ("disputes lost", "total", "0.00"),
            ("disputes opened", "total", "0.00"),
        ]

    def test_names_each_difference_and_ends_with_exit_1(self, company, tmp_path):
        with closing(sqlite3.connect(next((tmp_path / "data").glob("*.db")))) as opened:
            opened.execute(
                "INSERT INTO payment SELECT 'pay_1', id, 'CARD', 100, '=t1', '1999-02-01', '1999-02-01 16:00:00.000000'"
                " FROM account"
            )
            opened.execute(
                "INSERT INTO ledger_posting SELECT id, 9, 'PAYMENT_RECEIVED', 'CASH', 'RECEIVABLE', 100, NULL, 'pay_1',"
                " NULL, '1999-02-01 16:00:00.000000' FROM account"
            )
            opened.commit()
        shown, written = (company("report", "reconcile", "1999-02", *option) for option in ((), ("--csv",)))

        assert (shown.code, shown.err) == (1, "1 difference found.\n")
        assert "in the journal alone" in shown.out
        difference = rows(written.out)[-1]
        assert {name: value for name, value in difference.items() if value} == {
            "month": "1999-02",
            "flow": "sales",
            "what": "in the journal alone",
            "id": "'=t1",
            "account": "AA0101",
            "journal_amount": "1.00",
            "our_at": "1999-02-01 08:00:00",
            "is_closed": "no",
        }
