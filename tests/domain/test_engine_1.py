"""The frozen engine: invoices issued before engine 2 are computed again as they were (rule 28).

Lines and hashes were recorded with the release that issued them; they never change.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.engine_1 import (
    ENGINE_VERSION,
    BilledBase,
    OldCreditable,
    OldFacts,
    OldTax,
    compute_invoice,
    credit_note_facts_hash,
    derived_taxes,
    facts_hash,
    recompute_credit_note,
)
from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import TaxShare
from app.domain.periods import Period
from app.domain.proration import paid_start_after_trial
from app.domain.seed_catalogue import SEED_CATALOGUE
from tests.factories.calls import usage
from tests.factories.invoices import a_charge, a_late_fee, a_used_month, an_extra_line, an_item, facts
from tests.factories.plans import a_220_plan, a_plan
from tests.factories.positions import credited

NOVEMBER = Period.parse("2026-11")
PAID_FROM = paid_start_after_trial(date(2026, 9, 10))
PLAN_100, PLAN_220 = (SEED_CATALOGUE.get(code, PAID_FROM) for code in ("100", "220"))
PLAN_OF_1999 = SEED_CATALOGUE.get("100", date(1999, 1, 1))
ALL_KINDS_OF_USAGE = usage(live_minutes=110, patch_seconds=450, ivr_seconds=200, call_count=61)
SALES_TAX = OldTax("Kansas sales tax", 650)
JULY, AUGUST, SEPTEMBER = (date(2026, month, 1) for month in (7, 8, 9))
ON_100 = BilledBase("100", "100 Minutes", 139_00)

EVERY_KIND = OldFacts(
    facts(
        used=(a_used_month(usage=ALL_KINDS_OF_USAGE), a_used_month("2026-08", usage=ALL_KINDS_OF_USAGE)),
        recurring=(an_item(), an_item(first_day=date(2026, 10, 12), name="Live Call"), an_extra_line()),
        charges=(a_charge(), a_late_fee()),
        credit_available_cents=50_00,
    ),
    billed_usage={AUGUST: 12_90},
    tax=SALES_TAX,
)
UPGRADE = OldFacts(facts(kind=InvoiceKind.PLAN_CHANGE, plan=a_220_plan()), ON_100)
DOWNGRADE = OldFacts(
    facts(kind=InvoiceKind.PLAN_CHANGE, plan=a_plan(base_cents=128_00), credit_available_cents=10_00),
    BilledBase("220", "220 Minutes", 219_00),
    tax=SALES_TAX,
)

RECORDED = {
    "the first invoice after a trial": (
        OldFacts(facts("2026-09", paid_starts_on=PAID_FROM, plan=PLAN_100)),
        [("BASE", "2026-09", 92_60)],
        "8c44c5a61ba07c3c295220fe3a9104dbdd220b659693e3d2b9c7b1f46162ced4",
        "d19ea2563ff325dcf7af7694bab6d68a296b847571f76c94987eb927b21035c6",
    ),
    "ten minutes over": (
        OldFacts(
            facts(
                paid_starts_on=PAID_FROM,
                plan=PLAN_100,
                used=(a_used_month(plan=PLAN_100, usage=usage(live_minutes=77)),),
            )
        ),
        [("BASE", "2026-10", 139_00), ("OVERAGE", "2026-09", 12_90)],
        "88dac57aa6e6daa5868cc0a99232e40f7404369f708b7b256ac3f27f5050fc99",
        "ef9be7ce29f36a78950eeeb636b36897dc39003d6767828bf035f126c5997fe7",
    ),
    "the 220 plan in the same first month": (
        OldFacts(facts("2026-09", paid_starts_on=PAID_FROM, plan=PLAN_220)),
        [("BASE", "2026-09", 159_40)],
        "aad23cbbd0d3545170c5bec18b2e7a6d469c76d95b7478051a4d05830262d37d",
        "35fa6401a00e05c2da938d476997cdfcd052f3bce74591047d06df9fcb095883",
    ),
    "patch and IVR time": (
        OldFacts(facts(used=(a_used_month(usage=usage(patch_seconds=450, ivr_seconds=200)),))),
        [("BASE", "2026-10", 139_00), ("PATCH", "2026-09", 75), ("IVR", "2026-09", 50)],
        "45c0f6c3a851054c79db2f10a347ee498b1d8cf5bdba125e93126c830cb15212",
        "d58b5479bbf4f8162fdc6b1ddee16965a12dac06294f92ff7e27cad71622bca2",
    ),
    "a real month of one account": (
        OldFacts(
            facts(
                "1999-02",
                paid_starts_on=date(1999, 1, 1),
                plan=PLAN_OF_1999,
                used=(
                    a_used_month("1999-01", plan=PLAN_OF_1999, usage=usage(live_seconds=229_042, ivr_seconds=13_318)),
                ),
            )
        ),
        [("BASE", "1999-02", 139_00), ("OVERAGE", "1999-01", 4_795_40), ("IVR", "1999-01", 33_30)],
        "46f95cba11fa057133ce71cb0354d8fd443dffe89b2116aebe6e949153afe6ce",
        "f9b07d0ea2c16c07a267255dd759ee295c7bc251d28d4872cb3693763bd912b8",
    ),
    "every kind of line": (
        EVERY_KIND,
        [
            ("BASE", "2026-10", 139_00),
            ("ADD_ON", "2026-10", 25_00),
            ("ADD_ON", "2026-10", 16_20),
            ("ADDITIONAL_LINE", "2026-10", 10_00),
            ("OVERAGE", "2026-09", 12_90),
            ("PATCH", "2026-09", 75),
            ("IVR", "2026-09", 50),
            ("ADJUSTMENT", "2026-08", 1_25),
            ("CHARGE", "2026-10", 40_00),
            ("LATE_FEE", "2026-10", 25_00),
            ("TAX", "2026-10", 17_59),
        ],
        "1dd33610016c16c92253b1e0fff8475d3ac75bfd40057016ce807516d9195f72",
        "69d54183ac1d2d963b331611ecf20728deb448fd12b8676cfa0ee68beb7a18ef",
    ),
    "an upgrade": (
        UPGRADE,
        [("BASE", "2026-10", 239_00), ("BASE_REVERSAL", "2026-10", -139_00)],
        "898be6338ca08b23e564a5f809b66b66d2d8d5416c863ffbad891a0298779e23",
        "e8591ceef6802cef1dcec86679cd84ec46296c7cbfb404d44915e57f48a3a89e",
    ),
    "a downgrade at the old prices with tax": (
        DOWNGRADE,
        [("BASE", "2026-10", 128_00), ("BASE_REVERSAL", "2026-10", -219_00), ("TAX", "2026-10", -5_92)],
        "d9aa4ddfad8162353964ef143420f518a96237520eef134426523764e960d835",
        "708f0a167d440587a25150f80f95a176f68cd081e4f589bcbab8e98f2c00a08a",
    ),
    "the same base again": (
        OldFacts(facts(kind=InvoiceKind.PLAN_UPGRADE), ON_100),
        [],
        "ca3a9061af60ecb417970975b2d131c13a2dfdc12247ba44c6e388436155931a",
        "251fe50ef5e21a6200e17c51c7eaaf29e687f8fb6f3d1786d2401627fd052786",
    ),
    "a base of which nothing was billed in sum": (
        OldFacts(facts(kind=InvoiceKind.PLAN_CHANGE, plan=a_220_plan()), replace(ON_100, amount_cents=0)),
        [("BASE", "2026-10", 239_00)],
        "4d9d226ef98cd6ceb49d6b29430675eb17d538a9e5c047ac684c1bd8454005c7",
        "b5c3db35368c9f24656a497493802fce75d94eed68577f5cdb1cfbc71ec0e0c5",
    ),
    "a correction downwards, and a month that was billed right": (
        OldFacts(
            facts(
                used=(
                    a_used_month("2026-08", usage=usage(live_minutes=110)),
                    a_used_month("2026-07", usage=usage(live_minutes=110)),
                ),
            ),
            billed_usage={AUGUST: 25_80, JULY: 12_90},
            tax=SALES_TAX,
        ),
        [("BASE", "2026-10", 139_00), ("ADJUSTMENT", "2026-08", -12_90), ("TAX", "2026-10", 8_20)],
        "b95913511931d38b0e2d61b96301ce0c2a6ce88b7905d1f99b1de8ced88c65bc",
        "17f076d61bee13ccc6356231ff0e5c104f021a3eeb886493654a7f1dc816a968",
    ),
    "the last month of an account": (
        OldFacts(
            facts(
                kind=InvoiceKind.FINAL,
                bills_base=False,
                used=(
                    a_used_month("2026-10", usage=ALL_KINDS_OF_USAGE, is_current=True),
                    a_used_month(usage=usage(live_minutes=110)),
                ),
            ),
            billed_usage={SEPTEMBER: 10_00},
        ),
        [
            ("OVERAGE", "2026-10", 12_90),
            ("PATCH", "2026-10", 75),
            ("IVR", "2026-10", 50),
            ("ADJUSTMENT", "2026-09", 2_90),
        ],
        "429fc1886ced30881b6b09de661e4f81241469858402b63a0b3acdcf8fc7d5fd",
        "f1139c042cabaac9ca894bcafba7f04af69acaced25e122a80d7663b472f7f96",
    ),
    "nothing to bill": (
        OldFacts(facts(bills_base=False), tax=SALES_TAX),
        [],
        "182b1a4546c278d9c4cca66c3e892f850322b0deb85c53628f2ac44c7d3d6115",
        "f5a0c16c1dd9b65255fafec42ae2e69d9ba0fff04f76c564ea5a7e6bdbf0a70e",
    ),
}


def amounts(lines):
    return [(str(line.kind), line.amount_cents) for line in lines]


class TestInvoices:
    @pytest.mark.parametrize(
        ("old", "lines", "content", "inputs"), [pytest.param(*recorded, id=name) for name, recorded in RECORDED.items()]
    )
    def test_are_computed_as_they_were_issued(self, old, lines, content, inputs):
        draft = compute_invoice(old)
        assert [(str(line.kind), line.period.month, line.amount_cents) for line in draft.lines] == lines
        assert (draft.content_hash, facts_hash(old)) == (content, inputs)

    def test_of_a_month_with_late_calls_and_credit_have_the_hash_of_their_release(self):
        used = (a_used_month(usage=ALL_KINDS_OF_USAGE), a_used_month("2026-08", usage=usage(live_minutes=90)))
        old = OldFacts(facts(used=used, credit_available_cents=91_00), billed_usage={AUGUST: 1_00})
        assert facts_hash(old) == "7552a57820bc1e1cdaa27066b828f92cde3958188a5a07c3f276beabb390fbc9"
        assert compute_invoice(old).content_hash == "a249445253fa4768ee93d0b780ed4800d0a947f8d32deab37031564647abe9fd"

    def test_took_credit_up_to_their_total(self):
        assert compute_invoice(EVERY_KIND).credit_applied_cents == 50_00
        downgrade = compute_invoice(DOWNGRADE)
        assert (downgrade.credit_applied_cents, downgrade.credit_created_cents) == (0, 96_92)

    def test_kept_no_tax_with_their_lines(self):
        assert [line.taxes for line in compute_invoice(EVERY_KIND).lines] == [()] * 11

    def test_is_engine_1(self):
        assert ENGINE_VERSION == 1


class TestCreditNotes:
    INVOICE = compute_invoice(EVERY_KIND).lines

    def note(self, given, earlier=()):
        """A note as its lines said: cents by the line's position; its tax follows."""
        creditable = OldCreditable(100_001, self.INVOICE, earlier)
        asked = [credited(cents, (100_001, position)) for position, cents in given.items()]
        return creditable, recompute_credit_note(creditable, asked, NOVEMBER)

    def test_are_computed_as_they_were_issued(self):
        creditable, draft = self.note({1: 100_00, 4: 10_00})
        assert amounts(draft.lines) == [("CORRECTION", -100_00), ("CORRECTION", -10_00), ("TAX", -7_15)]
        assert draft.content_hash == "98f54815379475a8040ea3dae8d7e433d4e28187df1e843e6bdd8569d20309b4"
        facts_were = "55eafbcdc37b4e918ab13c266ae1e220320069a1f38b5154c869109fe59bee90"
        assert credit_note_facts_hash(creditable, draft) == facts_were

    def test_gave_back_all_tax_with_the_last_note_however_notes_were_rounded(self):
        """17.59 were charged, 7.15 given back before."""
        _, first = self.note({1: 100_00, 4: 10_00})
        rest = {1: 39_00, 2: 25_00, 3: 16_20, 5: 12_90, 6: 75, 7: 50, 8: 1_25, 9: 40_00, 10: 25_00}
        creditable, draft = self.note(rest, first.lines)
        assert amounts(draft.lines)[-1] == ("TAX", -10_44)
        assert draft.content_hash == "a173f00da8dfc7da8d5aaf3e87e51ca966be8d9c974e48c9b074ff1503a0f4cf"
        facts_were = "546ef6e72d3708a8aca73aaf44dff2c4c6d19f5d52c4fb74333362eef0553dde"
        assert credit_note_facts_hash(creditable, draft) == facts_were

    def test_had_no_tax_line_where_their_tax_rounded_to_nothing(self):
        _, first = self.note({1: 100_00, 4: 10_00})
        creditable, draft = self.note({2: 1}, first.lines)
        assert amounts(draft.lines) == [("CORRECTION", -1)]
        assert draft.content_hash == "54a622331fbd8e2d794a0e5d04d67775f4b52b611293fa073a4eb442173eb83d"
        facts_were = "75fd36a7107d0af5c05a4c3bbeee9c40ea97279e0482c62223912d51cda2e4cf"
        assert credit_note_facts_hash(creditable, draft) == facts_were

    def test_over_a_change_gave_back_no_more_than_the_invoice_came_to(self):
        lines = compute_invoice(UPGRADE).lines
        creditable = OldCreditable(100_002, lines)
        draft = recompute_credit_note(creditable, [credited(100_00, (100_002, 1))], NOVEMBER)
        assert amounts(draft.lines) == [("CORRECTION", -100_00)]
        assert draft.content_hash == "bf1c66014daee02f2f3e5456f82a65ae4bb7e0939c355a2d2d6eeaa1e1189412"
        facts_were = "a4e9f2a1228caf149d3a97ee93c37ba41ca6f7ee09d9685d18ef9a25c81adf63"
        assert credit_note_facts_hash(creditable, draft) == facts_were


def shares(lines):
    """The cents of tax that each line has."""
    return [sum(share.cents for share in taxes) for taxes in derived_taxes(lines)]


class TestDerivedTaxes:
    """The one tax line of an old invoice, told apart by the lines it was on."""

    def test_charges_share_the_tax_by_largest_remainder(self):
        """6.5 % of them are 903.5, 162.5, 105.3, 65, 83.85, 4.875, 3.25, 8.125, 260 and 162.5 cents, 1,759 in all.

        Four cents are left over: for the remainders .875, .85 and two of .5, of which the earlier ones.
        """
        lines = compute_invoice(EVERY_KIND).lines
        assert shares(lines) == [9_04, 1_63, 1_05, 65, 84, 5, 3, 8, 2_60, 1_62, 0]
        assert derived_taxes(lines)[0] == (TaxShare("Kansas sales tax", 65_000, 9_04),)

    def test_what_was_given_back_has_its_own_tax_and_the_charge_the_rest(self):
        """6.5 % of $219.00 is $14.24, so that $8.32 are left for the $128.00."""
        assert shares(compute_invoice(DOWNGRADE).lines) == [8_32, -14_24, 0]

    def test_lines_that_all_give_back_share_what_rounding_left_of_their_tax(self):
        """Three corrections of $0.10 at 6.5 %: 0.65 cents each, but 2 cents in all."""
        lines = compute_invoice(
            replace(
                DOWNGRADE,
                facts=facts(bills_base=False, charges=tuple(a_charge(amount_cents=-10, number=n) for n in range(3))),
            )
        ).lines
        assert amounts(lines) == [("CHARGE", -10)] * 3 + [("TAX", -2)]
        assert shares(lines) == [0, -1, -1, 0]

    def test_an_invoice_without_tax_has_none(self):
        assert derived_taxes(compute_invoice(UPGRADE).lines) == [(), ()]
        assert derived_taxes([]) == []

    def test_always_add_up_to_the_tax_that_was_charged(self):
        for old, *_ in RECORDED.values():
            lines = compute_invoice(old).lines
            assert sum(shares(lines)) == sum(line.amount_cents for line in lines if line.kind == "TAX")
