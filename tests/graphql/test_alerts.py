"""Alerts, payment contacts and the log of messages, as the portal asks for them (rules 37-39)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.accounts import Role
from app.domain.alerts import AlertKind
from tests.factories.calls import a_call
from tests.services.post import Post
from tests.trips import counted_trips
from tests.world import World, pacific

ADD = """mutation Add($contact: PaymentContactInput!) { addPaymentContact(input: {contact: $contact}) { __typename
  ... on PaymentContactAdded { contact { id name email phone kinds callsFrom } paymentContacts { id } }
  ... on InvalidContact { field } ... on UserError { code message } } }"""
UPDATE = """mutation Update($id: ID!, $contact: PaymentContactInput!) {
  updatePaymentContact(input: {contactId: $id, contact: $contact}) { __typename
  ... on PaymentContactUpdated { contact { id name channels isActive } } ... on UserError { code message } } }"""
REMOVE = """mutation Remove($id: ID!) { removePaymentContact(input: {contactId: $id}) { __typename
  ... on PaymentContactRemoved { contactId paymentContacts { id } } ... on UserError { code } } }"""
SWITCH = """mutation Switch($changes: [AlertSwitchInput!]!) {
  updateAlertSubscriptions(input: {changes: $changes}) { __typename
  ... on AlertSubscriptionsUpdated { alertSubscriptions { kind isOn } } ... on UserError { code message } } }"""
RESEND = """mutation Resend($id: ID!) { resendInvoice(input: {invoiceId: $id}) { __typename
  ... on InvoiceResent { invoice { id } sentTo } ... on RateLimited { retryAfter } ... on UserError { code } } }"""
LOG = "{ notifications(first: 50) { totalCount nodes { kind channel address state isToContact result attempts } } }"
CARLA = {
    "name": "Carla Coe",
    "title": "Bookkeeper",
    "email": "Carla@Example.com",
    "phone": "(202) 555-0143",
    "channels": ["EMAIL", "PHONE_CALL"],
    "kinds": ["PAYMENT_FAILED", "INVOICE_READY", "CONTACT_CHANGED"],
    "timeZone": "America/New_York",
}


@pytest.fixture
async def told(world: World) -> World:
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 2, 12))
    return world


async def add(world: World, **changes):
    return (await world.data(ADD, variables={"contact": {**CARLA, **changes}}))["addPaymentContact"]


async def resend(world: World, **options):
    invoice_id = (await world.issued())[0].id
    return (await world.data(RESEND, variables={"id": invoice_id}, **options))["resendInvoice"]


class TestContacts:
    async def test_a_contact_is_added_in_its_normal_form(self, told):
        added = await add(told)
        assert added["contact"] | {"id": ""} == {
            "id": "",
            "name": "Carla Coe",
            "email": "Carla@example.com",
            "phone": "+12025550143",
            "kinds": ["INVOICE_READY", "PAYMENT_FAILED", "CONTACT_CHANGED"],
            "callsFrom": "09:00",
        }
        assert [event.kind for event in await told.trail()][-1] == "contact.added"

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"email": "nobody"}, "email"),
            ({"email": "j\u00f6rg@m\u00fcller.de"}, "email"),
            ({"phone": "12345"}, "phone"),
            ({"phone": "+1 202 555 0143 ext. 7"}, "phone"),
            ({"phone": "+1 900 555 0143"}, "phone"),
            ({"phone": "+44 20 7946 0958"}, "phone"),
            ({"name": "P\u0430ypal"}, "name"),
            ({"name": "http://evil.example"}, "name"),
            ({"callsFrom": "nine"}, "callingHours"),
            ({"timeZone": "Nowhere"}, "timeZone"),
            ({"kinds": []}, "kinds"),
            ({"kinds": ["ALLOWANCE_EXCEEDED"]}, "kinds"),
            ({"channels": []}, "channels"),
        ],
    )
    async def test_what_cannot_be_names_its_field_and_changes_nothing(self, told, changes, field):
        refused = await add(told, **changes)
        assert (refused["__typename"], refused["code"], refused["field"]) == (
            "InvalidContact",
            "INVALID_CONTACT",
            field,
        )
        assert (await told.data("{ paymentContacts { id } }"))["paymentContacts"] == []

    async def test_there_are_ten_at_most(self, told):
        for at in range(10):
            assert (await add(told, name=f"Contact {at}"))["__typename"] == "PaymentContactAdded"
        assert (await add(told))["code"] == "TOO_MANY_CONTACTS"

    async def test_the_admins_and_the_confirmed_contacts_hear_of_it(self, told):
        await add(told, email="first@example.com", channels=["EMAIL"])
        post = Post(told)
        await post.agree("first@example.com")
        await post.clear()
        added = await add(told, email="second@example.com", channels=["EMAIL"])
        changed = {"id": added["contact"]["id"], "contact": {**CARLA, "name": "Carla Cole"}}
        await told.data(UPDATE, variables=changed)
        await told.data(REMOVE, variables={"id": added["contact"]["id"]})
        assert await post.told(AlertKind.CONTACT_CHANGED) == [
            (AlertKind.CONTACT_CHANGED, address) for address in ("admin@example.com", "first@example.com") * 3
        ]

    async def test_the_same_description_again_tells_nobody(self, told):
        added = await add(told)
        post = Post(told)
        await post.clear()
        await told.data(UPDATE, variables={"id": added["contact"]["id"], "contact": CARLA})
        assert await post.told() == []

    async def test_what_waits_follows_a_contact_or_is_given_up(self, told):
        added = await add(told)
        post = Post(told)
        await post.agree("carla@example.com", "new@example.com")
        await post.clear()
        await post.announce(AlertKind.PAYMENT_FAILED)
        mail_alone = {**CARLA, "email": "new@example.com", "channels": ["EMAIL"]}
        await told.data(UPDATE, variables={"id": added["contact"]["id"], "contact": mail_alone})
        rows = [row for row in await post.rows() if row[0] == AlertKind.PAYMENT_FAILED]
        assert rows[1:] == [(AlertKind.PAYMENT_FAILED, "EMAIL", "new@example.com", "QUEUED")]
        await told.data(UPDATE, variables={"id": added["contact"]["id"], "contact": {**mail_alone, "email": "x@y.net"}})
        rows = [row for row in await post.rows() if row[0] == AlertKind.PAYMENT_FAILED]
        assert rows[1:] == [(AlertKind.PAYMENT_FAILED, "EMAIL", "new@example.com", "FAILED")]
        await post.agree("x@y.net")
        await post.announce(AlertKind.PAYMENT_FAILED, subject="next")
        await told.data(REMOVE, variables={"id": added["contact"]["id"]})
        sent_to = [row for row in await post.rows() if row[2] == "x@y.net" and row[0] == AlertKind.PAYMENT_FAILED]
        assert [row[3] for row in sent_to] == ["FAILED"]

    async def test_an_unknown_and_a_foreign_contact_are_not_found(self, told):
        await told.add_account("BB0202")
        added = await add(told)
        id_ = added["contact"]["id"]
        for account, unknown in (("BB0202", id_), ("AA0101", "pct_nobody")):
            removed = await told.data(REMOVE, variables={"id": unknown}, account=account)
            assert removed["removePaymentContact"]["code"] == "NOT_FOUND"
            updated = await told.data(UPDATE, variables={"id": unknown, "contact": CARLA}, account=account)
            assert updated["updatePaymentContact"]["code"] == "NOT_FOUND"
        assert (await told.data("{ paymentContacts { id } }", account="BB0202"))["paymentContacts"] == []

    async def test_an_address_that_refuses_is_shown(self, told):
        from app.domain.deliveries import MailAnswer, MailResult

        await add(told, channels=["EMAIL"])
        post = Post(told)
        await post.agree("carla@example.com")
        post.mailer.answer = lambda mail: MailAnswer(MailResult.REFUSED, "550 no such user")
        await post.announce(AlertKind.INVOICE_READY)
        await post.deliver()
        query = "{ paymentContacts { emailProblem { reason since } } }"
        assert (await told.data(query))["paymentContacts"] == [
            {"emailProblem": {"reason": "550 no such user", "since": "2026-07-02T19:00:00.000Z"}}
        ]

    @pytest.mark.parametrize("role", [Role.BILLING, Role.MEMBER])
    async def test_they_are_for_admins_alone(self, told, role):
        for query, variables in (
            ("{ paymentContacts { id } }", {}),
            ("{ alertSubscriptions { kind } }", {}),
            ("{ alertForecast { used { seconds } } }", {}),
            (LOG, {}),
            (ADD, {"contact": CARLA}),
            (SWITCH, {"changes": []}),
        ):
            answer = await told.graphql(query, by=role, variables=variables)
            assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert await told.data("{ paymentContacts { id } }") == {"paymentContacts": []}


class TestSubscriptions:
    QUERY = "{ alertSubscriptions { kind displayName description isOn isOnByDefault canBeSwitched reachesContacts } }"

    async def test_everything_is_on_for_a_new_admin_in_one_trip(self, told):
        async with counted_trips() as trips:
            found = (await told.data(self.QUERY))["alertSubscriptions"]
        assert trips.count == 1
        assert [one["kind"] for one in found] == [kind.value for kind in AlertKind]
        assert all(one["isOn"] and one["isOnByDefault"] for one in found)
        assert [one["kind"] for one in found if not one["canBeSwitched"]] == ["PAYMENT_METHOD_CHANGED"]

    async def test_what_is_switched_off_is_not_told_and_can_be_switched_on_again(self, told):
        post = Post(told)
        for is_on, told_to in ((False, []), (True, [("INVOICE_READY", "admin@example.com")])):
            await post.clear()
            changes = [{"kind": "INVOICE_READY", "isOn": is_on}]
            data = await told.data(SWITCH, variables={"changes": changes})
            found = data["updateAlertSubscriptions"]["alertSubscriptions"]
            assert {one["kind"] for one in found if not one["isOn"]} == (set() if is_on else {"INVOICE_READY"})
            await post.announce(AlertKind.INVOICE_READY, subject=str(is_on))
            assert await post.told() == told_to

    async def test_what_protects_the_account_stays_on_and_nothing_else_is_switched_with_it(self, told):
        changes = [{"kind": "INVOICE_READY", "isOn": False}, {"kind": "PAYMENT_METHOD_CHANGED", "isOn": False}]
        refused = (await told.data(SWITCH, variables={"changes": changes}))["updateAlertSubscriptions"]
        assert refused["code"] == "ALERT_ALWAYS_ON"
        assert all(one["isOn"] for one in (await told.data(self.QUERY))["alertSubscriptions"])

    async def test_a_switch_is_in_the_trail_once(self, told):
        for _ in range(2):
            await told.data(SWITCH, variables={"changes": [{"kind": "INVOICE_READY", "isOn": False}]})
        activity = (await told.data("{ activity(first: 1) { nodes { who what } } }"))["activity"]["nodes"]
        assert activity == [{"who": "Admin", "what": "Switched their alerts: on none; off Invoice ready."}]
        assert [event.kind for event in await told.trail()].count("alerts.switched") == 1


class TestForecast:
    QUERY = """{ alertForecast { used { seconds } projected { seconds } basis
      limits { kind percent limit { seconds } sentAt expectedOn } } }"""

    async def test_it_says_what_was_told_and_what_is_expected_in_one_trip(self, told):
        await told.advance_to(pacific(2026, 7, 11, 12))
        await told.add_calls(
            *(
                a_call(event_id=f"e{day}", started_at=pacific(2026, 7, day, 9), script_seconds=8 * 60)
                for day in range(1, 12)
            )
        )
        async with counted_trips() as trips:
            forecast = (await told.data(self.QUERY))["alertForecast"]
        assert trips.count == 1
        assert (forecast["used"]["seconds"], forecast["basis"]) == (88 * 60, "DAILY_AVERAGE")
        assert forecast["limits"] == [
            {
                "kind": "ALLOWANCE_NEARLY_USED",
                "percent": 80,
                "limit": {"seconds": 6000},
                "sentAt": "2026-07-11T19:00:00.000Z",
                "expectedOn": None,
            },
            {
                "kind": "ALLOWANCE_EXCEEDED",
                "percent": 100,
                "limit": {"seconds": 6000},
                "sentAt": None,
                "expectedOn": "2026-07-13",
            },
            {
                "kind": "COST_EFFECTIVE_EXCEEDED",
                "percent": 100,
                "limit": {"seconds": 10620},
                "sentAt": None,
                "expectedOn": "2026-07-23",
            },
        ]

    async def test_a_month_that_is_not_opened_has_none(self, world):
        await world.add_account()
        world.clock.instant = pacific(2026, 7, 1, 5)
        assert (await world.data(self.QUERY))["alertForecast"] is None


class TestLog:
    async def test_it_is_newest_first_and_a_page_at_a_time(self, told):
        post = Post(told)
        await post.deliver()
        found = (await told.data(LOG))["notifications"]
        assert found["totalCount"] == 1
        assert found["nodes"] == [
            {
                "kind": "INVOICE_READY",
                "channel": "EMAIL",
                "address": "admin@example.com",
                "state": "SENT",
                "isToContact": False,
                "result": "250 OK",
                "attempts": 1,
            }
        ]
        for at in range(3):
            await post.announce(AlertKind.REACTIVATED, subject=str(at))
        query = """query L($after: String) {
          notifications(first: 2, after: $after) { nodes { id kind } pageInfo { endCursor hasNextPage } } }"""
        first = (await told.data(query, variables={"after": None}))["notifications"]
        cursor = first["pageInfo"]["endCursor"]
        second = (await told.data(query, variables={"after": cursor}))["notifications"]
        kinds = [node["kind"] for node in (*first["nodes"], *second["nodes"])]
        assert kinds == ["REACTIVATED"] * 3 + ["INVOICE_READY"]
        assert not second["pageInfo"]["hasNextPage"]

    async def test_another_account_sees_nothing_of_it(self, told):
        await told.add_account("BB0202")
        assert (await told.data(LOG, account="BB0202"))["notifications"]["totalCount"] == 0


class TestResending:
    async def test_it_goes_to_whoever_asks_and_to_the_contacts_by_mail_alone(self, told):
        await add(told)
        post = Post(told)
        await post.agree("carla@example.com")
        await post.clear()
        assert (await resend(told, by=Role.BILLING))["sentTo"] == ["billing@example.com", "Carla@example.com"]
        assert [row[:2] for row in await post.rows()] == [("INVOICE_READY", "EMAIL")] * 2
        activity = (await told.data("{ activity(first: 1) { nodes { what } } }"))["activity"]["nodes"]
        assert activity == [{"what": "Resent invoice 100001 to billing@example.com, Carla@example.com."}]

    async def test_one_that_is_paid_says_so_and_has_nothing_to_unsubscribe_from(self, told):
        await told.pay(139_00)
        post = Post(told)
        await post.clear()
        await resend(told, by=Role.BILLING)
        await post.deliver()
        (mail,) = post.mailer.sent
        assert (mail.subject, mail.unsubscribe_url) == ("Invoice 100001: paid", None)
        assert "administrator" not in mail.text

    async def test_three_times_an_hour_whatever_restarts(self, told):
        for _ in range(3):
            assert (await resend(told))["__typename"] == "InvoiceResent"
            told.clock.instant += timedelta(minutes=10)
        refused = await resend(told)
        assert (refused["code"], refused["retryAfter"]) == ("RATE_LIMITED", "2026-07-02T20:00:00.000Z")
        told.clock.instant += timedelta(minutes=31)
        assert (await resend(told))["__typename"] == "InvoiceResent"

    async def test_an_unknown_invoice_is_not_found_and_members_may_not(self, told):
        assert (await told.data(RESEND, variables={"id": "inv_nobody"}))["resendInvoice"]["code"] == "NOT_FOUND"
        answer = await told.graphql(RESEND, by=Role.MEMBER, variables={"id": "inv_nobody"})
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
