"""Every root field, for every kind of caller, with ids of their own and of others: what the one rule below says.

The table of arguments is complete by construction: a field of the schema that it lacks fails the first test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from unittest import mock

import pytest
from graphql import GraphQLID, GraphQLNamedType, get_named_type, is_leaf_type

from app.domain.accounts import KeyPurpose, Role
from app.domain.agreements import PAYMENT_AGREEMENT
from app.graphql.schema import graphql_schema
from app.services.operations.access_keys import create_key
from app.services.usage.put_account import AccountParticulars, Member, put_account
from tests.factories.calls import a_call
from tests.fakes.edge import client
from tests.services.books import dump
from tests.till import MASTERCARD, VISA
from tests.wallet import Wallet
from tests.world import _tokens, pacific

OURS, THEIRS = "AA0101", "BB0202"
LONG_AGO = 1_600_000_000

# The one rule: an admin may do everything, a member sees usage and the summary, and billing does all but what concerns
# people and messages. Whoever is no member of the account may do nothing.
FOR_MEMBERS = {
    "billingSummary",
    "calls",
    "entitlements",
    "nextInvoice",
    "node",
    "usage",
    "usageHistory",
    "viewer",
}
FOR_ADMINS_ALONE = {
    "addPaymentContact",
    "alertForecast",
    "alertSubscriptions",
    "notifications",
    "paymentContacts",
    "removePaymentContact",
    "resendContactConfirmation",
    "updateAlertSubscriptions",
    "updatePaymentContact",
}


def may(role: Role | None, field: str) -> bool:
    """Whether a role on the account allows a root field; None for whoever is no member."""
    match role:
        case Role.ADMIN:
            return True
        case Role.BILLING:
            return field not in FOR_ADMINS_ALONE
        case Role.MEMBER:
            return field in FOR_MEMBERS
        case None:
            return False


@dataclass(frozen=True)
class Ids:
    """Ids of the things of one account, for the arguments of the fields."""

    invoice: str
    later_invoice: str
    method: str
    backup: str
    contact: str
    add_on: str
    plan_quote: str
    add_on_quote: str
    call: str


NOBODYS = Ids(
    invoice="inv_00000000000000000000999999",
    later_invoice="inv_00000000000000000000999998",
    method="pm_00000000000000000000999999",
    backup="pm_00000000000000000000999998",
    contact="pct_00000000000000000000999999",
    add_on="addon_00000000000000000000999999_bilingual",
    plan_quote="quo_made_up",
    add_on_quote="quo_made_up_too",
    call="call_00000000000000000000999999_1",
)
CONTACT = '{name: "%s", email: "carla@example.com", channels: [EMAIL], kinds: [INVOICE_READY]}'

# How each root field is asked; those that take an id show whose it is. In this order the owner can do all of it.
ARGUMENTS: dict[str, Callable[[Ids], str]] = {
    "viewer": lambda _: "",
    "billingSummary": lambda _: "",
    "nextInvoice": lambda _: "",
    "usage": lambda _: '(month: "2026-07")',
    "usageHistory": lambda _: "(months: 2)",
    "plans": lambda _: "",
    "planChangePreview": lambda _: '(planId: "plan_220_2020", when: NOW)',
    "planAdvice": lambda _: "",
    "whatIf": lambda ids: f'(liveMinutes: 1, patchMinutes: 1, ivrMinutes: 1, addOnIds: ["{ids.add_on}"])',
    "addOns": lambda _: "",
    "addOnChangePreview": lambda ids: f'(addOnId: "{ids.add_on}")',
    "entitlements": lambda _: "",
    "calls": lambda _: "(first: 1)",
    "invoices": lambda _: "(first: 1)",
    "invoice": lambda ids: f'(id: "{ids.invoice}")',
    "invoiceDifference": lambda ids: f'(from: "{ids.invoice}", to: "{ids.later_invoice}")',
    "paymentMethods": lambda _: "",
    "paymentAgreement": lambda _: "",
    "alertSubscriptions": lambda _: "",
    "alertForecast": lambda _: "",
    "paymentContacts": lambda _: "",
    "notifications": lambda _: "(first: 1)",
    "activity": lambda _: "(first: 1)",
    "planHistory": lambda _: "(first: 1)",
    "node": lambda ids: f'(id: "{ids.call}")',
    "changePlan": lambda ids: f'(input: {{quoteId: "{ids.plan_quote}", idempotencyKey: "plan"}})',
    "cancelScheduledPlanChange": lambda _: '(input: {planId: "plan_220_2020"})',
    "activateAddOn": lambda ids: (
        f'(input: {{quoteId: "{ids.add_on_quote}", termsVersion: "2026-01", idempotencyKey: "buy"}})'
    ),
    "cancelAddOn": lambda ids: f'(input: {{addOnId: "{ids.add_on}"}})',
    "keepAddOn": lambda ids: f'(input: {{addOnId: "{ids.add_on}"}})',
    "createPaymentFormToken": lambda _: "(input: {})",
    "verifyPaymentMethod": lambda ids: (
        f'(input: {{idempotencyKey: "ask", nonce: "fake-valid-discover-nonce", authorize: true,'
        f' replaces: "{ids.method}", agreementVersion: "{PAYMENT_AGREEMENT.version}"}})'
    ),
    "setDefaultPaymentMethod": lambda ids: f'(input: {{paymentMethodId: "{ids.method}"}})',
    "reorderBackupPaymentMethods": lambda ids: f'(input: {{paymentMethodIds: ["{ids.backup}"]}})',
    "removePaymentMethod": lambda ids: f'(input: {{paymentMethodId: "{ids.backup}"}})',
    "addPaymentMethod": lambda ids: (
        f'(input: {{idempotencyKey: "add", nonce: "fake-valid-amex-nonce", authorize: true, replaces: "{ids.method}",'
        f' agreementVersion: "{PAYMENT_AGREEMENT.version}"}})'
    ),
    "payInvoice": lambda ids: f'(input: {{invoiceId: "{ids.invoice}", idempotencyKey: "pay"}})',
    "payOpenBalance": lambda _: '(input: {idempotencyKey: "all"})',
    "addPaymentContact": lambda _: f"(input: {{contact: {CONTACT % 'Carl Coe'}}})",
    "updatePaymentContact": lambda ids: f'(input: {{contactId: "{ids.contact}", contact: {CONTACT % "Cara Coe"}}})',
    "resendContactConfirmation": lambda ids: f'(input: {{contactId: "{ids.contact}", channel: EMAIL}})',
    "removePaymentContact": lambda ids: f'(input: {{contactId: "{ids.contact}"}})',
    "updateAlertSubscriptions": lambda _: "(input: {changes: [{kind: INVOICE_READY, isOn: false}]})",
    "resendInvoice": lambda ids: f'(input: {{invoiceId: "{ids.invoice}"}})',
}
# What a subscription may see is asked as a stream, in tests/http/test_event_streams.py.
ROOTS: dict[str, GraphQLNamedType] = {
    name: get_named_type(field.type)
    for root in (graphql_schema.query_type, graphql_schema.mutation_type)
    for name, field in root.fields.items()
}
ANYBODYS = Ids(*(field.name for field in fields(Ids)))
OF_THINGS = [name for name, write in ARGUMENTS.items() if write(NOBODYS) != write(ANYBODYS)]


OF_THE_CATALOGUE = {"planChangePreview", "cancelScheduledPlanChange"}
"""Fields that take the id of a plan, which is everybody's."""


def takes_id(field: str) -> bool:
    """Whether an argument of a root field, or a part of its input, is an id."""
    roots = (graphql_schema.query_type, graphql_schema.mutation_type)
    (found,) = (root.fields[field] for root in roots if field in root.fields)
    types = [get_named_type(argument.type) for argument in found.args.values()]
    parts = [get_named_type(part.type) for kind in types for part in getattr(kind, "fields", {}).values()]
    return GraphQLID in (*types, *parts)


def document(field: str, ids: Ids) -> str:
    """An operation of one root field that tells which type it answered with."""
    root = "query" if field in graphql_schema.query_type.fields else "mutation"
    selected = "" if is_leaf_type(ROOTS[field]) else "{ __typename }"
    return f"{root} {{ {field}{ARGUMENTS[field](ids)} {selected} }}"


class House:
    """Two accounts with a life of the same kind, none of whose people belongs to both."""

    def __init__(self, wallet: Wallet) -> None:
        self.wallet = wallet
        self.world = wallet.world
        self.ids: dict[str, Ids] = {}

    async def fill(self) -> None:
        for account in (OURS, THEIRS):
            members = tuple(
                Member(self.person(role, account), f"{role.lower()}@{account}.example", role.title(), role)
                for role in Role
            )
            particulars = AccountParticulars(account, "Harbor Dental", "100", None, date(2026, 7, 1), members)
            await put_account(self.world.services, particulars=particulars, actor="test")
            await self.wallet.till.add_card(VISA, account=account)
            await self.wallet.till.add_card(MASTERCARD, account=account)
        await self.world.advance_to(pacific(2026, 8, 1, 12))
        for account in (OURS, THEIRS):
            self.ids[account] = await self._ids(account)

    def person(self, role: Role, account: str) -> str:
        return f"{role} of {account}"

    async def ask(self, field: str, ids: Ids, *, by: str, account: str = OURS) -> dict:
        return await self.world.graphql(document(field, ids), by=by, account=account)

    async def _ids(self, account: str) -> Ids:
        admin = {"by": self.person(Role.ADMIN, account), "account": account}
        await self.world.add_calls(a_call(account=account, event_id=f"{account}/1", started_at=pacific(2026, 8, 1, 9)))
        contact = f"mutation {{ addPaymentContact(input: {{contact: {CONTACT % 'Carla Coe'}}}) {{ __typename }} }}"
        await self.world.data(contact, **admin)
        found = await self.world.data(
            """{ invoices(first: 2) { nodes { id } } paymentMethods { default { id } backups { id } }
              paymentContacts { id } addOns { id } calls(first: 1) { nodes { id } }
              planChangePreview(planId: "plan_220_2020", when: NOW) { ... on PlanChangeQuote { id } } }""",
            **admin,
        )
        add_on = found["addOns"][0]["id"]
        bought = await self.world.data(
            f'{{ addOnChangePreview(addOnId: "{add_on}") {{ ... on AddOnQuote {{ id }} }} }}', **admin
        )
        return Ids(
            invoice=found["invoices"]["nodes"][0]["id"],
            later_invoice=found["invoices"]["nodes"][1]["id"],
            method=found["paymentMethods"]["default"]["id"],
            backup=found["paymentMethods"]["backups"][0]["id"],
            contact=found["paymentContacts"][0]["id"],
            add_on=add_on,
            plan_quote=found["planChangePreview"]["id"],
            add_on_quote=bought["addOnChangePreview"]["id"],
            call=found["calls"]["nodes"][0]["id"],
        )


@pytest.fixture
async def house(wallet: Wallet) -> House:
    house = House(wallet)
    await house.fill()
    return house


def codes(body: dict) -> list[str]:
    return [error["extensions"]["code"] for error in body.get("errors", ())]


class TestTable:
    def test_it_has_every_root_field_and_no_other(self):
        assert set(ARGUMENTS) == set(ROOTS)
        assert set(ROOTS) >= FOR_MEMBERS | FOR_ADMINS_ALONE

    def test_every_argument_that_takes_an_id_of_an_account_shows_whose(self):
        assert {field for field in ROOTS if takes_id(field)} == set(OF_THINGS) | OF_THE_CATALOGUE


class TestRoles:
    @pytest.mark.parametrize("role", [*Role, None])
    async def test_a_caller_may_do_what_the_rule_says_and_is_refused_the_rest_before_anything_is_done(
        self, house, role
    ):
        """Nobody's role: an admin of the other account, with a token that names ours."""
        caller = house.person(Role.ADMIN, THEIRS) if role is None else house.person(role, OURS)
        before = dump(house.world.database)
        refused = [field for field in ROOTS if not may(role, field)]
        for field in refused:
            body = await house.ask(field, house.ids[OURS], by=caller)
            assert codes(body) == ["FORBIDDEN"], field
            assert body["data"] in (None, {field: None}), field
        assert dump(house.world.database) == before
        for field in ROOTS:
            if may(role, field):
                body = await house.ask(field, house.ids[OURS], by=caller)
                assert codes(body) == [], (field, body)


class TestForeignIds:
    async def test_what_is_another_account_s_is_answered_as_what_there_is_not(self, house):
        admin = house.person(Role.ADMIN, OURS)
        before = dump(house.world.database)
        for field in OF_THINGS:
            foreign = await house.ask(field, house.ids[THEIRS], by=admin)
            nobodys = await house.ask(field, NOBODYS, by=admin)
            assert (codes(foreign), foreign["data"]) == (codes(nobodys), nobodys["data"]), field
            assert codes(foreign) in ([], ["BAD_INPUT"]), field
        assert dump(house.world.database) == before
        assert house.wallet.till.gateway.ledger() == {}

    async def test_the_same_ids_work_for_those_whose_they_are(self, house):
        """Each of these answers differently to its owner, so the test above has something to find."""
        theirs = house.person(Role.ADMIN, THEIRS)
        for field in OF_THINGS:
            nothing = await house.ask(field, NOBODYS, by=theirs, account=THEIRS)
            own = await house.ask(field, house.ids[THEIRS], by=theirs, account=THEIRS)
            assert (codes(own), own["data"] != nothing["data"]) == ([], True), (field, own)


class TestUntrusted:
    async def test_without_a_token_to_trust_no_field_answers(self, house):
        world = house.world
        keys = [
            (await create_key(world.services, purpose=purpose, name=purpose, source=None, actor="test")).secret
            for purpose in KeyPurpose
        ]
        admin = {"subject": house.person(Role.ADMIN, OURS), "account": OURS}
        with mock.patch("app.sandbox.tokens.time.time", return_value=LONG_AGO):
            expired = _tokens().sign(**admin)
        header, claims, signature = _tokens().sign(**admin).split(".")
        altered = ".".join([header, claims, signature[::-1]])
        before = dump(world.database)
        for credential in ("", "Bearer", f"Bearer {expired}", f"Bearer {altered}", *(f"Bearer {key}" for key in keys)):
            async with client(world.application, {"authorization": credential}) as http:
                for field in ROOTS:
                    answer = await http.post("/graphql", json={"query": document(field, house.ids[OURS])})
                    assert (answer.status_code, codes(answer.json())) == (401, ["UNAUTHENTICATED"]), field
        assert dump(world.database) == before
