"""Accounts come to be by the service key, and their people with them; what cannot be is refused by its field."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.domain.seed_catalogue import SEED_CATALOGUE
from app.http.account_routes import LARGEST_ACCOUNT_BODY
from app.repositories import unit_of_work
from app.repositories.unit_of_work import UnitOfWork
from app.services.adjustments.add_charge import add_charge
from app.services.plans.change_lines import add_line
from tests.http.service import ACCOUNTS, PARTICULARS, Service, a_service_at_noon, refusal
from tests.services.books import differences, dump, events, lines
from tests.services.staff import WHY, by_ann
from tests.world import ACCOUNT, World, pacific

VIEWER = "{ viewer { role } }"
TAX = {"name": "Sales tax", "percent": 6.5, "validFrom": "2026-08-01"}


@pytest.fixture
async def service(world: World) -> Service:
    return await a_service_at_noon(world)


class TestAccounts:
    async def test_a_new_account_is_created_and_the_same_again_changes_nothing(self, service):
        answer = await service.put("AA0102")

        body = answer.json()
        assert (answer.status_code, body.pop("id")[:4]) == (201, "acc_")
        assert body == {
            "externalId": "AA0102",
            "name": "Harbor Dental",
            "status": "ACTIVE",
            "trialEndsOn": None,
            "paidStartsOn": "2026-08-01",
        }
        before = dump(service.world.database)
        again = await service.put("AA0102")
        assert (again.status_code, again.json()) == (200, answer.json())
        assert dump(service.world.database) == before
        (event,) = await events(service.world.database, "AA0102")
        assert (event.kind, event.actor) == ("account.created", "key:flex")

    async def test_rule_9_a_trial_sets_the_first_paid_day(self, service):
        answer = await service.put("AA0102", trialEndsOn="2026-09-10", paidSinceOn=None)

        assert (answer.json()["trialEndsOn"], answer.json()["paidStartsOn"]) == ("2026-09-10", "2026-09-11")
        await service.world.advance_to(pacific(2026, 10, 1))
        assert await lines(service.world.database, "AA0102") == [[("BASE", "2026-09", 92_60)]]

    async def test_the_plan_may_change_until_the_first_invoice_and_not_after(self, service):
        await service.put("AA0102")
        assert (await service.put("AA0102", plan="220")).status_code == 200
        await service.world.advance_to(pacific(2026, 8, 2))
        before = dump(service.world.database)

        assert refusal(await service.put("AA0102", plan="500", name="Other")) == (
            409,
            "BAD_INPUT",
            (
                "Account 'AA0102' has been invoiced: the plan cannot be changed here any more. "
                "Send the values that were sent before, or that it has by now."
            ),
        )
        assert dump(service.world.database) == before
        assert (await service.put("AA0102", plan="220", name="Other")).json()["name"] == "Other"
        assert await lines(service.world.database, "AA0102") == [[("BASE", "2026-08", 239_00)]]

    async def test_people_and_name_change_whatever_became_of_the_plan(self, service):
        """By the plan that it was created on as by the one it has, even at a price that came later."""
        world = service.world
        await service.put("AA0102")
        await world.advance_to(pacific(2026, 8, 2))
        later = replace(SEED_CATALOGUE.get("220", date(2026, 8, 1)), id="plan_220_new", valid_from=date(2026, 8, 1))

        async def sell(uow: UnitOfWork) -> None:
            await uow.plans.end_sale("plan_220_2020", date(2026, 8, 1))
            await uow.plans.add_all([later])
            owner = await uow.accounts.get_by_external_id("AA0102", lock=True)
            await uow.account_plans.choose(owner.id, later.id)

        await unit_of_work.write(world.database, sell)
        await world.advance_to(pacific(2026, 9, 2))

        for plan, name in (("100", "Harbor"), ("220", "Harbor Dental Group")):
            answer = await service.put("AA0102", plan=plan, name=name, users=[])
            assert (answer.status_code, answer.json()["name"]) == (200, name)
        assert refusal(await service.put("AA0102", plan="500"))[0] == 409
        assert (await lines(world.database, "AA0102"))[-1] == [("BASE", "2026-09", 239_00)]

    async def test_a_change_of_the_customer_in_the_trial_is_not_taken_back_by_what_is_sent_daily(self, service):
        world = service.world
        await service.put("AA0102", trialEndsOn="2026-08-10", paidSinceOn=None)

        async def choose(uow: UnitOfWork) -> None:
            owner = await uow.accounts.get_by_external_id("AA0102", lock=True)
            await uow.account_plans.choose(owner.id, "plan_220_2020")

        await unit_of_work.write(world.database, choose)
        daily = {"trialEndsOn": "2026-08-10", "paidSinceOn": None}
        assert (await service.put("AA0102", **daily)).status_code == 200
        await world.advance_to(pacific(2026, 8, 12))
        assert (await service.put("AA0102", **daily, name="Harbor")).json()["name"] == "Harbor"
        assert [line[0] for line in (await lines(world.database, "AA0102"))[0]] == ["BASE"]
        assert (await lines(world.database, "AA0102"))[0][0][2] == 161_91
        assert refusal(await service.put("AA0102", **daily, plan="500"))[0] == 409

    async def test_what_was_invoiced_in_the_trial_settles_its_end(self, service):
        """Rule 28: the invoice is computed again from these facts."""
        world = service.world
        await service.put("AA0102", trialEndsOn="2026-08-10", paidSinceOn=None)
        await add_line(world.services, by_ann("AA0102"), reference="555-0100", **WHY)
        refused = refusal(await service.put("AA0102", trialEndsOn="2026-08-20", paidSinceOn=None))
        assert refused[0] == 409
        assert await differences(world.database) == []

    @pytest.mark.parametrize(
        "name", ["J.P. Morgan Dental", "Booking.com", "A+ Heating", "24/7 Locksmith", "東京デンタルクリニック"]
    )
    async def test_names_of_businesses_pass_whatever_they_look_like(self, service, name):
        user = {"id": "u", "email": "u@example.com", "name": name, "role": "ADMIN"}
        answer = await service.put("AA0102", name=name, users=[user])
        assert (answer.status_code, answer.json()["name"]) == (201, name)

    @pytest.mark.parametrize("name", [" ", "\u200b", "a\u2028b", "a\u202eb", "\u200fb", "a\x85b"])
    async def test_a_name_that_is_blank_or_breaks_its_line_is_refused(self, service, name):
        user = {"id": "u", "email": "u@example.com", "name": name, "role": "ADMIN"}
        for changes, whose in (({"name": name}, "the account"), ({"users": [user]}, "user 'u'")):
            answer = await service.put("AA0102", **changes)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["message"].startswith(f"The name of {whose} is blank, or holds")

    async def test_names_in_any_script_are_kept(self, service):
        answer = await service.put("Praxis%231", name="Zahnärzte 🦷 株式会社")

        assert (answer.status_code, answer.json()["externalId"]) == (201, "Praxis#1")
        assert answer.json()["name"] == "Zahnärzte 🦷 株式会社"
        assert (await service.put("Praxis%231", name="Zahnärzte 🦷 株式会社")).status_code == 200

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
    async def test_accounts_are_put_and_nothing_else(self, service, method):
        answer = await service.send(PARTICULARS, key="flex", path=f"{ACCOUNTS}/A", method=method)

        assert refusal(answer) == (405, "METHOD_NOT_ALLOWED", "This address answers PUT only.")

    @pytest.mark.parametrize("path", ["/internal/accounts", "/internal/accounts/", "/internal/accounts/A/B"])
    async def test_no_account_named_is_no_address(self, service, path):
        answer = await service.send(PARTICULARS, key="flex", path=path, method="PUT")

        assert refusal(answer)[:2] == (404, "NOT_FOUND")


class TestPeople:
    @staticmethod
    def person(subject: str, role: str) -> dict[str, str]:
        return {"id": subject, "email": f"{subject.lower()}@example.com", "name": subject, "role": role}

    @pytest.fixture
    async def flex(self, service: Service) -> Service:
        users = [self.person("ann", "ADMIN"), self.person("bob", "BILLING")]
        await service.put("AA0102", users=users)
        return service

    async def role_of(self, service: Service, subject: str) -> str | None:
        answer = await service.world.graphql(VIEWER, by=subject, account="AA0102")
        return None if "errors" in answer else answer["data"]["viewer"]["role"]

    async def test_each_person_may_do_what_their_role_says(self, flex):
        assert [await self.role_of(flex, subject) for subject in ("ann", "bob", "eve")] == ["ADMIN", "BILLING", None]

    async def test_a_demoted_person_loses_power_in_the_next_request(self, flex):
        await flex.put("AA0102", users=[self.person("ann", "MEMBER"), self.person("bob", "ADMIN")])

        assert [await self.role_of(flex, subject) for subject in ("ann", "bob")] == ["MEMBER", "ADMIN"]

    async def test_a_person_left_out_is_out_in_the_next_request(self, flex):
        await flex.put("AA0102", users=[self.person("bob", "BILLING")])

        assert [await self.role_of(flex, subject) for subject in ("ann", "bob")] == [None, "BILLING"]
        kinds = [(event.kind, event.data) for event in await events(flex.world.database, "AA0102")]
        assert kinds[-1] == ("account.changed", {"members": ["bob BILLING"]})

    async def test_without_users_everybody_stays(self, flex):
        await flex.put("AA0102", users=None)

        assert await self.role_of(flex, "ann") == "ADMIN"

    async def test_no_users_are_nobody(self, flex):
        await flex.put("AA0102", users=[])

        assert await self.role_of(flex, "ann") is None
        assert (await events(flex.world.database, "AA0102"))[-1].data == {"members": []}

    async def test_another_account_s_people_are_not_touched(self, flex):
        await flex.put(ACCOUNT, paidSinceOn="2026-07-01", users=[self.person("ann", "MEMBER")])

        assert await self.role_of(flex, "ann") == "ADMIN"


USER = PARTICULARS["users"][0]
# what is wrong: the body, then the start of the message; always 422 BAD_INPUT
REFUSED_ACCOUNTS: dict[str, tuple[Any, str]] = {
    "no object": ([PARTICULARS], "body: Input should be an object."),
    "null": (b"null", "body: Input should be an object."),
    "no name": ({**PARTICULARS, "name": None}, "name: Input should be a valid string."),
    "an empty name": ({**PARTICULARS, "name": ""}, "name: String should have at least 1 character."),
    "a long name": ({**PARTICULARS, "name": "x" * 201}, "name: String should have at most 200 characters."),
    "a name with a line break": ({**PARTICULARS, "name": "a\nb"}, "name: String should match pattern"),
    "an unknown field": ({**PARTICULARS, "status": "CLOSED"}, "status: Extra inputs are not permitted."),
    "a field in another spelling": ({**PARTICULARS, "paid_since_on": "2026-08-01"}, "paid_since_on: Extra inputs are"),
    "an unknown plan": (
        {**PARTICULARS, "plan": "101"},
        "There is no plan '101' on sale on 2026-08-01. Choose one of: economy, 100, 220, 500, 1000, 2500, 5000, 10000.",
    ),
    "a day as a number": ({**PARTICULARS, "paidSinceOn": 0}, "paidSinceOn: Input should be a valid date."),
    "a day with a time": (
        {**PARTICULARS, "paidSinceOn": "2026-08-01T00:00:00"},
        "paidSinceOn: Input should be a valid date",
    ),
    "the 31st of June": ({**PARTICULARS, "paidSinceOn": "2026-06-31"}, "paidSinceOn: Input should be a valid date"),
    "no first paid day": ({**PARTICULARS, "paidSinceOn": None}, "Give `trialEndsOn`, the last day of the trial, or"),
    "a paid day within the trial": (
        {**PARTICULARS, "trialEndsOn": "2026-08-01"},
        "Paid service cannot begin on 2026-08-01, before the trial has ended on 2026-08-01.",
    ),
    "the last day of time": ({**PARTICULARS, "paidSinceOn": "9999-12-31"}, "Check the year: "),
    "a trial to the last day of time": ({**PARTICULARS, "trialEndsOn": "9999-12-31"}, "Check the year: "),
    "the first day of time": ({**PARTICULARS, "paidSinceOn": "0001-01-01"}, "There is no plan '100' on sale on "),
    "users as an object": ({**PARTICULARS, "users": USER}, "users: Input should be a valid array."),
    "too many users": ({**PARTICULARS, "users": [USER] * 501}, "users: List should have at most 500 items"),
    "one user twice": ({**PARTICULARS, "users": [USER, USER]}, "User 'user-1' is named more than once."),
    "an unknown role": (
        {**PARTICULARS, "users": [{**USER, "role": "OWNER"}]},
        "users.0.role: Input should be 'ADMIN', ",
    ),
    "no address": (
        {**PARTICULARS, "users": [{**USER, "email": "ann"}]},
        "users.0.email: value is not a valid email address: An email address must have an @-sign.",
    ),
    "a user without id": ({**PARTICULARS, "users": [{**USER, "id": ""}]}, "users.0.id: String should have at least 1"),
}


class TestRefusedAccounts:
    @pytest.mark.parametrize("what", REFUSED_ACCOUNTS)
    async def test_the_answer_names_the_field_and_nothing_is_written(self, service, what):
        body, message = REFUSED_ACCOUNTS[what]
        before = dump(service.world.database)

        answer = await service.put("AA0102", body=body)

        assert refusal(answer)[:2] == (422, "BAD_INPUT")
        assert refusal(answer)[2].startswith(message)
        assert not refusal(answer)[2].endswith("..")
        assert dump(service.world.database) == before

    @pytest.mark.parametrize("account", ["A" * 129, "%00", "A%0AB", "%7F", "%20", "A%20B", "%C3%84A", "%E2%80%8BA"])
    async def test_an_id_that_nobody_could_read_is_refused(self, service, account):
        message = "An account's id has 1 to 128 visible ASCII characters and no blank."

        assert refusal(await service.put(account)) == (422, "BAD_INPUT", message)

    async def test_a_body_of_a_book_s_length_is_refused(self, service):
        answer = await service.put(body=b" " * (LARGEST_ACCOUNT_BODY + 1))

        assert refusal(answer)[:2] == (413, "LIMIT_EXCEEDED")


class TestTax:
    async def put(self, service: Service, account: str = ACCOUNT, **changes: Any):
        path = f"{ACCOUNTS}/{account}/tax"
        return await service.send({**TAX, **changes}, key="flex", path=path, method="PUT")

    async def test_it_is_on_every_invoice_from_its_day_on_and_the_same_again_changes_nothing(self, service):
        answer = await self.put(service)
        assert (answer.status_code, answer.json()) == (201, {**TAX, "percent": "6.5"})
        before = dump(service.world.database)
        assert (await self.put(service)).status_code == 200
        assert dump(service.world.database) == before

        await service.world.advance_to(pacific(2026, 8, 2))
        assert (await lines(service.world.database))[-1] == [("BASE", "2026-08", 139_00), ("TAX", "2026-08", 9_04)]
        set_by = [event for event in await events(service.world.database) if event.kind == "taxes.set"]
        assert [(event.actor, event.data["taxes"]) for event in set_by] == [("key:flex", [[], ["Sales tax 6.5 %"]])]

    async def test_it_has_up_to_four_decimals_and_takes_the_place_of_a_whole_list(self, service):
        await put_taxes(service, taxes=[STATE, CITY])

        answer = await self.put(service, percent=8.8751)

        assert (answer.status_code, answer.json()["percent"]) == (201, "8.8751")
        await service.world.advance_to(pacific(2026, 8, 2))
        assert (await lines(service.world.database))[-1] == [("BASE", "2026-08", 139_00), ("TAX", "2026-08", 12_34)]

    async def test_zero_ends_it(self, service):
        await self.put(service)

        answer = await self.put(service, percent=0)

        assert (answer.status_code, answer.json()["percent"]) == (201, "0")
        await service.world.advance_to(pacific(2026, 8, 2))
        assert (await lines(service.world.database))[-1] == [("BASE", "2026-08", 139_00)]

    @pytest.mark.parametrize(
        ("changes", "status", "field"),
        [
            ({"percent": 6.50505}, 422, "percent"),
            ({"percent": -1}, 422, "percent"),
            ({"percent": 101}, 422, "percent"),
            ({"name": ""}, 422, "name"),
            ({"validFrom": 0}, 422, "validFrom"),
            ({"rate": 1}, 422, "rate"),
            ({"validFrom": "2026-07-01"}, 409, "an invoice was issued on"),
            ({"account": "AA0999"}, 404, "AA0999"),
        ],
    )
    async def test_what_cannot_be_is_refused_by_its_field_and_changes_nothing(self, service, changes, status, field):
        before = dump(service.world.database)
        refused = refusal(await self.put(service, **changes))
        assert (refused[0], field in refused[2]) == (status, True)
        assert dump(service.world.database) == before

    async def test_needs_a_service_key(self, service):
        path = f"{ACCOUNTS}/{ACCOUNT}/tax"
        assert refusal(await service.send(TAX, key="east", path=path, method="PUT"))[0] == 401


STATE = {"name": "State sales tax", "percent": "6.5"}
CITY = {"name": "City tax", "percent": 1.2505, "kinds": ["BASE", "OVERAGE"]}
TAXES = {"validFrom": "2026-08-01", "taxes": [STATE, CITY]}


async def put_taxes(service: Service, account: str = ACCOUNT, **changes: Any):
    path = f"{ACCOUNTS}/{account}/taxes"
    return await service.send({**TAXES, **changes}, key="flex", path=path, method="PUT")


# what is wrong: the list, then the start of the message; always 422 BAD_INPUT
REFUSED_TAXES: dict[str, tuple[dict[str, Any], str]] = {
    "five decimals": ({"taxes": [{**STATE, "percent": "6.50001"}]}, "taxes.0.percent: Decimal input should have no"),
    "five decimals, as a number": ({"taxes": [STATE, {**CITY, "percent": 1.25051}]}, "taxes.1.percent: Decimal input"),
    "below zero": ({"taxes": [{**STATE, "percent": "-0.0001"}]}, "taxes.0.percent: Input should be greater than or"),
    "above all of it": ({"taxes": [STATE, {**CITY, "percent": 100.0001}]}, "taxes.1.percent: Input should be less"),
    "no number": ({"taxes": [{**STATE, "percent": "NaN"}]}, "taxes.0.percent: Input should be a finite number"),
    "the same name twice": ({"taxes": [STATE, {**CITY, "name": " State sales tax "}]}, "taxes: 'State sales tax' is"),
    "an unknown kind": ({"taxes": [STATE, {**CITY, "kinds": ["BASE", "TELEPHONE"]}]}, "taxes.1.kinds.1: Input should"),
    "a kind that is not charged": ({"taxes": [{**STATE, "kinds": ["CORRECTION"]}]}, "taxes.0.kinds.0: Input should be"),
    "kinds that are none": ({"taxes": [{**STATE, "kinds": "BASE"}]}, "taxes.0.kinds: Input should be a valid array."),
    "no name": ({"taxes": [{**STATE, "name": ""}]}, "taxes.0.name: String should have at least 1 character."),
    "a name of spaces": ({"taxes": [{**STATE, "name": "  "}]}, "What the customer reads has 1 to 128 printable"),
    "no list": ({"taxes": None}, "taxes: Input should be a valid array."),
    "more than anybody pays": ({"taxes": [STATE] * 21}, "taxes: List should have at most 20 items"),
    "no first day": ({"validFrom": None}, "validFrom: Input should be a valid date"),
    "a day as a number": ({"validFrom": 0}, "validFrom: Input should be a valid date"),
    "a field more": ({"rate": 1}, "rate: Extra inputs are not permitted."),
    "a field more in a tax": ({"taxes": [{**STATE, "rate": 1}]}, "taxes.0.rate: Extra inputs are not permitted."),
}


class TestTaxes:
    async def test_the_whole_list_is_stated_and_the_same_again_changes_nothing(self, service):
        answer = await put_taxes(service)

        said = [{**STATE, "kinds": []}, {**CITY, "percent": "1.2505"}]
        assert (answer.status_code, answer.json()) == (201, {"validFrom": "2026-08-01", "taxes": said})
        before = dump(service.world.database)
        again = await put_taxes(service)
        assert (again.status_code, again.json()) == (200, answer.json())
        assert dump(service.world.database) == before
        event = (await events(service.world.database))[-1]
        assert (event.kind, event.actor, event.data["valid_from"]) == ("taxes.set", "key:flex", "2026-08-01")
        assert event.data["taxes"] == [[], ["State sales tax 6.5 %", "City tax 1.2505 % on BASE, OVERAGE"]]

    async def test_each_tax_is_a_line_over_the_kinds_that_it_applies_to(self, service):
        """6.5 % of 139.00 + 30.00 is 10.985, 1.2505 % of 139.00 is 1.738."""
        await add_charge(
            service.world.services, by_ann(), title="Programming", amount_cents=30_00, reference="T-1", **WHY
        )
        await put_taxes(service)

        await service.world.advance_to(pacific(2026, 8, 2))

        assert (await lines(service.world.database))[-1] == [
            ("BASE", "2026-08", 139_00),
            ("CHARGE", "2026-08", 30_00),
            ("TAX", "2026-08", 10_99),
            ("TAX", "2026-08", 1_74),
        ]
        assert await differences(service.world.database) == []

    async def test_a_list_for_the_same_day_gives_way_and_an_empty_one_ends_them(self, service):
        await put_taxes(service)

        answer = await put_taxes(service, taxes=[])

        assert (answer.status_code, answer.json()) == (201, {"validFrom": "2026-08-01", "taxes": []})
        await service.world.advance_to(pacific(2026, 8, 2))
        assert (await lines(service.world.database))[-1] == [("BASE", "2026-08", 139_00)]

    async def test_a_rate_of_zero_leaves_its_tax_out(self, service):
        answer = await put_taxes(service, taxes=[STATE, {**CITY, "percent": 0}])

        assert answer.json()["taxes"] == [{**STATE, "kinds": []}]

    @pytest.mark.parametrize("what", REFUSED_TAXES)
    async def test_what_cannot_be_is_refused_by_its_field_and_changes_nothing(self, service, what):
        changes, message = REFUSED_TAXES[what]
        before = dump(service.world.database)

        refused = refusal(await put_taxes(service, **changes))

        assert refused[:2] == (422, "BAD_INPUT")
        assert refused[2].startswith(message)
        assert dump(service.world.database) == before

    @pytest.mark.parametrize(
        ("changes", "status", "code", "word"),
        [
            ({"validFrom": "2026-07-01"}, 409, "BAD_INPUT", "A tax cannot begin on 2026-07-01: an invoice was issued"),
            ({"account": "AA0999"}, 404, "NOT_FOUND", "There is no account 'AA0999'."),
        ],
    )
    async def test_a_day_that_is_invoiced_and_an_account_of_nobody_are_refused(
        self, service, changes, status, code, word
    ):
        before = dump(service.world.database)

        refused = refusal(await put_taxes(service, **changes))

        assert refused[:2] == (status, code)
        assert refused[2].startswith(word)
        assert dump(service.world.database) == before

    async def test_needs_a_service_key(self, service):
        path = f"{ACCOUNTS}/{ACCOUNT}/taxes"
        assert refusal(await service.send(TAXES, key="east", path=path, method="PUT"))[0] == 401

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
    async def test_taxes_are_put_and_nothing_else(self, service, method):
        answer = await service.send(TAXES, key="flex", path=f"{ACCOUNTS}/{ACCOUNT}/taxes", method=method)

        assert refusal(answer) == (405, "METHOD_NOT_ALLOWED", "This address answers PUT only.")
