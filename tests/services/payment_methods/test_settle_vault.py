"""Methods whose outcome nobody saw: found at the vault or given up, whatever went wrong and wherever it stopped."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import product

import pytest

from app.domain.payment_gateway import AnswerKind, GatewayUnavailable, VaultAnswer, VerificationStatus
from app.domain.payment_methods import AddFailure, MethodStatus, VaultTask
from app.repositories import unit_of_work
from app.services.payment_methods import vault_service
from app.services.payment_methods.settle_vault import next_vault_task_at, run_vault_tasks
from tests.till import AMEX, MASTERCARD, VISA
from tests.wallet import Wallet

ACTIONS = (
    {"action": "reset"},
    {"action": "close"},
    {"action": "hang", "seconds": 0.6},
    {"action": "slow", "seconds": 0.6},
    *({"action": "status", "status": status} for status in (408, 429, 500, 502, 503, 504)),
    {"action": "empty"},
    {"action": "garbage"},
    {"action": "other"},
    {"action": "truncate"},
    {"action": "unprocessable"},
)
GIVEN_UP_AFTER = timedelta(minutes=5)


@pytest.fixture
async def july(wallet: Wallet):
    """An account without a payment method. At the end the vault has what is on file, and no more."""
    await wallet.world.add_account()
    yield wallet
    await wallet.vault.close()
    wallet.till.gateway.faults()
    wallet.world.clock.instant += timedelta(hours=2)
    await wallet.sweep()
    assert set(await wallet.in_vault()) == set(await wallet.on_file())
    assert await next_vault_task_at(wallet.world.services) is None


class Killed(BaseException):
    """The process ends here."""


async def wait_for(look) -> None:
    """Look again and again until something is there."""
    for _ in range(200):
        if await look():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "when"),
        list(product(ACTIONS, ("before", "after", "late"))),
        ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value.values())),
    )
    async def test_what_the_gateway_did_is_found_out_and_the_customer_never_told_otherwise(self, july, fault, when):
        july.till.gateway.faults({"match": "vault", "when": when, "late_seconds": 0.1, **fault})
        hasty = Wallet(july.till, payments=july.till.gateway.hasty_payments())
        try:
            told = (await hasty.try_to_add(VISA, key="press")).method
        except GatewayUnavailable:
            told = "refused"
        await hasty.vault.close()
        await july.till.gateway.until_idle()
        july.world.clock.instant += GIVEN_UP_AFTER
        await july.sweep()
        is_kept = bool(await july.in_vault())
        assert is_kept == (when != "before" or fault["action"] == "slow")
        assert len(await july.on_file()) == is_kept
        if told is not None:
            assert (told != "refused") == is_kept
        if is_kept:
            assert (await july.try_to_add(VISA, key="press")).method is not None
        else:
            with pytest.raises(GatewayUnavailable):
                await july.try_to_add(VISA, key="press")

    async def test_before_anything_secret_is_sent_a_failure_is_certain(self, july):
        for match in ("find_customer", "create_customer"):
            july.till.gateway.faults({"match": match, "action": "reset"})
            with pytest.raises(GatewayUnavailable):
                await july.try_to_add(VISA)
        assert await july.in_vault() == {}

    async def test_without_a_gateway_nothing_is_on_file(self, july):
        nowhere = Wallet(july.till, payments=july.till.gateway.payments(port=1))
        with pytest.raises(GatewayUnavailable, match="nothing was charged"):
            await nowhere.try_to_add(VISA, key="press")
        (row,) = await july.rows("payment_method")
        assert (row["status"], row["failure"], row["vault_task"]) == ("FAILED", "UNAVAILABLE", None)


class TestPatience:
    async def test_an_answer_that_takes_too_long_is_pending_and_known_later(self, july):
        hasty = Wallet(july.till, answers_within_seconds=0.1)
        july.till.gateway.faults({"match": "vault", "when": "after", "action": "slow", "seconds": 0.5})
        assert (await hasty.try_to_add(VISA, key="press")).method is None
        assert await july.on_file() == []
        await hasty.vault.close()
        added = await july.try_to_add(VISA, key="press")
        assert await july.on_file() == [added.method.id]
        assert added.method.verification is not None

    async def test_a_customer_who_leaves_does_not_stop_it(self, july):
        july.till.gateway.faults({"match": "vault", "when": "after", "action": "slow", "seconds": 0.3})
        leaving = asyncio.create_task(july.try_to_add(VISA))
        await asyncio.sleep(0.1)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        await july.vault.close()
        assert len(await july.on_file()) == 1


class TestKilled:
    """A process that ends between writing down, asking and recording; another one goes on from the rows."""

    async def test_before_it_asked(self, july, monkeypatch):
        monkeypatch.setattr(july.vault, "keep", self.die)
        with pytest.raises(Killed):
            await july.try_to_add(VISA, key="press")
        assert (await july.try_to_add(VISA, key="press")).method is None
        july.world.clock.instant += timedelta(seconds=100)
        await july.sweep()
        (row,) = await july.rows("payment_method")
        assert row["status"] == "PENDING"
        july.world.clock.instant += GIVEN_UP_AFTER
        await july.sweep()
        with pytest.raises(GatewayUnavailable):
            await july.try_to_add(VISA, key="press")

    async def test_before_it_recorded_the_answer(self, july, monkeypatch):
        monkeypatch.setattr(vault_service, "record_answer", self.fail)
        assert (await july.try_to_add(VISA, key="press")).method is None
        monkeypatch.undo()
        july.world.clock.instant += timedelta(seconds=75)
        assert await july.sweep() == 1
        added = await july.try_to_add(VISA, key="press")
        assert await july.on_file() == [added.method.id]
        assert added.method.verification.status is VerificationStatus.VERIFIED

    @staticmethod
    async def die(*_: object) -> None:
        raise Killed

    @staticmethod
    async def fail(*_: object) -> None:
        raise RuntimeError("the database is gone")


class TestWhoLearnsFirst:
    async def test_the_sweeper_before_the_answer(self, july, monkeypatch):
        """The vault has it, the answer is on its way, and the sweeper looks: one card, one event."""
        july.till.gateway.faults({"match": "vault", "when": "after", "action": "slow", "seconds": 1.5})
        adding = asyncio.create_task(july.try_to_add(VISA))
        await wait_for(july.in_vault)
        july.world.clock.instant += timedelta(seconds=75)
        await july.sweep()
        assert len(await july.on_file()) == 1
        added = (await adding).method
        assert (await july.on_file(), added.verification is not None) == ([added.id], True)
        assert [event.kind for event in await july.events()].count("payment_method.added") == 1

    async def test_a_method_that_was_given_up_and_came_after_all_is_deleted(self, july):
        july.till.gateway.faults({"match": "vault", "when": "before", "action": "slow", "seconds": 1.5})
        adding = asyncio.create_task(july.try_to_add(VISA))
        await wait_for(lambda: july.rows("payment_method"))
        july.world.clock.instant += GIVEN_UP_AFTER
        await july.sweep()
        with pytest.raises(GatewayUnavailable):
            await adding
        assert len(await july.in_vault()) == 1
        await july.sweep()
        assert await july.in_vault() == {}

    async def test_an_answer_of_no_after_the_sweeper_changes_nothing(self, july):
        method = await july.add(VISA)
        before = await july.everything()
        around = july.world.services
        for kind in (AnswerKind.UNKNOWN, AnswerKind.DECLINED, AnswerKind.REFUSED):
            await unit_of_work.write(
                around.database,
                lambda uow, kind=kind: vault_service.record_answer(
                    uow, around.ids, method, VaultAnswer(kind), around.clock.now()
                ),
            )
        assert await july.everything() == before

    async def test_an_answer_that_says_more_than_the_vault_did_is_kept(self, july):
        method, around = await july.add(VISA), july.world.services
        verification = (await july.stored(method)).method.verification
        await unit_of_work.write(around.database, lambda uow: uow.payment_methods.set_verification(method, None))
        found = await around.payments.find_method(method)
        answer = VaultAnswer(AnswerKind.DONE, found, verification)
        await unit_of_work.write(
            around.database,
            lambda uow: vault_service.record_answer(uow, around.ids, method, answer, around.clock.now()),
        )
        assert (await july.stored(method)).method.verification == verification

    async def test_a_method_that_was_never_written_down_is_not_answered_for(self, july):
        around = july.world.services
        with pytest.raises(LookupError):
            await unit_of_work.write(
                around.database,
                lambda uow: vault_service.record_answer(
                    uow, around.ids, "pm_x", VaultAnswer(AnswerKind.UNKNOWN), around.clock.now()
                ),
            )

    async def test_an_answer_that_comes_while_the_sweeper_looks(self, july, monkeypatch):
        monkeypatch.setattr(vault_service, "record_answer", TestKilled.fail)
        await july.try_to_add(VISA)
        monkeypatch.undo()
        around = july.world.services
        look = around.payments.find_method

        async def find(token):
            found = await look(token)
            answer = VaultAnswer(AnswerKind.DONE, found, found.verification)
            await unit_of_work.write(
                around.database,
                lambda uow: vault_service.record_answer(uow, around.ids, token, answer, around.clock.now()),
            )
            return found

        monkeypatch.setattr(around.payments, "find_method", find)
        july.world.clock.instant += timedelta(seconds=75)
        await july.sweep()
        assert [event.kind for event in await july.events()].count("payment_method.added") == 1

    async def test_a_card_removed_while_the_vault_is_told_of_its_rank_is_deleted_all_the_same(self, july, monkeypatch):
        first, second = await july.add(VISA), await july.add(MASTERCARD)
        await july.sweep()
        await july.set_default(second)
        payments = july.world.services.payments
        tell = payments.make_default

        async def make_default(token):
            monkeypatch.setattr(payments, "make_default", tell)
            await july.remove(token)
            return await tell(token)

        monkeypatch.setattr(payments, "make_default", make_default)
        await july.sweep()
        assert await july.on_file() == [first]
        assert (await july.stored(second)).vault_task is VaultTask.DELETE

    async def test_two_sweepers_at_once_do_everything_once(self, july, monkeypatch):
        monkeypatch.setattr(vault_service, "record_answer", TestKilled.fail)
        await july.try_to_add(VISA)
        july.world.clock.instant += timedelta(seconds=75)
        await asyncio.gather(*(july.sweep() for _ in range(4)))
        assert [event.kind for event in await july.events()].count("payment_method.added") == 1

    async def test_a_row_of_another_customer_is_not_adopted(self, july, monkeypatch):
        await july.world.add_account("AA0202", name="Elm Plumbing")
        monkeypatch.setattr(july.vault, "keep", TestKilled.die)
        with pytest.raises(Killed):
            await july.try_to_add(VISA)
        (row,) = await july.rows("payment_method")
        monkeypatch.undo()
        foreign = await july.add(AMEX, account="AA0202")
        real = july.world.services.payments

        async def find(_token):
            return await type(real).find_method(real, foreign)

        monkeypatch.setattr(real, "find_method", find)
        july.world.clock.instant += GIVEN_UP_AFTER
        await july.sweep()
        assert (await july.stored(row["id"])).failure is AddFailure.NOT_THERE


class TestMirror:
    async def test_an_unreachable_vault_is_told_again_after_pauses_that_double(self, july):
        first, second = await july.add(VISA), await july.add(MASTERCARD)
        await july.sweep()
        await july.set_default(second)
        july.till.gateway.faults({"match": "update_method", "action": "status", "status": 503, "times": 2})
        pauses = []
        for _ in range(2):
            await july.sweep()
            stored = await july.stored(second)
            pauses.append((stored.next_action_at - july.world.clock.now()).total_seconds())
            assert await july.sweep() == 0
            july.world.clock.instant = stored.next_action_at
        await july.sweep()
        assert pauses == [5, 10]
        assert await july.in_vault() == {first: False, second: True}
        assert (await july.stored(second)).vault_task is None

    async def test_a_default_that_has_changed_again_is_not_mirrored(self, july):
        first, second = await july.add(VISA), await july.add(MASTERCARD)
        await july.set_default(second)
        await july.set_default(first)
        await july.sweep()
        assert await july.in_vault() == {first: True, second: False}

    async def test_one_that_the_vault_lacks_is_not_asked_for_for_ever(self, july):
        first, second = await july.add(VISA), await july.add(MASTERCARD)
        await july.world.services.payments.remove_method(second)
        await july.set_default(second)
        await july.sweep()
        assert (await july.stored(second)).vault_task is None
        await july.set_default(first)
        await july.remove(second)

    async def test_what_is_deleted_already_is_no_error(self, july):
        first, second = await july.add(VISA), await july.add(MASTERCARD)
        await july.remove(second)
        await july.world.services.payments.remove_method(second)
        await july.sweep()
        assert (await july.stored(second)).vault_task is None
        assert await july.on_file() == [first]

    async def test_a_method_with_a_charge_under_way_is_deleted_afterwards(self, july):
        await july.add(VISA)
        second = await july.add(AMEX)
        await july.set_default(second)
        await july.world.close_now()
        july.till.gateway.faults({"match": "sale", "when": "before", "action": "reset"})
        await july.till.collect()
        await july.remove(second)
        await july.sweep()
        assert second in await july.in_vault()
        july.world.clock.instant += timedelta(minutes=10)
        await july.till.collect()
        july.world.clock.instant += timedelta(minutes=10)
        await july.sweep()
        assert second not in await july.in_vault()
        assert await july.till.disagreements() == []

    async def test_progress_and_the_next_date_are_told(self, july):
        await july.add(VISA)
        around, seen = july.world.services, []
        assert await next_vault_task_at(around) == july.world.clock.now()
        assert await run_vault_tasks(around, on_progress=seen.append) == 1
        assert seen == [1]
        assert await next_vault_task_at(around) is None

    async def test_a_fault_of_one_method_holds_up_no_other(self, july, monkeypatch):
        first, second = await july.add(VISA), await july.add(MASTERCARD)
        await july.sweep()
        await july.set_default(second)
        await july.remove(first)
        monkeypatch.setattr(july.world.services.payments, "make_default", TestKilled.fail)
        assert await july.sweep() == 2
        assert set(await july.in_vault()) == {second}
        assert (await july.stored(second)).vault_task is VaultTask.MAKE_DEFAULT
        monkeypatch.undo()


class TestNothingPending:
    async def test_what_is_on_file_is_left_alone(self, july):
        method = await july.add(VISA)
        await july.sweep()
        before = await july.everything()
        july.world.clock.instant += timedelta(days=30)
        assert await july.sweep() == 0
        assert (await july.everything(), await july.status(method)) == (before, MethodStatus.ACTIVE)
