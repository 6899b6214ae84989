"""The demo's data: believable, verified by the books' own check, whole or not there at all."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from datetime import UTC, datetime
from email import message_from_bytes

import pytest

from app.domain.accounts import AccountStatus, Role
from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoice_lines import LineKind
from app.gateways.identity import JwtVerifier
from app.gateways.ids import RandomIds
from app.gateways.signing_keys import FixedKeys
from app.ports import Claims
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.sandbox.demo import DemoGateway, months_to_seed, seed
from app.sandbox.demo_company import CEDAR, HARBOR, SEATS, demo_accounts
from app.sandbox.demo_folder import MARK, NotADemoFolder, open_folder
from app.sandbox.personas import PERSONAS_FILE, ensure_member, read_personas, write_personas
from app.sandbox.tokens import SANDBOX_RULES, SandboxTokens
from app.services.common.caller import Caller
from app.services.common.services import Services
from app.services.operations.verify import verify

ADDRESS = "http://127.0.0.1:8765"


class FixedClock:
    def __init__(self, at=datetime(2026, 11, 24, 20, 0, tzinfo=UTC)):
        self.at = at

    def now(self):
        return self.at


def made(folder, gateway, at=None, on_progress=None):
    clock = FixedClock() if at is None else FixedClock(at)
    heard = []
    gateway.settings(amount_rules=False)
    seed(
        database_file=folder / "flex.db",
        address=ADDRESS,
        clock=clock,
        ids=RandomIds(),
        gateway=DemoGateway(gateway.payments(), gateway.force),
        on_progress=on_progress or heard.append,
    )
    return heard


def asked(folder, question):
    async def ask():
        database = Database.open(f"sqlite:///{folder}/flex.db")
        try:
            return await question(database)
        finally:
            await database.close()

    return asyncio.run(ask())


async def all_differences(database):
    return [difference async for difference in verify(database=database)]


async def invoices_by_account(database):
    async def work(uow):
        accounts = await uow.accounts.choose()
        return {each.external_id: await uow.invoices.list_for_account(each.id) for each in accounts}

    return await unit_of_work.read(database, work)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, gateway_server):
    folder = tmp_path_factory.mktemp("demo")
    assert made(folder, gateway_server) == [1] * months_to_seed()
    return folder


class TestSeed:
    def test_its_mails_lead_to_where_it_is_reached(self, folder):
        mails = [message_from_bytes(path.read_bytes()) for path in (folder / "messages").glob("*.eml")]
        texts = [
            part.get_payload(decode=True).decode()
            for mail in mails
            for part in mail.walk()
            if part.get_payload(decode=True)
        ]
        assert {found for text in texts for found in re.findall(r"https?://[\w.:-]+", text)} == {ADDRESS}

    def test_the_books_agree(self, folder):
        assert asked(folder, all_differences) == []

    def test_the_company_has_eighteen_months_of_history_paid_by_card(self, folder):
        every = asked(folder, invoices_by_account)[HARBOR]
        invoices = [invoice for invoice in every if invoice.kind is InvoiceKind.CYCLE]
        assert [invoice.period.month for invoice in invoices][:2] == ["2025-05", "2025-06"]
        assert len(invoices) == 19
        assert {invoice.status for invoice in invoices[:-2]} == {InvoiceStatus.PAID}
        assert {invoice.status for invoice in invoices[-2:]} == {InvoiceStatus.OPEN}  # refunded today
        assert invoices[-1].period.month == "2026-11"

    def test_one_of_its_invoices_was_paid_by_a_back_up(self, folder):
        async def paid_by(uow):
            owner = await uow.accounts.get_by_external_id(HARBOR)
            trail = await uow.events.list_for_account(owner.id)
            return [event.data["is_backup"] for event in trail if event.kind == "payment.received"]

        found = asked(folder, lambda database: unit_of_work.read(database, paid_by))
        assert (found.count(True), found.count(False)) == (1, 20)

    def test_the_one_that_does_not_pay_is_suspended(self, folder):
        async def status(uow):
            return (await uow.accounts.get_by_external_id("bright-spark-electric")).status

        assert asked(folder, lambda database: unit_of_work.read(database, status)) is AccountStatus.SUSPENDED

    def test_the_others_are_in_other_states(self, folder):
        invoices = asked(folder, invoices_by_account)
        assert {name: len(each) for name, each in invoices.items()} == {
            HARBOR: 21,
            CEDAR: 10,
            "bright-spark-electric": 9,
            "northgate-plumbing": 1,
            "lakeside-physiotherapy": 0,
            "meadow-lane-bakery": 0,
        }
        heavy = invoices["bright-spark-electric"][-1]
        assert heavy.total_cents > 5 * 39_00
        (first_partial_month,) = invoices["northgate-plumbing"]
        assert 0 < first_partial_month.total_cents < 139_00

    def test_one_has_two_taxes_a_credit_note_and_a_change_to_a_smaller_plan(self, folder):
        invoices = asked(folder, invoices_by_account)[CEDAR]
        assert Counter(invoice.kind for invoice in invoices) == {
            InvoiceKind.CYCLE: 8,
            InvoiceKind.CREDIT_NOTE: 1,
            InvoiceKind.PLAN_CHANGE: 1,
        }
        taxes = {line.inputs["tax_name"] for each in invoices for line in each.lines if line.kind is LineKind.TAX}
        assert taxes == {"Kansas sales tax", "Douglas County tax"}

    def test_an_interrupted_start_leaves_nothing_half_made_and_the_same_day_makes_the_same_bills(
        self, folder, tmp_path, gateway_server
    ):
        def interrupt(_months):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            made(tmp_path, gateway_server, on_progress=interrupt)
        assert not (tmp_path / "flex.db").exists()
        made(tmp_path, gateway_server)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["flex.db", "messages", "sandbox-signing-secret"]
        bills = [
            {
                name: [(each.number, each.kind, each.total_cents, each.status) for each in invoices]
                for name, invoices in asked(at, invoices_by_account).items()
            }
            for at in (folder, tmp_path)
        ]
        assert bills[0] == bills[1]

    @pytest.mark.parametrize(
        "at",
        [
            datetime(2028, 1, 1, 8, 0, 30, tzinfo=UTC),  # half a minute into a leap year, before the cycle run
            datetime(2027, 3, 14, 10, 30, tzinfo=UTC),  # in the hour that the spring change skips
        ],
    )
    def test_any_day_will_do(self, tmp_path, gateway_server, at):
        made(tmp_path, gateway_server, at)
        assert asked(tmp_path, all_differences) == []
        assert len(asked(tmp_path, invoices_by_account)[HARBOR]) in {20, 21}

    def test_data_that_is_there_is_kept(self, folder, gateway_server):
        before = (folder / "flex.db").stat().st_mtime_ns
        assert made(folder, gateway_server) == []
        assert (folder / "flex.db").stat().st_mtime_ns == before

    def test_people_are_offices_and_not_persons(self):
        members = [member for each in demo_accounts(FixedClock().at.date()) for member in each.particulars.members]
        assert {member.name for member in members} == {"Administrator", "Billing desk", "Front desk"}
        assert all(member.email.endswith(".example") for member in members)


class TestFolder:
    def test_a_new_or_empty_folder_becomes_a_demo(self, tmp_path):
        open_folder(tmp_path / "new" / "demo", reset=False)
        open_folder(tmp_path / "new" / "demo", reset=False)
        assert (tmp_path / "new" / "demo" / MARK).is_file()

    def test_reset_starts_over(self, tmp_path):
        open_folder(tmp_path, reset=False)
        (tmp_path / "flex.db").write_text("old")
        open_folder(tmp_path, reset=True)
        assert [path.name for path in tmp_path.iterdir()] == [MARK]

    @pytest.mark.parametrize("reset", [False, True])
    def test_a_folder_with_other_things_is_left_alone(self, tmp_path, reset):
        (tmp_path / "letters.txt").write_text("dear")
        with pytest.raises(NotADemoFolder, match="was not made by the demo"):
            open_folder(tmp_path, reset=reset)
        assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]

    def test_a_link_to_a_demo_is_not_followed(self, tmp_path):
        open_folder(tmp_path / "demo", reset=False)
        (tmp_path / "link").symlink_to(tmp_path / "demo")
        with pytest.raises(NotADemoFolder):
            open_folder(tmp_path / "link", reset=True)
        assert (tmp_path / "demo" / MARK).is_file()


class TestPersonas:
    def test_the_file_names_four_with_token_account_and_address(self, tmp_path):
        tokens = SandboxTokens.open(tmp_path)
        minted = write_personas(tmp_path, tokens, SEATS, "http://127.0.0.1:8000/graphql")
        written = json.loads((tmp_path / PERSONAS_FILE).read_text())
        assert {key: each["account"] for key, each in written.items()} == {
            "admin": HARBOR,
            "billing": HARBOR,
            "member": HARBOR,
            "other_admin": CEDAR,
        }
        assert {key: each["token"] for key, each in written.items()} == minted
        assert {each["url"] for each in written.values()} == {"http://127.0.0.1:8000/graphql"}
        verifier = JwtVerifier(FixedKeys(tokens.public_keys()), SANDBOX_RULES)
        claims = asyncio.run(verifier.verify(minted["billing"]))
        assert claims == Claims(subject=f"sandbox|{HARBOR}|billing", account=HARBOR)

    def test_each_is_a_member_with_the_role(self, folder):
        async def roles(database):
            async def work(uow):
                found = {}
                for name in (HARBOR, CEDAR):
                    account = await uow.accounts.get_by_external_id(name)
                    found |= {(user.subject, name): role for user, role in await uow.users.members(account.id)}
                return found

            return await unit_of_work.read(database, work)

        found = asked(folder, roles)
        assert [found[seat.subject, seat.account] for seat in SEATS] == [seat.role for seat in SEATS]

    def test_the_page_gets_those_of_the_file_and_none_without_it(self, tmp_path):
        assert read_personas(tmp_path) == []
        write_personas(tmp_path, SandboxTokens.open(tmp_path), SEATS, "http://127.0.0.1:8000/graphql")
        assert [(each.key, each.label, each.account) for each in read_personas(tmp_path)][-1] == (
            "other_admin",
            "Administrator of another account",
            CEDAR,
        )
        (tmp_path / PERSONAS_FILE).write_text("[1]")
        assert read_personas(tmp_path) == []

    def test_a_role_that_nobody_has_is_taken_by_a_newcomer_once(self, folder):
        async def join(database):
            services, anybody = Services(database, FixedClock(), RandomIds()), Caller("meadow-lane-bakery", "test")
            first = await ensure_member(
                services,
                anybody,
                role=Role.MEMBER,
            )
            again = await ensure_member(
                services,
                anybody,
                role=Role.MEMBER,
            )

            async def members(uow):
                account = await uow.accounts.get_by_external_id("meadow-lane-bakery")
                return sorted(role for _, role in await uow.users.members(account.id))

            return first, again, await unit_of_work.read(database, members)

        subject = "sandbox|meadow-lane-bakery|member"
        assert asked(folder, join) == (subject, subject, ["ADMIN", "MEMBER"])
