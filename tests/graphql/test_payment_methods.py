"""The Payment Methods tab over HTTP: what is on file, adding, the default, the order, removal."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from app.domain.accounts import Role
from app.domain.agreements import PAYMENT_AGREEMENT
from app.domain.payment_gateway import MethodKind
from app.domain.payment_methods import MethodStatus
from app.repositories import unit_of_work
from tests.factories.payment_methods import put_on_file
from tests.till import AMEX, MASTERCARD, VISA
from tests.trips import counted_trips
from tests.world import World, pacific

CARD = """__typename id displayName status isDefault position
  ... on CardPaymentMethod { brand last4 expiryMonth expiryYear }
  ... on PayPalPaymentMethod { payerEmail }"""
LIST = f"{{ paymentMethods {{ id default {{ {CARD} }} backups {{ {CARD} }} }} }}"
SUMMARY = """{ billingSummary { paymentMethod { id displayName }
  autoPay { required requiredUntil nextChargeOn method { id } } } }"""
ADD = """mutation ($input: AddPaymentMethodInput!) { addPaymentMethod(input: $input) { __typename
  ... on PaymentMethodAdded {
    status paymentMethod { id displayName isDefault position } verification { status cvvCheck postalCodeCheck }
    authorization { agreementVersion textHash acceptedAt }
    paymentMethods { default { id } backups { id } } billingSummary { paymentMethod { id } } }
  ... on AuthorizationRequired { agreement { version text } }
  ... on CardVerificationFailed { verification { status cvvCheck } }
  ... on DuplicatePaymentMethod { paymentMethodId }
  ... on RateLimited { retryAfter }
  ... on UserError { code message } } }"""
SET_DEFAULT = """mutation ($id: ID!) { setDefaultPaymentMethod(input: {paymentMethodId: $id}) { __typename
  ... on DefaultPaymentMethodSet { paymentMethods { default { id } backups { id } }
    billingSummary { paymentMethod { id } autoPay { method { id } } } }
  ... on UserError { code } } }"""
REORDER = """mutation ($ids: [ID!]!) { reorderBackupPaymentMethods(input: {paymentMethodIds: $ids}) { __typename
  ... on BackupPaymentMethodsReordered { paymentMethods { default { id } backups { id } } }
  ... on UserError { code } } }"""
REMOVE = """mutation ($id: ID!) { removePaymentMethod(input: {paymentMethodId: $id}) { __typename
  ... on PaymentMethodRemoved { removedId newDefault { id } paymentMethods { default { id } backups { id } } }
  ... on LastPaymentMethod { isRequired }
  ... on UserError { code } } }"""
TOKEN = """mutation ($input: CreatePaymentFormTokenInput!) { createPaymentFormToken(input: $input) { __typename
  ... on PaymentFormTokenCreated { clientToken }
  ... on AuthorizationRequired { agreement { version } }
  ... on UserError { code } } }"""
MUTATIONS = {
    SET_DEFAULT: {"id": "pm_x"},
    REORDER: {"ids": []},
    REMOVE: {"id": "pm_x"},
    TOKEN: {"input": {}},
}


@pytest.fixture
async def july(till):
    """An account of the first month without a payment method, its invoice not issued yet."""
    await till.world.add_account()
    return till.world


def wanted(nonce: str = VISA, key: str = "press-1", **given):
    agreed = {"authorize": True, "agreementVersion": PAYMENT_AGREEMENT.version}
    return {"input": {"idempotencyKey": key, "nonce": nonce, **agreed, **given}}


async def add(world: World, *args, by: Role = Role.ADMIN, **given):
    return (await world.data(ADD, variables=wanted(*args, **given), by=by))["addPaymentMethod"]


async def change(world: World, mutation: str, by: Role = Role.ADMIN, **variables):
    ((_, result),) = (await world.data(mutation, variables=variables, by=by)).items()
    return result


class TestOnFile:
    async def test_the_default_and_the_back_ups_in_order_with_their_status(self, world):
        await world.add_account()
        first = await put_on_file(world)
        second = await put_on_file(world, brand="Discover", last4="1117", expiry_month=7, expiry_year=2026)
        third = await put_on_file(world, kind=MethodKind.PAYPAL, brand="PayPal", payer_email="ann@example.com")
        now = world.clock.now()
        await unit_of_work.write(
            world.database, lambda uow: uow.payment_methods.set_status(third, MethodStatus.NEEDS_ATTENTION, at=now)
        )
        world.clock.instant = pacific(2026, 8, 1)
        found = (await world.data(LIST))["paymentMethods"]
        assert found["default"] == {
            "__typename": "CardPaymentMethod",
            "id": first,
            "displayName": "Visa ending in 1881",
            "status": "ACTIVE",
            "isDefault": True,
            "position": 0,
            "brand": "Visa",
            "last4": "1881",
            "expiryMonth": 12,
            "expiryYear": 2027,
        }
        assert [(each["id"], each["status"], each["position"]) for each in found["backups"]] == [
            (second, "EXPIRED", 1),
            (third, "NEEDS_ATTENTION", 2),
        ]
        assert found["backups"][1]["payerEmail"] == "ann@example.com"

    async def test_a_card_is_valid_to_the_end_of_its_month(self, world):
        await world.add_account()
        await put_on_file(world, expiry_month=7, expiry_year=2026)
        world.clock.instant = pacific(2026, 7, 31, 23, 59)
        assert (await world.data(LIST))["paymentMethods"]["default"]["status"] == "ACTIVE"

    async def test_it_takes_one_trip_and_so_does_the_summary(self, world):
        await world.add_account()
        await put_on_file(world)
        for query in (LIST, SUMMARY, "{ paymentAgreement { version text textHash } }"):
            async with counted_trips() as trips:
                await world.data(query)
            assert trips.count == 1, trips.statements

    async def test_only_the_own_account_is_seen(self, world):
        await world.add_account()
        await world.add_account("AA0202", name="Elm Plumbing")
        await put_on_file(world, account="AA0202")
        assert (await world.data(LIST))["paymentMethods"]["default"] is None

    async def test_the_agreement_is_the_one_in_force(self, world):
        await world.add_account()
        found = (await world.data("{ paymentAgreement { version text textHash } }"))["paymentAgreement"]
        agreement = PAYMENT_AGREEMENT
        assert found == {"version": agreement.version, "text": agreement.text, "textHash": agreement.text_hash}

    @pytest.mark.parametrize("query", [LIST, "{ paymentAgreement { version } }"])
    async def test_a_member_sees_nothing_of_it(self, world, query):
        await world.add_account()
        await put_on_file(world)
        body = await world.graphql(query, by=Role.MEMBER)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        summary = await world.data(SUMMARY, by=Role.MEMBER)
        assert summary == {"billingSummary": {"paymentMethod": None, "autoPay": None}}


class TestAutoPay:
    async def test_rule_34_it_is_required_for_six_months_and_charges_the_next_invoice(self, world):
        await world.add_account()
        method = await put_on_file(world)
        await world.close_now()
        await world.pay(139_00)
        world.clock.instant = pacific(2026, 7, 15, 12)
        assert (await world.data(SUMMARY))["billingSummary"] == {
            "paymentMethod": {"id": method, "displayName": "Visa ending in 1881"},
            "autoPay": {
                "required": True,
                "requiredUntil": "2027-01-01",
                "nextChargeOn": "2026-08-01",
                "method": {"id": method},
            },
        }

    async def test_rule_30_an_open_invoice_is_tried_again_on_its_day(self, july):
        await add(july, VISA)
        await july.close_now()
        found = (await july.data(SUMMARY))["billingSummary"]["autoPay"]
        assert found["nextChargeOn"] == "2026-07-01"

    async def test_without_a_method_nothing_is_charged(self, world):
        await world.add_account()
        found = (await world.data(SUMMARY))["billingSummary"]
        assert found["paymentMethod"] is None
        assert found["autoPay"] == {
            "required": True,
            "requiredUntil": "2027-01-01",
            "nextChargeOn": None,
            "method": None,
        }


class TestAdd:
    @pytest.mark.parametrize("role", [Role.ADMIN, Role.BILLING])
    async def test_the_card_is_verified_agreed_to_and_on_file(self, july, role):
        added = await add(july, VISA, by=role, billingAddress={"postalCode": "20000"})
        method = added["paymentMethod"]
        assert (added["__typename"], added["status"]) == ("PaymentMethodAdded", "ADDED")
        assert (method["displayName"], method["isDefault"]) == ("Visa ending in 1881", True)
        assert added["verification"] == {
            "status": "VERIFIED",
            "cvvCheck": "MATCHES",
            "postalCodeCheck": "DOES_NOT_MATCH",
        }
        assert added["authorization"] == {
            "agreementVersion": PAYMENT_AGREEMENT.version,
            "textHash": PAYMENT_AGREEMENT.text_hash,
            "acceptedAt": "2026-07-01T19:00:00.000Z",
        }
        assert added["paymentMethods"] == {"default": {"id": method["id"]}, "backups": []}
        assert added["billingSummary"]["paymentMethod"] == {"id": method["id"]}

    async def test_the_consent_knows_the_client(self, july):
        async with july.client() as http:
            await http.post(
                "/graphql",
                json={"query": ADD, "variables": wanted()},
                headers={"user-agent": "Portal/1.0 4111111111111111 " + "x" * 400},
            )

        async def find(uow):
            owner = await uow.accounts.get_by_external_id("AA0101")
            (method,) = await uow.payment_methods.list_on_file(owner.id)
            return await uow.consents.find(method.id)

        consent = await unit_of_work.read(july.database, find)
        assert consent.address == "127.0.0.1"
        assert consent.user_agent.startswith("Portal/1.0 … xxx")
        assert len(consent.user_agent) == 255
        assert consent.accepted_by.startswith("user:usr_")

    async def test_every_way_to_be_refused_has_its_member(self, july):
        await add(july, VISA, "first")
        answers = [
            (await add(july, MASTERCARD, "a", authorize=False), "AUTHORIZATION_REQUIRED"),
            (await add(july, MASTERCARD, "b", agreementVersion="x"), "AUTHORIZATION_REQUIRED"),
            (await add(july, "fake-processor-declined-visa-nonce", "c"), "CARD_VERIFICATION_FAILED"),
            (await add(july, "fake-consumed-nonce", "d"), "NONCE_REJECTED"),
            (await add(july, VISA, "e"), "DUPLICATE_PAYMENT_METHOD"),
            (await add(july, MASTERCARD, "first"), "IDEMPOTENCY_CONFLICT"),
            (await add(july, MASTERCARD, ""), "BAD_INPUT"),
            (await add(july, MASTERCARD, "f", deviceData="\u0001"), "BAD_INPUT"),
            (await add(july, MASTERCARD, "g", replaces="pm_x"), "NOT_FOUND"),
            (await add(july, "fake-luhn-invalid-nonce", "h"), "NONCE_REJECTED"),
            (await add(july, MASTERCARD, "i"), "RATE_LIMITED"),
        ]
        assert [answer["code"] for answer, _ in answers] == [code for _, code in answers]
        assert answers[0][0]["agreement"]["text"] == PAYMENT_AGREEMENT.text
        assert answers[-1][0]["retryAfter"] == "2026-07-01T20:00:00.000Z"

    async def test_without_a_gateway_it_says_so(self, world):
        await world.add_account()
        assert (await add(world))["code"] == "PAYMENT_GATEWAY_UNAVAILABLE"
        assert (await change(world, TOKEN, input={}))["code"] == "PAYMENT_GATEWAY_UNAVAILABLE"

    async def test_a_member_adds_nothing_and_nothing_is_written(self, july):
        before = await july.trail()
        body = await july.graphql(ADD, variables=wanted(), by=Role.MEMBER)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        assert await july.trail() == before
        assert (await july.data(LIST))["paymentMethods"]["default"] is None

    @pytest.mark.parametrize(
        "broken",
        [{"authorize": "yes"}, {"unknown": 1}, {"nonce": ["secret-nonce"]}, {"agreementVersion": None}],
    )
    async def test_a_request_that_does_not_fit_is_not_quoted_back(self, july, broken):
        variables = wanted("secret-nonce", deviceData="secret-device")
        variables["input"] |= broken
        body = await july.graphql(ADD, variables=variables)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_INPUT"]
        assert "secret" not in str(body)

    @pytest.mark.parametrize("literal", ['{nonce: "secret-nonce"}', '{nonce: ["secret-nonce"]}', '"secret-nonce"'])
    async def test_nor_is_one_in_the_document(self, july, literal):
        body = await july.graphql(f"mutation {{ addPaymentMethod(input: {literal}) {{ __typename }} }}")
        assert {error["extensions"]["code"] for error in body["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}
        assert "secret" not in str(body)


class TestFormToken:
    async def test_it_names_no_customer(self, july):
        for given in ({"agreementVersion": PAYMENT_AGREEMENT.version}, {}):
            created = await change(july, TOKEN, input=given)
            assert created["__typename"] == "PaymentFormTokenCreated"
            assert "acc_" not in base64.b64decode(created["clientToken"]).decode()

    async def test_another_agreement_is_shown_first(self, july):
        refused = await change(july, TOKEN, input={"agreementVersion": "2025-01"})
        assert refused["code"] == "AUTHORIZATION_REQUIRED"


class TestChanges:
    @pytest.fixture
    async def three(self, july):
        ids = [(await add(july, nonce, nonce))["paymentMethod"]["id"] for nonce in (VISA, MASTERCARD, AMEX)]
        return july, ids

    async def test_another_default(self, three):
        world, (first, second, third) = three
        changed = await change(world, SET_DEFAULT, id=third)
        assert changed["paymentMethods"] == {"default": {"id": third}, "backups": [{"id": first}, {"id": second}]}
        assert changed["billingSummary"] == {"paymentMethod": {"id": third}, "autoPay": {"method": {"id": third}}}

    async def test_another_order(self, three):
        world, (first, second, third) = three
        changed = await change(world, REORDER, ids=[third, second])
        assert changed["paymentMethods"] == {"default": {"id": first}, "backups": [{"id": third}, {"id": second}]}
        assert (await change(world, REORDER, ids=[third]))["code"] == "BAD_INPUT"

    async def test_rule_34_removal_says_which_back_up_is_the_default_now(self, three):
        world, (first, second, third) = three
        removed = await change(world, REMOVE, id=first)
        assert (removed["removedId"], removed["newDefault"]) == (first, {"id": second})
        assert (await change(world, REMOVE, id=third))["newDefault"] is None
        last = await change(world, REMOVE, id=second)
        assert (last["code"], last["isRequired"]) == ("LAST_PAYMENT_METHOD", True)

    async def test_a_foreign_id_and_an_unknown_one_are_answered_alike(self, three):
        world, (first, *_) = three
        await world.add_account("AA0202", name="Elm Plumbing")
        for mutation in (SET_DEFAULT, REMOVE):
            answers = [await world.data(mutation, variables={"id": id_}, account="AA0202") for id_ in (first, "pm_x")]
            assert answers[0] == answers[1]
            assert "NOT_FOUND" in str(answers[0])

    @pytest.mark.parametrize("mutation", MUTATIONS)
    async def test_a_member_changes_nothing(self, three, mutation):
        world, _ = three
        before = await world.trail()
        body = await world.graphql(mutation, variables=MUTATIONS[mutation], by=Role.MEMBER)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        assert await world.trail() == before

    async def test_the_trail_tells_it_in_words(self, three):
        world, (first, second, _) = three
        world.clock.instant += timedelta(hours=1)
        await change(world, SET_DEFAULT, id=second)
        await change(world, REMOVE, id=first)
        found = (await world.data("{ activity(first: 3) { nodes { what who } } }"))["activity"]["nodes"]
        assert [each["what"] for each in found[:2]] == [
            "Removed the payment method Visa ending in 1881.",
            "Made MasterCard ending in 4444 the default payment method.",
        ]
        assert found[0]["who"] == "Admin"
