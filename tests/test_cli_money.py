"""The commands about money and about the database as a whole, as people use them."""

from __future__ import annotations

import pytest

from tests import test_cli

cli, sandbox = test_cli.cli, test_cli.sandbox

BY = ("--actor", "ann", "--reason", "Ticket 1")
REFUND = ("staff", "refund", "AA0101", "--invoice", "100001", "--amount", "10.00", "--reference", "R1", *BY)


@pytest.fixture
def company(sandbox):
    """Two invoices of an account without a card; a gateway of its own, ended afterwards."""
    assert sandbox("clock", "advance", "--to", "1999-02-01 07:00").code == 0
    assert sandbox("run-due").code == 0
    yield sandbox
    assert sandbox("gateway", "--stop").code == 0


class TestRefund:
    def test_what_was_never_charged_is_told_in_a_sentence(self, company):
        ended = company(*REFUND)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err == "Nothing of invoice 100001 is refundable: no charge of it was paid.\n"


class TestSweep:
    def test_says_what_it_found(self, company):
        ended = company("sweep")
        assert ended.code == 0
        assert ended.out.startswith("0 settled, 0 returned by a bank, 0 voided, 0 not settled yet")


class TestRestore:
    def test_backup_restore_reconcile(self, company, tmp_path):
        file = str(tmp_path / "flex.backup")
        ended = company("backup", file)
        assert (ended.code, "holds the whole database" in ended.out) == (0, True)
        again = company("backup", file)
        assert (again.code, "no backup is written over" in again.err) == (2, True)
        assert company("clock", "advance", "--to", "1999-03-01 07:00").code == 0
        assert "1 monthly invoice issued" in company("run-due").out
        restored = company("restore", file)
        assert "The next invoice gets number 100004." in restored.out
        assert company("verify").code == 0
        assert "1 monthly invoice issued" in company("run-due").out
        late = company("reconcile", "--since", "1999-03-01")
        assert (late.code, "The restored data ends at" in late.err) == (2, True)
        lifted = company("reconcile", "--since", "1999-01-15")
        assert (lifted.code, "money moves again" in lifted.out) == (0, True)
        assert company("verify").code == 0

    def test_bad_files_and_missing_numbers(self, company, tmp_path):
        bad = tmp_path / "bad"
        bad.write_bytes(b"nothing of use")
        for arguments, sentence in (
            (("restore", str(bad)), "is no backup of this program"),
            (("restore", str(tmp_path / "missing")), "is no backup of this program"),
            (("restore",), "Name a backup"),
            (("restore", "--next-number", "100001"), "Invoice numbers below 100003 are used"),
            (("backup", str(tmp_path / "no" / "such" / "folder")), "cannot be written"),
            (("reconcile", "--since", "soon"), "is not a date"),
            (("reconcile", "--since", "1999-01-01", "--accept", "t1"), "--accept needs --actor and --reason"),
        ):
            ended = company(*arguments)
            assert (ended.code, sentence in ended.err) == (2, True), (arguments, ended)

    def test_a_database_that_was_brought_back_by_other_means(self, company):
        assert company("restore", "--next-number", "100050").code == 0
        refused = company(*REFUND)
        assert refused.code == 2
        assert company("verify").code == 0


class TestHelp:
    @pytest.mark.parametrize("command", [("sweep",), ("backup",), ("restore",), ("reconcile",), ("staff", "refund")])
    def test_every_command_explains_itself(self, cli, command):
        ended = cli(*command, "--help")
        assert (ended.code, "Usage: flex-billing" in ended.out) == (0, True)


class TestLines:
    def test_a_line_is_added_once_and_ends(self, company):
        line = ("AA0101", "--reference", "555-0100", *BY)
        added = company("staff", "add-line", *line)
        assert (added.code, "AA0101 has one more line; invoice 100003 leaves $10.00 due." in added.out) == (0, True)
        assert "nothing changed" in company("staff", "add-line", *line).out
        ended = company("staff", "end-line", *line)
        assert "A line of AA0101 ends: 1999-03-01 is the first day without it." in ended.out
        refused = company("staff", "end-line", "AA0101", "--reference", "555-0101", *BY)
        assert (refused.code, refused.err) == (2, "The account has no additional line '555-0101' that goes on.\n")
        assert company("verify").code == 0


class TestWriteOff:
    def test_a_check_that_comes_later_recovers_it_and_only_the_rest_is_credit(self, company):
        """Two open invoices of $139.00: the first is written off, $300.00 come in."""
        check = ("--reference", "Check 7", "--received-on", "1999-02-03", *BY)
        written = company("staff", "write-off", "AA0101", "100001", *BY)
        assert (written.code, written.out) == (0, "$139.00 of invoice 100001 is written off.\n")

        assert company("staff", "record-payment", "AA0101", "$300.00", *check).out.splitlines() == [
            "$300.00 from AA0101 recorded: 1 invoice paid in full.",
            "$139.00 of it recovers what had been written off.",
            "$22.00 is left over and became credit.",
        ]
        assert company("verify").code == 0

    def test_goodwill_pays_what_is_open_and_says_what_is_left(self, company):
        given = company("staff", "grant-credit", "AA0101", "$300.00", "--reference", "G1", *BY)
        assert (given.code, given.out) == (0, "The credit of AA0101 is $22.00.\n")
        assert company("verify").code == 0


class TestDuty:
    def test_what_waits_is_shown_and_what_does_not_is_a_sentence(self, company):
        assert company("queue", "list").out == "Nothing waits for a person.\n"
        for arguments, sentence in (
            (("queue", "retry", "100001", *BY), "Nothing waits as '100001'"),
            (("queue", "dismiss", "ntc_1", *BY), "Nothing waits as 'ntc_1'"),
            (("queue", "call-outcome", "ntf_1", "ANSWERED", *BY), "No call 'ntf_1' was handed over"),
            (("queue", "allow-mail", "a@example.com", *BY), "Nobody complained of mail to 'a@example.com'"),
        ):
            ended = company(*arguments)
            assert (ended.code, sentence in ended.err) == (2, True), ended
